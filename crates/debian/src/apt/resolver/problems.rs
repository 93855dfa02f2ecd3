//! Problems that are left once all is marked: for each broken package it is decided by scores
//! whether it goes, or what it is at odds with.

mod keep;
mod repair;
mod scores;

use super::catalog::{DependencyId, PackageId};
use super::mark::{By, Needs, Removal};
use super::sort::sort;
use super::states::{States, satisfied};

/// How often all packages are looked at, as for apt.
const MOST_ROUNDS: usize = 20;

/// What is known while problems are resolved.
pub(super) struct Problems {
    scores: Vec<i32>,
    flags: Vec<Flags>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    /// It was asked for.
    is_protected: bool,
    /// It was asked to go.
    is_to_go: bool,
    /// It was to be installed before problems were looked at.
    was_installed: bool,
    /// An upgrade was not tried yet.
    can_be_upgraded: bool,
}

/// Whether broken packages are upgraded to mend them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mending {
    ByAnyMeans,
    NotByUpgrades,
}

/// Problems that cannot be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unresolved {
    /// Packages are broken that were not asked for; held ones may be the cause.
    Breaks,
    /// What was asked for is broken.
    Held,
}

impl Problems {
    pub(super) fn new(states: &States<'_, '_>) -> Self {
        let count = states.catalog.packages.len();
        Problems { scores: vec![0; count], flags: vec![Flags::default(); count] }
    }

    fn flags(&mut self, package: PackageId) -> &mut Flags {
        &mut self.flags[package.at()]
    }

    /// Nothing may touch what was asked for.
    pub(super) fn protect(&mut self, states: &mut States<'_, '_>, package: PackageId) {
        self.flags(package).is_protected = true;
        states.protect(package);
    }

    /// Begins anew with what is wanted of a package.
    pub(super) fn clear(&mut self, package: PackageId) {
        let flags = self.flags(package);
        (flags.is_protected, flags.is_to_go) = (false, false);
    }

    /// A package was asked to go.
    pub(super) fn set_to_go(&mut self, package: PackageId) {
        self.flags(package).is_to_go = true;
    }

    fn score(&self, package: PackageId) -> i32 {
        self.scores[package.at()]
    }

    /// All packages, the weightiest first.
    fn by_score(&self, states: &States<'_, '_>) -> Vec<PackageId> {
        let mut packages: Vec<PackageId> = states.walk().copied().collect();
        sort(&mut packages, |one, other| self.score(*one) > self.score(*other));
        packages
    }

    /// Resolves problems; on success nothing is broken.
    pub(super) fn resolve(
        &mut self,
        states: &mut States<'_, '_>,
        mending: Mending,
    ) -> Result<(), Unresolved> {
        self.note_installed(states, mending);
        if states.broken() > 0 || self.has_reinstatable(states) {
            self.make_scores(states);
            let packages = self.by_score(states);
            let mut has_changed = true;
            for round in 0..MOST_ROUNDS {
                if !std::mem::take(&mut has_changed) {
                    break;
                }
                for package in &packages {
                    self.reinstate(states, *package);
                    if states.state(*package).chosen.is_some() && states.is_broken(*package) {
                        has_changed |= self.repair(states, *package, mending, round);
                    }
                }
            }
        }
        if states.broken() > 0 {
            let mut broken = states.walk().filter(|package| states.is_broken(**package));
            let are_wanted = broken.all(|package| states.is_protected(*package));
            return Err(if are_wanted { Unresolved::Held } else { Unresolved::Breaks });
        }
        for package in states.walk() {
            if states.state(*package).is_new() && !self.flags[package.at()].was_installed {
                states.state_mut(*package).is_automatic = true;
            }
        }
        Ok(())
    }

