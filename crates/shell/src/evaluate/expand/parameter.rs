//! Parameters and what `${…}` makes of them (POSIX XCU 2.5, 2.6.2).

use std::collections::BTreeMap;

use bstr::{BString, ByteSlice};

use super::pattern::{Letters, Pattern};
use super::{Context, Kind, Piece, Purpose, Quoting, is_list};
use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator, Flow};
use crate::evaluate::syntax::tree::{
    Alternative, CaseReach, End, LetterCase, Name, Operation, Parameter, Part, Reach, Subscript,
    Test, Where, Word,
};
use crate::evaluate::variables::Value;

/// What a parameter stands for.
enum Found {
    Unset,
    One(BString),
    Many(Vec<BString>),
}

/// Variables whose values are facts about the machine or the very release of bash.
const MACHINE: [&str; 11] = [
    "BASHPID",
    "BASH_VERSINFO",
    "BASH_VERSION",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "HOSTNAME",
    "HOSTTYPE",
    "MACHTYPE",
    "OSTYPE",
    "PIPESTATUS",
    "PPID",
];

impl Evaluator<'_, '_> {
    pub(super) fn expand_parameter(
        &mut self,
        parameter: &Parameter,
        context: Context,
        pieces: &mut Vec<Piece>,
    ) -> Eval<()> {
        self.machine.budget.step()?;
        if parameter.is_indirect {
            let target = self.indirect(parameter)?;
            return self.expand_parameter(&target, context, pieces);
        }
        if let Operation::Keys = parameter.operation {
            let keys = self.keys(parameter)?;
            return self.emit(parameter, Found::Many(keys), context, pieces);
        }
        let found = self.find(parameter)?;
        let found = match &parameter.operation {
            Operation::Alternative { test, action, word } => {
                return self.alternative(parameter, found, (*test, *action, word), context, pieces);
            }
            operation => {
                self.check_set(parameter, &found)?;
                self.operate(parameter, operation, found)?
            }
        };
        self.emit(parameter, found, context, pieces)
    }

    /// `${!name}`: the parameter that is named by the value.
    fn indirect(&mut self, parameter: &Parameter) -> Eval<Parameter> {
        let plain =
            Parameter { is_indirect: false, operation: Operation::Plain, ..parameter.clone() };
        let Found::One(target) = self.find(&plain)? else {
            return self.refuse(format!("${{!{}}}", parameter.name.shown()), "an unset name");
        };
        let name = if crate::evaluate::dialect::is_name(&target) {
            Name::Variable(target)
        } else {
            match target.to_str().ok().and_then(|digits| digits.parse::<usize>().ok()) {
                Some(number) if number > 0 => Name::Positional(number),
                _ => {
                    return self.refuse(
                        format!("${{!{}}}", parameter.name.shown()),
                        format!("`{target}` as a name"),
                    );
                }
            }
        };
        let operation = parameter.operation.clone();
        Ok(Parameter { name, subscript: None, is_indirect: false, is_braced: true, operation })
    }

