//! A shell's state, and how a part of the evaluation ends.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use bstr::{BStr, BString, ByteSlice};
use oci::ImagePath;

use super::dialect::Dialect;
use super::syntax::tree::Command;
use super::variables::Variables;
use crate::descriptor::{Closed, Descriptors};
use crate::files::Errno;
use crate::machine::Machine;
use crate::stop::{Reason, Stop};

/// How commands end other than by coming to their end.
#[derive(Debug)]
pub(super) enum Flow {
    /// The evaluation ends.
    Stop(Stop),
    /// The shell ends.
    Exit(u8),
    /// A function, or a file that is read by `.`, ends.
    Return(u8),
    /// So many loops end.
    Break(usize),
    /// So many loops but one end, and that one goes on.
    Continue(usize),
    /// bash gives up the line that it is at.
    Discard(u8),
}

impl From<Stop> for Flow {
    fn from(stop: Stop) -> Self {
        Flow::Stop(stop)
    }
}

/// What a part of the evaluation comes to.
pub(super) type Eval<T> = Result<T, Flow>;

/// A shell at work.
pub(super) struct Evaluator<'a, 'o> {
    pub(super) machine: &'a mut Machine<'o>,
    pub(super) shell: Shell,
}

/// All that a subshell has its own of.
#[derive(Debug, Clone)]
pub(super) struct Shell {
    pub(super) dialect: Dialect,
    /// Whether bash keeps to POSIX, as it does if it is called `sh`.
    pub(super) posix: Posix,
    /// `$0`
    pub(super) name: BString,
    pub(super) positional: Rc<VecDeque<BString>>,
    pub(super) variables: Variables,
    pub(super) functions: Rc<BTreeMap<BString, Rc<Command>>>,
    pub(super) aliases: Rc<BTreeMap<BString, BString>>,
    pub(super) options: Options,
    /// What `shopt` has set.
    pub(super) shopt: ShellOptions,
    /// What the working directory is.
    pub(super) directory: ImagePath,
    /// How it was come to, with links; without the slash in front.
    pub(super) logical: BString,
    pub(super) umask: u32,
    pub(super) descriptors: Descriptors,
    /// `$?`
    pub(super) status: u8,
    /// Actions of `trap`, by signal; an empty one ignores it.
    pub(super) traps: BTreeMap<String, BString>,
    pub(super) line: usize,
    /// How many conditions, as `set -e` means them, this is inside of.
    pub(super) tested: usize,
    pub(super) loops: usize,
    pub(super) functions_entered: usize,
    /// Files that are being read by `.`.
    pub(super) sources: usize,
    pub(super) subshells: usize,
    /// What is being read by `.`, or, in dash, by `eval`: messages begin with it.
    pub(super) reading: Option<BString>,
    /// Whether this is a command of a pipeline, and no `(…)` in it.
    pub(super) is_piped: bool,
    /// Descriptors that `<(…)` has opened for commands that are not over.
    pub(super) processes: Vec<u32>,
    /// `PIPESTATUS`
    pub(super) pipe_statuses: Vec<u8>,
    /// What `pushd` has put below the working directory, the next one last.
    pub(super) directories: Vec<BString>,
    /// Command substitutions, texts of `eval` and files of `.` that this is inside of, which bash
    /// shows.
    pub(super) substitutions: usize,
    /// The exit status of the last command substitution, for commands that are nothing else.
    pub(super) substituted: Option<u8>,
    /// How many letters of the word at `OPTIND` `getopts` has seen.
    pub(super) getopts_letter: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Posix {
    Yes,
    No,
}

/// What `set` has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Options {
    pub(super) allexport: bool,
    pub(super) errexit: bool,
    pub(super) noglob: bool,
    pub(super) noclobber: bool,
    pub(super) nounset: bool,
    pub(super) xtrace: bool,
    pub(super) pipefail: bool,
    /// Whether functions inherit the trap `ERR`, which there never is.
    pub(super) errtrace: bool,
    /// The same for `DEBUG` and `RETURN`.
    pub(super) functrace: bool,
    pub(super) reads_input: bool,
    pub(super) is_command: bool,
}

/// What bash's `shopt` has set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct ShellOptions {
    pub(super) dotglob: bool,
    pub(super) extglob: bool,
    pub(super) failglob: bool,
    pub(super) globstar: bool,
    pub(super) inherit_errexit: bool,
    pub(super) nocasematch: bool,
    pub(super) nullglob: bool,
}

