//! Commands that the configuration has run before and after: `DPkg::Pre-Invoke`, and its like
//! (apt.conf(5), "How APT calls dpkg(1)").

use bstr::BString;

use super::session::Session;
use crate::apt::problem::{Failure, Problem};

/// Runs the commands of a list of the configuration, each by a shell. The first that fails ends it.
pub(super) fn run(session: &mut Session<'_, '_, '_>, list: &'static str) -> Result<(), Failure> {
    let commands: Vec<String> =
        session.configuration.list(list).into_iter().map(str::to_owned).collect();
    for command in commands.into_iter().filter(|command| !command.is_empty()) {
        let words = vec![BString::from("/bin/sh"), "-c".into(), command.clone().into()];
        if session.process.spawn(words)? != 0 {
            return Err(Problem::Hook { list, command }.into());
        }
    }
    Ok(())
}
