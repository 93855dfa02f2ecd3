//! An archive of a few packages, which a test makes, signs, damages and serves on loopback.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oci::Digest;
use tempfile::TempDir;

use super::archive::send;
use super::key::ArchiveKey;
use crate::deb::{Member, deb};
use crate::http::{self, Answer, Asked};
use crate::listener::Listener;
use crate::{Failure, Result};

/// A running archive of one suite, `stable`, with one component, `main`. It ends when this is
/// dropped.
pub struct SmallArchive {
    listener: Listener,
    directory: TempDir,
    asked: Arc<Mutex<Vec<String>>>,
    /// Stanzas of `Packages`, by architecture.
    stanzas: BTreeMap<String, String>,
    packages: Vec<Vec<u8>>,
}

/// How a suite is published.
#[derive(Default)]
pub struct Publication<'a> {
    /// Fields of its `Release` beside the usual, or instead of them.
    pub fields: &'a [(&'a str, &'a str)],
    /// Who signs it; nobody, if there is none.
    pub key: Option<&'a ArchiveKey>,
}

const USUAL: [(&str, &str); 8] = [
    ("Origin", "Test"),
    ("Label", "Test"),
    ("Suite", "stable"),
    ("Codename", "test"),
    ("Date", "Thu, 01 Jan 2026 00:00:00 UTC"),
    ("Acquire-By-Hash", "yes"),
    ("Architectures", "amd64 arm64"),
    ("Components", "main"),
];

/// Where the suite is.
const SUITE: &str = "debian/dists/stable";

impl SmallArchive {
    /// An archive with nothing in it.
    pub fn start() -> Result<Self> {
        let directory = tempfile::tempdir().map_err(Failure::doing("make an archive"))?;
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (root, log) = (directory.path().to_owned(), Arc::clone(&asked));
        let listener = Listener::start("a small archive", move |stream| {
            http::serve(&stream, |asked| {
                log.lock().unwrap_or_else(PoisonError::into_inner).push(asked.path.clone());
                Some(answer(&root, asked))
            });
        })?;
        let stanzas = ["amd64", "arm64"].map(|name| (name.to_owned(), String::new())).into();
        Ok(SmallArchive { listener, directory, asked, stanzas, packages: Vec::new() })
    }

    /// What a source has as its address.
    pub fn address(&self) -> String {
        format!("{}/debian", self.host())
    }

    /// `http://127.0.0.1:PORT`
    pub fn host(&self) -> String {
        format!("http://127.0.0.1:{}", self.listener.port())
    }

    /// The paths that were asked for, in order.
    pub fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds a package of these members; where its file is.
    pub fn package(&mut self, control: &str, members: &[Member<'_>]) -> PathBuf {
        self.file(control, &deb(control, members))
    }

    /// Adds a package whose file has these bytes, whatever they are; where it is.
    pub fn file(&mut self, control: &str, bytes: &[u8]) -> PathBuf {
        let field = |name: &str| {
            let value =
                control.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
            value.unwrap_or_default()
        };
        let (name, version, architecture) =
            (field("Package"), field("Version"), field("Architecture"));
        let filename = format!("pool/main/{name}_{version}_{architecture}.deb");
        let stanza = format!(
            "{control}Filename: {filename}\nSize: {}\nSHA256: {}\n\n",
            bytes.len(),
            Digest::of(bytes).hex()
        );
        for (own, stanzas) in &mut self.stanzas {
            if architecture == own || architecture == "all" {
                stanzas.push_str(&stanza);
            }
        }
        self.packages.push(bytes.to_vec());
        self.write(&format!("debian/{filename}"), bytes)
    }

    /// Lists a version of a package no more. Its file stays where it is, and the lists that had it
    /// are gone once this is published.
    pub fn withdraw(&mut self, name: &str, version: &str) {
        for path in ["amd64", "arm64"].iter().flat_map(|architecture| self.lists(architecture)) {
            let _ = fs::remove_file(path);
        }
        let is_other =
            |stanza: &&str| !stanza.starts_with(&format!("Package: {name}\nVersion: {version}\n"));
        for stanzas in self.stanzas.values_mut() {
            let left: String = stanzas.split_inclusive("\n\n").filter(is_other).collect();
            *stanzas = left;
        }
    }

    /// The bytes of all packages, as they were added.
    pub fn packages(&self) -> Vec<Vec<u8>> {
        self.packages.clone()
    }

    /// Publishes what was added so far, in the place of what was published.
    pub fn publish(&self, publication: &Publication<'_>) {
        let usual = USUAL
            .iter()
            .filter(|(name, _)| publication.fields.iter().all(|(other, _)| other != name));
        let mut release = String::new();
        for (name, value) in usual.chain(publication.fields) {
            writeln!(release, "{name}: {value}").expect("memory takes it");
        }
        release.push_str("SHA256:\n");
        for (architecture, stanzas) in &self.stanzas {
            let directory = format!("main/binary-{architecture}");
            let digest = Digest::of(stanzas.as_bytes()).hex().to_owned();
            for name in ["Packages".to_owned(), format!("by-hash/SHA256/{digest}")] {
                self.write(&format!("{SUITE}/{directory}/{name}"), stanzas.as_bytes());
            }
            writeln!(release, " {digest} {} {directory}/Packages", stanzas.len())
                .expect("memory takes it");
        }
        let _ = fs::remove_file(self.path("InRelease"));
        match publication.key {
            Some(key) => self.write(&format!("{SUITE}/InRelease"), key.sign(&release).as_bytes()),
            None => self.write(&format!("{SUITE}/Release"), release.as_bytes()),
        };
    }

    /// Gives the archive a second address, as a snapshot has; what stands for its name there is
    /// `@SNAPSHOTID@`.
    pub fn snapshot(&self, id: &str) -> String {
        let place = self.directory.path().join("snapshots");
        fs::create_dir_all(&place).expect("a directory in a temporary one");
        symlink("../debian", place.join(id)).expect("a link in a temporary directory");
        format!("{}/snapshots/@SNAPSHOTID@/", self.host())
    }

    /// Where a file of the suite is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(SUITE).join(name)
    }

    /// The files that list the packages of an architecture, each under its two names.
    pub fn lists(&self, architecture: &str) -> BTreeSet<PathBuf> {
        let directory = self.path(&format!("main/binary-{architecture}"));
        let by_hash = Digest::of(self.stanzas[architecture].as_bytes());
        let by_hash = directory.join("by-hash/SHA256").join(by_hash.hex());
        [directory.join("Packages"), by_hash].into()
    }

    fn write(&self, path: &str, bytes: &[u8]) -> PathBuf {
        let full = self.directory.path().join(path);
        let above = full.parent().unwrap_or(Path::new("/"));
        fs::create_dir_all(above).expect("a directory in a temporary one");
        fs::write(&full, bytes).expect("a file in a temporary directory");
        full
    }
}

fn answer(root: &Path, asked: &Asked) -> Answer {
    let path = asked.path.trim_start_matches('/');
    let is_within = !path.split('/').any(|part| part == "..");
    let file = root.join(path);
    let found = (is_within && file.is_file()).then(|| send(asked, &file).ok()).flatten();
    found.unwrap_or_else(|| Answer::text(404, "text/plain", "not here\n"))
}
