//! Whatever the text of a `plywood.toml`, there is an answer, and it points into the text; and
//! what is literal stays as it is.

use proptest::prelude::*;

use crate::{
    Diagnostic, Instruction, ProjectFiles, Source, Span, Word, expand, expand_words, initial_toml,
    parse_plywood_toml,
};

/// Pieces that mean something, in any order, and anything else.
fn document() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        6 => prop::sample::select(vec![
            "base = \"a\"\n", "base = ", "platforms = ", "env = ", "[env]\n", "[labels]\n",
            "[python]\n", "[[files]]\n", "requirements = ", "lock = ", "project = ", "from = ",
            "to = ", "content = ", "cmd = ", "expose = ", "max-layers = ", "build = ", "A = ",
            "exclude-newer = ", "find-links = ", "index-url = ", "mode = ", "owner = ", "workdir = ",
            "\"a\"", "'b'", "\"/x/\"", "\"$A\"", "\"${A:-é}\"", "'''\n", "\"\"\"\n", "\"{arg.A}\"",
            "\"{{git.sha}}\"", "\"{env.é\"", "\"\\u0000\"", "\"\\t$A${\"", "[\"a\", \"b\"]", "[1]",
            "[]", "{ A = \"$B\", B = \"\" }", "{}", "true", "40", "0o7", "1.5", "2026-11-01",
            "\n", "\n", "\n", " = ", ".", ",", "#", "é", "🖖", "\r\n", "\u{feff}",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn inside(text: &str, span: &Span) {
    assert!(text.get(span.clone()).is_some(), "{span:?} of {text:?}");
}

/// A word, and every part of it that a message could point at.
fn word(text: &str, word: &Word) {
    inside(text, &word.span);
    for at in 0..=word.text.len() {
        if word.text.is_char_boundary(at) {
            inside(text, &word.part(0..at));
        }
    }
}

fn findings(text: &str, findings: &[Diagnostic]) {
    for finding in findings {
        inside(text, &finding.span);
        assert!(!finding.message.is_empty());
    }
}

fn instruction(text: &str, instruction: &Instruction) {
    match instruction {
        Instruction::Copy(copy) => {
            for source in &copy.sources {
                match source {
                    Source::Path(path) => word(text, path),
                    Source::Heredoc(heredoc) => inside(text, &heredoc.span),
                }
            }
            let flags = copy.exclude.iter().chain(&copy.chmod).chain(&copy.chown);
            flags.chain([&copy.destination]).for_each(|it| word(text, it));
        }
        Instruction::Env(pairs) | Instruction::Label(pairs) => {
            for (name, value) in pairs {
                word(text, name);
                word(text, value);
                expand(&value.text, '\\', &|_| None).expect("a value that parses can be expanded");
            }
        }
        Instruction::Expose(words) | Instruction::Volume(words) => {
            words.iter().for_each(|it| word(text, it));
        }
        Instruction::User(it) | Instruction::Workdir(it) | Instruction::StopSignal(it) => {
            word(text, it);
        }
        Instruction::Debian(debian) => inside(text, &debian.span),
        Instruction::Python(python) => inside(text, &python.span),
        _ => {}
    }
}

proptest! {
    #[test]
    fn documents(text in document()) {
        let values = |name: &str| name.ends_with('A').then(|| "é $x '".to_owned());
        for text in [text.clone(), format!("base = \"a\"\n{text}")] {
            match parse_plywood_toml(&text, &values) {
                Ok(parsed) => {
                    findings(&text, &parsed.warnings);
                    for stage in &parsed.recipe.stages {
                        inside(&text, &stage.span);
                        word(&text, &stage.base.image);
                        for step in &stage.instructions {
                            inside(&text, &step.span);
                            prop_assert!(step.text.starts_with(step.instruction.name()));
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
    fn literal_words(text in "([$a{}:#%/?+<'\"\\\\` \t\né-]|\\PC){0,40}") {
        let word = Word::literal(&text, 0..text.len());
        let set = |_: &str| Some("set".to_owned());
        let expansion = expand(&word.text, '\\', &set).expect("a literal word has no problem");
        prop_assert_eq!(&expansion.text, &text);
        prop_assert!(expansion.used.is_empty());
        let words = expand_words(&word.text, '\\', &set).expect("nor has it as words");
        let expected: Vec<String> = Some(text).filter(|it| !it.is_empty()).into_iter().collect();
        prop_assert_eq!(words.words, expected);
    }

    /// What is written in quotes comes out of the whole road as it is.
    #[test]
    fn values(text in "[^\\p{Cc}{}]{1,40}") {
        let quoted = serde_json::Value::from(text.as_str()).to_string();
        let document = format!("base = \"a\"\nuser = {quoted}\nlabels = {{ {quoted} = {quoted} }}\n");
        let parsed = parse_plywood_toml(&document, &|_| None).expect("every string can be a value");
        let steps = &parsed.recipe.stages[0].instructions;
        let (Instruction::Label(pairs), Instruction::User(user)) =
            (&steps[0].instruction, &steps[1].instruction)
        else {
            panic!("{steps:?}");
        };
        for word in [&pairs[0].0, &pairs[0].1, user] {
            let value = expand(&word.text, '\\', &|_| None).expect("it is literal").text;
            prop_assert_eq!(&value, &text);
        }
    }

    /// Whatever a project is called, its first file parses.
    #[test]
    fn first_files(
        paths in prop::collection::vec("(src/|tests/)?([a-z{.$\"]|\\PC){1,9}(/__main__)?(\\.py|\\.txt)", 0..6),
        known in prop::sample::subsequence(
            vec!["manage.py", "requirements.txt", "uv.lock", "setup.py", "pylock.toml", "app.py"],
            0..4,
        ),
        name in "([a-z{\"]|\\PC){0,9}",
        requires in "[>=<!~3.19, *]{0,12}",
    ) {
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        let pyproject = format!(
            "[project]\nname = {}\nrequires-python = {}\ndependencies = [\"a\"]\n\
             [project.scripts]\n{} = \"a.b:main\"\n",
            quoted(&name), quoted(&requires), quoted(&name),
        );
        let paths = paths.into_iter().chain(known.into_iter().map(str::to_owned)).collect();
        let found = ProjectFiles {
            paths,
            pyproject: Some(pyproject),
            python_version: Some(requires),
            commit: None,
        };
        let text = initial_toml(&found);
        prop_assert!(parse_plywood_toml(&text, &|_| None).is_ok(), "{text}");
    }
}

#[test]
fn long_inputs() {
    for piece in ["[", "{a=", "a.", "[[files]]\n", "\"", "[a]\n", "a = [", "\n{arg.A}"] {
        let text = format!("base = \"a\"\ncmd = {}", piece.repeat(20_000));
        assert!(parse_plywood_toml(&text, &|_| None).is_err());
    }
    // Templates add no more than a bound.
    let text = format!("base = \"a\"\nuser = \"{}\"\n", "{arg.A}".repeat(100_000));
    let errors = parse_plywood_toml(&text, &|_| Some("x".repeat(10_000))).unwrap_err();
    assert_eq!(errors[0].message, "the values of the templates are more than 4 MiB");
}
