//! The options of pip's commands: those that are understood, and what is set for them elsewhere.
//!
//! As pip documents it ("Configuration"): what a command line says wins over the environment's
//! `PIP_…`, that over the files. Lists that several places give are not joined, but for those of
//! the command line, which come behind the others'.

mod tables;

use std::collections::BTreeMap;

use shell::options::{self as table, Known, Order, Takes};
use shell::{Reason, Stop as ShellStop};

use tables::{COUNTS, GENERAL, LISTS, SINCE};

/// What a command line says, behind what is set for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Options {
    given: Vec<(&'static str, Option<String>)>,
    /// The options of the command line itself.
    typed: Vec<&'static str>,
    /// What is no option.
    pub(super) operands: Vec<String>,
}

/// The commands that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Command {
    Cache,
    Check,
    Config,
    Freeze,
    Install,
    List,
    Show,
    Uninstall,
}

impl Command {
    pub(super) fn parse(name: &str) -> Option<Command> {
        Some(match name {
            "cache" => Command::Cache,
            "check" => Command::Check,
            "config" => Command::Config,
            "freeze" => Command::Freeze,
            "install" => Command::Install,
            "list" => Command::List,
            "show" => Command::Show,
            "uninstall" => Command::Uninstall,
            _ => return None,
        })
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Command::Cache => "cache",
            Command::Check => "check",
            Command::Config => "config",
            Command::Freeze => "freeze",
            Command::Install => "install",
            Command::List => "list",
            Command::Show => "show",
            Command::Uninstall => "uninstall",
        }
    }
}

/// The command's name, where pip finds it: behind options of every command.
pub(super) fn command_name(arguments: &[String]) -> Result<Option<String>, ShellStop> {
    let words = words(arguments);
    let general = table::Options::read(&words, GENERAL, Order::First)
        .map_err(|option| refuse("pip", Reason::Option(option)))?;
    if general.has("-V") {
        return Ok(Some("--version".to_owned()));
    }
    Ok(general.operands.first().map(ToString::to_string))
}

fn words(arguments: &[String]) -> Vec<bstr::BString> {
    arguments.iter().map(|word| word.as_str().into()).collect()
}

pub(super) fn refuse(command: &str, reason: Reason) -> ShellStop {
    ShellStop::refuse(command, reason)
}

impl Options {
    /// Reads the arguments of a command, its name among them; `set` has what is set for it, from
    /// weak to strong, each a key and a value.
    pub(super) fn read(
        command: Command,
        arguments: &[String],
        set: &[(String, String)],
    ) -> Result<Self, ShellStop> {
        let known = command.known();
        let shown = format!("pip {}", command.name());
        let mut options = Options::default();
        let mut defaults: BTreeMap<&'static str, Vec<Option<String>>> = BTreeMap::new();
        for (key, value) in set.iter().filter(|(_, value)| !value.trim().is_empty()) {
            if command.refuses(key) {
                return Err(refuse(&shown, Reason::Option(format!("--{key}"))));
            }
            if let Some(known) = known.iter().find(|known| known.long.contains(&key.as_str())) {
                defaults.insert(known.id, meant(known, key, value, &shown)?);
            }
        }
        for (id, values) in defaults {
            options.given.extend(values.into_iter().map(|value| (id, value)));
        }
        let read = table::Options::read(&words(arguments), &known, Order::Anywhere)
            .map_err(|option| refuse(&shown, Reason::Option(option)))?;
        let text = |value: bstr::BString| value.to_string();
        options.typed = read.given.iter().map(|(id, _)| *id).collect();
        options.given.extend(read.given.into_iter().map(|(id, value)| (id, value.map(text))));
        let mut operands = read.operands.into_iter().map(text);
        operands.by_ref().find(|operand| operand == command.name());
        options.operands = operands.collect();
        options.check_features(&shown)?;
        Ok(options)
    }

    fn check_features(&self, shown: &str) -> Result<(), ShellStop> {
        match self.values("--use-feature").find(|feature| !python::is_harmless_feature(feature)) {
            Some(feature) => Err(refuse(shown, Reason::Option(format!("--use-feature={feature}")))),
            None => Ok(()),
        }
    }

    /// The first option of the command line that a release of pip does not have yet. What is set
    /// elsewhere it passes over.
    pub(super) fn newer_than(&self, pip: &str) -> Option<&'static str> {
        let mut numbers = pip.split('.').map(|part| part.parse().unwrap_or(0));
        let mut number = || numbers.next().unwrap_or(0);
        let release: (u32, u32, u32) = (number(), number(), number());
        let newer = SINCE.iter().filter(|(_, since)| release < *since).map(|(id, _)| *id);
        newer.into_iter().find(|id| self.typed.contains(id))
    }

    /// Whether an option is given.
    pub(super) fn has(&self, id: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == id)
    }

    /// The last of several that exclude each other.
    pub(super) fn last_of(&self, ids: &[&str]) -> Option<&'static str> {
        self.given.iter().rev().map(|(id, _)| *id).find(|id| ids.contains(id))
    }

    /// The value of an option; the last one counts.
    pub(super) fn value(&self, id: &'static str) -> Option<&str> {
        self.values(id).last()
    }

    /// All values of an option.
    pub(super) fn values(&self, id: &'static str) -> impl Iterator<Item = &str> {
        let own = self.given.iter().filter(move |(given, _)| *given == id);
        own.filter_map(|(_, value)| value.as_deref())
    }

    /// The options and their values, in order.
    pub(super) fn given(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.given.iter().filter_map(|(id, value)| Some((*id, value.as_deref()?)))
    }

    /// How much is said: 0 is the usual, less is quieter.
    pub(super) fn verbosity(&self) -> i64 {
        let count = |id: &str| self.given.iter().filter(|(given, _)| *given == id).count();
        count("-v") as i64 - count("-q") as i64
    }
}

