//! Installing a package, and what follows from that.

use std::collections::BTreeSet;

use super::super::catalog::{Catalog, DependencyId, PackageId, VersionId};
use super::super::rules::Rules;
use super::super::states::{Mode, Standing, States, satisfied};
use super::{By, Needs, Removal};
use crate::index::MultiArch;

/// What installing a package leads to, found out before anything is changed.
#[derive(Default)]
pub(super) struct Follow {
    /// Relations that want something installed, by the position of the relation in the version's.
    pub(super) installs: Vec<Vec<DependencyId>>,
    /// Conflicts.
    pub(super) removes: Vec<DependencyId>,
    /// Packages that have to be upgraded, or go.
    pub(super) upgrades: Vec<PackageId>,
    /// Packages that have to go, once all else is known to work.
    pub(super) late_removes: Vec<PackageId>,
}

/// The call that something is done for.
#[derive(Clone, Copy)]
pub(super) struct Call {
    pub(super) package: PackageId,
    pub(super) by: By,
    pub(super) needs: Needs,
    pub(super) depth: usize,
    /// Whether what it leads to is as fixed as the package.
    pub(super) protects: bool,
}

impl Call {
    /// Whether it goes on with the rest when a part failed, to get as far as it can.
    pub(super) fn goes_on(self) -> bool {
        self.protects || self.by == By::User
    }
}

impl States<'_, '_> {
    /// Installs a package's candidate. Gives whether that, and what it needs, could be done.
    pub(crate) fn mark_install(
        &mut self,
        package: PackageId,
        needs: Needs,
        by: By,
        depth: usize,
    ) -> bool {
        let (state, current) = (self.state(package).clone(), self.current(package));
        let is_fixed = state.is_protected
            && state.is_kept()
            && state.candidate.is_some()
            && state.candidate == current;
        if !is_fixed && !self.may_become(Some(Mode::Install), package, depth, by) {
            return false;
        }
        let Some(candidate) = state.candidate else {
            return false;
        };
        if !state.is_protected && !self.lacks(package) && !self.is_broken(package) {
            if Some(candidate) == current {
                return state.chosen.is_some() || self.mark_keep(package, by, depth + 1);
            }
            if state.is_installed() {
                return true;
            }
        }
        if !self.may_be_installed(package, needs, by) {
            return false;
        }
        if by == By::User {
            self.choose_candidate(package, needs, by);
        }
        let protects = self.is_protected(package);
        let call = Call { package, by, needs, depth, protects };
        if needs == Needs::Leave {
            if by == By::Solver {
                self.choose_candidate(package, needs, by);
            }
            return true;
        }
        self.mark_install_following(call, candidate)
    }

    fn mark_install_following(&mut self, call: Call, candidate: VersionId) -> bool {
        let mut follow = self.collect(call, candidate);
        let mut is_fine = self.settle_conflicts(call, &mut follow);
        if !is_fine && !call.goes_on() {
            return false;
        }
        self.collect_left_behind(call, candidate, &mut follow);
        if call.by == By::Solver {
            self.choose_candidate(call.package, call.needs, call.by);
        }
        // Nothing that follows may undo it.
        self.state_mut(call.package).is_protected = true;
        is_fine &= self.follow(call, candidate, follow);
        if !call.protects {
            self.state_mut(call.package).is_protected = false;
        }
        is_fine
    }

    fn follow(&mut self, call: Call, candidate: VersionId, follow: Follow) -> bool {
        let package = call.package;
        self.upgrade_others_of_source(call, candidate);
        let mut is_fine = true;
        let mut goes_on = |states: &mut Self, is_done: bool| {
            is_fine &= is_done;
            if !is_done && !call.goes_on() {
                states.discard_install(package);
                return false;
            }
            true
        };
        let upgraded = self.upgrade_or_remove(call, &follow.upgrades);
        if !goes_on(self, upgraded) {
            return false;
        }
        let moves = self.moves_automatic(package);
        let mut moved = Vec::new();
        let installed = self.install_needs(call, follow.installs, &mut moved);
        if !goes_on(self, installed) {
            return false;
        }
        for other in follow.late_removes {
            let removed = self.mark_delete(other, Removal::Remove, By::Solver, call.depth);
            if !goes_on(self, removed) {
                return false;
            }
        }
        if moves {
            self.state_mut(package).is_automatic = true;
            for other in moved {
                self.state_mut(other).is_automatic = false;
            }
        }
        is_fine
    }

    /// Puts the candidate in the place of what was chosen.
    fn choose_candidate(&mut self, package: PackageId, needs: Needs, by: By) {
        let current = self.current(package);
        let marks_automatic = self.rules.marks_automatic;
        let state = self.state_mut(package);
        if state.is_protected && state.chosen == state.candidate {
            return;
        }
        state.mode = if state.candidate == current { Mode::Keep } else { Mode::Install };
        state.chosen = state.candidate;
        let is_new = state.standing == Standing::New;
        if by == By::User && !marks_automatic {
            let is_meant = needs != Needs::Leave || !state.is_marked;
            if is_new || (current.is_some() && is_meant) {
                state.is_automatic = false;
            }
        } else if is_new {
            state.is_automatic = true;
        }
        self.update(package);
    }

