//! An archive as resolving sees it: a list of packages, and what its `Release` file says of it.

use std::sync::Arc;

use oci::Digest;

use crate::index::PackageIndex;
use crate::outside::{Login, Proxy};

/// The packages of one component of one suite for one architecture.
#[derive(Debug, Clone)]
pub struct Archive {
    /// The address that file names in the index are relative to, without a slash at its end.
    pub base: String,
    /// What is sent there.
    pub login: Option<Login>,
    /// The way there.
    pub proxy: Proxy,
    /// What the suite's `Release` says.
    pub release: Arc<Release>,
    /// The component: `main`; empty for a flat archive.
    pub component: String,
    /// The digest of its list, if `index` is all of that.
    pub list: Option<Digest>,
    /// What it offers.
    pub index: Arc<PackageIndex>,
}

/// The fields of a `Release` file that pins look at (apt_preferences(5), "Tracking …").
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Release {
    /// `Origin`.
    pub origin: String,
    /// `Label`.
    pub label: String,
    /// `Suite`: `stable`.
    pub suite: String,
    /// `Codename`: `bookworm`.
    pub codename: String,
    /// `Version`: `12.9`.
    pub version: String,
    /// `NotAutomatic`: candidates only if they are asked for.
    pub is_not_automatic: bool,
    /// `ButAutomaticUpgrades`.
    pub has_automatic_upgrades: bool,
}
