//! A whole Dockerfile: lines into stages.
//!
//! <https://docs.docker.com/reference/dockerfile/>

use std::collections::BTreeMap;

use crate::checks::{self, Keyword};
use crate::instruction::{self, KEYWORDS, Request};
use crate::line::{Line, Lines};
use crate::split::parts;
use crate::suggest::closest;
use crate::{
    CacheNames, Diagnostic, Instruction, Recipe, Span, Spanned, Stage, Step, directive, heredoc,
};

/// More than anybody writes; what is larger is some other file.
const MAX_BYTES: usize = 4 << 20;
/// After so many errors nobody reads on.
const MAX_ERRORS: usize = 100;

/// A recipe and what is to be said about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parsed {
    /// The recipe.
    pub recipe: Recipe,
    /// Findings of the checks, without those that the recipe's `check` directives skip, in the
    /// file's order.
    pub warnings: Vec<Diagnostic>,
}

/// Parses a Dockerfile.
///
/// # Errors
///
/// Everything that is wrong with it, in the file's order: an instruction that makes no sense does
/// not hide what is wrong further down. There are at most a hundred.
///
/// ```
/// let parsed = recipe::parse_dockerfile("FROM scratch\nCOPY app /app\n").unwrap();
/// assert_eq!(parsed.recipe.stages[0].instructions.len(), 1);
///
/// let errors = recipe::parse_dockerfile("FROM scratch\nCPOY app /app\n").unwrap_err();
/// assert_eq!(errors[0].message, "there is no instruction `CPOY`");
/// assert_eq!(errors[0].hint.as_deref(), Some("did you mean `COPY`?"));
/// ```
pub fn parse_dockerfile(text: &str) -> Result<Parsed, Vec<Diagnostic>> {
    if text.len() > MAX_BYTES {
        let error = Diagnostic::error(0..0, "the file is larger than 4 MiB");
        return Err(vec![error.with_hint("keep large content in files of the context")]);
    }
    let top = directive::parse(text);
    let escape = top.directives.escape;
    let recipe = Recipe {
        directives: top.directives,
        global_args: Vec::new(),
        stages: Vec::new(),
        local_checks: Vec::new(),
        platforms: Vec::new(),
        annotations: BTreeMap::new(),
        cache: CacheNames::default(),
    };
    let mut parser = Parser {
        text,
        escape,
        lines: Lines::new(text, top.rest, escape),
        recipe,
        keywords: Vec::new(),
        errors: top.errors,
        warnings: Vec::new(),
        before_from: BeforeFrom::Nothing,
        previous: None,
    };
    while let Some(line) = parser.lines.next_instruction() {
        if let Err(error) = parser.instruction(&line) {
            parser.errors.push(error);
            if parser.errors.len() == MAX_ERRORS {
                break;
            }
        }
        parser.previous = Some(line);
    }
    parser.finish()
}

/// Parses what a base image's configuration keeps for `ONBUILD`: one instruction, in its own text.
///
/// Spans are into that text.
pub fn parse_trigger(text: &str) -> Result<Instruction, Diagnostic> {
    const ESCAPE: char = '\\';
    let whole = 0..text.len();
    let mut lines = Lines::new(text, 0, ESCAPE);
    let Some(line) = lines.next_instruction() else {
        return Err(Diagnostic::error(whole, "an `ONBUILD` trigger is empty"));
    };
    let parts = parts(&line, line.whole(), ESCAPE);
    let heredocs = heredoc::read(&line, &parts, ESCAPE, &mut lines, text)?;
    let span = line.span(parts.keyword.clone());
    let keyword = instruction::keyword(&line.text[parts.keyword.clone()], span.clone())?;
    if matches!(keyword, "ONBUILD" | "FROM" | "MAINTAINER") {
        let message = format!("`{keyword}` cannot be an `ONBUILD` trigger");
        return Err(Diagnostic::error(span, message));
    }
    if let Some(more) = lines.next_instruction() {
        let message = "an `ONBUILD` trigger is more than one instruction";
        return Err(Diagnostic::error(more.span(more.whole()), message));
    }
    let (line, warnings) = (&line, &mut Vec::new());
    instruction::parse(Request { line, parts, heredocs, escape: ESCAPE, keyword, warnings })
}

struct Parser<'a> {
    text: &'a str,
    escape: char,
    lines: Lines<'a>,
    recipe: Recipe,
    keywords: Vec<Keyword>,
    errors: Vec<Diagnostic>,
    warnings: Vec<Diagnostic>,
    before_from: BeforeFrom,
    previous: Option<Line>,
}

/// What came before the first stage.
#[derive(PartialEq, Eq)]
enum BeforeFrom {
    /// Nothing wrong.
    Nothing,
    /// An instruction that belongs in a stage; reported once.
    Misplaced,
    /// There was a `FROM`, right or wrong.
    Past,
}

