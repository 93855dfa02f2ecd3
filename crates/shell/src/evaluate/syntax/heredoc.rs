//! Here-documents (POSIX XCU 2.7.4).

use std::cell::OnceCell;
use std::rc::Rc;

use bstr::{BString, ByteSlice};

use super::scan::{Parsed, Parser};
use super::tree::{Part, Word};

/// One whose text is still to come.
pub(super) struct Pending {
    pub(super) delimiter: BString,
    pub(super) body: Rc<OnceCell<Word>>,
    pub(super) tabs: Tabs,
    pub(super) text: Text,
    /// The command that it is noted with.
    pub(super) note: Option<usize>,
}

/// Tabs at the start of lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tabs {
    Kept,
    /// `<<-`
    Removed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    Expanded,
    /// The delimiter has quotes.
    Literal,
}

impl Parser<'_> {
    /// The delimiter behind `<<`, and whether it has quotes.
    pub(super) fn heredoc_delimiter(&mut self, word: &Word) -> Parsed<(BString, Text)> {
        let mut delimiter = BString::default();
        let mut text = Text::Expanded;
        for part in &word.parts {
            match part {
                Part::Literal(piece) => delimiter.extend_from_slice(piece),
                Part::Quoted(piece) => {
                    delimiter.extend_from_slice(piece);
                    text = Text::Literal;
                }
                Part::Double(pieces) => {
                    text = Text::Literal;
                    for piece in pieces {
                        match piece {
                            Part::Literal(piece) | Part::Quoted(piece) => {
                                delimiter.extend_from_slice(piece);
                            }
                            _ => return Err(self.error("an expansion as a delimiter")),
                        }
                    }
                }
                _ => return Err(self.error("an expansion as a delimiter")),
            }
        }
        Ok((delimiter, text))
    }

    /// Reads the bodies that begin at this line.
    pub(super) fn read_heredocs(&mut self) -> Parsed<()> {
        for pending in std::mem::take(&mut self.heredocs) {
            let (line, start) = (self.line, self.at);
            let text = self.heredoc_text(&pending)?;
            if let (Some(notes), Some(number)) = (&self.notes, pending.note) {
                notes.add_document(number, &self.text[start..self.at]);
            }
            let word = match pending.text {
                Text::Literal => Word { parts: vec![Part::Quoted(text)] },
                Text::Expanded => {
                    let mut parser = self.nested(&text);
                    parser.line = line;
                    Word { parts: vec![Part::Double(parser.heredoc_parts()?)] }
                }
            };
            // Each body is set once, here.
            let _ = pending.body.set(word);
        }
        Ok(())
    }

    fn heredoc_text(&mut self, pending: &Pending) -> Parsed<BString> {
        let mut text = BString::default();
        let mut is_continued = false;
        loop {
            let rest = &self.text[self.at..];
            if rest.is_empty() {
                return Err(self.error(format!(
                    "syntax error: the here-document has no end `{}`",
                    pending.delimiter
                )));
            }
            let end = rest.find_byte(b'\n');
            let mut line = &rest[..end.unwrap_or(rest.len())];
            self.at += end.map_or(rest.len(), |end| end + 1);
            self.line += 1;
            if pending.tabs == Tabs::Removed && !is_continued {
                line = line.trim_start_with(|character| character == '\t');
            }
            if !is_continued && line == pending.delimiter.as_bytes() {
                return Ok(text);
            }
            text.extend_from_slice(line);
            text.push(b'\n');
            let backslashes = line.iter().rev().take_while(|byte| **byte == b'\\').count();
            is_continued = pending.text == Text::Expanded && backslashes % 2 == 1;
        }
    }
}
