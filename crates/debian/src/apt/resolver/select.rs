//! From the words of a command line to versions: `name`, `name:arch`, `name=version`, `name/suite`,
//! `name-`, `name+`, globs and regular expressions (apt-get(8), "install").

mod releases;

use std::collections::BTreeSet;

use super::catalog::{PackageId, VersionId};
use super::mark::By;
use super::note::{Note, Unselected};
use super::rules::{glob_pattern, name_pattern};
use super::states::States;
use crate::apt::archive::Archive;

pub(super) use releases::follow_releases;

/// What words mean.
#[derive(Default)]
pub(super) struct Selection {
    pub(super) installs: Vec<VersionId>,
    pub(super) removes: Vec<VersionId>,
    /// Versions that were chosen by a suite or by a pattern, which their dependencies follow.
    pub(super) by_release: Vec<(VersionId, String)>,
    pub(super) notes: Vec<Note>,
    pub(super) problems: Vec<Unselected>,
}

/// What is done with what a word names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    Install,
    Remove,
}

/// How a word named packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    ByName,
    ByPattern,
}

/// Whether what cannot be found is a problem.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Missing {
    Told,
    Untold,
}

/// Reads words, each of which wants `wish` unless it says otherwise.
pub(super) fn select(
    states: &mut States<'_, '_>,
    archives: &[Archive],
    words: &[&str],
    wish: Wish,
) -> Selection {
    let mut reader = Reader { states, archives, selection: Selection::default() };
    for word in words {
        let (wish, versions) = reader.word(word, wish);
        let into = match wish {
            Wish::Install => &mut reader.selection.installs,
            Wish::Remove => &mut reader.selection.removes,
        };
        for version in versions {
            if !into.contains(&version) {
                into.push(version);
            }
        }
    }
    reader.selection
}

struct Reader<'r, 'c, 'a> {
    states: &'r mut States<'c, 'a>,
    archives: &'r [Archive],
    selection: Selection,
}

