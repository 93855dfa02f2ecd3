//! `deb [ option=value … ] uri suite component …` (sources.list(5), "One-line-style format").

use super::options::{Change, OptionError};
use super::{Configuration, Entry, EntryError, Kind, Place, Source, SourceOptions};
use crate::apt::configuration::quoted_word;
use crate::apt::problem::Problem;

/// The sources of a file.
pub(super) fn parse(
    file: &str,
    text: &str,
    configuration: &Configuration,
) -> Result<Vec<Source>, Problem> {
    let mut sources = Vec::new();
    for (at, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if line.is_empty() {
            continue;
        }
        let place = Place { file: file.to_owned(), line: at + 1 };
        let parsed = entry(line).and_then(|entry| entry.into_source(place, configuration));
        let (file, line) = (file.to_owned(), at + 1);
        match parsed {
            Ok(source) => sources.push(source),
            Err(EntryError::Kind(kind)) => {
                return Err(Problem::Kind { kind, unit: "line", line, file });
            }
            Err(EntryError::NoKind) => {
                let (form, what) = ("source list", "type".to_owned());
                return Err(Problem::Source { unit: "line", line, form, file, what });
            }
            Err(EntryError::Malformed(what)) => {
                return Err(Problem::Source { unit: "entry", line, form: "list file", file, what });
            }
        }
    }
    Ok(sources)
}

fn entry(line: &str) -> Result<Entry, EntryError> {
    let mut rest = line;
    let kind = quoted_word(&mut rest);
    let kind = match kind.as_deref() {
        Some("deb") if !rest.is_empty() => Kind::Binary,
        Some("deb-src") if !rest.is_empty() => Kind::Source,
        // A word alone says nothing yet.
        Some(other) if !rest.is_empty() => return Err(EntryError::Kind(other.to_owned())),
        _ => return Err(EntryError::NoKind),
    };
    let mut options = SourceOptions::default();
    if let Some(inside) = rest.strip_prefix('[') {
        let (inside, behind) = inside.split_once(']').ok_or("[option] not assignment")?;
        for word in inside.split_whitespace() {
            read_option(&mut options, word)?;
        }
        rest = behind.trim_start();
    }
    let uri = quoted_word(&mut rest).ok_or("URI")?;
    let suite = quoted_word(&mut rest).ok_or("Suite")?;
    let mut components = Vec::new();
    while !rest.is_empty() {
        components.push(quoted_word(&mut rest).ok_or("Component")?);
    }
    Ok(Entry { kind, uri, suite, components, options })
}

/// `name=value`, `name+=value`, `name-=value`.
fn read_option(options: &mut SourceOptions, word: &str) -> Result<(), EntryError> {
    let (name, value) = word.split_once('=').ok_or("[option] not assignment")?;
    if value.is_empty() {
        return Err("[option] no value".into());
    }
    let (name, change) = match (name.strip_suffix('+'), name.strip_suffix('-')) {
        (Some(name), _) => (name, Change::Add),
        (_, Some(name)) => (name, Change::Remove),
        _ => (name, Change::Set),
    };
    let values: Vec<&str> = value.split(',').collect();
    match options.set(name, change, &values) {
        // As apt does: what it does not know changes nothing of what is fetched.
        Ok(()) | Err(OptionError::Unknown) => Ok(()),
        Err(OptionError::Bad(what)) => Err(format!("[{word}] {what}").into()),
    }
}
