//! pip inside of a line: what it installs and removes, it does to the files as they are at that
//! moment, with the same questions and answers as for `[python]`.
//!
//! It is known by its script, or by the Python that runs it as a module. Each command is a
//! function over a process, like the shell's own programs; what it does not understand is refused.

mod asked;
mod cache;
mod called;
mod check;
mod configuration;
mod configure;
mod environment;
mod gather;
mod ini;
mod install;
mod interpreter;
mod layout;
mod listing;
mod options;
mod place;
mod scene;
mod uninstall;
mod uv;

use std::collections::HashMap;
use std::sync::Arc;

use layer::{Attributes, Packing};
use oci::ImagePath;
use python::Package;
use shell::files::{FileError, FileResult};
use shell::{Missing, Process, Reason, Stop as ShellStop};

use super::outside::RunOutside;
use crate::error::{Step, Stop};
use crate::facts::InstalledWheel;
use crate::outcome::{Source, Stream};
use crate::run::installed::{Installed, InstalledFile, InstalledNode};
use crate::wheels;
use asked::Asked;
use called::{Called, CalledBy};
use configuration::Configuration;
use gather::Ended;
use interpreter::Python;
use options::{Command, Options};
use scene::Scene;

/// A package that a line installed.
#[derive(Debug, Clone)]
pub(crate) struct Install {
    package: Package,
    wheel: Arc<InstalledWheel>,
    files: Vec<PlacedFile>,
}

/// A file of it, as it was put there.
#[derive(Debug, Clone)]
struct PlacedFile {
    /// Which of the files that the wheel becomes.
    at: usize,
    /// Where it is, without links.
    path: ImagePath,
    attributes: Attributes,
}

impl Install {
    /// What it is for whoever lays it.
    pub(super) fn installed(&self, packing: Packing) -> Installed<'_> {
        let Install { package, wheel, files } = self;
        let of_wheel = &wheel.installation.files;
        let files = files.iter().map(|file| {
            let installed = &of_wheel[file.at];
            let stream = match wheels::source(wheel, installed) {
                Source::Wheel(member) if wheels::is_kept(&member, packing) => {
                    Some(Stream::Wheel(member))
                }
                _ => None,
            };
            let node = InstalledNode::File { content: installed.content, stream };
            InstalledFile { path: &file.path, attributes: file.attributes.clone(), node }
        });
        Installed {
            name: &package.name,
            pin: format!("{}=={}", package.name, package.version),
            size: of_wheel.iter().fold(0, |sum, file| sum.saturating_add(file.content.size)),
            files: files.collect(),
            directories: HashMap::new(),
        }
    }
}

/// Runs pip, if that is what the process is; its exit status.
pub(crate) fn program(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
) -> Option<Result<u8, ShellStop>> {
    let called = Called::of(process)?;
    if let Err(stop) = charge(process) {
        return Some(Err(stop));
    }
    let done = called.map_err(Ended::from).and_then(|called| match called {
        Called::Pip { python, by, arguments } => pip(run, process, &python, by, &arguments),
        Called::Environment { python, arguments } => {
            environment::create(run, process, &python, &arguments)
        }
        Called::Uv { arguments } => uv::uv(run, process, &arguments),
    });
    Some(match done {
        Ok(status) | Err(Ended::Status(status)) => Ok(status),
        Err(Ended::Stop(stop)) => Err(stop),
    })
}

/// So many other commands does one of these cost: it looks at all files.
const COST: usize = 10_000;

fn charge(process: &mut Process<'_, '_>) -> Result<(), ShellStop> {
    (0..COST).try_for_each(|_| process.machine.budget.step())
}

fn pip(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    executable: &str,
    by: CalledBy,
    arguments: &[String],
) -> Result<u8, Ended> {
    let Some(name) = options::command_name(arguments)? else {
        return Err(misused("pip", "is given no command".to_owned()).into());
    };
    let command = Command::parse(&name);
    if command.is_none() && name != "--version" {
        let name = format!("pip {name}");
        return Err(ShellStop::refuse(name, Reason::Program).into());
    }
    let scene = Scene::of(run, &process.machine.files)?;
    let python = Python::find(run, process, &scene, executable)?;
    let Some(own) = python.distribution("pip") else {
        let line = match by {
            CalledBy::Module => format!("{executable}: No module named pip\n"),
            CalledBy::Script => "ModuleNotFoundError: No module named 'pip'\n".to_owned(),
        };
        process.write_to(2, line.as_bytes())?;
        return Ok(1);
    };
    let Some(command) = command else { return listing::version(process, &python) };
    let mut configuration = Configuration::read(process, &python.prefix)?;
    if arguments.iter().any(|argument| argument == "--isolated") {
        configuration.isolate();
    }
    let options = Options::read(command, arguments, &configuration.of(command))?;
    if let Some(option) = options.newer_than(&own.version) {
        process.write_to(2, format!("no such option: {option}\n").as_bytes())?;
        return Ok(USAGE_ERROR);
    }
    if options.has("--require-virtualenv") && !python.is_environment {
        Said(process).error("Could not find an activated virtualenv (required).");
        return Ok(VIRTUALENV_NOT_FOUND);
    }
    match command {
        Command::Cache => cache::cache(process, &options),
        Command::Check => check::check(run, process, &python),
        Command::Config => configure::configure(process, &configuration, &options),
        Command::Freeze => listing::freeze(process, &python, &options),
        Command::Install => install::install(run, process, &scene, &python, &Asked::of(&options)?),
        Command::List => listing::list(process, &python, &options),
        Command::Show => listing::show(process, &python, &options),
        Command::Uninstall => uninstall::uninstall(run, process, &scene, &python, &options),
    }
}

/// pip's exit status for options that it does not know (`optparse`).
const USAGE_ERROR: u8 = 2;
/// pip's exit status for `--require-virtualenv` (`status_codes.py`).
const VIRTUALENV_NOT_FOUND: u8 = 3;

/// What pip says of its own failing.
struct Said<'p, 'm, 'o: 'm>(&'p mut Process<'m, 'o>);

impl Said<'_, '_, '_> {
    /// Says what is wrong, and ends with exit status 1.
    fn error(self, message: &str) -> Ended {
        let line = format!("ERROR: {message}\n");
        match self.0.write_to(2, line.as_bytes()) {
            Ok(()) => Ended::Status(1),
            Err(stop) => Ended::Stop(stop),
        }
    }
}

/// This use of a program is not understood, for a reason that fits behind its name.
fn misused(command: &str, reason: String) -> ShellStop {
    ShellStop::refuse(command, Reason::Use(reason))
}

/// What a file operation came to that does not fail unless something is odd.
fn settled<T>(result: FileResult<T>, command: &str) -> Result<T, ShellStop> {
    result.map_err(|error| match error {
        FileError::Stop(stop) => stop,
        FileError::Errno(errno) => {
            misused(command, format!("fails half-way, which is not built in: {errno}"))
        }
    })
}

/// What planning came to: an error of the recipe's is noted for whoever evaluates.
fn stopped<T>(run: &RunOutside<'_, '_, '_>, step: Step<T>) -> Result<T, ShellStop> {
    step.map_err(|stop| {
        if let Stop::Error(_) = &stop {
            run.note_error(stop);
        }
        ShellStop::Missing(Missing::Told)
    })
}