impl Reader<'_, '_, '_> {
    fn word(&mut self, word: &str, fallback: Wish) -> (Wish, Vec<VersionId>) {
        let marked = match word.strip_suffix('+') {
            Some(rest) => Some((Wish::Install, rest)),
            None => word.strip_suffix('-').map(|rest| (Wish::Remove, rest)),
        };
        let Some((wish, rest)) = marked.filter(|(_, rest)| !rest.is_empty()) else {
            return (fallback, self.named(word, fallback));
        };
        // `g++` is a name.
        let is_name = self.find_name(version_of(word).0).is_some();
        if is_name {
            let versions = self.named(word, wish);
            if !versions.is_empty() {
                return (fallback, versions);
            }
        }
        (wish, self.named(rest, wish))
    }

    fn named(&mut self, word: &str, wish: Wish) -> Vec<VersionId> {
        let (name, version) = version_of(word);
        let (named, packages) = self.packages(name);
        let missing = match named {
            Named::ByName => Missing::Told,
            Named::ByPattern => Missing::Untold,
        };
        let mut versions = Vec::new();
        for package in packages {
            let found = match version {
                None => self.default_version(package, wish, missing),
                Some((kind, text)) => self.wanted_version(package, kind, text, missing),
            };
            versions.extend(found);
        }
        versions
    }

    /// The packages that a name, a glob or a regular expression means.
    fn packages(&mut self, name: &str) -> (Named, BTreeSet<PackageId>) {
        if let Some(package) = self.find_name(name) {
            return (Named::ByName, BTreeSet::from([package]));
        }
        let mut problems = vec![Unselected::Unknown {
            name: name.to_owned(),
            closest: closest(self.states, name),
        }];
        if name.ends_with('^') || name.starts_with(['?', '~']) {
            self.selection.problems.push(Unselected::Unsupported { word: name.to_owned() });
            return (Named::ByPattern, BTreeSet::new());
        }
        let ways: [(&str, Kind, PatternReader); 2] =
            [(".?*[]!", Kind::Glob, glob_pattern), (".?+*|[^$", Kind::Expression, name_pattern)];
        for (signs, kind, pattern) in ways {
            if !name.contains(|letter| signs.contains(letter)) {
                continue;
            }
            let (name, arch) = match name.rsplit_once(':') {
                Some((name, arch)) if !arch.contains(|letter| signs.contains(letter)) => {
                    (name, Some(arch))
                }
                _ => (name, None),
            };
            let found = match pattern(name) {
                Some(pattern) => self.matching(&pattern, name, arch, kind),
                None => BTreeSet::new(),
            };
            if !found.is_empty() {
                return (Named::ByPattern, found);
            }
            let pattern = name.to_owned();
            problems.push(match kind {
                Kind::Glob => Unselected::NoGlob { pattern },
                Kind::Expression => Unselected::NoExpression { pattern },
            });
        }
        self.selection.problems.append(&mut problems);
        (Named::ByPattern, BTreeSet::new())
    }

    fn matching(
        &mut self,
        pattern: &regex::Regex,
        written: &str,
        arch: Option<&str>,
        kind: Kind,
    ) -> BTreeSet<PackageId> {
        let catalog = self.states.catalog;
        let mut found = BTreeSet::new();
        let mut last = None;
        for package in self.states.walk() {
            let group = catalog.package(*package).group;
            if last.replace(group) == Some(group) || !pattern.is_match(catalog.name(*package)) {
                continue;
            }
            let package = match arch {
                Some(arch) => catalog.find_in(group, arch),
                None => catalog.find_in(group, "native").or_else(|| catalog.preferred(group)),
            };
            if let Some(package) = package {
                let (package_name, pattern) = (catalog.pretty(package), written.to_owned());
                self.selection.notes.push(match kind {
                    Kind::Glob => Note::ByGlob { package: package_name, pattern },
                    Kind::Expression => Note::ByExpression { package: package_name, pattern },
                });
                found.insert(package);
            }
        }
        found
    }

    fn find_name(&self, name: &str) -> Option<PackageId> {
        let catalog = self.states.catalog;
        let known = match name.rsplit_once(':') {
            None => catalog.find_group(name).and_then(|group| catalog.preferred(group)),
            Some((_, "any")) => None,
            Some((name, arch)) => catalog.find(name, arch),
        };
        known.or_else(|| match name.contains(':') {
            true => catalog.find(name, "any"),
            false => None,
        })
    }

    /// What is taken of a package if nothing more is said.
    fn default_version(
        &mut self,
        package: PackageId,
        wish: Wish,
        missing: Missing,
    ) -> Option<VersionId> {
        match wish {
            Wish::Install => self.candidate(package, missing),
            Wish::Remove => {
                let latest = self.states.catalog.package(package).versions.first().copied();
                if latest.is_none() {
                    self.note_not_removed(package, missing);
                }
                latest
            }
        }
    }

    fn candidate(&mut self, package: PackageId, missing: Missing) -> Option<VersionId> {
        let candidate = self.states.state(package).candidate;
        if candidate.is_some() {
            return candidate;
        }
        let catalog = self.states.catalog;
        let providers = catalog.providers(package).map(|provide| provide.owner);
        let is_candidate = |version: &VersionId| {
            self.states.state(catalog.owner(*version)).candidate == Some(*version)
        };
        let candidates: Vec<VersionId> = providers.filter(is_candidate).collect();
        if let Some(chosen) = self.only_one(package, &candidates) {
            return Some(chosen);
        }
        if missing == Missing::Told {
            self.selection.problems.push(self.without_candidate(package));
        }
        None
    }

    /// The only package among those that provide another; it may come for several architectures.
    fn only_one(&mut self, package: PackageId, versions: &[VersionId]) -> Option<VersionId> {
        let catalog = self.states.catalog;
        let mut chosen = *versions.first()?;
        let arch = |version| catalog.package(catalog.owner(version)).arch;
        for version in versions {
            let group = |version| catalog.package(catalog.owner(version)).group;
            if group(*version) != group(chosen) {
                return None;
            }
            if arch(chosen) != catalog.package(package).arch && arch(*version) < arch(chosen) {
                chosen = *version;
            }
        }
        self.selection.notes.push(Note::Instead {
            package: catalog.pretty(catalog.owner(chosen)),
            of: catalog.pretty(package),
        });
        Some(chosen)
    }

    fn without_candidate(&self, package: PackageId) -> Unselected {
        let catalog = self.states.catalog;
        let provided_by = catalog.providers(package).map(|provide| {
            let owner = catalog.owner(provide.owner);
            let state = self.states.state(owner);
            super::note::Provider {
                name: catalog.pretty(owner),
                version: catalog.version_text(provide.owner).to_owned(),
                provided: provide.text.map(|text| catalog.text(text).to_owned()),
                is_candidate: state.candidate == Some(provide.owner),
                is_installed: self.states.current(owner) == Some(provide.owner),
            }
        });
        let provided_by = provided_by.collect();
        let mut replaced_by: Vec<String> = Vec::new();
        for id in catalog.wanted(package) {
            let dependency = catalog.dependency(id);
            let name = catalog.pretty(catalog.owner(dependency.parent));
            if dependency.kind == super::catalog::Kind::Replaces && !replaced_by.contains(&name) {
                replaced_by.push(name);
            }
        }
        Unselected::NoCandidate { name: catalog.pretty(package), provided_by, replaced_by }
    }

    fn note_not_removed(&mut self, package: PackageId, missing: Missing) {
        let catalog = self.states.catalog;
        let name = catalog.pretty(package);
        if catalog.has_providers(package) {
            if missing == Missing::Told {
                self.selection.notes.push(Note::Virtual { name });
            }
            return;
        }
        let mut siblings = catalog.group(package).packages.iter();
        let installed = siblings
            .find(|sibling| **sibling != package && self.states.current(**sibling).is_some());
        let meant = installed.map(|sibling| catalog.pretty(*sibling));
        self.selection.notes.push(Note::NotInstalled { name, meant });
    }
}

