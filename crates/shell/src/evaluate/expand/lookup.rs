//! What parameters stand for (POSIX XCU 2.5).

use std::collections::BTreeMap;

use bstr::BString;

use super::parameter::Found;
use crate::evaluate::shell::{Eval, Evaluator};
use crate::evaluate::syntax::tree::{Name, Operation, Parameter, Subscript};
use crate::evaluate::variables::Value;

/// Variables whose values are facts about the machine or the very release of bash.
const MACHINE: [&str; 10] = [
    "BASHPID",
    "BASH_VERSINFO",
    "BASH_VERSION",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "HOSTNAME",
    "HOSTTYPE",
    "MACHTYPE",
    "OSTYPE",
    "PPID",
];

impl Evaluator<'_, '_> {
    pub(super) fn find(&mut self, parameter: &Parameter) -> Eval<Found> {
        let one = |text: String| Found::One(text.into());
        Ok(match &parameter.name {
            Name::Variable(name) => return self.find_variable(name, parameter),
            Name::Positional(number) => match self.shell.positional.get(number - 1) {
                Some(value) => Found::One(value.clone()),
                None => Found::Unset,
            },
            Name::All | Name::Joined => {
                Found::Many(self.shell.positional.iter().cloned().collect())
            }
            Name::Count => one(self.shell.positional.len().to_string()),
            Name::Status => one(self.shell.status.to_string()),
            Name::Options => one(self.option_letters()),
            // The first process of a container.
            Name::Process => one("1".to_owned()),
            Name::Background => Found::Unset,
            Name::Shell => Found::One(self.shell.name.clone()),
        })
    }

    fn find_variable(&mut self, name: &BString, parameter: &Parameter) -> Eval<Found> {
        let one = |value: Option<BString>| value.map_or(Found::Unset, Found::One);
        self.keep_up(name);
        match &parameter.subscript {
            None => Ok(one(self.variable_value(name)?)),
            Some(Subscript::All | Subscript::Joined) => {
                if let Operation::Length = parameter.operation {
                    return Ok(Found::Many(self.unordered(name)?));
                }
                Ok(Found::Many(self.elements(name)?))
            }
            Some(Subscript::At(word)) => {
                let key = self.single(word)?;
                Ok(one(self.element(name, &key)?))
            }
        }
    }

    /// An element by its subscript, which is a key or an index.
    pub(in crate::evaluate) fn element(
        &mut self,
        name: &BString,
        key: &BString,
    ) -> Eval<Option<BString>> {
        let variable = self.shell.variables.get(name);
        match variable.and_then(|variable| variable.value.as_ref()) {
            Some(Value::Associative(elements)) => Ok(elements.get(key).cloned()),
            _ => {
                let index = self.arithmetic(key)?;
                self.element_at(name, index)
            }
        }
    }

    /// bash sets `PIPESTATUS` with each pipeline; here it is once somebody looks.
    fn keep_up(&mut self, name: &BString) {
        if name != "PIPESTATUS" || !self.shell.dialect.is_bash() {
            return;
        }
        let statuses = self.shell.pipe_statuses.iter();
        let elements = (0..).zip(statuses.map(|status| status.to_string().into()));
        self.shell.variables.entry(name).value = Some(Value::Indexed(elements.collect()));
    }

