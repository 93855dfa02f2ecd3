//! Which of several Pythons is taken.

use super::executables::{self, Executable, Standing};
use super::version::Series;
use super::{Candidate, InterpreterError, Surroundings, Version, patch, with_base};
use crate::view::{Known, together};

/// The one that was asked for, or else that is nearest.
pub(super) fn choose(
    surroundings: &Surroundings<'_>,
    executables: &[Executable],
    wanted: Option<&str>,
) -> Result<Executable, InterpreterError> {
    match wanted {
        Some(wanted) => asked_for(surroundings, executables, wanted),
        None => first(executables),
    }
}

/// The one that a bare `python3` or `python` would be.
fn first(executables: &[Executable]) -> Result<Executable, InterpreterError> {
    if executables.is_empty() {
        return Err(InterpreterError::NoPython);
    }
    let third: Vec<&Executable> = threes(executables).collect();
    match third[..] {
        [] => Err(InterpreterError::OnlyPython2 { available: listed(executables.iter()) }),
        [first, ..] if first.standing != Standing::Elsewhere => Ok(first.clone()),
        [only] => Ok(only.clone()),
        _ => Err(InterpreterError::NotOnPath { available: listed(third.into_iter()) }),
    }
}

fn asked_for(
    surroundings: &Surroundings<'_>,
    executables: &[Executable],
    wanted: &str,
) -> Result<Executable, InterpreterError> {
    let found = match Wish::parse(wanted) {
        Wish::Path(path) => executables::look(surroundings.view, path)?,
        Wish::Version { version, free_threaded } => {
            of_version(surroundings, executables, &version, free_threaded)?
        }
        Wish::Any => threes(executables).next().cloned(),
        Wish::Unreadable => None,
    };
    match found {
        Some(found) if found.series.major == 3 => Ok(found),
        _ if executables.is_empty() => Err(InterpreterError::NoPython),
        _ => Err(InterpreterError::NotThere {
            wanted: wanted.to_owned(),
            available: listed(executables.iter()),
        }),
    }
}

/// What somebody asks for.
#[derive(Debug, PartialEq, Eq)]
enum Wish<'a> {
    Path(&'a str),
    Version {
        version: Version,
        free_threaded: bool,
    },
    /// Some Python 3.
    Any,
    Unreadable,
}

impl Wish<'_> {
    /// Reads `/opt/venv/bin/python`, `python3.12`, `3.12`, `3.12.4`, `3.14t`, `3.14.1t`, `python3`.
    fn parse(text: &str) -> Wish<'_> {
        if text.contains('/') {
            return Wish::Path(text);
        }
        let version = text.strip_prefix("python").unwrap_or(text);
        if matches!(version, "" | "3") {
            return if text.is_empty() { Wish::Unreadable } else { Wish::Any };
        }
        let number = version.strip_suffix('t');
        let free_threaded = number.is_some();
        match Version::parse(number.unwrap_or(version)) {
            Some(version) => Wish::Version { version, free_threaded },
            None => Wish::Unreadable,
        }
    }
}

/// The nearest of that series, and of that patch if one is named. Whoever does not ask for a
/// free-threaded build gets none: compiled wheels for the one do not fit the other.
fn of_version(
    surroundings: &Surroundings<'_>,
    executables: &[Executable],
    version: &Version,
    free_threaded: bool,
) -> Known<Option<Executable>> {
    let wanted = Series { major: version.major, minor: version.minor, free_threaded };
    let of_series = || executables.iter().filter(|executable| executable.series == wanted);
    if version.patch.is_none() {
        return Ok(of_series().next().cloned());
    }
    let known = together(of_series().map(|executable| {
        let Surroundings { view, environment, databases } = surroundings;
        let executable = with_base(surroundings, executable)?;
        patch::find(*view, &executable, databases, environment)
    }))?;
    let found = of_series().zip(known).find(|(_, known)| known == version);
    Ok(found.map(|(executable, _)| executable.clone()))
}

fn threes(executables: &[Executable]) -> impl Iterator<Item = &Executable> {
    executables.iter().filter(|executable| executable.series.major == 3)
}

fn listed<'a>(executables: impl Iterator<Item = &'a Executable>) -> Vec<Candidate> {
    executables.map(Candidate::of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wishes_are_read() {
        let check = |text: &str, expected: &str| {
            let read = match Wish::parse(text) {
                Wish::Path(path) => format!("path {path}"),
                Wish::Version { version, free_threaded } => format!("{version} {free_threaded}"),
                Wish::Any => "any".to_owned(),
                Wish::Unreadable => "unreadable".to_owned(),
            };
            assert_eq!(read, expected, "{text}");
        };
        check("/opt/venv/bin/python", "path /opt/venv/bin/python");
        check("python3.12", "3.12 false");
        check("3.12", "3.12 false");
        check("3.12.4", "3.12.4 false");
        check("3.14t", "3.14 true");
        check("python3.14t", "3.14 true");
        check("python3", "any");
        check("python", "any");
        check("", "unreadable");
        check(">=3.12", "unreadable");
        check("pypy3", "unreadable");
    }
}
