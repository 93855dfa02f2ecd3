//! Values of `[env]`, in which `$NAME` is what the base image has.
//!
//! They become words of an `ENV`. All that is not a reference is quoted in them, so that quotes
//! and backslashes, which mean something in a Dockerfile, mean nothing here.

use std::ops::Range;

use crate::word::quoted;

/// A part of a value: what was written, or what a template became.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// As it is written, and where in the value.
    Written(String, usize),
    /// A template's value.
    Value(String),
}

/// A value as a word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// For [`expand()`](crate::expand()).
    pub(super) text: String,
    /// The variables that it refers to.
    pub(super) names: Vec<(String, Range<usize>)>,
}

/// A `$` that means nothing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ReferenceProblem {
    pub(super) at: Range<usize>,
    pub(super) message: &'static str,
}

/// The parts as they are, joined.
pub(super) fn plain(parts: &[Part]) -> String {
    let text = |part: &Part| match part {
        Part::Written(text, _) | Part::Value(text) => text.clone(),
    };
    parts.iter().map(text).collect()
}

/// The parts as a word of an `ENV`.
pub(super) fn word(parts: &[Part]) -> Result<Word, ReferenceProblem> {
    let mut word = Word { text: String::new(), names: Vec::new() };
    let mut parts = parts.iter().peekable();
    while let Some(part) = parts.next() {
        match part {
            Part::Value(text) => word.text.push_str(&quoted(text)),
            Part::Written(text, offset) => {
                let next =
                    if parts.peek().is_some() { Behind::AnotherPart } else { Behind::Nothing };
                written(text, *offset, next, &mut word)?;
            }
        }
    }
    Ok(word)
}

/// What comes after a part.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Behind {
    Nothing,
    AnotherPart,
}

fn written(
    text: &str,
    offset: usize,
    behind: Behind,
    word: &mut Word,
) -> Result<(), ReferenceProblem> {
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        word.text.push_str(&quoted(&rest[..at]));
        rest = &rest[at..];
        let start = offset + text.len() - rest.len();
        let name = &rest[1..1 + name_length(&rest[1..])];
        let length = if rest.starts_with("$$") {
            word.text.push_str(&quoted("$"));
            2
        } else if rest.starts_with("${") {
            braced(rest, start, word)?
        } else if name.is_empty() {
            word.text.push_str(&quoted("$"));
            1
        } else {
            // As it is, so that it is found in the file; in braces where the name might go on.
            let is_alone = match rest[1 + name.len()..].chars().next() {
                Some(next) => next.is_ascii(),
                None => behind == Behind::Nothing,
            };
            let (open, close) = if is_alone { ("", "") } else { ("{", "}") };
            word.text.push_str(&format!("${open}{name}{close}"));
            word.names.push((name.to_owned(), start..start + 1 + name.len()));
            1 + name.len()
        };
        rest = &rest[length..];
    }
    word.text.push_str(&quoted(rest));
    Ok(())
}

/// `${NAME}`, `${NAME:-text}` or `${NAME:+text}` at the beginning of a text; how long it is.
fn braced(text: &str, start: usize, word: &mut Word) -> Result<usize, ReferenceProblem> {
    let problem = |length: usize, message| ReferenceProblem { at: start..start + length, message };
    let end = text.find('}').ok_or(problem(2, "`${` is not closed by `}`"))?;
    let inside = &text[2..end];
    let (name, operand) = inside.split_at(name_length(inside));
    if name.is_empty() {
        return Err(problem(end + 1, "`${` is not followed by a variable's name"));
    }
    match (operand.get(..2), operand.get(2..)) {
        (None, _) if operand.is_empty() => word.text.push_str(&format!("${{{name}}}")),
        (Some(operator @ (":-" | ":+")), Some(default)) if !default.contains('$') => {
            word.text.push_str(&format!("${{{name}{operator}{}}}", quoted(default)));
        }
        _ => {
            let message = "only `${NAME}`, `${NAME:-text}` and `${NAME:+text}` are known";
            return Err(problem(end + 1, message));
        }
    }
    word.names.push((name.to_owned(), start..start + end + 1));
    Ok(end + 1)
}

/// How long the variable's name is that a text begins with (POSIX.1-2017, XBD 3.235).
fn name_length(text: &str) -> usize {
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 0;
    }
    text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expand;

    #[test]
    fn references() {
        let check = |text: &str, expected: &str| {
            let word = word(&[Part::Written(text.to_owned(), 0)]).unwrap();
            let base = |name: &str| (name == "PATH").then(|| "/bin 'x'".to_owned());
            assert_eq!(expand(&word.text, '\\', &base).unwrap().text, expected, "{}", word.text);
        };
        check("/app:$PATH", "/app:/bin 'x'");
        check("$PATHS${PATH}s$PATHé", "/bin 'x's/bin 'x'é");
        check("it's \"\\n\" <<- $ $5 $$PATH", "it's \"\\n\" <<- $ $5 $PATH");
        check("${PATH:-it's} ${HOME:-it's}", "/bin 'x' it's");
        check("${PATH:+'y'}${HOME:+z}", "'y'");
    }

    #[test]
    fn what_a_template_became_is_text() {
        let parts = [Part::Written("$A".to_owned(), 0), Part::Value("B".to_owned())];
        assert_eq!(word(&parts).unwrap().text, "${A}B");
        let parts = [Part::Written("$A".to_owned(), 0), Part::Value("$B'".to_owned())];
        let word = word(&parts).unwrap();
        assert_eq!(word.names, [("A".to_owned(), 0..2)]);
        assert_eq!(expand(&word.text, '\\', &|_| Some("a".to_owned())).unwrap().text, "a$B'");
    }

    #[test]
    fn wrong_references() {
        let check = |text: &str, at: Range<usize>, message: &str| {
            let problem = word(&[Part::Written(text.to_owned(), 0)]).unwrap_err();
            assert_eq!((problem.at, problem.message), (at, message), "{text}");
        };
        check("a${PATH", 1..3, "`${` is not closed by `}`");
        check("${}", 0..3, "`${` is not followed by a variable's name");
        let known = "only `${NAME}`, `${NAME:-text}` and `${NAME:+text}` are known";
        check("${A%x}", 0..6, known);
        check("${A:-$B}", 0..8, known);
        check("${Aé}", 0..6, known);
    }
}
