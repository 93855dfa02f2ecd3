//! Ignore files, as Docker matches them (`moby/patternmatcher` and `fsutil`), which is not how git
//! does: patterns are for whole paths from the root, later ones win, and `!` makes an exception.
//!
//! <https://docs.docker.com/build/concepts/context/#dockerignore-files>

use std::fmt;

use regex::Regex;

use crate::glob::{self, PatternProblem, Token};

/// The patterns of an ignore file, in order.
///
/// ```
/// let ignore = recipe::IgnorePatterns::parse("*.md\n!README.md\n").unwrap();
/// assert!(ignore.matches("CHANGES.md"));
/// assert!(!ignore.matches("README.md"));
/// assert!(!ignore.matches("docs/index.md"));
/// ```
#[derive(Debug, Clone, Default)]
pub struct IgnorePatterns {
    patterns: Vec<Pattern>,
}

#[derive(Debug, Clone)]
struct Pattern {
    effect: Effect,
    matcher: Matcher,
    /// What every path that it matches begins with.
    literal: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    Exclude,
    /// `!`
    Include,
}

#[derive(Debug, Clone)]
enum Matcher {
    Exact(String),
    Prefix(String),
    Suffix(String),
    Whole(Regex),
}

/// What the patterns say about one path. The verdict on a directory is needed for what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnoreVerdict {
    excluded: bool,
    /// For each pattern, whether it met the path or something that the path is in.
    met: Box<[bool]>,
}

/// Why an ignore file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IgnoreError {
    /// A pattern that is none.
    #[error("{place}: `{pattern}` is not a pattern: {problem}")]
    BadPattern {
        /// Where it stands.
        place: IgnorePlace,
        /// What was written.
        pattern: String,
        /// What is wrong with it.
        problem: PatternProblem,
    },
    /// `!` without a pattern.
    #[error("{place}: `!` is followed by nothing")]
    EmptyException {
        /// Where it stands.
        place: IgnorePlace,
    },
    /// `#!include:` of a file that could not be had.
    #[error("{place}: `{file}` cannot be included: {reason}")]
    Include {
        /// Where it stands.
        place: IgnorePlace,
        /// The file.
        file: String,
        /// What the one who was asked for it said.
        reason: String,
    },
    /// `#!include:` in a file that was included itself.
    #[error("{place}: `{file}` cannot be included from a file that is itself included")]
    NestedInclude {
        /// Where it stands.
        place: IgnorePlace,
        /// The file.
        file: String,
    },
}

/// A line of an ignore file, or of a file that it includes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IgnorePlace {
    /// The included file.
    pub included: Option<String>,
    /// The line, counted from 1.
    pub line: usize,
}

impl fmt::Display for IgnorePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.included {
            Some(file) => write!(f, "line {} of {file}", self.line),
            None => write!(f, "line {}", self.line),
        }
    }
}

impl IgnoreError {
    /// The way out.
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            IgnoreError::BadPattern { .. } => {
                "to mean the character itself, put `\\` in front of it".to_owned()
            }
            IgnoreError::EmptyException { .. } => {
                "write the pattern behind it, or take the line out".to_owned()
            }
            IgnoreError::Include { .. } => return None,
            IgnoreError::NestedInclude { file, .. } => {
                format!("include `{file}` from the first file")
            }
        })
    }
}

/// What `#!include:` is in an ignore file.
enum Includes<'a> {
    /// A comment, as in `.dockerignore`.
    Comment,
    /// The name of a file, whose text this gives.
    Read(&'a dyn Fn(&str) -> Result<String, String>),
    /// An error: this file was included.
    Refuse,
}

impl IgnorePatterns {
    /// The patterns of a `.dockerignore`.
    pub fn parse(text: &str) -> Result<Self, IgnoreError> {
        let mut patterns = Vec::new();
        read(text, None, &Includes::Comment, &mut patterns)?;
        Ok(IgnorePatterns { patterns })
    }

