//! Reading a lock's text.

use std::collections::{BTreeMap, BTreeSet};

use oci::{Descriptor, DiffId, Digest, MediaType, Platform, Reference};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use crate::archive::{flaw_of_field, flaw_of_list};
use crate::{
    Address, Base, Deb, File, Layer, List, Listed, Lock, LockError, Release, Resolution, Taken,
    VERSION, Wheel,
};

impl Lock {
    /// Reads a text. How its lines end makes no difference.
    ///
    /// # Errors
    /// Where it is wrong, and how to come out of it.
    pub fn parse(text: &str) -> Result<Lock, LockError> {
        // Some editors put it there.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        if let Some(at) = text.lines().position(is_conflict) {
            return Err(LockError::Conflict { line: at + 1 });
        }
        let head: Head = toml::from_str(text).map_err(|error| malformed(text, &error))?;
        match head.version {
            None => return Err(LockError::Foreign),
            Some(VERSION) => {}
            Some(found) => return Err(LockError::Version { found, known: VERSION }),
        }
        let written: Written = toml::from_str(text).map_err(|error| malformed(text, &error))?;
        written.meaning()
    }
}

/// What git begins the sides of a conflict with (git-merge(1), "How conflicts are presented").
fn is_conflict(line: &str) -> bool {
    ["<<<<<<< ", "||||||| ", ">>>>>>> "].iter().any(|mark| line.starts_with(mark))
        || line.trim_end() == "======="
}

fn malformed(text: &str, error: &toml::de::Error) -> LockError {
    let at = error.span().map_or(0, |span| span.start);
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let problem = error.message().lines().next().unwrap_or_default().to_owned();
    LockError::Malformed { line, problem }
}

