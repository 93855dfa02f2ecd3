//! What `${…}` makes of a parameter's value (POSIX XCU 2.6.2; the GNU manual, "Shell Parameter
//! Expansion").

use bstr::{BString, ByteSlice};

use super::is_list;
use super::parameter::Found;
use super::pattern::Pattern;
use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator};
use crate::evaluate::syntax::tree::{
    CaseReach, End, LetterCase, Name, Operation, Parameter, Part, Reach, Where, Word,
};

impl Evaluator<'_, '_> {
    pub(super) fn operate(
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

fn in_case(mut value: BString, to: LetterCase, reach: CaseReach) -> BString {
    let end = if reach == CaseReach::First { value.len().min(1) } else { value.len() };
    match to {
        LetterCase::Upper => value[..end].make_ascii_uppercase(),
        LetterCase::Lower => value[..end].make_ascii_lowercase(),
    }
    value
}
