//! What is in the way of a package that is installed: it is upgraded, or goes.

use super::super::catalog::PackageId;
use super::super::states::{Mode, States};
use super::install::{Call, Follow};
use super::{By, Removal};

impl States<'_, '_> {
    /// Settles what the candidate conflicts with. Where the other's candidate is concerned it stays
    /// as it is; where what is installed is, it is upgraded, or goes.
    pub(super) fn settle_conflicts(&mut self, call: Call, follow: &mut Follow) -> bool {
        let mut is_fine = true;
        let mut bad_candidates = Vec::new();
        for id in std::mem::take(&mut follow.removes) {
            for version in self.candidate_solutions(&[id]) {
                let package = self.catalog.owner(version);
                if self.state(package).candidate != Some(version) {
                    continue;
                }
                let is_done = if self.current(package) == Some(version) {
                    self.remove_later(call, package, follow)
                } else {
                    self.give_candidate_up(call, package, &mut bad_candidates)
                };
                is_fine &= is_done;
                if !is_done && !call.goes_on() {
                    break;
                }
            }
            if !is_fine && !call.goes_on() {
                break;
            }
            for version in self.installed_ranked(id) {
                let package = self.catalog.owner(version);
                let candidate = self.state(package).candidate;
                if candidate.is_some_and(|candidate| candidate != version)
                    && !bad_candidates.contains(&package)
                {
                    follow.upgrades.push(package);
                } else if candidate == self.current(package) {
                    // It was dealt with above.
                } else if !self.remove_later(call, package, follow) {
                    is_fine = false;
                    if !call.goes_on() {
                        break;
                    }
                }
            }
            if !is_fine && !call.goes_on() {
                break;
            }
        }
        is_fine
    }

    fn give_candidate_up(
        &mut self,
        call: Call,
        package: PackageId,
        bad_candidates: &mut Vec<PackageId>,
    ) -> bool {
        let is_installed = self.state(package).is_installed();
        if is_installed && !self.mark_keep(package, By::Solver, call.depth) {
            return false;
        }
        if call.protects {
            self.discard_candidate(package);
            if self.current(package).is_none() {
                self.protect(package);
            }
        } else {
            bad_candidates.push(package);
        }
        true
    }

    /// A package that cannot be upgraded goes: at once if that is certain, or once all is known.
    fn remove_later(&mut self, call: Call, package: PackageId, follow: &mut Follow) -> bool {
        let is_deleted = self.state(package).is_deleted();
        if !call.protects {
            if !is_deleted {
                let may = self.may_become(Some(Mode::Delete), package, call.depth, By::Solver);
                if !may || !self.may_be_deleted(package, By::Solver) {
                    return false;
                }
                follow.late_removes.push(package);
            }
            return true;
        }
        if !is_deleted && !self.mark_delete(package, Removal::Remove, By::Solver, call.depth + 1) {
            return false;
        }
        self.discard_candidate(package);
        self.protect(package);
        true
    }

    /// Upgrades packages that cannot stay as they are, or removes them.
    pub(super) fn upgrade_or_remove(&mut self, call: Call, packages: &[PackageId]) -> bool {
        let mut is_fine = true;
        for package in packages {
            let is_done = self.state(*package).is_installed()
                || self.mark_install(*package, call.needs, By::Solver, call.depth + 1);
            if is_done {
                continue;
            }
            if !self.mark_delete(*package, Removal::Remove, By::Solver, call.depth + 1) {
                is_fine = false;
                if !call.goes_on() {
                    break;
                }
            } else if call.protects {
                self.protect(*package);
            }
        }
        is_fine
    }
}
