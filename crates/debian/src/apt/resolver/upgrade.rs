//! Upgrading everything, in three ways.

use super::catalog::{Catalog, PackageId, VersionId};
use super::mark::{By, Needs};
use super::problems::{Mending, Problems, Unresolved};
use super::rules::Phased;
use super::states::{Need, States};
use crate::dpkg::status::State as Progress;

/// What an upgrade may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// Neither install nor remove: `upgrade`.
    Gentle,
    /// Not remove: `upgrade --with-new-pkgs`.
    WithNew,
    /// Anything: `dist-upgrade`.
    Full,
}

/// Upgrades everything.
pub(super) fn upgrade(states: &mut States<'_, '_>, extent: Extent) -> Result<(), Unresolved> {
    match extent {
        Extent::Full => return upgrade_fully(states),
        Extent::Gentle => upgrade_gently(states),
        Extent::WithNew => upgrade_with_new(states),
    }
    Ok(())
}

fn is_installed(states: &States<'_, '_>, package: PackageId) -> bool {
    states.current(package).is_some()
}

fn upgrade_fully(states: &mut States<'_, '_>) -> Result<(), Unresolved> {
    hold_phased(states, None);
    // First without what they need, so that of several ways the installed one is upgraded and not
    // another one installed.
    for needs in [Needs::Leave, Needs::Follow] {
        for package in states.walk() {
            if is_installed(states, *package) {
                states.mark_install(*package, needs, By::Solver, 0);
            }
        }
    }
    install_essential(states);
    for package in states.walk() {
        if is_installed(states, *package) {
            states.mark_install(*package, Needs::Leave, By::Solver, 0);
        }
    }
    let mut problems = Problems::new(states);
    if !states.rules.ignores_holds {
        for package in states.walk() {
            if states.state(*package).is_held {
                problems.protect(states, *package);
                states.mark_keep(*package, By::Solver, 0);
            }
        }
    }
    hold_phased(states, Some(&mut problems));
    problems.resolve(states, Mending::NotByUpgrades)
}

/// Installs what is essential and is not there.
fn install_essential(states: &mut States<'_, '_>) {
    let catalog: &Catalog<'_> = states.catalog;
    let mut last = None;
    for package in states.walk() {
        let group = catalog.package(*package).group;
        if last.replace(group) == Some(group) {
            continue;
        }
        let essential = || {
            let packages = catalog.groups[group.at()].packages.iter();
            packages.filter(|package| catalog.package(**package).is_essential)
        };
        let is_chosen = essential().any(|package| states.state(*package).is_installed());
        if essential().next().is_some()
            && !is_chosen
            && let Some(package) = catalog.preferred(group)
        {
            states.mark_install(package, Needs::Follow, By::Solver, 0);
        }
    }
}

fn upgrade_gently(states: &mut States<'_, '_>) {
    let mut problems = Problems::new(states);
    for package in states.walk() {
        if states.state(*package).is_installed() {
            problems.protect(states, *package);
        }
        if is_to_be_upgraded(states, *package) {
            states.mark_install(*package, Needs::Leave, By::Solver, 0);
        }
    }
    hold_phased(states, Some(&mut problems));
    problems.resolve_by_keeping(states);
}

fn upgrade_with_new(states: &mut States<'_, '_>) {
    let mut problems = Problems::new(states);
    for package in states.walk() {
        if is_to_be_upgraded(states, *package) {
            states.mark_install(*package, Needs::Leave, By::Solver, 0);
        }
    }
    for package in states.walk() {
        if states.state(*package).is_installed() {
            states.mark_install(*package, Needs::Follow, By::Solver, 0);
        }
    }
    for package in states.walk() {
        if states.state(*package).is_deleted() {
            states.mark_keep(*package, By::Solver, 0);
        }
    }
    hold_phased(states, Some(&mut problems));
    problems.resolve_by_keeping(states);
}

