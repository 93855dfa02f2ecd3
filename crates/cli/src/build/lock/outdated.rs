//! `plywood outdated`: what has moved since a lock was written.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use layer::Content;
use lock::Address;
use oci::{Platform, Reference};
use plan::{FileReference, GitSource};
use python::ResolutionRequest;
use serde::Serialize;

use crate::build::gather::Gatherer;
use crate::build::{download, git, packages as debian_packages, wheels};
use crate::error::Error;
use crate::flags::OutdatedReport;

/// What a build asked for, to be asked for again.
#[derive(Default)]
pub(super) struct Asked {
    pub(super) bases: BTreeSet<(Reference, Platform)>,
    pub(super) downloads: Vec<(String, String)>,
    pub(super) fetches: Vec<debian::Fetch>,
    pub(super) commits: Vec<GitSource>,
    pub(super) questions: Vec<(Box<ResolutionRequest>, Vec<FileReference>)>,
}

/// A pin, and what stands in its place now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Row {
    kind: Kind,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    platform: Option<String>,
    /// `null` for what is new.
    locked: Option<String>,
    /// `null` for what is gone.
    now: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Base,
    Wheel,
    Archive,
    Download,
    Git,
}

/// Shows which pins have moved. That some have is an error of its own kind.
pub(in crate::build) fn show(gatherer: &Gatherer<'_>, report: OutdatedReport) -> Result<(), Error> {
    let pins = &gatherer.pins;
    if pins.text.is_none() {
        return Err(pins.drift(super::Drift::NoLock));
    }
    let asked = std::mem::take(&mut pins.found().asked);
    let mut rows = BTreeSet::new();
    bases(gatherer, &asked, &mut rows)?;
    questions(gatherer, asked.questions, &mut rows)?;
    archives(gatherer, &asked.fetches, &mut rows)?;
    downloads(gatherer, &asked.downloads, &mut rows)?;
    commits(gatherer, &asked.commits, &mut rows)?;
    let text = match report {
        OutdatedReport::Json => {
            format!("{:#}\n", serde_json::json!({ "outdated": rows }))
        }
        OutdatedReport::Table if rows.is_empty() => String::new(),
        OutdatedReport::Table => table(&rows),
    };
    gatherer.session.answer(text.as_bytes())?;
    match rows.len() {
        0 => Ok(()),
        count => Err(Error::Outdated { lock: pins.name(), count }),
    }
}

fn bases(gatherer: &Gatherer<'_>, asked: &Asked, rows: &mut BTreeSet<Row>) -> Result<(), Error> {
    let mut known = BTreeMap::new();
    for (reference, platform) in &asked.bases {
        let key = (reference.clone(), platform.clone());
        let Some(locked) = gatherer.pins.locked.bases.get(&key) else { continue };
        if reference.digest().is_some() {
            continue;
        }
        if !known.contains_key(reference) {
            let client = gatherer.session.client()?;
            let found =
                gatherer.session.block_on(async { Ok(client.resolve(reference).await?) })?;
            known.insert(reference, found.digest);
        }
        let now = known[reference];
        if now != locked.digest {
            rows.insert(Row {
                kind: Kind::Base,
                name: reference.familiar(),
                platform: Some(platform.to_string()),
                locked: Some(locked.digest.to_string()),
                now: Some(now.to_string()),
            });
        }
    }
    Ok(())
}

fn questions(
    gatherer: &Gatherer<'_>,
    questions: Vec<(Box<ResolutionRequest>, Vec<FileReference>)>,
    rows: &mut BTreeSet<Row>,
) -> Result<(), Error> {
    for (request, given) in questions {
        let platform = &request.target.platform;
        let key = (platform.clone(), request.fingerprint());
        let Some(locked) = gatherer.pins.locked.resolutions.get(&key) else { continue };
        let now = wheels::resolve_anew(gatherer, &request, &given)?;
        let mut versions: BTreeMap<&str, (Option<&str>, Option<&str>)> = BTreeMap::new();
        for wheel in &locked.wheels {
            versions.entry(&wheel.name).or_default().0 = Some(&wheel.version);
        }
        for package in &now.packages {
            versions.entry(&package.name).or_default().1 = Some(&package.version);
        }
        let moved = versions.into_iter().filter(|(_, (locked, now))| locked != now);
        rows.extend(moved.map(|(name, (locked, now))| Row {
            kind: Kind::Wheel,
            name: name.to_owned(),
            platform: Some(platform.to_string()),
            locked: locked.map(str::to_owned),
            now: now.map(str::to_owned),
        }));
    }
    Ok(())
}

