//! Programs out of packages that plywood unpacked and configured: they run.

use testbed::debian::{self, Archive, Workshop};
use testbed::{Failure, Result};

use super::Made;
use super::sets::line;
use super::trials::{TRIALS, Trial};
use crate::support::plywood;

/// All packages in one image, since the base is unpacked once then.
#[test]
fn programs_run() -> Result {
    let archive = Archive::start()?;
    let base = debian::fresh(&archive)?;
    let mut packages: Vec<_> = TRIALS.iter().flat_map(|trial| trial.packages.split(' ')).collect();
    packages.sort_unstable();
    packages.dedup();
    let made = Made::by(&plywood()?, &base, &archive, &line(&packages.join(" ")))?;
    let workshop = Workshop::within(&made.root(), &archive);
    let wrong: Vec<_> = TRIALS.iter().filter_map(|trial| wrong(&workshop, trial)).collect();
    if wrong.is_empty() { Ok(()) } else { Err(Failure::new(wrong.join("\n\n"))) }
}

/// What is wrong with a trial, if anything.
fn wrong(workshop: &Workshop, trial: &Trial) -> Option<String> {
    let Trial { packages, script, prints } = trial;
    match workshop.run(&format!("set -eu\n{script}")) {
        Ok(said) if said.contains(prints) => None,
        Ok(said) => Some(format!("{packages}: no {prints:?} in\n{said}")),
        Err(failure) => Some(format!("{packages}: {failure}")),
    }
}
