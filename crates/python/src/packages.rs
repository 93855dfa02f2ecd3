//! What was resolved: distributions, each pinned to one wheel.

use oci::Digest;
use serde::{Deserialize, Serialize};

/// What a resolver answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// What is to be installed, by name.
    pub packages: Vec<Package>,
    /// What is installed already and stays: names and versions.
    pub kept: Vec<(String, String)>,
    /// What the author may not have meant: lowercase sentences.
    pub warnings: Vec<String>,
}

/// A distribution to install.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// Its name, normalized (PEP 503).
    pub name: String,
    /// Its version, normalized (PEP 440).
    pub version: String,
    /// The wheel.
    pub wheel: WheelFile,
    /// Whether it was asked for by name, and not only by another package: pip's `REQUESTED`.
    pub requested: bool,
    /// The text of `direct_url.json` (PEP 610), for what did not come from an index.
    pub direct_url: Option<String>,
}

/// A wheel that was chosen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WheelFile {
    /// Its file name, whose tags fit the target.
    pub filename: String,
    /// Where it can be had.
    pub location: Location,
    /// What its SHA-256 must be, if the index, the lock or the requirement says so.
    pub sha256: Option<Digest>,
    /// Digests of which it must have one, such as `sha512:…`, where `sha256` does not say it.
    #[serde(default)]
    pub hashes: Vec<String>,
    /// Its size in bytes, if that is known.
    pub size: Option<u64>,
}

/// Where a wheel can be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Location {
    /// At a URL, without credentials.
    Url(String),
    /// Among the files that were given with the request, by digest.
    Given(Digest),
}
