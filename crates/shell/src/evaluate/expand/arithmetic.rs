//! Arithmetic (POSIX XCU 2.6.4; the GNU manual, "Shell Arithmetic").
//!
//! Numbers are 64 bits wide and wrap around.

use bstr::{BString, ByteSlice};

use super::expression::{Expression, plain_number};
use crate::evaluate::dialect::{Dialect, is_name_byte, is_name_start};
use crate::evaluate::shell::{Eval, Evaluator, Flow};

/// Parentheses, and variables that name expressions, inside of each other.
pub(super) const DEEPEST: usize = 32;

/// Whether an operand counts, or stands behind a condition that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Counts {
    Yes,
    No,
}

/// What an expression may go wrong with.
pub(super) enum Wrong {
    Flow(Flow),
    /// What the shell says.
    Error(Cause),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cause {
    /// Where, unless it is in an assignment.
    DivisionByZero(Option<Division>),
    /// Not an expression.
    Syntax,
}

/// A division by zero, as bash shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Division {
    /// All of the expression.
    expression: BString,
    /// What is left of it from the divisor on.
    rest: BString,
}

impl From<Flow> for Wrong {
    fn from(flow: Flow) -> Self {
        Wrong::Flow(flow)
    }
}

pub(super) type Computed<T> = Result<T, Wrong>;

impl Evaluator<'_, '_> {
    /// The value of an expression whose own expansions are done.
    ///
    /// # Errors
    /// An expression that is none ends the shell, as it does for the real ones; what they say of
    /// it is only known for a division by zero, and not in each place.
    pub(in crate::evaluate) fn arithmetic(&mut self, text: &[u8]) -> Eval<i64> {
        match self.compute(text, 0) {
            Ok(value) => Ok(value),
            Err(Wrong::Flow(flow)) => Err(flow),
            Err(Wrong::Error(cause)) => self.arithmetic_error(text, cause),
        }
    }

    /// The value of `$((…))`.
    pub(super) fn arithmetic_expansion(&mut self, text: &[u8]) -> Eval<i64> {
        match self.arithmetic_of(text, "")? {
            Some(value) => Ok(value),
            None => self.fatal(),
        }
    }

    /// The value that a command of bash's has computed: `((`, `[[`, `let`. None after a division by
    /// zero, of which it has said something; it fails then.
    pub(in crate::evaluate) fn arithmetic_of(
        &mut self,
        text: &[u8],
        command: &str,
    ) -> Eval<Option<i64>> {
        let division = match self.compute(text, 0) {
            Ok(value) => return Ok(Some(value)),
            Err(Wrong::Flow(flow)) => return Err(flow),
            Err(Wrong::Error(Cause::DivisionByZero(Some(division))))
                if self.shell.dialect.is_bash() =>
            {
                division
            }
            Err(Wrong::Error(cause)) => return self.arithmetic_error(text, cause).map(Some),
        };
        let separator = if command.is_empty() { "" } else { ": " };
        let Division { expression, rest } = division;
        self.say(format!(
            "{command}{separator}{expression}: division by 0 (error token is \"{rest}\")"
        ))?;
        Ok(None)
    }

    fn arithmetic_error(&mut self, text: &[u8], cause: Cause) -> Eval<i64> {
        let shown = text.as_bstr();
        match (cause, self.shell.dialect) {
            (Cause::DivisionByZero(_), Dialect::Dash) => {
                self.say(format!("arithmetic expression: division by zero: \"{shown}\""))?;
                self.fatal()
            }
            (Cause::DivisionByZero(_), Dialect::Bash) => {
                self.refuse(shown.to_string(), "a division by zero")
            }
            _ => self.refuse(shown.to_string(), "not an arithmetic expression"),
        }
    }

    fn compute(&mut self, text: &[u8], depth: usize) -> Computed<i64> {
        self.machine.budget.step().map_err(Flow::from)?;
        let mut expression = Expression { text, at: 0, depth };
        if expression.peek().is_none() {
            return match self.shell.dialect {
                Dialect::Bash => Ok(0),
                _ => Err(Wrong::Error(Cause::Syntax)),
            };
        }
        let mut value = self.assignment(&mut expression, Counts::Yes)?;
        while self.shell.dialect.is_bash() && expression.take(",") {
            value = self.assignment(&mut expression, Counts::Yes)?;
        }
        match expression.peek() {
            None => Ok(value),
            Some(_) => Err(Wrong::Error(Cause::Syntax)),
        }
    }

