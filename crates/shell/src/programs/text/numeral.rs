//! Whole numbers as C's `strtol` reads them with base 0.

/// A number at the beginning of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Numeral {
    is_negative: bool,
    /// `None` if it is beyond all bounds.
    magnitude: Option<u64>,
    /// How much of the text it takes; 0 if there is none.
    pub(super) length: usize,
}

/// Reads blanks, a sign, and digits: octal behind a 0, hexadecimal behind `0x`.
pub(super) fn numeral(text: &[u8]) -> Numeral {
    let is_space = |byte: &&u8| byte.is_ascii_whitespace() || **byte == 11;
    let blanks = text.iter().take_while(is_space).count();
    let sign = text.get(blanks).copied().filter(|byte| matches!(byte, b'-' | b'+'));
    let start = blanks + usize::from(sign.is_some());
    let rest = &text[start..];
    let is_hexadecimal = rest.len() > 2
        && rest[0] == b'0'
        && matches!(rest[1], b'x' | b'X')
        && rest[2].is_ascii_hexdigit();
    let (radix, prefix) = match rest {
        _ if is_hexadecimal => (16, 2),
        [b'0', ..] => (8, 0),
        _ => (10, 0),
    };
    let digits = rest[prefix..].iter().map_while(|byte| char::from(*byte).to_digit(radix));
    let mut magnitude = Some(0_u64);
    let mut length = 0;
    for digit in digits {
        let next = magnitude.and_then(|sum| sum.checked_mul(u64::from(radix)));
        magnitude = next.and_then(|sum| sum.checked_add(u64::from(digit)));
        length += 1;
    }
    let length = if length == 0 { 0 } else { start + prefix + length };
    Numeral { is_negative: sign == Some(b'-'), magnitude, length }
}

impl Numeral {
    /// This number.
    pub(super) fn whole(magnitude: u64) -> Self {
        Numeral { is_negative: false, magnitude: Some(magnitude), length: 0 }
    }

    /// As a signed number, or the nearest that there is, and whether it fits.
    pub(super) fn signed(&self) -> (i64, bool) {
        let sign = if self.is_negative { -1 } else { 1 };
        let value = self.magnitude.map(|magnitude| i128::from(magnitude) * sign);
        match value.and_then(|value| i64::try_from(value).ok()) {
            Some(value) => (value, true),
            None if self.is_negative => (i64::MIN, false),
            None => (i64::MAX, false),
        }
    }

    /// As a number without sign: a negative one counts from the other end.
    pub(super) fn unsigned(&self) -> (u64, bool) {
        match self.magnitude {
            Some(magnitude) if self.is_negative => (magnitude.wrapping_neg(), true),
            Some(magnitude) => (magnitude, true),
            None => (u64::MAX, false),
        }
    }
}