    /// The value of a variable, or of what looks like one.
    pub(in crate::evaluate) fn variable_value(&mut self, name: &BString) -> Eval<Option<BString>> {
        self.keep_up(name);
        if let Some(value) = self.shell.variables.value(name) {
            return Ok(Some(value.clone()));
        }
        let is_known = self.shell.variables.get(name).is_some();
        if is_known {
            return Ok(None);
        }
        let is_bash = self.shell.dialect.is_bash();
        let text = match &name[..] {
            // Debian builds dash without it.
            b"LINENO" if self.shell.dialect.has_common_additions() => self.shell.line.to_string(),
            b"RANDOM" if self.shell.dialect.has_common_additions() => {
                (self.machine.random() % 32768).to_string()
            }
            b"SECONDS" if is_bash => "0".to_owned(),
            b"UID" | b"EUID" if is_bash => self.machine.files.user().uid.to_string(),
            b"FUNCNAME" | b"BASH_LINENO" | b"BASH_SOURCE" | b"DIRSTACK" | b"GROUPS"
            | b"BASH_SUBSHELL" | b"SHELLOPTS" | b"BASHOPTS" | b"BASH_COMMAND" | b"SRANDOM"
                if is_bash =>
            {
                return self.refuse(format!("${name}"), "this variable of bash's");
            }
            _ if MACHINE.iter().any(|known| known.as_bytes() == &name[..])
                && (is_bash || &name[..] == b"PPID") =>
            {
                return self.refuse(format!("${name}"), "it depends on the machine");
            }
            _ => return Ok(None),
        };
        Ok(Some(text.into()))
    }

    fn elements(&mut self, name: &BString) -> Eval<Vec<BString>> {
        let variable = self.shell.variables.get(name);
        match variable.and_then(|variable| variable.value.as_ref()) {
            Some(Value::Indexed(elements)) => Ok(elements.values().cloned().collect()),
            Some(Value::Associative(elements)) => {
                let elements = elements.values().cloned().collect();
                self.in_hash_order(name, elements)
            }
            Some(Value::Scalar(value)) => Ok(vec![value.clone()]),
            None => Ok(self.variable_value(name)?.into_iter().collect()),
        }
    }

    /// The elements, for which no order matters.
    fn unordered(&mut self, name: &BString) -> Eval<Vec<BString>> {
        let variable = self.shell.variables.get(name);
        match variable.and_then(|variable| variable.value.as_ref()) {
            Some(Value::Associative(elements)) => Ok(elements.values().cloned().collect()),
            _ => self.elements(name),
        }
    }

    pub(super) fn keys(&mut self, parameter: &Parameter) -> Eval<Vec<BString>> {
        let Name::Variable(name) = &parameter.name else {
            return self.refuse("${!", "keys of what is no array");
        };
        self.keep_up(name);
        let variable = self.shell.variables.get(name);
        match variable.and_then(|variable| variable.value.as_ref()) {
            Some(Value::Indexed(elements)) => {
                Ok(elements.keys().map(|index| index.to_string().into()).collect())
            }
            Some(Value::Associative(elements)) => {
                let keys = elements.keys().cloned().collect();
                self.in_hash_order(name, keys)
            }
            Some(Value::Scalar(_)) => Ok(vec!["0".into()]),
            None => Ok(Vec::new()),
        }
    }

    /// bash lists an associative array in the order of its hashes.
    fn in_hash_order(&self, name: &BString, all: Vec<BString>) -> Eval<Vec<BString>> {
        match all.len() {
            0 | 1 => Ok(all),
            _ => self.refuse(name.to_string(), "the order of an associative array"),
        }
    }

    /// An element by its index; from the end if it is negative.
    pub(in crate::evaluate) fn element_at(
        &mut self,
        name: &BString,
        index: i64,
    ) -> Eval<Option<BString>> {
        self.keep_up(name);
        let variable = self.shell.variables.get(name);
        let elements = match variable.and_then(|variable| variable.value.as_ref()) {
            Some(Value::Indexed(elements)) => elements,
            _ if index == 0 || index == -1 => return self.variable_value(name),
            _ => return Ok(None),
        };
        Ok(position(elements, index).and_then(|index| elements.get(&index).cloned()))
    }
}

/// The index that is meant; a negative one counts from behind the last element.
pub(in crate::evaluate) fn position(elements: &BTreeMap<u64, BString>, index: i64) -> Option<u64> {
    if index >= 0 {
        return u64::try_from(index).ok();
    }
    let behind = elements.last_key_value().map_or(0, |(last, _)| last + 1);
    behind.checked_sub(index.unsigned_abs())
}
