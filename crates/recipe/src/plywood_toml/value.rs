//! Values that fit their keys, each with its place.

use std::collections::BTreeMap;

use super::environment::Part;
use crate::{Span, Spanned};

/// A table that fits its keys.
#[derive(Debug, Default)]
pub(super) struct Table {
    values: BTreeMap<&'static str, Entry>,
    /// Whether there are keys that are not known, which may be others misspelt.
    pub(super) has_unknown: bool,
    /// Where the table is.
    pub(super) span: Span,
}

/// A key that was given.
#[derive(Debug)]
pub(super) struct Entry {
    /// Where the key and its value are.
    pub(super) span: Span,
    pub(super) value: Value,
}

/// What was given.
#[derive(Debug)]
pub(super) enum Value {
    Text(Spanned<String>),
    Flag(bool),
    Count(Spanned<usize>),
    Texts(Vec<Spanned<String>>),
    Names(Vec<Named>),
    Table(Table),
    Tables(Vec<Table>),
    /// What does not fit, and has been reported.
    Wrong,
}

/// A name of the user's and its value.
#[derive(Debug)]
pub(super) struct Named {
    pub(super) name: Spanned<String>,
    pub(super) value: Spanned<Vec<Part>>,
}

impl Table {
    pub(super) fn new(span: Span) -> Self {
        Table { values: BTreeMap::new(), has_unknown: false, span }
    }

    pub(super) fn insert(&mut self, name: &'static str, span: Span, value: Value) {
        self.values.insert(name, Entry { span, value });
    }

    /// What was given for a key.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.values.get(name)
    }

    /// The place of a key that was given, rightly or wrongly.
    pub(super) fn place(&self, name: &str) -> Option<Span> {
        self.entry(name).map(|entry| entry.span.clone())
    }

    /// Whether a key is missing, and not only wrong or misspelt.
    pub(super) fn lacks(&self, name: &str) -> bool {
        !self.has_unknown && self.place(name).is_none()
    }

    pub(super) fn text(&self, name: &str) -> Option<&Spanned<String>> {
        match &self.entry(name)?.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match &self.entry(name)?.value {
            Value::Flag(flag) => Some(*flag),
            _ => None,
        }
    }

    pub(super) fn count(&self, name: &str) -> Option<&Spanned<usize>> {
        match &self.entry(name)?.value {
            Value::Count(count) => Some(count),
            _ => None,
        }
    }

    /// The strings of an array, or the only one.
    pub(super) fn texts(&self, name: &str) -> &[Spanned<String>] {
        match self.entry(name).map(|entry| &entry.value) {
            Some(Value::Texts(texts)) => texts,
            Some(Value::Text(text)) => std::slice::from_ref(text),
            _ => &[],
        }
    }

    pub(super) fn names(&self, name: &str) -> &[Named] {
        match self.entry(name).map(|entry| &entry.value) {
            Some(Value::Names(names)) => names,
            _ => &[],
        }
    }

    pub(super) fn table(&self, name: &str) -> Option<&Table> {
        match &self.entry(name)?.value {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    pub(super) fn tables(&self, name: &str) -> &[Table] {
        match self.entry(name).map(|entry| &entry.value) {
            Some(Value::Tables(tables)) => tables,
            _ => &[],
        }
    }
}