    fn assignment(&mut self, expression: &mut Expression<'_>, counts: Counts) -> Computed<i64> {
        expression.enter()?;
        let start = expression.at;
        // Whether it assigns is looked at first, so that a subscript counts once.
        let assigns =
            self.target(expression, Counts::No)?.is_some() && expression.assigning().is_some();
        expression.at = start;
        if assigns
            && let Some(target) = self.target(expression, counts)?
            && let Some(operator) = expression.assigning()
        {
            let operator = operator.trim_end_matches('=');
            let reads = if operator.is_empty() { Counts::No } else { counts };
            // What stands there before the right side assigns, as bash has it, or after.
            let before = self.variable(&target, expression.depth, reads)?;
            let right = self.assignment(expression, counts)?;
            let value = match (operator, self.shell.dialect) {
                ("", _) => right,
                (_, Dialect::Bash) => binary(operator, before, right, counts)?,
                _ => {
                    let left = self.variable(&target, expression.depth, counts)?;
                    binary(operator, left, right, counts)?
                }
            };
            if counts == Counts::Yes {
                self.assign_number(&target, value)?;
            }
            expression.depth -= 1;
            return Ok(value);
        }
        let value = self.conditional_expression(expression, counts)?;
        expression.depth -= 1;
        Ok(value)
    }

    fn conditional_expression(
        &mut self,
        expression: &mut Expression<'_>,
        counts: Counts,
    ) -> Computed<i64> {
        let condition = self.operators(expression, counts, 1)?;
        if !expression.take("?") {
            return Ok(condition);
        }
        let then = self.assignment(expression, counts.and(condition != 0))?;
        if !expression.take(":") {
            return Err(Wrong::Error(Cause::Syntax));
        }
        expression.enter()?;
        let otherwise = self.conditional_expression(expression, counts.and(condition == 0))?;
        expression.depth -= 1;
        Ok(if condition != 0 { then } else { otherwise })
    }

    /// Operators that bind at least as closely as `least`.
    fn operators(
        &mut self,
        expression: &mut Expression<'_>,
        counts: Counts,
        least: u8,
    ) -> Computed<i64> {
        let mut left = self.unary(expression, counts)?;
        while let Some((operator, closeness)) = expression.binary(self.shell.dialect, least) {
            let is_skipped = match operator {
                "&&" => left == 0,
                "||" => left != 0,
                _ => false,
            };
            let counts = counts.and(!is_skipped);
            expression.enter()?;
            expression.peek();
            let from = expression.at;
            // `**` goes from right to left.
            let next = if operator == "**" { closeness } else { closeness + 1 };
            let right = self.operators(expression, counts, next)?;
            expression.depth -= 1;
            left = match operator {
                "&&" => i64::from(left != 0 && right != 0),
                "||" => i64::from(left != 0 || right != 0),
                _ => binary(operator, left, right, counts)
                    .map_err(|wrong| wrong.at(expression.text, from))?,
            };
        }
        Ok(left)
    }

    fn unary(&mut self, expression: &mut Expression<'_>, counts: Counts) -> Computed<i64> {
        expression.enter()?;
        let rest = expression.rest();
        let is_step = rest.starts_with(b"++") || rest.starts_with(b"--");
        let value = match expression.peek() {
            Some(b'+' | b'-') if is_step && self.shell.dialect.is_bash() => {
                self.stepped_before(expression, counts)?
            }
            Some(b'-') => {
                expression.at += 1;
                self.unary(expression, counts)?.wrapping_neg()
            }
            Some(b'+') => {
                expression.at += 1;
                self.unary(expression, counts)?
            }
            Some(b'!') => {
                expression.at += 1;
                i64::from(self.unary(expression, counts)? == 0)
            }
            Some(b'~') => {
                expression.at += 1;
                !self.unary(expression, counts)?
            }
            Some(b'(') => {
                expression.at += 1;
                let mut value = self.assignment(expression, counts)?;
                while self.shell.dialect.is_bash() && expression.take(",") {
                    value = self.assignment(expression, counts)?;
                }
                if !expression.take(")") {
                    return Err(Wrong::Error(Cause::Syntax));
                }
                value
            }
            Some(byte) if byte.is_ascii_digit() => expression.number(self.shell.dialect)?,
            _ => self.operand(expression, counts)?,
        };
        expression.depth -= 1;
        Ok(value)
    }

    /// `++name`
    fn stepped_before(&mut self, expression: &mut Expression<'_>, counts: Counts) -> Computed<i64> {
        let step = if expression.take("++") { 1 } else { -1 };
        if step == -1 {
            expression.take("--");
        }
        let Some(target) = self.target(expression, counts)? else {
            return Err(Wrong::Error(Cause::Syntax));
        };
        let value = self.variable(&target, expression.depth, counts)?.wrapping_add(step);
        if counts == Counts::Yes {
            self.assign_number(&target, value)?;
        }
        Ok(value)
    }

