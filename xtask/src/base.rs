//! `cargo xtask base`: makes the base images ahead of the tests that want them.

use testbed::{Failure, base};

use crate::Outcome;

pub fn run(arguments: &[String]) -> Outcome {
    let names = match arguments {
        [] => vec!["tiny", "debian"],
        names => names.iter().map(String::as_str).collect(),
    };
    for name in names {
        let layout = match name {
            "tiny" => base::tiny(),
            "debian" => base::debian(),
            _ => Err(Failure::new(format!("there is no base image `{name}`: debian and tiny are"))),
        }?;
        println!("{}:{}", layout.display(), base::TAG);
    }
    Ok(())
}
