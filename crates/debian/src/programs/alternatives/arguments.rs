//! The command line, read as update-alternatives(1) of dpkg 1.21 reads it: word by word, each
//! mistake said at once.

use bstr::{BString, ByteSlice};
use shell::Process;

use super::group::{Choice, Group, Priority, Slave, parse_priority};
use crate::programs::failure::{Failure, Step, refused, unknown};

/// What to do, and how.
#[derive(Debug)]
pub(super) struct Arguments {
    pub(super) action: Action,
    pub(super) settings: Settings,
}

/// What to do.
#[derive(Debug, Clone)]
pub(super) enum Action {
    Install { group: Box<Group>, choice: Choice },
    Set { name: BString, path: BString },
    Remove { name: BString, path: BString },
    RemoveAll { name: BString },
    Auto { name: BString },
    Config { name: BString },
    Display { name: BString },
    Query { name: BString },
    List { name: BString },
    All,
    GetSelections,
    SetSelections,
}

/// How.
#[derive(Debug, Clone)]
pub(super) struct Settings {
    /// Where the second links are: `/etc/alternatives`.
    pub(super) links: BString,
    /// Where the database is.
    pub(super) database: BString,
    pub(super) talk: Talk,
    pub(super) overwriting: Overwriting,
    pub(super) asking: Asking,
}

/// How much is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Talk {
    Quiet,
    Normal,
    Verbose,
}

/// What is done to a file where a link belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Overwriting {
    LinksOnly,
    Everything,
}

/// For which groups `--config` asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asking {
    All,
    /// Not for those in automatic mode.
    ManualOnly,
}

impl Action {
    fn word(&self) -> &'static str {
        match self {
            Action::Install { .. } => "install",
            Action::Set { .. } => "set",
            Action::Remove { .. } => "remove",
            Action::RemoveAll { .. } => "remove-all",
            Action::Auto { .. } => "auto",
            Action::Config { .. } => "config",
            Action::Display { .. } => "display",
            Action::Query { .. } => "query",
            Action::List { .. } => "list",
            Action::All => "all",
            Action::GetSelections => "get-selections",
            Action::SetSelections => "set-selections",
        }
    }
}

const NEEDED: &str = "need --display, --query, --list, --get-selections, --config, --set, \
    --set-selections, --install, --remove, --all, --remove-all or --auto";

/// Reads the words.
pub(super) fn read(process: &Process<'_, '_>) -> Step<Arguments> {
    let environment = |name: &str| process.environment.get(&BString::from(name));
    if environment("DPKG_ROOT").is_some_and(|root| !root.is_empty() && root != "/") {
        return Err(refused(process, "works in another root directory").into());
    }
    let below = environment("DPKG_ADMINDIR").cloned().unwrap_or("/var/lib/dpkg".into());
    let mut reader = Reader {
        words: process.arguments(),
        at: 0,
        action: None,
        settings: Settings {
            links: "/etc/alternatives".into(),
            database: [&below[..], b"/alternatives"].concat().into(),
            talk: Talk::Normal,
            overwriting: Overwriting::LinksOnly,
            asking: Asking::All,
        },
    };
    while let Some(word) = reader.words.get(reader.at) {
        reader.word(process, word)?;
    }
    let Reader { action, settings, .. } = reader;
    let action = action.ok_or_else(|| Failure::Usage(NEEDED.to_owned()))?;
    Ok(Arguments { action, settings })
}

struct Reader<'a> {
    words: &'a [BString],
    at: usize,
    action: Option<Action>,
    settings: Settings,
}

impl<'a> Reader<'a> {
    fn word(&mut self, process: &Process<'_, '_>, word: &'a BString) -> Step<()> {
        let Some(option) = word.strip_prefix(b"--") else {
            return Failure::error(format_args!("unknown argument '{word}'"));
        };
        match option {
            b"install" => self.install()?,
            b"slave" => self.slave()?,
            b"set" => {
                let [name, path] = self.named_path("set")?;
                self.act(Action::Set { name, path })?;
            }
            b"remove" => {
                let [name, path] = self.named_path("remove")?;
                self.act(Action::Remove { name, path })?;
            }
            b"remove-all" | b"auto" | b"config" | b"display" | b"query" | b"list" => {
                self.named(option)?;
            }
            b"all" => self.act(Action::All)?,
            b"get-selections" => self.act(Action::GetSelections)?,
            b"set-selections" => self.act(Action::SetSelections)?,
            b"log" => {
                self.values::<1>("log", "a <file> argument")?;
            }
            b"altdir" => [self.settings.links] = self.values("altdir", "a <directory> argument")?,
            b"admindir" => {
                [self.settings.database] = self.values("admindir", "a <directory> argument")?;
            }
            b"quiet" => self.settings.talk = Talk::Quiet,
            b"verbose" => self.settings.talk = Talk::Verbose,
            b"force" => self.settings.overwriting = Overwriting::Everything,
            b"skip-auto" => self.settings.asking = Asking::ManualOnly,
            b"debug" | b"help" | b"version" | b"root" | b"instdir" => {
                return Err(unknown(process, word).into());
            }
            _ => return Failure::usage(format_args!("unknown option '{word}'")),
        }
        self.at += 1;
        Ok(())
    }