    fn note_installed(&mut self, states: &mut States<'_, '_>, mending: Mending) {
        loop {
            let mut again = false;
            for package in states.walk() {
                let is_installed = states.state(*package).is_installed();
                if !is_installed && states.is_broken(*package) && mending == Mending::ByAnyMeans {
                    states.mark_install(*package, Needs::Leave, By::Solver, 0);
                    again |= states.state(*package).is_installed();
                }
                let flags = self.flags(*package);
                (flags.was_installed, flags.can_be_upgraded) = (is_installed, true);
            }
            if !again {
                return;
            }
        }
    }

    fn is_reinstatable(&self, states: &States<'_, '_>, package: PackageId) -> bool {
        let state = states.state(package);
        self.flags[package.at()].was_installed
            && state.candidate != state.chosen
            && state.chosen.is_some()
            && states.current(package).is_some()
            && !state.is_protected
    }

    fn has_reinstatable(&self, states: &States<'_, '_>) -> bool {
        states.walk().any(|package| self.is_reinstatable(states, *package))
    }

    /// Tries to install what was to be installed, and was given up for something that may be gone.
    fn reinstate(&mut self, states: &mut States<'_, '_>, package: PackageId) {
        if !self.is_reinstatable(states, package) {
            return;
        }
        let broken = states.broken();
        *self.flags(package) = Flags::default();
        states.mark_install(package, Needs::Leave, By::Solver, 0);
        if states.is_broken(package) || broken < states.broken() {
            states.mark_keep(package, By::Solver, 0);
        }
    }

    /// Upgrades a package, and what it needs for that, as far as that breaks nothing.
    fn upgrade(&mut self, states: &mut States<'_, '_>, package: PackageId, depth: usize) -> bool {
        let flags = self.flags(package);
        if depth > 3000 || !flags.can_be_upgraded || flags.is_protected {
            return false;
        }
        if !states.state(package).can_be_upgraded() {
            return false;
        }
        self.flags(package).can_be_upgraded = false;
        let was_kept = states.state(package).is_kept();
        if !states.mark_install(package, Needs::Leave, By::Solver, 0) {
            return false;
        }
        let Some(version) = states.state(package).chosen else {
            return false;
        };
        let catalog = states.catalog;
        let is_fine = catalog.relations(version).all(|alternatives| {
            let is_critical =
                alternatives.last().is_some_and(|id| catalog.dependency(*id).kind.is_critical());
            !is_critical || self.upgrade_for(states, alternatives, depth)
        });
        if !is_fine {
            if was_kept {
                states.mark_keep(package, By::Solver, 0);
            } else {
                states.mark_delete(package, Removal::Remove, By::Solver, 0);
            }
        }
        is_fine
    }

    fn upgrade_for(
        &mut self,
        states: &mut States<'_, '_>,
        alternatives: &[DependencyId],
        depth: usize,
    ) -> bool {
        let mut is_fine = true;
        for id in alternatives {
            if states.satisfied_any(alternatives) & satisfied::CHOSEN != 0 {
                break;
            }
            let target = states.smart_target(*id);
            if states.is_protected(target) {
                is_fine = false;
            } else if states.satisfied(*id) & satisfied::CANDIDATE != 0 {
                is_fine = self.upgrade(states, target, depth + 1);
                if is_fine {
                    break;
                }
            } else if states.catalog.dependency(*id).kind.is_negative() {
                // The next round deals with conflicts, and knows more.
                break;
            } else {
                is_fine = false;
            }
        }
        is_fine
    }
}

impl States<'_, '_> {
    /// The package that a dependency is about: the only provider of one that is nothing but virtual.
    pub(super) fn smart_target(&self, id: DependencyId) -> PackageId {
        let catalog = self.catalog;
        let target = catalog.dependency(id).target;
        let parent = catalog.owner(catalog.dependency(id).parent);
        if !catalog.has_providers(target) || !catalog.package(target).versions.is_empty() {
            return target;
        }
        let owners = catalog.providers(target).map(|provide| catalog.owner(provide.owner));
        owners.into_iter().find(|owner| *owner != parent).unwrap_or(target)
    }
}
