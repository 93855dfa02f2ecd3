//! A document that fits its keys becomes a recipe: one stage, with the instructions of a Dockerfile.
//!
//! What changes seldom comes first: Debian's packages, configuration, Python's, then files in their order. Each text
//! is literal, and a step's text reads as the instruction would be written.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::debian;
use super::environment;
use super::files;
use super::python;
use super::read::Reader;
use super::value::{Entry, Named, Table, Value};
use crate::{
    Argument, CacheNames, CheckOptions, CommandLine, Diagnostic, Directives, Instruction, Parsed,
    Recipe, Rule, Span, Spanned, Stage, StageBase, Step, Word, checks,
};

/// The recipe of a document. It counts only if there are no errors.
pub(super) fn recipe(document: &Table, reader: &mut Reader<'_>) -> Parsed {
    let mut steps = Steps::default();
    let base = base(document, reader);
    // Before `workdir`, which makes a directory: on `scratch` packages come to nothing at all.
    if let (Some(table), Some(span)) = (document.table("debian"), document.place("debian"))
        && let Some(packages) = debian::packages(table, reader)
        && debian::asks(&packages)
    {
        let text = debian::text(&packages);
        steps.push(Instruction::Debian(packages), text, span);
    }
    steps.environment(document, reader);
    steps.labels(document);
    steps.configuration(document, reader);
    if let (Some(table), Some(span)) = (document.table("python"), document.place("python"))
        && let Some(packages) = python::packages(table, reader)
        && python::asks(&packages)
    {
        let text = python::text(&packages);
        steps.push(Instruction::Python(packages), text, span);
    }
    for (copy, text, span) in files::copies(document, reader) {
        steps.push(Instruction::Copy(copy), text, span);
    }
    steps.last(document, reader);
    let stage = Stage { span: base.span.clone(), base: base_of(base), instructions: steps.steps };
    let directives = Directives { syntax: None, escape: '\\', check: CheckOptions::default() };
    let mut warnings = steps.warnings;
    warnings.sort_by_key(|warning| (warning.span.start, warning.rule));
    let recipe = Recipe {
        directives,
        global_args: arguments(reader),
        stages: vec![stage],
        local_checks: Vec::new(),
        platforms: platforms(document, reader),
        annotations: annotations(document),
        cache: cache(document, reader),
    };
    Parsed { recipe, warnings }
}

fn base(document: &Table, reader: &mut Reader<'_>) -> Word {
    match document.text("base") {
        Some(base) if base.node.trim().is_empty() => {
            reader.error(base.span.clone(), "`base` is empty", "to start from nothing: `scratch`");
        }
        Some(base) => return Word::literal(&base.node, base.span.clone()),
        None if document.lacks("base") => {
            let hint = "name an image, such as `base = \"python:3.13-slim\"`, or `scratch`";
            reader.error(0..0, "there is no `base`", hint);
        }
        None => {}
    }
    Word::literal("scratch", 0..0)
}

fn base_of(image: Word) -> StageBase {
    StageBase { image, platform: None, name: None }
}

fn platforms(document: &Table, reader: &mut Reader<'_>) -> Vec<oci::Platform> {
    let mut platforms = Vec::new();
    let mut known = BTreeSet::new();
    for text in document.texts("platforms") {
        match text.node.parse::<oci::Platform>() {
            Ok(platform) if !known.insert(platform.normalized()) => {
                let message = format!("`{}` is there twice", text.node);
                reader.error(text.span.clone(), message, "each platform is built once");
            }
            Ok(platform) => platforms.push(platform),
            Err(error) => {
                reader.error(text.span.clone(), error.to_string(), "such as `linux/arm64`");
            }
        }
    }
    platforms
}

fn annotations(document: &Table) -> BTreeMap<String, String> {
    let pair = |it: &Named| (it.name.node.clone(), environment::plain(&it.value.node));
    document.names("annotations").iter().map(pair).collect()
}

fn cache(document: &Table, reader: &mut Reader<'_>) -> CacheNames {
    let Some(table) = document.table("cache") else { return CacheNames::default() };
    let mut names = |key: &str| {
        let texts = table.texts(key).iter();
        let names = texts.filter_map(|text| match text.node.parse::<oci::Reference>() {
            Ok(reference) => Some(reference.repository().clone()),
            Err(error) => {
                let hint = "name a repository, such as `registry.example/team/app`";
                reader.error(text.span.clone(), error.to_string(), hint);
                None
            }
        });
        names.collect::<Vec<_>>()
    };
    let from = names("from");
    let to = table.place("to").map(|_| names("to"));
    CacheNames { from, to }
}

