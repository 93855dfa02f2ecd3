//! What becomes of each package, and whether its relations hold then.
//!
//! For each dependency it is kept whether what is installed now, what is chosen, and what would be
//! chosen satisfies it. That is brought up to date when a package's state changes, and not when a
//! candidate is merely given up: apt goes on counting on such a one, and so does what it chooses.

use super::catalog::{Catalog, DependencyId, Kind, PackageId, Provide, VersionId};
use super::rules::Rules;
use crate::dpkg::status::{State as Progress, Want};

/// What satisfies a dependency, as bits.
pub(super) mod satisfied {
    /// What is installed.
    pub(crate) const NOW: u8 = 1;
    /// What is chosen.
    pub(crate) const CHOSEN: u8 = 2;
    /// What would be chosen.
    pub(crate) const CANDIDATE: u8 = 4;
    /// It was not looked at yet.
    pub(super) const UNKNOWN: u8 = 0xff;
}

use satisfied::{CANDIDATE, CHOSEN, NOW, UNKNOWN};

/// What is to be done about a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Delete,
    Keep,
    Install,
}

/// What a package is, and what its candidate would make of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    Downgrade,
    Same,
    Upgrade,
    New,
}

/// What becomes of one package.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) candidate: Option<VersionId>,
    pub(super) chosen: Option<VersionId>,
    pub(super) mode: Mode,
    pub(super) standing: Standing,
    pub(super) is_automatic: bool,
    /// What is chosen for it was asked for, or follows from that.
    pub(super) is_protected: bool,
    pub(super) is_purged: bool,
    pub(super) is_reinstalled: bool,
    /// It was put on hold, or asked to go and is not there: nothing else may change it.
    pub(super) is_held: bool,
    /// Something that was asked for leads to it.
    pub(super) is_marked: bool,
    /// Nothing does.
    pub(super) is_garbage: bool,
}

impl State {
    pub(super) fn is_kept(&self) -> bool {
        self.mode == Mode::Keep
    }

    pub(super) fn is_installed(&self) -> bool {
        self.mode == Mode::Install
    }

    pub(super) fn is_deleted(&self) -> bool {
        self.mode == Mode::Delete
    }

    pub(super) fn is_new(&self) -> bool {
        self.is_installed() && self.standing == Standing::New
    }

    /// Including what is new.
    pub(super) fn is_upgraded(&self) -> bool {
        self.is_installed() && self.standing >= Standing::Upgrade
    }

    pub(super) fn is_downgraded(&self) -> bool {
        self.is_installed() && self.standing == Standing::Downgrade
    }

    pub(super) fn can_be_upgraded(&self) -> bool {
        self.standing >= Standing::Upgrade && self.candidate.is_some()
    }
}

/// What dpkg would have to do first with a package that is not well.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Need {
    Nothing,
    Unpack,
    Configure,
}

/// What becomes of all packages.
pub(super) struct States<'c, 'a> {
    pub(super) catalog: &'c Catalog<'a>,
    pub(super) rules: &'c Rules<'c>,
    states: Vec<State>,
    /// What the candidates were in the beginning.
    first_candidates: Vec<Option<VersionId>>,
    satisfied: Vec<u8>,
    is_broken: Vec<bool>,
    broken: usize,
}

impl<'c, 'a> States<'c, 'a> {
    /// Everything as it is; `candidates` by package.
    pub(super) fn new(
        catalog: &'c Catalog<'a>,
        rules: &'c Rules<'c>,
        candidates: Vec<Option<VersionId>>,
    ) -> Self {
        let state = |(package, candidate): (usize, &Option<VersionId>)| State {
            candidate: *candidate,
            chosen: catalog.packages[package].current,
            mode: Mode::Keep,
            standing: Standing::New,
            is_automatic: false,
            is_protected: false,
            is_purged: false,
            is_reinstalled: false,
            is_held: catalog.packages[package].want == Want::Hold,
            is_marked: false,
            is_garbage: false,
        };
        let mut states = States {
            catalog,
            rules,
            states: candidates.iter().enumerate().map(state).collect(),
            first_candidates: candidates,
            satisfied: vec![UNKNOWN; catalog.dependencies.len()],
            is_broken: vec![false; catalog.packages.len()],
            broken: 0,
        };
        for package in (0..catalog.packages.len()).map(|at| PackageId(at as u32)) {
            states.stand(package);
            if states.state(package).chosen.is_some() {
                states.look(package);
            }
        }
        states
    }