    fn act(&mut self, action: Action) -> Step<()> {
        if let Some(first) = &self.action {
            let (first, second) = (first.word(), action.word());
            return Failure::usage(format_args!(
                "two commands specified: --{first} and --{second}"
            ));
        }
        self.action = Some(action);
        Ok(())
    }

    /// The words that belong to the option.
    fn values<const N: usize>(&mut self, option: &str, wanted: &str) -> Step<[BString; N]> {
        let following = self.words.get(self.at + 1..self.at + 1 + N);
        let values: Option<[BString; N]> =
            following.and_then(|words| words.to_vec().try_into().ok());
        self.at += N;
        values.ok_or_else(|| Failure::Usage(format!("--{option} needs {wanted}")))
    }

    fn named_path(&mut self, option: &str) -> Step<[BString; 2]> {
        let [name, path] = self.values(option, "<name> <path>")?;
        check_name(&name)?;
        check_path(&path)?;
        Ok([name, path])
    }

    fn named(&mut self, option: &[u8]) -> Step<()> {
        let [name] = self.values(option.to_str().unwrap_or_default(), "<name>")?;
        check_name(&name)?;
        self.act(match option {
            b"remove-all" => Action::RemoveAll { name },
            b"auto" => Action::Auto { name },
            b"config" => Action::Config { name },
            b"display" => Action::Display { name },
            b"query" => Action::Query { name },
            _ => Action::List { name },
        })
    }

    fn install(&mut self) -> Step<()> {
        let [link, name, path, priority] =
            self.values("install", "<link> <name> <path> <priority>")?;
        if link == path {
            return Failure::usage(format_args!("<link> '{link}' is the same as <path>"));
        }
        let priority = match parse_priority(&priority) {
            Ok(priority) => priority,
            Err(Priority::NoNumber(text)) => {
                return Failure::usage(format_args!("priority '{text}' must be an integer"));
            }
            Err(Priority::OutOfRange(text)) => {
                return Failure::usage(format_args!("priority '{text}' is out of range"));
            }
        };
        let group = Box::new(Group::new(name.as_bstr(), link.as_bstr()));
        self.act(Action::Install { group, choice: Choice { path, priority, slaves: Vec::new() } })
    }

    fn slave(&mut self) -> Step<()> {
        if !matches!(self.action, Some(Action::Install { .. })) {
            return Failure::usage("--slave only allowed with --install");
        }
        let [link, name, file] = self.values("slave", "<link> <name> <path>")?;
        let Some(Action::Install { group, choice }) = &mut self.action else { return Ok(()) };
        if link == file {
            return Failure::usage(format_args!("<link> '{link}' is the same as <path>"));
        }
        if group.name == name {
            return Failure::usage(format_args!("<name> '{name}' is both primary and slave"));
        }
        if group.link == link {
            return Failure::usage(format_args!("<link> '{link}' is both primary and slave"));
        }
        if group.slave(name.as_bstr()).is_some() {
            return Failure::usage(format_args!("duplicate slave <name> '{name}'"));
        }
        if group.slaves.iter().any(|slave| slave.link == link) {
            return Failure::usage(format_args!("duplicate slave <link> '{link}'"));
        }
        choice.slaves.push((name.clone(), file));
        group.slaves.push(Slave { name, link, is_updated: false });
        Ok(())
    }
}

/// A name is that of a file, too.
pub(super) fn check_name(name: &[u8]) -> Step<()> {
    if name.iter().any(|byte| matches!(byte, b'/' | b' ' | b'\t')) {
        let name = name.as_bstr();
        return Failure::error(format_args!(
            "alternative name ({name}) must not contain '/' and spaces"
        ));
    }
    Ok(())
}

pub(super) fn check_link(link: &[u8]) -> Step<()> {
    if link.starts_with(b"/") {
        return Ok(());
    }
    let link = link.as_bstr();
    Failure::error(format_args!("alternative link is not absolute as it should be: {link}"))
}

pub(super) fn check_path(path: &[u8]) -> Step<()> {
    if path.starts_with(b"/") {
        return Ok(());
    }
    let path = path.as_bstr();
    Failure::error(format_args!("alternative path is not absolute as it should be: {path}"))
}
