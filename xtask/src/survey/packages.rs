//! What installs packages: the system's managers, which are counted apart, and pip.

use bstr::{BString, ByteSlice};
use shell::Reason;
use shell::options::{Known, Options, Order, Takes, flag, long, value};

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

/// Pythons, pips and uv, as images have them. Python is looked at for `-m pip` and `-m venv` alone.
pub const PYTHON: &[&str] = &[
    "pip",
    "pip3",
    "pip3.10",
    "pip3.11",
    "pip3.12",
    "pip3.13",
    "pip3.8",
    "pip3.9",
    "python",
    "python3",
    "python3.10",
    "python3.11",
    "python3.12",
    "python3.13",
    "python3.8",
    "python3.9",
    "uv",
];

/// What was read of a line; or the command as far as it is known, and why it is not understood.
type Read<T> = Result<T, (String, Reason)>;

/// Options of each of pip's commands.
const GENERAL: &[Known] = &[
    flag("-V", 'V', &["version"]),
    flag("-q", 'q', &["quiet"]),
    flag("-v", 'v', &["verbose"]),
    long("--cache-dir", &["cache-dir"], Takes::Value),
    long("--cert", &["cert"], Takes::Value),
    long("--disable-pip-version-check", &["disable-pip-version-check"], Takes::Nothing),
    long("--isolated", &["isolated"], Takes::Nothing),
    long("--no-cache-dir", &["no-cache-dir"], Takes::Nothing),
    long("--no-color", &["no-color"], Takes::Nothing),
    long("--no-input", &["no-input"], Takes::Nothing),
    long("--proxy", &["proxy"], Takes::Value),
    long("--retries", &["retries", "resume-retries"], Takes::Value),
    long("--timeout", &["timeout", "default-timeout"], Takes::Value),
    long("--trusted-host", &["trusted-host"], Takes::Value),
    long("--use-feature", &["use-feature"], Takes::Value),
];

/// Options of `pip install` that plywood follows, or that say nothing about the outcome.
const INSTALL: &[Known] = &[
    flag("-I", 'I', &["ignore-installed"]),
    flag("-U", 'U', &["upgrade"]),
    long("--break-system-packages", &["break-system-packages"], Takes::Nothing),
    long("--compile", &["compile", "no-compile"], Takes::Nothing),
    long("--extra-index-url", &["extra-index-url"], Takes::Value),
    long("--force-reinstall", &["force-reinstall"], Takes::Nothing),
    long("--no-binary", &["no-binary", "only-binary"], Takes::Value),
    long("--no-build-isolation", &["no-build-isolation"], Takes::Nothing),
    long("--no-deps", &["no-deps", "no-dependencies"], Takes::Nothing),
    long("--no-index", &["no-index"], Takes::Nothing),
    long("--no-warn", &["no-warn-script-location", "no-warn-conflicts"], Takes::Nothing),
    long("--pre", &["pre"], Takes::Nothing),
    long("--prefer-binary", &["prefer-binary"], Takes::Nothing),
    long("--prefix", &["prefix"], Takes::Value),
    long("--progress-bar", &["progress-bar"], Takes::Value),
    long("--require-hashes", &["require-hashes"], Takes::Nothing),
    long("--root-user-action", &["root-user-action"], Takes::Value),
    long("--upgrade-strategy", &["upgrade-strategy"], Takes::Value),
    long("--use-pep517", &["use-pep517", "no-use-pep517"], Takes::Nothing),
    long("--user", &["user", "no-user"], Takes::Nothing),
    value("-c", 'c', &["constraint"]),
    value("-f", 'f', &["find-links"]),
    value("-i", 'i', &["index-url"]),
    value("-r", 'r', &["requirement"]),
    value("-t", 't', &["target"]),
];

/// Options of `pip uninstall`.
const UNINSTALL: &[Known] = &[
    flag("-y", 'y', &["yes"]),
    long("--break-system-packages", &["break-system-packages"], Takes::Nothing),
    long("--root-user-action", &["root-user-action"], Takes::Value),
    value("-r", 'r', &["requirement"]),
];

/// Options of commands that only say something, or set something.
const OTHERS: &[Known] = &[
    flag("-l", 'l', &["local"]),
    long("--all", &["all"], Takes::Nothing),
    long("--exclude", &["exclude"], Takes::Value),
    long("--format", &["format"], Takes::Value),
    long("--global", &["global", "site", "user"], Takes::Nothing),
];

