//! Which part of a line is compared: `-k 2,3n`.

use bstr::{BStr, ByteSlice};

use super::compare::{Style, is_blank};

/// A key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Key {
    /// Field and character where it begins, from 0.
    start: (usize, usize),
    /// Field and character, counted from 1, where it ends; the whole field for the character 0.
    end: Option<(usize, usize)>,
    start_skips: bool,
    end_skips: bool,
    pub(super) style: Style,
}

impl Key {
    /// The whole line.
    pub(super) fn whole(style: Style) -> Self {
        Key { start: (0, 0), end: None, start_skips: style.skips_blanks, end_skips: false, style }
    }

    /// Reads `FIELD[.CHARACTER][LETTERS][,FIELD[.CHARACTER][LETTERS]]`.
    pub(super) fn read(text: &BStr) -> Option<Self> {
        let (from, to) = match text.split_once_str(",") {
            Some((from, to)) => (from, Some(to)),
            None => (text.as_bytes(), None),
        };
        let mut style = Style::default();
        let (start, start_skips) = position(from, &mut style)?;
        let start = (start.0.checked_sub(1)?, start.1.unwrap_or(1).checked_sub(1)?);
        let (mut end, mut end_skips) = (None, false);
        if let Some(to) = to {
            let (found, skips) = position(to, &mut style)?;
            if found.0 == 0 {
                return None;
            }
            end = Some((found.0, found.1.unwrap_or(0)));
            end_skips = skips;
        }
        Some(Key { start, end, start_skips, end_skips, style })
    }

    /// Whether it has letters of its own.
    pub(super) fn has_style(&self) -> bool {
        !self.style.is_plain() || self.style.reverses || self.start_skips || self.end_skips
    }

    /// With the letters of all keys, which skip blanks at both ends.
    pub(super) fn with(self, style: &Style) -> Self {
        let skips = style.skips_blanks;
        Key { start_skips: skips, end_skips: skips, style: style.clone(), ..self }
    }

    /// The key's part of a line.
    pub(super) fn of<'l>(&self, line: &'l [u8], separator: Option<u8>) -> &'l [u8] {
        let mut start = field(line, self.start.0, separator);
        if self.start_skips {
            start = behind_blanks(line, start);
        }
        start = start.saturating_add(self.start.1).min(line.len());
        let end = match self.end {
            None => line.len(),
            Some((number, 0)) => field_end(line, number, separator),
            Some((number, characters)) => {
                let mut at = field(line, number - 1, separator);
                if self.end_skips {
                    at = behind_blanks(line, at);
                }
                at.saturating_add(characters).min(line.len())
            }
        };
        &line[start..end.max(start)]
    }
}

/// A field's number, a character's, and letters.
fn position(text: &[u8], style: &mut Style) -> Option<((usize, Option<usize>), bool)> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let number = |text: &[u8]| text.to_str().ok()?.parse::<usize>().ok();
    let length = digits(text);
    let field = number(&text[..length])?;
    let mut rest = &text[length..];
    let mut character = None;
    if let Some(behind) = rest.strip_prefix(b".") {
        let length = digits(behind);
        character = Some(number(&behind[..length])?);
        rest = &behind[length..];
    }
    let mut skips = false;
    for letter in rest {
        match letter {
            b'b' => skips = true,
            letter if !style.set(*letter) => return None,
            _ => {}
        }
    }
    Some(((field, character), skips))
}

/// Where a field begins, its blanks with it.
fn field(line: &[u8], number: usize, separator: Option<u8>) -> usize {
    let mut at = 0;
    for _ in 0..number {
        if at >= line.len() {
            break;
        }
        at = match separator {
            Some(separator) => {
                let rest = &line[at..];
                let length = rest.iter().position(|byte| *byte == separator);
                length.map_or(line.len(), |length| at + length + 1)
            }
            None => end_of_word(line, at),
        };
    }
    at
}

/// Where a field, counted from 1, ends.
fn field_end(line: &[u8], number: usize, separator: Option<u8>) -> usize {
    let at = field(line, number - 1, separator);
    match separator {
        Some(separator) => {
            let rest = &line[at..];
            rest.iter().position(|byte| *byte == separator).map_or(line.len(), |end| at + end)
        }
        None => end_of_word(line, at),
    }
}

/// Behind blanks and what is none.
fn end_of_word(line: &[u8], at: usize) -> usize {
    let start = behind_blanks(line, at);
    let rest = &line[start..];
    start + rest.iter().position(|byte| is_blank(*byte)).unwrap_or(rest.len())
}

fn behind_blanks(line: &[u8], at: usize) -> usize {
    let rest = &line[at..];
    at + rest.iter().position(|byte| !is_blank(*byte)).unwrap_or(rest.len())
}
