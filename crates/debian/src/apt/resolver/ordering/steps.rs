//! Going through the list: what is unpacked, configured and removed, one after the other.

use super::super::catalog::{DependencyId, Kind, PackageId, VersionId};
use super::super::states::Need;
use super::{Order, Stage, Work};
use crate::index::MultiArch;

/// How often a package's relations are looked at anew, as for apt.
const MOST_LOOPS: usize = 5000;
/// How deep one package may lead to another.
const DEEPEST: usize = 3000;

/// When an unpacked package is configured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Configuring {
    AtOnce,
    Later,
}

/// What is tried for the sake of another package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Help {
    Unpack(Configuring),
    Configure,
}

impl<'c> Order<'_, 'c, '_> {
    /// Goes through the list; on failure gives the package that is in the way.
    pub(super) fn go(&mut self) -> Result<(), PackageId> {
        for package in self.list.clone() {
            if !self.is_now(package) {
                continue;
            }
            let is_immediate = self.flags[package.at()].is_immediate;
            let configuring = if is_immediate { Configuring::AtOnce } else { Configuring::Later };
            let is_done = if self.is_deleted(package) {
                self.remove(package)
            } else {
                self.unpack(package, configuring, 0)
            };
            if !is_done {
                return Err(package);
            }
        }
        Ok(())
    }

    fn remove(&mut self, package: PackageId) -> bool {
        if self.is_now(package) {
            self.flags(package).stage = Stage::Configured;
            let is_purged = self.states.state(package).is_purged;
            self.steps.push((if is_purged { Work::Purge } else { Work::Remove }, package));
        }
        true
    }

    /// Whether a version is there, well, and stays so.
    fn is_fine(&self, package: PackageId, version: VersionId) -> bool {
        self.states.current(package) == Some(version)
            && self.is_now(package)
            && self.states.need(package) == Need::Nothing
            && !self.states.state(package).is_reinstalled
    }

    /// Does something about another package; a package that does so twice in a row is in a loop.
    /// Gives whether it was done, and whether that changed something.
    fn help(
        &mut self,
        for_whom: PackageId,
        whom: PackageId,
        help: Help,
        depth: usize,
    ) -> (bool, bool) {
        let was_looping = std::mem::replace(&mut self.flags(for_whom).is_looping, true);
        let is_done = depth <= DEEPEST
            && match help {
                Help::Unpack(configuring) => self.unpack(whom, configuring, depth + 1),
                Help::Configure => self.configure(whom, depth + 1),
            };
        if !was_looping {
            self.flags(for_whom).is_looping = false;
        }
        (is_done, is_done && !self.flags[whom.at()].is_looping)
    }

    fn unpack(&mut self, package: PackageId, configuring: Configuring, depth: usize) -> bool {
        let catalog = self.states.catalog;
        let is_loop = self.flags[package.at()].is_looping;
        let Some(version) = self.chosen(package) else {
            return false;
        };
        let could_be_removed = depth != 0 && self.stage(package) != Stage::Removed;
        let mut is_bad = false;
        for round in 0.. {
            if round > MOST_LOOPS {
                return false;
            }
            let mut has_changed = false;
            for alternatives in catalog.relations(version) {
                let Some(last) = alternatives.last() else { continue };
                let kind = catalog.dependency(*last).kind;
                let done = match kind {
                    Kind::PreDepends => {
                        self.prepare(package, alternatives, is_loop, depth, &mut has_changed)
                    }
                    Kind::Conflicts | Kind::Breaks => {
                        self.make_way(package, *last, is_loop, depth, &mut has_changed)
                    }
                    _ => continue,
                };
                match done {
                    Some(is_fine) => is_bad |= !is_fine,
                    None => return false,
                }
            }
            if !has_changed {
                break;
            }
        }
        if is_bad {
            return false;
        }
        if could_be_removed && self.stage(package) == Stage::Removed {
            return true;
        }
        if !self.remove_conflicting(package, version) {
            return false;
        }
        is_loop || self.unpack_now(package, version, configuring, depth)
    }

