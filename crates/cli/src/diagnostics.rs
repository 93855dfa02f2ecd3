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
        let text = without_credentials(&self.text);
        let snippet = Snippet::source(&text).path(&self.name).annotation(annotation);
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

/// A text with asterisks, as many bytes, for what stands before the `@` of addresses: a line is
/// shown because of something else that is in it.
fn without_credentials(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, behind) = rest.split_at(at + "://".len());
        shown.push_str(before);
        let is_end = |c: char| c.is_whitespace() || "/?#\"'`<>".contains(c);
        let authority = &behind[..behind.find(is_end).unwrap_or(behind.len())];
        let hidden = authority.rfind('@').unwrap_or(0);
        match is_template(&authority[..hidden]) {
            true => shown.push_str(&authority[..hidden]),
            false => shown.extend(std::iter::repeat_n('*', hidden)),
        }
        rest = &behind[hidden..];
    }
    shown.push_str(rest);
    shown
}

/// Whether what is written for a password, or for a name without one, stands for something else.
fn is_template(credentials: &str) -> bool {
    let password = credentials.split_once(':').map_or(credentials, |(_, password)| password);
    let inner = password.strip_prefix('$').unwrap_or(password);
    let inner = inner.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
    inner.is_some_and(|inner| !inner.contains(['{', '}']))
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
    fn credentials_in_a_line_are_not_shown() {
        let hidden = |text| without_credentials(text);
        let line = "index-url = \"https://user:SECRET@host/simple\" # not a@b";
        assert_eq!(hidden(line), "index-url = \"https://***********@host/simple\" # not a@b");
        let two = "FROM a\nADD http://SECRET:@h/x https://h/a@b ssh://é@h /\n";
        let shown = "FROM a\nADD http://*******@h/x https://h/a@b ssh://**@h /\n";
        assert_eq!(hidden(two), shown);
        assert_eq!(hidden("://"), "://");
        let template = "https://user:{env.TOKEN}@host https://${TOKEN}@host";
        assert_eq!(hidden(template), template);
        assert_eq!(hidden("https://{x}SECRET{y}@host"), "https://************@host");
        let (name, text) = ("Dockerfile".into(), two.into());
        let findings = Findings { name, text, diagnostics: Vec::new() };
        insta::assert_snapshot!(findings.render(&Diagnostic::error(30..33, "odd"), Colors::None), @"
        error: odd
         --> Dockerfile:2:24
          |
        2 | ADD http://*******@h/x https://h/a@b ssh://**@h /
          |                        ^^^
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
