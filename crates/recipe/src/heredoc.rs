//! Which here-documents a line announces, and their bodies.
//!
//! BuildKit's `parser.heredocsFromLine`: a word of `RUN`, `COPY` or `ADD` in shell form, or of one
//! of these behind `ONBUILD`, that is `<<name` with an optional descriptor in front, an optional
//! `-`, and quotes if nothing is to be expanded.

use std::ops::Range;

use crate::expand::{Escapes, Lexer, Quotes, Unset, split};
use crate::line::{Line, Lines, Tabs};
use crate::split::{Json, Parts, json, parts};
use crate::{Diagnostic, Heredoc};

/// A here-document's beginning.
pub(crate) struct Opening {
    pub(crate) name: String,
    pub(crate) expand: bool,
    pub(crate) tabs: Tabs,
    pub(crate) descriptor: u32,
    /// The word, in the line's text.
    pub(crate) range: Range<usize>,
}

/// A here-document and the word that announced it.
pub(crate) struct Announced {
    pub(crate) heredoc: Heredoc,
    pub(crate) range: Range<usize>,
    /// The body as it stands, tabs included.
    pub(crate) raw: String,
}

/// Reads the bodies of the here-documents that `line` announces.
pub(crate) fn read(
    line: &Line,
    parts: &Parts,
    escape: char,
    lines: &mut Lines<'_>,
    text: &str,
) -> Result<Vec<Announced>, Diagnostic> {
    if !may_announce(line, parts, escape) {
        return Ok(Vec::new());
    }
    openings(line).into_iter().map(|opening| body(line, opening, lines, text)).collect()
}

fn body(
    line: &Line,
    opening: Opening,
    lines: &mut Lines<'_>,
    text: &str,
) -> Result<Announced, Diagnostic> {
    let Opening { name, expand, tabs, descriptor, range } = opening;
    let Some(content) = lines.heredoc(&name, tabs) else {
        let message = format!("the here-document `{name}` has no end");
        let error = Diagnostic::error(line.span(range), message);
        return Err(error.with_hint(format!("end it with a line that is `{name}` and no more")));
    };
    let raw = text[content.span.clone()].to_owned();
    let heredoc = Heredoc { name, content: content.node, expand, descriptor, span: content.span };
    Ok(Announced { heredoc, range, raw })
}

fn may_announce(line: &Line, outer: &Parts, escape: char) -> bool {
    if !line.text.contains("<<") {
        return false;
    }
    let keyword = |parts: &Parts| line.text[parts.keyword.clone()].to_ascii_uppercase();
    let inner;
    let parts = if keyword(outer) == "ONBUILD" {
        inner = parts(line, outer.arguments.clone(), escape);
        &inner
    } else {
        outer
    };
    matches!(keyword(parts).as_str(), "RUN" | "COPY" | "ADD")
        && json(&line.text, parts.arguments.clone()) == Json::No
}

/// The escape character of here-documents is `\`, whatever the directive says.
fn lexer(quotes: Quotes, escapes: Escapes) -> Lexer {
    Lexer { escape: '\\', quotes, escapes, unset: Unset::Keep, limit: usize::MAX }
}

/// All here-documents of a line, in order. If quotes or variables in the line make no sense, the
/// shell is to say so, and there are none.
fn openings(line: &Line) -> Vec<Opening> {
    let lexer = lexer(Quotes::Keep, Escapes::Keep);
    let words = split(&lexer, &line.text, &mut |_| None).unwrap_or_default();
    words.into_iter().filter_map(|(word, range)| opening(&word, range)).collect()
}

/// The here-document that a word announces, if it does.
fn opening(word: &str, range: Range<usize>) -> Option<Opening> {
    let (descriptor, rest) = word.split_once("<<")?;
    if !descriptor.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (tabs, rest) = match rest.strip_prefix('-') {
        Some(rest) => (Tabs::Strip, rest),
        None => (Tabs::Keep, rest),
    };
    let rest = rest.trim_start();
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let single = |quotes| {
        let words = split(&lexer(quotes, Escapes::Remove), rest, &mut |_| None).ok()?;
        <[(String, Range<usize>); 1]>::try_from(words).ok().map(|[(word, _)]| word)
    };
    let (name, quoted) = (single(Quotes::Remove)?, single(Quotes::Keep)?);
    let quotes = |text: &str| text.matches(['\'', '"']).count();
    Some(Opening {
        expand: quotes(&name) == quotes(&quoted),
        name,
        tabs,
        descriptor: descriptor.parse().unwrap_or(0),
        range,
    })
}
