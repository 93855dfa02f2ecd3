//! Escapes, and what a match is replaced by (GNU sed's manual, "The s Command" and "Escapes").

use bstr::{BString, ByteSlice};

use super::parse::Failure;
use crate::regular_expression::{Captures, Encoding};

/// What a match is replaced by.
#[derive(Debug, Clone, Default)]
pub(super) struct Replacement {
    parts: Vec<Part>,
}

#[derive(Debug, Clone)]
enum Part {
    Text(Vec<u8>),
    Group(usize),
    /// From here on.
    Case(Letters),
    /// The next character.
    Next(Letters),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Letters {
    AsIs,
    Upper,
    Lower,
}

impl Replacement {
    /// Reads what stands between the delimiters.
    pub(super) fn parse(text: &[u8]) -> Result<Self, Failure> {
        let mut parts = Vec::new();
        let mut plain = Vec::new();
        let mut rest = text;
        while let Some((first, behind)) = rest.split_first() {
            rest = behind;
            let part = match (first, behind.first()) {
                (b'&', _) => Part::Group(0),
                (b'\\', Some(escaped)) => {
                    rest = &behind[1..];
                    match escaped {
                        b'0'..=b'9' => Part::Group(usize::from(escaped - b'0')),
                        b'U' => Part::Case(Letters::Upper),
                        b'L' => Part::Case(Letters::Lower),
                        b'E' => Part::Case(Letters::AsIs),
                        b'u' => Part::Next(Letters::Upper),
                        b'l' => Part::Next(Letters::Lower),
                        b'n' => {
                            plain.push(b'\n');
                            continue;
                        }
                        _ => {
                            match produced(behind)? {
                                Some((byte, length)) => {
                                    plain.push(byte);
                                    rest = &behind[length..];
                                }
                                None => plain.push(*escaped),
                            }
                            continue;
                        }
                    }
                }
                _ => {
                    plain.push(*first);
                    continue;
                }
            };
            if !plain.is_empty() {
                parts.push(Part::Text(std::mem::take(&mut plain)));
            }
            parts.push(part);
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain));
        }
        Ok(Replacement { parts })
    }

    /// The highest group that is asked for.
    pub(super) fn highest_group(&self) -> usize {
        let groups = self.parts.iter().map(|part| match part {
            Part::Group(number) => *number,
            _ => 0,
        });
        groups.max().unwrap_or(0)
    }

    /// Appends what replaces a match; `None` if the case of letters beyond ASCII would matter.
    pub(super) fn append(
        &self,
        to: &mut Vec<u8>,
        text: &[u8],
        captures: &Captures,
        encoding: Encoding,
    ) -> Option<()> {
        let (mut all, mut next) = (Letters::AsIs, Letters::AsIs);
        for part in &self.parts {
            let piece = match part {
                Part::Text(piece) => &piece[..],
                Part::Group(number) => match captures.group(*number) {
                    Some(span) => &text[span],
                    None => b"",
                },
                Part::Case(letters) => {
                    (all, next) = (*letters, Letters::AsIs);
                    continue;
                }
                Part::Next(letters) => {
                    next = *letters;
                    continue;
                }
            };
            let is_plain = all == Letters::AsIs && next == Letters::AsIs;
            if !is_plain && encoding == Encoding::Utf8 && !piece.is_ascii() {
                return None;
            }
            for byte in piece {
                let letters = if next == Letters::AsIs { all } else { next };
                next = Letters::AsIs;
                to.push(match letters {
                    Letters::AsIs => *byte,
                    Letters::Upper => byte.to_ascii_uppercase(),
                    Letters::Lower => byte.to_ascii_lowercase(),
                });
            }
        }
        Some(())
    }
}

/// The character that an escape stands for, and the length of it behind the `\`; `None` if it is no
/// such escape.
pub(super) fn produced(text: &[u8]) -> Result<Option<(u8, usize)>, Failure> {
    let Some(first) = text.first() else { return Ok(None) };
    let byte = match first {
        b'a' => 0x07,
        b'f' => 0x0c,
        b'r' => b'\r',
        b't' => b'\t',
        b'v' => 0x0b,
        b'c' => match text.get(1) {
            Some(letter) if letter.is_ascii_alphabetic() => {
                return Ok(Some((letter.to_ascii_uppercase() ^ 0x40, 2)));
            }
            _ => return Err(Failure::NotUnderstood("has a control character of no letter")),
        },
        b'd' => return Ok(number(&text[1..], 10, 3)),
        b'o' => return Ok(number(&text[1..], 8, 3)),
        b'x' => return Ok(number(&text[1..], 16, 2)),
        _ => return Ok(None),
    };
    Ok(Some((byte, 1)))
}

fn number(text: &[u8], base: u32, most: usize) -> Option<(u8, usize)> {
    let digits = text.iter().take(most).map_while(|byte| char::from(*byte).to_digit(base));
    let digits: Vec<u32> = digits.collect();
    let value = digits.iter().fold(0, |value, digit| value * base + digit);
    let byte = u8::try_from(value & 0xff).ok()?;
    (!digits.is_empty()).then_some((byte, digits.len() + 1))
}

/// A regular expression with its escapes for characters replaced by these.
pub(super) fn pattern(text: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut pattern = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'\\' {
            pattern.push(*first);
            continue;
        }
        if let Some((byte, length)) = produced(behind)? {
            if matches!(byte, b'[' | b']' | b'\\' | b'^') {
                return Err(Failure::NotUnderstood("has the number of a special character"));
            }
            pattern.push(byte);
            rest = &behind[length..];
        } else {
            pattern.push(b'\\');
            if let Some((escaped, behind)) = behind.split_first() {
                pattern.push(*escaped);
                rest = behind;
            }
        }
    }
    Ok(pattern)
}

/// The text of `a`, `i` or `c`: escapes stand for characters, and a `\` is taken away.
pub(super) fn plain(text: &[u8]) -> Result<BString, Failure> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, behind)) = rest.split_first() {
        rest = behind;
        if *first != b'\\' {
            plain.push(*first);
            continue;
        }
        if let Some((byte, length)) = produced(behind)? {
            plain.push(byte);
            rest = &behind[length..];
        } else if let Some((escaped, behind)) = behind.split_first() {
            plain.push(if *escaped == b'n' { b'\n' } else { *escaped });
            rest = behind;
        }
    }
    Ok(plain.as_bstr().to_owned())
}
