//! Which program a command is, and which Python it belongs to.

use oci::ImagePath;
use shell::execute::{Lookup, look_up};
use shell::files::FileError;
use shell::{Process, Stop as ShellStop};

use super::misused;

/// A program of Python's, as it was called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Called {
    /// pip, by its script or as a module.
    Pip {
        /// The interpreter that runs it, by the path that `sys.executable` gives.
        python: String,
        /// How its errors are signed if there is no such module.
        by: CalledBy,
        arguments: Vec<String>,
    },
    /// `python -m venv`.
    Environment { python: String, arguments: Vec<String> },
    /// `uv pip`.
    Uv { arguments: Vec<String> },
}

/// What started pip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CalledBy {
    Script,
    Module,
}

/// Programs of Python's by the first part of their names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Pip,
    Python,
    Uv,
}

impl Name {
    fn of(name: &[u8]) -> Option<Name> {
        let name = std::str::from_utf8(name).ok()?;
        let is_version =
            |rest: &str| rest.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        if name == "uv" {
            return Some(Name::Uv);
        }
        let of = |prefix: &str| name.strip_prefix(prefix).is_some_and(is_version);
        match (of("pip"), of("python")) {
            (true, _) => Some(Name::Pip),
            (_, true) => Some(Name::Python),
            _ => None,
        }
    }
}

/// Options of Python itself that change nothing for pip.
const HARMLESS: [&str; 2] = ["-u", "-B"];
/// What a compiled program begins with (elf(5)).
const ELF: &[u8] = b"\x7fELF";
/// The longest script that is looked at: one of pip's has a few lines.
const LONGEST_SCRIPT: u64 = 1 << 14;

impl Called {
    /// What a process is, if it is one of these.
    pub(super) fn of(process: &mut Process<'_, '_>) -> Option<Result<Called, ShellStop>> {
        let name = Name::of(process.name())?;
        let arguments = process.arguments().iter();
        let arguments: Option<Vec<String>> =
            arguments.map(|word| std::str::from_utf8(word).ok().map(str::to_owned)).collect();
        let Some(mut arguments) = arguments else {
            return Some(Err(misused("pip", "has an argument that is not UTF-8".to_owned())));
        };
        match name {
            Name::Uv if arguments.first().is_none_or(|command| command != "pip") => None,
            Name::Uv => match is_compiled(process) {
                Ok(false) => None,
                Ok(true) => {
                    arguments.remove(0);
                    Some(Ok(Called::Uv { arguments }))
                }
                Err(stop) => Some(Err(stop)),
            },
            Name::Pip => match script_interpreter(process) {
                Ok(Some(python)) => {
                    Some(Ok(Called::Pip { python, by: CalledBy::Script, arguments }))
                }
                Ok(None) => None,
                Err(stop) => Some(Err(stop)),
            },
            Name::Python => module(process, arguments).transpose(),
        }
    }
}

/// Whether a program is none of somebody's scripts. The bytes of large ones are not asked for.
fn is_compiled(process: &mut Process<'_, '_>) -> Result<bool, ShellStop> {
    let program = process.program.clone();
    match process.machine.files.data(&program) {
        Ok(data) if data.size() > LONGEST_SCRIPT => Ok(true),
        Ok(data) => Ok(process.bytes(&data)?.starts_with(ELF)),
        Err(FileError::Errno(_)) => Ok(false),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

/// `python -m pip …` and `python -m venv …`.
fn module(process: &Process<'_, '_>, arguments: Vec<String>) -> Result<Option<Called>, ShellStop> {
    let mut rest = arguments.into_iter().skip_while(|word| HARMLESS.contains(&word.as_str()));
    let option = rest.next().unwrap_or_default();
    // The name may stand in the same word.
    let module = match option.strip_prefix("-m") {
        Some("") => rest.next(),
        Some(module) => Some(module.to_owned()),
        None => None,
    };
    let arguments = rest.collect();
    match module.as_deref() {
        Some("pip") => {
            let python = named(process)?;
            Ok(Some(Called::Pip { python, by: CalledBy::Module, arguments }))
        }
        Some("venv") => Ok(Some(Called::Environment { python: named(process)?, arguments })),
        _ => Ok(None),
    }
}

/// The absolute path that the process was found by, its last link not followed.
pub(super) fn named(process: &Process<'_, '_>) -> Result<String, ShellStop> {
    let path = process.environment.get(&bstr::BString::from("PATH"));
    let path = path.map(|path| path.as_slice());
    let name = process.words.first().map(|word| word.as_slice()).unwrap_or_default();
    let found = look_up(&process.machine.files, &process.directory, path, name)?;
    let Lookup::Found { named, .. } = found else { return Ok(format!("/{}", process.program)) };
    let absolute = match named.starts_with(b"/") {
        true => ImagePath::lexical(&named[..]),
        false => process.directory.join(&named[..]),
    };
    Ok(format!("/{absolute}"))
}

/// The interpreter that the first line of pip's script names; `None` for what is no such script.
fn script_interpreter(process: &mut Process<'_, '_>) -> Result<Option<String>, ShellStop> {
    let program = process.program.clone();
    let data = match process.machine.files.data(&program) {
        Ok(data) if data.size() <= LONGEST_SCRIPT => data,
        Ok(_) | Err(FileError::Errno(_)) => return Ok(None),
        Err(FileError::Stop(stop)) => return Err(stop),
    };
    let script = process.bytes(&data)?;
    let Ok(text) = std::str::from_utf8(&script) else { return Ok(None) };
    let imports_pip = |line: &str| line.starts_with("from pip") && line.contains(" import ");
    if !text.lines().any(imports_pip) {
        return Ok(None);
    }
    let first = text.lines().next().and_then(|line| line.strip_prefix("#!")).unwrap_or_default();
    let words: Vec<&str> = first.split_whitespace().collect();
    match words[..] {
        [python] if python.starts_with('/') && python != "/bin/sh" => Ok(Some(python.to_owned())),
        ["/usr/bin/env", python] => {
            let path = process.environment.get(&bstr::BString::from("PATH"));
            let path = path.map(|path| path.as_slice());
            let files = &process.machine.files;
            match look_up(files, &process.directory, path, python.as_bytes())? {
                Lookup::Found { named, .. } if named.starts_with(b"/") => {
                    Ok(Some(format!("/{}", ImagePath::lexical(&named[..]))))
                }
                _ => Ok(None),
            }
        }
        _ => Err(misused("pip", "is a script whose first line names no interpreter".to_owned())),
    }
}
