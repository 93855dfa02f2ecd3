//! Addresses, and what stands between delimiters.

use std::rc::Rc;

use super::{Failure, NO_ADDRESS_END, Parsed, Parser, Part};
use crate::programs::text::sed::replacement;
use crate::programs::text::sed::script::{Address, Pattern};
use crate::regular_expression::{Anchors, Case, Options as Meaning, Regex, RegexError};
impl Parser<'_> {
    /// The address that begins with `first`, if one does.
    pub(super) fn address(&mut self, first: u8) -> Parsed<Option<Address>> {
        Ok(Some(match first {
            b'/' => Address::Match(self.pattern_address(b'/')?),
            b'\\' => {
                let delimiter = self.next().ok_or_else(|| self.wrong(NO_ADDRESS_END))?;
                Address::Match(self.pattern_address(delimiter)?)
            }
            b'$' => Address::Last,
            b'+' => Address::More(self.number()),
            b'~' => Address::Multiple(self.number()),
            b'0'..=b'9' => {
                self.at -= 1;
                let line = self.number();
                self.skip_blanks();
                if self.peek() == Some(b'~') {
                    self.at += 1;
                    match self.number() {
                        0 => Address::Line(line),
                        step => Address::Step(line, step),
                    }
                } else {
                    Address::Line(line)
                }
            }
            _ => return Ok(None),
        }))
    }

    /// A number; 0 if there is none.
    pub(super) fn number(&mut self) -> u64 {
        self.skip_blanks();
        let mut number = 0u64;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            number = number.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        number
    }

    fn pattern_address(&mut self, delimiter: u8) -> Parsed<Pattern> {
        let Some(text) = self.delimited(delimiter, Part::Pattern) else {
            return Err(self.wrong(NO_ADDRESS_END));
        };
        let mut meaning = self.meaning();
        loop {
            self.skip_blanks();
            match self.peek() {
                Some(b'I') => meaning.case = Case::Folded,
                Some(b'M') => meaning.anchors = Anchors::Lines,
                _ => break,
            }
            self.at += 1;
        }
        self.pattern(&text, meaning)
    }

    pub(super) fn meaning(&self) -> Meaning {
        Meaning { encoding: self.settings.encoding, ..Meaning::default() }
    }

    pub(super) fn pattern(&self, text: &[u8], meaning: Meaning) -> Parsed<Pattern> {
        if text.is_empty() {
            return match meaning == self.meaning() {
                true => Ok(Pattern::Last),
                false => Err(self.wrong("cannot specify modifiers on empty regexp")),
            };
        }
        let text = replacement::pattern(text)?;
        match Regex::new(&text, self.settings.dialect, meaning) {
            Ok(regex) => Ok(Pattern::Own(Rc::new(regex))),
            Err(RegexError::Invalid(message)) => Err(self.wrong(message)),
            Err(error) => Err(Failure::Pattern(error)),
        }
    }

    /// What stands in front of the next delimiter, which is read; `None` if there is none.
    pub(super) fn delimited(&mut self, delimiter: u8, part: Part) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        loop {
            let byte = self.next()?;
            if byte == delimiter {
                return Some(text);
            }
            if byte == b'\\' && self.starts.contains(&(self.at + 1)) {
                // Only `a`, `i` and `c` go on in the next piece of the script.
                return None;
            }
            match byte {
                b'\n' => {
                    self.at -= 1;
                    return None;
                }
                b'\\' => match self.next()? {
                    b'n' if part == Part::Pattern => text.push(b'\n'),
                    b'\n' => text.push(b'\n'),
                    escaped if escaped == delimiter => {
                        if part == Part::Replacement && escaped == b'&' {
                            text.push(b'\\');
                        }
                        text.push(escaped);
                    }
                    escaped => text.extend_from_slice(&[b'\\', escaped]),
                },
                b'[' if part == Part::Pattern => {
                    text.push(b'[');
                    self.bracket(delimiter, &mut text)?;
                }
                _ => text.push(byte),
            }
        }
    }

    /// A bracket expression, in which delimiters are characters like others.
    fn bracket(&mut self, delimiter: u8, text: &mut Vec<u8>) -> Option<()> {
        if self.peek() == Some(b'^') {
            self.at += 1;
            text.push(b'^');
        }
        if self.peek() == Some(b']') {
            self.at += 1;
            text.push(b']');
        }
        loop {
            let byte = self.next()?;
            match (byte, self.peek()) {
                (b'\n', _) => {
                    self.at -= 1;
                    return None;
                }
                (b']', _) => {
                    text.push(byte);
                    return Some(());
                }
                (b'[', Some(kind @ (b':' | b'.' | b'='))) => {
                    let rest = &self.text[self.at + 1..];
                    let length = rest.windows(2).position(|pair| pair == [kind, b']'])?;
                    text.push(b'[');
                    text.extend_from_slice(&self.text[self.at..self.at + length + 3]);
                    self.at += length + 3;
                }
                (b'\\', Some(b'n')) => {
                    self.at += 1;
                    text.push(b'\n');
                }
                (b'\\', Some(next)) if next == delimiter => {
                    self.at += 1;
                    text.push(delimiter);
                }
                _ => text.push(byte),
            }
        }
    }
}
