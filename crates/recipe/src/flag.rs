//! Flags of instructions: which there are, and what was given.

use crate::line::Line;
use crate::split::RawFlag;
use crate::suggest::did_you_mean;
use crate::{Diagnostic, Span, Word};

/// How often a flag may be given, and whether with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing, or `true` or `false`.
    Switch,
    /// A value, once.
    Value,
    /// A value, any number of times.
    Values,
}

/// A flag that an instruction knows.
pub(crate) type Known = (&'static str, Takes);

pub(crate) const FROM: &[Known] = &[("platform", Takes::Value)];
pub(crate) const COPY: &[Known] = &[
    ("from", Takes::Value),
    ("chown", Takes::Value),
    ("chmod", Takes::Value),
    ("link", Takes::Switch),
    ("parents", Takes::Switch),
    ("exclude", Takes::Values),
];
pub(crate) const ADD: &[Known] = &[
    ("chown", Takes::Value),
    ("chmod", Takes::Value),
    ("link", Takes::Switch),
    ("exclude", Takes::Values),
    ("checksum", Takes::Value),
    ("keep-git-dir", Takes::Switch),
    ("unpack", Takes::Switch),
];
pub(crate) const RUN: &[Known] = &[
    ("mount", Takes::Values),
    ("network", Takes::Value),
    ("security", Takes::Value),
    ("device", Takes::Values),
];
pub(crate) const HEALTHCHECK: &[Known] = &[
    ("interval", Takes::Value),
    ("timeout", Takes::Value),
    ("start-period", Takes::Value),
    ("start-interval", Takes::Value),
    ("retries", Takes::Value),
];
pub(crate) const NONE: &[Known] = &[];

/// The flags that were given, all of them known.
#[derive(Debug, Default)]
pub(crate) struct Flags(Vec<Given>);

#[derive(Debug)]
struct Given {
    name: &'static str,
    switch: bool,
    value: Word,
}

impl Flags {
    /// Whether a switch is on, if it was given.
    pub(crate) fn switch(&self, name: &str) -> Option<bool> {
        self.0.iter().find(|flag| flag.name == name).map(|flag| flag.switch)
    }

    /// A flag's value. An empty one is as good as none.
    pub(crate) fn value(&self, name: &str) -> Option<Word> {
        let given = self.0.iter().find(|flag| flag.name == name)?;
        (!given.value.text.is_empty()).then(|| given.value.clone())
    }

    /// All values of a flag.
    pub(crate) fn values(&self, name: &str) -> Vec<Word> {
        self.0.iter().filter(|flag| flag.name == name).map(|flag| flag.value.clone()).collect()
    }
}

/// Reads the flags of `keyword`.
pub(crate) fn parse(
    keyword: &str,
    known: &[Known],
    raw: &[RawFlag],
    line: &Line,
) -> Result<Flags, Diagnostic> {
    let mut flags = Flags::default();
    for flag in raw {
        let (name, value) = match flag.text[2..].split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (&flag.text[2..], None),
        };
        let (name_span, value_span) = spans(flag, line);
        let Some(&(name, takes)) = known.iter().find(|(known, _)| *known == name) else {
            return Err(unknown(keyword, known, name, name_span));
        };
        if takes != Takes::Values && flags.0.iter().any(|given| given.name == name) {
            let message = format!("the flag `--{name}` is given twice");
            return Err(Diagnostic::error(name_span, message).with_hint("keep one of them"));
        }
        let switch = match (takes, value) {
            (Takes::Switch, None) => true,
            (Takes::Switch, Some(value)) => match value.to_ascii_lowercase().as_str() {
                "true" => true,
                "false" => false,
                _ => {
                    let message = format!("`--{name}` is on or off, and cannot be `{value}`");
                    let error = Diagnostic::error(value_span, message);
                    return Err(error.with_hint("write `true` or `false`, or the flag alone"));
                }
            },
            (_, None) => {
                let error = Diagnostic::error(name_span, format!("`--{name}` has no value"));
                return Err(error.with_hint(format!("write `--{name}=VALUE`, without a space")));
            }
            (_, Some(_)) => false,
        };
        let value = Word { text: value.unwrap_or_default().to_owned(), span: value_span };
        flags.0.push(Given { name, switch, value });
    }
    Ok(flags)
}

/// Where a flag's name, with its dashes, and its value stand.
fn spans(flag: &RawFlag, line: &Line) -> (Span, Span) {
    let raw = &line.text[flag.range.clone()];
    match raw.find('=') {
        Some(equals) => {
            let at = flag.range.start + equals;
            (line.span(flag.range.start..at), line.span(at + 1..flag.range.end))
        }
        None => (flag.span.clone(), flag.span.clone()),
    }
}

fn unknown(keyword: &str, known: &[Known], name: &str, span: Span) -> Diagnostic {
    let error = Diagnostic::error(span, format!("`{keyword}` has no flag `--{name}`"));
    let names: Vec<String> = known.iter().map(|(name, _)| format!("--{name}")).collect();
    let typed = format!("--{name}");
    let hint = did_you_mean(&typed, names.iter().map(String::as_str));
    error.with_hint(hint.unwrap_or_else(|| {
        if names.is_empty() {
            format!("`{keyword}` takes no flags; if it is an argument, put `--` in front of it")
        } else {
            format!("it takes {}", names.join(", "))
        }
    }))
}
