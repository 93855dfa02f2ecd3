//! Which package comes before which.

use super::super::catalog::{DependencyId, Kind, PackageId, VersionId};
use super::super::states::Need;
use super::Order;

/// What leads from a package to others that come before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// What has to be there, or gone, before it is unpacked.
    Critical,
    /// That, with all that it depends on, so that it can be configured at once.
    Whole,
    /// What it wants to be configured before.
    PreDepends,
    /// What it would break.
    Broken,
    /// What it depends on.
    Configure,
    /// What depends on what goes.
    Remove,
}

/// The ways that a pass goes.
#[derive(Debug, Default)]
pub(super) struct Visit {
    primary: Option<Way>,
    secondary: Option<Way>,
    reverse: Option<Way>,
    remove: Option<Way>,
    depth: usize,
    /// What is put in order so far.
    done: Vec<PackageId>,
}

/// Whether relations of a package are followed, or those of others with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Reverse,
}

impl Order<'_, '_, '_> {
    /// Four passes, each over what the one before made.
    pub(super) fn arrange(&mut self) {
        let (reverse, remove) = (Some(Way::Broken), Some(Way::Remove));
        self.pass(Way::Critical, Some(Way::Configure), reverse, remove);
        self.pass(Way::Critical, None, reverse, remove);
        self.pass(Way::Critical, None, None, None);
        self.pass(Way::PreDepends, None, None, None);
    }

    fn pass(
        &mut self,
        primary: Way,
        secondary: Option<Way>,
        reverse: Option<Way>,
        remove: Option<Way>,
    ) {
        let primary = Some(primary);
        self.visit = Visit { primary, secondary, reverse, remove, depth: 0, done: Vec::new() };
        for flags in &mut self.flags {
            (flags.is_added, flags.is_pending, flags.is_looping) = (false, false, false);
            flags.is_listed = false;
        }
        let list = std::mem::take(&mut self.list);
        for package in &list {
            self.flags(*package).is_listed = true;
        }
        for package in list {
            self.visit(package);
        }
        self.list = std::mem::take(&mut self.visit.done);
    }

    fn visit(&mut self, package: PackageId) {
        let flags = self.flags[package.at()];
        if flags.is_added || flags.is_pending || !flags.is_listed {
            return;
        }
        self.visit.depth += 1;
        self.flags(package).is_pending = true;
        let before = self.visit.primary;
        if flags.is_immediate && before != Some(Way::PreDepends) {
            self.visit.primary = Some(Way::Whole);
        }
        if self.is_now(package) {
            if self.is_deleted(package) {
                self.follow_reverse(self.visit.remove, package);
                self.follow_provided(self.visit.remove, self.states.current(package));
            } else {
                self.visit_install(package);
            }
        }
        let flags = self.flags(package);
        if !flags.is_added {
            (flags.is_added, flags.is_pending) = (true, false);
            self.visit.done.push(package);
        }
        self.visit.primary = before;
        self.visit.depth -= 1;
    }

    fn visit_install(&mut self, package: PackageId) {
        let versions = [self.states.current(package), self.chosen(package)];
        self.follow_forward(self.visit.primary, package);
        self.follow_reverse(self.visit.primary, package);
        versions.iter().for_each(|version| self.follow_provided(self.visit.primary, *version));
        self.follow_reverse(self.visit.reverse, package);
        versions.iter().for_each(|version| self.follow_provided(self.visit.reverse, *version));
        self.follow_forward(self.visit.secondary, package);
        self.follow_reverse(self.visit.secondary, package);
        versions.iter().for_each(|version| self.follow_provided(self.visit.secondary, *version));
    }

    fn follow_forward(&mut self, way: Option<Way>, package: PackageId) {
        let catalog = self.states.catalog;
        if let (Some(way), Some(chosen)) = (way, self.chosen(package)) {
            for id in &catalog.version(chosen).dependencies {
                self.follow(way, *id, Direction::Forward);
            }
        }
    }

    fn follow_reverse(&mut self, way: Option<Way>, package: PackageId) {
        let catalog = self.states.catalog;
        // Other ways have nothing to say of the packages that want one.
        let Some(way @ (Way::Critical | Way::Whole | Way::Broken | Way::Remove)) = way else {
            return;
        };
        for id in catalog.wanted(package) {
            // Only what is installed counts, whatever the way.
            let parent = catalog.dependency(id).parent;
            let owner = catalog.owner(parent);
            let counts = match way {
                Way::Remove => self.states.current(owner).is_some(),
                _ => self.states.current(owner) == Some(parent),
            };
            if counts && !self.follow(way, id, Direction::Reverse) {
                return;
            }
        }
    }

    fn follow_provided(&mut self, way: Option<Way>, version: Option<VersionId>) {
        let catalog = self.states.catalog;
        if let Some(version) = version {
            for provide in catalog.provided(version) {
                self.follow_reverse(way, provide.target);
            }
        }
    }

    /// Follows one relation; gives whether the rest of the list is still to be followed.
    fn follow(&mut self, way: Way, id: DependencyId, direction: Direction) -> bool {
        let catalog = self.states.catalog;
        let (kind, target) = (catalog.dependency(id).kind, catalog.dependency(id).target);
        let parent = catalog.owner(catalog.dependency(id).parent);
        match (way, direction) {
            (Way::Critical | Way::Whole, Direction::Reverse) => {
                if kind == Kind::Conflicts && !self.holds(id, direction) {
                    self.visit(parent);
                }
            }
            (Way::Critical, Direction::Forward) => {
                if kind.is_negative() || kind == Kind::PreDepends {
                    let before = self.visit.primary;
                    if kind == Kind::PreDepends {
                        self.visit.primary = Some(Way::Whole);
                    }
                    self.follow_unless(id, kind == Kind::PreDepends);
                    self.visit.primary = before;
                }
            }
            (Way::Whole, Direction::Forward) => {
                if kind.is_critical() {
                    self.follow_unless(id, kind == Kind::PreDepends);
                }
            }
            (Way::PreDepends, Direction::Forward) => {
                let is_deep = self.visit.depth > 1 || self.flags[parent.at()].is_immediate;
                if kind == Kind::PreDepends || (kind == Kind::Depends && is_deep) {
                    self.follow_unless(id, true);
                }
            }
            (Way::Broken, Direction::Reverse) => {
                if kind.is_critical() && !self.holds(id, direction) {
                    self.visit(parent);
                }
            }
            (Way::Broken, Direction::Forward) => match kind {
                Kind::Depends => self.visit_targets(id),
                Kind::Breaks if !self.holds(id, direction) => self.visit(target),
                _ => {}
            },
            (Way::Configure, Direction::Forward) => {
                if kind == Kind::Depends {
                    self.visit_targets(id);
                }
            }
            (Way::Remove, Direction::Reverse) => return self.follow_removal(id, parent),
            (Way::PreDepends | Way::Configure, Direction::Reverse)
            | (Way::Remove, Direction::Forward) => {}
        }
        true
    }

    /// Visits what a relation wants, unless it holds as it is; loops are noted where they matter.
    fn follow_unless(&mut self, id: DependencyId, minds_loops: bool) {
        let target = self.states.catalog.dependency(id).target;
        let flags = self.flags[target.at()];
        if self.holds(id, Direction::Forward) && !(flags.is_pending && minds_loops) {
            return;
        }
        if !flags.is_added && !flags.is_pending {
            self.visit_targets(id);
        }
    }

    /// Whether a relation holds once all is done that is in order so far.
    fn holds(&self, id: DependencyId, direction: Direction) -> bool {
        let catalog = self.states.catalog;
        let dependency = catalog.dependency(id);
        let is_reverse = direction == Direction::Reverse;
        let itself = match direction {
            Direction::Forward => catalog.owner(dependency.parent),
            Direction::Reverse => dependency.target,
        };
        for version in catalog.targets(id) {
            let package = catalog.owner(version);
            let flags = self.flags[package.at()];
            let is_there = if flags.is_added || (flags.is_pending && is_reverse) {
                self.chosen(package) == Some(version)
            } else {
                self.states.current(package) == Some(version)
                    && self.states.need(package) == Need::Nothing
            };
            if !is_there {
                continue;
            }
            if dependency.kind.is_negative() {
                return false;
            }
            // What an earlier version of the package itself provides goes with it.
            if package != itself || self.chosen(package) == Some(version) {
                return true;
            }
        }
        dependency.kind == Kind::Conflicts
    }

    /// Visits what a relation is about: for a conflict what goes first, then what is upgraded.
    fn visit_targets(&mut self, id: DependencyId) {
        let catalog = self.states.catalog;
        let is_negative = catalog.dependency(id).kind.is_negative();
        let targets = catalog.targets(id);
        for goes_first in [true, false] {
            for version in &targets {
                let package = catalog.owner(*version);
                let state = self.states.state(package);
                let is_settled = state.is_kept() && self.states.need(package) == Need::Nothing;
                let there = if is_negative { self.states.current(package) } else { state.chosen };
                let is_turn = !is_negative || state.is_deleted() == goes_first;
                if is_turn && !is_settled && there == Some(*version) {
                    self.visit(package);
                }
            }
            if !is_negative {
                return;
            }
        }
    }

    /// What depends on something that goes, goes before, or gets something else to depend on.
    fn follow_removal(&mut self, broken: DependencyId, package: PackageId) -> bool {
        let catalog = self.states.catalog;
        let kind = catalog.dependency(broken).kind;
        let flags = self.flags[package.at()];
        let Some(current) = self.states.current(package) else {
            return true;
        };
        if !matches!(kind, Kind::Depends | Kind::PreDepends) || flags.is_pending || flags.is_added {
            return true;
        }
        if self.is_deleted(package) {
            self.visit(package);
            return false;
        }
        for alternatives in catalog.relations(current) {
            if !alternatives.contains(&broken) || self.has_replacement(alternatives) {
                continue;
            }
            if !self.visit_replacement(alternatives, flags.is_immediate) {
                self.visit(package);
            }
        }
        true
    }

    fn has_replacement(&self, alternatives: &[DependencyId]) -> bool {
        let catalog = self.states.catalog;
        alternatives.iter().flat_map(|id| catalog.targets(*id)).any(|version| {
            let package = catalog.owner(version);
            self.states.current(package) == Some(version) && !self.is_deleted(package)
        })
    }

    fn visit_replacement(&mut self, alternatives: &[DependencyId], is_immediate: bool) -> bool {
        let catalog = self.states.catalog;
        let mut versions = alternatives.iter().flat_map(|id| catalog.targets(*id));
        let found = versions.find(|version| {
            let package = catalog.owner(*version);
            let state = self.states.state(package);
            state.is_installed()
                && state.chosen == Some(*version)
                && !self.flags[package.at()].is_pending
        });
        let Some(version) = found else {
            return false;
        };
        let package = catalog.owner(version);
        self.flags(package).is_immediate |= is_immediate;
        self.visit(package);
        true
    }
}
