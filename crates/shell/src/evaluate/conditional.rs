//! `[[ … ]]`, `((…))` and the arithmetic `for` (the GNU manual, "Conditional Constructs").

use bstr::{BString, ByteSlice};

use super::commands::Turn;
use super::expand::pattern::{Letters, Syntax};
use super::shell::{Eval, Evaluator};
use super::syntax::tree::{ArithmeticFor, Condition, Word};

impl Evaluator<'_, '_> {
    pub(super) fn run_arithmetic(&mut self, word: &Word) -> Eval<u8> {
        let value = self.expression(word)?;
        Ok(u8::from(value == 0))
    }

    fn expression(&mut self, word: &Word) -> Eval<i64> {
        let text = self.single(word)?;
        self.trace_arithmetic(&text)?;
        self.arithmetic(&text)
    }

    pub(super) fn run_arithmetic_for(&mut self, clause: &ArithmeticFor) -> Eval<u8> {
        let ArithmeticFor { start, condition, step, body } = clause;
        self.expression(start)?;
        let mut status = 0;
        self.shell.loops += 1;
        let result = loop {
            match self.goes_on(condition) {
                Ok(true) => {}
                Ok(false) => break Ok(()),
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
            if let Err(flow) = self.expression(step) {
                break Err(flow);
            }
        };
        self.shell.loops -= 1;
        result.map(|()| status)
    }

    /// An empty condition holds.
    fn goes_on(&mut self, condition: &Word) -> Eval<bool> {
        let text = self.single(condition)?;
        match text.trim().is_empty() {
            true if self.shell.options.xtrace => {
                self.refuse("set -x", "what it shows of an empty condition")
            }
            true => Ok(true),
            false => {
                self.trace_arithmetic(&text)?;
                Ok(self.arithmetic(&text)? != 0)
            }
        }
    }

    pub(super) fn run_conditional(&mut self, condition: &Condition) -> Eval<u8> {
        if self.shell.options.xtrace {
            return self.refuse("set -x", "what it shows of `[[`");
        }
        Ok(u8::from(!self.holds(condition)?))
    }

    fn holds(&mut self, condition: &Condition) -> Eval<bool> {
        match condition {
            Condition::And(left, right) => Ok(self.holds(left)? && self.holds(right)?),
            Condition::Or(left, right) => Ok(self.holds(left)? || self.holds(right)?),
            Condition::Not(inner) => Ok(!self.holds(inner)?),
            Condition::NotEmpty(word) => Ok(!self.single(word)?.is_empty()),
            Condition::Unary(operator, word) => self.holds_of(operator, word),
            Condition::Binary(left, operator, right) => self.compares(left, operator, right),
        }
    }

    fn holds_of(&mut self, operator: &BString, word: &Word) -> Eval<bool> {
        let value = self.single(word)?;
        match &operator[..] {
            b"-n" => Ok(!value.is_empty()),
            b"-z" => Ok(value.is_empty()),
            b"-v" => {
                if !super::dialect::is_name(&value) {
                    return self.refuse("[[ -v", format!("`{value}`"));
                }
                Ok(self.variable_value(&value)?.is_some())
            }
            b"-o" | b"-R" | b"-N" | b"-t" => self.refuse(format!("[[ {operator}"), "this test"),
            _ => self.asks_test(vec![operator.clone(), value]),
        }
    }

    fn compares(&mut self, left: &Word, operator: &BString, right: &Word) -> Eval<bool> {
        let value = self.single(left)?;
        match &operator[..] {
            b"=" | b"==" | b"!=" => {
                let letters = match self.shell.shopt.nocasematch {
                    true => Letters::Equal,
                    false => Letters::Differ,
                };
                let pattern = self.pattern_with(right, Syntax::Extended, letters)?;
                let matches = pattern.matches(&value, &mut self.machine.budget)?;
                Ok(matches == (operator != "!="))
            }
            b"=~" => self.refuse("[[ =~", "a regular expression"),
            b"<" | b">" => {
                let right = self.single(right)?;
                if !value.is_ascii() || !right.is_ascii() {
                    return self.refuse("[[ <", "an order that depends on the locale");
                }
                Ok(if operator == "<" { value < right } else { value > right })
            }
            b"-ef" | b"-nt" | b"-ot" => {
                let right = self.single(right)?;
                self.asks_test(vec![value, operator.clone(), right])
            }
            _ => {
                let right = self.single(right)?;
                let (left, right) = (self.arithmetic(&value)?, self.arithmetic(&right)?);
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
    }
}
