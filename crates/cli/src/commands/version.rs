//! `version`: which plywood this is.

use serde_json::json;

use crate::error::Error;
use crate::flags::VersionReport;
use crate::session::Session;
use crate::template::Template;

pub(crate) fn version(report: &VersionReport, session: &Session) -> Result<(), Error> {
    let version = env!("CARGO_PKG_VERSION");
    let facts = json!({
        "Version": version,
        "Os": std::env::consts::OS,
        "Arch": architecture(),
    });
    let text = match report {
        VersionReport::Text => format!("plywood {version}\n"),
        VersionReport::Json => format!("{facts}\n"),
        VersionReport::Template(template) => {
            format!("{}\n", Template::parse(template)?.render(&facts)?)
        }
    };
    session.answer(text.as_bytes())
}

/// The processor by the name that image configs give it.
fn architecture() -> String {
    oci::Platform::linux(std::env::consts::ARCH).normalized().architecture
}
