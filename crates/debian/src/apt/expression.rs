//! Patterns of pins and of package names: text, fnmatch(3) or a regular expression between slashes,
//! none of which minds the case (apt_preferences(5), "Regular expressions and glob(7) syntax").

use regex::{Regex, RegexBuilder};
use shell::wildcard::{self, Case};

/// A pattern.
#[derive(Debug, Clone)]
pub enum Expression {
    /// What stands between slashes.
    Regular(Regex),
    /// Anything else.
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
            None => Ok(Expression::Glob(text.to_owned())),
        }
    }

    /// Whether a text is of the pattern.
    pub fn matches(&self, text: &str) -> bool {
        match self {
            Expression::Regular(regex) => regex.is_match(text),
            Expression::Glob(glob) => {
                wildcard::matches(glob.as_bytes(), text.as_bytes(), Case::Ignored)
            }
        }
    }
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
