//! What is to be done, as data, and the lists that apt prints of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::catalog::{Catalog, Kind, Origin, PackageId, VersionId};
use super::note::Note;
use super::ordering::{self, Step};
use super::states::{Need, States};
use super::{Request, ResolveError, Wanted};
use crate::dpkg::status;

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Solution {
    /// By name.
    pub changes: Vec<Change>,
    /// In which order dpkg gets it.
    pub steps: Vec<Step>,
    /// Packages that are there and whose mark changes; `true` is automatic.
    pub marks: Vec<(status::PackageId, bool)>,
    /// The packages that come and will be marked as automatic, in the order in which apt writes them
    /// down.
    pub new_automatic: Vec<status::PackageId>,
    /// What is told before the lists.
    pub notes: Vec<Note>,
    /// What apt prints.
    pub summary: Summary,
}

/// One package that changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The package, with the architecture of the version that comes, or else of the one that goes.
    pub package: status::PackageId,
    /// What becomes of it.
    pub kind: ChangeKind,
    /// The version that is there.
    pub from: Option<Box<str>>,
    /// The version that comes.
    pub to: Option<Box<str>>,
    /// Where that is to be had, by preference.
    pub places: Vec<Place>,
    /// Whether it will be marked as automatically installed.
    pub is_automatic: bool,
}

/// What becomes of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum ChangeKind {
    New,
    Upgrade,
    Downgrade,
    Reinstall,
    Remove,
    Purge,
}

/// Where a version is to be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Place {
    /// In an archive: its position, and the package's in its index.
    Archive {
        /// The archive.
        archive: usize,
        /// The package.
        at: usize,
    },
    /// Among the files that were given, by position.
    Local(usize),
}

/// The lists that apt prints, each by name, in the order in which it prints them. Names have their
/// architecture where that is not the native one; purged ones have a star behind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Summary {
    /// "The following packages were automatically installed and are no longer required:"
    pub unused: Vec<String>,
    /// "The following additional packages will be installed:"
    pub additional: Vec<String>,
    /// "Suggested packages:"; alternatives begin with `| `.
    pub suggested: Vec<String>,
    /// "Recommended packages:"
    pub recommended: Vec<String>,
    /// "The following packages will be REMOVED:"
    pub removed: Vec<String>,
    /// "The following NEW packages will be installed:"
    pub new: Vec<String>,
    /// "The following packages have been kept back:", which upgrades tell.
    pub kept_back: Vec<String>,
    /// "The following held packages will be changed:"
    pub held: Vec<String>,
    /// "The following packages will be upgraded:"
    pub upgraded: Vec<String>,
    /// "The following packages will be DOWNGRADED:"
    pub downgraded: Vec<String>,
    /// "WARNING: The following essential packages will be removed."
    pub essential: Vec<String>,
    /// How many are installed anew.
    pub reinstalled: usize,
    /// How many are not fully installed or removed.
    pub unfinished: usize,
    /// How many bytes are downloaded.
    pub download: u64,
    /// By how many bytes what is installed grows.
    pub growth: i64,
}

/// Makes a solution of what was decided.
pub(super) fn solve(
    request: &Request<'_>,
    states: &mut States<'_, '_>,
    wanted: &Wanted,
    notes: Vec<Note>,
    unused: usize,
) -> Result<Solution, ResolveError> {
    let sorted = states.sorted();
    let summary = summarize(request, states, &sorted, wanted, unused);
    if !summary.removed.is_empty() && !request.rules.removes {
        return Err(ResolveError::RemovesNothing);
    }
    let changes = sorted.iter().filter_map(|package| change(request, states, *package)).collect();
    let marks = sorted.iter().filter_map(|package| mark(request, states, *package)).collect();
    let new_automatic = new_automatic(states);
    let steps = ordering::order(states)?;
    Ok(Solution { changes, steps, marks, new_automatic, notes, summary })
}

/// A package as dpkg's database names it.
pub(super) fn named(catalog: &Catalog<'_>, version: VersionId) -> status::PackageId {
    let known = catalog.version(version);
    let arch = if known.is_for_all { "all" } else { catalog.arch(known.package) };
    status::PackageId { name: catalog.name(known.package).into(), architecture: arch.into() }
}