fn is_to_be_upgraded(states: &States<'_, '_>, package: PackageId) -> bool {
    is_installed(states, package)
        && states.state(package).chosen.is_some()
        && (states.rules.ignores_holds || !states.state(package).is_held)
        && !is_phased(states, package)
}

/// Whether what is chosen is not for this machine yet. What concerns security is for all.
fn is_phased(states: &States<'_, '_>, package: PackageId) -> bool {
    let catalog = states.catalog;
    let Some(chosen) = states.state(package).chosen else {
        return false;
    };
    states.rules.phased == Phased::Never
        && is_installed(states, package)
        && catalog.version(chosen).phase != 100
        && !brings_security(states, package, chosen)
}

/// Whether an earlier version than the chosen one, later than the installed, was for security.
fn brings_security(states: &States<'_, '_>, package: PackageId, chosen: VersionId) -> bool {
    let catalog = states.catalog;
    let versions = catalog.package(package).versions.iter();
    let between = versions
        .skip_while(|id| **id != chosen)
        .skip(1)
        .take_while(|id| Some(**id) != states.current(package));
    let mut origins = between.flat_map(|id| &catalog.version(*id).origins);
    origins.any(|origin| catalog.files[origin.file].is_security)
}

fn hold_phased(states: &mut States<'_, '_>, mut problems: Option<&mut Problems>) {
    for package in states.walk() {
        if is_phased(states, *package) {
            states.mark_keep(*package, By::Solver, 0);
            states.protect(*package);
            if let Some(problems) = &mut problems {
                problems.protect(states, *package);
            }
        }
    }
}

/// Deals with packages that dpkg left half done.
pub(super) fn apply_status(states: &mut States<'_, '_>) -> Result<(), PackageId> {
    let catalog = states.catalog;
    for package in states.walk() {
        let known = catalog.package(*package);
        let is_there = known.current.is_some_and(|current| catalog.is_downloadable(current));
        let candidate = states.state(*package).candidate;
        let can_be_had = candidate.is_some_and(|candidate| catalog.is_downloadable(candidate));
        if known.versions.is_empty() {
            continue;
        }
        if known.needs_reinstall {
            if is_there {
                states.mark_keep(*package, By::Solver, 0);
            } else if can_be_had {
                states.mark_install(*package, Needs::Leave, By::Solver, 0);
            } else {
                return Err(*package);
            }
            continue;
        }
        match known.state {
            Progress::HalfInstalled => {
                states.mark_delete(*package, super::mark::Removal::Remove, By::Solver, 0);
            }
            Progress::Unpacked
            | Progress::HalfConfigured
            | Progress::TriggersAwaited
            | Progress::TriggersPending => {
                states.mark_keep(*package, By::Solver, 0);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Mends what is broken, with as few upgrades as will do.
pub(super) fn fix_broken(states: &mut States<'_, '_>) -> Result<(), Unresolved> {
    for package in states.walk() {
        if states.is_broken_now(*package) {
            states.mark_install(*package, Needs::Follow, By::Solver, 0);
        }
    }
    for package in states.walk() {
        let chosen = states.state(*package).chosen;
        let can_be_had = chosen.is_some_and(|chosen| states.catalog.is_downloadable(chosen));
        if states.need(*package) == Need::Unpack
            && !states.state(*package).is_deleted()
            && can_be_had
        {
            states.mark_install(*package, Needs::Follow, By::Solver, 0);
        }
    }
    Problems::new(states).resolve(states, Mending::ByAnyMeans)?;
    minimize(states);
    Ok(())
}

fn minimize(states: &mut States<'_, '_>) {
    for _ in 0..10 {
        let mut has_changed = false;
        for package in states.walk() {
            let state = states.state(*package);
            if !state.is_upgraded() || state.is_new() {
                continue;
            }
            states.mark_keep(*package, By::Solver, 0);
            if states.broken() > 0 {
                states.mark_install(*package, Needs::Leave, By::Solver, 0);
            } else if !states.state(*package).is_upgraded() {
                has_changed = true;
            }
        }
        if !has_changed {
            return;
        }
    }
}
