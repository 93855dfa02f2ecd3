//! `cache ls`: how much there is of what in the store, and which records there are in a repository.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use jiff::Timestamp;
use oci::{Digest, RepositoryName};
use serde_json::{Value, json};
use store::{CachedLayer, KeptBlob, Store};

use crate::build::RecordKind;
use crate::build::kept::{self, FoundRecord, RepositoryRecord};
use crate::commands::table::{self, Column, Row};
use crate::error::Error;
use crate::flags::ListReport;
use crate::session::Session;
use crate::units;

const STORE_COLUMNS: &[Column] = &[
    Column { field: "Kind", heading: "KIND" },
    Column { field: "Count", heading: "COUNT" },
    Column { field: "Size", heading: "SIZE" },
    Column { field: "Bytes", heading: "BYTES" },
    Column { field: "LastUsed", heading: "LAST USED" },
    Column { field: "LastUsedAt", heading: "LAST USED AT" },
];

const REPOSITORY_COLUMNS: &[Column] = &[
    Column { field: "Repository", heading: "REPOSITORY" },
    Column { field: "Tag", heading: "TAG" },
    Column { field: "Kind", heading: "KIND" },
    Column { field: "Title", heading: "TITLE" },
    Column { field: "Size", heading: "SIZE" },
    Column { field: "Bytes", heading: "BYTES" },
    Column { field: "CreatedSince", heading: "CREATED" },
    Column { field: "CreatedAt", heading: "CREATED AT" },
    Column { field: "Layers", heading: "LAYERS" },
];

/// What is kept, in the order in which it is listed, with the kinds of records that are of it.
const KINDS: &[(&str, &[&str])] = &[
    (LAYERS, &["layer"]),
    ("steps", &["fact-step"]),
    ("layer indexes", &["layer-index"]),
    ("texts", &["fact-text", "fact-texts"]),
    ("wheels and lists", WHEELS),
    ("Debian packages", &["fact-deb", "fact-package-index", "fact-elf"]),
    ("hints", &["fact-hints"]),
    ("builds", &["fact-build", "builds"]),
    ("other facts", &[]),
    ("whereabouts", &["sources", "fact-kept"]),
    (OTHER_BLOBS, &[]),
    (ANSWERS, &[]),
    (STAT_CACHE, &[]),
];

const LAYERS: &str = "layers";
const WHEELS: &[&str] = &["fact-wheel", "fact-built-wheel", "fact-installation", "fact-resolution"];
const OTHER_FACTS: usize = 8;
const OTHER_BLOBS: &str = "other blobs";
const ANSWERS: &str = "servers' answers";
const STAT_CACHE: &str = "stat cache";

/// How much there is of a kind.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Amount {
    count: usize,
    bytes: u64,
    used: Option<SystemTime>,
}

impl Amount {
    fn add(&mut self, count: usize, bytes: u64, used: SystemTime) {
        self.count += count;
        self.bytes = self.bytes.saturating_add(bytes);
        self.used = self.used.max(Some(used));
    }
}

/// Lists what the store keeps beside images.
pub(super) fn store(report: &ListReport, session: &Session) -> Result<(), Error> {
    let amounts = amounts(session.store()?)?;
    let rows = KINDS.iter().filter_map(|(kind, _)| {
        let amount = amounts.get(kind)?;
        let used = amount.used.and_then(|used| Timestamp::try_from(used).ok());
        Some(row(json!({
            "Kind": kind,
            "Count": amount.count,
            "Size": units::size(amount.bytes),
            "Bytes": amount.bytes,
            "LastUsed": units::since(used, session.environment.now),
            "LastUsedAt": time(used),
        })))
    });
    let table = "{{.Kind}}\t{{.Count}}\t{{.Size}}\t{{.LastUsed}}";
    let rows = rows.collect();
    session.answer(table::render(report, rows, STORE_COLUMNS, table, "Kind")?.as_bytes())
}

