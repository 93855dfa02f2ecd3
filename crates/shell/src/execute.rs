//! From a command's words to the program that they name, and its run.
//!
//! A name counts only if the image has a file of that name in its `PATH`, as for the real thing. A
//! built-in program stands for a file in one of the system's directories that a layer below
//! brought; what was put elsewhere, or written just now, is somebody's own program. Of those, shell
//! scripts are evaluated, and all else is refused.

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};
use oci::ImagePath;

use crate::data::{Data, Origin};
use crate::descriptor::Descriptors;
use crate::evaluate;
use crate::files::{EXECUTE, Errno, FileError, Files, Identity, Last, Stat};
use crate::machine::Machine;
use crate::process::{Process, Run};
use crate::programs::{self, Flavour};
use crate::stop::{Reason, Stop};

/// Where a shell looks if `PATH` is not set (dash's and bash's own default).
const DEFAULT_PATH: &[u8] = b"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Where distributions put their programs, and one that scripts call by its path.
const SYSTEM_DIRECTORIES: [&str; 5] = ["bin", "sbin", "usr/bin", "usr/sbin", "usr/share/debconf"];
/// A script is not larger; the bytes of larger files are not asked for.
const LARGEST_SCRIPT: u64 = 1 << 20;

/// A program to run, and with what.
#[derive(Debug, Clone)]
pub struct Call {
    /// The command and its arguments.
    pub words: Vec<BString>,
    /// The exported variables.
    pub environment: BTreeMap<BString, BString>,
    /// The working directory.
    pub directory: ImagePath,
    /// The file mode creation mask.
    pub umask: u32,
    /// Open files.
    pub descriptors: Descriptors,
}

/// What a command's name leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Lookup {
    /// A file that may be executed.
    Found {
        /// How it was found, as the shell would say it: `/usr/bin/cp`.
        named: BString,
        /// The path without links.
        path: ImagePath,
        /// What it is.
        stat: Stat,
    },
    /// Nothing: exit status 127.
    Missing,
    /// Something, and it may not be executed: exit status 126.
    NotExecutable(Errno),
}

/// Finds a command's file, as execvp(3) does.
pub fn look_up(
    files: &Files,
    directory: &ImagePath,
    path: Option<&[u8]>,
    name: &[u8],
) -> Result<Lookup, Stop> {
    if name.contains(&b'/') {
        return candidate(files, directory, name);
    }
    if name.is_empty() {
        return Ok(Lookup::Missing);
    }
    let mut worst = Lookup::Missing;
    for place in path.unwrap_or(DEFAULT_PATH).split(|byte| *byte == b':') {
        let place = if place.is_empty() { b"." } else { place };
        match candidate(files, directory, &[place, b"/", name].concat())? {
            found @ Lookup::Found { .. } => return Ok(found),
            Lookup::Missing => {}
            denied => worst = denied,
        }
    }
    Ok(worst)
}

fn candidate(files: &Files, directory: &ImagePath, name: &[u8]) -> Result<Lookup, Stop> {
    match files.find(directory, name, Last::Followed) {
        Ok((_, stat)) if stat.is_directory() || !files.may(&stat, EXECUTE) => {
            Ok(Lookup::NotExecutable(Errno::PermissionDenied))
        }
        Ok((path, stat)) => Ok(Lookup::Found { named: name.into(), path, stat }),
        Err(FileError::Errno(Errno::PermissionDenied)) => {
            Ok(Lookup::NotExecutable(Errno::PermissionDenied))
        }
        Err(FileError::Errno(_)) => Ok(Lookup::Missing),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

/// Runs a program, and gives its exit status: 127 if there is none of that name, 126 if it may not
/// be executed. Whoever calls says so in their own words.
pub fn execute(machine: &mut Machine<'_>, call: Call) -> Run {
    let path = call.environment.get(&BString::from("PATH")).map(|path| path.as_bytes());
    let name = call.words.first().map(|word| word.as_bytes()).unwrap_or_default();
    match look_up(&machine.files, &call.directory, path, name)? {
        Lookup::Found { named, path, stat } => execute_found(machine, call, &named, path, &stat),
        Lookup::Missing => Ok(127),
        Lookup::NotExecutable(_) => Ok(126),
    }
}

/// Runs the program that was found.
pub fn execute_found(
    machine: &mut Machine<'_>,
    call: Call,
    named: &[u8],
    program: ImagePath,
    stat: &Stat,
) -> Run {
    machine.budget.step()?;
    machine.budget.enter()?;
    let status = dispatch(machine, call, named, program, stat);
    machine.budget.leave();
    status
}

fn dispatch(
    machine: &mut Machine<'_>,
    call: Call,
    named: &[u8],
    program: ImagePath,
    stat: &Stat,
) -> Run {
    let Call { words, environment, directory, umask, descriptors } = call;
    let flavour = match program.file_name() {
        Some(b"busybox") => Flavour::BusyBox,
        _ => Flavour::Gnu,
    };
    let outside = machine.outside;
    let is_system = is_system_program(&machine.files, &directory, named, stat)?;
    let mut process = Process {
        words,
        environment,
        directory,
        umask,
        descriptors,
        program,
        is_system,
        flavour,
        speaker: None,
        machine,
    };
    let name = named.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    if is_system && let Some(program) = programs::find(name) {
        return program(&mut process);
    }
    if let Some(status) = outside.program(&mut process) {
        return status;
    }
    run_script(&mut process, named, stat)
}

/// Whether a file is of the system's own programs: in one of their directories, whatever links led
/// there, and of a layer below or a package, not written by the command line itself.
fn is_system_program(
    files: &Files,
    directory: &ImagePath,
    named: &[u8],
    stat: &Stat,
) -> Result<bool, Stop> {
    let is_packaged = matches!(stat.data(), Some(Data::Stored(stored))
        if matches!(*stored.origin, Origin::Package { .. }));
    if matches!(stat.identity, Identity::Upper(_)) && !is_packaged {
        return Ok(false);
    }
    match files.find(directory, named, Last::Kept) {
        Ok((path, _)) => Ok(path.parent().is_some_and(|above| {
            SYSTEM_DIRECTORIES.iter().any(|known| known.as_bytes() == above.as_bytes())
        })),
        Err(FileError::Errno(_)) => Ok(false),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

/// Evaluates a script by the shell that its first line names (execve(2), "Interpreter scripts").
fn run_script(process: &mut Process<'_, '_>, named: &[u8], stat: &Stat) -> Run {
    let written = process.words.first().map(ToString::to_string).unwrap_or_default();
    let refused = || Err(Stop::refuse(written.clone(), Reason::Program));
    let Some(data) = stat.data().filter(|data| data.size() <= LARGEST_SCRIPT) else {
        return refused();
    };
    let data = data.clone();
    let text = process.bytes(&data)?;
    let Some(first) = text.strip_prefix(b"#!") else { return refused() };
    let line = first.lines().next().unwrap_or_default().trim();
    let (interpreter, argument) = match line.split_once_str(" ") {
        Some((interpreter, argument)) => (interpreter, Some(argument.trim())),
        None => (line, None),
    };
    if process.words.len() > 100_000 || interpreter.is_empty() {
        return refused();
    }
    let mut words = vec![BString::from(interpreter)];
    words.extend(argument.filter(|argument| !argument.is_empty()).map(BString::from));
    words.push(named.into());
    words.extend(process.arguments().iter().cloned());
    let name = interpreter.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    // `env` is a program like others; anything else but a shell is not run.
    match name == b"env" || evaluate::is_shell(name) {
        true => process.spawn(words),
        false => refused(),
    }
}
