//! A command line over a virtual root file system: evaluated, never executed.
//!
//! [`run`] takes a command, as a `RUN` instruction has it, and the [`Files`] of an image. It comes
//! to an [`Outcome`]: an exit status, what was said, and files that have changed. Or it stops
//! ([`Stop`]): because a fact is missing (evaluation begins anew once the caller has it), because
//! something is not understood (nothing is guessed), or because a bound was reached.
//!
//! - [`evaluate`] is the language, [`programs`] are the commands that are built in, each a function
//!   over a [`Process`]; [`options`] reads their options.
//! - [`files`] is the file system: layers below, changes above. [`data`] are bytes that are at
//!   hand, or named by digest and left where they are.
//! - [`execute`] goes from a name to a program.
//!
//! This crate is pure. It reads no file of this machine, no clock, no environment; what looks like
//! time or chance is the same each time. What is outside is asked for by [`Outside`].

pub mod data;
pub mod descriptor;
pub mod evaluate;
pub mod execute;
pub mod files;
#[cfg(test)]
pub(crate) mod fixture;
pub mod limits;
pub mod machine;
pub mod options;
pub mod outside;
pub mod process;
pub mod programs;
pub(crate) mod regular_expression;
pub mod stop;
pub mod wildcard;

use std::collections::BTreeMap;

use bstr::BString;
use oci::{ImagePath, Platform};

pub use data::{Data, Origin, Stored};
pub use descriptor::Channel;
pub use evaluate::{WrittenCommand, WrittenWord, simple_commands};
pub use files::{Changed, ChangedNode, Files, User};
pub use limits::Limits;
pub use machine::{Event, Fetch, Transcript};
pub use outside::{Fetched, Outside};
pub use process::Process;
pub use stop::{Limit, Missing, Reason, Refusal, Stop};

use descriptor::Descriptors;
use execute::{Call, Lookup};
use limits::Budget;
use machine::Machine;

/// A command to evaluate, as a container's runtime would start it.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program and its arguments: `["/bin/sh", "-c", "…"]` for a line in shell form.
    pub words: Vec<BString>,
    /// The environment.
    pub environment: BTreeMap<BString, BString>,
    /// The working directory, which has to be there.
    pub directory: ImagePath,
    /// What the image runs on.
    pub platform: Platform,
}

/// What a command came to.
#[derive(Debug)]
pub struct Outcome {
    /// The exit status; 127 and 126 as a shell has them.
    pub status: u8,
    /// What it said.
    pub transcript: Transcript,
    /// What was done, command by command.
    pub trace: Vec<Event>,
    /// The file system as it is now.
    pub files: Files,
    /// What was fetched.
    pub fetches: Vec<Fetch>,
    /// Archives whose members are in the file system.
    pub archives: Vec<Stored>,
}

/// A new process's mask, as runtimes have it.
const UMASK: u32 = 0o022;

/// Evaluates a command.
///
/// # Errors
/// [`Stop`], which is no answer of the command's.
pub fn run(
    command: Command,
    files: Files,
    outside: &dyn Outside,
    limits: Limits,
) -> Result<Outcome, Stop> {
    let (status, outcome) = attempt(command, files, outside, limits);
    status.map(|_| outcome)
}

/// Evaluates a command, and gives also what it came to before it stopped.
pub fn attempt(
    command: Command,
    files: Files,
    outside: &dyn Outside,
    limits: Limits,
) -> (Result<u8, Stop>, Outcome) {
    let platform = command.platform.clone();
    let mut machine = Machine::new(files, outside, Budget::new(limits), platform);
    let ended = start(&mut machine, command);
    end(machine, ended)
}

/// Runs a program of the caller's as if a file of the image stood for it, and gives what it came to,
/// also if it stopped. The first of the command's words is what it is called.
pub fn attempt_program(
    command: Command,
    files: Files,
    outside: &dyn Outside,
    limits: Limits,
    program: impl FnOnce(&mut Process<'_, '_>) -> process::Run,
) -> (Result<u8, Stop>, Outcome) {
    let Command { words, environment, directory, platform } = command;
    let mut machine = Machine::new(files, outside, Budget::new(limits), platform);
    let ended = program(&mut Process {
        words,
        environment,
        directory,
        umask: UMASK,
        descriptors: Descriptors::to_transcript(),
        program: ImagePath::root(),
        is_system: true,
        flavour: programs::Flavour::Gnu,
        speaker: None,
        machine: &mut machine,
    });
    end(machine, ended)
}

fn end(machine: Machine<'_>, ended: Result<u8, Stop>) -> (Result<u8, Stop>, Outcome) {
    let status = *ended.as_ref().unwrap_or(&0);
    let Machine { transcript, trace, files, fetches, archives, .. } = machine;
    (ended, Outcome { status, transcript, trace, files, fetches, archives })
}

fn start(machine: &mut Machine<'_>, command: Command) -> Result<u8, Stop> {
    let Command { words, environment, directory, .. } = command;
    let name = words.first().cloned().unwrap_or_default();
    let descriptors = Descriptors::to_transcript();
    let path = environment.get(&BString::from("PATH")).cloned();
    let path = path.as_ref().map(|path| &path[..]);
    let found = execute::look_up(&machine.files, &directory, path, &name)?;
    let call = Call { words, environment, directory, umask: UMASK, descriptors };
    match found {
        Lookup::Found { named, path, stat } => {
            execute::execute_found(machine, call, &named, path, &stat)
        }
        // What runtimes say if there is no such program.
        Lookup::Missing => {
            let line = format!("exec: \"{name}\": executable file not found in $PATH\n");
            machine.transcript.write(Channel::Errors, line.as_bytes());
            Ok(127)
        }
        Lookup::NotExecutable(errno) => {
            let line = format!("exec: \"{name}\": {}\n", errno.to_string().to_lowercase());
            machine.transcript.write(Channel::Errors, line.as_bytes());
            Ok(126)
        }
    }
}
