//! Variables and quotes in a word: `$v`, `${v:-x}` and their kin, as BuildKit's shell lexer has
//! them (`frontend/dockerfile/shell`).
//!
//! It reads words of recipes, not shell commands: no command substitution, no arithmetic, no
//! globbing. Nesting is kept on the heap and output is bounded, so any text can be expanded.

mod lexer;
mod pattern;

use std::collections::BTreeSet;
use std::ops::Range;

pub(crate) use lexer::{Escapes, Item, Lexer, Quotes, Unset};

use crate::{Diagnostic, Heredoc, Span, Word};

/// The most bytes that one expansion may read from variables and write. Values can be built from
/// values, so a few lines could ask for more than any machine has.
const MAX_EXPANDED_BYTES: usize = 16 << 20;

/// A word with its variables replaced.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Expansion {
    /// The text, without quotes and escapes.
    pub text: String,
    /// Names that were asked for and had a value, sorted.
    pub used: Vec<String>,
    /// Names that were asked for and had none, sorted; a default does not take them off this list.
    pub unset: Vec<String>,
}

/// A word that became several by unquoted white space, its own or a variable's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ExpandedWords {
    /// The words; there are no empty ones.
    pub words: Vec<String>,
    /// Names that were asked for and had a value, sorted.
    pub used: Vec<String>,
    /// Names that were asked for and had none, sorted.
    pub unset: Vec<String>,
}

/// Why a word cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct ExpandError {
    /// What is wrong.
    pub problem: ExpandProblem,
    /// The bytes of the word's text that are.
    pub at: Range<usize>,
}

/// What can be wrong with a word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ExpandProblem {
    /// A quote that nothing closes.
    #[error("a {0} quote is not closed")]
    UnclosedQuote(&'static str),
    /// `${` without `}`.
    #[error("`${{` is not closed by `}}`")]
    UnclosedBrace,
    /// `${v/pattern` without the `/` before the replacement.
    #[error("`${{{0}/…` has no second `/`")]
    NoReplacement(String),
    /// `${}`, `${:…}`.
    #[error("`${{` is not followed by a variable's name")]
    NoName,
    /// An operator that there is not.
    #[error("`{operator}` after `{name}` is not a known kind of substitution")]
    UnknownOperator {
        /// The variable.
        name: String,
        /// What follows it.
        operator: String,
    },
    /// `${v?message}` of a variable without a value.
    #[error("`{name}`: {message}")]
    Required {
        /// The variable.
        name: String,
        /// What the recipe says about it.
        message: String,
    },
    /// A pattern that cannot be matched.
    #[error("`{pattern}` is not a pattern: {problem}")]
    BadPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// More bytes than one word or here-document may become.
    #[error("it expands to more than 16 MiB")]
    TooLong,
}

impl ExpandError {
    /// The way out, if there is one to offer.
    pub fn hint(&self) -> Option<String> {
        match &self.problem {
            ExpandProblem::UnclosedQuote(_) => {
                Some("close it, or write it with the escape character in front".to_owned())
            }
            ExpandProblem::NoName => {
                Some("for the characters themselves, put the escape character in front".to_owned())
            }
            ExpandProblem::UnknownOperator { .. } => Some(
                "there are :- - :+ + :? ? # ## % %% / and //, such as ${name:-default}".to_owned(),
            ),
            ExpandProblem::Required { name, .. } => Some(format!(
                "give it a value with ARG or ENV, or on the command line with --build-arg {name}=…"
            )),
            _ => None,
        }
    }

    /// The error at its place in the file, for a word that came from there.
    pub fn diagnostic(&self, word: &Word) -> Diagnostic {
        self.at(word.part(self.at.clone()))
    }

    /// The error at its place in the file, for a here-document that came from there.
    pub fn heredoc_diagnostic(&self, heredoc: &Heredoc) -> Diagnostic {
        self.at(part(&heredoc.content, &heredoc.span, self.at.clone()))
    }

    fn at(&self, span: Span) -> Diagnostic {
        let error = Diagnostic::error(span, self.to_string());
        match self.hint() {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }
}

impl Word {
    /// Where a part of the text stands in the file. If quotes or continuations were taken out of
    /// the word, that is not known any more, and it is the whole word.
    pub fn part(&self, range: Range<usize>) -> Span {
        part(&self.text, &self.span, range)
    }

    /// Where a variable is first used in the word, or the whole word if that cannot be told.
    pub fn variable(&self, name: &str) -> Span {
        for (at, _) in self.text.match_indices('$') {
            let rest = &self.text[at + 1..];
            let braced = rest.strip_prefix('{');
            if lexer::name(braced.unwrap_or(rest)) == name {
                let end = at + 1 + usize::from(braced.is_some()) + name.len();
                return self.part(at..end);
            }
        }
        self.span.clone()
    }

