//! How a shell is started: `sh -c TEXT`, `bash SCRIPT`, and what it begins with.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::builtins::Switch;
use super::dialect::{Dialect, is_name};
use super::shell::{Eval, Evaluator, Flow, Posix, Shell};
use super::syntax::{Parser, SyntaxError};
use crate::data::Data;
use crate::descriptor::{Closed, input};
use crate::files::Last;
use crate::process::{Process, Run, errno};
use crate::stop::{Limit, Reason, Stop};

/// Where the commands come from.
enum Source {
    Argument(BString),
    File(BString),
    Input,
}

/// What the options ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    /// A file's commands, or the input's if none is named.
    Script,
    /// `-c`
    Command,
    /// `-s`
    Input,
}

impl Wanted {
    fn or_input(self) -> Self {
        if self == Wanted::Command { self } else { Wanted::Input }
    }
}

/// How many levels of depth a shell inside of a shell is, by the stack that it takes.
const LEVELS: usize = 6;

/// A shell as a program.
pub(super) fn shell(process: &mut Process<'_, '_>) -> Run {
    (0..LEVELS).try_for_each(|_| process.machine.budget.enter())?;
    let result = run(process);
    (0..LEVELS).for_each(|_| process.machine.budget.leave());
    result
}

fn run(process: &mut Process<'_, '_>) -> Run {
    let Some(dialect) = Dialect::of_program(process.program.file_name()) else {
        return Err(process.refuse(Reason::Program));
    };
    let words = process.words.clone();
    let mut shell = Shell::new(dialect, process.directory.clone(), process.descriptors.clone());
    shell.umask = process.umask;
    shell.name = words.first().cloned().unwrap_or_default();
    if dialect.is_bash() && process.name() == "sh" {
        shell.posix = Posix::Yes;
    }
    let environment = std::mem::take(&mut process.environment);
    let mut evaluator = Evaluator { machine: &mut *process.machine, shell };
    let result = evaluator
        .begin(environment)
        .and_then(|()| evaluator.read_arguments(&words))
        .and_then(|source| evaluator.run_source(source));
    match evaluator.finish(result) {
        Ok(status) => Ok(status),
        Err(Flow::Stop(stop)) => Err(stop),
        Err(_) => Ok(evaluator.shell.status),
    }
}