fn archives(
    gatherer: &Gatherer<'_>,
    fetches: &[debian::Fetch],
    rows: &mut BTreeSet<Row>,
) -> Result<(), Error> {
    for fetch in fetches {
        let address = Address::of(&fetch.url);
        let Some(locked) = gatherer.pins.locked.archives.get(&address) else { continue };
        let now = debian_packages::fetch_anew(gatherer, fetch)?;
        let locked = locked.map(|taken| taken.file.digest.to_string());
        compared(Kind::Archive, address.as_str(), locked, now, rows);
    }
    Ok(())
}

fn downloads(
    gatherer: &Gatherer<'_>,
    downloads: &[(String, String)],
    rows: &mut BTreeSet<Row>,
) -> Result<(), Error> {
    for (url, shown) in downloads {
        let address = Address::of(shown);
        let Some(locked) = gatherer.pins.locked.downloads.get(&address) else { continue };
        let now = download::fetch_anew(gatherer, url, shown)?;
        compared(Kind::Download, address.as_str(), Some(locked.digest.to_string()), now, rows);
    }
    Ok(())
}

fn compared(
    kind: Kind,
    name: &str,
    locked: Option<String>,
    now: Option<Content>,
    rows: &mut BTreeSet<Row>,
) {
    let now = now.map(|content| content.digest.to_string());
    if locked != now {
        rows.insert(Row { kind, name: name.to_owned(), platform: None, locked, now });
    }
}

fn commits(
    gatherer: &Gatherer<'_>,
    commits: &[GitSource],
    rows: &mut BTreeSet<Row>,
) -> Result<(), Error> {
    for source in commits {
        let key = super::commit_key(source);
        let Some(locked) = gatherer.pins.locked.commits.get(&key) else { continue };
        let now = git::commit_now(gatherer.session, source)?;
        if now.as_ref() != Some(locked) {
            let name = format!("{}#{}", key.0, key.1);
            let (locked, kind) = (Some(locked.clone()), Kind::Git);
            rows.insert(Row { kind, name, platform: None, locked, now });
        }
    }
    Ok(())
}

/// How wide a digest is in the table.
const SHORT: usize = 19;

fn table(rows: &BTreeSet<Row>) -> String {
    let short = |version: &Option<String>| match version.as_deref() {
        None => "-".to_owned(),
        Some(digest) if digest.starts_with("sha256:") => digest.chars().take(SHORT).collect(),
        // A commit.
        Some(long) if long.len() > SHORT => long.chars().take(12).collect(),
        Some(version) => version.to_owned(),
    };
    let line = |row: &Row| {
        let kind = format!("{:?}", row.kind).to_lowercase();
        let platform = row.platform.clone().unwrap_or_default();
        [kind, row.name.clone(), platform, short(&row.locked), short(&row.now)]
    };
    let headings = ["KIND", "NAME", "PLATFORM", "LOCKED", "NOW"].map(str::to_owned);
    let lines: Vec<[String; 5]> = std::iter::once(headings).chain(rows.iter().map(line)).collect();
    let width = |column: usize| lines.iter().map(|line| line[column].chars().count()).max();
    let widths = [0, 1, 2, 3, 4].map(|column| width(column).unwrap_or(0));
    let mut text = String::new();
    for line in &lines {
        let cells = line.iter().zip(widths).map(|(cell, width)| format!("{cell:<width$}"));
        let cells = cells.collect::<Vec<_>>().join("  ");
        let _ = writeln!(text, "{}", cells.trim_end());
    }
    text
}
