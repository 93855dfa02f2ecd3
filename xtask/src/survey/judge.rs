//! Whether a line is assembled.

use std::collections::BTreeMap;

use bstr::BString;
use oci::Platform;
use shell::files::Last;
use shell::{Command, Limits, Outcome, Reason, Refusal, Stop};

use super::commands::{SimpleCommand, simple_commands};
use super::image::Images;
use super::lines::{Line, Program};
use super::outside::{self, Installed, MadeUp};
use super::packages;

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
/// Where programs are found by their names alone.
const PROGRAM_DIRECTORIES: [&str; 4] =
    ["/usr/local/bin/", "/usr/local/sbin/", "/usr/bin/", "/bin/"];
/// Builtins that tell by the same status that a name is none of a program's.
const ASKING: [&str; 3] = ["command", "hash", "type"];
/// Longer names, and longer examples, are cut off.
const LONGEST_NAME: usize = 60;
const LONGEST_EXAMPLE: usize = 120;

/// Looks at a line: whole, and each of its simple commands by itself.
pub fn judge(line: &Line, images: &Images) -> Judgement {
    let world = MadeUp::new(images);
    let mut looked = Looked { line, images, world: &world, obstacles: Vec::new() };
    if let Some(device) = &line.device {
        looked.add(format!("--device={device}"), "depends on the machine that runs it".to_owned());
    }
    match &line.program {
        Program::Words(words) => looked.words(words),
        Program::Script { shell, text } => looked.script(shell, text),
        Program::Interpreted { interpreter, text } => looked.interpreted(interpreter, text),
    }
    let mut obstacles = looked.obstacles;
    // Who reads a made-up script has found no such command in it.
    let is_made_up = |obstacle: &Obstacle| obstacle.command.starts_with("(what it has");
    if obstacles.iter().any(|obstacle| !is_made_up(obstacle)) {
        obstacles.retain(|obstacle| !is_made_up(obstacle));
    }
    Judgement { obstacles, installed: world.installed() }
}

