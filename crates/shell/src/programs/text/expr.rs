//! `expr`: arithmetic, comparisons and strings (POSIX XCU, `expr`, and GNU's additions).

use bstr::{BString, ByteSlice};

use super::busybox;
use super::locale::{Charset, charset, refuse_collation, refuse_wide};
use crate::process::{Process, Run};
use crate::programs::Flavour;
use crate::programs::quoting::cited;
use crate::regular_expression::{Encoding, Options, Regex, RegexError};
use crate::stop::{Reason, Stop};

/// Writes the value of an expression; the status tells whether it is null or zero.
pub(super) fn expr(process: &mut Process<'_, '_>) -> Run {
    let mut words = process.arguments().to_vec();
    match &words[..] {
        [word] if word == "--help" || word == "--version" => {
            return Err(process.refuse(Reason::Option(word.to_string())));
        }
        [first, ..] if first == "--" => {
            words.remove(0);
        }
        _ => {}
    }
    if words.is_empty() {
        busybox::refuse(process)?;
        process.complain("missing operand")?;
        process.write_to(2, b"Try 'expr --help' for more information.\n")?;
        return Ok(2);
    }
    let mut reader = Reader { process, words: &words, at: 0, depth: 0 };
    let value = reader.or(Mode::Evaluated).and_then(|value| match reader.word() {
        Some(word) => Err(Wrong::syntax(format!("unexpected argument {}", cited(word)))),
        None => Ok(value),
    });
    match value {
        Ok(value) => {
            process.write([&value[..], b"\n"].concat())?;
            Ok(u8::from(is_null(&value)))
        }
        Err(Wrong::Told(message)) => {
            busybox::refuse(process)?;
            process.complain(message)?;
            Ok(2)
        }
        Err(Wrong::Stop(stop)) => Err(stop),
    }
}

/// Why there is no value.
enum Wrong {
    Told(String),
    Stop(Stop),
}

impl Wrong {
    fn syntax(message: String) -> Self {
        Wrong::Told(format!("syntax error: {message}"))
    }
}

impl From<Stop> for Wrong {
    fn from(stop: Stop) -> Self {
        Wrong::Stop(stop)
    }
}

/// Whether an operand's value counts, or only its end is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Evaluated,
    Skipped,
}

type Value = Result<BString, Wrong>;

/// Parentheses and functions are not deeper inside of each other.
const MOST_DEPTH: usize = 200;

struct Reader<'p, 'm, 'o: 'm> {
    process: &'p Process<'m, 'o>,
    words: &'p [BString],
    at: usize,
    depth: usize,
}