    fn unpack_now(
        &mut self,
        package: PackageId,
        version: VersionId,
        configuring: Configuring,
        depth: usize,
    ) -> bool {
        let catalog = self.states.catalog;
        self.flags(package).stage = Stage::Unpacked;
        let is_new = self.states.current(package) != Some(version);
        let needs_unpacking = is_new || self.states.state(package).is_reinstalled;
        let is_same = catalog.version(version).multi_arch == MultiArch::Same;
        if configuring == Configuring::AtOnce && is_same {
            // First those that are installed, then the others, so that none comes before an old one
            // is replaced that is not the same for all architectures yet.
            let is_installed = self.states.current(package).is_some();
            if is_installed && needs_unpacking {
                self.steps.push((Work::Unpack, package));
            }
            self.unpack_siblings(package, true, depth);
            if !is_installed {
                self.steps.push((Work::Unpack, package));
            }
            self.unpack_siblings(package, false, depth);
        } else if needs_unpacking {
            self.steps.push((Work::Unpack, package));
        }
        if configuring == Configuring::AtOnce {
            // What cannot be configured now will be later.
            self.configure(package, depth + 1);
        }
        true
    }

    fn unpack_siblings(&mut self, package: PackageId, installed: bool, depth: usize) {
        let catalog = self.states.catalog;
        for sibling in &catalog.group(package).packages {
            let (current, chosen) = (self.states.current(*sibling), self.chosen(*sibling));
            let is_settled = chosen == current && !self.states.state(package).is_reinstalled;
            if *sibling != package
                && current.is_some() == installed
                && self.is_now(*sibling)
                && chosen.is_some()
                && !is_settled
            {
                self.unpack(*sibling, Configuring::Later, depth + 1);
            }
        }
    }

    /// Sees to it that a pre-dependency is configured. `None` if that failed for good.
    fn prepare(
        &mut self,
        package: PackageId,
        alternatives: &[DependencyId],
        is_loop: bool,
        depth: usize,
        has_changed: &mut bool,
    ) -> Option<bool> {
        let catalog = self.states.catalog;
        let mut targets = alternatives.iter().flat_map(|id| catalog.targets(*id));
        if targets.any(|version| self.is_fine(catalog.owner(version), version)) {
            return Some(true);
        }
        // apt does not stop at the relation's end here.
        let parent = alternatives.first().map(|id| catalog.dependency(*id).parent)?;
        let all = &catalog.version(parent).dependencies;
        let start = all.iter().position(|id| alternatives.first() == Some(id))?;
        for id in &all[start..] {
            for version in &catalog.targets(*id) {
                let other = catalog.owner(*version);
                let state = self.states.state(other);
                let is_settled = state.is_kept()
                    && self.states.need(other) == Need::Nothing
                    && !state.is_reinstalled;
                if state.chosen != Some(*version) || is_settled {
                    continue;
                }
                let help = match self.stage(other) {
                    Stage::Configured => return Some(true),
                    Stage::Unpacked => Help::Configure,
                    _ if self.flags[other.at()].is_looping && is_loop => continue,
                    _ => Help::Unpack(Configuring::AtOnce),
                };
                let (is_done, changes) = self.help(package, other, help, depth);
                *has_changed |= changes;
                return is_done.then_some(true);
            }
        }
        Some(false)
    }

