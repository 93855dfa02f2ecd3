//! All packages that are known: what archives offer, what is installed and what was given as files,
//! joined by their relations.
//!
//! Much of what apt chooses depends on the order in which its cache came to know things: packages of
//! equal rank are taken by the position at which they were first mentioned, relations are walked in
//! the order of their lists. So this is built in that order: archives as sources name them, then the
//! database, then files.

pub(crate) mod build;
mod hash;
mod relate;
mod row;

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use crate::dpkg::status::{State, Want};
use crate::index::MultiArch;
use crate::relation::Operator;
use crate::version;

pub(crate) use row::Origin;

macro_rules! position {
    ($name:ident, $what:literal) => {
        #[doc = $what]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub(crate) struct $name(pub(crate) u32);

        impl $name {
            pub(crate) fn at(self) -> usize {
                self.0 as usize
            }
        }
    };
}

position!(GroupId, "The packages of one name.");
position!(PackageId, "A package of one architecture.");
position!(VersionId, "A version of a package.");
position!(DependencyId, "One alternative of a relation.");
position!(ProvideId, "That a version provides a package.");
position!(ArchId, "An architecture's name.");
position!(TextId, "A version number's text.");

/// Everything that is known.
pub(crate) struct Catalog<'a> {
    pub(crate) groups: Vec<Group<'a>>,
    pub(crate) packages: Vec<Package>,
    pub(crate) versions: Vec<Version<'a>>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) provides: Vec<Provide>,
    pub(crate) files: Vec<File>,
    group_names: HashMap<Cow<'a, str>, GroupId>,
    pub(crate) architectures: Vec<Cow<'a, str>>,
    /// The native one first; what is not among the first so many is no configured one.
    pub(crate) configured: usize,
    texts: Vec<&'a str>,
    text_ids: HashMap<&'a str, TextId>,
    /// All packages in the order of apt's hash table, in which it walks them.
    pub(crate) walk: Vec<PackageId>,
}

/// The packages of one name.
pub(crate) struct Group<'a> {
    pub(crate) name: Cow<'a, str>,
    pub(crate) packages: Vec<PackageId>,
    /// The versions that were built from a source of this name, the last known first when walked
    /// backwards.
    pub(crate) built: Vec<VersionId>,
}

/// A package of one architecture; virtual if it has no versions.
pub(crate) struct Package {
    pub(crate) group: GroupId,
    pub(crate) arch: ArchId,
    /// The latest first.
    pub(crate) versions: Vec<VersionId>,
    /// Who provides it; the last known is the first that apt looks at.
    provided_by: Vec<ProvideId>,
    first_wanted: Option<DependencyId>,
    pub(crate) current: Option<VersionId>,
    pub(crate) is_essential: bool,
    pub(crate) is_important: bool,
    pub(crate) want: Want,
    pub(crate) needs_reinstall: bool,
    pub(crate) state: State,
}

/// A version of a package.
pub(crate) struct Version<'a> {
    pub(crate) package: PackageId,
    pub(crate) text: TextId,
    pub(crate) section: &'a str,
    pub(crate) priority: Priority,
    pub(crate) source: GroupId,
    pub(crate) source_version: &'a str,
    pub(crate) multi_arch: MultiArch,
    pub(crate) is_for_all: bool,
    pub(crate) dependencies: Vec<DependencyId>,
    provides: Vec<ProvideId>,
    /// Where it is to be had.
    pub(crate) origins: Vec<Origin>,
    pub(crate) phase: u8,
    pub(crate) download: u64,
    pub(crate) installed_size: u64,
}

/// A list of packages: an archive's, the database, the files that were given.
pub(crate) struct File {
    /// Whether packages can be had from it.
    pub(crate) is_source: bool,
    /// What its packages are worth.
    pub(crate) priority: i32,
    /// Whether its suite brings corrections of security.
    pub(crate) is_security: bool,
}

/// How much a package belongs to a system (Debian Policy 2.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub(crate) enum Priority {
    None,
    Required,
    Important,
    Standard,
    Optional,
    Extra,
}

/// What kind of relation it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub(crate) enum Kind {
    PreDepends,
    Depends,
    Recommends,
    Suggests,
    Enhances,
    Breaks,
    Conflicts,
    Replaces,
}

/// How versions have to compare; packages of other architectures add one more way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Comparison {
    Any,
    Is(Operator),
    /// Not this one: siblings of other architectures have to be of the same version.
    Not,
}

