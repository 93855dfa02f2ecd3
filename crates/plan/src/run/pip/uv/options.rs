//! The options of `uv pip`, and the variables that set them.

use python::{Dependencies, IndexUrl, Origin, Prereleases, Setting, Settings, Upgrade};
use shell::options::{self as table, Known, Order, Takes, flag, long, value};
use shell::{Process, Reason, Stop as ShellStop};

use super::super::asked::{Asked, Destination, Standing, index, names};
use super::super::configuration::variable;
use super::super::misused;

/// The commands that are built in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Command {
    Check,
    Freeze,
    Install,
    Uninstall,
}

/// What a command line and the environment say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in super::super) struct Options {
    given: Vec<(&'static str, Option<String>)>,
    operands: Vec<String>,
}

/// Options of every command. Some only say how files are fetched and kept, or how much is said.
const GENERAL: &[Known] = &[
    long("--system", &["system"], Takes::Nothing),
    long("--no-system", &["no-system"], Takes::Nothing),
    value("-p", 'p', &["python"]),
    long("--break-system-packages", &["break-system-packages"], Takes::Nothing),
    long("--no-config", &["no-config"], Takes::Nothing),
    flag("-q", 'q', &["quiet"]),
    flag("-v", 'v', &["verbose"]),
    flag("-n", 'n', &["no-cache", "no-cache-dir"]),
    long("--cache-dir", &["cache-dir"], Takes::Value),
    long("--color", &["color"], Takes::Value),
    long("--no-progress", &["no-progress"], Takes::Nothing),
    long("--native-tls", &["native-tls", "system-certs"], Takes::Nothing),
    long("--no-python-downloads", &["no-python-downloads"], Takes::Nothing),
];

const INSTALL: &[Known] = &[
    value("-r", 'r', &["requirements", "requirement"]),
    value("-c", 'c', &["constraints", "constraint"]),
    value("-t", 't', &["target"]),
    long("--prefix", &["prefix"], Takes::Value),
    long("--no-deps", &["no-deps"], Takes::Nothing),
    flag("-U", 'U', &["upgrade"]),
    long("--reinstall", &["reinstall", "force-reinstall"], Takes::Nothing),
    value("-i", 'i', &["index-url"]),
    long("--default-index", &["default-index"], Takes::Value),
    long("--index", &["index"], Takes::Value),
    long("--extra-index-url", &["extra-index-url"], Takes::Value),
    value("-f", 'f', &["find-links"]),
    long("--no-index", &["no-index"], Takes::Nothing),
    long("--index-strategy", &["index-strategy"], Takes::Value),
    long("--allow-insecure-host", &["allow-insecure-host", "trusted-host"], Takes::Value),
    long("--prerelease", &["prerelease"], Takes::Value),
    long("--pre", &["pre"], Takes::Nothing),
    long("--require-hashes", &["require-hashes"], Takes::Nothing),
    long("--verify-hashes", &["verify-hashes"], Takes::Nothing),
    long("--no-binary", &["no-binary"], Takes::Value),
    long("--only-binary", &["only-binary"], Takes::Value),
    long("--no-build", &["no-build"], Takes::Nothing),
    long("--exclude-newer", &["exclude-newer"], Takes::Value),
    long("--link-mode", &["link-mode"], Takes::Value),
    long("--no-build-isolation", &["no-build-isolation"], Takes::Nothing),
    long("--strict", &["strict"], Takes::Nothing),
    // Bytecode is not made in either case.
    long("--compile-bytecode", &["compile-bytecode", "compile"], Takes::Nothing),
    long("--no-compile-bytecode", &["no-compile-bytecode", "no-compile"], Takes::Nothing),
];

const UNINSTALL: &[Known] =
    &[value("-r", 'r', &["requirements", "requirement"]), flag("-y", 'y', &["yes"])];

/// Variables that stand for options, where no option does (uv's reference, "Environment
/// variables").
const VARIABLES: &[(&str, &str)] = &[
    ("UV_SYSTEM_PYTHON", "--system"),
    ("UV_PYTHON", "-p"),
    ("UV_BREAK_SYSTEM_PACKAGES", "--break-system-packages"),
    ("UV_NO_CONFIG", "--no-config"),
    ("UV_CONSTRAINT", "-c"),
    ("UV_INDEX_URL", "-i"),
    ("UV_DEFAULT_INDEX", "--default-index"),
    ("UV_INDEX", "--index"),
    ("UV_EXTRA_INDEX_URL", "--extra-index-url"),
    ("UV_FIND_LINKS", "-f"),
    ("UV_NO_INDEX", "--no-index"),
    ("UV_INDEX_STRATEGY", "--index-strategy"),
    ("UV_INSECURE_HOST", "--allow-insecure-host"),
    ("UV_PRERELEASE", "--prerelease"),
    ("UV_REQUIRE_HASHES", "--require-hashes"),
    ("UV_NO_BUILD", "--no-build"),
    ("UV_EXCLUDE_NEWER", "--exclude-newer"),
];

