//! Field splitting (POSIX XCU 2.6.5).

use bstr::ByteSlice;

use super::pattern::Marked;
use super::{Kind, Piece};
use crate::evaluate::dialect::Dialect;
use crate::evaluate::shell::{Eval, Evaluator};

/// What `IFS` is if it is not set.
const DEFAULT: &[u8] = b" \t\n";

/// Fields while they grow.
#[derive(Default)]
struct Fields {
    all: Vec<Vec<Marked>>,
    current: Option<Vec<Marked>>,
    /// Whether white space has ended the last field, so that a delimiter may still belong to it.
    is_after_blank: bool,
}

impl Evaluator<'_, '_> {
    /// What separates fields.
    pub(in crate::evaluate) fn separators(&self) -> Vec<u8> {
        self.shell.variables.value(b"IFS").map_or(DEFAULT, |ifs| ifs.as_bytes()).to_vec()
    }

    /// Behind `"$@"` in the same word, dash makes fields of each blank of several.
    pub(super) fn check_blanks(&self, pieces: &[Piece]) -> Eval<()> {
        let mut behind = pieces.iter().skip_while(|piece| **piece != Piece::Break);
        let is_blank = |byte: &u8| DEFAULT.contains(byte);
        let has_several = |text: &[u8]| text.windows(2).any(|two| two.iter().all(is_blank));
        let is_odd = behind
            .any(|piece| matches!(piece, Piece::Text(text, Kind::Expanded) if has_several(text)));
        match is_odd && self.shell.dialect == Dialect::Dash {
            true => self.refuse("\"$@\"", "several blanks in an expansion behind it"),
            false => Ok(()),
        }
    }

    pub(super) fn split(&self, pieces: Vec<Piece>) -> Vec<Vec<Marked>> {
        let separators = self.separators();
        let mut fields = Fields::default();
        for piece in pieces {
            match piece {
                Piece::Text(text, Kind::Expanded) => fields.expanded(&text, &separators),
                Piece::Text(text, kind) => {
                    fields.is_after_blank = false;
                    let current = fields.current.get_or_insert_default();
                    current.extend(kind.marked(&text));
                }
                Piece::Break => {
                    fields.end();
                    fields.is_after_blank = false;
                }
                Piece::Nothing => {}
            }
        }
        fields.end();
        fields.all
    }
}

impl Fields {
    fn end(&mut self) {
        self.all.extend(self.current.take());
    }

    fn expanded(&mut self, text: &[u8], separators: &[u8]) {
        for byte in text {
            let separates = separators.contains(byte);
            if !separates {
                self.is_after_blank = false;
                self.current.get_or_insert_default().push((*byte, false));
            } else if DEFAULT.contains(byte) {
                if self.current.is_some() {
                    self.end();
                    self.is_after_blank = true;
                }
            } else if self.is_after_blank {
                self.is_after_blank = false;
            } else {
                let field = self.current.take().unwrap_or_default();
                self.all.push(field);
            }
        }
    }
}

/// The words of a line for `read`: at most `most`, of which the last is all the rest. A quoted byte
/// separates nothing.
pub(in crate::evaluate) fn words_of_line(
    line: &[Marked],
    separators: &[u8],
    most: usize,
) -> Vec<Vec<u8>> {
    let separates = |marked: &Marked| !marked.1 && separators.contains(&marked.0);
    let is_blank = |marked: &Marked| separates(marked) && DEFAULT.contains(&marked.0);
    let start = line.iter().take_while(|marked| is_blank(marked)).count();
    let mut rest = &line[start..];
    let mut words = Vec::new();
    while words.len() + 1 < most && !rest.is_empty() {
        let (word, after) = next_word(rest, separates, is_blank);
        words.push(bytes(word));
        rest = after;
    }
    if !rest.is_empty() {
        // What is left is the last word, unless it is one word and its delimiter.
        let (word, after) = next_word(rest, separates, is_blank);
        let all = if after.is_empty() { word } else { without_blanks(rest, is_blank) };
        words.push(bytes(all));
    }
    words
}

fn next_word(
    line: &[Marked],
    separates: impl Fn(&Marked) -> bool,
    is_blank: impl Fn(&Marked) -> bool,
) -> (&[Marked], &[Marked]) {
    let end = line.iter().take_while(|marked| !separates(marked)).count();
    let (word, rest) = line.split_at(end);
    let mut at = rest.iter().take_while(|marked| is_blank(marked)).count();
    if rest.get(at).is_some_and(&separates) {
        at += 1;
        at += rest[at..].iter().take_while(|marked| is_blank(marked)).count();
    }
    (word, &rest[at..])
}

fn without_blanks(line: &[Marked], is_blank: impl Fn(&Marked) -> bool) -> &[Marked] {
    let blanks = line.iter().rev().take_while(|marked| is_blank(marked)).count();
    &line[..line.len() - blanks]
}

fn bytes(text: &[Marked]) -> Vec<u8> {
    text.iter().map(|(byte, _)| *byte).collect()
}
