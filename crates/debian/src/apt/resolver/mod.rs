//! What apt would choose: the packages that `apt-get install`, `upgrade`, `dist-upgrade`, `remove`,
//! `purge` and `autoremove` install, change and remove.
//!
//! Not any valid choice will do, it has to be apt's. So this goes apt's way: marking a package marks
//! what it needs, the first way that works is taken, what is in the way is upgraded or goes, and what
//! is broken in the end is mended by scores. `catalog` is what is known, in apt's order; `states`
//! what becomes of each package; `mark` changes that; `problems` mends; `sweep` finds what nobody
//! needs; `ordering` is the order in which dpkg gets it all.

mod catalog;
mod explain;
mod mark;
mod note;
mod ordering;
mod policy;
mod problems;
mod rules;
mod select;
mod solution;
mod sort;
mod states;
mod sweep;
#[cfg(test)]
mod tests;
mod upgrade;

use std::collections::BTreeSet;

use crate::apt::archive::Archive;
use crate::control::Stanza;
use crate::dpkg::status::{self, Status};

use catalog::build::{List, Rows};
use catalog::{Catalog, File, PackageId, VersionId};
use mark::{By, Needs, Removal};
use problems::{Mending, Problems, Unresolved};
use select::{Selection, Wish};
use states::States;
use upgrade::Extent;

pub use explain::{Unmet, UnmetPart, Unmets};
pub use note::{Note, Provider, Unselected};
pub use ordering::{Step, Work};
pub use policy::{NEVER, Pinned, Policy, default_priority};
pub use rules::{NamePatterns, Phased, Rules};
pub use solution::{Change, ChangeKind, Place, Solution, Summary};

/// What is asked.
pub struct Request<'a> {
    /// What there is, in the order in which sources name it.
    pub archives: &'a [Archive],
    /// What is installed.
    pub status: &'a Status,
    /// What was installed only because other packages need it.
    pub automatic: &'a BTreeSet<status::PackageId>,
    /// The control files of packages that were given as files; all of them are wanted.
    pub local: &'a [Stanza],
    /// The native architecture, then the others that are configured.
    pub architectures: &'a [&'a str],
    /// What versions are worth.
    pub policy: &'a Policy<'a>,
    /// How to choose.
    pub rules: &'a Rules<'a>,
    /// What to do.
    pub action: Action,
    /// What to do it with.
    pub words: &'a [&'a str],
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `install`
    Install,
    /// `remove`; also `purge` and `autoremove`, by [`Rules`].
    Remove,
    /// `upgrade`
    Upgrade,
    /// `dist-upgrade`
    DistUpgrade,
}

/// Why there is no solution.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// Words that name nothing.
    #[error("{}", words_of(problems))]
    Unselected {
        /// What they are.
        problems: Vec<Unselected>,
        /// What was told before.
        notes: Vec<Note>,
    },
    /// Something is broken already.
    #[error(
        "Unmet dependencies. Try 'apt --fix-broken install' with no packages (or specify a solution)."
    )]
    Broken(Unmets),
    /// What is broken cannot be mended.
    #[error("Unable to correct dependencies")]
    Unfixable(Unmets),
    /// What is wanted cannot be had together.
    #[error("{}", if *is_held {
        "Unable to correct problems, you have held broken packages."
    } else {
        "Error, pkgProblemResolver::Resolve generated breaks, this may be caused by held packages."
    })]
    Unsatisfiable {
        /// What does not fit.
        unmets: Unmets,
        /// Whether it is all about packages that were asked for.
        is_held: bool,
    },
    /// A package is half installed, and no longer to be had.
    #[error("The package {0} needs to be reinstalled, but I can't find an archive for it.")]
    Lost(String),
    /// Packages would go, and must not.
    #[error("Packages need to be removed but remove is disabled.")]
    RemovesNothing,
    /// A list has a relation that is none.
    #[error("the field `{field}` of the package `{package}` is no list of relations")]
    BadField {
        /// The package.
        package: String,
        /// The field.
        field: &'static str,
    },
    /// There is no order in which dpkg could do it.
    #[error("there is no order to unpack and configure packages in: {0} is in the way of others")]
    NoOrder(String),
    /// The machine gives no room to work in.
    #[error("no thread can be started to choose packages in")]
    NoThread,
    /// No architecture was named.
    #[error("there is no architecture to install packages for")]
    NoArchitecture,
}