impl<'p> Reader<'p, '_, '_> {
    fn word(&self) -> Option<&'p BString> {
        self.words.get(self.at)
    }

    /// Takes the next word if it is one of these.
    fn take(&mut self, operators: &[&'static str]) -> Option<&'static str> {
        let word = self.word()?;
        let found = operators.iter().find(|operator| word == **operator).copied();
        self.at += usize::from(found.is_some());
        found
    }

    fn or(&mut self, mode: Mode) -> Value {
        let mut value = self.and(mode)?;
        while self.take(&["|"]).is_some() {
            let other = self.and(if is_null(&value) { mode } else { self.skipped(mode) })?;
            if is_null(&value) {
                value = if is_null(&other) { "0".into() } else { other };
            }
        }
        Ok(value)
    }

    /// BusyBox's looks at what does not count, too.
    fn skipped(&self, mode: Mode) -> Mode {
        if self.process.flavour == Flavour::BusyBox { mode } else { Mode::Skipped }
    }

    fn and(&mut self, mode: Mode) -> Value {
        let mut value = self.comparison(mode)?;
        while self.take(&["&"]).is_some() {
            let other = self.comparison(if is_null(&value) { self.skipped(mode) } else { mode })?;
            if is_null(&value) || is_null(&other) {
                value = "0".into();
            }
        }
        Ok(value)
    }

    fn comparison(&mut self, mode: Mode) -> Value {
        let mut value = self.sum(mode)?;
        while let Some(operator) = self.take(&["<", "<=", "=", "==", "!=", ">=", ">"]) {
            let other = self.sum(mode)?;
            if mode == Mode::Skipped {
                continue;
            }
            let order = if is_integer(&value) && is_integer(&other) {
                self.integer(&value)?.cmp(&self.integer(&other)?)
            } else {
                refuse_collation(self.process)?;
                value.cmp(&other)
            };
            let is_true = match operator {
                "<" => order.is_lt(),
                "<=" => order.is_le(),
                "=" | "==" => order.is_eq(),
                "!=" => order.is_ne(),
                ">=" => order.is_ge(),
                _ => order.is_gt(),
            };
            value = if is_true { "1".into() } else { "0".into() };
        }
        Ok(value)
    }

    fn sum(&mut self, mode: Mode) -> Value {
        let mut value = self.product(mode)?;
        while let Some(operator) = self.take(&["+", "-"]) {
            let other = self.product(mode)?;
            value = self.calculated(mode, value, operator, &other)?;
        }
        Ok(value)
    }

    fn product(&mut self, mode: Mode) -> Value {
        let mut value = self.matched(mode)?;
        while let Some(operator) = self.take(&["*", "/", "%"]) {
            let other = self.matched(mode)?;
            value = self.calculated(mode, value, operator, &other)?;
        }
        Ok(value)
    }

    fn calculated(&self, mode: Mode, left: BString, operator: &str, right: &[u8]) -> Value {
        if mode == Mode::Skipped {
            return Ok(left);
        }
        if !is_integer(&left) || !is_integer(right) {
            return Err(Wrong::Told("non-integer argument".to_owned()));
        }
        let (left, right) = (self.integer(&left)?, self.integer(right)?);
        if right == 0 && matches!(operator, "/" | "%") {
            return Err(Wrong::Told("division by zero".to_owned()));
        }
        let value = match operator {
            "+" => left.checked_add(right),
            "-" => left.checked_sub(right),
            "*" => left.checked_mul(right),
            "/" => left.checked_div(right),
            _ => left.checked_rem(right),
        };
        let value = value.ok_or_else(|| self.refuse("has a very large number"))?;
        Ok(value.to_string().into())
    }

    fn matched(&mut self, mode: Mode) -> Value {
        let mut value = self.function(mode)?;
        while self.take(&[":"]).is_some() {
            let pattern = self.function(mode)?;
            if mode == Mode::Evaluated {
                value = self.searched(&value, &pattern)?;
            }
        }
        Ok(value)
    }

    fn function(&mut self, mode: Mode) -> Value {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return Err(self.refuse("is very deep").into());
        }
        let value = match self.take(&["+", "length", "match", "index", "substr"]) {
            Some("+") => {
                busybox::refuse(self.process)?;
                self.next()
            }
            Some("length") => {
                let text = self.function(mode)?;
                self.plain(&text)?;
                Ok(text.len().to_string().into())
            }
            Some("match") => {
                let text = self.function(mode)?;
                let pattern = self.function(mode)?;
                match mode {
                    Mode::Evaluated => self.searched(&text, &pattern),
                    Mode::Skipped => Ok(text),
                }
            }
            Some("index") => {
                let text = self.function(mode)?;
                let wanted = self.function(mode)?;
                self.plain(&text)?;
                self.plain(&wanted)?;
                let at = text.iter().position(|byte| wanted.contains(byte));
                Ok(at.map_or(0, |at| at + 1).to_string().into())
            }
            Some(_) => {
                let text = self.function(mode)?;
                let start = self.function(mode)?;
                let length = self.function(mode)?;
                self.plain(&text)?;
                Ok(part(&text, &start, &length))
            }
            None => self.primary(mode),
        };
        self.depth -= 1;
        value
    }

    fn primary(&mut self, mode: Mode) -> Value {
        if self.take(&["("]).is_some() {
            let value = self.or(mode)?;
            return match (self.take(&[")"]), self.word()) {
                (Some(_), _) => Ok(value),
                (None, Some(word)) => {
                    Err(Wrong::syntax(format!("expecting ')' instead of {}", cited(word))))
                }
                (None, None) => {
                    let last = self.words.last().map(|last| cited(last)).unwrap_or_default();
                    Err(Wrong::syntax(format!("expecting ')' after {last}")))
                }
            };
        }
        if self.take(&[")"]).is_some() {
            return Err(Wrong::syntax("unexpected ')'".to_owned()));
        }
        self.next()
    }

    /// The next word, whatever it is.
    fn next(&mut self) -> Value {
        let Some(word) = self.word() else {
            let last = self.words.last().map(|last| cited(last)).unwrap_or_default();
            return Err(Wrong::syntax(format!("missing argument after {last}")));
        };
        self.at += 1;
        Ok(word.clone())
    }

    /// What a pattern matches at the beginning of a text: its group, or how long that is.
    fn searched(&self, text: &[u8], pattern: &[u8]) -> Value {
        let encoding = match charset(self.process, "LC_CTYPE")? {
            Charset::Bytes => Encoding::Bytes,
            Charset::Utf8 => Encoding::Utf8,
        };
        let wrong = |error: RegexError| match error {
            RegexError::Invalid(message) => Wrong::Told(message.to_owned()),
            error => Wrong::Stop(error.refusal(self.process)),
        };
        let options = Options { encoding, ..Options::default() };
        let regex = Regex::basic(pattern, options).map_err(wrong)?;
        let found = regex.find_at(text, 0).map_err(wrong)?.filter(|found| found.span().start == 0);
        if regex.groups() > 0 {
            let group = found.and_then(|found| found.group(1));
            return Ok(group.map(|group| BString::from(&text[group])).unwrap_or_default());
        }
        let matched = &text[found.map(|found| found.span()).unwrap_or_default()];
        self.plain(matched)?;
        Ok(matched.len().to_string().into())
    }

    /// Refuses to count what may be characters of several bytes.
    fn plain(&self, text: &[u8]) -> Result<(), Wrong> {
        Ok(refuse_wide(self.process, text)?)
    }

    fn integer(&self, digits: &[u8]) -> Result<i128, Wrong> {
        let value = digits.to_str().ok().and_then(|digits| digits.parse().ok());
        value.ok_or_else(|| self.refuse("has a very large number").into())
    }

    fn refuse(&self, what: &str) -> Stop {
        self.process.refuse(Reason::Use(what.to_owned()))
    }
}

