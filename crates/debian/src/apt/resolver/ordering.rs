//! The order in which apt hands packages to dpkg.
//!
//! First all that changes is put into an order ([`list`]): what others need for being unpacked comes
//! before them, and what is essential is not left unconfigured for long. Then it is gone through
//! ([`steps`]): one package after the other is unpacked, and configured at once where something needs
//! that. The rest dpkg configures in the end, in an order of its own.

mod list;
mod steps;

use serde::{Deserialize, Serialize};

use super::ResolveError;
use super::catalog::{Kind, PackageId, Priority, VersionId};
use super::solution::named;
use super::sort::sort;
use super::states::{Need, States};
use crate::dpkg::status;

/// One thing that dpkg is told to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// What.
    pub work: Work,
    /// With which package.
    pub package: status::PackageId,
}

/// What dpkg is told to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Work {
    /// Unpack it.
    Unpack,
    /// Configure it now.
    Configure,
    /// Configure it in the end, with all that is left then (`dpkg --configure --pending`, which has
    /// an order of its own; this is the one in which `apt-get -s` tells them).
    ConfigureLast,
    /// Remove it.
    Remove,
    /// Remove it with its configuration.
    Purge,
}

/// How far a package is while an order is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Stage {
    /// As it is.
    #[default]
    Now,
    /// Gone for a while, to come back.
    Removed,
    Unpacked,
    /// Or removed for good.
    Configured,
}

#[derive(Debug, Clone, Copy, Default)]
struct Flags {
    is_listed: bool,
    is_added: bool,
    is_pending: bool,
    /// To be configured as soon as it is unpacked.
    is_immediate: bool,
    is_looping: bool,
    stage: Stage,
}

/// An order in the making.
struct Order<'s, 'c, 'a> {
    states: &'s States<'c, 'a>,
    flags: Vec<Flags>,
    list: Vec<PackageId>,
    visit: list::Visit,
    steps: Vec<(Work, PackageId)>,
}

/// Puts what changes into an order.
pub(super) fn order(states: &States<'_, '_>) -> Result<Vec<Step>, ResolveError> {
    let mut order = Order {
        states,
        flags: vec![Flags::default(); states.catalog.packages.len()],
        list: Vec::new(),
        visit: list::Visit::default(),
        steps: Vec::new(),
    };
    order.collect();
    order.sort();
    order.arrange();
    order.go().map_err(|package| ResolveError::NoOrder(states.catalog.pretty(package)))?;
    order.finish();
    let step = |(work, package): (Work, PackageId)| {
        let version = match work {
            Work::Remove | Work::Purge => states.current(package),
            _ => states.state(package).chosen,
        };
        let latest = states.catalog.package(package).versions.first().copied();
        let version = version.or(latest)?;
        Some(Step { work, package: named(states.catalog, version) })
    };
    Ok(order.steps.into_iter().filter_map(step).collect())
}

impl Order<'_, '_, '_> {
    fn flags(&mut self, package: PackageId) -> &mut Flags {
        &mut self.flags[package.at()]
    }

    fn stage(&self, package: PackageId) -> Stage {
        self.flags[package.at()].stage
    }

    /// Whether nothing was done about it yet, or nothing lasting.
    fn is_now(&self, package: PackageId) -> bool {
        matches!(self.stage(package), Stage::Now | Stage::Removed)
    }

    fn chosen(&self, package: PackageId) -> Option<VersionId> {
        self.states.state(package).chosen
    }

    fn is_deleted(&self, package: PackageId) -> bool {
        self.states.state(package).is_deleted()
    }

    /// All packages that change.
    fn collect(&mut self) {
        let catalog = self.states.catalog;
        for package in self.states.walk() {
            let known = catalog.package(*package);
            if known.versions.is_empty() {
                continue;
            }
            if known.is_essential && self.states.rules.configures_essential_at_once {
                self.flags(*package).is_immediate = true;
                self.spread_immediate(*package, Self::chosen);
                self.spread_immediate(*package, |order, package| order.states.current(package));
            }
            let state = self.states.state(*package);
            let is_settled = state.is_kept() || state.chosen == known.current;
            let is_well = self.states.need(*package) == Need::Nothing;
            let is_purge = state.is_deleted() && state.is_purged && !self.states.is_gone(*package);
            if !is_settled || !is_well || state.is_reinstalled || is_purge {
                self.list.push(*package);
            }
        }
    }

    /// What is needed at once needs its dependencies at once.
    fn spread_immediate(
        &mut self,
        package: PackageId,
        view: fn(&Self, PackageId) -> Option<VersionId>,
    ) {
        let catalog = self.states.catalog;
        let mut todo = vec![package];
        while let Some(package) = todo.pop() {
            let Some(version) = view(self, package) else { continue };
            for id in &catalog.version(version).dependencies {
                let dependency = catalog.dependency(*id);
                if matches!(dependency.kind, Kind::Depends | Kind::PreDepends) {
                    let flags = self.flags(dependency.target);
                    if !std::mem::replace(&mut flags.is_immediate, true) {
                        todo.push(dependency.target);
                    }
                }
            }
        }
    }

    /// What is not well first, then by weight, then by name.
    fn sort(&mut self) {
        let catalog = self.states.catalog;
        let mut list: Vec<(bool, i32, &str, PackageId)> = Vec::new();
        for package in &self.list {
            let is_well = self.states.need(*package) == Need::Nothing;
            list.push((is_well, -self.weight(*package), catalog.name(*package), *package));
        }
        sort(&mut list, |one, other| (one.0, one.1, one.2) < (other.0, other.1, other.2));
        self.list = list.into_iter().map(|(_, _, _, package)| package).collect();
    }

    fn weight(&self, package: PackageId) -> i32 {
        let catalog = self.states.catalog;
        if self.is_deleted(package) {
            return 100;
        }
        let Some(chosen) = self.chosen(package) else {
            return -1;
        };
        let version = catalog.version(chosen);
        let mut kinds = version.dependencies.iter().map(|id| catalog.dependency(*id).kind);
        let mut weight = match version.priority {
            Priority::Required => 5,
            Priority::Important => 4,
            Priority::Standard => 3,
            Priority::Optional => 1,
            Priority::None | Priority::Extra => 0,
        };
        if catalog.package(package).is_essential {
            weight += 200;
        }
        if self.flags[package.at()].is_immediate {
            weight += 10;
        }
        if kinds.any(|kind| kind == Kind::PreDepends) {
            weight += 50;
        }
        weight
    }

    /// What is left in the end.
    fn finish(&mut self) {
        for package in self.states.walk() {
            let state = self.states.state(*package);
            let is_done = self.steps.iter().any(|(work, known)| {
                matches!(work, Work::Remove | Work::Purge) && known == package
            });
            if state.is_deleted() && !is_done {
                let work = if state.is_purged { Work::Purge } else { Work::Remove };
                self.steps.push((work, *package));
            }
        }
        let is_configured = |steps: &[(Work, PackageId)], package| {
            steps.iter().any(|(work, known)| {
                matches!(work, Work::Configure | Work::ConfigureLast) && *known == package
            })
        };
        for at in 0..self.steps.len() {
            let (work, package) = self.steps[at];
            if work == Work::Unpack && !is_configured(&self.steps, package) {
                self.steps.push((Work::ConfigureLast, package));
            }
        }
        for package in self.states.walk() {
            let is_half = self.states.need(*package) == Need::Configure;
            if is_half && !self.is_deleted(*package) && !is_configured(&self.steps, *package) {
                self.steps.push((Work::ConfigureLast, *package));
            }
        }
    }
}
