//! Patterns of pins and of package names: text, fnmatch(3) or a regular expression between slashes,
//! none of which minds the case (apt_preferences(5), "Regular expressions and glob(7) syntax").

use regex::{Regex, RegexBuilder};

/// A pattern.
#[derive(Debug, Clone)]
pub enum Expression {
    /// What stands between slashes.
    Regular(Regex),
    /// Anything else, in small letters.
    Glob(String),
}

/// A regular expression that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Regex compilation error - {pattern}")]
pub struct ExpressionError {
    /// As written.
    pub pattern: String,
}

/// A regular expression is not larger when it is compiled, in bytes.
const LARGEST: usize = 1 << 20;

impl Expression {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A regular expression that cannot be compiled.
    pub fn parse(text: &str) -> Result<Self, ExpressionError> {
        match text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(regular) => {
                let mut builder = RegexBuilder::new(regular);
                let built = builder.case_insensitive(true).size_limit(LARGEST).build();
                let pattern = text.to_owned();
                built.map(Expression::Regular).map_err(|_| ExpressionError { pattern })
            }
            None => Ok(Expression::Glob(text.to_lowercase())),
        }
    }

    /// Whether a text is of the pattern.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Expression::Regular(regex) => regex.is_match(text),
            Expression::Glob(glob) => {
                let text: Vec<char> = text.to_lowercase().chars().collect();
                let glob: Vec<char> = glob.chars().collect();
                matches_glob(&glob, &text)
            }
        }
    }
}

/// fnmatch(3) without flags. A star that does not fit is tried again one letter further on.
fn matches_glob(glob: &[char], text: &[char]) -> bool {
    let (mut at, mut position) = (0, 0);
    let mut retry = None;
    while position < text.len() {
        let taken = match glob.get(at) {
            Some('*') => {
                retry = Some((at + 1, position));
                at += 1;
                continue;
            }
            Some(_) => one(&glob[at..], text[position]),
            None => None,
        };
        match (taken, retry) {
            (Some(length), _) => {
                at += length;
                position += 1;
            }
            (None, Some((after, from))) => {
                (at, position) = (after, from + 1);
                retry = Some((after, from + 1));
            }
            (None, None) => return false,
        }
    }
    glob[at.min(glob.len())..].iter().all(|letter| *letter == '*')
}

/// How long the part of a pattern is that a letter fits, if it does.
fn one(glob: &[char], letter: char) -> Option<usize> {
    match glob {
        ['?', ..] => Some(1),
        ['\\', escaped, ..] => (*escaped == letter).then_some(2),
        ['[', set @ ..] => match bracket(set, letter) {
            Some((is_in, length)) => is_in.then_some(length + 1),
            None => (letter == '[').then_some(1),
        },
        [own, ..] => (*own == letter).then_some(1),
        [] => None,
    }
}

/// Whether a letter is in a set, and how long the set is; `None` if it has no end.
fn bracket(set: &[char], letter: char) -> Option<(bool, usize)> {
    let is_not = matches!(set.first(), Some('!' | '^'));
    let start = usize::from(is_not);
    let end = start + 1 + set.get(start + 1..)?.iter().position(|letter| *letter == ']')?;
    let (mut at, mut is_in) = (start, false);
    while at < end {
        match &set[at..end] {
            [low, '-', high, ..] => {
                is_in |= (*low..=*high).contains(&letter);
                at += 3;
            }
            [own, ..] => {
                is_in |= *own == letter;
                at += 1;
            }
            [] => break,
        }
    }
    Some((is_in != is_not, end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_fnmatch_or_regular() {
        for (pattern, text, expected) in [
            ("bookworm", "Bookworm", true),
            ("book*", "bookworm", true),
            ("book*", "trixie", false),
            ("*-updates", "bookworm-updates", true),
            ("*a*b", "xaxbxb", true),
            ("*a*b", "xaxbxbx", false),
            ("?[a-c]z", "xbz", true),
            ("[!a-c]", "b", false),
            ("[!a-c]", "d", true),
            ("[]x]", "]", true),
            ("[x", "[x", true),
            ("", "", true),
            ("", "a", false),
            ("**", "", true),
            ("/^linux-.*[0-9]$/", "linux-image-6", true),
            ("/nux/", "LINUX", true),
            ("/^x/", "ax", false),
        ] {
            let expression = Expression::parse(pattern).unwrap();
            assert_eq!(expression.matches(text), expected, "{pattern} {text}");
        }
        assert!(Expression::parse("/(/").is_err());
        let slow = Expression::parse(&format!("{}c", "*a".repeat(200))).unwrap();
        assert!(!slow.matches(&"a".repeat(10_000)));
    }
}
