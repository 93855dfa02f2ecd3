//! Versions by number or by suite, and what has to come from the suite with them.

use super::super::catalog::{Catalog, DependencyId, Kind, PackageId, VersionId};
use super::super::note::{Note, Unselected};
use super::super::rules::glob_pattern;
use super::super::states::States;
use super::{Missing, Reader, Selection, Version};
use crate::apt::archive::{Archive, Release};

impl Reader<'_, '_, '_> {
    pub(super) fn wanted_version(
        &mut self,
        package: PackageId,
        kind: Version,
        text: &str,
        missing: Missing,
    ) -> Option<VersionId> {
        let catalog = self.states.catalog;
        let known = catalog.package(package);
        let found = match text {
            "installed" => known.current,
            "candidate" => self.candidate(package, missing),
            "newest" => known.versions.first().copied(),
            _ => find(catalog, self.archives, package, kind, text)
                .or_else(|| self.provided(package, kind, text)),
        };
        let Some(version) = found else {
            if missing == Missing::Told {
                let (name, text) = (catalog.pretty(package), text.to_owned());
                self.selection.problems.push(match kind {
                    Version::Number => Unselected::NoVersion { name, version: text },
                    Version::Release => Unselected::NoRelease { name, release: text },
                });
            }
            return None;
        };
        if kind == Version::Release || catalog.version_text(version) != text {
            self.selection.by_release.push((version, text.to_owned()));
        }
        Some(version)
    }

    /// The only provider of a name in a version, or in a suite.
    fn provided(&mut self, package: PackageId, kind: Version, text: &str) -> Option<VersionId> {
        let catalog = self.states.catalog;
        let matches = |provide: &&super::super::catalog::Provide| match kind {
            Version::Number => provide.text.is_some_and(|known| catalog.text(known) == text),
            Version::Release => {
                let mut releases = releases(catalog, self.archives, provide.owner);
                releases.any(|release| release.suite == text || release.codename == text)
            }
        };
        let versions: Vec<VersionId> =
            catalog.providers(package).filter(matches).map(|provide| provide.owner).collect();
        for version in &versions {
            let owner = catalog.owner(*version);
            if versions.iter().filter(|other| catalog.owner(**other) == owner).count() == 1 {
                self.states.set_candidate(*version);
            }
        }
        self.only_one(package, &versions)
    }
}

fn releases<'r>(
    catalog: &'r Catalog<'_>,
    archives: &'r [Archive],
    version: VersionId,
) -> impl Iterator<Item = &'r Release> {
    let origins = catalog.version(version).origins.iter();
    origins.filter_map(|origin| archives.get(origin.file)).map(|archive| &*archive.release)
}

fn find(
    catalog: &Catalog<'_>,
    archives: &[Archive],
    package: PackageId,
    kind: Version,
    text: &str,
) -> Option<VersionId> {
    let pattern = glob_pattern(text);
    let matches = |known: &str| pattern.as_ref().is_some_and(|pattern| pattern.is_match(known));
    let is_number = text.starts_with(|letter: char| letter.is_ascii_digit());
    let is_meant = |release: &Release| match text.split_once('=') {
        None if is_number => matches(&release.version),
        None => matches(&release.suite) || matches(&release.codename),
        Some(_) => text.split(',').all(|part| is_described(release, part.trim())),
    };
    let mut versions = catalog.package(package).versions.iter().copied();
    versions.find(|version| match kind {
        Version::Number => matches(catalog.version_text(*version)),
        Version::Release => releases(catalog, archives, *version).any(is_meant),
    })
}

/// Whether one part of `a=stable,l=Debian` holds (apt_preferences(5), "Determination of Package
/// Version and Distribution Properties").
fn is_described(release: &Release, part: &str) -> bool {
    let (key, value) = part.split_once('=').unwrap_or(("", part));
    let known = match key {
        "v" => &release.version,
        "o" => &release.origin,
        "a" => &release.suite,
        "n" => &release.codename,
        "l" => &release.label,
        _ => return false,
    };
    glob_pattern(value).is_some_and(|pattern| pattern.is_match(known))
}

