//! Stanzas of `Types`, `URIs`, `Suites` and `Components` (sources.list(5), "deb822-style format").

use bstr::ByteSlice;

use super::options::{Change, OptionError};
use super::{Configuration, Entry, EntryError, Kind, Place, Source, SourceOptions};
use crate::apt::configuration::switch;
use crate::apt::problem::Problem;
use crate::control::Stanza;

/// Fields that are no options.
const OWN: [&str; 5] = ["Types", "URIs", "Suites", "Components", "Enabled"];

/// The sources of a file.
pub(super) fn parse(
    file: &str,
    text: &str,
    configuration: &Configuration,
) -> Result<Vec<Source>, Problem> {
    let stanzas = Stanza::parse_all(text.as_bytes())
        .map_err(|error| Problem::Stanzas { file: file.to_owned(), line: error.line })?;
    let mut sources = Vec::new();
    for (at, stanza) in stanzas.iter().enumerate() {
        let place = Place { file: file.to_owned(), line: at + 1 };
        let made = of_stanza(stanza, &place, configuration).map_err(|error| {
            let (file, line) = (file.to_owned(), at + 1);
            match error {
                EntryError::Kind(kind) => Problem::Kind { kind, unit: "stanza", line, file },
                EntryError::NoKind => {
                    let (form, what) = ("source list", "type".to_owned());
                    Problem::Source { unit: "stanza", line, form, file, what }
                }
                EntryError::Malformed(what) => {
                    Problem::Source { unit: "entry", line, form: "sources file", file, what }
                }
            }
        })?;
        sources.extend(made);
    }
    Ok(sources)
}

fn of_stanza(
    stanza: &Stanza,
    place: &Place,
    configuration: &Configuration,
) -> Result<Vec<Source>, EntryError> {
    if stanza.text("Enabled").and_then(switch) == Some(false) {
        return Ok(Vec::new());
    }
    let kinds = words(stanza, "Types").into_iter().map(|word| match word {
        "deb" => Ok(Kind::Binary),
        "deb-src" => Ok(Kind::Source),
        other => Err(EntryError::Kind(other.to_owned())),
    });
    let kinds: Vec<Kind> = kinds.collect::<Result<_, _>>()?;
    if kinds.is_empty() {
        return Err(EntryError::NoKind);
    }
    let options = options(stanza)?;
    let uris = words(stanza, "URIs");
    let suites = words(stanza, "Suites");
    if uris.is_empty() || suites.is_empty() {
        return Err(if uris.is_empty() { "URI" } else { "Suite" }.into());
    }
    let components: Vec<String> =
        words(stanza, "Components").into_iter().map(str::to_owned).collect();
    let mut sources = Vec::new();
    for (kind, uri, suite) in product(&kinds, &uris, &suites) {
        let (uri, suite) = (uri.to_owned(), suite.to_owned());
        let (components, options) = (components.clone(), options.clone());
        let entry = Entry { kind, uri, suite, components, options };
        sources.push(entry.into_source(place.clone(), configuration)?);
    }
    Ok(sources)
}

fn product<'a>(
    kinds: &'a [Kind],
    uris: &'a [&'a str],
    suites: &'a [&'a str],
) -> impl Iterator<Item = (Kind, &'a str, &'a str)> {
    kinds.iter().flat_map(move |kind| {
        let of_kind = move |uri: &'a &'a str| suites.iter().map(move |suite| (*kind, *uri, *suite));
        uris.iter().flat_map(of_kind)
    })
}

fn options(stanza: &Stanza) -> Result<SourceOptions, String> {
    let mut options = SourceOptions::default();
    for (name, value) in stanza.fields() {
        let name = name.to_str_lossy();
        if OWN.iter().any(|own| own.eq_ignore_ascii_case(&name)) {
            continue;
        }
        let value = value.to_str_lossy();
        if name.eq_ignore_ascii_case("Signed-By") && value.contains("-----BEGIN") {
            options.embed_key(&value);
            continue;
        }
        let lower = name.to_ascii_lowercase();
        let (base, change) = match (lower.strip_suffix("-add"), lower.strip_suffix("-remove")) {
            (Some(base), _) => (base, Change::Add),
            (_, Some(base)) => (base, Change::Remove),
            _ => (lower.as_str(), Change::Set),
        };
        let values: Vec<&str> =
            value.split([' ', '\t', '\n', ',']).filter(|word| !word.is_empty()).collect();
        match options.set(base, change, &values) {
            // Descriptions, and what other programs write into stanzas.
            Ok(()) | Err(OptionError::Unknown) => {}
            Err(OptionError::Bad(what)) => return Err(format!("{name}: {what}")),
        }
    }
    Ok(options)
}

fn words<'s>(stanza: &'s Stanza, name: &str) -> Vec<&'s str> {
    stanza.text(name).unwrap_or_default().split_whitespace().collect()
}