    fn find(&mut self, parameter: &Parameter) -> Eval<Found> {
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
                let is_associative = matches!(
                    self.shell.variables.get(name).and_then(|variable| variable.value.as_ref()),
                    Some(Value::Associative(_))
                );
                if is_associative {
                    return Ok(one(self.associated(name, &key)));
                }
                let index = self.arithmetic(&key)?;
                Ok(one(self.element_at(name, index)?))
            }
        }
    }

    /// The value of a variable, or of what looks like one.
    pub(in crate::evaluate) fn variable_value(&mut self, name: &BString) -> Eval<Option<BString>> {
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

    fn keys(&mut self, parameter: &Parameter) -> Eval<Vec<BString>> {
        let Name::Variable(name) = &parameter.name else {
            return self.refuse("${!", "keys of what is no array");
        };
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

    fn associated(&self, name: &BString, key: &BString) -> Option<BString> {
        match self.shell.variables.get(name)?.value.as_ref()? {
            Value::Associative(elements) => elements.get(key).cloned(),
            _ => None,
        }
    }

    /// An element by its index; from the end if it is negative.
    pub(in crate::evaluate) fn element_at(
        &mut self,
        name: &BString,
        index: i64,
    ) -> Eval<Option<BString>> {
        let variable = self.shell.variables.get(name);
        let elements = match variable.and_then(|variable| variable.value.as_ref()) {
            Some(Value::Indexed(elements)) => elements,
            _ if index == 0 || index == -1 => return self.variable_value(name),
            _ => return Ok(None),
        };
        Ok(position(elements, index).and_then(|index| elements.get(&index).cloned()))
    }

    fn check_set(&mut self, parameter: &Parameter, found: &Found) -> Eval<()> {
        if matches!(found, Found::Unset) && self.shell.options.nounset {
            let name = parameter.name.shown();
            let is_bare = matches!(parameter.name, Name::Positional(_)) && !parameter.is_braced;
            return match self.shell.dialect.is_bash() && is_bare {
                true => self.unset_error(&format!("${name}")),
                false => self.unset_error(&name),
            };
        }
        Ok(())
    }

    /// `set -u`: what is not set ends the shell.
    pub(super) fn unset_error(&mut self, name: &str) -> Eval<()> {
        match self.shell.dialect {
            Dialect::Bash => {
                self.say(format!("{name}: unbound variable"))?;
                Err(Flow::Exit(self.unset_status()))
            }
            _ => {
                self.say(format!("{name}: parameter not set"))?;
                Err(Flow::Exit(2))
            }
        }
    }

    /// bash ends with another status if it reads its commands from an argument.
    fn unset_status(&self) -> u8 {
        let options = &self.shell.options;
        let is_abrupt = options.is_command && !options.errexit && self.shell.subshells == 0;
        if is_abrupt { 127 } else { 1 }
    }

    fn alternative(
        &mut self,
        parameter: &Parameter,
        found: Found,
        (test, action, word): (Test, Alternative, &Word),
        context: Context,
        pieces: &mut Vec<Piece>,
    ) -> Eval<()> {
        let is_missing = self.is_missing(&found, test);
        match (action, is_missing) {
            (Alternative::UseIfSet, true) => self.emit(parameter, Found::Unset, context, pieces),
            (Alternative::UseIfSet, false) | (Alternative::Use, true) => {
                let quoting = match context.quoting {
                    Quoting::Double => Quoting::Double,
                    _ => Quoting::Operand,
                };
                self.expand_parts(&word.parts, Context { quoting, ..context }, pieces)
            }
            (Alternative::Assign, true) => {
                let value = self.single(word)?;
                let Name::Variable(name) = &parameter.name else {
                    return self.refuse(parameter.name.shown(), "an assignment to this parameter");
                };
                if parameter.subscript.is_some() {
                    return self.refuse(parameter.name.shown(), "an assignment to an element");
                }
                self.assign_scalar(name, value.clone())?;
                self.emit(parameter, Found::One(value), context, pieces)
            }
            (Alternative::Fail, true) => self.missing_error(parameter, test, word),
            (_, false) => self.emit(parameter, found, context, pieces),
        }
    }

    fn is_missing(&self, found: &Found, test: Test) -> bool {
        match (found, test) {
            (Found::Unset, _) => true,
            (Found::One(_), Test::Unset) => false,
            (Found::One(value), Test::UnsetOrEmpty) => value.is_empty(),
            (Found::Many(values), Test::Unset) => values.is_empty(),
            (Found::Many(values), Test::UnsetOrEmpty) => match &values[..] {
                [] => true,
                [only] => only.is_empty(),
                _ => false,
            },
        }
    }

    fn missing_error(&mut self, parameter: &Parameter, test: Test, word: &Word) -> Eval<()> {
        let name = parameter.name.shown();
        let own = self.single(word)?;
        let is_bash = self.shell.dialect.is_bash();
        let message = match (own.is_empty(), test) {
            (false, _) => own,
            (true, Test::Unset) => "parameter not set".into(),
            (true, Test::UnsetOrEmpty) if is_bash => "parameter null or not set".into(),
            (true, Test::UnsetOrEmpty) => "parameter not set or null".into(),
        };
        self.say([name.as_bytes(), b": ", message.as_bytes()].concat())?;
        Err(Flow::Exit(if is_bash { self.unset_status() } else { 2 }))
    }

    /// Puts values where the word is.
    fn emit(
        &mut self,
        parameter: &Parameter,
        found: Found,
        context: Context,
        pieces: &mut Vec<Piece>,
    ) -> Eval<()> {
        let kind = context.expanded();
        let values = match found {
            Found::Unset => return Ok(()),
            Found::One(value) => {
                self.machine.budget.hold(value.len())?;
                pieces.push(Piece::Text(value, kind));
                return Ok(());
            }
            Found::Many(values) => values,
        };
        self.machine.budget.hold(values.iter().map(|value| value.len()).sum())?;
        let is_joined = parameter.name == Name::Joined
            || matches!(parameter.subscript, Some(Subscript::Joined));
        let joins = is_joined && (kind == Kind::Quoted || context.purpose == Purpose::Single);
        if joins {
            let text = bstr::join(self.joint(), values.iter());
            pieces.push(Piece::Text(text.into(), kind));
            return Ok(());
        }
        if values.is_empty() && kind == Kind::Quoted {
            pieces.push(Piece::Nothing);
        }
        // bash joins the elements before it splits them, so that empty ones may be fields.
        let joint = self.joint();
        let splits = self.shell.dialect.is_bash()
            && kind == Kind::Expanded
            && context.purpose == Purpose::Fields
            && !joint.is_empty();
        let between = if splits { Piece::Text(joint, Kind::Expanded) } else { Piece::Break };
        for (index, value) in values.into_iter().enumerate() {
            if index > 0 {
                pieces.push(between.clone());
            }
            pieces.push(Piece::Text(value, kind));
        }
        Ok(())
    }

    /// What stands between the elements of `"$*"`.
    fn joint(&self) -> BString {
        match self.shell.variables.value(b"IFS") {
            Some(ifs) => ifs.iter().take(1).copied().collect::<Vec<u8>>().into(),
            None => " ".into(),
        }
    }

    fn operate(
        &mut self,
        parameter: &Parameter,
        operation: &Operation,
        found: Found,
    ) -> Eval<Found> {
        match operation {
            Operation::Plain | Operation::Keys | Operation::Alternative { .. } => Ok(found),
            Operation::Length => {
                let length = match found {
                    Found::Unset => 0,
                    Found::One(value) => {
                        self.check_characters(&value)?;
                        value.len()
                    }
                    // dash counts the bytes of `$*`.
                    Found::Many(_) if self.shell.dialect != Dialect::Bash => {
                        return self.refuse("${#", "the length of all parameters");
                    }
                    Found::Many(values) => values.len(),
                };
                Ok(Found::One(length.to_string().into()))
            }
            Operation::Remove { from, reach, pattern } => {
                self.no_list(parameter)?;
                let pattern = self.pattern(pattern)?;
                self.each(found, |evaluator, value| {
                    evaluator.without(value, *from, *reach, &pattern)
                })
            }
            Operation::Replace { where_, pattern, replacement } => {
                let pattern = self.pattern(pattern)?;
                let replacement = self.replacement(replacement)?;
                self.each(found, |evaluator, value| {
                    evaluator.replaced(&value, *where_, &pattern, &replacement)
                })
            }
            Operation::Substring { offset, length } => {
                self.substring(parameter, found, offset, length.as_ref())
            }
            Operation::Case { to, reach } => self.each(found, |evaluator, value| {
                evaluator.check_characters(&value)?;
                Ok(in_case(value, *to, *reach))
            }),
        }
    }

    fn no_list(&mut self, parameter: &Parameter) -> Eval<()> {
        match is_list(parameter) && self.shell.dialect != Dialect::Bash {
            true => self.refuse("${@", "an operation on all parameters"),
            false => Ok(()),
        }
    }

    fn each(
        &mut self,
        found: Found,
        mut change: impl FnMut(&mut Self, BString) -> Eval<BString>,
    ) -> Eval<Found> {
        Ok(match found {
            Found::Unset => Found::Unset,
            Found::One(value) => Found::One(change(self, value)?),
            Found::Many(values) => {
                let changed = values.into_iter().map(|value| change(self, value));
                Found::Many(changed.collect::<Eval<Vec<_>>>()?)
            }
        })
    }

    /// A character may be more than a byte if the locale says so.
    fn check_characters(&mut self, value: &[u8]) -> Eval<()> {
        if value.is_ascii() || !self.shell.dialect.is_bash() {
            return Ok(());
        }
        let variables = &self.shell.variables;
        let set = ["LC_ALL", "LC_CTYPE", "LANG"].map(|name| variables.value(name.as_bytes()));
        let locale = set.into_iter().flatten().find(|value| !value.is_empty());
        match locale.is_none_or(|locale| *locale == "C" || *locale == "POSIX") {
            true => Ok(()),
            false => self.refuse("${", "characters that are not ASCII, in a locale"),
        }
    }

    fn without(
        &mut self,
        value: BString,
        from: End,
        reach: Reach,
        pattern: &Pattern,
    ) -> Eval<BString> {
        let budget = &mut self.machine.budget;
        let ends = match from {
            End::Start => pattern.ends(&value, 0, budget)?,
            End::End => {
                let turned: Vec<u8> = value.iter().rev().copied().collect();
                pattern.reversed().ends(&turned, 0, budget)?
            }
        };
        let matched = match reach {
            Reach::Shortest => ends.first(),
            Reach::Longest => ends.last(),
        };
        let Some(length) = matched.copied() else { return Ok(value) };
        Ok(match from {
            End::Start => value[length..].into(),
            End::End => value[..value.len() - length].into(),
        })
    }

    /// The replacement's text. In bash 5.2 an `&` in it is what was matched, in earlier ones not.
    fn replacement(&mut self, word: &Word) -> Eval<BString> {
        let has_mark = |part: &Part| matches!(part, Part::Literal(text) if text.contains(&b'&'));
        let is_quoted = |part: &Part| matches!(part, Part::Quoted(_) | Part::Double(_));
        let text = self.single(word)?;
        let may_mean = word.parts.iter().any(has_mark)
            || (text.contains(&b'&') && !word.parts.iter().all(is_quoted));
        if may_mean && self.shell.dialect.is_bash() {
            return self.refuse("${", "`&` in a replacement");
        }
        Ok(text)
    }

    fn replaced(
        &mut self,
        value: &BString,
        where_: Where,
        pattern: &Pattern,
        replacement: &BString,
    ) -> Eval<BString> {
        let mut text = BString::default();
        match where_ {
            Where::AtStart | Where::AtEnd => {
                let from = if where_ == Where::AtStart { End::Start } else { End::End };
                let rest = self.without(value.clone(), from, Reach::Longest, pattern)?;
                let is_match = pattern.is_empty() || rest.len() < value.len();
                return Ok(match (is_match, from) {
                    (false, _) => value.clone(),
                    (true, End::Start) => [replacement.as_bytes(), &rest].concat().into(),
                    (true, End::End) => [rest.as_bytes(), replacement].concat().into(),
                });
            }
            _ if pattern.is_empty() => return Ok(value.clone()),
            Where::First | Where::Everywhere => {}
        }
        let mut at = 0;
        while at < value.len() {
            let end = pattern.ends(value, at, &mut self.machine.budget)?.last().copied();
            match end.filter(|end| *end > at) {
                Some(end) => {
                    self.machine.budget.hold(replacement.len())?;
                    text.extend_from_slice(replacement);
                    at = end;
                    if where_ == Where::First {
                        break;
                    }
                }
                None => {
                    text.push(value[at]);
                    at += 1;
                }
            }
        }
        text.extend_from_slice(&value[at..]);
        Ok(text)
    }

    fn substring(
        &mut self,
        parameter: &Parameter,
        found: Found,
        offset: &Word,
        length: Option<&Word>,
    ) -> Eval<Found> {
        let offset = self.single(offset)?;
        let offset = self.arithmetic(&offset)?;
        let length = match length {
            Some(word) => {
                let text = self.single(word)?;
                Some(self.arithmetic(&text)?)
            }
            None => None,
        };
        match found {
            Found::Unset => Ok(Found::Unset),
            Found::One(value) => {
                self.check_characters(&value)?;
                match range(value.len(), offset, length) {
                    Some((start, end)) => Ok(Found::One(value[start..end].into())),
                    None => self.refuse("${", "a substring that ends before it begins"),
                }
            }
            Found::Many(mut values) => {
                if matches!(parameter.name, Name::All | Name::Joined) {
                    values.insert(0, self.shell.name.clone());
                    if offset == 0 {
                        return self.refuse("${@:0", "the shell's name among the parameters");
                    }
                }
                if length.is_some_and(|length| length < 0) {
                    return self.refuse("${@:", "a negative length");
                }
                let (start, end) = range(values.len(), offset, length).unwrap_or((0, 0));
                Ok(Found::Many(values[start..end].to_vec()))
            }
        }
    }
}

/// Where a substring begins and ends; nothing if it ends before it begins.
fn range(size: usize, offset: i64, length: Option<i64>) -> Option<(usize, usize)> {
    let size = i64::try_from(size).ok()?;
    let start = if offset < 0 { size.saturating_add(offset) } else { offset };
    if start < 0 || start > size {
        return Some((0, 0));
    }
    let end = match length {
        None => size,
        Some(length) if length < 0 => size.saturating_add(length),
        Some(length) => start.saturating_add(length).min(size),
    };
    if end < start {
        return None;
    }
    Some((usize::try_from(start).ok()?, usize::try_from(end).ok()?))
}

/// The index that is meant; a negative one counts from behind the last element.
pub(in crate::evaluate) fn position(elements: &BTreeMap<u64, BString>, index: i64) -> Option<u64> {
    if index >= 0 {
        return u64::try_from(index).ok();
    }
    let behind = elements.last_key_value().map_or(0, |(last, _)| last + 1);
    behind.checked_sub(index.unsigned_abs())
}

fn in_case(mut value: BString, to: LetterCase, reach: CaseReach) -> BString {
    let end = if reach == CaseReach::First { value.len().min(1) } else { value.len() };
    match to {
        LetterCase::Upper => value[..end].make_ascii_uppercase(),
        LetterCase::Lower => value[..end].make_ascii_lowercase(),
    }
    value
}

/// Patterns in `[[` may ignore the case of letters.
pub(in crate::evaluate) fn letters(nocasematch: bool) -> Letters {
    if nocasematch { Letters::Equal } else { Letters::Differ }
}