/// What was chosen by a suite brings what it depends on from there, where nothing else will do.
pub(in super::super) fn follow_releases(
    states: &mut States<'_, '_>,
    archives: &[Archive],
    selection: &mut Selection,
) {
    let start = std::mem::take(&mut selection.by_release);
    for (version, _) in &start {
        states.set_candidate(*version);
    }
    let mut changed = Vec::new();
    for (version, release) in &start {
        changed.push((*version, None));
        set_release(states, archives, *version, release, &mut changed, 0);
    }
    let catalog = states.catalog;
    for (version, cause) in changed {
        let owner = catalog.owner(version);
        if let Some(cause) = cause
            && catalog.package(owner).group == catalog.package(catalog.owner(cause)).group
        {
            continue;
        }
        // What became of the candidate in the end is what is told.
        let told = match cause {
            Some(_) => states.state(owner).candidate.unwrap_or(version),
            None => version,
        };
        selection.notes.push(Note::Selected {
            version: catalog.version_text(told).to_owned(),
            origin: described(catalog, archives, told),
            package: catalog.pretty(owner),
            because_of: cause.map(|cause| catalog.pretty(catalog.owner(cause))),
        });
    }
}

/// `Debian:12.9/stable [amd64]`
pub(in super::super) fn described(
    catalog: &Catalog<'_>,
    archives: &[Archive],
    version: VersionId,
) -> String {
    let mut all: Vec<String> = Vec::new();
    for release in releases(catalog, archives, version) {
        let Release { label, version, suite, .. } = release;
        let label = if label.is_empty() { String::new() } else { format!("{label}:") };
        let number = if version.is_empty() { String::new() } else { format!("{version}/") };
        let text = format!("{label}{number}{suite}");
        if !all.contains(&text) {
            all.push(text);
        }
    }
    let known = catalog.version(version);
    let arch = if known.is_for_all { "all" } else { catalog.arch(known.package) };
    format!("{} [{arch}]", all.join(", "))
}

type Changed = Vec<(VersionId, Option<VersionId>)>;

fn set_release(
    states: &mut States<'_, '_>,
    archives: &[Archive],
    version: VersionId,
    release: &str,
    changed: &mut Changed,
    depth: usize,
) -> bool {
    states.set_candidate(version);
    if matches!(release, "installed" | "candidate") || depth > 100 {
        return true;
    }
    let (catalog, before) = (states.catalog, changed.len());
    for alternatives in catalog.relations(version) {
        let first = alternatives[0];
        let kind = catalog.dependency(first).kind;
        let matters = match kind {
            Kind::Depends | Kind::PreDepends => true,
            Kind::Recommends | Kind::Suggests => states.is_important(first),
            _ => false,
        };
        if !matters || alternatives.iter().any(|id| is_fine(states, *id)) {
            continue;
        }
        let is_done = alternatives
            .iter()
            .any(|id| switch(states, archives, version, *id, release, changed, depth));
        if !is_done && matches!(kind, Kind::Depends | Kind::PreDepends) {
            changed.truncate(before);
            return false;
        }
    }
    true
}

/// Whether a dependency holds, or would with the candidate that there is.
fn is_fine(states: &States<'_, '_>, id: DependencyId) -> bool {
    let catalog = states.catalog;
    let dependency = catalog.dependency(id);
    let target = dependency.target;
    if states.current(target).is_some_and(|current| catalog.is_satisfied(id, current)) {
        return true;
    }
    let works = |version: VersionId| states.would_work(version);
    let candidate = states.state(target).candidate;
    if dependency.text.is_none() && catalog.has_providers(target) {
        return catalog.providers(target).any(|provide| {
            let owner = catalog.owner(provide.owner);
            states.state(owner).candidate == Some(provide.owner) && works(provide.owner)
        });
    }
    candidate.is_some_and(|candidate| catalog.is_satisfied(id, candidate) && works(candidate))
}

fn switch(
    states: &mut States<'_, '_>,
    archives: &[Archive],
    cause: VersionId,
    id: DependencyId,
    release: &str,
    changed: &mut Changed,
    depth: usize,
) -> bool {
    let catalog = states.catalog;
    let dependency = catalog.dependency(id);
    let target = dependency.target;
    if dependency.text.is_none() {
        return false;
    }
    let found = match release {
        "newest" => catalog.package(target).versions.first().copied(),
        _ => find(catalog, archives, target, Version::Release, release),
    };
    let Some(version) = found.filter(|version| catalog.is_satisfied(id, *version)) else {
        return false;
    };
    let before = states.state(target).candidate;
    let is_known = |(known, _): &(VersionId, Option<VersionId>)| catalog.owner(*known) == target;
    if before == Some(version) && changed.iter().any(is_known) {
        return true;
    }
    changed.push((version, Some(cause)));
    let is_done = set_release(states, archives, version, release, changed, depth + 1);
    // What fails is taken back only if there is another way to try; the last one stays, and often
    // works nevertheless, since what it needs was merely not marked yet.
    if !is_done && dependency.has_more {
        if let Some(before) = before {
            states.set_candidate(before);
        }
        changed.pop();
    }
    is_done
}
