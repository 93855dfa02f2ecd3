//! What installs packages: the system's managers, which are counted apart, and pip.

use bstr::{BString, ByteSlice};
use shell::Reason;

/// Package managers of distributions, with what belongs to them.
pub const MANAGERS: &[&str] = &[
    "apk",
    "apt",
    "apt-cache",
    "apt-get",
    "apt-mark",
    "aptitude",
    "dnf",
    "microdnf",
    "pacman",
    "tdnf",
    "yum",
    "zypper",
];

/// Interpreters: only `-m pip` is looked at.
pub const PYTHONS: &[&str] = &["python", "python3"];

/// What installs Python's packages.
pub const INSTALLERS: &[&str] = &["pip", "pip3", "uv"];

/// Whether an argument that is an option brings a value along.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Takes {
    Nothing,
    Value,
}

/// What was read of a line; or the command as far as it is known, and why it is not understood.
type Read<T> = Result<T, (String, Reason)>;

/// What pip takes before and behind its command (`pip --help`).
const GENERAL: &[(&str, Takes)] = &[
    ("-q", Takes::Nothing),
    ("--quiet", Takes::Nothing),
    ("-qq", Takes::Nothing),
    ("-v", Takes::Nothing),
    ("--verbose", Takes::Nothing),
    ("-vv", Takes::Nothing),
    ("-vvv", Takes::Nothing),
    ("--cache-dir", Takes::Value),
    ("--default-timeout", Takes::Value),
    ("--disable-pip-version-check", Takes::Nothing),
    ("--isolated", Takes::Nothing),
    ("--no-cache-dir", Takes::Nothing),
    ("--no-color", Takes::Nothing),
    ("--no-input", Takes::Nothing),
    ("--progress-bar", Takes::Value),
    ("--proxy", Takes::Value),
    ("--retries", Takes::Value),
    ("--root-user-action", Takes::Value),
    ("--timeout", Takes::Value),
    ("--trusted-host", Takes::Value),
    ("--use-feature", Takes::Value),
];

/// What `pip install` takes (`pip install --help`), without what builds from sources.
const INSTALL: &[(&str, Takes)] = &[
    ("-c", Takes::Value),
    ("--constraint", Takes::Value),
    ("-f", Takes::Value),
    ("--find-links", Takes::Value),
    ("-i", Takes::Value),
    ("--index-url", Takes::Value),
    ("-r", Takes::Value),
    ("--requirement", Takes::Value),
    ("-t", Takes::Value),
    ("--target", Takes::Value),
    ("-I", Takes::Nothing),
    ("--ignore-installed", Takes::Nothing),
    ("-U", Takes::Nothing),
    ("--upgrade", Takes::Nothing),
    ("--break-system-packages", Takes::Nothing),
    ("--compile", Takes::Nothing),
    ("--extra-index-url", Takes::Value),
    ("--force-reinstall", Takes::Nothing),
    ("--no-build-isolation", Takes::Nothing),
    ("--no-compile", Takes::Nothing),
    ("--no-dependencies", Takes::Nothing),
    ("--no-deps", Takes::Nothing),
    ("--no-index", Takes::Nothing),
    ("--no-warn-script-location", Takes::Nothing),
    ("--only-binary", Takes::Value),
    ("--pre", Takes::Nothing),
    ("--prefer-binary", Takes::Nothing),
    ("--prefix", Takes::Value),
    ("--require-hashes", Takes::Nothing),
    ("--upgrade-strategy", Takes::Value),
    ("--use-pep517", Takes::Nothing),
    ("--user", Takes::Nothing),
];

/// What `pip uninstall` takes.
const UNINSTALL: &[(&str, Takes)] =
    &[("-y", Takes::Nothing), ("--yes", Takes::Nothing), ("-r", Takes::Value)];

/// What `uv pip install` takes beside pip's own.
const UV: &[(&str, Takes)] = &[
    ("--system", Takes::Nothing),
    ("--no-cache", Takes::Nothing),
    ("-n", Takes::Nothing),
    ("--index-strategy", Takes::Value),
    ("--torch-backend", Takes::Value),
    ("--compile-bytecode", Takes::Nothing),
    ("--no-progress", Takes::Nothing),
];