/// One alternative of a relation, of one version.
pub(crate) struct Dependency {
    pub(crate) parent: VersionId,
    pub(crate) target: PackageId,
    /// Which versions; `None` is before all others when lists are kept.
    pub(crate) text: Option<TextId>,
    pub(crate) comparison: Comparison,
    pub(crate) kind: Kind,
    /// Whether another alternative follows.
    pub(crate) has_more: bool,
    /// Whether it follows from the architectures, and stands nowhere.
    pub(crate) is_implied: bool,
    /// Whether it names an architecture.
    names_arch: bool,
    next_wanted: Option<DependencyId>,
    /// The next that says something else of the same package.
    next_other: Option<DependencyId>,
    /// The first that said the same.
    same: DependencyId,
}

/// That a version provides a package.
pub(crate) struct Provide {
    pub(crate) owner: VersionId,
    pub(crate) target: PackageId,
    pub(crate) text: Option<TextId>,
    /// Whether it follows from the architectures, and stands nowhere.
    pub(crate) is_implied: bool,
    names_arch: bool,
}

impl Kind {
    /// Whether it is about packages that must not be there.
    pub(crate) fn is_negative(self) -> bool {
        matches!(self, Kind::Breaks | Kind::Conflicts)
    }

    /// Whether a package does not work without.
    pub(crate) fn is_critical(self) -> bool {
        self.is_negative() || matches!(self, Kind::Depends | Kind::PreDepends)
    }

    /// As apt names it to people.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Kind::PreDepends => "PreDepends",
            Kind::Depends => "Depends",
            Kind::Recommends => "Recommends",
            Kind::Suggests => "Suggests",
            Kind::Enhances => "Enhances",
            Kind::Breaks => "Breaks",
            Kind::Conflicts => "Conflicts",
            Kind::Replaces => "Replaces",
        }
    }
}

impl<'a> Catalog<'a> {
    pub(crate) fn package(&self, id: PackageId) -> &Package {
        &self.packages[id.at()]
    }