    fn may_be_installed(&mut self, package: PackageId, needs: Needs, by: By) -> bool {
        self.is_in_step(package, by) && (needs == Needs::Leave || self.is_satisfiable(package))
    }

    /// Packages that are the same for several architectures are upgraded together, or not at all.
    fn is_in_step(&self, package: PackageId, by: By) -> bool {
        let (catalog, state) = (self.catalog, self.state(package));
        if by == By::User || (state.is_installed() && state.chosen == state.candidate) {
            return true;
        }
        let Some(candidate) = state.candidate.filter(|id| Some(*id) != self.current(package))
        else {
            return true;
        };
        let is_same = |version| catalog.version(version).multi_arch == MultiArch::Same;
        if !is_same(candidate) {
            return true;
        }
        catalog.group(package).packages.iter().all(|sibling| {
            let other = self.state(*sibling).candidate;
            *sibling == package
                || self.current(*sibling).is_none()
                || other.is_none_or(|other| {
                    catalog.version_text(other) == catalog.version_text(candidate)
                        || !is_same(other)
                        || !catalog.is_downloadable(other)
                })
        })
    }

    /// Whether what it depends on can be had. What can never be installed is no candidate any more.
    fn is_satisfiable(&mut self, package: PackageId) -> bool {
        let catalog = self.catalog;
        let current = self.current(package);
        let Some(candidate) = self.state(package).candidate.filter(|id| Some(*id) != current)
        else {
            return true;
        };
        let can_be = catalog.relations(candidate).all(|alternatives| {
            let kind = catalog.dependency(alternatives[0]).kind;
            let wanted = satisfied::CHOSEN | satisfied::CANDIDATE;
            kind.is_negative()
                || !kind.is_critical()
                || self.satisfied_any(alternatives) & wanted != 0
        });
        if !can_be && !self.is_protected(package) {
            match current {
                Some(current) => self.set_candidate(current),
                None => self.state_mut(package).candidate = None,
            }
            if !self.state(package).is_deleted() {
                self.state_mut(package).mode = Mode::Keep;
                self.stand(package);
            }
        }
        can_be
    }

    /// The relations of the candidate that are not satisfied, or that pass protection on.
    fn collect(&self, call: Call, candidate: VersionId) -> Follow {
        let mut follow = Follow::default();
        for alternatives in self.catalog.relations(candidate) {
            let first = alternatives[0];
            let is_satisfied = self.satisfied_any(alternatives) & satisfied::CHOSEN != 0;
            if (is_satisfied && !call.protects) || !self.is_important(first) {
                continue;
            }
            if self.catalog.dependency(first).kind.is_negative() {
                follow.removes.push(first);
            } else {
                follow.installs.push(alternatives.to_vec());
            }
        }
        follow
    }

    /// Installed packages that want what is installed now, and not what comes in its place.
    fn collect_left_behind(&self, call: Call, candidate: VersionId, follow: &mut Follow) {
        let catalog = self.catalog;
        let Some(current) = self.current(call.package) else {
            return;
        };
        for id in catalog.wanted(call.package) {
            let dependency = catalog.dependency(id);
            let parent = catalog.owner(dependency.parent);
            let concerns = self.current(parent) == Some(dependency.parent)
                && !self.state(parent).is_installed()
                && self.is_important(id)
                && !dependency.kind.is_negative();
            if concerns
                && catalog.is_satisfied(id, current)
                && !catalog.is_satisfied(id, candidate)
                && !follow.upgrades.contains(&parent)
            {
                follow.upgrades.push(parent);
            }
        }
    }

    /// Installed packages that were built from the same source move with it.
    fn upgrade_others_of_source(&mut self, call: Call, version: VersionId) {
        if !self.rules.upgrades_by_source {
            return;
        }
        let catalog: &Catalog<'_> = self.catalog;
        let source = catalog.version(version);
        let moves = |other: VersionId| {
            let package = catalog.owner(other);
            let state = self.state(package);
            package != call.package
                && self.current(package).is_some_and(|current| current != other)
                && !(state.is_installed() && state.chosen == Some(other))
                && catalog.version(other).source_version == source.source_version
                && state.candidate == Some(other)
        };
        let built = catalog.groups[source.source.at()].built.iter().copied();
        let others: BTreeSet<PackageId> =
            built.filter(|id| moves(*id)).map(|id| catalog.owner(id)).collect();
        for other in &others {
            self.mark_install(*other, Needs::Leave, By::Solver, call.depth + 1);
        }
        for other in &others {
            self.mark_install(*other, call.needs, By::Solver, call.depth + 1);
        }
    }

    /// Whether a package becomes a mere way to others (an old name), so that those count as wanted.
    fn moves_automatic(&self, package: PackageId) -> bool {
        let (state, catalog) = (self.state(package), self.catalog);
        let (Some(chosen), Some(current)) = (state.chosen, self.current(package)) else {
            return false;
        };
        let (new, old) = (catalog.version(chosen).section, catalog.version(current).section);
        let moves = |section| Rules::names(&self.rules.moving_sections, section);
        !state.is_automatic
            && !new.is_empty()
            && !old.is_empty()
            && new != old
            && moves(new)
            && !moves(old)
    }
}
