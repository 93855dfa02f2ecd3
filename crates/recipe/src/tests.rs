//! Whole files in, recipes, errors and warnings out.

mod checks;
mod documents;
mod errors;
mod grammar;
mod heredocs;
mod initial;
mod keys;
mod properties;
mod toml_errors;
mod toml_properties;

use crate::{
    CommandLine, Copy, Diagnostic, Healthcheck, Heredoc, Instruction, Parsed, Source, Word,
    parse_dockerfile,
};

/// Parses what has no errors.
fn parsed(text: &str) -> Parsed {
    parse_dockerfile(text).unwrap_or_else(|errors| panic!("{text}\n{}", findings(text, &errors)))
}

/// A recipe in short: a line for each stage and each instruction.
fn show(text: &str) -> String {
    shown(&parsed(text).recipe)
}

fn shown(recipe: &crate::Recipe) -> String {
    let mut lines = Vec::new();
    for argument in &recipe.global_args {
        lines.push(format!("GLOBAL {}", argument_text(&argument.node)));
    }
    for stage in &recipe.stages {
        let platform = stage.base.platform.as_ref().map(|word| format!(" on {}", word.text));
        let name = stage.base.name.as_ref().map(|name| format!(" as {}", name.node));
        let image = &stage.base.image.text;
        lines.push(format!(
            "FROM {image}{}{}",
            platform.unwrap_or_default(),
            name.unwrap_or_default()
        ));
        for step in &stage.instructions {
            let instruction = &step.instruction;
            lines.push(format!("{} {}", instruction.name(), detail(instruction)));
        }
    }
    lines.join("\n")
}

/// One instruction behind `FROM scratch`, in short.
fn one(text: &str) -> String {
    let shown = show(&format!("FROM scratch\n{text}\n"));
    shown.lines().skip(1).collect::<Vec<_>>().join("\n")
}

fn detail(instruction: &Instruction) -> String {
    match instruction {
        Instruction::Add(add) => {
            let mut text = copy(&add.copy);
            text.extend(add.checksum.iter().map(|word| format!(" checksum={}", word.text)));
            if add.keep_git_dir {
                text.push_str(" keep-git-dir");
            }
            text.extend(add.unpack.map(|unpack| format!(" unpack={unpack}")));
            text
        }
        Instruction::Arg(arguments) => {
            arguments.iter().map(argument_text).collect::<Vec<_>>().join(" ")
        }
        Instruction::Cmd(command) | Instruction::Entrypoint(command) => command_text(command),
        Instruction::Copy(it) => copy(it),
        Instruction::Env(pairs) | Instruction::Label(pairs) => {
            let pair = |(key, value): &(Word, Word)| format!("[{}]=[{}]", key.text, value.text);
            pairs.iter().map(pair).collect::<Vec<_>>().join(" ")
        }
        Instruction::Expose(words) | Instruction::Volume(words) => words_text(words),
        Instruction::Healthcheck(Healthcheck::None) => "NONE".to_owned(),
        Instruction::Healthcheck(Healthcheck::Command {
            command,
            interval,
            timeout,
            start_period,
            start_interval,
            retries,
        }) => format!(
            "{} {interval} {timeout} {start_period} {start_interval} {retries}",
            command_text(command)
        ),
        Instruction::Maintainer(text) => text.clone(),
        Instruction::OnBuild(text) => format!("{:?}", text.node),
        Instruction::Debian(debian) => format!("{debian:?}"),
        Instruction::Python(python) => format!("{python:?}"),
        Instruction::Run(run) => {
            let mut text = command_text(&run.command);
            text.extend(run.heredocs.iter().map(|it| format!(" {}", heredoc(it))));
            for mount in &run.mounts {
                text.push_str(&format!(" mount={:?}{:?}", mount.kind, mount.options));
            }
            text.extend(run.network.iter().map(|word| format!(" network={}", word.text)));
            text.extend(run.security.iter().map(|word| format!(" security={}", word.text)));
            text.extend(run.devices.iter().map(|word| format!(" device={}", word.text)));
            text
        }
        Instruction::Shell(words) => format!("{words:?}"),
        Instruction::StopSignal(word) | Instruction::User(word) | Instruction::Workdir(word) => {
            format!("[{}]", word.text)
        }
    }
}

fn argument_text(argument: &crate::Argument) -> String {
    match &argument.default {
        Some(default) => format!("{}=[{}]", argument.name, default.text),
        None => argument.name.clone(),
    }
}

fn words_text(words: &[Word]) -> String {
    words.iter().map(|word| format!("[{}]", word.text)).collect::<Vec<_>>().join(" ")
}

fn command_text(command: &CommandLine) -> String {
    match command {
        CommandLine::Exec(words) => format!("{words:?}"),
        CommandLine::Shell(text) => format!("sh<{text}>"),
    }
}

fn heredoc(heredoc: &Heredoc) -> String {
    let Heredoc { name, content, expand, descriptor, .. } = heredoc;
    let quoted = if *expand { "" } else { "!" };
    let descriptor = if *descriptor == 0 { String::new() } else { descriptor.to_string() };
    format!("{descriptor}<<{quoted}{name}{content:?}")
}

fn copy(copy: &Copy) -> String {
    let source = |source: &Source| match source {
        Source::Path(word) => format!("[{}]", word.text),
        Source::Heredoc(it) => heredoc(it),
    };
    let sources: Vec<String> = copy.sources.iter().map(source).collect();
    let mut text = format!("{} -> [{}]", sources.join(" "), copy.destination.text);
    for (name, value) in [("from", &copy.from), ("chown", &copy.chown), ("chmod", &copy.chmod)] {
        text.extend(value.iter().map(|word| format!(" {name}={}", word.text)));
    }
    if copy.link {
        text.push_str(" link");
    }
    if copy.parents {
        text.push_str(" parents");
    }
    text.extend(copy.exclude.iter().map(|word| format!(" exclude={}", word.text)));
    text
}

/// Findings, one a line: its line, the piece of the file, what it says, and the way out.
fn findings(text: &str, findings: &[Diagnostic]) -> String {
    let show = |finding: &Diagnostic| {
        let line = text[..finding.span.start].matches('\n').count() + 1;
        let rule = finding.rule.map(|rule| format!("{}: ", rule.name())).unwrap_or_default();
        let hint = finding.hint.as_ref().map(|hint| format!(" | {hint}")).unwrap_or_default();
        format!("{line} «{}» {rule}{}{hint}", &text[finding.span.clone()], finding.message)
    };
    findings.iter().map(show).collect::<Vec<_>>().join("\n")
}