/// Whether a line of pip, of `python -m pip` or of `uv pip` is understood. This is the one place
/// that says so: `plan`'s own reading of pip's options belongs here as soon as it can be asked.
///
/// # Errors
/// The command as far as it is known, and why not.
pub fn understood(name: &str, arguments: &[BString]) -> Read<()> {
    let arguments: Vec<&str> =
        arguments.iter().map(|argument| argument.to_str().unwrap_or_default()).collect();
    match (name, &arguments[..]) {
        ("pip" | "pip3", arguments) => pip("pip", arguments, &[]),
        ("uv", ["pip", arguments @ ..]) => pip("uv pip", arguments, UV),
        ("python" | "python3", ["-m", "pip", arguments @ ..]) => pip("pip", arguments, &[]),
        ("python" | "python3", ["-m", module, ..]) => {
            Err((format!("{name} -m {module}"), Reason::Program))
        }
        ("python" | "python3", ["-c" | "-", ..] | []) => {
            Err((format!("{name} -c"), Reason::Program))
        }
        ("uv", [command, ..]) => Err((format!("uv {command}"), Reason::Program)),
        _ => Err((name.to_owned(), Reason::Program)),
    }
}

fn pip(name: &str, arguments: &[&str], more: &[(&str, Takes)]) -> Read<()> {
    let (command, behind) = command_of(name, arguments)?;
    let own = match command {
        "install" => INSTALL,
        "uninstall" => UNINSTALL,
        "cache" | "check" | "config" | "debug" | "freeze" | "help" | "list" | "show" => {
            return Ok(());
        }
        "--version" | "-V" => return Ok(()),
        _ => return Err((format!("{name} {command}"), Reason::Program)),
    };
    let name = format!("{name} {command}");
    for operand in operands(&name, behind, &[GENERAL, own, more])? {
        if command == "install" && is_source(operand) {
            let reason = Reason::Use("is given a project to build".to_owned());
            return Err((name, reason));
        }
    }
    Ok(())
}

/// The command and what stands behind it.
fn command_of<'a>(name: &str, arguments: &'a [&'a str]) -> Read<(&'a str, &'a [&'a str])> {
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        if !argument.starts_with('-') || matches!(*argument, "--version" | "-V") {
            return Ok((argument, &arguments[at + 1..]));
        }
        at += option(name, argument, &[GENERAL])?;
    }
    Ok(("help", &[]))
}

fn operands<'a>(
    name: &str,
    arguments: &[&'a str],
    known: &[&[(&str, Takes)]],
) -> Read<Vec<&'a str>> {
    let mut operands = Vec::new();
    let mut at = 0;
    while let Some(argument) = arguments.get(at) {
        if argument.starts_with('-') && argument.len() > 1 {
            at += option(name, argument, known)?;
        } else {
            operands.push(*argument);
            at += 1;
        }
    }
    Ok(operands)
}

/// How many arguments an option is with its value.
fn option(name: &str, argument: &str, known: &[&[(&str, Takes)]]) -> Read<usize> {
    let find = |option: &str| {
        let mut all = known.iter().flat_map(|table| table.iter());
        all.find(|(known, _)| *known == option).map(|(_, takes)| *takes)
    };
    let attached = match argument.split_once('=') {
        Some((option, _)) => Some(option),
        // `-rrequirements.txt`
        None if !argument.starts_with("--") => argument.get(..2),
        None => None,
    };
    match (find(argument), attached.and_then(find)) {
        (Some(Takes::Value), _) => Ok(2),
        (Some(Takes::Nothing), _) => Ok(1),
        (None, Some(Takes::Value)) => Ok(1),
        (None, _) => {
            let option = attached.filter(|_| argument.starts_with("--")).unwrap_or(argument);
            Err((name.to_owned(), Reason::Option(option.to_owned())))
        }
    }
}

/// Whether this is something to build, and no name of a package and no wheel.
fn is_source(operand: &str) -> bool {
    let is_url = operand.contains("://");
    let is_path = operand.starts_with(['.', '/', '~']) || (operand.contains('/') && !is_url);
    let is_wheel = operand.split(['#', '[']).next().is_some_and(|name| name.ends_with(".whl"));
    (is_url || is_path) && !is_wheel
}