fn words_of(problems: &[Unselected]) -> String {
    let words: Vec<String> = problems.iter().map(Unselected::to_string).collect();
    words.join("; ")
}

/// Finds what apt would choose.
///
/// # Errors
/// What apt refuses, with what it says of it.
pub fn resolve(request: &Request<'_>) -> Result<Solution, ResolveError> {
    if request.architectures.is_empty() {
        return Err(ResolveError::NoArchitecture);
    }
    // One package may lead to another some thousand times, each time a few calls deeper.
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK);
        let thread = thread.spawn_scoped(scope, || resolve_deeply(request));
        let result = thread.map_err(|_| ResolveError::NoThread)?.join();
        result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// What [`resolve`] may take for its calls; memory is taken only as they are made.
const STACK: usize = 256 << 20;

fn resolve_deeply(request: &Request<'_>) -> Result<Solution, ResolveError> {
    let catalog = catalog(request)?;
    let candidates = policy::candidates(&catalog, request.policy);
    let mut states = States::new(&catalog, request.rules, candidates);
    set_automatic(&mut states, request.automatic);
    let mut run = Run { request, states, notes: Vec::new(), unused: 0 };
    let wanted = run.decide()?;
    let Run { mut states, notes, unused, .. } = run;
    solution::solve(request, &mut states, &wanted, notes, unused)
}

fn catalog<'a>(request: &Request<'a>) -> Result<Catalog<'a>, ResolveError> {
    let mut lists = Vec::new();
    for (at, archive) in request.archives.iter().enumerate() {
        let priority = request.policy.archives.get(at).copied();
        let priority = priority.unwrap_or_else(|| default_priority(&archive.release));
        let is_security = archive.release.suite.ends_with("-security");
        let file = File { is_source: true, priority, is_security };
        lists.push(List { file, rows: Rows::Index(&archive.index) });
    }
    let installed = request.status.packages().map(|(_, package)| package).collect();
    let priority = request.policy.installed;
    let file = File { is_source: false, priority, is_security: false };
    lists.push(List { file, rows: Rows::Status(installed) });
    let file = File { is_source: true, priority: 500, is_security: false };
    lists.push(List { file, rows: Rows::Stanzas(request.local) });
    Catalog::build(request.architectures, lists)
        .map_err(|bad| ResolveError::BadField { package: bad.package, field: bad.field })
}

fn set_automatic(states: &mut States<'_, '_>, automatic: &BTreeSet<status::PackageId>) {
    for id in automatic {
        let arch = if id.architecture.is_empty() { "native" } else { &id.architecture };
        if let Some(package) = states.catalog.find(&id.name, arch) {
            states.state_mut(package).is_automatic = true;
        }
    }
}

/// A request while it is worked on.
struct Run<'r, 'c, 'a> {
    request: &'r Request<'a>,
    states: States<'c, 'a>,
    notes: Vec<Note>,
    unused: usize,
}

/// What was asked for, and what could be upgraded before anything was done.
#[derive(Default)]
struct Wanted {
    installs: Vec<VersionId>,
    upgradable: Vec<PackageId>,
}

