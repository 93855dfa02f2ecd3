//! `plywood.lock`: what a build found outside, as values and as text.
//!
//! A recipe names things that move: a tag, a URL, a branch, the newest version that satisfies, an
//! archive of packages. A lock says what each of them was when somebody looked ([`Lock`]). Its text
//! is canonical: the same pins make the same bytes, in an order that leaves a small difference where
//! one of them moves ([`Lock::to_text`], [`Lock::parse`]).
//!
//! Nothing here looks at a file or asks anybody. What a pin means for a build is the build's.

mod address;
mod archive;
mod carry;
mod error;
mod layers;
mod read;
#[cfg(test)]
mod tests;
mod text;

use std::collections::{BTreeMap, BTreeSet};

use oci::{Descriptor, DiffId, Digest, Platform, Reference};

pub use address::Address;
pub use archive::{List, Listed, Release};
pub use carry::Extent;
pub use error::LockError;
pub use layers::Moved;
pub use text::VERSION;

/// What a build found outside, pinned.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// The version of what decides layers' bytes; layers of another one are void.
    pub epoch: u32,
    /// How layers are compressed, such as `gzip:6`; layers that are packed otherwise are void.
    pub compression: String,
    /// What references to images named.
    pub bases: BTreeMap<(Reference, Platform), Base>,
    /// What URLs gave that a recipe names without a digest.
    pub downloads: BTreeMap<Address, File>,
    /// The commits that git references named.
    pub commits: BTreeMap<(Address, String), String>,
    /// What archives of packages gave under addresses for which no digest is announced: the files
    /// that announce all others, and keys; `None` where there was nothing.
    pub archives: BTreeMap<Address, Option<Taken>>,
    /// What those files of archives said, abridged, by their digests.
    pub releases: BTreeMap<Digest, Release>,
    /// Which packages answered a question.
    pub resolutions: BTreeMap<(Platform, Digest), Resolution>,
    /// The Debian packages that were brought.
    pub debs: BTreeSet<Deb>,
    /// What the lists of archives say of them, by the digests of their files: fields, as in
    /// `Depends: libc6`, but for those that name the package and its file.
    pub stanzas: BTreeMap<Digest, Vec<String>>,
    /// The layers that follow from all this, lowest first.
    pub layers: BTreeMap<Platform, Vec<Layer>>,
}

/// What a reference named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Base {
    /// What stood there: an index, or an image.
    pub digest: Digest,
    /// The manifest of the platform.
    pub manifest: Digest,
}

/// Bytes, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct File {
    /// What they hash to.
    pub digest: Digest,
    /// How many there are.
    pub size: u64,
}

/// A file of an archive, and when it was taken. Archives say until when they are to be believed, and
/// what is pinned is believed by the time at which it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Which.
    pub file: File,
    /// When, in seconds since the epoch.
    pub at: i64,
}

/// The answer to a question for Python packages, which its fingerprint names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resolution {
    /// What is to be installed, by name.
    pub wheels: Vec<Wheel>,
    /// What is there already and stays: names and versions.
    pub kept: Vec<(String, String)>,
    /// What is to be said about it.
    pub warnings: Vec<String>,
}

/// A wheel that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wheel {
    /// The distribution's name, normalized (PEP 503).
    pub name: String,
    /// Its version, normalized (PEP 440).
    pub version: String,
    /// The file's name.
    pub file: String,
    /// Where it can be had; nowhere if it came with the question, or was built for it.
    pub url: Option<Address>,
    /// What it hashes to.
    pub digest: Option<Digest>,
    /// Other digests, of which it must have one, where nothing vouches for SHA-256.
    pub hashes: Vec<String>,
    /// Its size in bytes, if that is known.
    pub size: Option<u64>,
    /// Whether it was asked for by name.
    pub requested: bool,
    /// The text of its `direct_url.json` (PEP 610), if it has one.
    pub direct_url: Option<String>,
}

/// A Debian package that was brought.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deb {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What it runs on.
    pub architecture: String,
    /// The file's name.
    pub file: String,
    /// What the file hashes to.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}

/// A layer that was laid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The first line of what it comes from.
    pub title: String,
    /// What it is, before it is laid.
    pub key: Digest,
    /// Its blob.
    pub descriptor: Descriptor,
    /// Its tar.
    pub diff_id: DiffId,
}

impl Lock {
    /// Whether nothing is pinned.
    pub fn is_empty(&self) -> bool {
        self.bases.is_empty()
            && self.downloads.is_empty()
            && self.commits.is_empty()
            && self.archives.is_empty()
            && self.resolutions.is_empty()
            && self.debs.is_empty()
            && self.layers.values().all(Vec::is_empty)
    }

    /// The platforms that something is pinned for.
    pub fn platforms(&self) -> BTreeSet<&Platform> {
        let bases = self.bases.keys().map(|(_, platform)| platform);
        let resolutions = self.resolutions.keys().map(|(platform, _)| platform);
        bases.chain(resolutions).chain(self.layers.keys()).collect()
    }

    /// The versions that answers for `platform` have, by name; of another platform's where there
    /// are none. That is what a new answer keeps to where it can.
    pub fn versions(&self, platform: &Platform) -> Vec<(&str, &str)> {
        let is_own = |of: &Platform| of == platform;
        let has_own = self.resolutions.keys().any(|(of, _)| is_own(of));
        let counting = self.resolutions.iter().filter(|((of, _), _)| !has_own || is_own(of));
        let wheels = counting.flat_map(|(_, resolution)| &resolution.wheels);
        let versions: BTreeSet<(&str, &str)> =
            wheels.map(|wheel| (wheel.name.as_str(), wheel.version.as_str())).collect();
        versions.into_iter().collect()
    }
}
