//! `true` and `false`.

use crate::process::{Process, Run};
use crate::stop::{Reason, Stop};

/// Success.
pub(super) fn succeed(process: &mut Process<'_, '_>) -> Run {
    refuse_help(process)?;
    Ok(0)
}

/// Failure.
pub(super) fn fail(process: &mut Process<'_, '_>) -> Run {
    refuse_help(process)?;
    Ok(1)
}

/// All arguments are ignored, but for one that stands alone.
fn refuse_help(process: &Process<'_, '_>) -> Result<(), Stop> {
    match process.arguments() {
        [word] if word == "--help" || word == "--version" => {
            Err(process.refuse(Reason::Option(word.to_string())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn they_do_what_they_are_called() {
        check(
            &Image::new(),
            None,
            &[
                (&["true"], "", ""),
                (&["false"], "", "=1"),
                (&["true", "x"], "", ""),
                (&["false", "--x"], "", "=1"),
            ],
        );
    }
}
