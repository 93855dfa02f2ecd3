//! What a package needs is installed: of several ways the first that works.

use super::super::catalog::{DependencyId, Kind, PackageId, VersionId};
use super::super::sort::sort;
use super::super::states::{States, satisfied};
use super::install::Call;
use super::{By, Needs};
use crate::index::MultiArch;

impl States<'_, '_> {
    /// Installs what relations need. `moved` becomes the packages that are new for that.
    pub(super) fn install_needs(
        &mut self,
        call: Call,
        relations: Vec<Vec<DependencyId>>,
        moved: &mut Vec<PackageId>,
    ) -> bool {
        let mut is_fine = true;
        for alternatives in relations {
            let is_critical = self.catalog.dependency(alternatives[0]).kind.is_critical();
            if self.satisfied_any(&alternatives) & satisfied::CHOSEN != 0 {
                if call.protects && is_critical {
                    is_fine &= self.protect_only_solution(call, &alternatives);
                }
                continue;
            }
            let is_old = self.current(call.package).is_some() && call.needs != Needs::FollowAll;
            if is_old && !is_critical && self.was_ignored(call.package, &alternatives) {
                continue;
            }
            let is_found = self.install_one(call, &alternatives, moved);
            if !is_found && is_critical {
                is_fine = false;
                if !call.goes_on() {
                    break;
                }
            }
        }
        is_fine
    }

    /// What alone can satisfy a relation of what was asked for, is asked for as well.
    fn protect_only_solution(&mut self, call: Call, alternatives: &[DependencyId]) -> bool {
        let [only] = self.any_solutions(alternatives)[..] else {
            return true;
        };
        let package = self.catalog.owner(only);
        if self.is_protected(package) {
            return true;
        }
        self.protect(package);
        self.mark_install(package, call.needs, By::Solver, call.depth + 1)
    }

    /// Whether a recommendation stood there before, and was not followed.
    fn was_ignored(&self, package: PackageId, alternatives: &[DependencyId]) -> bool {
        let catalog = self.catalog;
        let Some(current) = self.current(package) else {
            return false;
        };
        let target = catalog.dependency(alternatives[0]).target;
        let mut is_new = true;
        let before = &catalog.version(current).dependencies;
        let mut at = 0;
        while let Some(id) = before.get(at) {
            let dependency = catalog.dependency(*id);
            let is_same = !dependency.kind.is_critical()
                && self.is_important(*id)
                && dependency.target == target;
            if is_same {
                is_new = false;
                // The rest of the relation counts, and what stands before this in it.
                let start = self.relation_start(before, at);
                while catalog.dependency(before[at]).has_more && at + 1 < before.len() {
                    at += 1;
                }
                if self.satisfied_any(&before[start..=at]) & satisfied::NOW != 0 {
                    return false;
                }
            }
            at += 1;
        }
        !is_new
    }

    fn relation_start(&self, ids: &[DependencyId], at: usize) -> usize {
        let mut start = at;
        while start > 0 && self.catalog.dependency(ids[start - 1]).has_more {
            start -= 1;
        }
        start
    }

    /// Installs the first of several ways that works.
    fn install_one(
        &mut self,
        call: Call,
        alternatives: &[DependencyId],
        moved: &mut Vec<PackageId>,
    ) -> bool {
        let is_critical = self.catalog.dependency(alternatives[0]).kind.is_critical();
        let solutions = self.candidate_solutions(alternatives);
        for version in &solutions {
            let package = self.catalog.owner(*version);
            if self.state(package).candidate != Some(*version) {
                continue;
            }
            if call.protects && is_critical && solutions.len() == 1 {
                if !self.mark_install(package, Needs::Leave, By::Solver, call.depth + 1) {
                    continue;
                }
                self.protect(package);
            }
            if self.mark_install(package, call.needs, By::Solver, call.depth + 1) {
                if self.current(package).is_none() {
                    moved.push(package);
                }
                return true;
            }
        }
        false
    }

    /// The candidates that satisfy a relation: what is installed first, then as apt ranks them.
    pub(super) fn candidate_solutions(&self, alternatives: &[DependencyId]) -> Vec<VersionId> {
        self.ranked(alternatives, |id| {
            let holds = self.satisfied(id) & satisfied::CANDIDATE != 0;
            let is_negative = self.catalog.dependency(id).kind.is_negative();
            if holds == is_negative { Vec::new() } else { self.candidates_of(id) }
        })
    }

    /// The installed versions that a dependency is about, in the same order.
    pub(super) fn installed_ranked(&self, id: DependencyId) -> Vec<VersionId> {
        self.ranked(&[id], |id| self.installed_solutions(id))
    }

