//! Which options pip's commands have.

use shell::options::{Known, Takes, flag, long, value};

use super::Command;

/// Options of every command. Those that only say how files are fetched, or how much is said,
/// change nothing here.
pub(super) const GENERAL: &[Known] = &[
    long("--isolated", &["isolated"], Takes::Nothing),
    long("--require-virtualenv", &["require-virtualenv", "require-venv"], Takes::Nothing),
    flag("-v", 'v', &["verbose"]),
    flag("-q", 'q', &["quiet"]),
    flag("-V", 'V', &["version"]),
    long("--no-color", &["no-color"], Takes::Nothing),
    long("--no-input", &["no-input"], Takes::Nothing),
    long("--retries", &["retries"], Takes::Value),
    long("--resume-retries", &["resume-retries"], Takes::Value),
    long("--timeout", &["timeout", "default-timeout"], Takes::Value),
    long("--proxy", &["proxy"], Takes::Value),
    long("--cert", &["cert"], Takes::Value),
    long("--trusted-host", &["trusted-host"], Takes::Value),
    long("--cache-dir", &["cache-dir"], Takes::Value),
    long("--no-cache-dir", &["no-cache-dir"], Takes::Nothing),
    long("--disable-pip-version-check", &["disable-pip-version-check"], Takes::Nothing),
    long("--no-python-version-warning", &["no-python-version-warning"], Takes::Nothing),
    long("--use-feature", &["use-feature"], Takes::Value),
];

/// Where packages are looked for.
pub(super) const INDEX: &[Known] = &[
    value("-i", 'i', &["index-url", "pypi-url"]),
    long("--extra-index-url", &["extra-index-url"], Takes::Value),
    long("--no-index", &["no-index"], Takes::Nothing),
    value("-f", 'f', &["find-links"]),
];

pub(super) const INSTALL: &[Known] = &[
    value("-r", 'r', &["requirement"]),
    value("-c", 'c', &["constraint"]),
    value("-e", 'e', &["editable"]),
    long("--no-deps", &["no-deps", "no-dependencies"], Takes::Nothing),
    long("--pre", &["pre"], Takes::Nothing),
    value("-t", 't', &["target"]),
    long("--user", &["user"], Takes::Nothing),
    long("--no-user", &["no-user"], Takes::Nothing),
    long("--prefix", &["prefix"], Takes::Value),
    flag("-U", 'U', &["upgrade"]),
    long("--upgrade-strategy", &["upgrade-strategy"], Takes::Value),
    long("--force-reinstall", &["force-reinstall"], Takes::Nothing),
    flag("-I", 'I', &["ignore-installed"]),
    long("--break-system-packages", &["break-system-packages"], Takes::Nothing),
    long("--no-binary", &["no-binary"], Takes::Value),
    long("--only-binary", &["only-binary"], Takes::Value),
    long("--prefer-binary", &["prefer-binary"], Takes::Nothing),
    long("--require-hashes", &["require-hashes"], Takes::Nothing),
    long("--progress-bar", &["progress-bar"], Takes::Value),
    long("--root-user-action", &["root-user-action"], Takes::Value),
    long("--no-warn-script-location", &["no-warn-script-location"], Takes::Nothing),
    long("--no-warn-conflicts", &["no-warn-conflicts"], Takes::Nothing),
    // Bytecode is not made in either case.
    long("--compile", &["compile"], Takes::Nothing),
    long("--no-compile", &["no-compile"], Takes::Nothing),
    // These are about builds, and nothing is built.
    long("--no-build-isolation", &["no-build-isolation"], Takes::Nothing),
    long("--check-build-dependencies", &["check-build-dependencies"], Takes::Nothing),
    long("--use-pep517", &["use-pep517"], Takes::Nothing),
    long("--no-use-pep517", &["no-use-pep517"], Takes::Nothing),
    long("--no-clean", &["no-clean"], Takes::Nothing),
    long("--src", &["src", "source", "source-dir", "source-directory"], Takes::Value),
];

pub(super) const UNINSTALL: &[Known] = &[
    value("-r", 'r', &["requirement"]),
    flag("-y", 'y', &["yes"]),
    long("--root-user-action", &["root-user-action"], Takes::Value),
    long("--break-system-packages", &["break-system-packages"], Takes::Nothing),
];

pub(super) const FREEZE: &[Known] = &[
    flag("-l", 'l', &["local"]),
    long("--all", &["all"], Takes::Nothing),
    long("--exclude", &["exclude"], Takes::Value),
    long("--exclude-editable", &["exclude-editable"], Takes::Nothing),
];

pub(super) const LIST: &[Known] = &[
    flag("-l", 'l', &["local"]),
    long("--format", &["format"], Takes::Value),
    long("--exclude", &["exclude"], Takes::Value),
    long("--exclude-editable", &["exclude-editable"], Takes::Nothing),
];

pub(super) const CONFIG: &[Known] = &[
    long("--global", &["global"], Takes::Nothing),
    long("--user", &["user"], Takes::Nothing),
    long("--site", &["site"], Takes::Nothing),
];

/// What pip itself knows and is not built in: set in the environment or in a file, it counts too.
pub(super) const REFUSED: &[&str] = &["debug", "python", "log", "client-cert", "use-deprecated"];
pub(super) const REFUSED_OF_INSTALL: &[&str] = &[
    "abi",
    "config-settings",
    "dry-run",
    "exists-action",
    "global-option",
    "group",
    "ignore-requires-python",
    "implementation",
    "install-option",
    "platform",
    "python-version",
    "report",
    "root",
    "uploaded-prior-to",
];

/// Options that came late, and in which release (pip's changelog).
pub(super) const SINCE: &[(&str, (u32, u32, u32))] =
    &[("--break-system-packages", (23, 0, 1)), ("--root-user-action", (22, 1, 0))];

/// Options that can be given several times.
pub(super) const LISTS: &[&str] =
    &["-r", "-c", "-e", "-f", "--extra-index-url", "--trusted-host", "--use-feature", "--exclude"];
/// Options that are counted.
pub(super) const COUNTS: &[&str] = &["-v", "-q"];

impl Command {
    /// The options of a command.
    pub(super) fn known(self) -> Vec<Known> {
        let own: &[&[Known]] = match self {
            Command::Cache | Command::Check | Command::Show => &[],
            Command::Config => &[CONFIG],
            Command::Freeze => &[FREEZE],
            Command::Install => &[INDEX, INSTALL],
            // `list` takes the options of an index for what is outdated.
            Command::List => &[INDEX, LIST],
            Command::Uninstall => &[UNINSTALL],
        };
        [GENERAL].iter().chain(own).flat_map(|table| table.iter().copied()).collect()
    }

    /// Whether pip has an option of this name, and it is not built in.
    pub(super) fn refuses(self, key: &str) -> bool {
        REFUSED.contains(&key) || self == Command::Install && REFUSED_OF_INSTALL.contains(&key)
    }
}
