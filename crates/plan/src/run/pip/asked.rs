//! What an installation is asked for, whoever's options say it.

use python::{Dependencies, IndexUrl, Origin, Prereleases, Setting, Settings, Upgrade};
use shell::{Reason, Stop as ShellStop};

use super::misused;
use super::options::{Options, refuse};

/// An installation, as it is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Requirements that stand in the command line itself.
    pub(super) requirements: Vec<String>,
    /// Files of requirements.
    pub(super) files: Vec<String>,
    /// Files of constraints.
    pub(super) constraints: Vec<String>,
    /// What holds for all requirements. What the files set comes behind it.
    pub(super) settings: Settings,
    pub(super) upgrade: Upgrade,
    pub(super) dependencies: Dependencies,
    pub(super) standing: Standing,
    pub(super) destination: Destination,
    pub(super) breaks_system_packages: bool,
    pub(super) exclude_newer: Option<String>,
    /// How much is said: 0 is the usual.
    pub(super) verbosity: i64,
}

/// What becomes of what is installed already.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Standing {
    /// It stays if it satisfies; else it is replaced.
    #[default]
    Kept,
    /// It is replaced: `--force-reinstall`.
    Replaced,
    /// It is not looked at: `--ignore-installed`.
    Ignored,
}

/// Where packages go.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Destination {
    /// To the interpreter's own directories; to the user's if those cannot be written to.
    #[default]
    Usual,
    /// To the interpreter's own, in any case: `--no-user`.
    System,
    /// `--user`
    User,
    /// `--target`
    Target(String),
    /// `--prefix`
    Prefix(String),
}

const SHOWN: &str = "pip install";

impl Asked {
    /// What the options of `pip install` ask for.
    pub(super) fn of(options: &Options) -> Result<Asked, ShellStop> {
        if options.has("-e") {
            let reason = "builds a project and leaves it where it is (`-e`), and nothing is built \
                          here: make a wheel of it, and install that";
            return Err(misused(SHOWN, reason.to_owned()));
        }
        let texts = |id: &'static str| options.values(id).map(str::to_owned).collect::<Vec<_>>();
        Ok(Asked {
            requirements: options.operands.clone(),
            files: texts("-r"),
            constraints: texts("-c"),
            settings: settings(options)?,
            upgrade: upgrade(options)?,
            dependencies: match options.has("--no-deps") {
                true => Dependencies::Ignore,
                false => Dependencies::Follow,
            },
            standing: standing(options),
            destination: destination(options)?,
            breaks_system_packages: options.has("--break-system-packages"),
            exclude_newer: None,
            verbosity: options.verbosity(),
        })
    }
}

fn upgrade(options: &Options) -> Result<Upgrade, ShellStop> {
    match (options.has("-U"), options.value("--upgrade-strategy")) {
        (_, Some(other)) if !matches!(other, "eager" | "only-if-needed") => {
            let option = format!("--upgrade-strategy={other}");
            Err(refuse(SHOWN, Reason::Option(option)))
        }
        (false, _) => Ok(Upgrade::Nothing),
        (true, Some("eager")) => Ok(Upgrade::Everything),
        (true, _) => Ok(Upgrade::Requested),
    }
}

fn standing(options: &Options) -> Standing {
    // What goes to a directory of its own is not compared with what is installed.
    if options.has("-I") || options.has("-t") {
        return Standing::Ignored;
    }
    match options.has("--force-reinstall") {
        true => Standing::Replaced,
        false => Standing::Kept,
    }
}

fn destination(options: &Options) -> Result<Destination, ShellStop> {
    let user = options.last_of(&["--user", "--no-user"]);
    let place = (options.value("-t"), options.value("--prefix"), user);
    Ok(match place {
        (None, None, None) => Destination::Usual,
        (None, None, Some("--user")) => Destination::User,
        (None, None, Some(_)) => Destination::System,
        (Some(target), None, None | Some("--no-user")) => Destination::Target(target.to_owned()),
        (None, Some(prefix), None | Some("--no-user")) => Destination::Prefix(prefix.to_owned()),
        _ => {
            let reason = "has two places to install to: `--target`, `--prefix` and `--user` \
                          exclude each other";
            return Err(misused(SHOWN, reason.to_owned()));
        }
    })
}

/// The place that a command line is, for messages.
pub(super) fn origin() -> Origin {
    Origin { file: "the command line".to_owned(), line: 1 }
}

fn settings(options: &Options) -> Result<Settings, ShellStop> {
    let mut settings = Settings::default();
    // A directory is looked for from where the command runs.
    let here = Origin { file: String::new(), line: 1 };
    for (id, value) in options.given() {
        let setting = match id {
            "-i" => Setting::IndexUrl(index(id, value)?),
            "--extra-index-url" => Setting::ExtraIndexUrl(index(id, value)?),
            "-f" => Setting::FindLinks(IndexUrl::new(value)),
            "--trusted-host" => Setting::TrustedHost(value.to_owned()),
            "--no-binary" => Setting::NoBinary(names(value)),
            "--only-binary" => Setting::OnlyBinary(names(value)),
            _ => continue,
        };
        settings.apply(&setting, &here);
    }
    settings.indexes.no_index = options.has("--no-index");
    settings.require_hashes = options.has("--require-hashes");
    if options.has("--pre") {
        settings.prereleases = Prereleases::Allow;
    }
    Ok(settings)
}

/// Names with commas between them.
pub(super) fn names(value: &str) -> Vec<String> {
    let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
    names.map(str::to_owned).collect()
}

/// An index that can be reached from here; its address is not quoted, for it may hold a secret.
pub(super) fn index(option: &str, value: &str) -> Result<IndexUrl, ShellStop> {
    let scheme = value.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("https" | "http") => Ok(IndexUrl::new(value)),
        _ => {
            let reason = format!("has a value for `{option}` that is no `https:` address");
            Err(misused(SHOWN, reason))
        }
    }
}