    /// A variable, and `name++`.
    fn operand(&mut self, expression: &mut Expression<'_>, counts: Counts) -> Computed<i64> {
        let Some(target) = self.target(expression, counts)? else {
            return Err(Wrong::Error(Cause::Syntax));
        };
        let value = self.variable(&target, expression.depth, counts)?;
        if self.shell.dialect.is_bash() {
            let step = if expression.take("++") {
                1
            } else if expression.take("--") {
                -1
            } else {
                return Ok(value);
            };
            if counts == Counts::Yes {
                self.assign_number(&target, value.wrapping_add(step))?;
            }
        }
        Ok(value)
    }

    /// A variable's name, in bash with a subscript.
    fn target(
        &mut self,
        expression: &mut Expression<'_>,
        counts: Counts,
    ) -> Computed<Option<Target>> {
        let Some(first) = expression.peek() else { return Ok(None) };
        if !is_name_start(first) {
            return Ok(None);
        }
        let rest = expression.rest();
        let length = rest.iter().take_while(|byte| is_name_byte(**byte)).count();
        let name = BString::from(&rest[..length]);
        expression.at += length;
        let mut index = None;
        if self.shell.dialect.is_bash() && expression.raw() == Some(b'[') {
            expression.at += 1;
            self.machine.budget.step().map_err(Flow::from)?;
            let value = self.assignment(expression, counts)?;
            if !expression.take("]") {
                return Err(Wrong::Error(Cause::Syntax));
            }
            index = Some(value);
        }
        Ok(Some(Target { name, index }))
    }

    fn variable(&mut self, target: &Target, depth: usize, counts: Counts) -> Computed<i64> {
        if counts == Counts::No {
            return Ok(0);
        }
        let value = match target.index {
            Some(index) => self.element_at(&target.name, index)?,
            None => self.variable_value(&target.name)?,
        };
        let Some(value) = value else {
            // The others do not look at `set -u` here.
            if self.shell.options.nounset && self.shell.dialect.is_bash() {
                self.unset_error(&target.name.to_string())?;
            }
            return Ok(0);
        };
        if let Some(number) = plain_number(value.trim()) {
            return Ok(number);
        }
        if self.shell.dialect == Dialect::Bash {
            if depth >= DEEPEST {
                let refused: Eval<()> = self.refuse(target.name.to_string(), "nested expressions");
                refused?;
            }
            return self.compute(&value, depth + 1);
        }
        if value.trim().is_empty() {
            return Ok(0);
        }
        self.say(format!("Illegal number: {value}"))?;
        self.fatal::<()>()?;
        Ok(0)
    }

    fn assign_number(&mut self, target: &Target, value: i64) -> Eval<()> {
        let value = BString::from(value.to_string());
        match target.index {
            Some(index) => self.assign_element(&target.name, index, value),
            None => self.assign_scalar(&target.name, value),
        }
    }
}

impl Wrong {
    /// The same where the divisor begins at `from`.
    fn at(self, text: &[u8], from: usize) -> Self {
        match self {
            Wrong::Error(Cause::DivisionByZero(None)) => {
                let expression = text.trim_start().into();
                let rest = text.get(from..).unwrap_or_default().into();
                Wrong::Error(Cause::DivisionByZero(Some(Division { expression, rest })))
            }
            wrong => wrong,
        }
    }
}

/// What an expression assigns to.
struct Target {
    name: BString,
    index: Option<i64>,
}

impl Counts {
    fn and(self, condition: bool) -> Self {
        if condition { self } else { Counts::No }
    }
}

fn binary(operator: &str, left: i64, right: i64, counts: Counts) -> Computed<i64> {
    let divides = matches!(operator, "/" | "%");
    if divides && right == 0 {
        return match counts {
            Counts::Yes => Err(Wrong::Error(Cause::DivisionByZero(None))),
            Counts::No => Ok(0),
        };
    }
    Ok(match operator {
        "+" => left.wrapping_add(right),
        "-" => left.wrapping_sub(right),
        "*" => left.wrapping_mul(right),
        "/" => left.wrapping_div(right),
        "%" => left.wrapping_rem(right),
        "**" => power(left, right)?,
        "<<" => left.wrapping_shl((right & 63) as u32),
        ">>" => left.wrapping_shr((right & 63) as u32),
        "&" => left & right,
        "|" => left | right,
        "^" => left ^ right,
        "==" => i64::from(left == right),
        "!=" => i64::from(left != right),
        "<" => i64::from(left < right),
        ">" => i64::from(left > right),
        "<=" => i64::from(left <= right),
        ">=" => i64::from(left >= right),
        _ => return Err(Wrong::Error(Cause::Syntax)),
    })
}

fn power(base: i64, exponent: i64) -> Computed<i64> {
    let Ok(mut left) = u64::try_from(exponent) else {
        return Err(Wrong::Error(Cause::Syntax));
    };
    let (mut result, mut square) = (1i64, base);
    while left > 0 {
        if left & 1 == 1 {
            result = result.wrapping_mul(square);
        }
        square = square.wrapping_mul(square);
        left >>= 1;
    }
    Ok(result)
}
