//! Which packages nobody needs any more: those to which nothing leads that was asked for.

use std::collections::BTreeMap;

use super::catalog::{Kind, PackageId, Priority, VersionId};
use super::mark::{By, Needs, Removal};
use super::states::States;

/// How deep one package may lead to another, as for apt.
const DEEPEST: usize = 3000;

impl States<'_, '_> {
    /// Finds out anew what is needed and what is not.
    pub(super) fn sweep(&mut self) {
        for at in 0..self.catalog.packages.len() {
            let state = self.state_mut(PackageId(at as u32));
            (state.is_marked, state.is_garbage) = (false, false);
        }
        let mut explored = vec![false; self.catalog.packages.len()];
        for package in self.walk() {
            let is_root = !self.state(*package).is_marked && self.stays(*package);
            if is_root && self.is_wanted(*package) {
                let version = self.version_then(*package);
                self.reach(*package, version, 0, &mut explored);
            }
        }
        for package in self.walk() {
            let current = self.current(*package);
            let is_there = current.is_some() || self.state(*package).is_installed();
            let is_required = current.is_some_and(|version| {
                self.catalog.version(version).priority == Priority::Required
            });
            let state = self.state_mut(*package);
            state.is_garbage = !state.is_marked && is_there && !is_required;
        }
    }

    /// Whether a package will be there.
    fn stays(&self, package: PackageId) -> bool {
        match self.current(package) {
            Some(_) => !self.state(package).is_deleted(),
            None => !self.state(package).is_kept(),
        }
    }

    /// In which version it will be there.
    fn version_then(&self, package: PackageId) -> Option<VersionId> {
        let state = self.state(package);
        if state.is_installed() { state.chosen } else { self.current(package) }
    }

    fn is_wanted(&self, package: PackageId) -> bool {
        let known = self.catalog.package(package);
        let is_required = known
            .current
            .is_some_and(|version| self.catalog.version(version).priority == Priority::Required);
        !self.state(package).is_automatic
            || known.is_essential
            || known.is_important
            || is_required
            || self.rules.never_removed.matches(self.catalog.name(package))
            || !self.may_become(None, package, 0, By::Solver)
    }

    fn reach(
        &mut self,
        package: PackageId,
        version: Option<VersionId>,
        depth: usize,
        explored: &mut [bool],
    ) {
        let Some(version) = version.filter(|_| !self.state(package).is_marked) else {
            return;
        };
        if !self.stays(package) {
            explored[package.at()] = true;
            return;
        }
        if depth > DEEPEST {
            return;
        }
        self.state_mut(package).is_marked = true;
        let catalog = self.catalog;
        for id in &catalog.version(version).dependencies {
            let dependency = catalog.dependency(*id);
            let leads = match dependency.kind {
                Kind::Depends | Kind::PreDepends => true,
                Kind::Recommends => self.rules.recommends_keep,
                Kind::Suggests => self.rules.suggests_keep,
                _ => false,
            };
            let target = dependency.target;
            if !leads || explored[target.at()] {
                continue;
            }
            let mut is_open = false;
            let mut by_source: BTreeMap<&str, Vec<VersionId>> = BTreeMap::new();
            let source = |id: VersionId| &*catalog.groups[catalog.version(id).source.at()].name;
            if self.stays(target)
                && let Some(version) = self.version_then(target)
            {
                if catalog.is_satisfied(*id, version) {
                    by_source.entry(source(version)).or_default().push(version);
                } else {
                    is_open = true;
                }
            }
            if by_source.is_empty() && !is_open {
                self.state_mut(target).is_marked = true;
            }
            for provide in catalog.providers(target) {
                let owner = catalog.owner(provide.owner);
                if !self.stays(owner) || self.version_then(owner) != Some(provide.owner) {
                    continue;
                }
                if catalog.is_satisfied_by(*id, provide) {
                    by_source.entry(source(provide.owner)).or_default().push(provide.owner);
                } else {
                    is_open = true;
                }
            }
            explored[target.at()] |= !is_open;
            for versions in by_source.into_values() {
                for version in self.latest_builds(versions) {
                    self.reach(catalog.owner(version), Some(version), depth + 1, explored);
                }
            }
        }
    }

    /// Of what was built from one source only the latest builds count.
    fn latest_builds(&self, mut versions: Vec<VersionId>) -> Vec<VersionId> {
        let text = |id: &VersionId| self.catalog.version(*id).source_version;
        let latest = versions
            .iter()
            .copied()
            .max_by(|one, other| self.catalog.order(text(one), text(other)).then(one.cmp(other)));
        versions.retain(|id| latest.is_some_and(|latest| text(&latest) == text(id)));
        versions
    }

    /// Removes what nobody needs, if that is wanted, and does not install it in the first place. Gives
    /// how many packages are there that nobody needs.
    pub(super) fn remove_unused(&mut self) -> usize {
        self.sweep();
        let removal = if self.rules.purges { Removal::Purge } else { Removal::Remove };
        let (mut superfluous, mut unused) = (Vec::new(), 0);
        for package in self.sorted() {
            if !self.state(package).is_garbage {
                continue;
            }
            let is_installed = self.current(package).is_some();
            if self.rules.removes_unused {
                if is_installed {
                    self.mark_delete(package, removal, By::Solver, 0);
                } else {
                    self.mark_keep(package, By::Solver, 0);
                }
            } else if self.state(package).is_installed() && !is_installed {
                superfluous.push(package);
                self.mark_delete(package, Removal::Remove, By::Solver, 0);
            } else if !self.rules.hides_unused && !self.state(package).is_deleted() {
                unused += 1;
            }
        }
        superfluous.sort_unstable();
        let lacks = |states: &Self| states.broken() > 0 || states.anything_lacks();
        if !superfluous.is_empty() && lacks(self) {
            while let Some(at) = superfluous.iter().position(|package| self.is_missed(*package)) {
                let package = superfluous.remove(at);
                self.mark_install(package, Needs::Leave, By::Solver, 0);
                unused += usize::from(!self.rules.hides_unused);
            }
        }
        unused
    }

    fn anything_lacks(&self) -> bool {
        self.walk().any(|package| self.state(*package).chosen.is_some() && self.lacks(*package))
    }

    /// Whether something that will be there wants a package that was taken back.
    fn is_missed(&self, package: PackageId) -> bool {
        let catalog = self.catalog;
        let candidate = self.state(package).candidate;
        let provided = candidate.into_iter().flat_map(|version| catalog.provided(version));
        let mut names: Vec<PackageId> = provided.map(|provide| provide.target).collect();
        names.push(package);
        names.into_iter().flat_map(|name| catalog.wanted(name)).any(|id| {
            let dependency = catalog.dependency(id);
            let parent = catalog.owner(dependency.parent);
            let (state, version) = (self.state(parent), Some(dependency.parent));
            let is_there = if self.current(parent) == version {
                state.is_kept()
            } else {
                state.candidate == version && (state.is_new() || state.is_upgraded())
            };
            is_there && !dependency.kind.is_negative() && self.is_important(id)
        })
    }

    /// All packages that are there, will be or are changed, by name.
    pub(super) fn sorted(&self) -> Vec<PackageId> {
        let concerns = |id: &PackageId| {
            let state = self.state(*id);
            self.current(*id).is_some() || state.chosen.is_some() || !state.is_kept()
        };
        let mut packages: Vec<PackageId> = self.walk().copied().filter(concerns).collect();
        // Those of one name stay in the group's order.
        packages.sort_by(|one, other| self.catalog.name(*one).cmp(self.catalog.name(*other)));
        packages
    }
}