    /// The patterns of an ignore file in which `#!include:FILE` stands for the lines of another,
    /// as in `.gcloudignore`; `include` gives its text, or says why not.
    pub fn parse_with_includes<E: fmt::Display>(
        text: &str,
        include: &dyn Fn(&str) -> Result<String, E>,
    ) -> Result<Self, IgnoreError> {
        let include = |file: &str| include(file).map_err(|error| error.to_string());
        let mut patterns = Vec::new();
        read(text, None, &Includes::Read(&include), &mut patterns)?;
        Ok(IgnorePatterns { patterns })
    }

    /// Patterns that were given one by one, as with `--exclude`. In an error, `line` counts them.
    pub fn new<S: AsRef<str>>(patterns: impl IntoIterator<Item = S>) -> Result<Self, IgnoreError> {
        let mut compiled = Vec::new();
        for (index, pattern) in patterns.into_iter().enumerate() {
            let place = || IgnorePlace { included: None, line: index + 1 };
            compiled.extend(Pattern::new(pattern.as_ref(), &place)?);
        }
        Ok(IgnorePatterns { patterns: compiled })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether a path is left out: relative to the root, with `/` and without `.` or `..`.
    pub fn matches(&self, path: &str) -> bool {
        let mut verdict = None;
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        for end in ends {
            verdict = Some(self.verdict(verdict.as_ref(), &path[..end]));
        }
        verdict.is_some_and(|verdict| verdict.excluded)
    }

    /// The verdict on a path whose directory's verdict is known; there is none for the root.
    pub fn verdict(&self, directory: Option<&IgnoreVerdict>, path: &str) -> IgnoreVerdict {
        let mut excluded = false;
        let mut met = vec![false; self.patterns.len()].into_boxed_slice();
        for (index, pattern) in self.patterns.iter().enumerate() {
            // A pattern is looked at only if it could change the verdict so far, and what was not
            // looked at for a directory does not count for what is in it.
            let changes = (pattern.effect == Effect::Exclude) != excluded;
            let inherited = directory.is_some_and(|directory| directory.met[index]);
            if inherited || (changes && pattern.matches(path)) {
                met[index] = true;
                excluded = pattern.effect == Effect::Exclude;
            }
        }
        IgnoreVerdict { excluded, met }
    }

    /// Whether something in a directory that is left out may be an exception, so that the
    /// directory has to be looked into all the same.
    pub fn may_reenter(&self, directory: &str) -> bool {
        let inside = format!("{directory}/");
        self.patterns.iter().filter(|pattern| pattern.effect == Effect::Include).any(|pattern| {
            match &pattern.matcher {
                Matcher::Exact(path) => path.starts_with(&inside),
                _ => pattern.literal.starts_with(&inside) || inside.starts_with(&pattern.literal),
            }
        })
    }
}

impl IgnoreVerdict {
    /// Whether the path is left out.
    pub fn is_excluded(&self) -> bool {
        self.excluded
    }
}

fn read(
    text: &str,
    included: Option<&str>,
    includes: &Includes<'_>,
    patterns: &mut Vec<Pattern>,
) -> Result<(), IgnoreError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (index, line) in text.split('\n').enumerate() {
        let place = || IgnorePlace { included: included.map(str::to_owned), line: index + 1 };
        if line.starts_with('#') {
            include(line, &place, includes, patterns)?;
            continue;
        }
        let line = line.trim();
        if line.is_empty() {
            continue;
        }
        // A leading slash means the root, as no slash does (`moby/patternmatcher/ignorefile`).
        let (mark, pattern) = match line.strip_prefix('!') {
            Some(pattern) => ("!", pattern.trim()),
            None => ("", line),
        };
        let pattern = if pattern.is_empty() { String::new() } else { glob::clean(pattern) };
        let relative = pattern.strip_prefix('/').filter(|relative| !relative.is_empty());
        let pattern = format!("{mark}{}", relative.unwrap_or(&pattern));
        patterns.extend(Pattern::new(&pattern, &place)?);
    }
    Ok(())
}

