//! Addresses and paths in requirements: which they are, and which are not taken.

use super::name::{name_length, normalized_name};
use super::version::is_version;
use crate::{Problem, Span};

/// Where a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Location<'a> {
    Url(&'a str),
    /// A clean path, and the digest in the fragment of its `file:` URL.
    Path(String, Option<String>),
}

/// What pip unpacks.
const ARCHIVES: [&str; 12] = [
    ".whl",
    ".tar.gz",
    ".tgz",
    ".zip",
    ".tar",
    ".tar.bz2",
    ".tbz",
    ".tar.xz",
    ".txz",
    ".tlz",
    ".tar.lz",
    ".tar.lzma",
];

/// The algorithms that pip takes a digest of.
pub(super) const ALGORITHMS: [(&str, usize); 3] = [("sha256", 64), ("sha384", 96), ("sha512", 128)];

/// Variables that a marker may begin with, by their first letters.
const MARKER_BEGINNINGS: [&str; 6] =
    ["python_", "sys_platform", "platform_", "os_name", "implementation_", "extra"];

/// Whether the text is an address or a path, and not a name with what goes behind it.
pub(super) fn stands_alone(text: &str) -> bool {
    if is_remote(text) || is_file_url(text) || is_version_control(text) {
        return true;
    }
    let behind = text[name_length(text)..].trim_start();
    let behind = match behind.strip_prefix('[').and_then(|extras| extras.split_once(']')) {
        Some((_, behind)) => behind.trim_start(),
        None => behind,
    };
    if behind.starts_with('@') {
        return false;
    }
    let head = text.split(';').next().unwrap_or_default().trim();
    let word = head.split_whitespace().next().unwrap_or_default();
    head.starts_with(['.', '~']) || word.contains(['/', '\\']) || is_archive_name(head)
}

fn is_archive_name(head: &str) -> bool {
    let place = head.strip_suffix(']').and_then(|open| open.rsplit_once('['));
    let place = place.map_or(head, |(place, _)| place);
    is_archive(place) && !place.contains(['=', '<', '>', '!', '~'])
}

pub(super) fn is_archive(path: &str) -> bool {
    let lower = path.to_ascii_lowercase();
    ARCHIVES.iter().any(|extension| lower.ends_with(extension))
}

/// Whether the text begins as an address with a scheme and `//`.
pub(super) fn is_remote(text: &str) -> bool {
    scheme(text).is_some_and(|(scheme, rest)| scheme != "file" && rest.starts_with("//"))
}

fn is_file_url(text: &str) -> bool {
    scheme(text).is_some_and(|(scheme, _)| scheme == "file")
}

fn scheme(text: &str) -> Option<(String, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let is_scheme = scheme.starts_with(|character: char| character.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+.-".contains(&byte));
    is_scheme.then(|| (scheme.to_ascii_lowercase(), rest))
}

/// Whether the text says to check out a repository: `git+https://…`, or as git itself has it.
pub(super) fn is_version_control(text: &str) -> bool {
    let known = ["git", "hg", "svn", "bzr"];
    text.starts_with("git@")
        || scheme(text).is_some_and(|(scheme, rest)| {
            let system = scheme.split_once('+').map_or("", |(system, _)| system);
            known.contains(&system) || known.contains(&scheme.as_str()) && rest.starts_with("//")
        })
}

/// Where a marker is set off behind an address or a path: the end of what is before it, and the
/// begin of the marker.
///
/// A URL may hold a `;` of its own. White space beside it tells the two apart (PEP 508), and so
/// does a marker's variable, for pip needs no white space behind `name @ URL`.
pub(super) fn split_marker(text: &str) -> (usize, Option<usize>) {
    let is_url = text.contains("://");
    let separator = text.match_indices(';').map(|(at, _)| at).find(|at| {
        let (before, behind) = (&text[..*at], &text[at + 1..]);
        !is_url
            || behind.is_empty()
            || behind.starts_with(char::is_whitespace)
            || before.ends_with(char::is_whitespace)
            || MARKER_BEGINNINGS.iter().any(|variable| behind.starts_with(variable))
    });
    (separator.unwrap_or(text.len()), separator.map(|at| at + 1))
}

/// The address behind `name @`.
pub(super) fn named_address<'a>(
    text: &'a str,
    span: Span,
    name: &str,
) -> Result<Location<'a>, Problem> {
    let place = &text[span.clone()];
    if place.is_empty() {
        let at = span.start.saturating_sub(1)..span.start;
        return Err(Problem::at(at, "there is no address behind `@`"));
    }
    if is_version(place) {
        let problem = Problem::at(span, "an address is expected behind `@`, and not a version");
        return Err(problem.with_hint(format!("write `{name}=={place}`")));
    }
    address(text, span)
}

