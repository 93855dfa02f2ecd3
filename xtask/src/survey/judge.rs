//! Whether a line is assembled.

use std::collections::BTreeMap;

use bstr::BString;
use oci::Platform;
use shell::files::Last;
use shell::{Command, Limits, Outcome, Reason, Refusal, Stop};

use super::commands::{SimpleCommand, simple_commands};
use super::image::Images;
use super::lines::{Line, Program};
use super::outside::{Installed, MadeUp};

/// What is known of a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Judgement {
    /// What it installs.
    pub installed: Installed,
    /// What would have to be executed; none if it is assembled.
    pub obstacles: Vec<Obstacle>,
}

/// Something that would have to be executed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Obstacle {
    /// The program, or what stands in its place.
    pub command: String,
    /// The same with its option or use, and why.
    pub example: String,
}

/// What a shell says of a command that is not there, or is no program (POSIX XCU 2.8.2).
const NOT_RUN: [u8; 2] = [126, 127];
/// Programs that read a script.
const SHELLS: [&str; 4] = ["ash", "bash", "dash", "sh"];
/// Longer names are cut off.
const LONGEST_NAME: usize = 60;

/// Looks at a line: whole, and each of its simple commands by itself.
pub fn judge(line: &Line, images: &Images) -> Judgement {
    let outside = MadeUp::new(images);
    let mut looked = Looked { line, images, outside: &outside, obstacles: Vec::new() };
    if let Some(device) = &line.device {
        looked.add(format!("--device={device}"), "depends on the machine that runs it".to_owned());
    }
    match &line.program {
        Program::Words(words) => looked.words(words),
        Program::Script { shell, text } => looked.script(shell, text),
        Program::Interpreted { interpreter, text } => looked.interpreted(interpreter, text),
    }
    Judgement { obstacles: looked.obstacles, installed: outside.installed() }
}

struct Looked<'a> {
    line: &'a Line,
    images: &'a Images,
    outside: &'a MadeUp<'a>,
    /// Each command once, in the order in which they were found.
    obstacles: Vec<Obstacle>,
}