/// Variables that change nothing here: how files are fetched and kept, and what other commands do.
const HARMLESS: &[&str] = &[
    "UV_CACHE_DIR",
    "UV_COMPILE_BYTECODE",
    "UV_CONCURRENT_BUILDS",
    "UV_CONCURRENT_DOWNLOADS",
    "UV_CONCURRENT_INSTALLS",
    "UV_FROZEN",
    "UV_HTTP_TIMEOUT",
    "UV_INSTALL_DIR",
    "UV_LINK_MODE",
    "UV_LOCKED",
    "UV_NATIVE_TLS",
    "UV_NO_CACHE",
    "UV_NO_DEV",
    "UV_NO_PROGRESS",
    "UV_NO_SYNC",
    "UV_PROJECT_ENVIRONMENT",
    "UV_PYTHON_DOWNLOADS",
    "UV_PYTHON_INSTALL_DIR",
    "UV_PYTHON_PREFERENCE",
    "UV_REQUEST_TIMEOUT",
    "UV_TOOL_BIN_DIR",
    "UV_TOOL_DIR",
    "UV_VERSION",
];

/// As pip has it: the best of all indexes.
const BEST_MATCH: &str = "unsafe-best-match";
const SHOWN: &str = "uv pip install";

impl Command {
    pub(super) fn parse(name: &str) -> Option<Command> {
        Some(match name {
            "check" => Command::Check,
            "freeze" => Command::Freeze,
            "install" => Command::Install,
            "uninstall" => Command::Uninstall,
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Command::Check => "uv pip check",
            Command::Freeze => "uv pip freeze",
            Command::Install => "uv pip install",
            Command::Uninstall => "uv pip uninstall",
        }
    }

    fn known(self) -> Vec<Known> {
        let own: &[Known] = match self {
            Command::Check | Command::Freeze => &[],
            Command::Install => INSTALL,
            Command::Uninstall => UNINSTALL,
        };
        GENERAL.iter().chain(own).copied().collect()
    }
}

impl Options {
    pub(super) fn read(
        process: &Process<'_, '_>,
        command: Command,
        arguments: &[String],
    ) -> Result<Options, ShellStop> {
        let known = command.known();
        let words: Vec<bstr::BString> = arguments.iter().map(|word| word.as_str().into()).collect();
        let read = table::Options::read(&words, &known, Order::Anywhere)
            .map_err(|option| ShellStop::refuse(command.name(), Reason::Option(option)))?;
        let text = |value: bstr::BString| value.to_string();
        let mut options = Options {
            given: read.given.into_iter().map(|(id, value)| (id, value.map(text))).collect(),
            operands: read.operands.into_iter().map(text).collect(),
        };
        options.take_variables(process, &known, command)?;
        Ok(options)
    }

    /// What an option says is not asked of a variable.
    fn take_variables(
        &mut self,
        process: &Process<'_, '_>,
        known: &[Known],
        command: Command,
    ) -> Result<(), ShellStop> {
        let names = process.environment.keys().filter_map(|name| std::str::from_utf8(name).ok());
        for name in names.filter(|name| name.starts_with("UV_")) {
            let set = variable(process, name).filter(|set| !set.is_empty());
            let Some(set) = set.filter(|_| !HARMLESS.contains(&name)) else { continue };
            let Some((_, id)) = VARIABLES.iter().find(|(variable, _)| *variable == name) else {
                let reason = format!("is set up by `{name}`, which is not built in");
                return Err(misused(command.name(), reason));
            };
            let Some(option) = known.iter().find(|known| known.id == *id) else { continue };
            if self.has(option.id) || (*id == "--system" && self.has("--no-system")) {
                continue;
            }
            match option.value {
                Takes::Nothing
                    if matches!(set.as_str(), "1" | "true" | "yes" | "on" | "y" | "t") =>
                {
                    self.given.push((option.id, None));
                }
                Takes::Nothing => {}
                _ => {
                    let values = set.split_whitespace().map(|one| Some(one.to_owned()));
                    self.given.extend(values.map(|value| (option.id, value)));
                }
            }
        }
        Ok(())
    }