/// A comment, which may be an inclusion.
fn include(
    line: &str,
    place: &dyn Fn() -> IgnorePlace,
    includes: &Includes<'_>,
    patterns: &mut Vec<Pattern>,
) -> Result<(), IgnoreError> {
    let Some(file) = line.strip_prefix("#!include:").map(str::trim) else { return Ok(()) };
    match includes {
        Includes::Comment => Ok(()),
        Includes::Refuse => {
            Err(IgnoreError::NestedInclude { place: place(), file: file.to_owned() })
        }
        Includes::Read(include) => match include(file) {
            Ok(text) => read(&text, Some(file), &Includes::Refuse, patterns),
            Err(reason) => {
                Err(IgnoreError::Include { place: place(), file: file.to_owned(), reason })
            }
        },
    }
}

impl Pattern {
    /// A pattern, unless it is blank.
    fn new(text: &str, place: &dyn Fn() -> IgnorePlace) -> Result<Option<Self>, IgnoreError> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(None);
        }
        let cleaned = glob::clean(text);
        let (effect, pattern) = match cleaned.strip_prefix('!') {
            Some("") => return Err(IgnoreError::EmptyException { place: place() }),
            Some(pattern) => (Effect::Include, pattern),
            None => (Effect::Exclude, cleaned.as_str()),
        };
        let (matcher, literal) = compile(pattern).map_err(|problem| IgnoreError::BadPattern {
            place: place(),
            pattern: pattern.to_owned(),
            problem,
        })?;
        Ok(Some(Pattern { effect, matcher, literal }))
    }

    fn matches(&self, path: &str) -> bool {
        match &self.matcher {
            Matcher::Exact(exact) => path == exact,
            Matcher::Prefix(prefix) => path.starts_with(prefix.as_str()),
            Matcher::Suffix(suffix) => {
                // `**/a` is also `a`.
                path.ends_with(suffix.as_str())
                    || suffix.strip_prefix('/').is_some_and(|name| path == name)
            }
            Matcher::Whole(regex) => regex.is_match(path),
        }
    }
}

/// How a pattern is matched, which decides what `**` next to other text means: `**a` is any path
/// that ends in `a`, `a**` any that begins with it, and in between `**` takes whole directories.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Exact,
    Prefix,
    Suffix,
    Whole,
}

fn compile(pattern: &str) -> Result<(Matcher, String), PatternProblem> {
    let mut kind = Kind::Exact;
    let mut tokens = Vec::new();
    let mut rest = pattern.chars().peekable();
    while let Some(first) = rest.next() {
        let at_start = tokens.is_empty();
        if first == '*' && rest.next_if_eq(&'*').is_some() {
            rest.next_if_eq(&'/');
            let at_end = rest.peek().is_none();
            kind = match (at_start, at_end, kind) {
                (true, _, _) => Kind::Suffix,
                (_, true, Kind::Exact) => Kind::Prefix,
                _ => Kind::Whole,
            };
            tokens.push(if at_end { Token::Anything } else { Token::Directories });
            continue;
        }
        let token = glob::token(first, &mut rest)?;
        if !matches!(token, Token::Text(_)) || matches!(first, '\\' | ']') {
            kind = Kind::Whole;
        }
        tokens.push(token);
    }
    let literal = tokens.iter().map_while(|token| match token {
        Token::Text(character) => Some(*character),
        _ => None,
    });
    let literal = literal.collect();
    let matcher = match kind {
        Kind::Exact => Matcher::Exact(pattern.to_owned()),
        Kind::Prefix => Matcher::Prefix(pattern[..pattern.len() - 2].to_owned()),
        Kind::Suffix => Matcher::Suffix(pattern[2..].to_owned()),
        Kind::Whole => Matcher::Whole(glob::compile(&tokens)?),
    };
    Ok((matcher, literal))
}

#[cfg(test)]
mod tests;
