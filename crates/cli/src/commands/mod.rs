//! One module a command: each takes its arguments and the session, and answers on standard output.

mod completions;
mod version;

use crate::build;
use crate::error::Error;
use crate::flags::Command;
use crate::session::Session;

/// Runs a command.
pub(crate) fn run(command: &Command, session: &Session) -> Result<(), Error> {
    match command {
        Command::Build(arguments) => build::build(arguments, session),
        Command::Plan(arguments) => build::plan(arguments, session),
        Command::Version(report) => version::version(report, session),
        Command::Completions(shell) => completions::completions(*shell, session),
        _ => Err(Error::NoStore),
    }
}
