//! What a choice among the packages of archives depends on beside their lists, as one name.

use oci::{Digest, Digester};
use shell::Process;

use crate::apt::configuration::Configuration;
use crate::apt::problem::Failure;
use crate::apt::reading::{data, parts};
use crate::dpkg::database::Database;

/// Settings of how archives are fetched from, which decide nothing and may hold passwords.
const OF_FETCHING: &str = "Acquire";

/// The name of what a program asks: its command line and what it makes of that, the configuration,
/// the packages that are there, and the preferences.
pub(super) fn name(
    process: &mut Process<'_, '_>,
    configuration: &Configuration,
    asked: &[String],
) -> Result<Digest, Failure> {
    let mut form = Form(Digester::sha256());
    form.list([process.name()]);
    form.list(process.arguments());
    form.list(asked);
    let settings = configuration.dump();
    form.list(settings.lines().filter(|line| !line.starts_with(OF_FETCHING)));
    let database = Database::read(process)?;
    for (id, package) in database.status.packages() {
        form.list([format!("{id} {:?} {:?}", package.want, package.state)]);
        form.list(package.stanza.fields().flat_map(|(name, value)| [name, value]));
    }
    let files = ["Dir::State::extended_states", "Dir::Etc::preferences"];
    let mut paths: Vec<_> = files.iter().filter_map(|name| configuration.path(name)).collect();
    if let Some(directory) = configuration.path("Dir::Etc::preferencesparts") {
        paths.extend(parts(process, &directory, &["", "pref"])?);
    }
    for path in paths {
        let content = data(process, &path)?.map(|data| data.content().digest.to_string());
        form.list([path.to_string(), content.unwrap_or_default()]);
    }
    Ok(form.0.finish())
}

/// A canonical form: every item has its length in front, and every list its end.
struct Form(Digester);

impl Form {
    fn list<T: AsRef<[u8]>>(&mut self, items: impl IntoIterator<Item = T>) {
        for item in items {
            let item = item.as_ref();
            self.0.update(&(item.len() as u64).to_le_bytes());
            self.0.update(item);
        }
        self.0.update(&u64::MAX.to_le_bytes());
    }
}
