//! Patterns over paths, read into tokens and turned into one anchored expression, which is matched
//! in linear time whatever the pattern.
//!
//! The syntax is Go's `filepath.Match`; `**` is the ignore matcher's addition.

use std::iter::Peekable;
use std::str::Chars;

use regex::{Regex, RegexBuilder};

/// A part of a pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    Text(char),
    /// `?`: any character but `/`.
    AnyCharacter,
    /// `*`: any text without `/`.
    AnyText,
    /// `[a-z]`, `[^a-z]`: `/` can be among them.
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
    /// `**/` or `**`: nothing, or any directories with their slashes.
    Directories,
    /// `**` at the end: anything.
    Anything,
}

/// Why a text is not a pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// `\` with nothing behind it.
    #[error("it ends in `\\`")]
    TrailingEscape,
    /// `[` without `]`.
    #[error("`[` is not closed by `]`")]
    UnclosedClass,
    /// `[]…`, `[^]…`.
    #[error("there is nothing between `[` and `]`")]
    EmptyClass,
    /// `[-a]`, `[a-]`.
    #[error("a range between `[` and `]` lacks an end")]
    OpenRange,
    /// Its expression is over the limit.
    #[error("it is too long")]
    TooLong,
}

/// Reads one token other than `**`.
pub(crate) fn token(first: char, rest: &mut Peekable<Chars<'_>>) -> Result<Token, PatternProblem> {
    Ok(match first {
        '*' => Token::AnyText,
        '?' => Token::AnyCharacter,
        '\\' => Token::Text(rest.next().ok_or(PatternProblem::TrailingEscape)?),
        '[' => class(rest)?,
        other => Token::Text(other),
    })
}

fn class(rest: &mut Peekable<Chars<'_>>) -> Result<Token, PatternProblem> {
    let negated = rest.next_if_eq(&'^').is_some();
    let mut ranges = Vec::new();
    loop {
        if rest.peek() == Some(&']') {
            rest.next();
            if ranges.is_empty() {
                return Err(PatternProblem::EmptyClass);
            }
            return Ok(Token::Class { negated, ranges });
        }
        let low = class_character(rest)?;
        let high = match rest.next_if_eq(&'-') {
            Some(_) => class_character(rest)?,
            None => low,
        };
        ranges.push((low, high));
    }
}

fn class_character(rest: &mut Peekable<Chars<'_>>) -> Result<char, PatternProblem> {
    match rest.next().ok_or(PatternProblem::UnclosedClass)? {
        '-' | ']' => Err(PatternProblem::OpenRange),
        '\\' => rest.next().ok_or(PatternProblem::UnclosedClass),
        other => Ok(other),
    }
}

/// The tokens of a pattern in which `*` has no other meaning when it is doubled.
pub(crate) fn tokens(pattern: &str) -> Result<Vec<Token>, PatternProblem> {
    let mut rest = pattern.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(first) = rest.next() {
        tokens.push(token(first, &mut rest)?);
    }
    Ok(tokens)
}

/// An expression that matches whole paths.
pub(crate) fn compile(tokens: &[Token]) -> Result<Regex, PatternProblem> {
    const MAX_PROGRAM_BYTES: usize = 1 << 20;
    /// No path is longer (Linux' `PATH_MAX`).
    const MAX_TOKENS: usize = 4096;
    if tokens.len() > MAX_TOKENS {
        return Err(PatternProblem::TooLong);
    }
    let mut expression = "(?s)^".to_owned();
    for token in tokens {
        match token {
            Token::Text(character) => {
                expression.push_str(&regex::escape(character.encode_utf8(&mut [0; 4])));
            }
            Token::AnyCharacter => expression.push_str("[^/]"),
            Token::AnyText => expression.push_str("[^/]*"),
            Token::Class { negated, ranges } => push_class(*negated, ranges, &mut expression),
            Token::Directories => expression.push_str("(?:.*/)?"),
            Token::Anything => expression.push_str(".*"),
        }
    }
    expression.push('$');
    RegexBuilder::new(&expression)
        .size_limit(MAX_PROGRAM_BYTES)
        .build()
        .map_err(|_| PatternProblem::TooLong)
}

fn push_class(negated: bool, ranges: &[(char, char)], expression: &mut String) {
    // A range that runs backwards holds nothing, here as in Go.
    let ranges = ranges.iter().filter(|(low, high)| low <= high);
    let ranges: Vec<String> = ranges
        .map(|(low, high)| format!("\\x{{{:x}}}-\\x{{{:x}}}", u32::from(*low), u32::from(*high)))
        .collect();
    match (ranges.is_empty(), negated) {
        (true, false) => expression.push_str("[a&&b]"),
        (true, true) => expression.push('.'),
        (false, _) => {
            expression.push_str(if negated { "[^" } else { "[" });
            expression.push_str(&ranges.concat());
            expression.push(']');
        }
    }
}

/// Go's `path.Clean`: the shortest text for the same path, without a look at any file.
pub(crate) fn clean(path: &str) -> String {
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if rooted => {}
            part => parts.push(part),
        }
    }
    match (rooted, parts.is_empty()) {
        (true, _) => format!("/{}", parts.join("/")),
        (false, true) => ".".to_owned(),
        (false, false) => parts.join("/"),
    }
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn cleaned() {
        for (path, expected) in [
            ("", "."),
            ("a//b/./c/", "a/b/c"),
            ("a/../../b", "../b"),
            ("/../a", "/a"),
            ("./", "."),
            ("/", "/"),
            ("a/..", "."),
            ("../..", "../.."),
        ] {
            assert_eq!(clean(path), expected, "{path}");
        }
    }
}
