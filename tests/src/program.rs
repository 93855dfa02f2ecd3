//! Running programs, with errors that say what was run and what it answered.

use std::ffi::OsStr;
use std::fmt;
use std::process::{Command, Output};

/// What went wrong, in words for the person who reads a test's output.
///
/// `Debug` prints the words as they are, because that is how a test's `Err` is shown.
pub struct Failure(String);

/// The outcome of everything here.
pub type Result<T = ()> = std::result::Result<T, Failure>;

impl Failure {
    /// A failure in these words.
    pub fn new(words: impl Into<String>) -> Self {
        Failure(words.into())
    }

    /// Turns any error into a failure that says what was being done.
    pub fn doing<E: fmt::Display>(what: impl fmt::Display) -> impl FnOnce(E) -> Failure {
        move |error| Failure(format!("failed to {what}: {error}"))
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A command whose messages are in English, whatever the machine speaks.
pub fn program(name: impl AsRef<OsStr>) -> Command {
    let mut command = Command::new(name);
    command.env("LC_ALL", "C.UTF-8");
    command
}

/// Runs a command and gives what it wrote, whether it succeeded or not.
pub fn output(command: &mut Command) -> Result<Output> {
    command.output().map_err(|error| Failure(format!("failed to run {}: {error}", shown(command))))
}

/// Runs a command that must succeed.
pub fn run(command: &mut Command) -> Result {
    succeed(command).map(drop)
}

/// Runs a command that must succeed and gives what it wrote to stdout.
pub fn stdout(command: &mut Command) -> Result<String> {
    succeed(command).map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn succeed(command: &mut Command) -> Result<Output> {
    let output = output(command)?;
    if output.status.success() {
        return Ok(output);
    }
    Err(Failure(format!(
        "{} answered {}\n{}{}",
        shown(command),
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    )))
}

/// The command line, near enough to be typed again.
fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_shows_command_and_answer() {
        let failure =
            run(program("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap_err();
        assert_eq!(
            failure.to_string(),
            "sh -c echo out; echo err >&2; exit 3 answered exit status: 3\nout\nerr\n"
        );
    }

    #[test]
    fn missing_program_is_named() {
        let failure = run(&mut program("no-such-program")).unwrap_err();
        assert!(failure.to_string().starts_with("failed to run no-such-program: "), "{failure}");
    }
}