impl Parser<'_> {
    fn instruction(&mut self, line: &Line) -> Result<(), Diagnostic> {
        let parts = parts(line, line.whole(), self.escape);
        let heredocs = heredoc::read(line, &parts, self.escape, &mut self.lines, self.text);
        let written = &line.text[parts.keyword.clone()];
        let keyword_span = line.span(parts.keyword.clone());
        let keyword = instruction::keyword(written, keyword_span.clone())
            .map_err(|error| self.unknown(written, error))?;
        let in_stage = self.before_from == BeforeFrom::Past;
        if keyword == "FROM" {
            self.before_from = BeforeFrom::Past;
        }
        let heredocs = heredocs?;
        let end = match heredocs.last() {
            Some(_) => self.lines.end(),
            None => line.span(line.whole()).end,
        };
        let span = keyword_span.start..end;
        checks::empty_continuations(line, &mut self.warnings);
        self.local_check(line, &span);
        self.keywords.push(Keyword {
            written: Spanned { node: written.to_owned(), span: keyword_span.clone() },
            in_stage: in_stage || keyword == "FROM",
        });
        let escape = self.escape;
        let warnings = &mut self.warnings;
        let request = Request { line, parts, heredocs, escape, keyword, warnings };
        if keyword == "FROM" {
            let base = instruction::from(request)?;
            let names = base.name.iter().map(|name| name.node.as_str());
            checks::definition_description("FROM", names, line, keyword_span, &mut self.warnings);
            self.recipe.stages.push(Stage { base, span, instructions: Vec::new() });
            return Ok(());
        }
        let instruction = instruction::parse(request)?;
        if let Instruction::Arg(arguments) = &instruction {
            let names = arguments.iter().map(|argument| argument.name.as_str());
            checks::definition_description(
                "ARG",
                names,
                line,
                keyword_span.clone(),
                &mut self.warnings,
            );
        }
        self.place(Step { instruction, text: line.text.clone(), span }, in_stage, keyword_span)
    }

    /// Puts a step where it belongs: into the last stage, or before all of them.
    fn place(&mut self, step: Step, in_stage: bool, keyword: Span) -> Result<(), Diagnostic> {
        if in_stage {
            // A stage whose `FROM` was wrong is not there, but the recipe is lost already.
            if let Some(stage) = self.recipe.stages.last_mut() {
                stage.instructions.push(step);
            }
            return Ok(());
        }
        if let Instruction::Arg(arguments) = step.instruction {
            let span = |argument| Spanned { span: step.span.clone(), node: argument };
            self.recipe.global_args.extend(arguments.into_iter().map(span));
            return Ok(());
        }
        if self.before_from == BeforeFrom::Misplaced {
            return Ok(());
        }
        self.before_from = BeforeFrom::Misplaced;
        let message = format!("`{}` stands before the first `FROM`", step.instruction.name());
        let error = Diagnostic::error(keyword, message);
        Err(error
            .with_hint("begin with `FROM IMAGE`, or with `FROM scratch`; only ARG may come before"))
    }

    /// An unknown instruction is often the second line of one that lacks its continuation.
    fn unknown(&mut self, written: &str, error: Diagnostic) -> Diagnostic {
        if closest(written, KEYWORDS) == Some("FROM") {
            // What follows is not at fault.
            self.before_from = BeforeFrom::Past;
        }
        let open = ["&&", "||", "|", ";", ",", "[", "("];
        let before = self.previous.as_ref().map_or("", |line| line.text.as_str());
        if error.hint.is_none() && open.iter().any(|end| before.ends_with(end)) {
            let hint = format!("end the line before with `{}` if this belongs to it", self.escape);
            return error.with_hint(hint);
        }
        error
    }

    /// `# check=skip=…` right above an instruction.
    fn local_check(&mut self, line: &Line, span: &Span) {
        let options =
            line.comments.iter().find_map(|comment| directive::local_check(&comment.node));
        if let Some(node) = options {
            self.recipe.local_checks.push(Spanned { node, span: span.clone() });
        }
    }

    fn finish(mut self) -> Result<Parsed, Vec<Diagnostic>> {
        if self.errors.is_empty() && self.recipe.stages.is_empty() {
            let end = self.lines.end();
            let message = match self.keywords.is_empty() {
                true => "there is no instruction",
                false => "there is no `FROM`, so there is nothing to build",
            };
            let error = Diagnostic::error(end..end, message);
            self.errors.push(error.with_hint("begin a stage with `FROM IMAGE`, or `FROM scratch`"));
        }
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|error| error.span.start);
            return Err(self.errors);
        }
        checks::recipe(&self.recipe, &self.keywords, &mut self.warnings);
        let mut warnings = self.warnings;
        warnings.retain(|warning| self.recipe.reports(warning));
        warnings.sort_by_key(|warning| (warning.span.start, warning.rule));
        Ok(Parsed { recipe: self.recipe, warnings })
    }
}