#[derive(Deserialize)]
struct Head {
    version: Option<i64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "version")]
    _version: i64,
    epoch: u32,
    #[serde(default)]
    compression: String,
    #[serde(default, rename = "base")]
    bases: Vec<WrittenBase>,
    #[serde(default, rename = "download")]
    downloads: Vec<WrittenFile>,
    #[serde(default, rename = "git")]
    commits: Vec<WrittenCommit>,
    #[serde(default, rename = "archive")]
    archives: Vec<WrittenArchive>,
    #[serde(default, rename = "deb")]
    debs: Vec<WrittenDeb>,
    #[serde(default, rename = "resolution")]
    resolutions: Vec<WrittenResolution>,
    #[serde(default, rename = "layer")]
    layers: Vec<WrittenLayer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenBase {
    #[serde(deserialize_with = "parsed")]
    reference: Reference,
    #[serde(deserialize_with = "parsed")]
    platform: Platform,
    digest: Digest,
    manifest: Digest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenFile {
    url: String,
    digest: Digest,
    size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenCommit {
    url: String,
    reference: String,
    #[serde(deserialize_with = "commit")]
    commit: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenArchive {
    url: String,
    digest: Option<Digest>,
    size: Option<u64>,
    #[serde(default, deserialize_with = "time")]
    taken: Option<i64>,
    #[serde(default)]
    absent: bool,
    #[serde(default)]
    says: Vec<String>,
    #[serde(default, rename = "list")]
    lists: Vec<WrittenList>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenList {
    name: String,
    digest: Digest,
    size: u64,
    #[serde(default)]
    questions: BTreeSet<Digest>,
    #[serde(default, deserialize_with = "listed")]
    packages: Vec<Listed>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDeb {
    name: String,
    version: String,
    architecture: String,
    file: String,
    digest: Digest,
    size: u64,
    #[serde(default)]
    says: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenResolution {
    #[serde(deserialize_with = "parsed")]
    platform: Platform,
    request: Digest,
    #[serde(default, deserialize_with = "kept")]
    kept: Vec<(String, String)>,
    #[serde(default)]
    warnings: Vec<String>,
    #[serde(default, rename = "wheel")]
    wheels: Vec<WrittenWheel>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenWheel {
    name: String,
    version: String,
    file: String,
    url: Option<String>,
    digest: Option<Digest>,
    #[serde(default)]
    hashes: Vec<String>,
    size: Option<u64>,
    #[serde(default)]
    requested: bool,
    direct_url: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct WrittenLayer {
    #[serde(deserialize_with = "parsed")]
    platform: Platform,
    title: String,
    key: Digest,
    media_type: MediaType,
    digest: Digest,
    size: u64,
    diff_id: Digest,
}

impl Written {
    fn meaning(self) -> Result<Lock, LockError> {
        let bases = self.bases.into_iter().map(|base| {
            let WrittenBase { reference, platform, digest, manifest } = base;
            ((reference, platform), Base { digest, manifest })
        });
        let downloads = self
            .downloads
            .into_iter()
            .map(|WrittenFile { url, digest, size }| (Address::of(&url), File { digest, size }));
        let commits = self.commits.into_iter().map(|WrittenCommit { url, reference, commit }| {
            ((Address::of(&url), reference), commit)
        });
        let (mut archives, mut releases) = (Vec::new(), BTreeMap::new());
        for mut written in self.archives {
            if let (Some(digest), Some(said)) = (written.digest, written.said()?) {
                releases.insert(digest, said);
            }
            archives.push(written.meaning()?);
        }
        let (mut debs, mut stanzas) = (BTreeSet::new(), BTreeMap::new());
        for written in self.debs {
            let (deb, says) = written.meaning()?;
            if !says.is_empty() {
                stanzas.insert(deb.digest, says);
            }
            debs.insert(deb);
        }
        let mut resolutions = Vec::new();
        for written in self.resolutions {
            resolutions.push(written.meaning()?);
        }
        let mut layers: BTreeMap<Platform, Vec<Layer>> = BTreeMap::new();
        for written in self.layers {
            let (platform, layer) = written.meaning();
            layers.entry(platform).or_default().push(layer);
        }
        Ok(Lock {
            epoch: self.epoch,
            compression: self.compression,
            bases: each_once(bases, |(reference, platform)| {
                format!("the base `{}` for {platform}", reference.familiar())
            })?,
            downloads: each_once(downloads, Address::to_string)?,
            commits: each_once(commits, |(url, reference)| format!("{url} at `{reference}`"))?,
            archives: each_once(archives, Address::to_string)?,
            resolutions: each_once(resolutions, |(platform, request)| {
                format!("the answer to the request {request} for {platform}")
            })?,
            releases,
            debs,
            stanzas,
            layers,
        })
    }
}

impl WrittenArchive {
    /// What is kept of what the file says; nothing if nothing is.
    fn said(&mut self) -> Result<Option<Release>, LockError> {
        let (fields, lists) = (std::mem::take(&mut self.says), std::mem::take(&mut self.lists));
        if fields.is_empty() && lists.is_empty() {
            return Ok(None);
        }
        let what = || format!("the archive's file {}", self.url);
        checked_fields(what, &fields)?;
        let mut meant = Vec::new();
        for written in lists {
            let WrittenList { name, digest, size, questions, packages } = written;
            let file = File { digest, size };
            if let Some(wanted) = flaw_of_list(&name, &file) {
                return Err(LockError::Halved { what: format!("the list `{name}`"), wanted });
            }
            meant.push((name, List { file, questions, packages }));
        }
        let lists = each_once(meant, |name| format!("the list `{name}` of {}", self.url))?;
        Ok(Some(Release { fields, lists }))
    }

    fn meaning(self) -> Result<(Address, Option<Taken>), LockError> {
        let address = Address::of(&self.url);
        match (self.digest, self.size, self.taken, self.absent) {
            (Some(digest), Some(size), Some(at), false) => {
                Ok((address, Some(Taken { file: File { digest, size }, at })))
            }
            (None, None, None, true) => Ok((address, None)),
            _ => {
                let what = format!("the archive's file {address}");
                Err(LockError::Halved { what, wanted: "`digest`, `size` and `taken`, or `absent`" })
            }
        }
    }
}

impl WrittenDeb {
    fn meaning(self) -> Result<(Deb, Vec<String>), LockError> {
        let WrittenDeb { name, version, architecture, file, digest, size, says } = self;
        checked_fields(|| format!("the package {file}"), &says)?;
        Ok((Deb { name, version, architecture, file, digest, size }, says))
    }
}

impl WrittenResolution {
    fn meaning(self) -> Result<((Platform, Digest), Resolution), LockError> {
        let WrittenResolution { platform, request, kept, warnings, wheels } = self;
        let mut meant = Vec::new();
        for wheel in wheels {
            if wheel.url.is_none() && wheel.digest.is_none() {
                let (what, wanted) = (format!("the wheel {}", wheel.file), "`url` or `digest`");
                return Err(LockError::Halved { what, wanted });
            }
            meant.push(wheel.meaning());
        }
        Ok(((platform, request), Resolution { wheels: meant, kept, warnings }))
    }
}

impl WrittenWheel {
    fn meaning(self) -> Wheel {
        let WrittenWheel { name, version, file, url, digest, hashes, .. } = self;
        let url = url.map(|url| Address::of(&url));
        let (size, requested, direct_url) = (self.size, self.requested, self.direct_url);
        Wheel { name, version, file, url, digest, hashes, size, requested, direct_url }
    }
}

impl WrittenLayer {
    fn meaning(self) -> (Platform, Layer) {
        let WrittenLayer { platform, title, key, media_type, digest, size, diff_id } = self;
        let descriptor = Descriptor::new(media_type, digest, size);
        (platform, Layer { title, key, descriptor, diff_id: DiffId(diff_id) })
    }
}

/// That these are fields, each of one line.
fn checked_fields(what: impl Fn() -> String, fields: &[String]) -> Result<(), LockError> {
    for field in fields {
        if let Some(problem) = flaw_of_field(field) {
            let seen = |letter: char| if letter.is_control() { ' ' } else { letter };
            let text = field.chars().map(seen).take(80).collect();
            return Err(LockError::Odd { what: what(), text, problem });
        }
    }
    Ok(())
}

fn each_once<K: Ord, V>(
    entries: impl IntoIterator<Item = (K, V)>,
    name: impl Fn(&K) -> String,
) -> Result<BTreeMap<K, V>, LockError> {
    let mut all = BTreeMap::new();
    for (key, value) in entries {
        if all.contains_key(&key) {
            return Err(LockError::Twice { what: name(&key) });
        }
        all.insert(key, value);
    }
    Ok(all)
}

/// A value by its text.
fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: std::str::FromStr<Err: std::fmt::Display>,
{
    String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
}

/// The name of a commit, whole: SHA-1 or SHA-256. It is handed to git, and nothing else is.
fn commit<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_whole = [40, 64].contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    if is_whole { Ok(text) } else { Err(D::Error::custom(format!("`{text}` is no commit"))) }
}

/// A time (RFC 3339).
fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let time: jiff::Timestamp = text.parse().map_err(D::Error::custom)?;
    Ok(Some(time.as_second()))
}

/// `NAME VERSION`
fn kept<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    let pair = |text: String| {
        let pair =
            text.split_once(' ').map(|(name, version)| (name.to_owned(), version.to_owned()));
        pair.ok_or_else(|| D::Error::custom(format!("`{text}` is not NAME VERSION")))
    };
    texts.into_iter().map(pair).collect()
}

/// `NAME VERSION ARCHITECTURE`
fn listed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Listed>, D::Error> {
    let texts: Vec<String> = Vec::deserialize(deserializer)?;
    let listed = |text: String| {
        let error = || D::Error::custom(format!("`{text}` is not NAME VERSION ARCHITECTURE"));
        Listed::parse(&text).ok_or_else(error)
    };
    texts.into_iter().map(listed).collect()
}
