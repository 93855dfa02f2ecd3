//! The text of an arithmetic expression, operator by operator.

use bstr::ByteSlice;

use super::arithmetic::{Cause, Computed, DEEPEST, Wrong};
use crate::evaluate::dialect::Dialect;

/// Operators with two sides, by how closely they bind; those of one length that begin alike are
/// told apart by their length.
const BINARY: [(&str, u8); 19] = [
    ("||", 1),
    ("&&", 2),
    ("==", 6),
    ("!=", 6),
    ("<<", 8),
    (">>", 8),
    ("<=", 7),
    (">=", 7),
    ("**", 11),
    ("|", 3),
    ("^", 4),
    ("&", 5),
    ("<", 7),
    (">", 7),
    ("+", 9),
    ("-", 9),
    ("*", 10),
    ("/", 10),
    ("%", 10),
];

/// Operators that assign.
const ASSIGNING: [&str; 11] = ["<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "="];

/// An expression while it is read.
pub(super) struct Expression<'t> {
    pub(super) text: &'t [u8],
    pub(super) at: usize,
    pub(super) depth: usize,
}

impl Expression<'_> {
    pub(super) fn enter(&mut self) -> Computed<()> {
        self.depth += 1;
        if self.depth > DEEPEST * 4 { Err(Wrong::Error(Cause::Syntax)) } else { Ok(()) }
    }

    pub(super) fn raw(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    pub(super) fn rest(&self) -> &[u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// The next byte that is no space.
    pub(super) fn peek(&mut self) -> Option<u8> {
        while self.raw().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
        self.raw()
    }

    pub(super) fn take(&mut self, expected: &str) -> bool {
        self.peek();
        let is_next = self.rest().starts_with(expected.as_bytes());
        if is_next {
            self.at += expected.len();
        }
        is_next
    }

    pub(super) fn assigning(&mut self) -> Option<&'static str> {
        self.peek();
        let rest = self.rest();
        let found = ASSIGNING.iter().find(|operator| rest.starts_with(operator.as_bytes()))?;
        if *found == "=" && rest.starts_with(b"==") {
            return None;
        }
        self.at += found.len();
        Some(found)
    }

    pub(super) fn binary(&mut self, dialect: Dialect, least: u8) -> Option<(&'static str, u8)> {
        self.peek();
        let rest = self.rest();
        let is_known = |operator: &str| operator != "**" || dialect != Dialect::Dash;
        let found = BINARY
            .iter()
            .find(|(operator, _)| is_known(operator) && rest.starts_with(operator.as_bytes()))?;
        let (operator, closeness) = *found;
        if closeness < least {
            return None;
        }
        self.at += operator.len();
        Some((operator, closeness))
    }

    pub(super) fn number(&mut self, dialect: Dialect) -> Computed<i64> {
        let rest = self.rest();
        let is_part = |byte: &&u8| byte.is_ascii_alphanumeric() || b"_@#".contains(byte);
        let length = rest.iter().take_while(is_part).count();
        let text = rest[..length].to_vec();
        self.at += length;
        let based = || {
            let (base, digits) = text.split_once_str("#")?;
            let base: u32 = base.to_str().ok()?.parse().ok()?;
            let is_known = dialect.is_bash() && (2..=36).contains(&base);
            if !is_known {
                return None;
            }
            i64::from_str_radix(digits.to_str().ok()?, base).ok()
        };
        plain_number(&text).or_else(based).ok_or(Wrong::Error(Cause::Syntax))
    }
}

/// A decimal, octal or hexadecimal number, with a sign.
pub(super) fn plain_number(text: &[u8]) -> Option<i64> {
    let (digits, is_negative) = match text {
        [b'-', digits @ ..] => (digits, true),
        [b'+', digits @ ..] => (digits, false),
        digits => (digits, false),
    };
    let digits = digits.to_str().ok()?;
    if !digits.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let value = if let Some(digits) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        if digits.starts_with('+') {
            return None;
        }
        i64::from_str_radix(digits, 16).ok()?
    } else if digits.len() > 1 && digits.starts_with('0') {
        i64::from_str_radix(digits, 8).ok()?
    } else {
        digits.parse().ok()?
    };
    Some(if is_negative { -value } else { value })
}
