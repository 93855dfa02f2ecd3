//! The shape of one requirement (PEP 508, and what pip takes beside it): where name, extras,
//! versions, address and marker stand. What they mean is the resolver's to find.

use super::characters::check_plain;
use super::clauses::{check_clauses, clauses};
use super::location::{self, Location};
use super::name::{check_name, name_length};
use crate::{Problem, Span};

/// A requirement, taken apart.
///
/// ```
/// use python::{Wanted, check_requirement};
///
/// let shape = check_requirement("flask[async] >=3, <4 ; python_version > '3.9'").unwrap();
/// assert_eq!(shape.name, Some("flask"));
/// assert_eq!(shape.extras, ["async"]);
/// assert_eq!(shape.wanted, Wanted::Versions(">=3, <4"));
/// assert_eq!(shape.marker, Some("python_version > '3.9'"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape<'a> {
    /// The distribution's name as it is written, if it is.
    pub name: Option<&'a str>,
    /// The extras' names.
    pub extras: Vec<&'a str>,
    /// Which of its files.
    pub wanted: Wanted<'a>,
    /// The marker, without its `;`.
    pub marker: Option<&'a str>,
    /// The digest in the fragment of a path's `file:` URL, such as `sha256:…`.
    pub hash: Option<String>,
    /// What is written before the marker.
    pub(crate) head: &'a str,
}

/// Which files of a distribution satisfy a requirement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// Those of versions that the clauses allow; all if there are none.
    Versions(&'a str),
    /// The one at this address.
    Url(&'a str),
    /// The one with this path on the machine that builds, which is clean: neither `.` nor an
    /// inner `..` is in it.
    Path(String),
}

impl Shape<'_> {
    /// The requirement as a resolver reads it. A path begins with `./`, `../` or `/`.
    pub fn text(&self) -> String {
        let extras = match self.extras.as_slice() {
            [] => String::new(),
            extras => format!("[{}]", extras.join(",")),
        };
        let head = match (&self.wanted, self.name) {
            (Wanted::Versions(_), _) => self.head.to_owned(),
            (Wanted::Url(url), Some(name)) => format!("{name}{extras} @ {url}"),
            (Wanted::Url(url), None) => (*url).to_owned(),
            (Wanted::Path(path), _) if path.starts_with('/') || path.starts_with("../") => {
                format!("{path}{extras}")
            }
            (Wanted::Path(path), _) => format!("./{path}{extras}"),
        };
        match self.marker {
            Some(marker) => format!("{head} ; {marker}"),
            None => head,
        }
    }

    /// Whether one file, or one version, is all that satisfies: `==1.0`, a file's path, or a URL
    /// with a hash, in it or given beside it.
    pub fn is_pinned(&self, hashes: &[String]) -> bool {
        match &self.wanted {
            Wanted::Versions(versions) => clauses(versions).any(|(_, clause)| {
                clause.starts_with("===")
                    || clause.starts_with("==") && !clause.trim_end().ends_with(".*")
            }),
            Wanted::Url(url) => !hashes.is_empty() || location::has_hash(url),
            Wanted::Path(_) => true,
        }
    }
}

/// Takes a requirement apart.
///
/// # Errors
///
/// What is wrong with it first, with the place in `text`.
pub fn check_requirement(text: &str) -> Result<Shape<'_>, Problem> {
    let start = text.len() - text.trim_start().len();
    let trimmed = text.trim();
    shape(trimmed).map_err(|mut problem| {
        problem.span = problem.span.start + start..problem.span.end + start;
        problem
    })
}

fn shape(text: &str) -> Result<Shape<'_>, Problem> {
    if text.is_empty() {
        return Err(Problem::at(0..0, "there is no requirement"));
    }
    if location::stands_alone(text) {
        return unnamed(text);
    }
    // Where an address follows, a `;` may be in it, and characters of all kinds.
    let (head, marker) = match text.find('@').filter(|at| !text[..*at].contains(';')) {
        Some(at) => {
            check_plain(text, 0..at)?;
            location::split_marker(text)
        }
        None => {
            let head = text.find(';').unwrap_or(text.len());
            check_plain(text, 0..head)?;
            (head, (head < text.len()).then_some(head + 1))
        }
    };
    let marker = marker.map(|start| marker_at(text, start)).transpose()?.flatten();
    let head = text[..head].trim_end();
    named(head, marker)
}

