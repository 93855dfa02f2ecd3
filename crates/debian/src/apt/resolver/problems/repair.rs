//! One broken package: it stays as it was, goes, or something else does.

use super::super::catalog::{DependencyId, Kind, PackageId};
use super::super::mark::{By, Needs, Removal};
use super::super::states::{States, satisfied};
use super::{Mending, Problems};

/// The package that is looked at, and what came of it so far.
struct Case<'k> {
    package: PackageId,
    mending: Mending,
    round: usize,
    has_changed: bool,
    /// What goes in the package's stead, each with the relation that wants it gone.
    kills: Vec<(PackageId, &'k [DependencyId])>,
}

/// The relation that is looked at.
struct Group<'k> {
    alternatives: &'k [DependencyId],
    /// Whether there is more than one way, and none is known to hold.
    is_open: bool,
    /// Whether leaving the package as it was would mend it.
    keep_helps: bool,
}

/// What comes next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Alternative,
    Nothing,
}

impl Problems {
    /// Mends one package, or does a step towards it. Gives whether something changed.
    pub(super) fn repair(
        &mut self,
        states: &mut States<'_, '_>,
        package: PackageId,
        mending: Mending,
        round: usize,
    ) -> bool {
        let catalog = states.catalog;
        let Some(version) = states.state(package).chosen else {
            return false;
        };
        let mut case = Case { package, mending, round, has_changed: false, kills: Vec::new() };
        for alternatives in catalog.relations(version) {
            let is_critical =
                alternatives.last().is_some_and(|id| catalog.dependency(*id).kind.is_critical());
            if is_critical && self.repair_group(states, &mut case, alternatives) == Next::Nothing {
                break;
            }
        }
        self.kill(states, &mut case);
        case.has_changed
    }