/// Options of `uv pip`.
const UV: &[Known] = &[
    flag("-U", 'U', &["upgrade"]),
    flag("-n", 'n', &["no-cache", "no-cache-dir"]),
    flag("-q", 'q', &["quiet"]),
    flag("-v", 'v', &["verbose"]),
    flag("-y", 'y', &["yes"]),
    long("--break-system-packages", &["break-system-packages"], Takes::Nothing),
    long("--cache-dir", &["cache-dir", "color", "link-mode"], Takes::Value),
    long("--compile-bytecode", &["compile-bytecode", "no-compile-bytecode"], Takes::Nothing),
    long("--exclude-newer", &["exclude-newer"], Takes::Value),
    long("--index", &["index", "default-index", "extra-index-url"], Takes::Value),
    long("--index-strategy", &["index-strategy"], Takes::Value),
    long("--no-binary", &["no-binary", "only-binary"], Takes::Value),
    long("--no-build", &["no-build", "no-build-isolation"], Takes::Nothing),
    long("--no-config", &["no-config", "no-progress", "strict"], Takes::Nothing),
    long("--no-deps", &["no-deps"], Takes::Nothing),
    long("--no-index", &["no-index"], Takes::Nothing),
    long("--no-python-downloads", &["no-python-downloads", "native-tls"], Takes::Nothing),
    long("--prefix", &["prefix"], Takes::Value),
    long("--pre", &["pre"], Takes::Nothing),
    long("--prerelease", &["prerelease"], Takes::Value),
    long("--reinstall", &["reinstall", "force-reinstall"], Takes::Nothing),
    long("--require-hashes", &["require-hashes", "verify-hashes"], Takes::Nothing),
    long("--system", &["system", "no-system"], Takes::Nothing),
    long("--trusted-host", &["allow-insecure-host", "trusted-host"], Takes::Value),
    value("-c", 'c', &["constraint", "constraints"]),
    value("-f", 'f', &["find-links"]),
    value("-i", 'i', &["index-url"]),
    value("-p", 'p', &["python"]),
    value("-r", 'r', &["requirement", "requirements"]),
    value("-t", 't', &["target"]),
];

/// Options of `python -m venv`.
const VENV: &[Known] = &[
    long("--clear", &["clear"], Takes::Nothing),
    long("--symlinks", &["symlinks"], Takes::Nothing),
    long("--system-site-packages", &["system-site-packages"], Takes::Nothing),
    long("--upgrade-deps", &["upgrade-deps"], Takes::Nothing),
    long("--without-pip", &["without-pip"], Takes::Nothing),
];

/// Whether a line of pip, `python -m pip`, `python -m venv` or `uv pip` is understood: by its
/// options, and by what it is to install. This is the one place that says so; what `plan` itself
/// makes of such a line belongs here as soon as it can be asked without an image.
///
/// # Errors
/// The command as far as it is known, and why not.
pub fn understood(name: &str, arguments: &[BString]) -> Read<()> {
    let words: Vec<&str> = arguments.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let kind = name.trim_end_matches(|last: char| last.is_ascii_digit() || last == '.');
    let behind = |count: usize| arguments.get(count..).unwrap_or_default();
    match (kind, &words[..]) {
        ("pip", _) => pip(arguments),
        ("uv", ["pip", ..]) => uv_pip(behind(1)),
        ("uv", [command, ..]) => Err((format!("uv {command}"), Reason::Program)),
        ("python", ["-m", "pip", ..]) => pip(behind(2)),
        ("python", ["-m", "venv", ..]) => read("python -m venv", behind(2), &[VENV]).map(drop),
        ("python", ["-m", module, ..]) => Err((format!("python -m {module}"), Reason::Program)),
        ("python", ["-c" | "-", ..]) => Err(("python -c".to_owned(), Reason::Program)),
        ("python", ["--version" | "-V"]) => Err(("python --version".to_owned(), Reason::Program)),
        ("python", [_, ..]) => Err(("python FILE".to_owned(), Reason::Program)),
        _ => Err((kind.to_owned(), Reason::Program)),
    }
}

