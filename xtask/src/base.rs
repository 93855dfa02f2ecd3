//! `cargo xtask base`: makes the base images ahead of the tests that want them.

use testbed::debian::{self, Archive};
use testbed::{Failure, base};

use crate::Outcome;

/// All that there are.
const ALL: &[&str] = &[
    "tiny",
    "debian",
    "debian-aged",
    "debian-fresh",
    "debian-python",
    "debian-python-arm64",
    "debian-slim",
    "usr-local-python",
];

pub fn run(arguments: &[String]) -> Outcome {
    let names = match arguments {
        [] => ALL.to_vec(),
        names => names.iter().map(String::as_str).collect(),
    };
    for name in names {
        let layout = match name {
            "tiny" => base::tiny(),
            "debian" => base::debian(),
            "debian-python" => base::debian_python().map(|base| base.layout),
            "debian-python-arm64" => base::debian_python_arm64().map(|base| base.layout),
            "debian-fresh" => debian::fresh(&Archive::start()?).map(|base| base.layout),
            "debian-slim" => debian::slim(&Archive::start()?).map(|base| base.layout),
            "debian-aged" => debian::aged(&Archive::start()?).map(|base| base.layout),
            "usr-local-python" => base::usr_local_python().map(|base| base.layout),
            _ => Err(Failure::new(format!("there is no base image `{name}`"))),
        }?;
        println!("{}:{}", layout.display(), base::TAG);
    }
    Ok(())
}
