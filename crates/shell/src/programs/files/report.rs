//! What programs say when something does not work, in GNU's words.

use std::fmt::Display;

use crate::files::{Errno, FileResult};
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