    pub(crate) fn installed_solutions(&self, id: DependencyId) -> Vec<VersionId> {
        self.solutions(id, |states, package| states.current(package))
    }

    /// The candidates that satisfy a dependency.
    pub(crate) fn candidates_of(&self, id: DependencyId) -> Vec<VersionId> {
        self.solutions(id, |states, package| states.state(package).candidate)
    }

    /// What satisfies a relation of all that is installed or could be.
    fn any_solutions(&self, alternatives: &[DependencyId]) -> Vec<VersionId> {
        let mut found = Vec::new();
        for id in alternatives {
            if self.satisfied(*id) & satisfied::CANDIDATE != 0 {
                found.extend(self.candidates_of(*id));
            }
            found.extend(self.installed_solutions(*id));
        }
        found.sort_unstable();
        found.dedup();
        found.retain(|version| !self.is_ruled_out(*version));
        found
    }

    fn solutions(
        &self,
        id: DependencyId,
        view: impl Fn(&Self, PackageId) -> Option<VersionId>,
    ) -> Vec<VersionId> {
        let catalog = self.catalog;
        let target = catalog.dependency(id).target;
        let mut found = Vec::new();
        if let Some(version) = view(self, target)
            && !catalog.is_ignored(id, target)
            && catalog.is_satisfied(id, version)
        {
            found.push(version);
        }
        for provide in catalog.providers(target) {
            if !catalog.is_ignored_provide(id, provide)
                && view(self, catalog.owner(provide.owner)) == Some(provide.owner)
                && catalog.is_satisfied_by(id, provide)
            {
                found.push(provide.owner);
            }
        }
        found
    }

    fn ranked(
        &self,
        alternatives: &[DependencyId],
        solutions: impl Fn(DependencyId) -> Vec<VersionId>,
    ) -> Vec<VersionId> {
        let (mut installed, mut new) = (Vec::new(), Vec::new());
        for id in alternatives {
            let mut found = solutions(*id);
            let target = self.catalog.dependency(*id).target;
            sort(&mut found, |one, other| self.is_before(*one, *other, target));
            for version in found {
                let is_installed = self.current(self.catalog.owner(version)).is_some();
                if is_installed { &mut installed } else { &mut new }.push(version);
            }
        }
        installed.append(&mut new);
        installed.dedup();
        if !self.is_negative(alternatives) {
            installed.retain(|version| !self.is_ruled_out(*version));
        }
        installed
    }

    fn is_negative(&self, alternatives: &[DependencyId]) -> bool {
        let kind = |id: &DependencyId| -> Kind { self.catalog.dependency(*id).kind };
        alternatives.last().is_some_and(|id| kind(id).is_negative())
    }

    /// Whether it was decided that a version's package is not to be installed.
    fn is_ruled_out(&self, version: VersionId) -> bool {
        let package = self.catalog.owner(version);
        let state = self.state(package);
        let is_absent = state.is_kept() && self.current(package).is_none();
        state.is_protected && (state.is_deleted() || is_absent)
    }

    /// Whether apt prefers one version to another for what wants `target`.
    fn is_before(&self, one: VersionId, other: VersionId, target: PackageId) -> bool {
        let catalog = self.catalog;
        let (a, b) = (catalog.owner(one), catalog.owner(other));
        if self.is_protected(a) != self.is_protected(b) {
            return self.is_protected(a);
        }
        // A package that is the same for all architectures, and is installed for another.
        let has_sibling = |version| {
            catalog.version(version).multi_arch == MultiArch::Same
                && (catalog.group(catalog.owner(version)).packages.iter())
                    .any(|package| self.current(*package).is_some())
        };
        let (a_has, b_has) = (has_sibling(one), has_sibling(other));
        if a_has != b_has {
            return a_has;
        }
        let is_installed = |package| self.current(package).is_some();
        if is_installed(a) != is_installed(b) {
            return is_installed(a);
        }
        let (package_a, package_b) = (catalog.package(a), catalog.package(b));
        let wanted = catalog.package(target).group;
        if package_a.group != package_b.group
            && (package_a.group == wanted || package_b.group == wanted)
        {
            return package_a.group == wanted;
        }
        if package_a.is_essential != package_b.is_essential {
            return package_a.is_essential;
        }
        if package_a.is_important != package_b.is_important {
            return package_a.is_important;
        }
        if package_a.arch != package_b.arch {
            return package_a.arch < package_b.arch;
        }
        let (version_a, version_b) = (catalog.version(one), catalog.version(other));
        if version_a.priority != version_b.priority {
            return version_a.priority < version_b.priority;
        }
        a > b
    }
}