/// The build arguments of templates, so that whoever gives them is not told that nothing takes
/// them.
fn arguments(reader: &Reader<'_>) -> Vec<Spanned<Argument>> {
    let argument = |name: &String| Spanned {
        node: Argument { name: name.clone(), default: None, span: 0..0 },
        span: 0..0,
    };
    reader.arguments.iter().map(argument).collect()
}

/// The stage's instructions in the making.
#[derive(Default)]
struct Steps {
    steps: Vec<Step>,
    warnings: Vec<Diagnostic>,
}

impl Steps {
    fn push(&mut self, instruction: Instruction, text: String, span: Span) {
        self.steps.push(Step { instruction, text, span });
    }

    /// An instruction of words, if there are any.
    fn words(&mut self, instruction: fn(Vec<Word>) -> Instruction, document: &Table, key: &str) {
        let texts = document.texts(key);
        let Some(span) = document.place(key).filter(|_| !texts.is_empty()) else { return };
        let words = texts.iter().map(|text| Word::literal(&text.node, text.span.clone()));
        let instruction = instruction(words.collect());
        let shown: Vec<String> = texts.iter().map(|text| shown(&text.node)).collect();
        let text = format!("{} {}", instruction.name(), shown.join(" "));
        self.push(instruction, text, span);
    }

    /// An instruction of one word, which may not be empty.
    fn word(
        &mut self,
        instruction: fn(Word) -> Instruction,
        (document, key): (&Table, &str),
        reader: &mut Reader<'_>,
    ) {
        let (Some(text), Some(span)) = (document.text(key), document.place(key)) else { return };
        if text.node.is_empty() {
            let message = format!("`{key}` is empty");
            return reader.error(text.span.clone(), message, "to keep the base's, leave it out");
        }
        let instruction = instruction(Word::literal(&text.node, text.span.clone()));
        let line = format!("{} {}", instruction.name(), text.node);
        self.push(instruction, line, span);
    }

    fn environment(&mut self, document: &Table, reader: &mut Reader<'_>) {
        let pairs = document.names("env");
        let names: BTreeSet<&str> = pairs.iter().map(|it| it.name.node.as_str()).collect();
        let mut words = Vec::new();
        let mut line = vec!["ENV".to_owned()];
        for Named { name, value } in pairs {
            if name.node.contains('=') {
                let message = format!("`{}` cannot be a variable's name", name.node);
                reader.error(name.span.clone(), message, "there is no `=` in one");
            }
            self.warn_of_secret(name);
            let word = match environment::word(&value.node) {
                Ok(word) => word,
                Err(problem) => {
                    let at = part(value, problem.at, reader);
                    reader.error(at, problem.message, "for a dollar sign, write `$$`");
                    continue;
                }
            };
            for (other, at) in word.names {
                if other != name.node && names.contains(other.as_str()) {
                    let at = part(value, at, reader);
                    let message = format!("`${other}` is set in this table, too");
                    let hint = "it would be what the base image has; write its value out";
                    reader.error(at, message, hint);
                }
            }
            line.push(format!("{}={}", shown(&name.node), shown(&environment::plain(&value.node))));
            let span = place(&word.text, value, reader);
            let name = Word::literal(&name.node, name.span.clone());
            words.push((name, Word { text: word.text, span }));
        }
        if let Some(span) = document.place("env").filter(|_| !words.is_empty()) {
            self.push(Instruction::Env(words), line.join(" "), span);
        }
    }

    fn warn_of_secret(&mut self, name: &Spanned<String>) {
        if checks::looks_secret(&name.node) {
            let message = format!("`{}` looks like a secret, and stays in the image", name.node);
            let rule = Rule::SecretsUsedInArgOrEnv;
            let warning = Diagnostic::warning(rule, name.span.clone(), message);
            self.warnings.push(warning.with_hint("give it to the container when it runs"));
        }
    }

    fn labels(&mut self, document: &Table) {
        let mut words = Vec::new();
        let mut line = vec!["LABEL".to_owned()];
        for Named { name, value } in document.names("labels") {
            let text = environment::plain(&value.node);
            line.push(format!("{}={}", shown(&name.node), shown(&text)));
            let name = Word::literal(&name.node, name.span.clone());
            words.push((name, Word::literal(&text, value.span.clone())));
        }
        if let Some(span) = document.place("labels").filter(|_| !words.is_empty()) {
            self.push(Instruction::Label(words), line.join(" "), span);
        }
    }