impl Looked<'_> {
    fn words(&mut self, words: &[String]) {
        let name = words.first().map(String::as_str).unwrap_or_default();
        let script = script_option(words).and_then(|at| Some((at, words.get(at + 1)?)));
        match script {
            Some((at, text)) if SHELLS.contains(&base_name(name)) => {
                self.script(&words[..=at], text);
            }
            _ => {
                let outcome = self.run(words.iter().map(|word| word.as_str().into()).collect());
                self.note(outcome, words);
            }
        }
    }

    fn interpreted(&mut self, interpreter: &str, text: &str) {
        let mut words: Vec<String> = interpreter.split_whitespace().map(str::to_owned).collect();
        if words.first().is_some_and(|word| base_name(word) == "env") {
            words.remove(0);
        }
        let name = words.first().map(|word| base_name(word).to_owned()).unwrap_or_default();
        if !SHELLS.contains(&&name[..]) {
            return self.add(name, "is not built in".to_owned());
        }
        words.truncate(1);
        words.push("-c".to_owned());
        self.script(&words, text);
    }

    fn script(&mut self, shell: &[String], text: &str) {
        let run_text = |looked: &Self, text: &str| {
            let mut words: Vec<BString> = shell.iter().map(|word| word.as_str().into()).collect();
            words.push(text.into());
            looked.run(words)
        };
        let whole = run_text(self, text);
        if let Ok(outcome) = &whole {
            let not_run = outcome
                .trace
                .iter()
                .filter(|event| event.status.is_some_and(|status| NOT_RUN.contains(&status)));
            let names: Vec<String> =
                not_run.filter_map(|event| event.words.first().map(ToString::to_string)).collect();
            names.into_iter().for_each(|name| self.add_missing(&name));
        }
        let commands = match simple_commands(text) {
            Ok(commands) => commands,
            Err(refusal) => {
                self.note(whole, &[]);
                return self.add_refusal(&refusal);
            }
        };
        // Assignments hold for what follows, if they are understood themselves.
        let mut before = String::new();
        for command in &commands {
            if let Some(name) = self.unseen_script(command) {
                let reason = "reads a script that the Dockerfile does not hold".to_owned();
                self.add(name, reason);
                continue;
            }
            let alone = format!("{before}{}", command.text);
            let found = run_text(self, &alone);
            let sets = command.words.is_empty() || command.words[0] == "export";
            if sets && found.is_ok() {
                before.push_str(&command.text);
                before.push('\n');
            }
            self.note(found, &command.words);
        }
        self.note(whole, &[]);
    }

    /// The name of a command that reads a script of which nothing is known. That the file is missing
    /// says nothing about the line then.
    fn unseen_script(&self, command: &SimpleCommand) -> Option<String> {
        let (name, arguments) = command.words.split_first()?;
        let name = base_name(name);
        let is_unseen = match name {
            "." | "source" => !self.has(arguments.first()?),
            _ if SHELLS.contains(&name) => {
                let is_held = command.text.contains("<<");
                let asks = |word: &String| word == "--version" || word == "--help";
                !is_held && script_option(arguments).is_none() && !arguments.iter().any(asks)
            }
            _ => false,
        };
        is_unseen.then(|| name.to_owned())
    }

    /// Whether the made-up image has a file at this path.
    fn has(&self, path: &str) -> bool {
        let path = path.replacen("~", "/root", usize::from(path.starts_with("~/")));
        let files = self.images.files(self.line.family, &self.line.directory);
        files.find(&self.line.directory, path.as_bytes(), Last::Followed).is_ok()
    }

    fn run(&self, words: Vec<BString>) -> Result<Outcome, Stop> {
        let environment = self.line.environment.iter();
        let command = Command {
            words,
            environment: environment
                .map(|(name, value)| (BString::from(&name[..]), BString::from(&value[..])))
                .collect::<BTreeMap<_, _>>(),
            directory: self.line.directory.clone(),
            platform: Platform::linux("amd64"),
        };
        let files = self.images.files(self.line.family, &self.line.directory);
        shell::run(command, files, self.outside, Limits::default())
    }

    fn note(&mut self, ended: Result<Outcome, Stop>, words: &[String]) {
        match ended {
            Ok(outcome) if NOT_RUN.contains(&outcome.status) => {
                if let Some(name) = words.first() {
                    self.add_missing(name);
                }
            }
            // A file that is not there is no question of understanding.
            Ok(_) => {}
            Err(Stop::Refused(refusal)) => self.add_refusal(&refusal),
            Err(Stop::Limit(limit)) => self.add("(a limit)".to_owned(), limit.to_string()),
            // All facts are made up, so none is missing.
            Err(Stop::Missing(missing)) => self.add("(a fact)".to_owned(), format!("{missing:?}")),
        }
    }

    fn add_missing(&mut self, name: &str) {
        self.add(name.to_owned(), Reason::Program.to_string());
    }

    fn add_refusal(&mut self, refusal: &Refusal) {
        self.add(refusal.command.clone(), refusal.reason.to_string());
    }

    fn add(&mut self, command: String, reason: String) {
        let words = command.split_whitespace().next().unwrap_or("(nothing)");
        let name = if words.contains('/') && !words.starts_with("--") {
            "(a program by its path)".to_owned()
        } else {
            words.chars().take(LONGEST_NAME).collect()
        };
        let example: String = format!("`{command}` {reason}").chars().take(120).collect();
        let obstacle = Obstacle { command: name, example };
        if !self.obstacles.contains(&obstacle) {
            self.obstacles.push(obstacle);
        }
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// Where a shell's `-c` is, also as in `-ec`.
fn script_option(words: &[String]) -> Option<usize> {
    words
        .iter()
        .position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))
}