    /// Whether there may be a variable in it.
    pub fn has_variables(&self) -> bool {
        self.text.contains('$')
    }
}

/// A part of a text at `span`, as long as nothing was taken out of it.
fn part(text: &str, span: &Span, range: Range<usize>) -> Span {
    if span.len() == text.len() && range.end <= text.len() {
        span.start + range.start..span.start + range.end
    } else {
        span.clone()
    }
}

/// Expands `word` to one text: quotes and escapes go, white space stays.
///
/// A name without a value expands to nothing. `escape` is the recipe's escape character.
///
/// ```
/// let variables = |name: &str| (name == "VERSION").then(|| "1.2.3".to_owned());
/// let expansion = recipe::expand("v${VERSION%.*}-'${x}'${TAG:-dev}", '\\', &variables).unwrap();
/// assert_eq!(expansion.text, "v1.2-${x}dev");
/// assert_eq!(expansion.unset, ["TAG"]);
/// ```
pub fn expand(
    word: &str,
    escape: char,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Expansion, ExpandError> {
    let lexer = word_lexer(escape);
    one_text(&lexer, word, variables)
}

/// Expands the text of a here-document: quotes stay, and the escape character is always `\`,
/// which goes wherever it is not escaped itself.
pub fn expand_heredoc(
    content: &str,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Expansion, ExpandError> {
    let lexer = Lexer {
        escape: '\\',
        quotes: Quotes::Ordinary,
        escapes: Escapes::Remove,
        unset: Unset::Empty,
        limit: MAX_EXPANDED_BYTES.saturating_add(content.len()),
    };
    one_text(&lexer, content, variables)
}

/// How the words of an instruction are read.
fn word_lexer(escape: char) -> Lexer {
    Lexer {
        escape,
        quotes: Quotes::Remove,
        escapes: Escapes::Remove,
        unset: Unset::Empty,
        limit: MAX_EXPANDED_BYTES,
    }
}

fn one_text(
    lexer: &Lexer,
    word: &str,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<Expansion, ExpandError> {
    let (mut used, mut unset) = (BTreeSet::new(), BTreeSet::new());
    let lookup = &mut |name: &str| note(name, variables(name), &mut used, &mut unset);
    let text = lexer.run(word, lookup, &mut |_| ())?;
    Ok(Expansion { text, used: used.into_iter().collect(), unset: unset.into_iter().collect() })
}

/// Expands `word` and splits it where white space is not quoted, as `EXPOSE` does.
pub fn expand_words(
    word: &str,
    escape: char,
    variables: &dyn Fn(&str) -> Option<String>,
) -> Result<ExpandedWords, ExpandError> {
    let lexer = word_lexer(escape);
    let (mut used, mut unset) = (BTreeSet::new(), BTreeSet::new());
    let lookup = &mut |name: &str| note(name, variables(name), &mut used, &mut unset);
    let words = split(&lexer, word, lookup)?;
    Ok(ExpandedWords {
        words: words.into_iter().map(|(text, _)| text).collect(),
        used: used.into_iter().collect(),
        unset: unset.into_iter().collect(),
    })
}

fn note(
    name: &str,
    value: Option<String>,
    used: &mut BTreeSet<String>,
    unset: &mut BTreeSet<String>,
) -> Option<String> {
    let names = if value.is_some() { used } else { unset };
    if !names.contains(name) {
        names.insert(name.to_owned());
    }
    value
}

/// The words of an expanded text, each with the part of `text` that it came from.
pub(crate) fn split(
    lexer: &Lexer,
    text: &str,
    variables: &mut dyn FnMut(&str) -> Option<String>,
) -> Result<Vec<(String, Range<usize>)>, ExpandError> {
    let mut words = Words::default();
    lexer.run(text, variables, &mut |item| words.add(item))?;
    words.close();
    Ok(words.words)
}

/// Words in the making.
#[derive(Default)]
struct Words {
    words: Vec<(String, Range<usize>)>,
    text: String,
    range: Range<usize>,
}

impl Words {
    fn add(&mut self, item: Item<'_>) {
        if item.quoted {
            self.push(item.text, item.source);
            return;
        }
        for (at, character) in item.text.char_indices() {
            if character.is_whitespace() {
                self.close();
            } else {
                let end = at + character.len_utf8();
                self.push(&item.text[at..end], item.source.clone());
            }
        }
    }

    fn push(&mut self, text: &str, source: Range<usize>) {
        if self.text.is_empty() {
            self.range.start = source.start;
        }
        self.range.end = source.end;
        self.text.push_str(text);
    }

    fn close(&mut self) {
        if !self.text.is_empty() {
            self.words.push((std::mem::take(&mut self.text), self.range.clone()));
        }
    }
}

#[cfg(test)]
mod tests;
