//! What programs said while tests ran, kept in a file for whoever looks through it afterwards.
//!
//! `cargo xtask test` does: nothing that plywood prints, and nothing that it sends where a server
//! logs it, may hold a secret. Without `PLYWOOD_TEST_OUTPUT` nothing is kept.

use std::fs::File;
use std::io::Write;
use std::process::Output;

/// The variable that names the file; it is appended to by all processes of a test run.
pub const VARIABLE: &str = "PLYWOOD_TEST_OUTPUT";

/// How a line begins that says who wrote what follows, and in which test.
pub const HEADING: &str = "=== ";

/// Keeps what `who` wrote.
pub fn record(who: &str, text: &[u8]) {
    let Some(path) = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()) else { return };
    let thread = std::thread::current();
    let test = thread.name().unwrap_or("no test");
    // One write, so that tests that run at the same time do not mix their lines.
    let mut entry = format!("{HEADING}{test}: {who}\n").into_bytes();
    entry.extend(text);
    entry.push(b'\n');
    let file = File::options().create(true).append(true).open(&path);
    let written = file.and_then(|mut file| file.write_all(&entry));
    written.unwrap_or_else(|error| panic!("failed to append to {}: {error}", path.display()));
}

/// Keeps both streams of a program that has ended, and hands them on.
pub fn recorded(who: &str, output: Output) -> Output {
    record(who, &[output.stdout.as_slice(), b"\n", &output.stderr].concat());
    output
}