impl Run<'_, '_, '_> {
    fn decide(&mut self) -> Result<Wanted, ResolveError> {
        let (rules, has_words) = (self.request.rules, !self.request.words.is_empty());
        upgrade::apply_status(&mut self.states)
            .map_err(|package| ResolveError::Lost(self.states.catalog.pretty(package)))?;
        let is_upgrade = matches!(self.request.action, Action::Upgrade | Action::DistUpgrade);
        if is_upgrade {
            self.states.sweep();
        }
        self.mend(has_words || !self.request.local.is_empty())?;
        let was_broken = self.states.broken() > 0;
        let mut problems = Problems::new(&self.states);
        let mut selection = self.select()?;
        for version in &selection.removes {
            self.remove(&mut problems, *version);
        }
        let mut later = Vec::new();
        for version in &selection.installs {
            self.install(&mut problems, *version, was_broken, &mut later);
        }
        let upgradable = self.upgradable();
        select::follow_releases(&mut self.states, self.request.archives, &mut selection);
        self.notes.append(&mut selection.notes);
        self.states.install_wanted(&later);
        if was_broken && self.states.broken() > 0 {
            return Err(ResolveError::Broken(Unmets::of(&self.states)));
        }
        self.solve_problems(&mut problems)?;
        if self.states.broken() > 0 {
            let unmets = Unmets::of(&self.states);
            return Err(ResolveError::Unsatisfiable { unmets, is_held: false });
        }
        self.unused = self.states.remove_unused();
        if rules.purges {
            self.purge_all();
        }
        Ok(Wanted { installs: selection.installs, upgradable })
    }

    /// Mends what is broken before anything is done, if nothing else is asked for.
    fn mend(&mut self, may_be_broken: bool) -> Result<(), ResolveError> {
        let rules = self.request.rules;
        if rules.fixes_recommends {
            for package in self.states.walk() {
                if self.states.lacks_now(*package) {
                    self.states.mark_install(*package, Needs::FollowAll, By::Solver, 0);
                }
            }
        }
        if self.states.broken() == 0 || may_be_broken {
            return Ok(());
        }
        if !rules.fixes && !rules.fixes_recommends {
            return Err(ResolveError::Broken(Unmets::of_now(&self.states)));
        }
        let fixed = upgrade::fix_broken(&mut self.states);
        if fixed.is_err() || self.states.broken() > 0 {
            return Err(ResolveError::Unfixable(Unmets::of_now(&self.states)));
        }
        Ok(())
    }

    fn select(&mut self) -> Result<Selection, ResolveError> {
        let wish = match self.request.action {
            Action::Remove => Wish::Remove,
            _ => Wish::Install,
        };
        let mut selection =
            select::select(&mut self.states, self.request.archives, self.request.words, wish);
        for version in self.local_versions() {
            self.states.set_candidate(version);
            selection.installs.push(version);
        }
        self.notes.append(&mut selection.notes);
        if selection.problems.is_empty() {
            return Ok(selection);
        }
        let notes = std::mem::take(&mut self.notes);
        Err(ResolveError::Unselected { problems: selection.problems, notes })
    }

    /// The versions that were given as files.
    fn local_versions(&self) -> Vec<VersionId> {
        let (catalog, file) = (self.states.catalog, self.request.archives.len() + 1);
        let versions = (0..catalog.versions.len()).map(|at| VersionId(at as u32));
        let mut local: Vec<(usize, VersionId)> = Vec::new();
        for version in versions {
            let mut origins = catalog.version(version).origins.iter();
            if let Some(origin) = origins.find(|origin| origin.file == file) {
                local.push((origin.row, version));
            }
        }
        local.sort_unstable();
        local.into_iter().map(|(_, version)| version).collect()
    }

    fn install(
        &mut self,
        problems: &mut Problems,
        version: VersionId,
        was_broken: bool,
        later: &mut Vec<PackageId>,
    ) {
        let (rules, catalog) = (self.request.rules, self.states.catalog);
        let package = catalog.owner(version);
        let name = catalog.pretty(package);
        let current = self.states.current(package);
        self.states.set_candidate(version);
        if !rules.upgrades && current.is_some() {
            self.notes.push(Note::NoUpgrade { name: name.clone() });
        } else if rules.only_upgrades && current.is_none() {
            self.notes.push(Note::OnlyUpgrade { name: name.clone() });
        } else {
            problems.clear(package);
            problems.protect(&mut self.states, package);
            self.states.mark_install(package, Needs::Leave, By::User, 0);
            if !self.states.state(package).is_installed() {
                self.reinstall(package, &name);
            }
            if !was_broken {
                later.push(package);
            }
        }
        let keeps_marks = rules.reinstalls || rules.only_upgrades || rules.only_downloads;
        let state = self.states.state_mut(package);
        if !state.is_installed() && state.is_automatic && !keeps_marks {
            state.is_automatic = false;
            self.notes.push(Note::Manual { name });
        }
    }

    /// What is there already is installed anew, or said to be there.
    fn reinstall(&mut self, package: PackageId, name: &str) {
        let catalog = self.states.catalog;
        let current = self.states.current(package);
        if self.request.rules.reinstalls {
            if current.is_some_and(|current| catalog.is_downloadable(current)) {
                self.states.set_reinstall(package);
            } else {
                self.notes.push(Note::NoReinstall { name: name.to_owned() });
            }
        } else if let Some(current) = current {
            let version = catalog.version_text(current).to_owned();
            self.notes.push(Note::Newest { name: name.to_owned(), version });
        }
    }

    fn remove(&mut self, problems: &mut Problems, version: VersionId) {
        let catalog = self.states.catalog;
        let package = catalog.owner(version);
        let purges = self.request.rules.purges;
        problems.clear(package);
        problems.protect(&mut self.states, package);
        problems.set_to_go(package);
        let is_there = |states: &States<'_, '_>, package| {
            states.current(package).is_some() || (purges && !states.is_gone(package))
        };
        if is_there(&self.states, package) {
            let removal = if purges { Removal::Purge } else { Removal::Remove };
            self.states.mark_delete(package, removal, By::User, 0);
            return;
        }
        let mut siblings = catalog.group(package).packages.iter();
        let meant = siblings
            .find(|sibling| **sibling != package && is_there(&self.states, **sibling))
            .map(|sibling| catalog.pretty(*sibling));
        self.notes.push(Note::NotInstalled { name: catalog.pretty(package), meant });
        self.states.bar(package);
    }

    fn upgradable(&self) -> Vec<PackageId> {
        let is_upgradable = |package: &PackageId| {
            self.states.current(*package).is_some() && self.states.state(*package).can_be_upgraded()
        };
        self.states.sorted().into_iter().filter(is_upgradable).collect()
    }

    fn solve_problems(&mut self, problems: &mut Problems) -> Result<(), ResolveError> {
        let with_new = self.request.rules.upgrades_with_new;
        let solved = match self.request.action {
            Action::Upgrade if with_new => upgrade::upgrade(&mut self.states, Extent::WithNew),
            Action::Upgrade => upgrade::upgrade(&mut self.states, Extent::Gentle),
            Action::DistUpgrade => upgrade::upgrade(&mut self.states, Extent::Full),
            Action::Install | Action::Remove => {
                problems.resolve(&mut self.states, Mending::ByAnyMeans)
            }
        };
        solved.map_err(|unresolved| ResolveError::Unsatisfiable {
            unmets: Unmets::of(&self.states),
            is_held: unresolved == Unresolved::Held,
        })
    }

    fn purge_all(&mut self) {
        for package in self.states.walk() {
            if self.states.state(*package).is_deleted() && !self.states.is_gone(*package) {
                self.states.mark_delete(*package, Removal::Purge, By::User, 0);
            }
        }
    }
}

impl States<'_, '_> {
    /// Installs anew what is there, and its siblings of other architectures with it.
    fn set_reinstall(&mut self, package: PackageId) {
        let catalog = self.catalog;
        let is_same = self.current(package).is_some_and(|current| {
            catalog.version(current).multi_arch == crate::index::MultiArch::Same
        });
        let siblings = catalog.group(package).packages.iter().copied();
        for sibling in siblings {
            if sibling == package || (is_same && self.current(sibling).is_some()) {
                self.state_mut(sibling).is_reinstalled = true;
            }
        }
    }
}
