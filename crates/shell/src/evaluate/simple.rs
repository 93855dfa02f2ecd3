//! Simple commands: builtins, functions, programs (POSIX XCU 2.9.1).

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::builtins::{self, Builtin, Role};
use super::dialect::{Dialect, is_name};
use super::shell::{Eval, Evaluator, Flow};
use super::syntax::tree::{
    Argument, AssignMode, AssignedValue, Assignment, Command, Redirect, Simple,
};
use super::variables::Variable;
use crate::execute::{self, Call, Lookup};
use crate::files::Errno;

/// What a command's name means.
enum Meaning {
    Special(&'static Builtin),
    Function(Rc<Command>),
    Builtin(&'static Builtin),
    Program,
}

/// Variables as they were.
type Before = Vec<(BString, Option<Variable>)>;

impl Evaluator<'_, '_> {
    pub(super) fn run_simple(&mut self, simple: &Simple, redirects: &[Redirect]) -> Eval<u8> {
        let opened = self.shell.processes.len();
        let result = self.run_expanding(simple, redirects);
        while self.shell.processes.len() > opened
            && let Some(number) = self.shell.processes.pop()
        {
            self.shell.descriptors.close(number);
        }
        result
    }

    fn run_expanding(&mut self, simple: &Simple, redirects: &[Redirect]) -> Eval<u8> {
        self.shell.substituted = None;
        let words = self.arguments(&simple.words)?;
        let outer = self.shell.descriptors.clone();
        if words.is_empty() {
            return self.run_assignments(&simple.assignments, redirects);
        }
        if !self.shell.dialect.is_bash() && self.shell.aliases.contains_key(&words[0]) {
            return self.refuse(words[0].to_string(), "an alias");
        }
        let from = self.machine.files.journal().len();
        let meaning = self.meaning(&words[0]);
        let is_special = matches!(meaning, Meaning::Special(_));
        if !redirects.is_empty() && !self.redirect(redirects)? {
            self.shell.descriptors = outer;
            let role = if is_special { Role::Special } else { Role::Regular };
            return self.redirect_failed(role);
        }
        let result = self.run_words(meaning, &words, simple, from);
        let keeps = is_special && words[0] == "exec" && words.len() == 1;
        if !redirects.is_empty() && !keeps {
            self.shell.descriptors = outer;
        }
        let status = result?;
        self.shell.status = status;
        self.check_failure(status)?;
        Ok(status)
    }

    /// A command without a name: its assignments are the shell's.
    fn run_assignments(&mut self, assignments: &[Assignment], redirects: &[Redirect]) -> Eval<u8> {
        let outer = self.shell.descriptors.clone();
        if !redirects.is_empty() {
            let opened = self.redirect(redirects);
            self.shell.descriptors = outer;
            if !opened? {
                return self.redirect_failed(Role::Regular);
            }
        }
        let mut shown = Vec::new();
        for assignment in assignments {
            self.assign(assignment)?;
            if self.shell.options.xtrace {
                shown.push(self.shown_assignment(assignment)?);
            }
        }
        self.trace(&shown, &[])?;
        // With redirections, bash does not look at how substitutions ended.
        let substituted = self.shell.substituted.take();
        let is_seen = redirects.is_empty() || !self.shell.dialect.is_bash();
        let status = substituted.filter(|_| is_seen).unwrap_or(0);
        self.shell.status = status;
        self.check_failure(status)?;
        Ok(status)
    }

    fn shown_assignment(&mut self, assignment: &Assignment) -> Eval<BString> {
        let Assignment { name, subscript, mode, value } = assignment;
        let is_plain = subscript.is_none() && *mode == AssignMode::Replace;
        match (value, self.shell.variables.value(name)) {
            (AssignedValue::Scalar(_), Some(value)) if is_plain => {
                Ok([name.as_bytes(), b"=", value].concat().into())
            }
            _ => self.refuse("set -x", "what it shows of this assignment"),
        }
    }

    fn meaning(&self, name: &BString) -> Meaning {
        let builtin = builtins::find(name, self.shell.dialect);
        let function = self.shell.functions.get(name);
        match (builtin, function) {
            (Some(builtin), None) if builtin.is_special() => Meaning::Special(builtin),
            (Some(builtin), Some(_)) if builtin.is_special() && !self.shell.is_full_bash() => {
                Meaning::Special(builtin)
            }
            (_, Some(function)) => Meaning::Function(Rc::clone(function)),
            (Some(builtin), None) => Meaning::Builtin(builtin),
            (None, None) => Meaning::Program,
        }
    }

    fn run_words(
        &mut self,
        meaning: Meaning,
        words: &[BString],
        simple: &Simple,
        from: usize,
    ) -> Eval<u8> {
        let assignments = &simple.assignments;
        let event = self.note_start(words, from);
        let keeps = match meaning {
            Meaning::Special(_) => !self.shell.is_full_bash(),
            _ => false,
        };
        let before = self.assign_for(assignments, &meaning)?;
        self.trace_words(assignments, words, simple)?;
        let result = match meaning {
            Meaning::Special(builtin) | Meaning::Builtin(builtin) => {
                self.run_declaring(builtin, words, &simple.words)
            }
            Meaning::Function(body) => self.call(&body, words),
            Meaning::Program => self.run_program(words),
        };
        if !keeps {
            for (name, variable) in before.into_iter().rev() {
                self.shell.variables.restore(&name, variable);
            }
        }
        match &result {
            Ok(status) | Err(Flow::Exit(status) | Flow::Return(status)) => {
                self.note_end(event, *status);
            }
            Err(_) => {}
        }
        result
    }

    fn trace_words(
        &mut self,
        assignments: &[Assignment],
        words: &[BString],
        simple: &Simple,
    ) -> Eval<()> {
        if !self.shell.options.xtrace {
            return Ok(());
        }
        let declares = simple.words.iter().any(|word| match word {
            Argument::Assignment(assignment) => {
                !matches!(assignment.value, AssignedValue::Scalar(_))
            }
            Argument::Word(_) => false,
        });
        if declares {
            return self.refuse("set -x", "what it shows of this declaration");
        }
        let mut shown = Vec::new();
        for assignment in assignments {
            shown.push(self.shown_assignment(assignment)?);
        }
        self.trace(&shown, words)?;
        // bash shows what these two assign once more.
        let shows = self.shell.dialect.is_bash()
            && words.first().is_some_and(|word| word == "export" || word == "readonly");
        for word in words.iter().skip(1).filter(|word| shows && is_assignment(word)) {
            self.trace(std::slice::from_ref(word), &[])?;
        }
        Ok(())
    }

    /// Assignments in front of a command, exported while it runs; what was there before.
    fn assign_for(&mut self, assignments: &[Assignment], meaning: &Meaning) -> Eval<Before> {
        let mut before = Vec::new();
        for assignment in assignments {
            let name = &assignment.name;
            before.push((name.clone(), self.shell.variables.get(name).cloned()));
            self.assign(assignment)?;
            let exports = match meaning {
                Meaning::Special(_) => self.shell.is_full_bash(),
                _ => true,
            };
            self.shell.variables.entry(name).is_exported |= exports;
        }
        Ok(before)
    }

    /// Runs a builtin; arrays among its arguments are filled once it has declared them.
    fn run_declaring(
        &mut self,
        builtin: &Builtin,
        words: &[BString],
        arguments: &[Argument],
    ) -> Eval<u8> {
        let arrays: Vec<&Assignment> = arguments
            .iter()
            .filter_map(|argument| match argument {
                Argument::Assignment(assignment) => Some(assignment),
                Argument::Word(_) => None,
            })
            .filter(|assignment| matches!(assignment.value, AssignedValue::Array(_)))
            .collect();
        let makes_readonly = builtin.name == "readonly"
            || words.iter().any(|word| word.starts_with(b"-") && word.contains(&b'r'));
        if !arrays.is_empty() && makes_readonly {
            return self.refuse(builtin.name, "an array that is read-only");
        }
        let status = (builtin.run)(self, words)?;
        for assignment in arrays {
            self.assign(assignment)?;
        }
        Ok(status)
    }

    /// Calls a function.
    fn call(&mut self, body: &Rc<Command>, words: &[BString]) -> Eval<u8> {
        let positional = Rc::new(words[1..].iter().cloned().collect());
        let outer = std::mem::replace(&mut self.shell.positional, positional);
        let loops = std::mem::take(&mut self.shell.loops);
        let line = self.shell.line;
        if self.shell.dialect.is_bash() {
            self.shell.line = body.line;
        }
        self.shell.functions_entered += 1;
        self.shell.variables.enter_function();
        let result = self.deeper(|evaluator| evaluator.run_command(body));
        self.shell.variables.leave_function();
        self.shell.functions_entered -= 1;
        self.shell.line = line;
        self.shell.loops = loops;
        self.shell.positional = outer;
        match result {
            Err(Flow::Return(status)) => Ok(status),
            Err(Flow::Break(_) | Flow::Continue(_)) => Ok(self.shell.status),
            result => result,
        }
    }

    /// Runs a program of the image's.
    pub(super) fn run_program(&mut self, words: &[BString]) -> Eval<u8> {
        let environment = self.shell.variables.environment();
        let path = self.shell.variables.value(b"PATH").cloned();
        let path = path.as_ref().map(|path| path.as_bytes());
        let name = &words[0];
        match execute::look_up(&self.machine.files, &self.shell.directory, path, name)? {
            Lookup::Found { named, path, stat } => {
                let call = Call {
                    words: words.to_vec(),
                    environment,
                    directory: self.shell.directory.clone(),
                    umask: self.shell.umask,
                    descriptors: self.shell.descriptors.clone(),
                };
                Ok(execute::execute_found(self.machine, call, &named, path, &stat)?)
            }
            Lookup::Missing => {
                self.not_found(name)?;
                Ok(127)
            }
            Lookup::NotExecutable(errno) => self.not_executable(name, errno),
        }
    }

    /// Says that there is no such command.
    fn not_found(&mut self, name: &BString) -> Eval<()> {
        let message = match self.shell.dialect {
            Dialect::Bash if name.contains(&b'/') => "No such file or directory",
            Dialect::Bash => "command not found",
            Dialect::Dash if name.is_empty() => "Permission denied",
            _ => "not found",
        };
        self.say([name.as_bytes(), b": ", message.as_bytes()].concat())
    }

    fn not_executable(&mut self, name: &BString, errno: Errno) -> Eval<u8> {
        let located =
            self.machine.files.find(&self.shell.directory, name, crate::files::Last::Followed);
        let is_directory = name.contains(&b'/')
            && crate::process::errno(located)?.is_ok_and(|(_, stat)| stat.is_directory());
        let message = match self.shell.dialect {
            Dialect::Bash if is_directory => Errno::IsADirectory.to_string(),
            _ => errno.to_string(),
        };
        self.say([name.as_bytes(), b": ", message.as_bytes()].concat())?;
        Ok(126)
    }
}

fn is_assignment(word: &BString) -> bool {
    word.split_once_str("=").is_some_and(|(name, _)| is_name(name))
}
