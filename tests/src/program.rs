//! Running programs, with errors that say what was run and what it answered.

use std::ffi::OsStr;
use std::fmt;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output, Stdio};

use crate::record::recorded;

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
    let output = command.output().map_err(failed_to_run(command))?;
    Ok(recorded(&called(command), output))
}

/// Runs a command on this input and gives what it wrote, whether it succeeded or not.
pub fn output_on(input: &[u8], command: &mut Command) -> Result<Output> {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(failed_to_run(command))?;
    // Who reads no input may be gone before it is written.
    let _ = child.stdin.take().map(|mut stdin| stdin.write_all(input));
    let output = child.wait_with_output().map_err(failed_to_run(command))?;
    Ok(recorded(&called(command), output))
}

/// Runs a command that must succeed on this input, and gives the bytes that it wrote to stdout.
pub(crate) fn answer(command: &mut Command, input: &[u8]) -> Result<Vec<u8>> {
    let output = output_on(input, command)?;
    successful(command, output).map(|output| output.stdout)
}

fn failed_to_run(command: &Command) -> impl FnOnce(std::io::Error) -> Failure {
    let shown = shown(command);
    move |error| Failure(format!("failed to run {shown}: {error}"))
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
    successful(command, output)
}

fn successful(command: &Command, output: Output) -> Result<Output> {
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

/// The program and the first of its arguments, which is all that may be told where nothing failed.
pub(crate) fn called(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or_default();
    let first = command.get_args().next().unwrap_or_default();
    format!("{} {}", name.to_string_lossy(), first.to_string_lossy())
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
