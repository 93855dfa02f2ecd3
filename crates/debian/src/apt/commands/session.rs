//! One run of a program of apt's: its process, what is configured, and what is asked.

use std::fmt::Display;

use layer::Attributes;
use shell::files::NewNode;
use shell::process::Run;
use shell::{Data, Process, Reason, Stop};

use super::options::{CommandLine, UnknownOption};
use super::states::ExtendedStates;
use crate::apt::archive::Archive;
use crate::apt::configuration::Configuration;
use crate::apt::lists;
use crate::apt::problem::{Failure, Problem};
use crate::apt::reading;
use crate::dpkg::database::Database;
use crate::outside::Outside;

/// The exit status of errors (apt-get(8), "DIAGNOSTICS").
pub(in crate::apt) const FAILED: u8 = 100;

/// A program's exit status, or why there is none.
pub(in crate::apt) type Done = Result<u8, Failure>;

/// One run of a program.
pub(in crate::apt) struct Session<'p, 'm, 'o: 'm> {
    pub(in crate::apt) process: &'p mut Process<'m, 'o>,
    pub(in crate::apt) outside: &'p dyn Outside,
    pub(in crate::apt) configuration: Configuration,
    /// What stands behind the command.
    pub(in crate::apt) operands: Vec<String>,
}

impl<'p, 'm, 'o: 'm> Session<'p, 'm, 'o> {
    /// Reads the command line and the configuration; the command is what is asked for.
    pub(in crate::apt) fn begin(
        process: &'p mut Process<'m, 'o>,
        outside: &'p dyn Outside,
        program: &str,
    ) -> Result<(Self, Option<String>), Failure> {
        let line = CommandLine::read(process.arguments())
            .map_err(|UnknownOption(option)| process.refuse(Reason::Option(option)))?;
        let mut operands = line.operands;
        let command = (!operands.is_empty()).then(|| operands.remove(0));
        let database = Database::read(process)?;
        let foreign = database.architectures.foreign.iter().map(|name| &**name);
        let architectures: Vec<&str> =
            std::iter::once(database.architectures.native).chain(foreign).collect();
        let configuration = Configuration::load(process, program, &architectures, &line.given)?;
        Ok((Session { process, outside, configuration, operands }, command))
    }

    /// The archives whose lists are there, for what is asked beside the command line.
    pub(in crate::apt) fn archives(&mut self, asked: &[String]) -> Result<Vec<Archive>, Failure> {
        lists::read_archives(self.process, self.outside, &self.configuration, asked)
    }

    /// Whether a setting is on.
    pub(in crate::apt) fn is_set(&self, name: &str) -> bool {
        self.configuration.switch(name).unwrap_or(false)
    }

    /// How little is said: `-q` and `-qq`.
    pub(in crate::apt) fn quiet(&self) -> i64 {
        self.configuration.number("quiet").unwrap_or(0)
    }

    /// A line of output.
    pub(in crate::apt) fn say(&mut self, line: impl Display) -> Result<(), Stop> {
        self.process.write(format!("{line}\n"))
    }

    /// A line of output, unless `-qq` asks for less.
    pub(in crate::apt) fn mention(&mut self, line: impl Display) -> Result<(), Stop> {
        if self.quiet() < 2 { self.say(line) } else { Ok(()) }
    }

    /// A line among the errors.
    pub(in crate::apt) fn complain(&mut self, line: impl Display) -> Result<(), Stop> {
        self.process.write_to(2, format!("{line}\n").as_bytes())
    }

    /// What apt warns of.
    pub(in crate::apt) fn warn(&mut self, warnings: &[String]) -> Result<(), Stop> {
        warnings.iter().try_for_each(|warning| self.complain(format!("W: {warning}")))
    }

    /// Writes which packages are automatically installed.
    pub(in crate::apt) fn write_states(&mut self, states: &ExtendedStates) -> Result<(), Failure> {
        let Some(path) = self.configuration.path("Dir::State::extended_states") else {
            return Ok(());
        };
        let files = &mut self.process.machine.files;
        let attributes = Attributes::root(0o644, files.clock());
        let written = Data::of(states.to_bytes());
        files
            .put_whole(&path, attributes, NewNode::File(written))
            .map_err(|error| Failure::of_file(&path, error))
    }

    /// Which packages are automatically installed.
    pub(in crate::apt) fn states(&mut self) -> Result<ExtendedStates, Failure> {
        let Some(path) = self.configuration.path("Dir::State::extended_states") else {
            return Ok(ExtendedStates::default());
        };
        let found = reading::read(self.process, std::slice::from_ref(&path))?.remove(0);
        let Some(bytes) = found else { return Ok(ExtendedStates::default()) };
        ExtendedStates::parse(&bytes)
            .map_err(|error| Problem::States { path: format!("/{path}"), error }.into())
    }
}

/// A program's end: what went wrong is said, and the status is apt's for it.
pub(in crate::apt) fn settle(process: &mut Process<'_, '_>, done: Done) -> Run {
    match done {
        Ok(status) => Ok(status),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Problem(problem)) => {
            process.write_to(2, format!("E: {problem}\n").as_bytes())?;
            if let Some(hint) = problem.hint() {
                process.write_to(2, format!("N: {hint}\n").as_bytes())?;
            }
            Ok(FAILED)
        }
    }
}
