//! Builtins about what a command's name means.

use std::rc::Rc;

use bstr::{BString, ByteSlice};

use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator};
use crate::evaluate::trace::single_quoted;
use crate::execute::{self, Lookup};

/// Words of the grammar (POSIX XCU 2.4).
const RESERVED: [&str; 16] = [
    "!", "{", "}", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then",
    "until", "while",
];
/// Those that bash adds.
const BASH_RESERVED: [&str; 6] = ["[[", "]]", "coproc", "function", "select", "time"];
/// Where `command -p` looks (confstr(3), `_CS_PATH`).
const STANDARD_PATH: &[u8] = b"/bin:/usr/bin";

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// `command -v`
    Name,
    /// `command -V`, `type`
    Description,
    /// `type -t`
    Kind,
    /// `type -p`
    Path,
    /// `type -P`, which looks for programs alone
    Program,
}

/// What a name means.
enum Found {
    Alias(BString),
    Reserved,
    Function,
    Special,
    Builtin,
    Program(BString),
}

pub(super) fn command(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut operands = &words[1..];
    let mut shown = None;
    let mut is_standard = false;
    while let Some(word) = operands.first().filter(|word| word.starts_with(b"-")) {
        match word.as_bytes() {
            b"-v" => shown = Some(Shown::Name),
            b"-V" => shown = Some(Shown::Description),
            b"-p" => is_standard = true,
            b"--" => {
                operands = &operands[1..];
                break;
            }
            _ => return evaluator.refuse_option(words, word),
        }
        operands = &operands[1..];
    }
    if operands.is_empty() {
        return Ok(0);
    }
    if let Some(shown) = shown {
        // dash looks at the first name only.
        let names = match evaluator.shell.dialect {
            Dialect::Bash => operands,
            _ => &operands[..1],
        };
        return evaluator.show_all(words, names, shown);
    }
    if let Some(builtin) = super::find(&operands[0], evaluator.shell.dialect) {
        return evaluator.deeper(|evaluator| (builtin.run)(evaluator, operands));
    }
    if !is_standard {
        return evaluator.run_program(operands);
    }
    let before = evaluator.shell.variables.get(b"PATH").cloned();
    evaluator.shell.variables.entry(b"PATH").value =
        Some(crate::evaluate::variables::Value::Scalar(STANDARD_PATH.into()));
    let result = evaluator.run_program(operands);
    evaluator.shell.variables.restore(b"PATH", before);
    result
}

/// bash: `builtin name …`
pub(super) fn builtin(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let Some(name) = words.get(1) else { return Ok(0) };
    match super::find(name, evaluator.shell.dialect) {
        Some(builtin) => evaluator.deeper(|evaluator| (builtin.run)(evaluator, &words[1..])),
        None => {
            let message = [name.as_bytes(), b": not a shell builtin"].concat();
            evaluator.builtin_error(words, message)
        }
    }
}

pub(super) fn type_(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let mut operands = &words[1..];
    let mut shown = Shown::Description;
    if evaluator.shell.dialect.is_bash() {
        while let Some(word) = operands.first().filter(|word| word.starts_with(b"-")) {
            match word.as_bytes() {
                b"-t" => shown = Shown::Kind,
                b"-p" => shown = Shown::Path,
                b"-P" => shown = Shown::Program,
                _ => return evaluator.refuse_option(words, word),
            }
            operands = &operands[1..];
        }
    }
    evaluator.show_all(words, operands, shown)
}

/// Remembered places are no different from others.
pub(super) fn hash(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    match words.get(1) {
        Some(word) if word == "-r" => Ok(0),
        Some(word) if word.starts_with(b"-") => evaluator.refuse_option(words, word),
        None => evaluator.refuse("hash", "a list of remembered places"),
        Some(_) => {
            let mut status = 0;
            for name in &words[1..] {
                if evaluator.find_program(name)?.is_none() {
                    let message = [name.as_bytes(), b": not found"].concat();
                    status = evaluator.builtin_error(words, message)?;
                }
            }
            Ok(status)
        }
    }
}

pub(super) fn alias(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    for word in &words[1..] {
        match word.split_once_str("=") {
            Some((name, value)) => {
                Rc::make_mut(&mut evaluator.shell.aliases).insert(name.into(), value.into());
            }
            None => return evaluator.refuse("alias", "what an alias stands for"),
        }
    }
    if words.len() == 1 {
        let all = Rc::clone(&evaluator.shell.aliases);
        let prefix: &[u8] = if evaluator.shell.dialect.is_bash() { b"alias " } else { b"" };
        for (name, value) in all.iter() {
            let line = [prefix, name, b"=", &single_quoted(value, b"'\\''"), b"\n"].concat();
            evaluator.write(1, &line)?;
        }
    }
    Ok(0)
}