fn pip(arguments: &[BString]) -> Read<()> {
    let before = Options::read(arguments, GENERAL, Order::First)
        .map_err(|option| ("pip".to_owned(), Reason::Option(option)))?;
    let Some(command) = before.operands.first().map(ToString::to_string) else {
        return match before.has("-V") {
            true => Ok(()),
            false => Err(("pip".to_owned(), Reason::Program)),
        };
    };
    let shown = format!("pip {command}");
    match &command[..] {
        "install" => installs_wheels(shown, arguments, &[GENERAL, INSTALL]),
        "uninstall" => read(&shown, arguments, &[GENERAL, UNINSTALL]).map(drop),
        "cache" | "check" | "config" | "freeze" | "list" | "show" => {
            read(&shown, arguments, &[GENERAL, OTHERS]).map(drop)
        }
        _ => Err((shown, Reason::Program)),
    }
}

fn uv_pip(arguments: &[BString]) -> Read<()> {
    let command = arguments.first().map(ToString::to_string).unwrap_or_default();
    let shown = format!("uv pip {command}");
    match &command[..] {
        "install" => installs_wheels(shown, arguments, &[UV]),
        "check" | "freeze" | "uninstall" => read(&shown, arguments, &[UV]).map(drop),
        _ => Err((shown, Reason::Program)),
    }
}

/// An installation is understood if nothing has to be built for it, as far as the line itself says
/// so.
fn installs_wheels(shown: String, arguments: &[BString], tables: &[&[Known]]) -> Read<()> {
    let options = read(&shown, arguments, tables)?;
    let operands: Vec<String> = options.operands.iter().skip(1).map(ToString::to_string).collect();
    let mut files = options.values("-r").map(ToString::to_string);
    let what = if operands.iter().any(|operand| is_source(operand)) {
        "is given a project to build"
    } else if files.any(|file| file.contains("://") || file.ends_with(".toml") || file == "-") {
        "reads requirements that are in no file of requirements"
    } else {
        return Ok(());
    };
    Err((shown, Reason::Use(what.to_owned())))
}

fn read(shown: &str, arguments: &[BString], tables: &[&[Known]]) -> Read<Options> {
    let known = tables.concat();
    Options::read(arguments, &known, Order::Anywhere)
        .map_err(|option| (shown.to_owned(), Reason::Option(option)))
}

/// Whether this is something to build, and no name of a package and no wheel.
fn is_source(operand: &str) -> bool {
    let operand = operand.split([';', '#', '[']).next().unwrap_or_default().trim();
    let is_place = operand.contains('/') || operand.starts_with(['.', '~']);
    is_place && !operand.ends_with(".whl")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_pip_are_understood_by_their_options() {
        for (line, expected) in [
            ("pip install --no-cache-dir -U pip setuptools", ""),
            ("pip3.11 -q install -rrequirements.txt --extra-index-url=https://a.example b", ""),
            ("pip install ./dist/a-1-py3-none-any.whl[x]", ""),
            ("pip install git+https://a.example/b", "`pip install` is given a project to build"),
            ("pip install -U .[dev]", "`pip install` is given a project to build"),
            ("pip install -e .", "`pip install` has the option `-e`, which is not built in"),
            (
                "pip install -r https://a.example/r.txt",
                "`pip install` reads requirements that are in no file of requirements",
            ),
            ("pip uninstall -y a", ""),
            ("pip config set global.index-url https://a.example", ""),
            ("pip --version", ""),
            ("pip wheel a", "`pip wheel` is not built in"),
            ("python3 -m pip install a", ""),
            ("python3.12 -m venv --clear /v", ""),
            ("python -m compileall /a", "`python -m compileall` is not built in"),
            ("python -c pass", "`python -c` is not built in"),
            ("python setup.py install", "`python FILE` is not built in"),
            ("uv pip install --system -r a.txt", ""),
            ("uv sync --frozen", "`uv sync` is not built in"),
        ] {
            let words: Vec<BString> = line.split(' ').map(BString::from).collect();
            let name = words[0].to_string();
            let found = understood(&name, &words[1..]);
            let found = found.map_or_else(
                |(command, reason)| format!("`{command}` {reason}"),
                |()| String::new(),
            );
            assert_eq!(found, expected, "{line}");
        }
    }
}
