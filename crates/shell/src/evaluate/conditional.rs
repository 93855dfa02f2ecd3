//! `[[ … ]]`, `((…))` and the arithmetic `for` (the GNU manual, "Conditional Constructs").

use bstr::{BString, ByteSlice};

use super::commands::Turn;
use super::expand::pattern::{Letters, Marked, Pattern, Syntax};
use super::shell::{Eval, Evaluator};
use super::syntax::tree::{ArithmeticFor, Condition, Word};

impl Evaluator<'_, '_> {
    pub(super) fn run_arithmetic(&mut self, word: &Word) -> Eval<u8> {
        let value = self.expression(word)?;
        Ok(u8::from(value.is_none_or(|value| value == 0)))
    }

    /// The value of an expression; none after an error that lets the command fail.
    fn expression(&mut self, word: &Word) -> Eval<Option<i64>> {
        let text = self.single(word)?;
        self.trace_arithmetic(&text)?;
        self.arithmetic_of(&text, "((")
    }

    pub(super) fn run_arithmetic_for(&mut self, clause: &ArithmeticFor) -> Eval<u8> {
        let ArithmeticFor { start, condition, step, body } = clause;
        if self.expression(start)?.is_none() {
            return Ok(1);
        }
        let mut status = 0;
        self.shell.loops += 1;
        let result = loop {
            match self.goes_on(condition) {
                Ok(Some(true)) => {}
                Ok(Some(false)) => break Ok(()),
                Ok(None) => {
                    status = 1;
                    break Ok(());
                }
                Err(flow) => break Err(flow),
            }
            match self.run_body(body) {
                Ok(Turn::Next(last)) => status = last.unwrap_or(0),
                Ok(Turn::Over) => {
                    status = 0;
                    break Ok(());
                }
                Err(flow) => break Err(flow),
            }
            match self.expression(step) {
                Ok(Some(_)) => {}
                Ok(None) => {
                    status = 1;
                    break Ok(());
                }
                Err(flow) => break Err(flow),
            }
        };
        self.shell.loops -= 1;
        result.map(|()| status)
    }

    /// An empty condition holds.
    fn goes_on(&mut self, condition: &Word) -> Eval<Option<bool>> {
        let text = self.single(condition)?;
        match text.trim().is_empty() {
            true if self.shell.options.xtrace => {
                self.refuse("set -x", "what it shows of an empty condition")
            }
            true => Ok(Some(true)),
            false => {
                self.trace_arithmetic(&text)?;
                Ok(self.arithmetic_of(&text, "((")?.map(|value| value != 0))
            }
        }
    }

    /// Exit status 2 is that of a regular expression that is none.
    pub(super) fn run_conditional(&mut self, condition: &Condition) -> Eval<u8> {
        self.test_condition(condition, Sense::Asserted)
    }

    fn test_condition(&mut self, condition: &Condition, sense: Sense) -> Eval<u8> {
        let holds = match condition {
            Condition::And(left, right) => {
                return match self.test_condition(left, Sense::Asserted)? {
                    0 => self.test_condition(right, Sense::Asserted),
                    status => Ok(status),
                };
            }
            Condition::Or(left, right) => {
                return match self.test_condition(left, Sense::Asserted)? {
                    0 => Ok(0),
                    _ => self.test_condition(right, Sense::Asserted),
                };
            }
            Condition::Not(inner) => {
                return Ok(u8::from(self.test_condition(inner, sense.other())? == 0));
            }
            Condition::Grouped(inner) => return self.test_condition(inner, Sense::Asserted),
            Condition::NotEmpty(word) => {
                let value = self.single(word)?;
                self.trace_test(sense, &[b"-n", &value])?;
                !value.is_empty()
            }
            Condition::Unary(operator, word) => {
                let value = self.single(word)?;
                self.trace_test(sense, &[operator, &value])?;
                self.holds_of(operator, value)?
            }
            Condition::Binary(left, operator, right) => {
                let left = self.single(left)?;
                return self.compare(left, operator, right, sense);
            }
        };
        Ok(u8::from(!holds))
    }