    /// What makes no layer, and `workdir`, which may make one that hardly ever changes.
    fn configuration(&mut self, document: &Table, reader: &mut Reader<'_>) {
        for key in ["expose", "volumes", "shell"] {
            for text in document.texts(key).iter().filter(|text| text.node.is_empty()) {
                let message = format!("`{key}` holds an empty string");
                reader.error(text.span.clone(), message, "take it out");
            }
        }
        self.words(Instruction::Expose, document, "expose");
        self.words(Instruction::Volume, document, "volumes");
        self.word(Instruction::StopSignal, (document, "stop-signal"), reader);
        let shell: Vec<String> =
            document.texts("shell").iter().map(|text| text.node.clone()).collect();
        if let Some(span) = document.place("shell").filter(|_| !shell.is_empty()) {
            let line = format!("SHELL {}", json(&shell));
            self.push(Instruction::Shell(shell), line, span);
        }
        if let Some(text) = document.text("workdir")
            && !text.node.is_empty()
            && !text.node.starts_with('/')
        {
            let message = format!("`{}` is not an absolute path", text.node);
            reader.error(text.span.clone(), message, "begin it with `/`");
        }
        self.word(Instruction::Workdir, (document, "workdir"), reader);
    }

    /// What is for the running program alone.
    fn last(&mut self, document: &Table, reader: &mut Reader<'_>) {
        self.word(Instruction::User, (document, "user"), reader);
        self.command(Instruction::Entrypoint, document, "entrypoint");
        self.command(Instruction::Cmd, document, "cmd");
    }

    fn command(
        &mut self,
        instruction: fn(CommandLine) -> Instruction,
        document: &Table,
        key: &str,
    ) {
        let Some(Entry { span, value }) = document.entry(key) else { return };
        let (command, line) = match value {
            Value::Texts(texts) => {
                let words: Vec<String> = texts.iter().map(|text| text.node.clone()).collect();
                let line = json(&words);
                (CommandLine::Exec(words), line)
            }
            Value::Text(text) => {
                if document.entry("shell").is_none() {
                    let message = format!("`{key}` as a string keeps signals from the program");
                    let rule = Rule::JSONArgsRecommended;
                    let warning = Diagnostic::warning(rule, text.span.clone(), message);
                    let hint = format!("make it an array: `{key} = [\"program\", \"argument\"]`");
                    self.warnings.push(warning.with_hint(hint));
                }
                (CommandLine::Shell(text.node.clone()), text.node.clone())
            }
            _ => return,
        };
        let instruction = instruction(command);
        let line = format!("{} {line}", instruction.name());
        self.push(instruction, line, span.clone());
    }
}

/// A text as a word of a line: as it is, or in quotes if it would be taken for several.
pub(super) fn shown(text: &str) -> String {
    let is_plain = |c: char| !c.is_whitespace() && !c.is_control() && c != '"';
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => serde_json::Value::from(text).to_string(),
    }
}

fn json(words: &[String]) -> String {
    serde_json::Value::from(words.to_vec()).to_string()
}

/// The text of a value that has no templates; with them, its parts cannot be found in the file.
fn written(value: &Spanned<Vec<environment::Part>>) -> Option<&str> {
    match value.node.as_slice() {
        [environment::Part::Written(text, 0)] => Some(text),
        _ => None,
    }
}

/// Where a part of a value stands in the file, or the value if that cannot be told.
fn part(value: &Spanned<Vec<environment::Part>>, range: Range<usize>, reader: &Reader<'_>) -> Span {
    match written(value) {
        Some(text) => reader.part(text, &value.span, range),
        None => value.span.clone(),
    }
}

/// The place of a word. Its parts are looked for in it where the lengths are equal
/// ([`Word::part`]), which they may be only if the texts are.
fn place(text: &str, value: &Spanned<Vec<environment::Part>>, reader: &Reader<'_>) -> Span {
    let outer = &value.span;
    if let Some(written) = written(value) {
        let inner = part(value, 0..written.len(), reader);
        if inner != *outer && (inner.len() != text.len() || written == text) {
            return inner;
        }
    }
    match text.len() == outer.len() {
        true => outer.start..outer.end.saturating_sub(1),
        false => outer.clone(),
    }
}