impl Evaluator<'_, '_> {
    /// The variables that a shell begins with.
    fn begin(&mut self, environment: std::collections::BTreeMap<BString, BString>) -> Eval<()> {
        let written = environment.get(bstr::BStr::new("PWD")).cloned();
        for (name, value) in environment {
            if !is_name(&name) {
                continue;
            }
            let variable = self.shell.variables.entry(&name);
            variable.value = Some(super::variables::Value::Scalar(value));
            variable.is_exported = true;
        }
        self.keep_logical_directory(written)?;
        let directory = self.shell.shown_directory();
        let variables = &mut self.shell.variables;
        variables.set(b"PWD", directory);
        variables.entry(b"PWD").is_exported = true;
        variables.set(b"IFS", " \t\n");
        variables.entry(b"IFS").is_exported = false;
        variables.set(b"OPTIND", "1");
        for (name, value) in [("PS4", "+ ")] {
            if !variables.is_set(name.as_bytes()) {
                variables.set(name.as_bytes(), value);
            }
        }
        if !variables.is_set(b"PATH") {
            variables.set(b"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        }
        if self.shell.dialect.is_bash() {
            let level =
                variables.value(b"SHLVL").and_then(|level| level.to_str().ok()?.parse().ok());
            let level: i64 = level.unwrap_or(0);
            variables.set(b"SHLVL", (level + 1).to_string());
            variables.entry(b"SHLVL").is_exported = true;
        }
        Ok(())
    }

    /// `PWD` of the environment counts if it names the working directory (POSIX XCU sh).
    fn keep_logical_directory(&mut self, written: Option<BString>) -> Eval<()> {
        let Some(written) = written.filter(|written| written.starts_with(b"/")) else {
            return Ok(());
        };
        let has_dots = written.split_str("/").any(|name| name == b"." || name == b"..");
        let found = self.machine.files.find(&self.shell.directory, &written, Last::Followed);
        if !has_dots && errno(found)?.is_ok_and(|(path, _)| path == self.shell.directory) {
            self.shell.logical = oci::ImagePath::lexical(written.as_bytes()).as_bytes().into();
        }
        Ok(())
    }

    /// Reads the options and sets the parameters; where the commands are.
    fn read_arguments(&mut self, words: &[BString]) -> Eval<Source> {
        let mut operands = words.get(1..).unwrap_or_default();
        let mut wanted = Wanted::Script;
        while let Some(word) = operands.first().filter(|word| word.len() > 1) {
            let switch = match word.first() {
                Some(b'-') => Switch::On,
                Some(b'+') => Switch::Off,
                _ => break,
            };
            operands = &operands[1..];
            if word == "--" {
                break;
            }
            if word.starts_with(b"--") {
                self.long_option(word)?;
                continue;
            }
            for letter in word[1..].iter().copied() {
                match letter {
                    b'c' if switch == Switch::On => wanted = Wanted::Command,
                    b's' if switch == Switch::On => wanted = wanted.or_input(),
                    b'o' => {
                        let Some((name, rest)) = operands.split_first() else {
                            return self.refuse("sh -o", "no name of an option");
                        };
                        operands = rest;
                        self.option_at_start(name, switch)?;
                    }
                    b'i' | b'l' | b'O' | b'n' | b'v' => {
                        return self
                            .refuse(self.shell.name.to_string(), format!("the option `{word}`"));
                    }
                    letter => self.switch_letter(letter, switch)?,
                }
            }
        }
        if operands.first().is_some_and(|word| word == "-") && wanted != Wanted::Command {
            operands = &operands[1..];
        }
        self.source(wanted, operands)
    }

    fn long_option(&mut self, word: &BString) -> Eval<()> {
        match word.as_bytes() {
            b"--norc" | b"--noprofile" if self.shell.dialect.is_bash() => Ok(()),
            b"--posix" if self.shell.dialect.is_bash() => {
                self.shell.posix = Posix::Yes;
                Ok(())
            }
            _ => self.refuse(self.shell.name.to_string(), format!("the option `{word}`")),
        }
    }

    fn option_at_start(&mut self, name: &BString, switch: Switch) -> Eval<()> {
        if self.shell.dialect == Dialect::Dash && name == "pipefail" {
            let line = format!("{}: 0: Illegal option -o {name}\n", self.shell.name);
            self.write(2, line.as_bytes())?;
            return Err(Flow::Exit(2));
        }
        self.switch_long(name, switch)?;
        Ok(())
    }

    fn source(&mut self, wanted: Wanted, operands: &[BString]) -> Eval<Source> {
        if wanted == Wanted::Command {
            let Some((text, rest)) = operands.split_first() else {
                let message = match self.shell.dialect.is_bash() {
                    true => format!("{}: -c: option requires an argument\n", self.shell.name),
                    false => format!("{}: 0: -c requires an argument\n", self.shell.name),
                };
                self.write(2, message.as_bytes())?;
                return Err(Flow::Exit(2));
            };
            if let Some((name, positional)) = rest.split_first() {
                self.shell.name = name.clone();
                self.shell.positional = Rc::new(positional.iter().cloned().collect());
            }
            self.shell.options.is_command = true;
            return Ok(Source::Argument(text.clone()));
        }
        match operands.split_first() {
            Some((name, positional)) if wanted == Wanted::Script => {
                self.shell.positional = Rc::new(positional.iter().cloned().collect());
                Ok(Source::File(name.clone()))
            }
            _ => {
                self.shell.positional = Rc::new(operands.iter().cloned().collect());
                self.shell.options.reads_input = true;
                Ok(Source::Input)
            }
        }
    }

    fn run_source(&mut self, source: Source) -> Eval<u8> {
        match source {
            Source::Argument(text) => self.run_text(&text),
            Source::File(name) => match self.script(&name)? {
                Some(text) => {
                    self.shell.name = name;
                    self.run_text(&text)
                }
                None => Err(Flow::Exit(if self.shell.dialect.is_bash() { 127 } else { 2 })),
            },
            Source::Input => self.run_input(),
        }
    }

    /// All that is left to be read from a descriptor.
    pub(super) fn rest_of(&mut self, number: u32) -> Eval<BString> {
        let Some(handle) = self.shell.descriptors.get(number).cloned() else {
            return self.refuse(format!("/dev/fd/{number}"), "a descriptor that is not open");
        };
        match self.machine.read_rest(&handle) {
            Ok(data) => {
                let bytes = data.bytes(self.machine.outside, &mut self.machine.budget)?;
                Ok(BString::from(&bytes[..]))
            }
            Err(Closed::Errno(_)) => {
                self.refuse(format!("/dev/fd/{number}"), "an output that is read")
            }
            Err(Closed::Stop(stop)) => Err(stop.into()),
        }
    }

    fn script(&mut self, name: &BString) -> Eval<Option<BString>> {
        if let Some(number) = crate::process::descriptor_of(name) {
            return self.rest_of(number).map(Some);
        }
        let files = &self.machine.files;
        let found = files.find(&self.shell.directory, name, Last::Followed);
        let data = match errno(found)? {
            Ok((path, stat)) if stat.data().is_some() => errno(files.data(&path))?,
            Ok(_) => return self.refuse(name.to_string(), "a script that is no regular file"),
            Err(errno) => Err(errno),
        };
        match data {
            Ok(data) => {
                let bytes = data.bytes(self.machine.outside, &mut self.machine.budget)?;
                Ok(Some(BString::from(&bytes[..])))
            }
            Err(errno) => {
                let own = self.shell.name.clone();
                let line = match self.shell.dialect.is_bash() {
                    true => format!("{own}: {name}: {errno}\n"),
                    false => format!("{own}: 0: cannot open {name}: No such file\n"),
                };
                self.write(2, line.as_bytes())?;
                Ok(None)
            }
        }
    }

    /// Commands from the standard input. bash reads no further than the command that it runs, so
    /// that commands find the rest there; dash has it all in its buffer.
    fn run_input(&mut self) -> Eval<u8> {
        let Some(handle) = self.shell.descriptors.get(0).cloned() else { return Ok(0) };
        let mut line = 1;
        loop {
            let data = match self.machine.read_rest(&handle) {
                Ok(data) => data,
                Err(Closed::Errno(_)) => return Ok(self.shell.status),
                Err(Closed::Stop(stop)) => return Err(stop.into()),
            };
            let bytes = data.bytes(self.machine.outside, &mut self.machine.budget)?;
            let text = BString::from(&bytes[..]);
            if self.shell.dialect != Dialect::Bash {
                return self.run_text(&text);
            }
            let mut parser = self.parser(&text, line);
            let list = match parser.complete_command() {
                Ok(Some(list)) => list,
                Ok(None) => return Ok(self.shell.status),
                Err(error) => return Err(syntax_stop(error).into()),
            };
            line = parser.reached_line();
            let rest = input(Data::of(&text[parser.reached()..]));
            std::mem::swap(&mut *handle.borrow_mut(), &mut *rest.borrow_mut());
            self.run_line(&list, parser.last_line())?;
        }
    }

    fn parser<'t>(&self, text: &'t [u8], line: usize) -> Parser<'t> {
        let mut parser = Parser::new(text, line, self.shell.dialect);
        parser.has_extended_patterns = self.shell.shopt.extglob;
        parser
    }

