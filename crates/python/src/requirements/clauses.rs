//! The clauses about versions (PEP 440) of a requirement, and the many ways to miss them.

use super::version::is_version;
use crate::{Problem, Span};

/// The longer ones come first where one begins with another.
const OPERATORS: [&str; 8] = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"];

/// The clauses between commas, with the places where they begin.
pub(super) fn clauses(versions: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    versions.split(',').map(move |part| {
        let begin = start + (part.len() - part.trim_start().len());
        start += part.len() + 1;
        (begin, part.trim())
    })
}

/// Checks what stands behind the name and its extras, from `start` to the end of `head`.
pub(super) fn check_clauses(head: &str, start: usize, name: &str) -> Result<(), Problem> {
    let mut span = start..head.len();
    if head[span.clone()].starts_with('(') {
        if !head.ends_with(')') {
            return Err(Problem::at(start..start + 1, "the `(` of the versions is not closed"));
        }
        span = start + 1..head.len() - 1;
    }
    let versions = &head[span.clone()];
    if versions.trim().is_empty() {
        return Ok(());
    }
    for (at, clause) in clauses(versions) {
        let at = span.start + at;
        if clause.is_empty() {
            let at = at.min(head.len());
            let problem = Problem::at(at.saturating_sub(1)..at, "there is no clause at this comma");
            return Err(problem.with_hint("take the comma out"));
        }
        check_clause(clause, at, name)?;
    }
    Ok(())
}

fn check_clause(clause: &str, at: usize, name: &str) -> Result<(), Problem> {
    let Some(operator) = OPERATORS.iter().find(|operator| clause.starts_with(**operator)) else {
        return Err(no_operator(clause, at, name));
    };
    let version = clause[operator.len()..].trim_start();
    let start = at + (clause.len() - version.len());
    let span = start..at + clause.len();
    if version.is_empty() {
        let message = format!("there is no version behind `{operator}`");
        return Err(Problem::at(at..at + clause.len(), message));
    }
    if is_taken(operator, version) {
        Ok(())
    } else {
        Err(no_version(operator, version, span, name))
    }
}

/// `===` compares any text; `.*` goes with two operators (PEP 440, "Version matching").
fn is_taken(operator: &str, version: &str) -> bool {
    match operator {
        "===" => !version.starts_with('=') && !version.contains(char::is_whitespace),
        "==" | "!=" => is_version(version.strip_suffix(".*").unwrap_or(version)),
        "~=" => is_version(version) && version.contains('.'),
        _ => is_version(version),
    }
}

/// What is wrong with a version that is none.
fn no_version(operator: &str, version: &str, span: Span, name: &str) -> Problem {
    if let Some(second) = version.find(['<', '>', '=', '!', '~']) {
        let at = span.start + second;
        let (first, rest) = (version[..second].trim_end(), &version[second..]);
        if first.is_empty() {
            let found = format!("{operator}{}", rest.chars().next().unwrap_or_default());
            let operators = "the operators are ==, !=, <=, >=, <, >, ~= and ===";
            return Problem::at(at..at + 1, format!("`{found}` is no operator"))
                .with_hint(operators);
        }
        return Problem::at(at..at + 1, "two clauses stand side by side, with no comma between")
            .with_hint(format!("write `{name}{operator}{first},{rest}`"));
    }
    if let Some(open) = version.find('[') {
        let at = span.start + open;
        let (first, extras) = (&version[..open], &version[open..]);
        return Problem::at(at..span.end, "extras stand behind the version")
            .with_hint(format!("write `{name}{extras}{operator}{first}`"));
    }
    if let Some((first, rest)) = version.split_once(char::is_whitespace)
        && is_version(first.strip_suffix(".*").unwrap_or(first))
    {
        let rest = rest.trim_start();
        let message = format!("`{}` is not expected behind the version", shortened(rest));
        return Problem::at(span.end - rest.len()..span.end, message)
            .with_hint("each requirement has a line of its own");
    }
    let problem = Problem::at(span, format!("`{version}` is no version"));
    let unquoted = version.trim_matches(['"', '\'']);
    let stem = version.trim_end_matches(['*', '.']);
    if unquoted != version && is_version(unquoted) {
        return problem.with_hint(format!("write `{name}{operator}{unquoted}`"));
    }
    if matches!(version, "*" | "latest" | "newest" | "stable" | "any") {
        return problem.with_hint(format!("write `{name}` for the newest version"));
    }
    if operator == "~=" && is_version(version) {
        return problem.with_hint(format!(
            "`~=` needs two numbers at least: write `{name}~={version}.0` or `{name}>={version}`"
        ));
    }
    if stem != version && is_version(stem) {
        let meant = format!("{name}{operator}{stem}");
        return problem.with_hint(match operator {
            _ if !version.contains('*') => format!("write `{meant}`"),
            "==" | "!=" => format!("write `{meant}.*`"),
            _ => format!("a `.*` goes with `==` and `!=` only: write `{meant}`"),
        });
    }
    problem
}

/// What is wrong with a clause that begins with no operator.
fn no_operator(clause: &str, at: usize, name: &str) -> Problem {
    let first = clause.chars().next().unwrap_or_default();
    let operator = clause.len() - clause.trim_start_matches(['=', '~', '^', '!', '<', '>']).len();
    let (typed, version) = (&clause[..operator], clause[operator..].trim_start());
    let meant = |operator: &str| format!("write `{name}{operator}{version}`");
    let problem = |span: Span, message: String| Problem::at(span, message);
    let span = at..at + operator.max(first.len_utf8());
    match typed {
        "" if is_version(clause) => problem(
            at..at + clause.len(),
            "a version stands behind the name, with no operator".into(),
        )
        .with_hint(format!("write `{name}=={clause}`")),
        "" => problem(
            at..at + clause.len(),
            format!("`{}` is not expected behind `{name}`", shortened(clause)),
        )
        .with_hint("each requirement has a line of its own"),
        "=" => problem(span, "`=` is no operator".into()).with_hint(meant("==")),
        "=>" => problem(span, "`=>` is no operator".into()).with_hint(meant(">=")),
        "=<" => problem(span, "`=<` is no operator".into()).with_hint(meant("<=")),
        "~" => problem(span, "`~` is no operator".into()).with_hint(meant("~=")),
        "=~" => problem(span, "`=~` is no operator".into()).with_hint(meant("~=")),
        "!" => problem(span, "`!` is no operator".into()).with_hint(meant("!=")),
        "^" => problem(span, "`^` is no operator outside of Poetry".into())
            .with_hint(meant(">=") + ", with an upper bound behind a comma"),
        other => problem(span, format!("`{other}` is no operator"))
            .with_hint("the operators are ==, !=, <=, >=, <, >, ~= and ==="),
    }
}

/// So much of a text as a message takes.
fn shortened(text: &str) -> String {
    const MOST: usize = 40;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