/// The address or path at `span`, if a wheel or an archive can be had from there.
pub(super) fn address(text: &str, span: Span) -> Result<Location<'_>, Problem> {
    let place = &text[span.clone()];
    if is_version_control(place) {
        let problem = Problem::at(span, "a requirement is not taken from a repository");
        return Err(problem.with_hint(
            "pin a release, name a wheel that is built from it, or install from a lock \
             (`uv lock`)",
        ));
    }
    if let Some(space) = place.find(char::is_whitespace).filter(|_| place.contains("://")) {
        let at = span.start + space;
        let problem = Problem::at(at..span.end, "white space ends the address");
        return Err(problem.with_hint("a marker stands behind ` ; `, and a comment behind ` #`"));
    }
    if is_file_url(place) {
        return file_url(place, span);
    }
    if !is_remote(place) {
        return path(place, span).map(|path| Location::Path(path, None));
    }
    match scheme(place) {
        Some((scheme, rest)) if matches!(scheme.as_str(), "http" | "https") => {
            if rest[2..].starts_with(['/', '?', '#']) || rest.len() == 2 {
                return Err(Problem::at(span, "the address names no host"));
            }
            Ok(Location::Url(place))
        }
        scheme => {
            let scheme = scheme.map(|(scheme, _)| scheme).unwrap_or_default();
            let problem = Problem::at(span, format!("`{scheme}:` addresses are not known"));
            Err(problem.with_hint("files come by `https:`, `http:` and `file:`"))
        }
    }
}

/// The path of a `file:` URL. As in pip, it is relative if the URL has no `//`.
fn file_url<'a>(url: &str, span: Span) -> Result<Location<'a>, Problem> {
    let (_, rest) = scheme(url).unwrap_or_default();
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let local = match rest.strip_prefix("//") {
        None => rest,
        Some(rest) => rest.strip_prefix("localhost").unwrap_or(rest),
    };
    if rest.starts_with("//") && !local.starts_with('/') {
        let problem = Problem::at(span, "the `file:` address names another machine");
        return Err(problem.with_hint("write `file:///PATH`, or `file:PATH` for one from here"));
    }
    let Some(decoded) = percent_decoded(local) else {
        return Err(Problem::at(span, "the path of the `file:` address is not UTF-8"));
    };
    let hash = fragment_hash(fragment).map(|(algorithm, digest)| format!("{algorithm}:{digest}"));
    path(&decoded, span).map(|path| Location::Path(path, hash))
}

/// The path in a `file:` URL, if it is one of this machine.
pub(super) fn file_path(url: &str) -> Option<String> {
    let (scheme, rest) = scheme(url)?;
    let rest =
        rest.strip_prefix("//").map_or(rest, |rest| rest.strip_prefix("localhost").unwrap_or(rest));
    (scheme == "file").then(|| percent_decoded(rest)).flatten()
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let code = behind.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let code = code.filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) if *first == b'%' => {
                bytes.push(byte);
                rest = &behind[2..];
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    String::from_utf8(bytes).ok()
}

/// A wheel's or an archive's path, clean.
fn path(written: &str, span: Span) -> Result<String, Problem> {
    // A `file:` URL can hold them encoded, and what is handed on would be read in another way.
    let is_odd = |character: char| matches!(character, ';' | '[' | ']') || character.is_control();
    if let Some(odd) = written.chars().find(|character| is_odd(*character)) {
        let odd = odd.escape_debug();
        return Err(Problem::at(span, format!("`{odd}` has no place in the path of a wheel")));
    }
    if is_archive(written) {
        return Ok(clean(written));
    }
    let last = written.rsplit('/').next().unwrap_or_default();
    if [".txt", ".in", ".toml"].iter().any(|extension| last.ends_with(extension)) {
        let problem = Problem::at(span, "this is neither a wheel nor an archive");
        return Err(problem.with_hint("for a file with requirements, write `-r` before it"));
    }
    let problem = Problem::at(span, "a directory cannot be installed");
    Err(problem.with_hint(
        "for the project in the context write `project = \".\"`; for another, build a wheel and \
         name that",
    ))
}

/// A path without `.`, `..` and repeated `/`, as far as that can be told without looking.
pub(super) fn clean(path: &str) -> String {
    let root = if path.starts_with('/') { "/" } else { "" };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => {
                parts.pop();
            }
            ".." if !root.is_empty() => {}
            part => parts.push(part),
        }
    }
    format!("{root}{}", parts.join("/"))
}

/// A path that is written in the file `base` and relative to it.
pub(super) fn beside(base: &str, path: &str) -> String {
    match base.rsplit_once('/') {
        Some((directory, _)) if !path.starts_with('/') => clean(&format!("{directory}/{path}")),
        _ => clean(path),
    }
}

/// Complains of a wheel of another distribution than the one that is named before it.
pub(super) fn check_wheel_of(path: &str, name: &str, span: Span) -> Result<(), Problem> {
    let file = path.rsplit('/').next().unwrap_or_default();
    let Some((found, _)) = file.split_once('-').filter(|_| file.ends_with(".whl")) else {
        return Ok(());
    };
    if normalized_name(found) == normalized_name(name) {
        return Ok(());
    }
    Err(Problem::at(span, format!("the wheel is of `{found}`, and `{name}` is asked for")))
}

/// Whether the URL's fragment holds a digest that is taken.
pub(super) fn has_hash(url: &str) -> bool {
    url.split_once('#').is_some_and(|(_, fragment)| fragment_hash(fragment).is_some())
}

fn fragment_hash(fragment: &str) -> Option<(&str, &str)> {
    let pairs = fragment.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(name, _)| ALGORITHMS.iter().any(|(algorithm, _)| algorithm == name))
}

/// What `#egg=` says behind a URL, such as `name[extra]`. As in pip, a wheel's own name counts.
pub(super) fn egg(url: &str) -> Option<&str> {
    let (place, fragment) = url.split_once('#')?;
    let egg = fragment.split('&').find_map(|pair| pair.strip_prefix("egg="))?;
    (!place.ends_with(".whl")).then_some(egg)
}
