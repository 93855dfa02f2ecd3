//! Changing what becomes of a package: kept, deleted, or installed with what it needs (below).

mod conflicts;
mod install;
mod needs;

use super::catalog::{PackageId, VersionId};
use super::rules::Rules;
use super::states::{Mode, Need, Standing, States};
use crate::dpkg::status::State as Progress;

/// How deep one thing may lead to another, as for apt.
const DEEPEST: usize = 3000;

/// Who wants a change. People are always right.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    User,
    Solver,
}

/// What is done about what a package needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// Nothing.
    Leave,
    /// It is installed, too, and what is in its way removed or upgraded.
    Follow,
    /// And even recommendations are followed that nobody followed before.
    FollowAll,
}

/// How a package is removed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Removal {
    Remove,
    /// With its configuration.
    Purge,
}

impl States<'_, '_> {
    /// Whether a package's mode may be changed; `None` asks whether it may become superfluous.
    pub(super) fn may_become(
        &self,
        mode: Option<Mode>,
        package: PackageId,
        depth: usize,
        by: By,
    ) -> bool {
        let known = self.catalog.package(package);
        if depth > DEEPEST || known.versions.is_empty() {
            return false;
        }
        if by == By::User || Some(self.state(package).mode) == mode {
            return true;
        }
        let is_held = self.state(package).is_held && !self.rules.ignores_holds;
        let is_needed = known.is_essential || known.is_important;
        !(self.is_protected(package)
            || (mode != Some(Mode::Keep) && is_held)
            || (mode == Some(Mode::Delete) && is_needed))
    }

    /// Leaves a package as it is.
    pub(super) fn mark_keep(&mut self, package: PackageId, by: By, depth: usize) -> bool {
        if !self.may_become(Some(Mode::Keep), package, depth, by) {
            return false;
        }
        let current = self.current(package);
        let is_lost = !current.is_some_and(|current| self.catalog.is_downloadable(current));
        if self.need(package) == Need::Unpack && is_lost {
            return false;
        }
        if self.state(package).is_kept() {
            return true;
        }
        let state = self.state_mut(package);
        (state.mode, state.chosen) = (Mode::Keep, current);
        self.update(package);
        true
    }

    /// Removes a package.
    pub(super) fn mark_delete(
        &mut self,
        package: PackageId,
        removal: Removal,
        by: By,
        depth: usize,
    ) -> bool {
        if !self.may_become(Some(Mode::Delete), package, depth, by) {
            return false;
        }
        let is_purge = removal == Removal::Purge;
        let can_be_purged = !self.is_gone(package);
        let state = self.state(package);
        if (state.is_deleted() || state.chosen.is_none()) && (!can_be_purged || !is_purge) {
            return true;
        }
        if !self.may_be_deleted(package, by) {
            return false;
        }
        if by == By::Solver {
            self.keep_what_metapackages_need(package);
        }
        let is_installed = self.current(package).is_some();
        let state = self.state_mut(package);
        state.is_purged = is_purge;
        let is_no_change = !is_installed && (!can_be_purged || !is_purge);
        state.mode = if is_no_change { Mode::Keep } else { Mode::Delete };
        state.chosen = None;
        self.update(package);
        true
    }

    /// Whether nothing is left of a package, not even configuration.
    pub(super) fn is_gone(&self, package: PackageId) -> bool {
        self.catalog.package(package).state == Progress::NotInstalled
    }

    /// What people want installed is not deleted for another package's sake.
    pub(super) fn may_be_deleted(&self, package: PackageId, by: By) -> bool {
        let state = self.state(package);
        let is_wanted = state.chosen.is_some()
            && state.standing == Standing::New
            && !state.is_automatic
            && self.current(package).is_none();
        by == By::User || !is_wanted
    }

    /// Whoever removes a metapackage does not want all of it removed.
    fn keep_what_metapackages_need(&mut self, package: PackageId) {
        let catalog = self.catalog;
        let Some(chosen) = self.state(package).chosen else {
            return;
        };
        let section = catalog.version(chosen).section;
        if !Rules::names(&self.rules.never_automatic_sections, section) {
            return;
        }
        for id in &catalog.version(chosen).dependencies {
            let dependency = catalog.dependency(*id);
            if dependency.is_implied || dependency.kind.is_negative() || !self.is_important(*id) {
                continue;
            }
            for version in self.installed_solutions(*id) {
                self.state_mut(catalog.owner(version)).is_automatic = false;
            }
        }
    }

    /// Makes another version the candidate.
    pub(super) fn set_candidate(&mut self, version: VersionId) {
        let package = self.catalog.owner(version);
        let state = self.state_mut(package);
        if state.candidate == Some(version) {
            return;
        }
        if state.candidate == state.chosen && state.is_installed() {
            state.chosen = Some(version);
        }
        state.candidate = Some(version);
        self.stand(package);
        self.update(package);
    }

    /// Gives the candidate up. What counted on it goes on doing so.
    fn discard_candidate(&mut self, package: PackageId) {
        let state = self.state_mut(package);
        state.candidate = state.chosen;
    }

    /// Goes back to what is installed, and gives the candidate up.
    fn discard_install(&mut self, package: PackageId) {
        let current = self.current(package);
        let state = self.state_mut(package);
        let is_settled =
            state.is_kept() && state.chosen == state.candidate && state.candidate == current;
        if !is_settled {
            (state.chosen, state.mode) = (current, Mode::Keep);
            self.update(package);
            self.discard_candidate(package);
        }
    }
}
