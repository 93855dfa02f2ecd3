//! A line into its keyword, flags and arguments, and arguments into words
//! (BuildKit's `parser/split_command.go` and `line_parsers.go`).

use std::ops::Range;

use crate::Span;
use crate::line::Line;

/// The parts of an instruction. Ranges are into the line's text.
#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) keyword: Range<usize>,
    pub(crate) flags: Vec<RawFlag>,
    /// What is behind the flags, without white space around it.
    pub(crate) arguments: Range<usize>,
}

/// A word that begins with `--`, before the first argument.
#[derive(Debug, Clone)]
pub(crate) struct RawFlag {
    /// Without quotes and escapes.
    pub(crate) text: String,
    pub(crate) range: Range<usize>,
    pub(crate) span: Span,
}

/// White space between keyword, flags and plain arguments.
fn is_blank(character: char) -> bool {
    matches!(character, '\t' | '\x0b' | '\x0c' | '\r' | ' ')
}

/// Splits what stands in `range` of the line.
pub(crate) fn parts(line: &Line, range: Range<usize>, escape: char) -> Parts {
    let range = trim(&line.text, range);
    let text = &line.text[range.clone()];
    let end = text.find(is_blank).unwrap_or(text.len());
    let keyword = range.start..range.start + end;
    let (flags, rest) = flags(line, keyword.end..range.end, escape);
    Parts { keyword, flags, arguments: trim(&line.text, rest..range.end) }
}

fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    start..start + part.trim().len()
}

/// The flags, and where the arguments begin. `--` alone ends the flags.
fn flags(line: &Line, range: Range<usize>, escape: char) -> (Vec<RawFlag>, usize) {
    let mut flags = Vec::new();
    let mut position = range.start;
    loop {
        let rest = &line.text[position..range.end];
        let start = position + (rest.len() - rest.trim_start().len());
        if !line.text[start..range.end].starts_with("--") {
            return (flags, start);
        }
        let (text, end) = flag_word(&line.text[..range.end], start, escape);
        position = end;
        if text == "--" {
            return (flags, end);
        }
        flags.push(RawFlag { text, range: start..end, span: line.span(start..end) });
    }
}

/// A word up to unquoted white space. In both kinds of quotes the escape character works.
fn flag_word(text: &str, start: usize, escape: char) -> (String, usize) {
    let mut word = String::new();
    let mut quote = None;
    let mut characters = text[start..].char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (None, c) if c.is_whitespace() => return (word, start + at),
            (None, '\'' | '"') => quote = Some(character),
            (Some(open), c) if c == open => quote = None,
            (_, c) if c == escape => word.extend(characters.next().map(|(_, escaped)| escaped)),
            (_, c) => word.push(c),
        }
    }
    (word, text.len())
}

/// Words between white space, without regard to quotes.
pub(crate) fn plain_words(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    for (at, character) in text[range.clone()].char_indices() {
        let at = range.start + at;
        match (start, is_blank(character)) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                words.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    words.extend(start.map(|from| from..range.end));
    words
}

/// Words between unquoted white space; quotes and escapes stay in them.
pub(crate) fn quoted_words(text: &str, range: Range<usize>, escape: char) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = None;
    let mut quote = None;
    let mut characters = text[range.clone()].char_indices();
    // An escape character that nothing follows is dropped.
    let mut end = range.end;
    while let Some((at, character)) = characters.next() {
        let at = range.start + at;
        if quote.is_none() && character.is_whitespace() {
            words.extend(start.take().map(|from| from..at));
            continue;
        }
        start.get_or_insert(at);
        if character == escape && quote != Some('\'') {
            if characters.next().is_none() {
                end = at;
            }
        } else if quote == Some(character) {
            quote = None;
        } else if quote.is_none() && matches!(character, '\'' | '"') {
            quote = Some(character);
        }
    }
    words.extend(start.filter(|from| *from < end).map(|from| from..end));
    words
}

/// The first white space in `range` that separates a legacy name from its value.
pub(crate) fn first_gap(text: &str, range: Range<usize>) -> Option<(Range<usize>, Range<usize>)> {
    let part = &text[range.clone()];
    let end = part.find(is_blank)?;
    let rest = part[end..].trim_start_matches(is_blank);
    Some((range.start..range.start + end, range.end - rest.len()..range.end))
}

/// A string, decoded, and the range of its literal.
pub(crate) type JsonString = (String, Range<usize>);

/// What arguments are that may be a JSON array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Json {
    /// Not an array, or not JSON: it is for the shell.
    No,
    Strings(Vec<JsonString>),
    /// An array of other things than strings.
    Mixed,
}

/// Reads arguments as a JSON array.
pub(crate) fn json(text: &str, range: Range<usize>) -> Json {
    let part = &text[range.clone()];
    if !part.starts_with('[') {
        return Json::No;
    }
    let Ok(values) = serde_json::from_str::<Vec<serde_json::Value>>(part) else { return Json::No };
    let mut literals = string_literals(part).into_iter();
    let mut strings = Vec::with_capacity(values.len());
    for value in values {
        let serde_json::Value::String(text) = value else { return Json::Mixed };
        let literal = literals.next().unwrap_or(0..part.len());
        strings.push((text, range.start + literal.start..range.start + literal.end));
    }
    Json::Strings(strings)
}

/// Where the string literals of valid JSON are, quotes included.
fn string_literals(json: &str) -> Vec<Range<usize>> {
    let mut literals = Vec::new();
    let mut open = None;
    let mut bytes = json.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match (open, byte) {
            (None, b'"') => open = Some(at),
            (Some(_), b'\\') => {
                bytes.next();
            }
            (Some(start), b'"') => {
                literals.push(start..at + 1);
                open = None;
            }
            _ => {}
        }
    }
    literals
}
