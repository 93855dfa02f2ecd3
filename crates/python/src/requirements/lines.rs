//! A requirements file's lines as pip joins, strips and expands them, with the way back to the
//! places in the file.

use crate::Span;

/// A line without its comment, with variables expanded. It is not empty.
#[derive(Debug)]
pub(super) struct Line {
    /// The number of the first line of the file that it is made of.
    pub(super) number: usize,
    pub(super) text: String,
    pieces: Vec<Piece>,
}

/// A part of a line's text that comes from one place.
#[derive(Debug)]
struct Piece {
    /// Where it begins in the line's text.
    start: usize,
    length: usize,
    source: Span,
}

impl Line {
    fn new(number: usize) -> Self {
        Line { number, text: String::new(), pieces: Vec::new() }
    }

    fn push(&mut self, text: &str, source: Span) {
        if !text.is_empty() {
            self.pieces.push(Piece { start: self.text.len(), length: text.len(), source });
            self.text.push_str(text);
        }
    }

    /// Appends a part of another line.
    fn push_part(&mut self, other: &Line, part: Span) {
        for piece in &other.pieces {
            let start = part.start.max(piece.start);
            let end = part.end.min(piece.start + piece.length);
            if start < end {
                let source = piece.source.start + (start - piece.start);
                self.push(&other.text[start..end], source..source + (end - start));
            }
        }
    }

    /// The place in the file of a part of the text. A variable's value is at the variable.
    pub(super) fn span(&self, part: Span) -> Span {
        let start = self.piece(part.start).map_or(0, |piece| piece.source_of(part.start).start);
        if part.is_empty() {
            return start..start;
        }
        let end = self.piece(part.end - 1).map_or(start, |piece| piece.source_of(part.end - 1).end);
        start..end
    }

    fn piece(&self, at: usize) -> Option<&Piece> {
        let behind = self.pieces.partition_point(|piece| piece.start <= at);
        self.pieces.get(behind.saturating_sub(1))
    }
}

impl Piece {
    /// Where the byte at `at` of the line's text is from. A value that is as long as its variable
    /// is taken for text of the file, which does no harm: variables are ASCII.
    fn source_of(&self, at: usize) -> Span {
        if self.length != self.source.len() {
            return self.source.clone();
        }
        let start = (self.source.start + (at - self.start)).min(self.source.end);
        start..(start + 1).min(self.source.end)
    }
}

/// White space as Python's `str.isspace` and `\s` have it.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// The lines of a file that say something.
pub(super) fn lines(text: &str, environment: &dyn Fn(&str) -> Option<String>) -> Vec<Line> {
    joined(text).iter().filter_map(|line| expanded(line, stripped(line)?, environment)).collect()
}

/// Joins a line that ends in `\` with the next one. As in pip, no comment continues, and a line
/// that is a comment ends what was to be continued.
fn joined(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut open: Option<Line> = None;
    for (number, span) in physical(text) {
        let raw = &text[span.clone()];
        let is_comment = raw.trim_start_matches(is_space).starts_with('#');
        let mut line = open.take().unwrap_or_else(|| Line::new(number));
        if is_comment {
            lines.push(line);
        } else if raw.ends_with('\\') {
            let start = span.start + (raw.len() - raw.trim_start_matches('\\').len());
            let kept = raw.trim_matches('\\');
            line.push(kept, start..start + kept.len());
            open = Some(line);
        } else {
            line.push(raw, span);
            lines.push(line);
        }
    }
    lines.extend(open);
    lines
}

/// The lines that Python's `str.splitlines` finds, numbered from 1.
fn physical(text: &str) -> impl Iterator<Item = (usize, Span)> {
    let mut start = 0;
    let lines = std::iter::from_fn(move || {
        let rest = text.get(start..).filter(|rest| !rest.is_empty())?;
        let end = rest.find(ends_line).unwrap_or(rest.len());
        let line = start..start + end;
        let behind = &rest[end..];
        let width = match behind.chars().next() {
            Some('\r') if behind.starts_with("\r\n") => 2,
            Some(character) => character.len_utf8(),
            None => 0,
        };
        start = line.end + width;
        Some(line)
    });
    lines.enumerate().map(|(index, line)| (index + 1, line))
}

fn ends_line(character: char) -> bool {
    matches!(character, '\n'..='\r' | '\u{1c}'..='\u{1e}' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// The part of a line that is neither comment nor white space around. A `#` within a word, as in
/// a URL's fragment, begins no comment.
fn stripped(line: &Line) -> Option<Span> {
    let text = &line.text;
    let begins_comment = |at: &usize| text[..*at].chars().next_back().is_none_or(is_space);
    let comment = text.match_indices('#').map(|(at, _)| at).find(begins_comment);
    let kept = &text[..comment.unwrap_or(text.len())];
    let start = kept.len() - kept.trim_start_matches(is_space).len();
    let end = kept.trim_end_matches(is_space).len();
    (start < end).then_some(start..end)
}

/// Puts in the values of `${NAME}`. As in pip, the name is of capitals, digits and `_`, and what
/// has no value or an empty one stays as it is. Values are not expanded again.
fn expanded(line: &Line, part: Span, environment: &dyn Fn(&str) -> Option<String>) -> Option<Line> {
    let mut result = Line::new(line.number);
    let mut done = part.start;
    while let Some(open) = line.text[done..part.end].find("${").map(|at| done + at) {
        let rest = &line.text[open + 2..part.end];
        let is_name =
            |byte: &u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_';
        let length = rest.bytes().take_while(|byte| is_name(byte)).count();
        let name = &rest[..length];
        let is_variable = length > 0 && rest[length..].starts_with('}');
        let end = open + 2 + length + usize::from(is_variable);
        let value = is_variable.then(|| environment(name)).flatten();
        match value.filter(|value| !value.is_empty()) {
            Some(value) => {
                result.push_part(line, done..open);
                let from = line.span(open..end);
                result.push(&value, from);
            }
            None => result.push_part(line, done..end),
        }
        done = end;
    }
    result.push_part(line, done..part.end);
    (!result.text.is_empty()).then_some(result)
}
