//! Parser directives: `# key=value` comments at the very top, before anything else, each once.
//!
//! <https://docs.docker.com/reference/dockerfile/#parser-directives>

use crate::suggest::did_you_mean;
use crate::{CheckOptions, Diagnostic, Directives, Span};

/// What stands at the top, and where the rest begins.
pub(crate) struct Top {
    pub(crate) directives: Directives,
    pub(crate) errors: Vec<Diagnostic>,
    /// The first byte that is not a directive, the byte order mark or a `#!` line.
    pub(crate) rest: usize,
}

/// One `key=value`.
struct Directive<'a> {
    key: String,
    key_span: Span,
    value: &'a str,
    value_span: Span,
}

/// Reads the directives.
pub(crate) fn parse(text: &str) -> Top {
    let start = if text.starts_with('\u{feff}') { '\u{feff}'.len_utf8() } else { 0 };
    let directives = Directives { syntax: None, escape: '\\', check: CheckOptions::default() };
    let mut top = Top { directives, errors: Vec::new(), rest: start };
    let mut seen: Vec<String> = Vec::new();
    for (number, line) in text[start..].split_inclusive('\n').enumerate() {
        let after_shebang = number > 0 && text[start..].starts_with("#!");
        if number > 0 || !line.starts_with("#!") {
            let Some(directive) = directive(line, top.rest) else { break };
            if seen.contains(&directive.key) {
                let message = format!("the directive `{}` stands here again", directive.key);
                let error = Diagnostic::error(directive.key_span, message);
                top.errors.push(error.with_hint("keep one of them"));
            } else {
                // A script's first line hides the escape character, but not the front end's keys.
                if !(after_shebang && directive.key == "escape") {
                    apply(&mut top, &directive);
                }
                seen.push(directive.key);
            }
        }
        top.rest += line.len();
    }
    top
}

/// A directive, if the line is one: `#`, a known key, `=`, and a value.
fn directive(line: &str, start: usize) -> Option<Directive<'_>> {
    let body = line.trim_start();
    let comment = body.strip_prefix('#')?.trim_start();
    let at = start + (line.len() - comment.len());
    let (key, value) = comment.split_once('=')?;
    let trimmed = key.trim_end();
    let lower = trimmed.to_ascii_lowercase();
    if !matches!(lower.as_str(), "syntax" | "escape" | "check") || value.trim().is_empty() {
        return None;
    }
    let value_start = at + key.len() + 1 + (value.len() - value.trim_start().len());
    let value = value.trim();
    Some(Directive {
        key: lower,
        key_span: at..at + trimmed.len(),
        value,
        value_span: value_start..value_start + value.len(),
    })
}

fn apply(top: &mut Top, directive: &Directive<'_>) {
    let value = directive.value;
    // What follows a space is a comment of the front end's, or arguments to it.
    let first = value.split(' ').next().unwrap_or_default();
    match directive.key.as_str() {
        "syntax" => top.directives.syntax = Some(first.to_owned()),
        "escape" => match value {
            "\\" | "`" => top.directives.escape = if value == "`" { '`' } else { '\\' },
            _ => {
                let message = format!("`{value}` cannot be the escape character");
                let error = Diagnostic::error(directive.value_span.clone(), message);
                top.errors.push(error.with_hint("it is `\\` or a backtick"));
            }
        },
        _ => match check_options(first, directive.value_span.start) {
            Ok(_) if first.ends_with([',', ';']) && first.len() < value.len() => {
                let message = "the options of `check` end at a space";
                let error = Diagnostic::error(directive.value_span.clone(), message);
                top.errors.push(error.with_hint("write them without spaces"));
            }
            Ok(options) => top.directives.check = options,
            Err(error) => top.errors.push(error),
        },
    }
}

/// The options in a `check=…` comment that stands before an instruction.
pub(crate) fn local_check(comment: &str) -> Option<CheckOptions> {
    let (key, value) = comment.split_once('=')?;
    if !key.trim_end().eq_ignore_ascii_case("check") {
        return None;
    }
    let value = value.trim().split(' ').next()?;
    check_options(value, 0).ok()
}

/// `skip=a,b;error=true;experimental=all`
fn check_options(text: &str, start: usize) -> Result<CheckOptions, Diagnostic> {
    const KEYS: [&str; 3] = ["skip", "error", "experimental"];
    let mut options = CheckOptions::default();
    let mut at = start;
    for option in text.split(';') {
        let span = at..at + option.len();
        at = span.end + 1;
        if option.trim().is_empty() {
            continue;
        }
        let (key, value) = option.split_once('=').unwrap_or((option, ""));
        let rules = || value.split(',').map(|rule| rule.trim().to_owned()).collect();
        match (key.trim(), value.trim()) {
            ("skip", rule) if !rule.is_empty() => options.skip = rules(),
            ("experimental", rule) if !rule.is_empty() => options.experimental = rules(),
            ("error", value) if boolean(value).is_some() => {
                options.error = boolean(value) == Some(true);
            }
            (key, _) => {
                let error = Diagnostic::error(span, format!("`{option}` is not a check option"));
                let hint = did_you_mean(key, KEYS).unwrap_or_else(|| {
                    "options are skip=RULE,…, experimental=RULE,… and error=true".to_owned()
                });
                return Err(error.with_hint(hint));
            }
        }
    }
    Ok(options)
}

/// Go's `strconv.ParseBool`.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Some(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Some(false),
        _ => None,
    }
}