/// A requirement that begins with a name.
fn named<'a>(head: &'a str, marker: Option<&'a str>) -> Result<Shape<'a>, Problem> {
    let name = &head[..name_length(head)];
    check_name(head, 0..name.len())?;
    let (extras, at) = extras_at(head, name.len())?;
    let rest = &head[at..];
    let Some(address) = rest.strip_prefix('@') else {
        check_clauses(head, at, name)?;
        let wanted = Wanted::Versions(unbracketed(rest));
        return Ok(Shape { name: Some(name), extras, wanted, marker, hash: None, head });
    };
    let span = head.len() - address.trim_start().len()..head.len();
    let (wanted, hash) = wanted(location::named_address(head, span.clone(), name)?);
    if let Wanted::Path(path) = &wanted {
        location::check_wheel_of(path, name, span)?;
    }
    Ok(Shape { name: Some(name), extras, wanted, marker, hash, head })
}

fn wanted(location: Location<'_>) -> (Wanted<'_>, Option<String>) {
    match location {
        Location::Url(url) => (Wanted::Url(url), None),
        Location::Path(path, hash) => (Wanted::Path(path), hash),
    }
}

/// A requirement that is a path or a URL.
fn unnamed(text: &str) -> Result<Shape<'_>, Problem> {
    let (end, marker) = location::split_marker(text);
    let marker = marker.map(|start| marker_at(text, start)).transpose()?.flatten();
    let head = text[..end].trim_end();
    let (place, extras) = match head.strip_suffix(']').and_then(|open| open.rfind('[')) {
        Some(open) if !location::is_remote(head) => (&head[..open], extras_at(head, open)?.0),
        _ => (head, Vec::new()),
    };
    let (wanted, hash) = wanted(location::address(place, 0..place.len())?);
    let (name, extras) = match named_by_fragment(place) {
        Some((name, more)) if extras.is_empty() => (Some(name), more),
        _ => (None, extras),
    };
    Ok(Shape { name, extras, wanted, marker, hash, head })
}

/// The name and extras that `#egg=name[extra]` gives to an address.
fn named_by_fragment(place: &str) -> Option<(&str, Vec<&str>)> {
    let egg = location::egg(place)?;
    let length = name_length(egg);
    check_name(egg, 0..length).ok()?;
    let (extras, end) = extras_at(egg, length).ok()?;
    (end == egg.len()).then_some((&egg[..length], extras))
}

/// The extras between brackets at `at`, if any, and where it goes on behind white space.
fn extras_at(text: &str, at: usize) -> Result<(Vec<&str>, usize), Problem> {
    let skip = |at: usize| text.len() - text[at..].trim_start().len();
    let open = skip(at);
    if !text[open..].starts_with('[') {
        return Ok((Vec::new(), open));
    }
    let Some(close) = text[open..].find(']').map(|close| open + close) else {
        return Err(Problem::at(open..open + 1, "the `[` of the extras is not closed"));
    };
    let inner = &text[open + 1..close];
    let mut extras = Vec::new();
    let mut start = open + 1;
    for part in inner.split(',') {
        let extra = part.trim();
        let begin = start + (part.len() - part.trim_start().len());
        start += part.len() + 1;
        if extra.is_empty() && inner.trim().is_empty() {
            break;
        }
        check_name(text, begin..begin + extra.len())?;
        extras.push(extra);
    }
    Ok((extras, skip(close + 1)))
}

/// Versions may be in parentheses (PEP 508: `name (>=1)`).
fn unbracketed(versions: &str) -> &str {
    let inner = versions.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    inner.unwrap_or(versions).trim()
}

/// The marker that begins at `start`. As in pip, nothing behind the `;` is no marker.
fn marker_at(text: &str, start: usize) -> Result<Option<&str>, Problem> {
    let marker = text[start..].trim();
    let start = text.len() - text[start..].trim_start().len();
    check_plain(text, start..text.len())?;
    let mut quote: Option<(usize, char)> = None;
    let mut parentheses: Vec<usize> = Vec::new();
    for (at, character) in marker.char_indices() {
        match (quote, character) {
            (Some((_, open)), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some((at, character)),
            (None, '(') => parentheses.push(at),
            (None, ')') if parentheses.pop().is_none() => {
                let span = span_of_one(start + at);
                return Err(Problem::at(span, "the `)` of the marker was not opened"));
            }
            _ => {}
        }
    }
    if let Some((at, quote)) = quote {
        let message = format!("the quote `{quote}` of the marker is not closed");
        return Err(Problem::at(span_of_one(start + at), message));
    }
    if let Some(at) = parentheses.last() {
        let message = "the `(` of the marker is not closed";
        return Err(Problem::at(span_of_one(start + at), message));
    }
    Ok((!marker.is_empty()).then_some(marker))
}

fn span_of_one(at: usize) -> Span {
    at..at + 1
}
