//! `deb [ option=value … ] uri suite component …` (sources.list(5), "One-line-style format").

use super::options::{Change, OptionError};
use super::{Configuration, Entry, Kind, Place, Source, SourceOptions};
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
        match parsed {
            Ok(source) => sources.push(source),
            Err(what) => {
                let (file, line) = (file.to_owned(), at + 1);
                return Err(Problem::Source { unit: "entry", line, form: "list", file, what });
            }
        }
    }
    Ok(sources)
}

fn entry(line: &str) -> Result<Entry, String> {
    let mut rest = line;
    let kind = match quoted_word(&mut rest).as_deref() {
        Some("deb") => Kind::Binary,
        Some("deb-src") => Kind::Source,
        Some(other) => return Err(format!("type '{other}' is not known")),
        None => return Err("type".to_owned()),
    };
    let mut options = SourceOptions::default();
    if let Some(inside) = rest.strip_prefix('[') {
        let (inside, behind) = inside.split_once(']').ok_or("[option] unparseable")?;
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
fn read_option(options: &mut SourceOptions, word: &str) -> Result<(), String> {
    let (name, value) = word.split_once('=').ok_or(format!("[{word}] is not an assignment"))?;
    if value.is_empty() {
        return Err(format!("[{word}] has no value"));
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
        Err(OptionError::Bad(what)) => Err(format!("[{word}] {what}")),
    }
}