fn kind_of(states: &States<'_, '_>, package: PackageId) -> Option<ChangeKind> {
    let state = states.state(package);
    Some(if state.is_deleted() {
        if state.is_purged { ChangeKind::Purge } else { ChangeKind::Remove }
    } else if state.is_new() {
        ChangeKind::New
    } else if state.is_upgraded() {
        ChangeKind::Upgrade
    } else if state.is_downgraded() {
        ChangeKind::Downgrade
    } else if state.is_reinstalled || states.need(package) == Need::Unpack {
        ChangeKind::Reinstall
    } else {
        return None;
    })
}

fn change(request: &Request<'_>, states: &States<'_, '_>, package: PackageId) -> Option<Change> {
    let catalog = states.catalog;
    let kind = kind_of(states, package)?;
    let (from, to) = (states.current(package), states.state(package).chosen);
    let version = to.or(from).or_else(|| catalog.package(package).versions.first().copied())?;
    let text = |id: VersionId| -> Box<str> { catalog.version_text(id).into() };
    let origins = to.map(|to| &catalog.version(to).origins[..]).unwrap_or_default();
    Some(Change {
        package: named(catalog, version),
        kind,
        from: from.map(text),
        to: to.map(text),
        places: places(request, origins),
        is_automatic: states.state(package).is_automatic,
    })
}

/// Where a version is to be had: files that were given first.
fn places(request: &Request<'_>, origins: &[Origin]) -> Vec<Place> {
    let archives = request.archives.len();
    let mut places = Vec::new();
    for origin in origins {
        if origin.file < archives {
            places.push(Place::Archive { archive: origin.file, at: origin.row });
        } else if origin.file > archives {
            places.insert(0, Place::Local(origin.row));
        }
    }
    places
}

fn new_automatic(states: &States<'_, '_>) -> Vec<status::PackageId> {
    let catalog = states.catalog;
    let comes = |package: &&PackageId| {
        let state = states.state(**package);
        state.is_installed() && state.is_automatic
    };
    let come = states.walk().filter(comes);
    let named = come.map(|package| status::PackageId {
        name: catalog.name(*package).into(),
        architecture: catalog.arch(*package).into(),
    });
    named.collect()
}

fn mark(
    request: &Request<'_>,
    states: &States<'_, '_>,
    package: PackageId,
) -> Option<(status::PackageId, bool)> {
    let catalog = states.catalog;
    let state = states.state(package);
    let current = states.current(package).filter(|_| !state.is_deleted())?;
    let mut id = named(catalog, current);
    let is_known = |id: &status::PackageId| request.automatic.contains(id);
    let native = status::PackageId { architecture: catalog.arch(package).into(), ..id.clone() };
    let bare = status::PackageId { architecture: "".into(), ..id.clone() };
    let was_automatic = is_known(&id) || is_known(&native) || is_known(&bare);
    if was_automatic == state.is_automatic {
        return None;
    }
    id.architecture = native.architecture;
    Some((id, state.is_automatic))
}

fn summarize(
    request: &Request<'_>,
    states: &mut States<'_, '_>,
    sorted: &[PackageId],
    wanted: &Wanted,
    unused: usize,
) -> Summary {
    let mut summary = Summary::default();
    if unused > 0 && !request.rules.removes_unused {
        states.sweep();
        summary.unused = names(states, sorted, |states, package| {
            states.state(package).is_garbage && !states.state(package).is_deleted()
        });
    }
    let states = &*states;
    let list = |is_in: &dyn Fn(&States<'_, '_>, PackageId) -> bool| names(states, sorted, is_in);
    let changed = list(&|states, package| {
        states.state(package).is_installed() || states.state(package).is_reinstalled
    });
    if changed.len() != wanted.installs.len() {
        summary.additional = list(&|states, package| {
            let state = states.state(package);
            state.is_installed() && !state.candidate.is_some_and(|id| wanted.installs.contains(&id))
        });
    }
    (summary.recommended, summary.suggested) = proposals(states, sorted);
    for package in sorted {
        if states.state(*package).is_deleted() {
            let star = if states.state(*package).is_purged { "*" } else { "" };
            summary.removed.push(states.catalog.pretty(*package) + star);
        }
    }
    summary.new = list(&|states, package| states.state(package).is_new());
    summary.kept_back = list(&|states, package| {
        let state = states.state(package);
        !state.is_upgraded() && !state.is_deleted() && wanted.upgradable.contains(&package)
    });
    summary.held = list(&|states, package| {
        let is_held = states.catalog.package(package).want == status::Want::Hold;
        is_held && states.state(package).chosen != states.current(package)
    });
    summary.upgraded = list(&|states, package| {
        states.state(package).is_upgraded() && !states.state(package).is_new()
    });
    summary.downgraded = list(&|states, package| states.state(package).is_downgraded());
    summary.essential = essential(states, sorted);
    count(states, sorted, &mut summary);
    summary
}

