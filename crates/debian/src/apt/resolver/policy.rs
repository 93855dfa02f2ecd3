//! Which version of a package is its candidate (apt_preferences(5)).

use super::catalog::{Catalog, PackageId, VersionId};
use crate::apt::archive::Release;

/// What versions are worth: what is set in preferences, or else apt's own priorities.
pub struct Policy<'a> {
    /// By archive.
    pub archives: Vec<i32>,
    /// For what is installed, whether it can be had or not.
    pub installed: i32,
    /// What pins of certain packages say of a version; the first that matches.
    pub pin: &'a (dyn Fn(&Pinned<'_>) -> Option<i32> + Sync),
}

/// A version that pins are asked about.
#[derive(Debug, Clone, Copy)]
pub struct Pinned<'a> {
    /// The package's name.
    pub name: &'a str,
    /// Its architecture; the native one for what is for all.
    pub architecture: &'a str,
    /// The version.
    pub version: &'a str,
    /// The source that it was built from.
    pub source: &'a str,
    /// Where it is to be had, by position.
    pub archives: &'a [usize],
    /// Whether it is installed.
    pub is_installed: bool,
}

/// A priority that means that an archive does not count at all (`Pin-Priority: never`).
pub const NEVER: i32 = i16::MIN as i32;

/// From here on a version may be older than what is installed.
const DOWNGRADES: i32 = 1000;

impl Policy<'_> {
    /// apt's own priorities, without any preferences.
    pub fn by_default<'r>(releases: impl IntoIterator<Item = &'r Release>) -> Policy<'static> {
        Policy {
            archives: releases.into_iter().map(default_priority).collect(),
            installed: 100,
            pin: &|_| None,
        }
    }
}

/// What a suite's packages are worth without any preferences (apt_preferences(5), "APT's Default
/// Priority Assignments").
pub fn default_priority(release: &Release) -> i32 {
    match (release.is_not_automatic, release.has_automatic_upgrades) {
        (_, true) => 100,
        (true, false) => 1,
        (false, false) => 500,
    }
}

/// The candidates of all packages.
pub(super) fn candidates(catalog: &Catalog<'_>, policy: &Policy<'_>) -> Vec<Option<VersionId>> {
    let packages = (0..catalog.packages.len()).map(|at| PackageId(at as u32));
    packages.map(|package| candidate(catalog, policy, package)).collect()
}

fn candidate(catalog: &Catalog<'_>, policy: &Policy<'_>, package: PackageId) -> Option<VersionId> {
    let known = catalog.package(package);
    let (mut best, mut found) = (-1, None);
    for version in &known.versions {
        let priority = priority(catalog, policy, *version);
        if priority == 0 || priority <= best {
            continue;
        }
        let is_downgrade = known.current.is_some_and(|current| {
            let (one, other) = (catalog.version_text(*version), catalog.version_text(current));
            catalog.order(one, other).is_lt()
        });
        if priority >= DOWNGRADES || !is_downgrade {
            (best, found) = (priority, Some(*version));
        }
    }
    found
}

/// What a version is worth.
pub(super) fn priority(catalog: &Catalog<'_>, policy: &Policy<'_>, id: VersionId) -> i32 {
    let version = catalog.version(id);
    let package = catalog.package(version.package);
    let counts = |file: usize| catalog.files[file].priority != NEVER;
    let archives: Vec<usize> = version.origins.iter().map(|origin| origin.file).collect();
    let pin = (policy.pin)(&Pinned {
        name: catalog.name(version.package),
        architecture: catalog.arch(version.package),
        version: catalog.version_text(id),
        source: &catalog.groups[version.source.at()].name,
        archives: &archives[..archives.partition_point(|file| *file < policy.archives.len())],
        is_installed: package.current == Some(id),
    });
    if let Some(pin) = pin
        && (pin == NEVER || archives.iter().any(|file| counts(*file)))
    {
        return pin;
    }
    // What is not installed any more (its configuration is) is no candidate by having been.
    let of_file = |file: &usize| {
        let file = &catalog.files[*file];
        if !file.is_source && package.current != Some(id) { -1 } else { file.priority }
    };
    archives.iter().map(of_file).max().unwrap_or(0)
}