    pub(super) fn has(&self, id: &str) -> bool {
        self.given.iter().any(|(given, _)| *given == id)
    }

    pub(super) fn value(&self, id: &'static str) -> Option<&str> {
        self.values(id).last()
    }

    fn values(&self, id: &'static str) -> impl Iterator<Item = &str> {
        let own = self.given.iter().filter(move |(given, _)| *given == id);
        own.filter_map(|(_, value)| value.as_deref())
    }

    /// What is asked for.
    pub(super) fn asked(&self) -> Result<Asked, ShellStop> {
        let texts = |id: &'static str| self.values(id).map(str::to_owned).collect::<Vec<_>>();
        let files = texts("-r");
        if let Some(project) =
            files.iter().find(|file| !file.ends_with(".txt") && !file.ends_with(".in"))
        {
            let known = [".toml", ".py", ".cfg"].iter().any(|ending| project.ends_with(ending));
            if known || project == "-" {
                let reason = format!("takes requirements from `{project}`, which is not built in");
                return Err(misused(SHOWN, reason));
            }
        }
        let count = |id: &str| self.given.iter().filter(|(given, _)| *given == id).count() as i64;
        Ok(Asked {
            requirements: self.operands.clone(),
            files,
            constraints: texts("-c"),
            settings: self.settings()?,
            upgrade: if self.has("-U") { Upgrade::Everything } else { Upgrade::Nothing },
            dependencies: match self.has("--no-deps") {
                true => Dependencies::Ignore,
                false => Dependencies::Follow,
            },
            standing: match self.has("--reinstall") {
                true => Standing::Replaced,
                false => Standing::Kept,
            },
            destination: match (self.value("-t"), self.value("--prefix")) {
                (None, None) => Destination::System,
                (Some(target), None) => Destination::Target(target.to_owned()),
                (None, Some(prefix)) => Destination::Prefix(prefix.to_owned()),
                _ => return Err(misused(SHOWN, "has two places to install to".to_owned())),
            },
            breaks_system_packages: self.has("--break-system-packages"),
            exclude_newer: self.value("--exclude-newer").map(str::to_owned),
            verbosity: count("-v") - count("-q"),
        })
    }

    fn settings(&self) -> Result<Settings, ShellStop> {
        let mut settings = Settings::default();
        let here = Origin { file: String::new(), line: 1 };
        for (id, value) in &self.given {
            let Some(value) = value.as_deref() else { continue };
            let setting = match *id {
                "-i" | "--default-index" => Setting::IndexUrl(index(id, unnamed(value))?),
                "--index" | "--extra-index-url" => {
                    Setting::ExtraIndexUrl(index(id, unnamed(value))?)
                }
                "-f" => Setting::FindLinks(IndexUrl::new(value)),
                "--allow-insecure-host" => Setting::TrustedHost(value.to_owned()),
                "--no-binary" => Setting::NoBinary(names(value)),
                "--only-binary" => Setting::OnlyBinary(names(value)),
                _ => continue,
            };
            settings.apply(&setting, &here);
        }
        if self.has("--no-build") {
            settings.apply(&Setting::OnlyBinary(vec![":all:".to_owned()]), &here);
        }
        settings.indexes.no_index = self.has("--no-index");
        settings.require_hashes = self.has("--require-hashes");
        settings.prereleases = self.prereleases()?;
        let takes_first = self.value("--index-strategy") != Some(BEST_MATCH);
        if takes_first && !settings.indexes.extra_index_urls.is_empty() {
            let reason = format!(
                "has several indexes, of which uv takes the first that has a package; \
                 `--index-strategy={BEST_MATCH}` is built in"
            );
            return Err(misused(SHOWN, reason));
        }
        Ok(settings)
    }

    fn prereleases(&self) -> Result<Prereleases, ShellStop> {
        match self.value("--prerelease") {
            _ if self.has("--pre") => Ok(Prereleases::Allow),
            None | Some("if-necessary-or-explicit") => Ok(Prereleases::IfNecessaryOrExplicit),
            Some("allow") => Ok(Prereleases::Allow),
            Some("disallow") => Ok(Prereleases::Disallow),
            Some(other) => {
                let option = format!("--prerelease={other}");
                Err(ShellStop::refuse(SHOWN, Reason::Option(option)))
            }
        }
    }
}

/// An index may have a name: `pytorch=https://…`.
fn unnamed(value: &str) -> &str {
    match value.split_once('=') {
        Some((name, url)) if !name.contains([':', '/']) => url,
        _ => value,
    }
}