pub(super) fn unalias(evaluator: &mut Evaluator<'_, '_>, words: &[BString]) -> Eval<u8> {
    let aliases = Rc::make_mut(&mut evaluator.shell.aliases);
    let mut is_missing = false;
    for word in &words[1..] {
        if word == "-a" {
            aliases.clear();
        } else {
            is_missing |= aliases.remove(word).is_none();
        }
    }
    match is_missing {
        true => evaluator.refuse("unalias", "an alias that is not there"),
        false => Ok(0),
    }
}

impl Evaluator<'_, '_> {
    /// The file that a name leads to.
    pub(super) fn find_program(&mut self, name: &BString) -> Eval<Option<BString>> {
        let path = self.shell.variables.value(b"PATH").cloned();
        let path = path.as_ref().map(|path| path.as_bytes());
        match execute::look_up(&self.machine.files, &self.shell.directory, path, name)? {
            Lookup::Found { named, .. } => Ok(Some(named)),
            Lookup::Missing | Lookup::NotExecutable(_) => Ok(None),
        }
    }

    fn look_up(&mut self, name: &BString) -> Eval<Option<Found>> {
        let is_bash = self.shell.dialect.is_bash();
        let is_in = |words: &[&str]| words.iter().any(|word| word.as_bytes() == name.as_bytes());
        // Aliases are not expanded in scripts of bash, so that they mean nothing there.
        if let Some(value) = self.shell.aliases.get(name)
            && !is_bash
        {
            return Ok(Some(Found::Alias(value.clone())));
        }
        if is_in(&RESERVED) || (is_bash && is_in(&BASH_RESERVED)) {
            return Ok(Some(Found::Reserved));
        }
        if self.shell.functions.contains_key(name) {
            return Ok(Some(Found::Function));
        }
        if let Some(builtin) = super::find(name, self.shell.dialect) {
            // dash counts `local` among the special ones, as far as `type` says.
            let is_special = builtin.is_special() || (name == "local" && !is_bash);
            return Ok(Some(if is_special { Found::Special } else { Found::Builtin }));
        }
        Ok(self.find_program(name)?.map(Found::Program))
    }

    fn show_all(&mut self, words: &[BString], names: &[BString], shown: Shown) -> Eval<u8> {
        let mut has_any = false;
        let mut has_all = true;
        for name in names {
            let found = match shown {
                Shown::Program => self.find_program(name)?.map(Found::Program),
                _ => self.look_up(name)?,
            };
            match found {
                Some(found) => {
                    has_any = true;
                    self.show(name, &found, shown)?;
                }
                None => {
                    has_all = false;
                    self.show_missing(words, name, shown)?;
                }
            }
        }
        let succeeds = match (shown, self.shell.dialect) {
            (Shown::Name, Dialect::Bash) => has_any,
            _ => has_all,
        };
        let status = if self.shell.dialect.is_bash() { 1 } else { 127 };
        Ok(if succeeds { 0 } else { status })
    }

    fn show_missing(&mut self, words: &[BString], name: &BString, shown: Shown) -> Eval<()> {
        if shown != Shown::Description {
            return Ok(());
        }
        let message = [name.as_bytes(), b": not found"].concat();
        match self.shell.dialect {
            Dialect::Bash => self.say_of(words[0].as_ref(), message),
            _ => self.write(1, &[&message[..], b"\n"].concat()),
        }
    }

    fn show(&mut self, name: &BString, found: &Found, shown: Shown) -> Eval<()> {
        let is_bash = self.shell.dialect.is_bash();
        let line = match (shown, found) {
            (Shown::Name, Found::Alias(value)) => {
                [b"alias ", name.as_bytes(), b"=", &single_quoted(value, b"'\\''")].concat()
            }
            (Shown::Name | Shown::Path | Shown::Program, Found::Program(path)) => path.to_vec(),
            (Shown::Name, _) => name.to_vec(),
            (Shown::Path | Shown::Program, _) => return Ok(()),
            (Shown::Kind, found) => kind(found).into(),
            (Shown::Description, Found::Function) if is_bash => {
                return self.refuse("type", "the text of a function");
            }
            (Shown::Description, found) => {
                let description = match found {
                    Found::Alias(value) => format!("is an alias for {value}"),
                    Found::Reserved => "is a shell keyword".to_owned(),
                    Found::Function => "is a shell function".to_owned(),
                    Found::Special if !is_bash => "is a special shell builtin".to_owned(),
                    Found::Special | Found::Builtin => "is a shell builtin".to_owned(),
                    Found::Program(path) => format!("is {path}"),
                };
                [name.as_bytes(), b" ", description.as_bytes()].concat()
            }
        };
        self.write(1, &[&line[..], b"\n"].concat())
    }
}

fn kind(found: &Found) -> &'static str {
    match found {
        Found::Alias(_) => "alias",
        Found::Reserved => "keyword",
        Found::Function => "function",
        Found::Special | Found::Builtin => "builtin",
        Found::Program(_) => "file",
    }
}