    /// Runs the commands of a text, line by line.
    pub(super) fn run_text(&mut self, text: &BString) -> Eval<u8> {
        self.run_text_from(text, 1)
    }

    /// The same for a text whose first line has this number.
    pub(super) fn run_text_from(&mut self, text: &BString, line: usize) -> Eval<u8> {
        self.machine.budget.hold(text.len())?;
        let mut parser = self.parser(text, line);
        loop {
            parser.has_extended_patterns = self.shell.shopt.extglob;
            match parser.complete_command() {
                Ok(Some(list)) => self.run_line(&list, parser.last_line())?,
                Ok(None) => return Ok(self.shell.status),
                Err(error) => return Err(syntax_stop(error).into()),
            }
        }
    }

    /// Runs a complete command, the last token of which is at this line.
    fn run_line(&mut self, list: &super::syntax::tree::List, line: usize) -> Eval<()> {
        self.shell.line = line;
        match self.run_list(list) {
            // bash gives up the line, and goes on with the next.
            Err(Flow::Discard(status)) if self.shell.subshells == 0 => {
                self.shell.status = status;
                self.check_failure(status)
            }
            result => result.map(|_| ()),
        }
    }
}

fn syntax_stop(error: SyntaxError) -> Stop {
    let SyntaxError { cause, line, is_limit } = error;
    match is_limit {
        true => {
            let what = "the nesting of commands and expansions";
            Stop::Limit(Limit { what, most: Parser::deepest(), line: Some(line) })
        }
        false => Stop::refuse("the script", Reason::Language(cause)).at_line(line),
    }
}
