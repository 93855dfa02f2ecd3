//! Whatever the text, there is an answer, and it points into the text. `PROPTEST_CASES` tries more.

use proptest::prelude::*;

use crate::{
    Diagnostic, FileMode, IgnorePatterns, Instruction, Owner, Source, Span, Wildcard, Word, expand,
    expand_heredoc, expand_words, parse_dockerfile, parse_trigger,
};

/// Pieces that mean something, in any order, and anything else.
fn dockerfile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "FROM ", "from", " AS ", "COPY ", "ADD ", "RUN ", "ENV ", "ARG ", "LABEL ", "CMD ",
            "ONBUILD ", "HEALTHCHECK ", "SHELL ", "VOLUME ", "EXPOSE ", "WORKDIR ", "MAINTAINER ",
            "a", "é", "🖖", "x=y", "\"", "'", "\\", "`", "\\\n", "`\n", "\n", "\r\n", "\n\n", "# ",
            "#", "=", "<<E", "<<-E", "<<'E F'", "<< E", "3<<E", "E\n", "\tE\n", "E F\n", "--from=",
            "--", "--mount=type=cache,", "--link", "--chmod=", "[\"a\", \"b\"]", "[", "]", "${a:-",
            "}", "$a", " ", "\t", "\u{a0}", "\u{2028}", "# escape=`\n", "# check=skip=all\n",
            "# syntax=\u{3000}x\n", "\u{feff}", "--interval=1s ", "NONE", "80/TCP", "\u{85}",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn inside(text: &str, span: &Span) {
    assert!(text.get(span.clone()).is_some(), "{span:?} of {text:?}");
}

fn word(text: &str, word: &Word) {
    inside(text, &word.span);
    // Continuations and quotes only ever make the text shorter than its place.
    assert!(word.span.len() >= word.text.len(), "{word:?}");
}

fn findings(text: &str, findings: &[Diagnostic]) {
    for finding in findings {
        inside(text, &finding.span);
        assert!(!finding.message.is_empty());
    }
}

fn instruction(text: &str, instruction: &Instruction) {
    match instruction {
        Instruction::Copy(copy) | Instruction::Add(crate::Add { copy, .. }) => {
            assert!(!copy.sources.is_empty());
            for source in &copy.sources {
                match source {
                    Source::Path(path) => inside(text, &path.span),
                    Source::Heredoc(heredoc) => inside(text, &heredoc.span),
                }
            }
            inside(text, &copy.destination.span);
            copy.exclude.iter().chain(&copy.chmod).for_each(|it| word(text, it));
        }
        Instruction::Env(pairs) | Instruction::Label(pairs) => {
            for (name, value) in pairs {
                word(text, name);
                word(text, value);
            }
        }
        Instruction::Arg(arguments) => arguments.iter().for_each(|it| inside(text, &it.span)),
        Instruction::Expose(words) => words.iter().for_each(|it| word(text, it)),
        Instruction::Run(run) => {
            run.heredocs.iter().for_each(|heredoc| inside(text, &heredoc.span));
            run.mounts.iter().for_each(|mount| inside(text, &mount.span));
        }
        Instruction::OnBuild(trigger) => inside(text, &trigger.span),
        _ => {}
    }
}

proptest! {
    #[test]
    fn dockerfiles(text in dockerfile()) {
        for text in [text.clone(), format!("FROM a\n{text}")] {
            match parse_dockerfile(&text) {
                Ok(parsed) => {
                    prop_assert!(!parsed.recipe.stages.is_empty());
                    findings(&text, &parsed.warnings);
                    for stage in &parsed.recipe.stages {
                        inside(&text, &stage.span);
                        word(&text, &stage.base.image);
                        for step in &stage.instructions {
                            inside(&text, &step.span);
                            instruction(&text, &step.instruction);
                        }
                    }
                }
                Err(errors) => {
                    prop_assert!(!errors.is_empty());
                    findings(&text, &errors);
                }
            }
        }
    }

    #[test]
    fn triggers(text in dockerfile()) {
        match parse_trigger(&text) {
            Ok(parsed) => instruction(&text, &parsed),
            Err(error) => findings(&text, &[error]),
        }
    }

    #[test]
    fn expansions(text in "([$a{}:#%/?+<'\"\\\\` é-]|\\PC){0,40}", escape in prop::sample::select(vec!['\\', '`'])) {
        let variables = |name: &str| name.starts_with('a').then(|| "x a/é".to_owned());
        let word = Word { text: text.clone(), span: 0..text.len() };
        if let Err(error) = expand(&text, escape, &variables) {
            findings(&text, &[error.diagnostic(&word)]);
        }
        if let Ok(words) = expand_words(&text, escape, &variables) {
            prop_assert!(words.words.iter().all(|word| !word.is_empty()));
        }
        let _ = expand_heredoc(&text, &variables);
    }

    #[test]
    fn patterns(text in "([*?!^/.a\\[\\]\\\\ -]|\\PC){0,20}(\n[*!a/]{0,5}){0,3}", path in "[a/.]{0,10}") {
        if let Ok(ignore) = IgnorePatterns::parse(&text) {
            let excluded = ignore.matches(&path);
            // What is left out stays out below, unless the directory may be entered again.
            if excluded && !ignore.may_reenter(&path) {
                let inside = format!("{path}/b");
                prop_assert!(ignore.matches(&inside));
            }
        }
        if let Ok(wildcard) = Wildcard::new(&text) {
            wildcard.matches(&path);
        }
        let _ = (FileMode::parse(&text), Owner::parse(&text));
    }
}

#[test]
fn long_inputs() {
    for piece in ["RUN a \\\n", "<<E ", "ONBUILD ", "[", "[[", "\\\n", "--mount=type=bind ", "# \n"]
    {
        let text = format!("FROM a\nRUN {}", piece.repeat(20_000));
        let _ = parse_dockerfile(&text);
    }
}
