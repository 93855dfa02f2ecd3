//! The options that pip takes in a requirements file, read as its `optparse` reads them.

use super::words::Word;
use crate::{Problem, Span};

/// What an option is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Requirement,
    Constraint,
    Editable,
    IndexUrl,
    ExtraIndexUrl,
    NoIndex,
    FindLinks,
    NoBinary,
    OnlyBinary,
    PreferBinary,
    RequireHashes,
    Prereleases,
    TrustedHost,
    Feature,
    Hash,
    GlobalOption,
    ConfigSettings,
}

/// An option that is given.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) kind: Kind,
    /// Its long name.
    pub(super) name: &'static str,
    /// Empty if it takes none.
    pub(super) value: String,
    /// All of it.
    pub(super) span: Span,
}

struct Known {
    kind: Kind,
    name: &'static str,
    short: Option<char>,
}

const KNOWN: [Known; 18] = [
    known("--requirement", Some('r'), Kind::Requirement),
    known("--constraint", Some('c'), Kind::Constraint),
    known("--editable", Some('e'), Kind::Editable),
    known("--index-url", Some('i'), Kind::IndexUrl),
    known("--pypi-url", None, Kind::IndexUrl),
    known("--extra-index-url", None, Kind::ExtraIndexUrl),
    known("--no-index", None, Kind::NoIndex),
    known("--find-links", Some('f'), Kind::FindLinks),
    known("--no-binary", None, Kind::NoBinary),
    known("--only-binary", None, Kind::OnlyBinary),
    known("--prefer-binary", None, Kind::PreferBinary),
    known("--require-hashes", None, Kind::RequireHashes),
    known("--pre", None, Kind::Prereleases),
    known("--trusted-host", None, Kind::TrustedHost),
    known("--use-feature", None, Kind::Feature),
    known("--hash", None, Kind::Hash),
    known("--global-option", None, Kind::GlobalOption),
    known("--config-settings", Some('C'), Kind::ConfigSettings),
];

/// Options of `pip install` that no file may have.
const OF_THE_COMMAND: [&str; 20] = [
    "--upgrade",
    "-U",
    "--no-deps",
    "--user",
    "--target",
    "-t",
    "--no-cache-dir",
    "--platform",
    "--python-version",
    "--abi",
    "--implementation",
    "--prefix",
    "--root",
    "--ignore-installed",
    "-I",
    "--no-build-isolation",
    "--no-compile",
    "--compile",
    "--upgrade-strategy",
    "--quiet",
];

const fn known(name: &'static str, short: Option<char>, kind: Kind) -> Known {
    Known { kind, name, short }
}

impl Kind {
    pub(super) fn takes_value(self) -> bool {
        use Kind::{NoIndex, PreferBinary, Prereleases, RequireHashes};
        !matches!(self, NoIndex | PreferBinary | RequireHashes | Prereleases)
    }
}

/// Reads a line's words. Each that is wrong is a problem, and hides no other.
pub(super) fn options(words: Vec<Word>, problems: &mut Vec<Problem>) -> Vec<Given> {
    let mut given = Vec::new();
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match option(&word) {
            Err(problem) => problems.push(problem),
            Ok((known, Some(value))) if known.kind.takes_value() => {
                given.push(Given { kind: known.kind, name: known.name, value, span: word.span });
            }
            Ok((known, Some(_))) => {
                let message = format!("`{}` takes no value", known.name);
                problems.push(Problem::at(word.span, message));
            }
            Ok((known, None)) => {
                let mut span = word.span;
                let value = if known.kind.takes_value() { words.next() } else { None };
                if known.kind.takes_value() && value.is_none() {
                    let message = format!("there is no value behind `{}`", known.name);
                    problems.push(Problem::at(span, message));
                    continue;
                }
                let value = value.map_or_else(String::new, |value| {
                    span.end = value.span.end;
                    value.text
                });
                given.push(Given { kind: known.kind, name: known.name, value, span });
            }
        }
    }
    given
}

/// The option that a word names, and the value that is in it.
fn option(word: &Word) -> Result<(&'static Known, Option<String>), Problem> {
    let Some(short) = word.text.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
        return long(word);
    };
    let mut characters = short.chars();
    let letter = characters.next();
    match KNOWN.iter().find(|known| letter.is_some() && known.short == letter) {
        Some(known) => {
            let value = characters.as_str();
            Ok((known, (!value.is_empty()).then(|| value.to_owned())))
        }
        None => Err(unknown(word, &word.text)),
    }
}

/// As for `optparse`, the begin of a long name is enough if no other has it.
fn long(word: &Word) -> Result<(&'static Known, Option<String>), Problem> {
    let (name, value) = match word.text.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (word.text.as_str(), None),
    };
    if !name.starts_with("--") {
        let problem = Problem::at(word.span.clone(), "this belongs to no option");
        return Err(problem.with_hint("a requirement, or another file, has a line of its own"));
    }
    if let Some(known) = KNOWN.iter().find(|known| known.name == name) {
        return Ok((known, value));
    }
    let begun: Vec<_> = KNOWN.iter().filter(|known| known.name.starts_with(name)).collect();
    match begun.as_slice() {
        [known] if name.len() > 2 => Ok((known, value)),
        [first, second, ..] if name.len() > 2 => {
            let message = format!("`{name}` is the begin of several options");
            let hint = format!("write `{}` or `{}`", first.name, second.name);
            Err(Problem::at(word.span.clone(), message).with_hint(hint))
        }
        _ => Err(unknown(word, name)),
    }
}

fn unknown(word: &Word, name: &str) -> Problem {
    let problem = Problem::at(word.span.clone(), format!("there is no option `{name}`"));
    if OF_THE_COMMAND.contains(&name) {
        return problem.with_hint("it is an option of `pip install`, and none of its files has it");
    }
    problem.with_suggestion(name, KNOWN.iter().map(|known| known.name))
}
