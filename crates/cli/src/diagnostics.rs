//! What is wrong with a recipe, shown where it stands: the line, a caret and a hint.

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use recipe::{Diagnostic, Severity};

use crate::environment::Colors;

/// Findings in one source text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Findings {
    /// What the text is called: a path, or `-`.
    pub(crate) name: String,
    /// The text that the findings' spans are of.
    pub(crate) text: String,
    /// The findings, in the order in which they are shown.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

impl Findings {
    /// What kind of recipe the text is, for messages.
    pub(crate) fn recipe(&self) -> &'static str {
        match recipe::recipe_format(&self.name, &self.text) {
            recipe::Format::Dockerfile => "the Dockerfile",
            recipe::Format::PlywoodToml => "the plywood.toml",
        }
    }

    /// One of the findings, with the line it is about.
    pub(crate) fn render(&self, diagnostic: &Diagnostic, colors: Colors) -> String {
        let level = match diagnostic.severity {
            Severity::Error => Level::ERROR,
            Severity::Warning => Level::WARNING,
        };
        let mut title = level.primary_title(&diagnostic.message);
        if let Some(rule) = diagnostic.rule {
            title = title.id(format!("{rule:?}"));
        }
        let annotation = AnnotationKind::Primary.span(self.span(diagnostic));
        let snippet = Snippet::source(&self.text).path(&self.name).annotation(annotation);
        let mut group: Group<'_> = title.element(snippet);
        if let Some(hint) = &diagnostic.hint {
            group = group.element(Level::HELP.with_name("hint").message(hint));
        }
        let renderer = match colors {
            Colors::Ansi => Renderer::styled(),
            Colors::None => Renderer::plain(),
        };
        renderer.render(&[group])
    }

    /// The first line of what the finding is about, within the text: a heredoc's twenty lines
    /// would hide what is said of them.
    fn span(&self, diagnostic: &Diagnostic) -> std::ops::Range<usize> {
        let start = floor(&self.text, diagnostic.span.start);
        let end = floor(&self.text, diagnostic.span.end.max(start));
        let first_line = self.text[start..end].find('\n').map_or(end, |newline| start + newline);
        start..first_line
    }

    /// File, line and column of a finding, both counted from 1.
    pub(crate) fn place(&self, diagnostic: &Diagnostic) -> String {
        let before = &self.text[..floor(&self.text, diagnostic.span.start)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        format!("{}:{line}:{column}", self.name)
    }
}

/// The nearest place at or before `place` where a character starts.
fn floor(text: &str, place: usize) -> usize {
    text.floor_char_boundary(place.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use recipe::Rule;

    const TEXT: &str = "FROM debian AS Build\nCPOY . /app\nENV a=ü b\n";

    fn render(diagnostic: Diagnostic) -> String {
        let (name, text) = ("Dockerfile".into(), TEXT.into());
        let findings = Findings { name, text, diagnostics: Vec::new() };
        findings.render(&diagnostic, Colors::None)
    }

    #[test]
    fn an_error_points_at_its_place() {
        let error = Diagnostic::error(21..25, "unknown instruction `CPOY`")
            .with_hint("did you mean `COPY`?");
        insta::assert_snapshot!(render(error), @"
        error: unknown instruction `CPOY`
         --> Dockerfile:2:1
          |
        2 | CPOY . /app
          | ^^^^
          |
          = hint: did you mean `COPY`?
        ");
    }

    #[test]
    fn a_warning_has_its_rule_s_name() {
        let warning = Diagnostic::warning(
            Rule::StageNameCasing,
            15..20,
            "stage name `Build` is not lower-case",
        );
        insta::assert_snapshot!(render(warning), @"
        warning[StageNameCasing]: stage name `Build` is not lower-case
         --> Dockerfile:1:16
          |
        1 | FROM debian AS Build
          |                ^^^^^
        ");
    }

    #[test]
    fn spans_that_do_not_fit_the_text_do_no_harm() {
        // Within `ü`, past the end, and the wrong way round.
        for span in [40..41, 500..600, std::ops::Range { start: 30, end: 2 }] {
            assert!(render(Diagnostic::error(span, "odd")).contains("error: odd"));
        }
    }

    #[test]
    fn only_the_first_line_is_underlined() {
        insta::assert_snapshot!(render(Diagnostic::error(0..45, "too much")), @"
        error: too much
         --> Dockerfile:1:1
          |
        1 | FROM debian AS Build
          | ^^^^^^^^^^^^^^^^^^^^
        ");
    }
}