struct Looked<'a> {
    line: &'a Line,
    images: &'a Images,
    world: &'a MadeUp<'a>,
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
        if packages::PYTHON.contains(&&name[..]) {
            return self.add("python FILE".to_owned(), Reason::Program.to_string());
        }
        if !SHELLS.contains(&&name[..]) {
            return self.add_missing(&name);
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
        if shell.first().is_none_or(|name| !SHELLS.contains(&base_name(name))) {
            return self.note(whole, shell);
        }
        let is_refused = matches!(whole, Err(Stop::Refused(_)));
        self.note(whole, &[]);
        let commands = match simple_commands(text) {
            Ok(commands) => commands,
            Err(_) if is_refused => return,
            Err(refusal) => return self.add_refusal(&refusal),
        };
        // Assignments hold for what follows, if they are understood themselves.
        let mut before = String::new();
        for command in &commands {
            if let Some(name) = self.unseen_script(command) {
                let reason = "reads a script that the Dockerfile does not hold".to_owned();
                self.add(name, reason);
                continue;
            }
            let alone = format!("{before}{}", with_plain_name(command));
            let found = run_text(self, &alone);
            let sets = command.words.is_empty() || command.words[0] == "export";
            if sets && found.is_ok() {
                before.push_str(&command.text);
                before.push('\n');
            }
            self.note(found, &command.words);
        }
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
        shell::run(command, files, self.world, Limits::default())
    }

    fn note(&mut self, ended: Result<Outcome, Stop>, words: &[String]) {
        match ended {
            // A file that is not there is no question of understanding, but for a program's.
            Ok(outcome) => {
                let mut missing: Vec<String> = missing_programs(&outcome).collect();
                if missing.is_empty() && NOT_RUN.contains(&outcome.status) {
                    let name = words.first().filter(|name| !ASKING.contains(&&name[..]));
                    missing.extend(name.cloned());
                }
                missing.iter().for_each(|name| self.add_missing(name));
            }
            Err(Stop::Refused(refusal)) if is_about_bytes(&refusal) => {}
            Err(Stop::Refused(refusal)) => self.add_refusal(&refusal),
            Err(Stop::Limit(limit)) => self.add("(a limit)".to_owned(), limit.to_string()),
            // All facts are made up, so none is missing.
            Err(Stop::Missing(missing)) => self.add("(a fact)".to_owned(), format!("{missing:?}")),
        }
    }

    fn add_missing(&mut self, name: &str) {
        // Of a shell it is the script that is missing, and a Python of another place is taken for
        // one: both are looked at where the command is by itself.
        let base = base_name(name);
        let is_elsewhere = name.contains('/') && packages::PYTHON.contains(&base);
        if !SHELLS.contains(&base) && !is_elsewhere {
            self.add(name.to_owned(), Reason::Program.to_string());
        }
    }

    fn add_refusal(&mut self, refusal: &Refusal) {
        self.add(refusal.command.clone(), refusal.reason.to_string());
    }

    fn add(&mut self, command: String, reason: String) {
        let found_in = PROGRAM_DIRECTORIES.iter().find_map(|place| command.strip_prefix(place));
        let command = found_in.filter(|name| !name.contains('/')).unwrap_or(&command);
        let word = command.split_whitespace().next().unwrap_or_default();
        let name: String = match word {
            _ if command == "the script" => "(the shell's language)".to_owned(),
            _ if command == outside::DOWNLOAD.trim() => "(what it has downloaded)".to_owned(),
            _ if word.starts_with("--device") => "(a device)".to_owned(),
            _ if word.contains('/') => "(a program by its path)".to_owned(),
            _ => word.chars().take(LONGEST_NAME).collect(),
        };
        let example = without_addresses(&format!("`{command}` {reason}"));
        let obstacle = Obstacle { command: name, example };
        if !self.obstacles.contains(&obstacle) {
            self.obstacles.push(obstacle);
        }
    }
}

/// Whether a refusal is about an archive that is none: made-up bytes, or the empty input of a command
/// that stands behind a pipe.
fn is_about_bytes(refusal: &Refusal) -> bool {
    matches!(&refusal.reason, Reason::Use(what) if what.starts_with("reads an archive"))
}

/// The names of programs that were wanted and not there. A command that ran others has only passed
/// their status on, and `command -v` has just asked.
fn missing_programs(outcome: &Outcome) -> impl Iterator<Item = String> {
    let events = outcome.trace.iter().enumerate();
    let not_run = events.filter(|(at, event)| {
        let ran_others = outcome.trace.get(at + 1).is_some_and(|next| next.depth > event.depth);
        event.status.is_some_and(|status| NOT_RUN.contains(&status)) && !ran_others
    });
    let names = not_run.filter_map(|(_, event)| event.words.first().map(ToString::to_string));
    names.filter(|name| !ASKING.contains(&&name[..]))
}

/// The command's text, in which a Python of another place has its name alone: where virtual
/// environments are, no such image is known.
fn with_plain_name(command: &SimpleCommand) -> String {
    let name = command.words.first().map(String::as_str).unwrap_or_default();
    let base = base_name(name);
    match name.contains('/') && packages::PYTHON.contains(&base) {
        true => command.text.replacen(name, base, 1),
        false => command.text.clone(),
    }
}

fn base_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or_default()
}

/// An example is about commands: addresses are left out, and what is very long.
fn without_addresses(example: &str) -> String {
    let words = example.split(' ').map(|word| if word.contains("://") { "a URL" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(LONGEST_EXAMPLE).collect()
}

/// Where a shell's `-c` is, also as in `-ec`.
fn script_option(words: &[String]) -> Option<usize> {
    words
        .iter()
        .position(|word| word.starts_with('-') && !word.starts_with("--") && word.ends_with('c'))
}