    /// Gets out of the way what a package conflicts with. `None` if that failed for good.
    fn make_way(
        &mut self,
        package: PackageId,
        id: DependencyId,
        is_loop: bool,
        depth: usize,
        has_changed: &mut bool,
    ) -> Option<bool> {
        let catalog = self.states.catalog;
        let dependency = catalog.dependency(id);
        let mut is_fine = true;
        for version in catalog.targets(id) {
            let other = catalog.owner(version);
            let is_there = self.states.current(other) == Some(version);
            if !is_there || self.stage(other) != Stage::Now {
                continue;
            }
            if self.flags[other.at()].is_looping && is_loop {
                if dependency.kind == Kind::Breaks && dependency.is_implied {
                    continue;
                }
                if !self.remove_early(other, Some(id)) {
                    return None;
                }
                is_fine = false;
                continue;
            }
            if self.is_deleted(other) {
                self.remove(other);
                continue;
            }
            let help = Help::Unpack(Configuring::Later);
            let (is_done, changes) = self.help(package, other, help, depth);
            *has_changed |= changes;
            let is_gone =
                self.stage(other) == Stage::Removed || self.stage(package) == Stage::Removed;
            if !is_done && !is_gone && !self.remove_early(other, Some(id)) {
                return None;
            }
        }
        Some(is_fine)
    }

    /// Removes a package that will come back.
    fn remove_early(&mut self, package: PackageId, id: Option<DependencyId>) -> bool {
        let catalog = self.states.catalog;
        if self.stage(package) != Stage::Now {
            return true;
        }
        if !self.flags[package.at()].is_listed {
            return false;
        }
        // dpkg deconfigures by itself what is merely broken for a while.
        if id.is_some_and(|id| catalog.dependency(id).kind == Kind::Breaks) {
            return true;
        }
        let is_needed = |package: PackageId| {
            let known = catalog.package(package);
            known.is_essential || known.is_important
        };
        let needs_it = |id: DependencyId| {
            let dependency = catalog.dependency(id);
            matches!(dependency.kind, Kind::Depends | Kind::PreDepends)
                && is_needed(catalog.owner(dependency.parent))
        };
        let is_installed = self.states.current(package).is_some();
        if is_needed(package) || (is_installed && catalog.wanted(package).any(needs_it)) {
            return false;
        }
        self.remove(package);
        if !self.is_deleted(package) {
            self.flags(package).stage = Stage::Removed;
        }
        true
    }

    /// Gets out of the way what conflicts with a package that is to be unpacked.
    fn remove_conflicting(&mut self, package: PackageId, version: VersionId) -> bool {
        let catalog = self.states.catalog;
        let wanted = catalog.wanted(package).filter(|id| catalog.is_satisfied(*id, version));
        wanted.collect::<Vec<_>>().into_iter().all(|id| {
            let dependency = catalog.dependency(id);
            let parent = catalog.owner(dependency.parent);
            let concerns = dependency.kind == Kind::Conflicts
                && self.is_now(package)
                && !catalog.is_ignored(id, package)
                && self.states.current(parent) == Some(dependency.parent);
            !concerns || self.remove_early(parent, Some(id))
        })
    }

    fn configure(&mut self, package: PackageId, depth: usize) -> bool {
        let catalog = self.states.catalog;
        let is_loop = self.flags[package.at()].is_looping;
        let Some(version) = self.chosen(package).filter(|_| depth <= DEEPEST) else {
            return false;
        };
        let Some(waiting) = self.unpack_needed(package, version, is_loop, depth) else {
            return false;
        };
        if !self.configure_needed(package, &waiting, is_loop, depth) {
            return false;
        }
        self.remove_breaking(package, version);
        if is_loop {
            return true;
        }
        if self.stage(package) == Stage::Configured {
            return false;
        }
        self.steps.push((Work::Configure, package));
        self.flags(package).stage = Stage::Configured;
        let is_same = catalog.version(version).multi_arch == MultiArch::Same;
        if !is_same || self.flags[package.at()].is_immediate {
            return true;
        }
        catalog.group(package).packages.iter().all(|sibling| {
            let (current, chosen) = (self.states.current(*sibling), self.chosen(*sibling));
            let is_settled = chosen == current && !self.states.state(package).is_reinstalled;
            let waits = *sibling != package
                && self.stage(*sibling) == Stage::Unpacked
                && chosen.is_some()
                && !is_settled;
            !waits || self.configure(*sibling, depth + 1)
        })
    }