impl Shell {
    /// Nothing done yet.
    pub(super) fn new(dialect: Dialect, directory: ImagePath, descriptors: Descriptors) -> Self {
        let logical = directory.as_bytes().into();
        Shell {
            dialect,
            posix: Posix::No,
            name: BString::default(),
            positional: Rc::default(),
            variables: Variables::default(),
            functions: Rc::default(),
            aliases: Rc::default(),
            options: Options::default(),
            shopt: ShellOptions::default(),
            directory,
            logical,
            umask: 0,
            descriptors,
            status: 0,
            traps: BTreeMap::new(),
            line: 1,
            tested: 0,
            loops: 0,
            functions_entered: 0,
            sources: 0,
            subshells: 0,
            reading: None,
            is_piped: false,
            processes: Vec::new(),
            pipe_statuses: Vec::new(),
            directories: Vec::new(),
            substitutions: 0,
            substituted: None,
            getopts_letter: 0,
        }
    }

    /// Whether the shell is bash, and not bash as `sh`.
    pub(super) fn is_full_bash(&self) -> bool {
        self.dialect.is_bash() && self.posix == Posix::No
    }

    /// The directory as `pwd` says it.
    pub(super) fn shown_directory(&self) -> BString {
        [b"/", self.logical.as_bytes()].concat().into()
    }
}

impl Evaluator<'_, '_> {
    /// Ends the evaluation: this is not understood.
    pub(super) fn refuse<T>(&self, what: impl Into<String>, why: impl Into<String>) -> Eval<T> {
        let stop = Stop::refuse(what, Reason::Language(why.into()));
        Err(Flow::Stop(stop.at_line(self.shell.line)))
    }

    /// Runs something one level deeper.
    pub(super) fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Eval<T>) -> Eval<T> {
        self.machine.budget.enter()?;
        let result = run(self);
        self.machine.budget.leave();
        result
    }

    /// Writes what the shell itself has to say about the line that it is at.
    pub(super) fn say(&mut self, message: impl AsRef<[u8]>) -> Eval<()> {
        match self.shell.reading.clone().filter(|_| !self.shell.dialect.is_bash()) {
            Some(reading) => self.say_of(reading.as_ref(), message),
            None => self.say_plainly(message),
        }
    }

    fn say_plainly(&mut self, message: impl AsRef<[u8]>) -> Eval<()> {
        let line = [self.speaker().as_bytes(), message.as_ref(), b"\n"].concat();
        self.write(2, &line)
    }

    /// What the shell's messages begin with.
    pub(super) fn speaker(&self) -> String {
        let name = match &self.shell.reading {
            Some(reading) if self.shell.dialect.is_bash() => reading.as_bstr(),
            // Where a function was read from, as bash calls an argument.
            _ if self.shell.dialect.is_bash()
                && self.shell.options.is_command
                && self.shell.functions_entered > 0 =>
            {
                "environment".into()
            }
            _ => self.shell.name.as_bstr(),
        };
        let line = self.shell.line;
        match self.shell.dialect {
            Dialect::Dash => format!("{name}: {line}: "),
            Dialect::Bash => format!("{name}: line {line}: "),
            Dialect::Ash if self.shell.options.is_command => format!("{name}: "),
            Dialect::Ash => format!("{name}: line {line}: "),
        }
    }

    /// The same for a builtin.
    pub(super) fn say_of(&mut self, builtin: &BStr, message: impl AsRef<[u8]>) -> Eval<()> {
        let message = [builtin.as_bytes(), b": ", message.as_ref()].concat();
        self.say_plainly(message)
    }

    /// Writes to a descriptor; what cannot be written of errors is lost.
    pub(super) fn write(&mut self, number: u32, bytes: &[u8]) -> Eval<()> {
        let written = match self.shell.descriptors.get(number).cloned() {
            Some(handle) => self.machine.write(&handle, bytes),
            None => Err(Closed::Errno(Errno::BadDescriptor)),
        };
        match written {
            Err(Closed::Stop(stop)) => Err(stop.into()),
            Err(Closed::Errno(errno)) if number == 1 && !bytes.is_empty() => {
                self.refuse(">&1", format!("writing what cannot be written: {errno}"))
            }
            Ok(()) | Err(Closed::Errno(_)) => Ok(()),
        }
    }

    /// The exit status of an error of the shell itself.
    pub(super) fn error_status(&self) -> u8 {
        if self.shell.dialect.is_bash() { 1 } else { 2 }
    }

    /// Ends the shell after an error in an expansion or a special builtin (POSIX XCU 2.8.1), or, as
    /// bash does, the line.
    pub(super) fn fatal<T>(&mut self) -> Eval<T> {
        let status = self.error_status();
        match self.shell.dialect.is_bash() {
            true if self.shell.posix == Posix::No => Err(Flow::Discard(status)),
            true => Err(Flow::Exit(status)),
            false => Err(Flow::Exit(status)),
        }
    }
}
