#![no_main]
//! Dockerfiles: parsed whole and as one trigger, and every word of them expanded.
//!
//! There is always an answer, and it points into the text.

use libfuzzer_sys::{Corpus, fuzz_target};
use recipe::{
    Add, Argument, Diagnostic, ExpandError, FileKind, FileMode, Heredoc, Instruction, Owner,
    Parsed, Run, Source, Span, Word, expand, expand_heredoc, expand_words, parse_dockerfile,
    parse_trigger,
};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Ok(text) = std::str::from_utf8(bytes) else { return Corpus::Reject };
    let source = Text { text, escape: '\\' };
    match parse_trigger(text) {
        Ok(instruction) => source.instruction(&instruction),
        Err(error) => source.findings(&[error]),
    }
    match parse_dockerfile(text) {
        Ok(parsed) => {
            let escape = parsed.recipe.directives.escape;
            Text { text, escape }.recipe(&parsed);
            assert_eq!(parse_dockerfile(text), Ok(parsed));
        }
        Err(errors) => {
            assert!((1..=100 + text.len()).contains(&errors.len()));
            source.findings(&errors);
        }
    }
    Corpus::Keep
});

/// Values that could be taken for syntax.
fn variables(name: &str) -> Option<String> {
    match name.as_bytes().first()? {
        b'a'..=b'f' => Some("x a/é*".to_owned()),
        b'A'..=b'F' => Some("${x:-\"'\\}".to_owned()),
        b'g' | b'G' => Some(String::new()),
        _ => None,
    }
}

struct Text<'a> {
    text: &'a str,
    escape: char,
}

impl Text<'_> {
    fn span(&self, span: &Span) {
        assert!(self.text.get(span.clone()).is_some(), "{span:?} of {:?}", self.text);
    }

    fn findings(&self, findings: &[Diagnostic]) {
        for finding in findings {
            self.span(&finding.span);
            assert!(!finding.message.is_empty());
            assert_ne!(finding.hint.as_deref(), Some(""));
        }
    }

    fn recipe(&self, parsed: &Parsed) {
        let recipe = &parsed.recipe;
        assert!(!recipe.stages.is_empty());
        self.findings(&parsed.warnings);
        assert!(parsed.warnings.iter().all(|warning| recipe.reports(warning)));
        for argument in &recipe.global_args {
            self.span(&argument.span);
            self.argument(&argument.node);
        }
        recipe.local_checks.iter().for_each(|check| self.span(&check.span));
        for stage in &recipe.stages {
            self.span(&stage.span);
            self.word(&stage.base.image);
            self.words(&stage.base.platform);
            stage.base.name.iter().for_each(|name| self.span(&name.span));
            for step in &stage.instructions {
                self.span(&step.span);
                assert!(!step.instruction.name().is_empty() && !step.text.is_empty());
                self.instruction(&step.instruction);
            }
        }
    }

    fn instruction(&self, instruction: &Instruction) {
        match instruction {
            Instruction::Add(Add { copy, checksum, .. }) => {
                self.copy(copy);
                self.words(checksum);
            }
            Instruction::Copy(copy) => self.copy(copy),
            Instruction::Arg(arguments) => arguments.iter().for_each(|it| self.argument(it)),
            Instruction::Env(pairs) | Instruction::Label(pairs) => {
                for (name, value) in pairs {
                    self.word(name);
                    self.word(value);
                }
            }
            Instruction::Expose(words) | Instruction::Volume(words) => self.words(words),
            Instruction::OnBuild(trigger) => self.span(&trigger.span),
            Instruction::Run(run) => self.run(run),
            Instruction::StopSignal(word)
            | Instruction::User(word)
            | Instruction::Workdir(word) => {
                self.word(word);
            }
            Instruction::Cmd(_)
            | Instruction::Entrypoint(_)
            | Instruction::Healthcheck(_)
            | Instruction::Maintainer(_)
            | Instruction::Python(_)
            | Instruction::Shell(_) => {}
        }
    }

    fn argument(&self, argument: &Argument) {
        self.span(&argument.span);
        self.words(&argument.default);
    }

    fn copy(&self, copy: &recipe::Copy) {
        assert!(!copy.sources.is_empty());
        for source in &copy.sources {
            match source {
                Source::Path(path) => self.word(path),
                Source::Heredoc(heredoc) => self.heredoc(heredoc),
            }
        }
        self.word(&copy.destination);
        self.words(&copy.from);
        self.words(&copy.chown);
        self.words(&copy.chmod);
        self.words(&copy.exclude);
        if let Some(mode) = copy.chmod.as_ref().and_then(|word| FileMode::parse(&word.text).ok()) {
            assert!(mode.apply(0o644, FileKind::Other) <= 0o7777);
            assert!(mode.apply(0o755, FileKind::Directory) <= 0o7777);
        }
        if let Some(Err(error)) = copy.chown.as_ref().map(|word| Owner::parse(&word.text)) {
            assert!(error.hint().is_some());
        }
    }

    fn run(&self, run: &Run) {
        run.heredocs.iter().for_each(|heredoc| self.heredoc(heredoc));
        self.words(&run.network);
        self.words(&run.security);
        self.words(&run.devices);
        for mount in &run.mounts {
            self.span(&mount.span);
            for value in mount.options.iter().filter_map(|(_, value)| value.as_deref()) {
                let _ = expand(value, self.escape, &variables);
            }
        }
    }

    fn heredoc(&self, heredoc: &Heredoc) {
        self.span(&heredoc.span);
        if let Err(error) = expand_heredoc(&heredoc.content, &variables) {
            self.expand_error(&error, &heredoc.content);
            self.findings(&[error.heredoc_diagnostic(heredoc)]);
        }
    }

    fn words<'w>(&self, words: impl IntoIterator<Item = &'w Word>) {
        words.into_iter().for_each(|word| self.word(word));
    }

    fn word(&self, word: &Word) {
        self.span(&word.span);
        // Continuations and quotes only ever make the text shorter than its place.
        assert!(word.span.len() >= word.text.len(), "{word:?}");
        match expand(&word.text, self.escape, &variables) {
            Ok(expansion) => {
                for name in expansion.used.iter().chain(&expansion.unset) {
                    self.span(&word.variable(name));
                }
                assert!(word.has_variables() || expansion.used.is_empty());
            }
            Err(error) => {
                self.expand_error(&error, &word.text);
                self.findings(&[error.diagnostic(word)]);
            }
        }
        match expand_words(&word.text, self.escape, &variables) {
            Ok(words) => assert!(words.words.iter().all(|word| !word.is_empty())),
            Err(error) => self.expand_error(&error, &word.text),
        }
    }

    fn expand_error(&self, error: &ExpandError, text: &str) {
        assert!(text.get(error.at.clone()).is_some(), "{error:?} of {text:?}");
        let _ = error.hint();
    }
}