/// Nothing, or nothing but zeros.
fn is_null(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    value.is_empty() || (!digits.is_empty() && digits.iter().all(|digit| *digit == b'0'))
}

fn is_integer(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

/// A part of a text; nothing for positions that are no numbers, or not in it.
fn part(text: &[u8], start: &[u8], length: &[u8]) -> BString {
    let number = |digits: &[u8]| match is_integer(digits) {
        false => None,
        true if digits.starts_with(b"-") => None,
        // What is too large is as good as the largest.
        true => Some(digits.to_str().ok()?.parse().unwrap_or(usize::MAX)).filter(|n| *n > 0),
    };
    let (Some(start), Some(length)) = (number(start), number(length)) else {
        return BString::default();
    };
    let rest = text.get(start - 1..).unwrap_or_default();
    BString::from(&rest[..length.min(rest.len())])
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;
    use crate::programs::text::trial::check;

    #[test]
    fn values_are_as_gnu_has_them() {
        check(
            &Image::new(),
            None,
            &[
                (&["expr", "1", "+", "2"], "", "3\n"),
                (&["expr", "7", "/", "2", "*", "2"], "", "6\n"),
                (&["expr", "-7", "%", "3"], "", "-1\n"),
                (&["expr", "1", "/", "0"], "", "!expr: division by zero\n=2"),
                (&["expr", "a", "+", "1"], "", "!expr: non-integer argument\n=2"),
                (&["expr", "2", "<", "10"], "", "1\n"),
                (&["expr", "b", "<", "a"], "", "0\n=1"),
                (&["expr", "a", "=", "a"], "", "1\n"),
                (&["expr", "01", "=", "1"], "", "1\n"),
                (&["expr", "", "|", "b"], "", "b\n"),
                (&["expr", "a", "&", "0"], "", "0\n=1"),
                (&["expr", "(", "1", "+", "2", ")", "*", "3"], "", "9\n"),
                (&["expr", "length", "abc"], "", "3\n"),
                (&["expr", "substr", "abcdef", "2", "3"], "", "bcd\n"),
                (&["expr", "index", "abc", "c"], "", "3\n"),
                (&["expr", "match", "abc", "a\\(.\\)"], "", "b\n"),
                (&["expr", "abc", ":", ".*"], "", "3\n"),
                (&["expr", "v1.2", ":", "v\\([0-9]*\\)"], "", "1\n"),
                (&["expr", "abc", ":", "x"], "", "0\n=1"),
                (&["expr", "abc", ":", "\\(x\\)"], "", "\n=1"),
                (&["expr", "+", "length"], "", "length\n"),
                (&["expr", "0"], "", "0\n=1"),
                (
                    &["expr"],
                    "",
                    "!expr: missing operand\nTry 'expr --help' for more information.\n=2",
                ),
                (&["expr", "1", "+"], "", "!expr: syntax error: missing argument after '+'\n=2"),
                (&["expr", "1", "2"], "", "!expr: syntax error: unexpected argument '2'\n=2"),
                (&["expr", "(", "1"], "", "!expr: syntax error: expecting ')' after '1'\n=2"),
                (
                    &["expr", "(", "1", "2"],
                    "",
                    "!expr: syntax error: expecting ')' instead of '2'\n=2",
                ),
                (&["expr", ")"], "", "!expr: syntax error: unexpected ')'\n=2"),
                (&["expr", "a", ":", "\\("], "", "!expr: Unmatched ( or \\(\n=2"),
                (&["expr", "--", "1", "+", "1"], "", "2\n"),
                (&["expr", "1", "|", "1", "/", "0"], "", "1\n"),
                (&["expr", "99999999999999999999", "+", "1"], "", "100000000000000000000\n"),
            ],
        );
    }
}
