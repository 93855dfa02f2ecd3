//! How programs end that do not do what they were asked to.

use std::fmt::Display;

use shell::files::{FileError, FileResult};
use shell::process::Run;
use shell::{Process, Reason, Stop};

/// Why a program ends early.
#[derive(Debug)]
pub(super) enum Failure {
    /// It says this, and fails.
    Error(String),
    /// The command line is wrong; it says this, and where help is to be had.
    Usage(String),
    /// The evaluation ends.
    Stop(Stop),
}

/// What a step of a program gives.
pub(super) type Step<T> = Result<T, Failure>;

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        Failure::Stop(stop)
    }
}

impl Failure {
    /// The program says this, and fails.
    pub(super) fn error<T>(message: impl Display) -> Step<T> {
        Err(Failure::Error(message.to_string()))
    }

    /// The command line is wrong.
    pub(super) fn usage<T>(message: impl Display) -> Step<T> {
        Err(Failure::Usage(message.to_string()))
    }
}

/// The error of a system call as a program's own: what could not be done, and why.
pub(super) fn said<T>(result: FileResult<T>, what: impl FnOnce() -> String) -> Step<T> {
    match result {
        Ok(done) => Ok(done),
        Err(FileError::Stop(stop)) => Err(stop.into()),
        Err(FileError::Errno(errno)) => Err(Failure::Error(format!("{}: {errno}", what()))),
    }
}

/// This use of the program is not understood.
pub(super) fn refused(process: &Process<'_, '_>, why: impl Into<String>) -> Stop {
    process.refuse(Reason::Use(why.into()))
}

/// This option of the program is not understood.
pub(super) fn unknown(process: &Process<'_, '_>, option: impl Display) -> Stop {
    process.refuse(Reason::Option(option.to_string()))
}

/// An error of a file where the real program would say something of its own: it is refused.
pub(super) fn expected<T>(
    process: &Process<'_, '_>,
    result: FileResult<T>,
    what: impl FnOnce() -> String,
) -> Result<T, Stop> {
    match result {
        Ok(done) => Ok(done),
        Err(FileError::Stop(stop)) => Err(stop),
        Err(FileError::Errno(errno)) => {
            Err(refused(process, format!("cannot {}: {errno}", what())))
        }
    }
}

/// The end of one of dpkg's programs: `NAME: error: …` and the exit status 2.
pub(super) fn conclude(process: &mut Process<'_, '_>, step: Step<u8>, help: &str) -> Run {
    match step {
        Ok(status) => Ok(status),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Error(message)) => {
            process.complain(format_args!("error: {message}"))?;
            Ok(2)
        }
        Err(Failure::Usage(message)) => {
            process.complain(format_args!("error: {message}\n\n{help}"))?;
            Ok(2)
        }
    }
}
