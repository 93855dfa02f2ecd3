//! What is wrong with something that people wrote, and where.

use std::ops::Range;

/// A place in a text, in bytes.
pub type Span = Range<usize>;

/// A finding at a place in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The place.
    pub span: Span,
    /// What is wrong: a lowercase fragment. It quotes no address.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Problem {
    /// A problem of a text of one line.
    pub(crate) fn at(span: Span, message: impl Into<String>) -> Self {
        Problem { line: 1, span, message: message.into(), hint: None }
    }

    /// The same with a way out.
    #[must_use]
    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// The same with what may have been meant, if that is known.
    #[must_use]
    pub(crate) fn with_suggestion<'a>(
        self,
        typed: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        match closest(typed, known) {
            Some(name) => self.with_hint(format!("did you mean `{name}`?")),
            None => self,
        }
    }
}

/// The known name that is at most two slips from `typed`, or one if that is short.
fn closest<'a>(typed: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    /// Longer words are no slips, and comparing them costs the product of the lengths.
    const MAX_LENGTH: usize = 64;
    if typed.len() > MAX_LENGTH {
        return None;
    }
    let allowed = if typed.len() <= 3 { 1 } else { 2 };
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(typed, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
