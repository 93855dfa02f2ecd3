//! `images`: what the store has.

use oci::{Digest, ImageConfig, Manifest};
use serde_json::{Value, json};
use store::{Listed, Store};

use super::table::{self, Column, Row};
use crate::error::Error;
use crate::flags::{self, ImagesArguments, ListFilter, Truncation};
use crate::session::Session;
use crate::units;

const COLUMNS: &[Column] = &[
    Column { field: "ID", heading: "IMAGE ID" },
    Column { field: "Repository", heading: "REPOSITORY" },
    Column { field: "Tag", heading: "TAG" },
    Column { field: "Digest", heading: "DIGEST" },
    Column { field: "CreatedSince", heading: "CREATED" },
    Column { field: "CreatedAt", heading: "CREATED AT" },
    Column { field: "Size", heading: "SIZE" },
    Column { field: "Platforms", heading: "PLATFORMS" },
];

/// What stands for a repository, a tag or a digest that is not there.
const NONE: &str = "<none>";

/// Lists images.
pub(super) fn images(arguments: &ImagesArguments, session: &Session) -> Result<(), Error> {
    let store = session.store()?;
    let mut rows = Vec::new();
    for listed in store.images()? {
        let names = Names::of(&listed);
        let mut wanted = true;
        for filter in &arguments.filters {
            wanted = wanted && fits(filter, &names, &listed, store);
        }
        if wanted {
            rows.push(row(&listed, names, arguments.truncation, session));
        }
    }
    let table = match arguments.listed {
        flags::Listed::Tags => "{{.Repository}}\t{{.Tag}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}",
        flags::Listed::Digests => {
            "{{.Repository}}\t{{.Tag}}\t{{.Digest}}\t{{.ID}}\t{{.CreatedSince}}\t{{.Size}}"
        }
    };
    session.answer(table::render(&arguments.report, rows, COLUMNS, table, "ID")?.as_bytes())
}

/// An image's name in two columns.
struct Names {
    repository: String,
    tag: String,
}

impl Names {
    fn of(listed: &Listed) -> Names {
        let repository = match (listed.reference(), &listed.name) {
            (Some(reference), _) => reference.repository().familiar(),
            // Other programs name an image by a tag alone.
            (None, Some(name)) => name.clone(),
            (None, None) => NONE.to_owned(),
        };
        let tag = listed.reference().and_then(|reference| reference.tag().cloned());
        Names { repository, tag: tag.map_or_else(|| NONE.to_owned(), |tag| tag.to_string()) }
    }
}

fn row(listed: &Listed, names: Names, truncation: Truncation, session: &Session) -> Row {
    let created = listed.created.as_deref().and_then(|time| time.parse().ok());
    let created_at = created
        .map(|time: jiff::Timestamp| time.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string());
    let platforms: Vec<String> = listed.platforms.iter().map(ToString::to_string).collect();
    let digest = listed.descriptor.digest;
    let fields = json!({
        "ID": id(&digest, truncation),
        "Repository": names.repository,
        "Tag": names.tag,
        "Digest": digest,
        "CreatedSince": units::since(created, session.environment.now),
        "CreatedAt": created_at.unwrap_or_else(|| "N/A".to_owned()),
        "Size": units::size(listed.size),
        "Platforms": platforms.join(", "),
    });
    match fields {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

/// An id as lists show it.
pub(super) fn id(digest: &Digest, truncation: Truncation) -> String {
    match truncation {
        Truncation::Short => digest.short(),
        Truncation::Full => digest.to_string(),
    }
}

fn fits(filter: &ListFilter, names: &Names, listed: &Listed, store: &Store) -> bool {
    match filter {
        ListFilter::Dangling(wanted) => listed.name.is_none() == *wanted,
        ListFilter::Name(pattern) => {
            let full = format!("{}:{}", names.repository, names.tag);
            let pattern = familiar(pattern);
            listed.name.is_some() && (glob(&pattern, &names.repository) || glob(&pattern, &full))
        }
        ListFilter::Label(key, value) => {
            let labels = labels(store, listed);
            let found = labels.get(key.as_str());
            match value {
                Some(value) => found.and_then(Value::as_str) == Some(value),
                None => found.is_some(),
            }
        }
    }
}

/// A pattern in the short form in which names are compared.
fn familiar(pattern: &str) -> String {
    let short = pattern.strip_prefix("docker.io/").unwrap_or(pattern);
    short.strip_prefix("library/").unwrap_or(short).to_owned()
}

/// The labels of an image; of an index, its first image's. What cannot be read has none.
fn labels(store: &Store, listed: &Listed) -> serde_json::Map<String, Value> {
    let mut manifest = store.read_manifest(&listed.descriptor).ok();
    if let Some(Manifest::Index(index)) = &manifest {
        manifest = index.manifests().iter().find_map(|child| store.read_manifest(child).ok());
    }
    let Some(Manifest::Image(image)) = manifest else { return serde_json::Map::new() };
    let config = store.read(image.config()).ok();
    let config = config.and_then(|bytes| ImageConfig::parse(&bytes).ok());
    let labels = config.and_then(|config| config.as_json()["config"].get("Labels").cloned());
    match labels {
        Some(Value::Object(labels)) => labels,
        _ => serde_json::Map::new(),
    }
}

/// Whether `text` fits `pattern`, in which `*` is any characters but a slash and `?` is one.
fn glob(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    // The places of the pattern that the text so far can lead to.
    let mut places = vec![false; pattern.len() + 1];
    places[0] = true;
    let spread = |places: &mut Vec<bool>| {
        for at in 0..pattern.len() {
            if places[at] && pattern[at] == '*' {
                places[at + 1] = true;
            }
        }
    };
    spread(&mut places);
    for character in text {
        let mut next = vec![false; pattern.len() + 1];
        for at in (0..pattern.len()).filter(|at| places[*at]) {
            match pattern[at] {
                '*' if character != '/' => next[at] = true,
                '?' if character != '/' => next[at + 1] = true,
                '*' | '?' => {}
                same => next[at + 1] |= same == character,
            }
        }
        spread(&mut next);
        places = next;
    }
    places[pattern.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let check = |pattern: &str, text: &str, expected: bool| {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        };
        check("app", "app", true);
        check("app", "apps", false);
        check("ap*", "apps", true);
        check("*", "a/b", false);
        check("*/*:1", "a/b:1", true);
        check("a?p", "app", true);
        check("**a**", "banana", true);
        check("", "", true);
        check(&"*a".repeat(50), &"a".repeat(49), false);
    }
}
