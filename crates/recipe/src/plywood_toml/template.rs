//! Templates in values: `{git.sha}`, `{env.NAME}`, `{arg.NAME}`.
//!
//! Nothing else that has braces is a template, so JSON and format strings need no care. What would
//! be one is written with two braces on either side: `{{git.sha}}` is the text `{git.sha}`.

use std::ops::Range;

use crate::suggest::closest;

/// What `{git.…}` can ask for.
pub(super) const GIT: [&str; 3] = ["branch", "sha", "tag"];

/// A value taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// As it is written, and where it begins.
    Text(&'a str, usize),
    /// A template's name without the braces, and where it stands.
    Template(&'a str, Range<usize>),
}

/// What is wrong with a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TemplateProblem {
    /// The bytes of the text that are at fault.
    pub(super) at: Range<usize>,
    pub(super) message: String,
    pub(super) hint: String,
}

/// Takes a value apart.
pub(super) fn pieces(text: &str) -> Result<Vec<Piece<'_>>, TemplateProblem> {
    let mut pieces = Vec::new();
    let piece = |range: Range<usize>| Piece::Text(&text[range.clone()], range.start);
    // Up to where the text is in pieces.
    let mut taken = 0;
    let mut position = 0;
    while let Some(found) = text[position..].find('{') {
        let start = position + found;
        let escaped = text[start..].starts_with("{{") && begins(&text[start + 1..]);
        if !escaped && !begins(&text[start..]) {
            position = start + 1;
            continue;
        }
        let open = start + usize::from(escaped);
        let end = open + close(&text[open..]).ok_or_else(|| unclosed(text, open))?;
        pieces.push(piece(taken..start));
        if escaped && text[end..].starts_with('}') {
            pieces.push(piece(open..end));
            position = end + 1;
        } else {
            // With one brace more in front, that one is text.
            pieces.push(piece(start..open));
            pieces.push(Piece::Template(&text[open + 1..end - 1], open..end));
            position = end;
        }
        taken = position;
    }
    pieces.push(piece(taken..text.len()));
    pieces.retain(|piece| !matches!(piece, Piece::Text("", _)));
    Ok(pieces)
}

/// Whether a template begins here.
fn begins(text: &str) -> bool {
    ["{git.", "{env.", "{arg."].iter().any(|prefix| text.starts_with(prefix))
}

/// How long the template is that begins here, braces included.
fn close(text: &str) -> Option<usize> {
    let end = 1 + text[1..].find(['{', '}', '\n'])?;
    text[end..].starts_with('}').then_some(end + 1)
}

fn unclosed(text: &str, open: usize) -> TemplateProblem {
    let end = text[open + 1..].find(['{', '\n']).map_or(text.len(), |length| open + 1 + length);
    TemplateProblem {
        at: open..end,
        message: "a template is not closed by `}`".to_owned(),
        hint: "for the text itself, write both braces twice".to_owned(),
    }
}

/// The value of a template.
pub(super) fn value(
    name: &str,
    at: &Range<usize>,
    values: &dyn Fn(&str) -> Option<String>,
) -> Result<String, TemplateProblem> {
    let problem = |message: String, hint: String| TemplateProblem { at: at.clone(), message, hint };
    let (kind, key) = name.split_once('.').unwrap_or((name, ""));
    if kind == "git" && !GIT.contains(&key) {
        let hint = match closest(key, GIT) {
            Some(meant) => format!("did you mean `{{git.{meant}}}`?"),
            None => "there are `{git.branch}`, `{git.sha}` and `{git.tag}`".to_owned(),
        };
        return Err(problem(format!("there is no template `{{{name}}}`"), hint));
    }
    if key.is_empty() || key.contains(|c: char| c.is_whitespace() || c.is_control() || c == '=') {
        let message = format!("`{{{name}}}` does not name a variable");
        return Err(problem(message, format!("it is written `{{{kind}.NAME}}`")));
    }
    if let Some(value) = values(name) {
        return Ok(value);
    }
    Err(match (kind, key) {
        ("arg", _) => problem(
            format!("build argument `{key}` is not given"),
            format!("give it with `--build-arg {key}=…`"),
        ),
        ("env", _) => problem(
            format!("the environment variable `{key}` is not set"),
            format!("set it where plywood runs: `{key}=… plywood build`"),
        ),
        (_, "tag") => problem(
            "`{git.tag}` has no value".to_owned(),
            "the context is no git repository, or no tag points at its commit".to_owned(),
        ),
        (_, "branch") => problem(
            "`{git.branch}` has no value".to_owned(),
            "the context is no git repository, or no branch is checked out".to_owned(),
        ),
        _ => problem(
            format!("`{{{name}}}` has no value"),
            "the context is no git repository, or has no commit".to_owned(),
        ),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_and_what_is_none() {
        let check = |text: &str, expected: &str| {
            let show = |piece: &Piece<'_>| match piece {
                Piece::Text(part, at) => {
                    assert_eq!(&text[*at..*at + part.len()], *part);
                    (*part).to_owned()
                }
                Piece::Template(name, at) => {
                    assert_eq!(text[at.clone()], format!("{{{name}}}"));
                    format!("<{name}>")
                }
            };
            let pieces = pieces(text).unwrap();
            assert_eq!(pieces.iter().map(show).collect::<String>(), expected, "{text}");
        };
        check("", "");
        check("v{git.sha}!", "v<git.sha>!");
        check("{\"a\": {}}", "{\"a\": {}}");
        check("{{ x }} {gitsha} {env}", "{{ x }} {gitsha} {env}");
        check("{{git.sha}}", "{git.sha}");
        check("{{{arg.A}}} {{env.A}", "{{arg.A}} {<env.A>");
        for open in ["{git.sha", "{arg.A {x}", "{env.A\n}"] {
            assert_eq!(pieces(open).unwrap_err().message, "a template is not closed by `}`");
        }
    }
}
