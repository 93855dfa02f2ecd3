//! Builtins: commands that are part of the shell (POSIX XCU 1.6, 2.14).

mod control;
mod directory;
mod input;
mod options;
mod search;
mod stack;
mod text;
mod variables;

use bstr::BString;

pub(super) use options::Switch;

use super::dialect::Dialect;
use super::shell::{Eval, Evaluator};

/// A command that the shell runs itself.
pub(super) struct Builtin {
    pub(super) name: &'static str,
    role: Role,
    speakers: Speakers,
    pub(super) run: fn(&mut Evaluator<'_, '_>, &[BString]) -> Eval<u8>,
}

/// Whether an error in it ends the shell, and assignments before it stay (POSIX XCU 2.14).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Special,
    Regular,
}

/// Which shells have it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Speakers {
    All,
    Bash,
    BashAndAsh,
}

impl Builtin {
    pub(super) fn is_special(&self) -> bool {
        self.role == Role::Special
    }

    fn is_known_to(&self, dialect: Dialect) -> bool {
        match self.speakers {
            Speakers::All => true,
            Speakers::Bash => dialect == Dialect::Bash,
            Speakers::BashAndAsh => dialect != Dialect::Dash,
        }
    }
}

/// The builtin of this name.
pub(super) fn find(name: &[u8], dialect: Dialect) -> Option<&'static Builtin> {
    let mut known = BUILTINS.iter();
    known.find(|builtin| builtin.name.as_bytes() == name && builtin.is_known_to(dialect))
}

const fn special(
    name: &'static str,
    run: fn(&mut Evaluator<'_, '_>, &[BString]) -> Eval<u8>,
) -> Builtin {
    Builtin { name, role: Role::Special, speakers: Speakers::All, run }
}

const fn regular(
    name: &'static str,
    run: fn(&mut Evaluator<'_, '_>, &[BString]) -> Eval<u8>,
) -> Builtin {
    Builtin { name, role: Role::Regular, speakers: Speakers::All, run }
}

const fn added(
    name: &'static str,
    speakers: Speakers,
    run: fn(&mut Evaluator<'_, '_>, &[BString]) -> Eval<u8>,
) -> Builtin {
    Builtin { name, role: Role::Regular, speakers, run }
}

static BUILTINS: &[Builtin] = &[
    special(".", control::source),
    special(":", control::succeed),
    special("break", control::leave_loop),
    special("continue", control::continue_loop),
    special("eval", control::eval),
    special("exec", control::exec),
    special("exit", control::exit),
    special("export", variables::export),
    special("readonly", variables::readonly),
    special("return", control::return_),
    special("set", options::set),
    special("shift", variables::shift),
    special("times", refused),
    special("trap", control::trap),
    special("unset", variables::unset),
    added("source", Speakers::BashAndAsh, control::source),
    regular("[", text::test),
    regular("alias", search::alias),
    regular("bg", refused),
    added("builtin", Speakers::Bash, search::builtin),
    added("caller", Speakers::Bash, refused),
    regular("cd", directory::cd),
    regular("command", search::command),
    added("declare", Speakers::Bash, variables::declare),
    added("dirs", Speakers::Bash, stack::dirs),
    added("disown", Speakers::Bash, refused),
    regular("echo", text::echo),
    added("enable", Speakers::Bash, refused),
    regular("false", control::fail),
    regular("fg", refused),
    regular("getopts", input::getopts),
    regular("hash", search::hash),
    regular("jobs", refused),
    regular("kill", refused),
    added("let", Speakers::BashAndAsh, variables::let_),
    regular("local", variables::local),
    added("mapfile", Speakers::Bash, input::mapfile),
    added("popd", Speakers::Bash, stack::popd),
    regular("printf", text::printf),
    added("pushd", Speakers::Bash, stack::pushd),
    regular("pwd", directory::pwd),
    regular("read", input::read),
    added("readarray", Speakers::Bash, input::mapfile),
    added("shopt", Speakers::Bash, options::shopt),
    added("suspend", Speakers::Bash, refused),
    regular("test", text::test),
    regular("true", control::succeed),
    regular("type", search::type_),
    added("typeset", Speakers::Bash, variables::declare),
    regular("ulimit", refused),
    regular("umask", directory::umask),
    regular("unalias", search::unalias),
    regular("wait", control::wait),
];

/// What depends on the machine, or on other processes.
fn refused(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let name = words.first().map(ToString::to_string).unwrap_or_default();
    evaluator.refuse(name, "a builtin about processes or the machine")
}

impl Evaluator<'_, '_> {
    /// An error in a builtin: said, and for a special one the end of the shell, as POSIX has it.
    fn builtin_error(&mut self, words: &[BString], message: impl AsRef<[u8]>) -> Eval<u8> {
        let name = words.first().cloned().unwrap_or_default();
        self.say_of(name.as_ref(), message)?;
        let is_special =
            find(&name, self.shell.dialect).is_some_and(|builtin| builtin.is_special());
        match is_special && self.shell.dialect != Dialect::Bash {
            true => Err(super::shell::Flow::Exit(2)),
            false => Ok(self.error_status()),
        }
    }

    /// Refuses an option of a builtin.
    fn refuse_option<T>(&self, words: &[BString], option: &BString) -> Eval<T> {
        let name = words.first().map(ToString::to_string).unwrap_or_default();
        self.refuse(name, format!("the option `{option}`"))
    }
}
