//! How an error is told: what failed, why, and the way out.

use std::error::Error as _;

use anstyle::{AnsiColor, Style};

use crate::environment::Colors;
use crate::error::Error;

const ERROR: Style = AnsiColor::BrightRed.on_default().bold();
const WARNING: Style = AnsiColor::Yellow.on_default().bold();
const HINT: Style = AnsiColor::BrightCyan.on_default().bold();

/// The text of an error for people, without a final newline.
pub(crate) fn error(error: &Error, colors: Colors) -> String {
    let mut text = format!("{} {}", label("error:", ERROR, colors), chain(error));
    if let Some(hint) = error.hint() {
        text.push('\n');
        text.push_str(&format!("{} {hint}", label("hint:", HINT, colors)));
    }
    text
}

/// The text of a warning for people, without a final newline.
pub(crate) fn warning(message: &str, colors: Colors) -> String {
    format!("{} {message}", label("warning:", WARNING, colors))
}

/// An error and its causes in one line, or in the lines that the error has for a list.
pub(crate) fn chain(error: &Error) -> String {
    let mut said = error.to_string();
    let mut text = if error.is_action() { format!("failed to {said}") } else { said.clone() };
    let mut cause = error.source();
    while let Some(error) = cause {
        let next = error.to_string();
        // Some libraries' messages end with their cause's.
        if !said.ends_with(&next) {
            text.push_str(": ");
            text.push_str(&next);
        }
        said = next;
        cause = error.source();
    }
    match error.is_list() {
        true => text.split('\n').map(one_line).collect::<Vec<_>>().join("\n"),
        false => one_line(&text),
    }
}

/// A text of one line: what servers and file names hold must not draw on a terminal.
fn one_line(text: &str) -> String {
    text.chars().flat_map(escaped).collect()
}

fn escaped(character: char) -> Box<dyn Iterator<Item = char>> {
    if character.is_control() {
        Box::new(character.escape_default())
    } else {
        Box::new(std::iter::once(character))
    }
}

fn label(text: &str, style: Style, colors: Colors) -> String {
    match colors {
        Colors::Ansi => format!("{style}{text}{style:#}"),
        Colors::None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::BuildError;
    use crate::error::Doing;

    fn broken() -> Error {
        let reference: Result<oci::Reference, _> = "Foo".parse();
        reference.doing(|| "push Foo".to_owned()).unwrap_err()
    }

    #[test]
    fn an_error_says_what_failed_why_and_what_to_do() {
        insta::assert_snapshot!(error(&broken(), Colors::None), @"
        error: failed to push Foo: `Foo` is not an image reference: repository names are lower-case
        hint: write `foo`
        ");
    }

    #[test]
    fn labels_have_colours_where_they_are_wanted() {
        let text = error(&broken(), Colors::Ansi);
        assert!(text.starts_with("\u{1b}[1m\u{1b}[91merror:\u{1b}[0m failed to push"), "{text:?}");
    }

    #[test]
    fn a_cause_that_was_said_is_not_said_again() {
        let digest = "a@b".parse::<oci::Reference>().map_err(Error::from).unwrap_err();
        assert_eq!(
            chain(&digest),
            "`a@b` is not an image reference: `b` is not a digest: it has no `sha256:` in front"
        );
    }

    #[test]
    fn lists_keep_their_lines_and_nothing_else() {
        let explanation = "a needs b<2\nb\u{1b}[2J is 2".to_owned();
        let error = BuildError::from(resolution::ResolutionError::Conflict { explanation });
        let error: Result<(), BuildError> = Err(error);
        insta::assert_snapshot!(chain(&error.doing(|| "resolve".to_owned()).unwrap_err()), @r"
        failed to resolve: the requirements cannot be met together
        a needs b<2
        b\u{1b}[2J is 2
        ");
    }

    #[test]
    fn what_others_wrote_cannot_draw_on_the_terminal() {
        let error = Error::reading("a\u{1b}[2Jb\n")(std::io::Error::other("c"));
        assert_eq!(chain(&error), "failed to read `a\\u{1b}[2Jb\\n`: c");
    }
}
