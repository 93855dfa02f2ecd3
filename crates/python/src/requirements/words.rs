//! The words of a line's options, as Python's `shlex.split` finds them, which pip uses.

use crate::{Problem, Span};

/// A word without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    pub(super) text: String,
    /// Its place in the text, quotes and all.
    pub(super) span: Span,
}

/// Splits at white space that is not quoted.
pub(super) fn split(text: &str) -> Result<Vec<Word>, Problem> {
    let mut words = Vec::new();
    let mut rest = text.char_indices().peekable();
    while let Some(&(start, character)) = rest.peek() {
        if is_separator(character) {
            rest.next();
            continue;
        }
        let mut word = Word { text: String::new(), span: start..text.len() };
        while let Some(&(at, character)) = rest.peek() {
            if is_separator(character) {
                word.span.end = at;
                break;
            }
            rest.next();
            match character {
                '\'' | '"' => quoted(character, at, &mut rest, &mut word.text)?,
                '\\' => match rest.next() {
                    Some((_, escaped)) => word.text.push(escaped),
                    None => {
                        let message = "a `\\` stands at the end, with nothing to escape";
                        return Err(Problem::at(at..at + 1, message));
                    }
                },
                other => word.text.push(other),
            }
        }
        words.push(word);
    }
    Ok(words)
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\r' | '\n')
}

/// Reads to the closing quote. Between double quotes, `\` escapes them and itself.
fn quoted(
    quote: char,
    opened: usize,
    rest: &mut impl Iterator<Item = (usize, char)>,
    word: &mut String,
) -> Result<(), Problem> {
    while let Some((_, character)) = rest.next() {
        match character {
            _ if character == quote => return Ok(()),
            '\\' if quote == '"' => match rest.next() {
                Some((_, escaped @ ('"' | '\\'))) => word.push(escaped),
                Some((_, other)) => word.extend(['\\', other]),
                None => break,
            },
            other => word.push(other),
        }
    }
    let message = format!("the quote `{quote}` is not closed");
    Err(Problem::at(opened..opened + 1, message))
}