fn names(
    states: &States<'_, '_>,
    sorted: &[PackageId],
    is_in: impl Fn(&States<'_, '_>, PackageId) -> bool,
) -> Vec<String> {
    let packages = sorted.iter().filter(|package| is_in(states, **package));
    packages.map(|package| states.catalog.pretty(*package)).collect()
}

fn count(states: &States<'_, '_>, sorted: &[PackageId], summary: &mut Summary) {
    let catalog = states.catalog;
    let size = |version: Option<VersionId>| {
        version.map_or(0, |version| catalog.version(version).installed_size as i64)
    };
    for package in sorted {
        let state = states.state(*package);
        let need = states.need(*package);
        summary.reinstalled += usize::from(state.is_reinstalled && !state.is_deleted());
        summary.unfinished += usize::from(need != Need::Nothing);
        let current = states.current(*package);
        let is_changed = state.chosen != current || state.is_reinstalled;
        if (need == Need::Configure && state.is_kept()) || !is_changed {
            continue;
        }
        let grows = size(state.chosen).saturating_sub(size(current));
        summary.growth = summary.growth.saturating_add(grows);
        let download = state.chosen.map_or(0, |version| catalog.version(version).download);
        summary.download = summary.download.saturating_add(download);
    }
}

/// What installed packages recommend and suggest, and nobody installs.
fn proposals(states: &States<'_, '_>, sorted: &[PackageId]) -> (Vec<String>, Vec<String>) {
    let catalog = states.catalog;
    let (mut recommended, mut suggested) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for package in sorted {
        let state = states.state(*package);
        let Some(candidate) = state.candidate.filter(|_| state.is_installed()) else {
            continue;
        };
        for alternatives in catalog.relations(candidate) {
            let kind = catalog.dependency(alternatives[0]).kind;
            let into = match kind {
                Kind::Recommends => &mut recommended,
                Kind::Suggests => &mut suggested,
                _ => continue,
            };
            let names: Vec<String> = alternatives
                .iter()
                .map(|id| catalog.pretty(catalog.dependency(*id).target))
                .collect();
            let is_there = alternatives.iter().any(|id| {
                let owner = |version: &VersionId| catalog.owner(*version);
                let stays = |version| !states.state(owner(version)).is_deleted();
                let comes = |version| states.state(owner(version)).is_upgraded();
                states.installed_solutions(*id).iter().any(stays)
                    || states.candidates_of(*id).iter().any(comes)
            });
            if !seen.insert((kind == Kind::Recommends, names.join(" | "))) || is_there {
                continue;
            }
            for (at, name) in names.into_iter().enumerate() {
                into.push(if at == 0 { name } else { format!("| {name}") });
            }
        }
    }
    (recommended, suggested)
}

/// What is essential and goes, and what that depends on and goes, too.
fn essential(states: &States<'_, '_>, sorted: &[PackageId]) -> Vec<String> {
    let catalog = states.catalog;
    let (mut added, mut names) = (BTreeSet::new(), Vec::new());
    for package in sorted {
        let known = catalog.package(*package);
        let is_needed = known.is_essential || known.is_important;
        if !is_needed || !states.state(*package).is_deleted() {
            continue;
        }
        if added.insert(*package) {
            names.push(catalog.pretty(*package));
        }
        let dependencies = known.current.map(|current| &catalog.version(current).dependencies[..]);
        for id in dependencies.unwrap_or_default() {
            let target = states.smart_target(*id);
            let kind = catalog.dependency(*id).kind;
            if matches!(kind, Kind::Depends | Kind::PreDepends)
                && states.state(target).is_deleted()
                && added.insert(target)
            {
                let due = catalog.pretty(*package);
                names.push(format!("{} (due to {due})", catalog.pretty(target)));
            }
        }
    }
    names
}
