//! The gentle way: packages stay as they are until nothing is broken, and nothing is installed or
//! removed for it.

use super::super::catalog::{DependencyId, PackageId};
use super::super::mark::By;
use super::super::states::{States, satisfied};
use super::Problems;

impl Problems {
    /// Keeps packages back until what is chosen works. What cannot be mended so is left.
    pub(in super::super) fn resolve_by_keeping(&mut self, states: &mut States<'_, '_>) {
        self.make_scores(states);
        let packages = self.by_score(states);
        let mut last = None;
        let mut at = 0;
        while let Some(package) = packages.get(at) {
            if states.state(*package).chosen.is_none() || !states.got_worse(*package) {
                at += 1;
                continue;
            }
            if !states.is_protected(*package) {
                states.mark_keep(*package, By::Solver, 0);
                if !states.got_worse(*package) {
                    at = 0;
                    continue;
                }
            }
            keep_others(states, *package);
            // The same package twice in a row is a loop, which nothing would end.
            if states.got_worse(*package) || last == Some(at) {
                at += 1;
                continue;
            }
            last = Some(at);
            at = 0;
        }
    }
}

/// Keeps what a package needs as it is, until the package is well.
fn keep_others(states: &mut States<'_, '_>, package: PackageId) {
    let catalog = states.catalog;
    let Some(version) = states.state(package).chosen else {
        return;
    };
    for alternatives in catalog.relations(version) {
        let is_critical =
            alternatives.last().is_some_and(|id| catalog.dependency(*id).kind.is_critical());
        if !is_critical || states.satisfied_any(alternatives) & satisfied::CHOSEN != 0 {
            continue;
        }
        for id in alternatives {
            keep_targets(states, package, *id);
            if !states.got_worse(package) {
                return;
            }
        }
    }
}

fn keep_targets(states: &mut States<'_, '_>, package: PackageId, id: DependencyId) {
    for version in states.catalog.targets(id) {
        let other = states.catalog.owner(version);
        if states.state(other).chosen.is_none() || states.current(other).is_none() {
            continue;
        }
        if !states.is_protected(other) {
            states.mark_keep(other, By::Solver, 0);
        }
        if !states.got_worse(package) {
            return;
        }
    }
}

impl States<'_, '_> {
    /// Whether a package would be broken, or lack something that it does not lack now.
    fn got_worse(&self, package: PackageId) -> bool {
        self.is_broken(package) || (!self.lacks_now(package) && self.lacks(package))
    }
}