/// What a value in a file or in the environment means (`ConfigOptionParser._update_defaults`).
fn meant(
    known: &Known,
    key: &str,
    value: &str,
    shown: &str,
) -> Result<Vec<Option<String>>, ShellStop> {
    let bad = || {
        let reason = format!("is set up with a value for `{key}` that is neither yes nor no");
        refuse(shown, Reason::Use(reason))
    };
    if known.value == Takes::Value {
        return Ok(match LISTS.contains(&known.id) {
            true => value.split_whitespace().map(|one| Some(one.to_owned())).collect(),
            false => vec![Some(value.to_owned())],
        });
    }
    if COUNTS.contains(&known.id)
        && let Ok(count) = value.trim().parse::<usize>()
    {
        return Ok(vec![None; count.min(3)]);
    }
    // As long as it is either, this option is meant (`_handle_no_cache_dir`).
    let is_on = truth(value).ok_or_else(bad)? || known.id == "--no-cache-dir";
    Ok(if is_on { vec![None] } else { Vec::new() })
}

/// Python's `distutils.util.strtobool`.
fn truth(value: &str) -> Option<bool> {
    match value.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" | "t" | "true" | "on" | "1" => Some(true),
        "n" | "no" | "f" | "false" | "off" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(command: Command, line: &str, set: &[(&str, &str)]) -> String {
        let arguments: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        let set: Vec<(String, String)> =
            set.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        match Options::read(command, &arguments, &set) {
            Ok(options) => {
                let given = options.given.iter().map(|(id, value)| match value {
                    Some(value) => format!("{id}={value}"),
                    None => (*id).to_owned(),
                });
                let given: Vec<String> = given.collect();
                format!("{} | {}", given.join(" "), options.operands.join(" "))
            }
            Err(ShellStop::Refused(refusal)) => refusal.to_string(),
            Err(other) => format!("{other:?}"),
        }
    }

    #[test]
    fn options_that_people_use() {
        for (line, expected) in [
            ("install --no-cache-dir -U pip setuptools", "--no-cache-dir -U | pip setuptools"),
            ("install -r requirements.txt", "-r=requirements.txt | "),
            ("-q install -rx.txt --requirement=y", "-q -r=x.txt -r=y | "),
            ("install --default-timeout 100 a", "--timeout=100 | a"),
            ("install install", " | install"),
            (
                "install --trusted-host h -i https://h/simple a",
                "--trusted-host=h -i=https://h/simple | a",
            ),
            ("install -- -a", " | -a"),
            ("install --root-user-action=ignore a", "--root-user-action=ignore | a"),
            ("install -e . a", "-e=. | a"),
            (
                "install --dry-run a",
                "`pip install` has the option `--dry-run`, which is not built in",
            ),
            ("install --upgr a", "`pip install` has the option `--upgr`, which is not built in"),
            ("install --root /x a", "`pip install` has the option `--root`, which is not built in"),
            ("install --use-feature=2020-resolver a", "--use-feature=2020-resolver | a"),
            (
                "install --use-feature=new a",
                "`pip install` has the option `--use-feature=new`, which is not built in",
            ),
        ] {
            assert_eq!(read(Command::Install, line, &[]), expected, "{line}");
        }
        assert_eq!(read(Command::Uninstall, "uninstall -y a", &[]), "-y | a");
        assert_eq!(
            read(Command::Freeze, "freeze -r x", &[]),
            "`pip freeze` has the option `-r`, which is not built in"
        );
    }

    #[test]
    fn what_is_set_elsewhere_comes_first() {
        let check = |line: &str, set: &[(&str, &str)]| read(Command::Install, line, set);
        let set: &[(&str, &str)] = &[
            ("no-cache-dir", "off"),
            ("index-url", "https://a.example"),
            ("extra-index-url", "https://b.example\nhttps://c.example"),
            ("extra-index-url", "https://d.example"),
            ("user", "no"),
            ("quiet", "2"),
            ("no-such-option", "x"),
            ("constraint", ""),
        ];
        assert_eq!(
            check("install --extra-index-url https://e.example a", set),
            "--extra-index-url=https://d.example --no-cache-dir -i=https://a.example -q -q \
             --extra-index-url=https://e.example | a"
        );
        assert_eq!(
            check("install a", &[("user", "maybe")]),
            "`pip install` is set up with a value for `user` that is neither yes nor no"
        );
        assert_eq!(
            check("install a", &[("root", "/x")]),
            "`pip install` has the option `--root`, which is not built in"
        );
        assert_eq!(read(Command::Freeze, "freeze", &[("root", "/x"), ("user", "1")]), " | ");
    }

    #[test]
    fn options_that_came_late() {
        let words = ["install", "--root-user-action=ignore", "a"].map(str::to_owned);
        let set = [("break-system-packages".to_owned(), "1".to_owned())];
        let options = Options::read(Command::Install, &words, &set).unwrap();
        assert_eq!(options.newer_than("22.0.4"), Some("--root-user-action"));
        assert_eq!(options.newer_than("22.1"), None);
        assert_eq!(options.newer_than("26.0.dev1"), None);
    }

    #[test]
    fn the_command_is_behind_general_options() {
        let name = |line: &str| {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            command_name(&words).ok().flatten()
        };
        assert_eq!(name("-q --proxy http://p install -U a").as_deref(), Some("install"));
        assert_eq!(name("--version").as_deref(), Some("--version"));
        assert_eq!(name("--nothing install"), None);
    }
}