/// What makes a pattern of a word.
type PatternReader = fn(&str) -> Option<regex::Regex>;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Glob,
    Expression,
}

/// What follows a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    /// `=`
    Number,
    /// `/`
    Release,
}

/// Splits the version off a word.
fn version_of(word: &str) -> (&str, Option<(Version, &str)>) {
    match word.rfind(['/', '=']) {
        Some(at) => {
            let kind = if word[at..].starts_with('/') { Version::Release } else { Version::Number };
            (&word[..at], Some((kind, &word[at + 1..])))
        }
        None => (word, None),
    }
}

/// How many names are proposed for one that is not known.
const CLOSEST: usize = 3;

/// The names that are most like one that is not known.
fn closest(states: &States<'_, '_>, name: &str) -> Vec<String> {
    let catalog = states.catalog;
    let name = name.split(':').next().unwrap_or_default();
    let mut close: Vec<(f64, &str)> = Vec::new();
    for package in states.walk() {
        let other = catalog.name(*package);
        let is_near = other.len().abs_diff(name.len()) <= 3;
        if is_near && !catalog.package(*package).versions.is_empty() {
            let likeness = strsim::jaro_winkler(name, other);
            if likeness > 0.88 {
                close.push((likeness, other));
            }
        }
    }
    close.sort_by(|(one, one_name), (other, other_name)| {
        other.total_cmp(one).then_with(|| one_name.cmp(other_name))
    });
    close.dedup_by_key(|(_, name)| *name);
    close.into_iter().take(CLOSEST).map(|(_, name)| name.to_owned()).collect()
}

impl States<'_, '_> {
    /// Marks what words want. What was asked for, nothing else may change.
    pub(super) fn bar(&mut self, package: PackageId) {
        self.state_mut(package).is_held = true;
    }

    /// Installs what was asked for, with what it needs, in the order of the words.
    pub(super) fn install_wanted(&mut self, packages: &[PackageId]) {
        for package in packages {
            self.mark_install(*package, super::mark::Needs::Follow, By::User, 0);
        }
    }
}