    pub(super) fn state(&self, package: PackageId) -> &State {
        &self.states[package.at()]
    }

    pub(super) fn state_mut(&mut self, package: PackageId) -> &mut State {
        &mut self.states[package.at()]
    }

    pub(super) fn current(&self, package: PackageId) -> Option<VersionId> {
        self.catalog.package(package).current
    }

    pub(super) fn is_protected(&self, package: PackageId) -> bool {
        self.state(package).is_protected
    }

    pub(super) fn protect(&mut self, package: PackageId) {
        self.state_mut(package).is_protected = true;
    }

    /// How many packages would be broken.
    pub(super) fn broken(&self) -> usize {
        self.broken
    }

    /// Packages in the order in which apt walks them.
    pub(super) fn walk(&self) -> std::slice::Iter<'c, PackageId> {
        self.catalog.walk.iter()
    }

    /// What dpkg needs to do with a package that is not well (dpkg(1), "Package states"). Triggers are
    /// left to dpkg.
    pub(super) fn need(&self, package: PackageId) -> Need {
        let package = self.catalog.package(package);
        match package.state {
            _ if package.needs_reinstall => Need::Unpack,
            Progress::Unpacked | Progress::HalfConfigured => Need::Configure,
            Progress::HalfInstalled => Need::Unpack,
            _ => Need::Nothing,
        }
    }

    /// Whether a relation matters for what is installed: all that are critical, others if asked.
    pub(super) fn is_important(&self, id: DependencyId) -> bool {
        let dependency = self.catalog.dependency(id);
        match dependency.kind {
            Kind::Recommends => {
                let section = self.catalog.version(dependency.parent).section;
                self.rules.recommends || Rules::names(&self.rules.recommends_sections, section)
            }
            Kind::Suggests => self.rules.suggests,
            kind => kind.is_critical(),
        }
    }

    /// What holds of a dependency; of a conflict, that it is none.
    pub(super) fn satisfied(&self, id: DependencyId) -> u8 {
        let known = match self.satisfied[id.at()] {
            UNKNOWN => self.compute(id, &self.first_view()),
            known => known,
        };
        if self.catalog.dependency(id).kind.is_negative() { !known & 7 } else { known }
    }

    /// What holds of any of several alternatives.
    pub(super) fn satisfied_any(&self, alternatives: &[DependencyId]) -> u8 {
        alternatives.iter().fold(0, |bits, id| bits | self.satisfied(*id))
    }

    fn first_view(&self) -> [impl Fn(PackageId) -> Option<VersionId> + '_; 3] {
        let view = |kind: u8| {
            move |package: PackageId| match kind {
                CANDIDATE => self.first_candidates[package.at()],
                _ => self.current(package),
            }
        };
        [view(NOW), view(CHOSEN), view(CANDIDATE)]
    }

    fn view(&self) -> [impl Fn(PackageId) -> Option<VersionId> + '_; 3] {
        let view = |kind: u8| {
            move |package: PackageId| match kind {
                NOW => self.current(package),
                CHOSEN => self.state(package).chosen,
                _ => self.state(package).candidate,
            }
        };
        [view(NOW), view(CHOSEN), view(CANDIDATE)]
    }

    fn compute(
        &self,
        id: DependencyId,
        views: &[impl Fn(PackageId) -> Option<VersionId>; 3],
    ) -> u8 {
        let catalog = self.catalog;
        let target = catalog.dependency(id).target;
        let is_ignored = catalog.is_ignored(id, target);
        let provides = |provide: &Provide, view: &dyn Fn(PackageId) -> Option<VersionId>| {
            !catalog.is_ignored_provide(id, provide)
                && view(catalog.owner(provide.owner)) == Some(provide.owner)
                && catalog.is_satisfied_by(id, provide)
        };
        let mut bits = 0;
        for (bit, view) in [NOW, CHOSEN, CANDIDATE].into_iter().zip(views) {
            let version = if is_ignored { None } else { view(target) };
            let holds = version.is_some_and(|version| catalog.is_satisfied(id, version))
                || catalog.providers(target).any(|provide| provides(provide, view));
            if holds {
                bits |= bit;
            }
        }
        bits
    }

    /// Whether the relations of a version hold: all that are critical, or all that matter.
    fn holds(&self, version: Option<VersionId>, bit: u8, all: Relations) -> bool {
        let Some(version) = version else {
            return true;
        };
        self.catalog.relations(version).all(|alternatives| {
            let first = alternatives[0];
            let matters = match all {
                Relations::Critical => self.catalog.dependency(first).kind.is_critical(),
                Relations::Important => self.is_important(first),
            };
            !matters || self.satisfied_any(alternatives) & bit != 0
        })
    }

    /// Whether what is chosen would not work.
    pub(super) fn is_broken(&self, package: PackageId) -> bool {
        self.is_broken[package.at()]
    }

    /// Whether what is chosen would lack something, if only what it recommends.
    pub(super) fn lacks(&self, package: PackageId) -> bool {
        !self.holds(self.state(package).chosen, CHOSEN, Relations::Important)
    }

    /// Whether what is installed does not work.
    pub(super) fn is_broken_now(&self, package: PackageId) -> bool {
        !self.holds(self.current(package), NOW, Relations::Critical)
    }

    /// Whether what is installed lacks something.
    pub(super) fn lacks_now(&self, package: PackageId) -> bool {
        !self.holds(self.current(package), NOW, Relations::Important)
    }

    /// Whether a version could be installed with what is chosen.
    pub(super) fn would_work(&self, version: VersionId) -> bool {
        self.holds(Some(version), CHOSEN, Relations::Critical)
    }

    /// Sees anew whether a package is broken.
    fn look(&mut self, package: PackageId) {
        let is_broken = !self.holds(self.state(package).chosen, CHOSEN, Relations::Critical);
        let known = &mut self.is_broken[package.at()];
        match (*known, is_broken) {
            (false, true) => self.broken += 1,
            (true, false) => self.broken -= 1,
            _ => {}
        }
        *known = is_broken;
    }

    /// Finds out anew where the candidate stands to what is installed.
    pub(super) fn stand(&mut self, package: PackageId) {
        let state = self.state(package);
        let standing = match (self.current(package), state.candidate) {
            (Some(current), Some(candidate)) => {
                match self.catalog.order_in_list(candidate, current) {
                    std::cmp::Ordering::Less => Standing::Downgrade,
                    std::cmp::Ordering::Equal => Standing::Same,
                    std::cmp::Ordering::Greater => Standing::Upgrade,
                }
            }
            _ => Standing::New,
        };
        self.state_mut(package).standing = standing;
    }

    /// Brings up to date what depends on a package whose state changed.
    pub(super) fn update(&mut self, package: PackageId) {
        let catalog = self.catalog;
        self.look(package);
        self.refresh_all(package);
        let (current, candidate) = (self.current(package), self.state(package).candidate);
        for version in current.into_iter().chain(candidate.filter(|id| Some(*id) != current)) {
            for provide in catalog.provided(version) {
                self.refresh_all(provide.target);
            }
        }
    }

    fn refresh_all(&mut self, target: PackageId) {
        let catalog = self.catalog;
        for id in catalog.wanted(target) {
            let satisfied = self.compute(id, &self.view());
            self.satisfied[id.at()] = satisfied;
            let parent = catalog.dependency(id).parent;
            let package = catalog.owner(parent);
            if self.state(package).chosen == Some(parent) {
                self.look(package);
            }
        }
    }
}

#[derive(Clone, Copy)]
enum Relations {
    Critical,
    Important,
}
