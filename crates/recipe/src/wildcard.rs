//! Wildcards in the sources of `COPY` and `ADD`: Go's `filepath.Match`, in which nothing but a
//! bracket expression crosses a `/`. `--parents` adds `**`, which does.

use regex::Regex;

use crate::glob::{self, PatternProblem, Token};

/// A pattern for paths below a root.
///
/// ```
/// use recipe::Wildcard;
/// let wildcard = Wildcard::new("./src/*.r[st]").unwrap();
/// assert!(wildcard.matches("src/lib.rs"));
/// assert!(!wildcard.matches("src/bin/main.rs"));
/// assert!(Wildcard::recursive("src/**/*.rs").unwrap().matches("src/bin/main.rs"));
/// ```
#[derive(Debug, Clone)]
pub struct Wildcard {
    pattern: String,
    regex: Regex,
}

/// Why a text is not a wildcard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{pattern}` is not a pattern: {problem}")]
pub struct WildcardError {
    /// What was written.
    pub pattern: String,
    /// What is wrong with it.
    pub problem: PatternProblem,
}

impl WildcardError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some("to mean the character itself, put `\\` in front of it".to_owned())
    }
}

impl Wildcard {
    /// A pattern in which `**` is no more than `*`.
    pub fn new(pattern: &str) -> Result<Self, WildcardError> {
        Self::build(pattern, glob::tokens)
    }

    /// A pattern in which `**` stands for any number of directories, as in `--parents`.
    pub fn recursive(pattern: &str) -> Result<Self, WildcardError> {
        Self::build(pattern, recursive_tokens)
    }

    fn build(
        pattern: &str,
        tokens: fn(&str) -> Result<Vec<Token>, PatternProblem>,
    ) -> Result<Self, WildcardError> {
        let cleaned = glob::clean(&format!("/{pattern}")).split_off(1);
        match tokens(&cleaned).and_then(|tokens| glob::compile(&tokens)) {
            Ok(regex) => Ok(Wildcard { pattern: cleaned, regex }),
            Err(problem) => Err(WildcardError { pattern: pattern.to_owned(), problem }),
        }
    }

    /// The pattern, cleaned and relative to the root: `/../a//b` is `a/b`.
    pub fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Whether a path is meant: relative to the root, with `/` and without `.` or `..`.
    pub fn matches(&self, path: &str) -> bool {
        self.regex.is_match(path)
    }

    /// Whether a text has wildcards in it, and so may mean several paths. An escaped one is none,
    /// and the text has to be taken as a pattern only if there is another.
    pub fn has_meta(text: &str) -> bool {
        let mut characters = text.chars();
        while let Some(character) = characters.next() {
            match character {
                '\\' => {
                    characters.next();
                }
                '*' | '?' | '[' => return true,
                _ => {}
            }
        }
        false
    }
}

fn recursive_tokens(pattern: &str) -> Result<Vec<Token>, PatternProblem> {
    let mut rest = pattern.chars().peekable();
    let mut tokens = Vec::new();
    while let Some(first) = rest.next() {
        if first == '*' && rest.next_if_eq(&'*').is_some() {
            rest.next_if_eq(&'/');
            let at_end = rest.peek().is_none();
            tokens.push(if at_end { Token::Anything } else { Token::Directories });
        } else {
            tokens.push(glob::token(first, &mut rest)?);
        }
    }
    Ok(tokens)
}

#[cfg(test)]
mod tests {
    use super::Wildcard;

    /// Cases of Go's `path/filepath` tests (`match_test.go`).
    #[test]
    fn matches() {
        for (pattern, path, expected) in [
            ("abc", "abc", true),
            ("*", "abc", true),
            ("*c", "abc", true),
            ("a*", "a", true),
            ("a*", "ab/c", false),
            ("a*/b", "abc/b", true),
            ("a*/b", "a/c/b", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/f", true),
            ("a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false),
            ("a*b*c*d*e*/f", "axbxcxdxexxx/fff", false),
            ("a*b?c*x", "abxbbxdbxebxczzx", true),
            ("a*b?c*x", "abxbbxdbxebxczzy", false),
            ("ab[c]", "abc", true),
            ("ab[b-d]", "abc", true),
            ("ab[e-g]", "abc", false),
            ("ab[^c]", "abc", false),
            ("ab[^e-g]", "abc", true),
            ("a\\*b", "a*b", true),
            ("a\\*b", "ab", false),
            ("a?b", "a☺b", true),
            ("a[^a]b", "a☺b", true),
            ("a???b", "a☺b", false),
            ("[a-ζ]*", "α", true),
            ("*[a-ζ]", "A", false),
            ("a?b", "a/b", false),
            ("a*b", "a/b", false),
            ("[\\]a]", "]", true),
            ("[\\-x]", "-", true),
            ("[x\\-]", "z", false),
            ("[z-a]", "z", false),
            ("[^z-a]", "z", true),
            ("[!a]", "!", true),
            ("[[]", "[", true),
            ("[&&]", "&", true),
            ("a.b", "axb", false),
            ("a^$(b)+|{c}", "a^$(b)+|{c}", true),
            ("**/a", "x/a", true),
            ("**/a", "x/y/a", false),
            ("./a//b/../*", "a/x", true),
            ("/../*", "x", true),
            ("", "", true),
        ] {
            let wildcard = Wildcard::new(pattern).unwrap();
            assert_eq!(wildcard.matches(path), expected, "{pattern} and {path}");
        }
    }

    #[test]
    fn recursive() {
        for (pattern, path, expected) in [
            ("**/*.txt", "a.txt", true),
            ("**/*.txt", "x/y/a.txt", true),
            ("x/**/a", "x/a", true),
            ("x/**/a", "x/y/z/a", true),
            ("x/**/a", "y/a", false),
            ("x/**", "x/y", true),
            ("x/**", "x", false),
            ("x/*", "x/y/z", false),
        ] {
            let wildcard = Wildcard::recursive(pattern).unwrap();
            assert_eq!(wildcard.matches(path), expected, "{pattern} and {path}");
        }
    }

    #[test]
    fn bad_patterns() {
        for (pattern, problem) in [
            ("[]a]", "there is nothing between `[` and `]`"),
            ("[-]", "a range between `[` and `]` lacks an end"),
            ("[x-]", "a range between `[` and `]` lacks an end"),
            ("[a-b-c]", "a range between `[` and `]` lacks an end"),
            ("[", "`[` is not closed by `]`"),
            ("[^bc", "`[` is not closed by `]`"),
            ("a[", "`[` is not closed by `]`"),
            ("a\\", "it ends in `\\`"),
        ] {
            assert_eq!(
                Wildcard::new(pattern).unwrap_err().problem.to_string(),
                problem,
                "{pattern}"
            );
        }
        let long = "?".repeat(1 << 20);
        assert_eq!(Wildcard::new(&long).unwrap_err().problem.to_string(), "it is too long");
    }

    #[test]
    fn has_meta() {
        for (text, expected) in [
            ("a", false),
            ("a*", true),
            ("a?", true),
            ("[a]", true),
            ("a\\*", false),
            ("\\", false),
        ] {
            assert_eq!(Wildcard::has_meta(text), expected, "{text}");
        }
    }
}