    /// Unpacks what a package depends on; gives the relations that still wait for being configured.
    fn unpack_needed(
        &mut self,
        package: PackageId,
        version: VersionId,
        is_loop: bool,
        depth: usize,
    ) -> Option<Vec<&'c [DependencyId]>> {
        let catalog = self.states.catalog;
        let mut waiting = Vec::new();
        for _ in 0..=MOST_LOOPS {
            let mut has_changed = false;
            for alternatives in catalog.relations(version) {
                let kind = catalog.dependency(alternatives[0]).kind;
                let is_met = |order: &Self, id: &DependencyId| {
                    catalog.targets(*id).into_iter().any(|version| {
                        let other = catalog.owner(version);
                        order.stage(other) == Stage::Now && order.is_fine(other, version)
                    })
                };
                if !matches!(kind, Kind::Depends | Kind::PreDepends)
                    || alternatives.iter().any(|id| is_met(self, id))
                {
                    continue;
                }
                let mut is_unpacked = false;
                for id in alternatives {
                    let found = catalog.targets(*id).into_iter().find(|version| {
                        let other = catalog.owner(*version);
                        self.chosen(other) == Some(*version) && self.is_now(other)
                    });
                    let Some(found) = found.filter(|_| !is_loop) else { continue };
                    let help = Help::Unpack(Configuring::AtOnce);
                    let (is_done, changes) = self.help(package, catalog.owner(found), help, depth);
                    if !is_done {
                        return None;
                    }
                    has_changed |= changes;
                    is_unpacked = true;
                    break;
                }
                if !is_unpacked {
                    waiting.push(alternatives);
                }
            }
            if !has_changed {
                return Some(waiting);
            }
        }
        None
    }

    /// Configures what a package depends on and what is unpacked.
    fn configure_needed(
        &mut self,
        package: PackageId,
        waiting: &[&[DependencyId]],
        is_loop: bool,
        depth: usize,
    ) -> bool {
        for _ in 0..=MOST_LOOPS {
            let (mut has_changed, mut is_fine) = (false, true);
            for alternatives in waiting {
                is_fine = false;
                for id in *alternatives {
                    match self.configure_one(package, *id, is_loop, depth, &mut has_changed) {
                        None => return false,
                        Some(is_configured) => is_fine = is_configured,
                    }
                    if is_fine {
                        break;
                    }
                }
            }
            if !has_changed {
                // Only what was looked at last decides, as for apt.
                return is_fine;
            }
        }
        false
    }

    fn configure_one(
        &mut self,
        package: PackageId,
        id: DependencyId,
        is_loop: bool,
        depth: usize,
        has_changed: &mut bool,
    ) -> Option<bool> {
        let catalog = self.states.catalog;
        for version in catalog.targets(id) {
            let other = catalog.owner(version);
            if self.chosen(other) != Some(version) {
                continue;
            }
            match self.stage(other) {
                Stage::Configured => return Some(true),
                // Another call deals with it already.
                Stage::Unpacked if self.flags[other.at()].is_looping && is_loop => {
                    return Some(true);
                }
                Stage::Unpacked => {
                    let (is_done, changes) = self.help(package, other, Help::Configure, depth);
                    *has_changed |= changes;
                    return is_done.then_some(true);
                }
                Stage::Now | Stage::Removed => {}
            }
        }
        Some(false)
    }

    /// Removes for good what breaks a package that is to be configured, and goes anyway.
    fn remove_breaking(&mut self, package: PackageId, version: VersionId) {
        let catalog = self.states.catalog;
        let ids = catalog.wanted(package).filter(|id| catalog.is_satisfied(*id, version));
        for id in ids.collect::<Vec<_>>() {
            let dependency = catalog.dependency(id);
            let parent = catalog.owner(dependency.parent);
            if dependency.kind == Kind::Breaks
                && self.is_deleted(parent)
                && !catalog.is_ignored(id, package)
                && self.states.current(parent) == Some(dependency.parent)
            {
                self.remove(parent);
            }
        }
    }
}
