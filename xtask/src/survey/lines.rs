//! The `RUN` lines of a Dockerfile, each with what is known where it stands.
//!
//! Nothing is fetched, so of a base image only the name is known; what is literal in `ENV`, `ARG`,
//! `WORKDIR` and `SHELL` is followed, from stage to stage, too.

use std::collections::BTreeMap;

use oci::ImagePath;
use recipe::{Argument, CommandLine, Instruction, Recipe, Run, Stage, Word};

use super::image::{Family, family_of};

/// A `RUN` line.
#[derive(Debug, Clone)]
pub struct Line {
    /// What runs.
    pub program: Program,
    /// Its environment.
    pub environment: BTreeMap<String, String>,
    /// Its working directory.
    pub directory: ImagePath,
    /// Whose programs there are.
    pub family: Family,
    /// The image that the stage comes from in the end, without registry, tag and digest.
    pub base: String,
    /// A `--device` that it wants.
    pub device: Option<String>,
}

/// What a line runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// A script, by these words in front of it.
    Script {
        /// The shell, as `SHELL` has it.
        shell: Vec<String>,
        /// The script.
        text: String,
    },
    /// Exactly this.
    Words(Vec<String>),
    /// A here-document that names its interpreter.
    Interpreted {
        /// What stands behind `#!`.
        interpreter: String,
        /// The script.
        text: String,
    },
}

/// What is known at a place in a stage.
#[derive(Debug, Clone)]
struct State {
    arguments: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
    directory: ImagePath,
    shell: Vec<String>,
    family: Family,
    base: String,
}

/// The platform that lines are looked at for (Docker's reference, "Automatic platform ARGs in the
/// global scope").
const PLATFORM: [(&str, &str); 8] = [
    ("BUILDARCH", "amd64"),
    ("BUILDOS", "linux"),
    ("BUILDPLATFORM", "linux/amd64"),
    ("BUILDVARIANT", ""),
    ("TARGETARCH", "amd64"),
    ("TARGETOS", "linux"),
    ("TARGETPLATFORM", "linux/amd64"),
    ("TARGETVARIANT", ""),
];
/// What nearly every base image has.
const ENVIRONMENT: [(&str, &str); 2] =
    [("HOME", "/root"), ("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")];

/// All `RUN` lines, in the file's order.
pub fn lines_of(recipe: &Recipe) -> Vec<Line> {
    let escape = recipe.directives.escape;
    let pairs = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let mut global = State {
        arguments: pairs(&PLATFORM),
        environment: BTreeMap::new(),
        directory: ImagePath::root(),
        shell: ["/bin/sh", "-c"].map(str::to_owned).to_vec(),
        family: Family::Gnu,
        base: String::new(),
    };
    for argument in &recipe.global_args {
        global.declare(&argument.node, &BTreeMap::new(), escape);
    }
    let mut stages: Vec<(Option<&str>, State)> = Vec::new();
    let mut lines = Vec::new();
    for stage in &recipe.stages {
        let image = global.expand(&stage.base.image, escape);
        let earlier = stages
            .iter()
            .rev()
            .find(|(name, _)| name.is_some_and(|name| name.eq_ignore_ascii_case(&image)));
        let mut state = match earlier {
            Some((_, state)) => state.clone(),
            None => State {
                arguments: BTreeMap::new(),
                environment: pairs(&ENVIRONMENT),
                family: family_of(&image),
                base: short_name(&image),
                ..global.clone()
            },
        };
        follow(stage, &mut state, &global.arguments, escape, &mut lines);
        stages.push((stage.base.name.as_ref().map(|name| name.node.as_str()), state));
    }
    lines
}

fn follow(
    stage: &Stage,
    state: &mut State,
    global: &BTreeMap<String, String>,
    escape: char,
    lines: &mut Vec<Line>,
) {
    for step in &stage.instructions {
        match &step.instruction {
            Instruction::Arg(arguments) => {
                arguments.iter().for_each(|argument| state.declare(argument, global, escape));
            }
            Instruction::Env(pairs) => {
                // All values of one line are expanded before any of them is set.
                let expanded: Vec<_> = pairs
                    .iter()
                    .map(|(name, value)| (state.expand(name, escape), state.expand(value, escape)))
                    .collect();
                state.environment.extend(expanded);
            }
            Instruction::Workdir(path) => {
                let path = state.expand(path, escape);
                state.directory = state.directory.join(path);
            }
            Instruction::Shell(words) => state.shell.clone_from(words),
            Instruction::Run(run) => lines.push(state.line(run)),
            _ => {}
        }
    }
}

impl State {
    fn value(&self, name: &str) -> Option<String> {
        self.environment.get(name).or_else(|| self.arguments.get(name)).cloned()
    }

    /// A word with its variables; as it stands if it makes no sense.
    fn expand(&self, word: &Word, escape: char) -> String {
        let expanded = recipe::expand(&word.text, escape, &|name| self.value(name));
        expanded.map_or_else(|_| word.text.clone(), |expansion| expansion.text)
    }

    fn declare(&mut self, argument: &Argument, global: &BTreeMap<String, String>, escape: char) {
        let value = match &argument.default {
            Some(default) => Some(self.expand(default, escape)),
            None => global.get(&argument.name).cloned(),
        };
        if let Some(value) = value {
            self.arguments.insert(argument.name.clone(), value);
        }
    }

    fn line(&self, run: &Run) -> Line {
        let mut environment = self.arguments.clone();
        environment.extend(self.environment.clone());
        Line {
            program: self.program(run),
            environment,
            directory: self.directory.clone(),
            family: self.family,
            base: self.base.clone(),
            device: run.devices.first().map(|device| device.text.clone()),
        }
    }

    fn program(&self, run: &Run) -> Program {
        let text = match &run.command {
            CommandLine::Exec(words) => return Program::Words(words.clone()),
            CommandLine::Shell(text) => text,
        };
        let trimmed = text.trim();
        let is_alone = trimmed.starts_with("<<") && !trimmed.contains(char::is_whitespace);
        let shell = self.shell.clone();
        match run.heredocs.as_slice() {
            [] => Program::Script { shell, text: text.clone() },
            [script] if is_alone => match script.content.strip_prefix("#!") {
                Some(named) => Program::Interpreted {
                    interpreter: named.lines().next().unwrap_or_default().trim().to_owned(),
                    text: script.content.clone(),
                },
                None => Program::Script { shell, text: script.content.clone() },
            },
            several => {
                let mut text = text.clone();
                for heredoc in several {
                    text.push('\n');
                    text.push_str(&heredoc.content);
                    text.push_str(&heredoc.name);
                }
                Program::Script { shell, text }
            }
        }
    }
}

/// `python` of `docker.io/library/python:3.12-slim@sha256:…`.
fn short_name(image: &str) -> String {
    let image = image.split('@').next().unwrap_or_default();
    let last = image.rsplit('/').next().unwrap_or_default();
    match last.split(':').next().unwrap_or_default() {
        "" => "(only an argument says)".to_owned(),
        name => name.to_ascii_lowercase(),
    }
}