    /// `set -x`: each test is shown as it comes.
    fn trace_test(&mut self, sense: Sense, words: &[&[u8]]) -> Eval<()> {
        if !self.shell.options.xtrace {
            return Ok(());
        }
        let sign: &[&[u8]] = if sense == Sense::Denied { &[b"!"] } else { &[] };
        let words = words.iter().map(|word| if word.is_empty() { b"''" } else { *word });
        let all: Vec<&[u8]> = [&b"[["[..]]
            .into_iter()
            .chain(sign.iter().copied())
            .chain(words)
            .chain([&b"]]"[..]])
            .collect();
        self.trace_line(&all.join(&b' '))
    }

    fn holds_of(&mut self, operator: &BString, value: BString) -> Eval<bool> {
        match &operator[..] {
            b"-n" => Ok(!value.is_empty()),
            b"-z" => Ok(value.is_empty()),
            b"-v" => {
                let element = value.strip_suffix(b"]").and_then(|inner| inner.split_once_str("["));
                match element {
                    _ if super::dialect::is_name(&value) => {
                        Ok(self.variable_value(&value)?.is_some())
                    }
                    Some((name, key)) if super::dialect::is_name(name) && !is_list(key) => {
                        Ok(self.element(&name.into(), &key.into())?.is_some())
                    }
                    _ => self.refuse("[[ -v", format!("`{value}`")),
                }
            }
            b"-o" | b"-R" | b"-N" | b"-t" => self.refuse(format!("[[ {operator}"), "this test"),
            _ => self.asks_test(vec![operator.clone(), value]),
        }
    }

    fn compare(
        &mut self,
        left: BString,
        operator: &BString,
        right: &Word,
        sense: Sense,
    ) -> Eval<u8> {
        let holds = match &operator[..] {
            b"=~" => {
                let expression = self.marked(right)?;
                let expression = super::regular::written(&expression);
                let Some(expression) = expression else {
                    return self.refuse("[[ =~", "quotes in brackets");
                };
                self.trace_test(sense, &[&left, operator, &expression])?;
                return self.match_expression(&left, &expression);
            }
            b"=" | b"==" | b"!=" => {
                let text = self.marked(right)?;
                self.trace_test(sense, &[&left, operator, &shown_pattern(&text)])?;
                let pattern = Pattern::new(&text, Syntax::Extended, self.letters());
                let matches = pattern.matches(&left, &mut self.machine.budget)?;
                matches == (operator != "!=")
            }
            _ => {
                let right = self.single(right)?;
                self.trace_test(sense, &[&left, operator, &right])?;
                self.compare_values(left, operator, right)?
            }
        };
        Ok(u8::from(!holds))
    }

    fn letters(&self) -> Letters {
        if self.shell.shopt.nocasematch { Letters::Equal } else { Letters::Differ }
    }

    fn compare_values(&mut self, left: BString, operator: &BString, right: BString) -> Eval<bool> {
        match &operator[..] {
            b"<" | b">" => {
                if !left.is_ascii() || !right.is_ascii() {
                    return self.refuse("[[ <", "an order that depends on the locale");
                }
                return Ok(if operator == "<" { left < right } else { left > right });
            }
            b"-ef" | b"-nt" | b"-ot" => {
                return self.asks_test(vec![left, operator.clone(), right]);
            }
            _ => {}
        }
        let Some(left) = self.arithmetic_of(&left, "[[")? else { return Ok(false) };
        let Some(right) = self.arithmetic_of(&right, "[[")? else { return Ok(false) };
        Ok(match &operator[..] {
            b"-eq" => left == right,
            b"-ne" => left != right,
            b"-lt" => left < right,
            b"-le" => left <= right,
            b"-gt" => left > right,
            _ => left >= right,
        })
    }
}

/// Whether a subscript stands for all elements.
fn is_list(key: &[u8]) -> bool {
    matches!(key, b"@" | b"*")
}

/// Whether a test stands behind a `!`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sense {
    Asserted,
    Denied,
}

impl Sense {
    fn other(self) -> Self {
        match self {
            Sense::Asserted => Sense::Denied,
            Sense::Denied => Sense::Asserted,
        }
    }
}

/// A pattern as `set -x` shows it: a backslash before each byte that was quoted.
fn shown_pattern(text: &[Marked]) -> Vec<u8> {
    let bytes = text.iter().map(|(byte, is_quoted)| (is_quoted.then_some(b'\\'), *byte));
    bytes.flat_map(|(mark, byte)| mark.into_iter().chain([byte])).collect()
}
