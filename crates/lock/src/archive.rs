//! What archives of Debian packages said, abridged to what a build took from it.
//!
//! The files by which an archive announces others are gone once it moves on, while the packages stay
//! in its pool. What was read of those files is kept here, so that the same choice can be made again.

use std::collections::{BTreeMap, BTreeSet};

use oci::Digest;

use crate::{Deb, File, Lock};

/// The largest list that is believed in.
const LARGEST_LIST: u64 = 1 << 30;

/// What a file says that announces others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Release {
    /// Its fields, as in `Suite: stable`, without those of digests.
    pub fields: Vec<String>,
    /// The lists of packages that were fetched, by their names in it.
    pub lists: BTreeMap<String, List>,
}

/// A list of packages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List {
    /// The file.
    pub file: File,
    /// What was asked of it, by fingerprint. For any other question more of it would be needed.
    pub questions: BTreeSet<Digest>,
    /// The packages of it that were brought, in the order in which it first names them.
    pub packages: Vec<Listed>,
}

/// A package in a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it runs on.
    pub architecture: String,
}

impl Lock {
    /// The list of a digest that is here, abridged.
    pub fn list(&self, digest: &Digest) -> Option<&List> {
        let mut lists = self.releases.values().flat_map(|release| release.lists.values());
        lists.find(|list| list.file.digest == *digest)
    }

    /// What a list says of its packages that were brought: the packages, and their fields.
    pub fn offers<'l>(&'l self, list: &'l List) -> impl Iterator<Item = (&'l Deb, &'l [String])> {
        list.packages.iter().filter_map(|listed| {
            let deb = self.debs.iter().find(|deb| listed.is(deb))?;
            Some((deb, self.stanzas.get(&deb.digest)?.as_slice()))
        })
    }

    /// Lets go what was said by files, and of packages, that are not pinned.
    pub(crate) fn without_leftovers(mut self) -> Lock {
        let pinned: BTreeSet<Digest> =
            self.archives.values().flatten().map(|taken| taken.file.digest).collect();
        self.releases.retain(|digest, _| pinned.contains(digest));
        let brought: BTreeSet<Digest> = self.debs.iter().map(|deb| deb.digest).collect();
        self.stanzas.retain(|digest, _| brought.contains(digest));
        self
    }
}

impl List {
    /// Adds what another build took from the same list.
    pub(crate) fn join(&mut self, other: &List) {
        self.questions.extend(&other.questions);
        let is_missing = |list: &List, listed: &Listed| !list.packages.contains(listed);
        if !self.packages.iter().any(|listed| is_missing(other, listed)) {
            self.packages.clone_from(&other.packages);
            return;
        }
        let more = other.packages.iter().filter(|listed| is_missing(self, listed));
        let more: Vec<Listed> = more.cloned().collect();
        self.packages.extend(more);
    }
}

impl Listed {
    /// How a deb stands in a list.
    pub fn of(deb: &Deb) -> Self {
        let Deb { name, version, architecture, .. } = deb.clone();
        Listed { name, version, architecture }
    }

    fn is(&self, deb: &Deb) -> bool {
        self.name == deb.name
            && self.version == deb.version
            && self.architecture == deb.architecture
    }

    /// `NAME VERSION ARCHITECTURE`
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let [name, version, architecture] = words[..] else { return None };
        if words.iter().any(|word| word.is_empty() || !is_line(word)) {
            return None;
        }
        let [name, version, architecture] = [name, version, architecture].map(str::to_owned);
        Some(Listed { name, version, architecture })
    }
}

impl std::fmt::Display for Listed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} {}", self.name, self.version, self.architecture)
    }
}

/// What is wrong with a field; what would be another field, or another stanza, is none.
pub(crate) fn flaw_of_field(text: &str) -> Option<&'static str> {
    match text.split_once(": ") {
        Some((name, _)) if !is_name(name) => Some("has a name that is none"),
        Some(_) if !is_line(text) => Some("has more than one line"),
        Some(_) => None,
        None => Some("is not NAME: VALUE"),
    }
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

fn is_line(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// What is wrong with a list.
pub(crate) fn flaw_of_list(name: &str, file: &File) -> Option<&'static str> {
    let is_path = !name.is_empty() && is_line(name) && !name.contains(char::is_whitespace);
    match (is_path, file.size <= LARGEST_LIST) {
        (false, _) => Some("a name without blanks"),
        (_, false) => Some("at most 1 GiB"),
        _ => None,
    }
}
