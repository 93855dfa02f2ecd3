//! `pip check`: whether what is installed has all that it requires.
//!
//! That is a question for the resolver, asked with everything that is installed and nothing else
//! to take: if it has an answer, nothing is broken.

use python::{
    Dependencies, Indexes, Prereleases, Requirement, ResolutionRequest, SourceBuilds, Upgrade,
};
use shell::Process;

use super::super::outside::RunOutside;
use super::asked::origin;
use super::gather::Ended;
use super::interpreter::Python;
use super::stopped;
use crate::wheels;

/// `pip check`; what is broken is an error of the resolver's, which says what.
pub(super) fn check(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    python: &Python,
) -> Result<u8, Ended> {
    let pins = python.installed.iter().map(|installed| Requirement {
        text: format!("{}=={}", installed.name, installed.version),
        hashes: Vec::new(),
        origin: origin(),
    });
    let request = ResolutionRequest {
        target: python.target.clone(),
        requirements: pins.collect(),
        constraints: Vec::new(),
        overrides: Vec::new(),
        lock: None,
        indexes: Indexes { no_index: true, ..Indexes::default() },
        given: Vec::new(),
        exclude_newer: None,
        prereleases: Prereleases::Allow,
        no_binary: Vec::new(),
        only_binary: Vec::new(),
        installed: python.installed.clone(),
        upgrade: Upgrade::Nothing,
        dependencies: Dependencies::Follow,
        require_hashes: false,
        builds: SourceBuilds::Refuse,
    };
    if !request.requirements.is_empty() {
        let answer = wheels::resolve(&mut run.planner.borrow_mut(), &request, Vec::new(), run.span);
        stopped(run, answer)?;
    }
    process.write("No broken requirements found.\n")?;
    Ok(0)
}