    fn repair_group<'k>(
        &mut self,
        states: &mut States<'_, '_>,
        case: &mut Case<'k>,
        alternatives: &'k [DependencyId],
    ) -> Next {
        let is_open = alternatives.len() > 1;
        let mut group = Group { alternatives, is_open, keep_helps: false };
        let kills = case.kills.len();
        for id in alternatives {
            if states.satisfied_any(alternatives) & satisfied::CHOSEN != 0 {
                group.is_open = false;
                continue;
            }
            let next = self.repair_dependency(states, case, &mut group, *id);
            if next == Next::Nothing {
                return Next::Nothing;
            }
        }
        if group.is_open && kills == case.kills.len() {
            if group.keep_helps {
                states.mark_keep(case.package, By::Solver, 0);
                case.has_changed = true;
            } else if !states.is_protected(case.package) {
                states.mark_delete(case.package, Removal::Remove, By::Solver, 0);
                case.has_changed = true;
            }
        }
        Next::Alternative
    }

    fn repair_dependency<'k>(
        &mut self,
        states: &mut States<'_, '_>,
        case: &mut Case<'k>,
        group: &mut Group<'k>,
        id: DependencyId,
    ) -> Next {
        let catalog = states.catalog;
        let is_negative = catalog.dependency(id).kind.is_negative();
        let targets = catalog.targets(id);
        let has_no_way = targets.is_empty() && !is_negative && !states.is_protected(case.package);
        if has_no_way && !states.is_broken_now(case.package) {
            // That keeping it helps may be owed to another alternative.
            if group.is_open {
                return Next::Alternative;
            }
            case.has_changed = true;
            states.mark_keep(case.package, By::Solver, 0);
            return Next::Nothing;
        }
        let mut is_done = false;
        for version in targets {
            let other = catalog.owner(version);
            if is_negative && states.state(other).chosen != Some(version) {
                continue;
            }
            let is_weaker = self.score(case.package) <= self.score(other);
            let was_broken = states.satisfied(id) & satisfied::NOW == 0 && !is_negative;
            if is_weaker || was_broken {
                if states.is_protected(case.package) {
                    if self.upgrade(states, other, 0) {
                        let score = self.score(case.package).min(self.score(other));
                        self.scores[other.at()] = score;
                        break;
                    }
                    continue;
                }
                self.change_itself(states, case, group, id, other);
                is_done = true;
                break;
            }
            if catalog.dependency(id).kind == Kind::Breaks
                && states.satisfied_any(group.alternatives) & satisfied::CANDIDATE != 0
            {
                states.mark_install(other, Needs::Leave, By::Solver, 0);
                continue;
            }
            if states.is_protected(other) && !states.state(other).is_deleted() {
                continue;
            }
            case.kills.push((other, group.alternatives));
            if !is_negative {
                break;
            }
        }
        if has_no_way {
            if !self.keep_or_restore(states, case, group) && !group.is_open {
                states.mark_delete(case.package, Removal::Remove, By::Solver, 0);
            }
            case.has_changed = true;
            is_done = true;
        }
        if is_done && !group.is_open { Next::Nothing } else { Next::Alternative }
    }

    /// Leaves the package as it was, if that mends it; if other alternatives are still to be looked
    /// at, only that it would is noted.
    fn keep_or_restore(
        &mut self,
        states: &mut States<'_, '_>,
        case: &Case<'_>,
        group: &mut Group<'_>,
    ) -> bool {
        let was_installed = states.state(case.package).is_installed();
        states.mark_keep(case.package, By::Solver, 0);
        if states.is_broken(case.package) {
            return false;
        }
        group.keep_helps = true;
        if group.is_open && was_installed {
            states.mark_install(case.package, Needs::Leave, By::Solver, 0);
        }
        true
    }

    /// The package changes rather than the other: it stays as it was, is upgraded, or goes.
    fn change_itself(
        &mut self,
        states: &mut States<'_, '_>,
        case: &mut Case<'_>,
        group: &mut Group<'_>,
        id: DependencyId,
        other: PackageId,
    ) {
        case.has_changed = true;
        let package = case.package;
        if self.keep_or_restore(states, case, group) {
            return;
        }
        if case.mending == Mending::ByAnyMeans && self.upgrade(states, package, 0) {
            return;
        }
        if !group.is_open || states.state(package).is_garbage {
            states.mark_delete(package, Removal::Remove, By::Solver, 0);
            if case.round > 1 && self.score(other) > self.score(package) {
                self.scores[package.at()] = self.score(other);
            }
            return;
        }
        self.try_target(states, id);
    }

    /// Before a package goes, what it depends on is tried, if that is not there.
    fn try_target(&mut self, states: &mut States<'_, '_>, id: DependencyId) {
        let target = states.catalog.dependency(id).target;
        let state = states.state(target);
        if states.current(target).is_some()
            || state.is_deleted()
            || state.candidate.is_none()
            || self.flags[target.at()].is_to_go
        {
            return;
        }
        let broken = states.broken();
        states.mark_install(target, Needs::Follow, By::Solver, 1);
        if states.is_broken(target) || states.broken() > broken {
            states.mark_delete(target, Removal::Remove, By::Solver, 1);
        }
    }

    fn kill(&mut self, states: &mut States<'_, '_>, case: &mut Case<'_>) {
        if states.state(case.package).chosen.is_none() {
            return;
        }
        for (other, alternatives) in std::mem::take(&mut case.kills) {
            let is_negative = alternatives
                .last()
                .is_some_and(|id| states.catalog.dependency(*id).kind.is_negative());
            let is_done = if states.satisfied_any(alternatives) & satisfied::NOW == 0 {
                is_negative && states.mark_delete(other, Removal::Remove, By::Solver, 0)
            } else {
                states.mark_keep(other, By::Solver, 0)
            };
            let (score, known) = (self.score(case.package), self.score(other));
            if (!is_done || case.round > 1) && score > known {
                self.scores[other.at()] = score;
                case.has_changed = true;
            }
            case.has_changed |= is_done;
        }
    }
}
