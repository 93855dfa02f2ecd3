//! What programs say when something does not work, in GNU's words.

use std::fmt::Display;

use crate::files::{Errno, FileResult};
use crate::options::Options;
use crate::process::{Process, Run, errno};
use crate::stop::{Reason, Stop};

/// `cp: missing file operand` and where to read more; exit status 1.
pub(super) fn usage(process: &mut Process<'_, '_>, message: impl Display) -> Run {
    process.complain(message)?;
    let hint = format!("Try '{} --help' for more information.\n", process.name());
    process.write_to(2, hint.as_bytes())?;
    Ok(1)
}

/// A complaint; exit status 1.
pub(super) fn fail(process: &mut Process<'_, '_>, message: impl Display) -> Run {
    process.complain(message)?;
    Ok(1)
}

/// What a system call gave; if an error, `None`, once it has been complained about as
/// `NAME: WHAT: ERROR`.
pub(super) fn attempt<T>(
    process: &mut Process<'_, '_>,
    result: FileResult<T>,
    what: impl FnOnce() -> String,
) -> Result<Option<T>, Stop> {
    match errno(result)? {
        Ok(done) => Ok(Some(done)),
        Err(error) => {
            let what = what();
            process.complain(format_args!("{what}: {error}"))?;
            Ok(None)
        }
    }
}

/// What programs that change attributes say.
#[derive(Debug, Clone, Copy)]
pub(super) struct Talk {
    telling: Telling,
    is_silent: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    Nothing,
    Changes,
    All,
}

impl Talk {
    /// As `-c`, `-f` and `-v` say.
    pub(super) fn of(options: &Options) -> Self {
        let telling = match options.last_of(&["-c", "-v"]) {
            Some("-v") => Telling::All,
            Some(_) => Telling::Changes,
            None => Telling::Nothing,
        };
        Talk { telling, is_silent: options.has("-f") }
    }

    /// Whether what is done is told if it changes something, and if not.
    pub(super) fn tells(self, is_changed: bool) -> bool {
        self.telling == Telling::All || (self.telling == Telling::Changes && is_changed)
    }

    /// A complaint, if there may be any; exit status 1.
    pub(super) fn complain(self, process: &mut Process<'_, '_>, message: String) -> Run {
        if !self.is_silent {
            process.complain(message)?;
        }
        Ok(1)
    }
}

/// Whether nothing stands there, as `-f` means it.
pub(super) fn is_absent(error: Errno) -> bool {
    matches!(error, Errno::NotFound | Errno::NotADirectory)
}

/// A use of the program that is not understood.
pub(super) fn refuse_use(process: &Process<'_, '_>, what: impl Into<String>) -> Stop {
    process.refuse(Reason::Use(what.into()))
}

/// An option that is not understood.
pub(super) fn refuse_option(process: &Process<'_, '_>, option: impl Into<String>) -> Stop {
    process.refuse(Reason::Option(option.into()))
}