/// How much there is of each kind of which there is something. A blob that an image has is the
/// image's, whatever else leads to it.
fn amounts(store: &Store) -> Result<BTreeMap<&'static str, Amount>, Error> {
    let mut amounts: BTreeMap<&str, Amount> = BTreeMap::new();
    let mut layers: BTreeSet<Digest> = BTreeSet::new();
    for record in store.kept_records()? {
        let kind = kind_of(&record.kind);
        amounts.entry(kind).or_default().add(1, record.size, record.used);
        if kind == LAYERS
            && let Some(content) = store.peek(&record)?
            && let Ok(layer) = serde_json::from_slice::<CachedLayer>(&content)
        {
            layers.insert(layer.descriptor.digest);
        }
    }
    let of_images = store.blobs_of_images()?;
    for KeptBlob { digest, size, used } in store.kept_blobs()? {
        match (of_images.contains(&digest), layers.contains(&digest)) {
            (true, _) => {}
            (false, true) => amounts.entry(LAYERS).or_default().add(0, size, used),
            (false, false) => amounts.entry(OTHER_BLOBS).or_default().add(1, size, used),
        }
    }
    for file in store.kept_servers_answers()? {
        amounts.entry(ANSWERS).or_default().add(1, file.size, file.used);
    }
    if let Some(file) = store.kept_file("stat-cache") {
        amounts.entry(STAT_CACHE).or_default().add(1, file.size, file.used);
    }
    Ok(amounts)
}

fn kind_of(record: &str) -> &'static str {
    let found = KINDS.iter().find(|(_, records)| records.contains(&record));
    found.unwrap_or(&KINDS[OTHER_FACTS]).0
}

/// Lists the records in repositories.
pub(super) fn repositories(
    repositories: &[RepositoryName],
    report: &ListReport,
    session: &Session,
) -> Result<(), Error> {
    let mut rows = Vec::new();
    for repository in repositories {
        let records = kept::records_of(session, repository)?;
        rows.extend(records.iter().map(|record| record_row(repository, record, session)));
    }
    let table = match repositories.len() {
        1 => "{{.Tag}}\t{{.CreatedSince}}\t{{.Layers}}\t{{.Size}}\t{{.Title}}",
        _ => "{{.Repository}}\t{{.Tag}}\t{{.CreatedSince}}\t{{.Layers}}\t{{.Size}}\t{{.Title}}",
    };
    session.answer(table::render(report, rows, REPOSITORY_COLUMNS, table, "Tag")?.as_bytes())
}

fn record_row(repository: &RepositoryName, record: &RepositoryRecord, session: &Session) -> Row {
    let title = match &record.found {
        FoundRecord::Record(_) => record.title().unwrap_or_default(),
        FoundRecord::Foreign => "<something else>",
        FoundRecord::Damaged(_) => "<damaged>",
    };
    let kind = match record.kind {
        RecordKind::Step => "step",
        RecordKind::Base => "base",
    };
    row(json!({
        "Repository": repository.familiar(),
        "Tag": record.tag.as_str(),
        "Kind": kind,
        "Title": title,
        "Size": units::size(record.own_bytes()),
        "Bytes": record.own_bytes(),
        "CreatedSince": units::since(record.created(), session.environment.now),
        "CreatedAt": time(record.created()),
        "Layers": record.layers(),
    }))
}

fn time(time: Option<Timestamp>) -> String {
    let text = time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    text.unwrap_or_else(|| "N/A".to_owned())
}

fn row(fields: Value) -> Row {
    match fields {
        Value::Object(row) => row,
        _ => Row::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_record_is_of_a_kind() {
        let check = |record: &str, kind: &str| assert_eq!(kind_of(record), kind, "{record}");
        check("layer", LAYERS);
        check("fact-step", "steps");
        check("fact-resolution", "wheels and lists");
        check("fact-download", "other facts");
        check("what is to come", "other facts");
    }
}
