//! Values of a TOML document, of the kinds that are expected, with their places.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::Written;
use crate::{Problem, Span};

/// A document's text, and what is wrong with it.
pub(super) struct Reader<'t> {
    text: &'t str,
    /// Where each line ends.
    line_ends: Vec<usize>,
    pub(super) problems: Vec<Problem>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let line_ends = text.match_indices('\n').map(|(at, _)| at).collect();
        Reader { text, line_ends, problems: Vec::new() }
    }

    /// The number of the line that holds the byte at `at`.
    pub(super) fn line_of(&self, at: usize) -> usize {
        self.line_ends.partition_point(|end| *end < at) + 1
    }

    /// A problem at a place, which is not kept.
    pub(super) fn problem(&self, span: Span, message: impl Into<String>) -> Problem {
        let line = self.line_of(span.start);
        Problem { line, ..Problem::at(span, message) }
    }

    pub(super) fn complain(&mut self, span: Span, message: impl Into<String>) {
        let problem = self.problem(span, message);
        self.problems.push(problem);
    }

    /// Keeps a problem of the string whose value is at `span`.
    pub(super) fn complain_within(&mut self, value: &str, span: &Span, problem: Problem) {
        let place = self.place_within(value, span, &problem.span);
        let line = self.line_of(place.start);
        self.problems.push(Problem { line, span: place, ..problem });
    }

    /// A part of a string's value in the document, if it is written there without escapes; all of
    /// the string if not.
    fn place_within(&self, value: &str, span: &Span, part: &Span) -> Span {
        let written = self.text.get(span.clone()).unwrap_or_default();
        let quotes = written.len() - written.trim_start_matches(['"', '\'']).len();
        match written.get(quotes..) {
            Some(rest) if rest.starts_with(value) => {
                let start = span.start + quotes;
                start + part.start..start + part.end
            }
            _ => span.clone(),
        }
    }

    fn expected(&mut self, value: &Spanned<DeValue<'_>>, key: &str, kind: &str) {
        let found = match value.get_ref().type_str() {
            "array" => "an array".to_owned(),
            "integer" => "an integer".to_owned(),
            other => format!("a {other}"),
        };
        self.complain(value.span(), format!("`{key}` is {kind}, and not {found}"));
    }

    pub(super) fn table<'a, 'i>(
        &mut self,
        parent: &'a DeTable<'i>,
        key: &str,
    ) -> Option<&'a DeTable<'i>> {
        let value = parent.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.expected(value, key, "a table");
        }
        table
    }

    pub(super) fn array<'a, 'i>(
        &mut self,
        parent: &'a DeTable<'i>,
        key: &str,
    ) -> Option<&'a [Spanned<DeValue<'i>>]> {
        self.elements(parent.get(key)?, key)
    }

    pub(super) fn elements<'a, 'i>(
        &mut self,
        value: &'a Spanned<DeValue<'i>>,
        key: &str,
    ) -> Option<&'a [Spanned<DeValue<'i>>]> {
        let array = value.get_ref().as_array();
        if array.is_none() {
            self.expected(value, key, "an array");
        }
        array.map(|array| &array[..])
    }

    pub(super) fn string(&mut self, parent: &DeTable<'_>, key: &str) -> Option<Written> {
        self.string_of(parent.get(key)?, key)
    }

    pub(super) fn string_of(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Option<Written> {
        let Some(text) = value.get_ref().as_str() else {
            self.expected(value, key, "a string");
            return None;
        };
        let span = value.span();
        Some(Written { text: text.to_owned(), line: self.line_of(span.start), span })
    }

    /// A string, or nothing if something else is there.
    pub(super) fn string_if_there(&self, parent: &DeTable<'_>, key: &str) -> Option<String> {
        parent.get(key)?.get_ref().as_str().map(str::to_owned)
    }

    pub(super) fn boolean(&mut self, parent: &DeTable<'_>, key: &str) -> bool {
        let Some(value) = parent.get(key) else { return false };
        let boolean = value.get_ref().as_bool();
        if boolean.is_none() {
            self.expected(value, key, "true or false");
        }
        boolean.unwrap_or_default()
    }

    /// The strings of an array.
    pub(super) fn strings(&mut self, value: &Spanned<DeValue<'_>>, key: &str) -> Vec<Written> {
        let elements = self.elements(value, key).unwrap_or_default();
        elements.iter().filter_map(|element| self.string_of(element, key)).collect()
    }
}
