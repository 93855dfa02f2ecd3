//! Values: numbers, strings, and what is either (POSIX XCU awk, "Expressions in awk").

use bstr::{BString, ByteSlice};

/// A value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    /// Of a variable that nothing was assigned to: 0 and the empty string.
    Unset,
    Number(f64),
    Text(BString),
    /// A string from outside that looks like a number.
    Numeric(BString, f64),
}

/// Why a value is not understood; a fragment that fits behind the command's name.
pub(super) type Unknown = &'static str;

impl Value {
    pub(super) fn text(text: impl Into<BString>) -> Self {
        Value::Text(text.into())
    }

    pub(super) fn of_bool(is_true: bool) -> Self {
        Value::Number(f64::from(u8::from(is_true)))
    }

    /// What comes from outside: fields, arguments, the environment.
    pub(super) fn input(text: impl Into<BString>) -> Self {
        let text = text.into();
        match looks_numeric(&text) {
            Some(number) => Value::Numeric(text, number),
            None => Value::Text(text),
        }
    }

    pub(super) fn number(&self) -> Result<f64, Unknown> {
        match self {
            Value::Unset => Ok(0.0),
            Value::Number(number) | Value::Numeric(_, number) => Ok(*number),
            Value::Text(text) => number_in(text),
        }
    }

    /// The string, with `format` for numbers that are no integers (`CONVFMT`, `OFMT`).
    pub(super) fn string(&self, format: &[u8]) -> Result<BString, Unknown> {
        match self {
            Value::Unset => Ok(BString::default()),
            Value::Text(text) | Value::Numeric(text, _) => Ok(text.clone()),
            Value::Number(number) => shown(*number, format),
        }
    }

    pub(super) fn is_true(&self) -> bool {
        match self {
            Value::Unset => false,
            Value::Number(number) | Value::Numeric(_, number) => *number != 0.0,
            Value::Text(text) => !text.is_empty(),
        }
    }

    fn is_text(&self) -> bool {
        matches!(self, Value::Text(_))
    }

    /// Numbers are compared as numbers, and everything else as strings.
    pub(super) fn compare(
        &self,
        other: &Value,
        format: &[u8],
    ) -> Result<Option<std::cmp::Ordering>, Unknown> {
        if self.is_text() || other.is_text() {
            return Ok(Some(self.string(format)?.cmp(&other.string(format)?)));
        }
        Ok(self.number()?.partial_cmp(&other.number()?))
    }
}

/// Numbers up to this are printed as integers, if they are.
const LARGEST_INTEGER: f64 = 2_147_483_647.0;

fn shown(number: f64, format: &[u8]) -> Result<BString, Unknown> {
    if number.is_nan() {
        return Err("has a result that is not a number");
    }
    if number == 0.0 {
        return Ok("0".into());
    }
    if number.fract() == 0.0 && number.abs() <= LARGEST_INTEGER {
        return Ok(format!("{number}").into());
    }
    super::format::format(format, &[Value::Number(number)])
}

fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n')
}

/// The number at the start of a string, behind blanks; 0 if there is none. What strtod(3) also
/// takes for a number, and POSIX does not, is not understood.
fn number_in(text: &[u8]) -> Result<f64, Unknown> {
    let rest = text.trim_start_with(|c| c.is_ascii_whitespace());
    let unsigned = rest.strip_prefix(b"-").or(rest.strip_prefix(b"+")).unwrap_or(rest);
    let head: Vec<u8> = unsigned.iter().take(3).map(u8::to_ascii_lowercase).collect();
    if head.starts_with(b"0x") || head == b"inf" || head == b"nan" {
        return Err("takes a hexadecimal number, or an infinite one, from a string");
    }
    Ok(leading_number(rest).0)
}

fn looks_numeric(text: &[u8]) -> Option<f64> {
    let text = text.trim_with(|c| c.is_ascii() && is_blank(c as u8));
    let (number, length) = leading_number(text);
    (length > 0 && length == text.len()).then_some(number)
}

/// A decimal number at the start of `text`, and its length; 0 and no length if there is none.
pub(super) fn leading_number(text: &[u8]) -> (f64, usize) {
    let digits = |from: usize| {
        let rest = text.get(from..).unwrap_or_default();
        rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut at = usize::from(matches!(text.first(), Some(b'+' | b'-')));
    let whole = digits(at);
    at += whole;
    let mut parts = 0;
    if text.get(at) == Some(&b'.') {
        parts = digits(at + 1);
        if whole + parts > 0 {
            at += 1 + parts;
        }
    }
    if whole + parts == 0 {
        return (0.0, 0);
    }
    if matches!(text.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(text.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at + 1 + sign);
        if exponent > 0 {
            at += 1 + sign + exponent;
        }
    }
    let number = text[..at].to_str().ok().and_then(|text| text.parse().ok());
    (number.unwrap_or(0.0), at)
}