    pub(crate) fn version(&self, id: VersionId) -> &Version<'a> {
        &self.versions[id.at()]
    }

    pub(crate) fn dependency(&self, id: DependencyId) -> &Dependency {
        &self.dependencies[id.at()]
    }

    pub(crate) fn group(&self, id: PackageId) -> &Group<'a> {
        &self.groups[self.package(id).group.at()]
    }

    pub(crate) fn name(&self, id: PackageId) -> &str {
        &self.group(id).name
    }

    pub(crate) fn arch(&self, id: PackageId) -> &str {
        &self.architectures[self.package(id).arch.at()]
    }

    pub(crate) fn version_text(&self, id: VersionId) -> &'a str {
        self.text(self.version(id).text)
    }

    pub(crate) fn text(&self, id: TextId) -> &'a str {
        self.texts[id.at()]
    }

    pub(crate) fn owner(&self, id: VersionId) -> PackageId {
        self.version(id).package
    }

    /// A package's name, with its architecture where that is not the native one.
    pub(crate) fn pretty(&self, id: PackageId) -> String {
        match self.arch(id) {
            "any" => self.name(id).to_owned(),
            _ if self.package(id).arch == ArchId(0) => self.name(id).to_owned(),
            arch => format!("{}:{arch}", self.name(id)),
        }
    }

    pub(crate) fn find_group(&self, name: &str) -> Option<GroupId> {
        self.group_names.get(name).copied()
    }

    /// The package of a name and an architecture; `any` is the first of the name.
    pub(crate) fn find(&self, name: &str, arch: &str) -> Option<PackageId> {
        self.find_in(self.find_group(name)?, arch)
    }

    pub(crate) fn find_in(&self, group: GroupId, arch: &str) -> Option<PackageId> {
        let arch = match arch {
            "any" => return self.groups[group.at()].packages.first().copied(),
            "native" | "all" => &self.architectures[0],
            arch => arch,
        };
        let mut packages = self.groups[group.at()].packages.iter().copied();
        packages.find(|package| self.arch(*package) == arch)
    }

    /// The package that is meant by a name alone: of the native architecture, or else of the first
    /// configured one; one with versions if there is any.
    pub(crate) fn preferred(&self, group: GroupId) -> Option<PackageId> {
        let found = |wants_versions: bool| {
            let mut archs = self.architectures[..self.configured].iter();
            archs.find_map(|arch| {
                let package = self.find_in(group, arch)?;
                let has_versions = !self.package(package).versions.is_empty();
                (has_versions || !wants_versions).then_some(package)
            })
        };
        found(true).or_else(|| found(false))
    }

    /// Who provides a package, in apt's order.
    pub(crate) fn providers(&self, package: PackageId) -> impl Iterator<Item = &Provide> {
        let ids = self.package(package).provided_by.iter().rev();
        ids.map(|id| &self.provides[id.at()])
    }

    pub(crate) fn has_providers(&self, package: PackageId) -> bool {
        !self.package(package).provided_by.is_empty()
    }

    /// What a version provides, in apt's order.
    pub(crate) fn provided(&self, version: VersionId) -> impl Iterator<Item = &Provide> {
        let ids = self.version(version).provides.iter().rev();
        ids.map(|id| &self.provides[id.at()])
    }

    /// The relations that are about a package, in apt's order.
    pub(crate) fn wanted(&self, package: PackageId) -> impl Iterator<Item = DependencyId> + '_ {
        let first = self.package(package).first_wanted;
        std::iter::successors(first, |id| self.dependency(*id).next_wanted)
    }

    /// Whether one of several versions can be downloaded, or is a file that was given.
    pub(crate) fn is_downloadable(&self, version: VersionId) -> bool {
        self.version(version).origins.iter().any(|origin| self.files[origin.file].is_source)
    }

    /// The alternatives of each relation of a version.
    pub(crate) fn relations(&self, version: VersionId) -> impl Iterator<Item = &[DependencyId]> {
        let ids = &self.version(version).dependencies;
        ids.chunk_by(|one, _| self.dependency(*one).has_more)
    }

    /// How a version compares with another of the same package: where it stands in the list.
    pub(crate) fn order_in_list(&self, one: VersionId, other: VersionId) -> Ordering {
        if one == other {
            return Ordering::Equal;
        }
        let versions = &self.package(self.owner(one)).versions;
        let place = |id| versions.iter().position(|known| *known == id);
        place(other).cmp(&place(one))
    }

    /// How two version numbers compare.
    pub(crate) fn order(&self, one: &str, other: &str) -> Ordering {
        if one == other { Ordering::Equal } else { version::order(one, other) }
    }

    /// Whether a version is one of those that a dependency is about.
    pub(crate) fn is_satisfied(&self, id: DependencyId, version: VersionId) -> bool {
        self.compares(self.dependency(id), Some(self.version(version).text))
    }

    /// Whether what is provided is.
    pub(crate) fn is_satisfied_by(&self, id: DependencyId, provide: &Provide) -> bool {
        self.compares(self.dependency(id), provide.text)
    }

    fn compares(&self, dependency: &Dependency, version: Option<TextId>) -> bool {
        let Some(wanted) = dependency.text else {
            return true;
        };
        let Some(version) = version else {
            return false;
        };
        let order = if version == wanted {
            Ordering::Equal
        } else {
            self.order(self.text(version), self.text(wanted))
        };
        match dependency.comparison {
            Comparison::Any => true,
            Comparison::Not => order.is_ne(),
            Comparison::Is(Operator::Earlier) => order.is_lt(),
            Comparison::Is(Operator::EarlierOrEqual) => order.is_le(),
            Comparison::Is(Operator::Equal) => order.is_eq(),
            Comparison::Is(Operator::LaterOrEqual) => order.is_ge(),
            Comparison::Is(Operator::Later) => order.is_gt(),
        }
    }

    /// Whether a conflict does not concern a package, being its own.
    pub(crate) fn is_ignored(&self, id: DependencyId, package: PackageId) -> bool {
        let dependency = self.dependency(id);
        let parent = self.version(dependency.parent);
        if !dependency.kind.is_negative()
            || self.package(parent.package).group != self.package(package).group
        {
            return false;
        }
        parent.package == package
            || (parent.multi_arch == MultiArch::Same && !dependency.is_implied)
    }

    /// Whether a conflict does not concern what somebody provides.
    pub(crate) fn is_ignored_provide(&self, id: DependencyId, provide: &Provide) -> bool {
        let dependency = self.dependency(id);
        let group = |version| self.package(self.owner(version)).group;
        let is_own = group(provide.owner) == group(dependency.parent);
        dependency.kind.is_negative() && (is_own || dependency.is_implied)
    }

    /// All versions that a dependency is about.
    pub(crate) fn targets(&self, id: DependencyId) -> Vec<VersionId> {
        let target = self.dependency(id).target;
        let mut targets = Vec::new();
        if !self.is_ignored(id, target) {
            let versions = self.package(target).versions.iter().copied();
            targets.extend(versions.filter(|version| self.is_satisfied(id, *version)));
        }
        let providers = self.providers(target).filter(|provide| {
            !self.is_ignored_provide(id, provide) && self.is_satisfied_by(id, provide)
        });
        targets.extend(providers.map(|provide| provide.owner));
        targets
    }
}
