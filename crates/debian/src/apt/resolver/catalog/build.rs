//! A catalog is built from lists, one after the other.

use std::borrow::Cow;
use std::collections::HashMap;

use super::relate::{Flags, Link, take};
use super::row::Row;
use super::{
    ArchId, Catalog, Comparison, File, Group, GroupId, Kind, Origin, Package, PackageId, Version,
    VersionId, hash,
};
use crate::control::Stanza;
use crate::dpkg::status::{self, State, Want};
use crate::index::{MultiArch, PackageIndex};
use crate::relation::{Field, Operator};

/// A package that is never removed, whatever it says of itself.
const ALWAYS_ESSENTIAL: &str = "apt";

/// A list, and what packages it has.
pub(crate) struct List<'a> {
    pub(crate) file: File,
    pub(crate) rows: Rows<'a>,
}

/// What packages a list has.
pub(crate) enum Rows<'a> {
    Index(&'a PackageIndex),
    Status(Vec<&'a status::Package>),
    /// The control files of packages that were given.
    Stanzas(&'a [Stanza]),
}

/// A relationship field that cannot be read.
pub(crate) struct BadField {
    pub(crate) package: String,
    pub(crate) field: &'static str,
}

/// The fields in apt's order.
const FIELDS: [(Field, Kind); 8] = [
    (Field::PreDepends, Kind::PreDepends),
    (Field::Depends, Kind::Depends),
    (Field::Conflicts, Kind::Conflicts),
    (Field::Breaks, Kind::Breaks),
    (Field::Recommends, Kind::Recommends),
    (Field::Suggests, Kind::Suggests),
    (Field::Replaces, Kind::Replaces),
    (Field::Enhances, Kind::Enhances),
];

impl<'a> Catalog<'a> {
    /// Joins lists; the architectures' first is the native one.
    pub(crate) fn build(
        architectures: &[&'a str],
        lists: Vec<List<'a>>,
    ) -> Result<Catalog<'a>, BadField> {
        let mut catalog = Catalog::empty(architectures);
        let (files, rows): (Vec<File>, Vec<Rows<'a>>) =
            lists.into_iter().map(|list| (list.file, list.rows)).unzip();
        catalog.files = files;
        for file in 0..rows.len() {
            let mut row = 0;
            while let Some((entry, package)) = rows[file].get(row) {
                catalog.enter(&rows, Origin { file, row }, entry, package)?;
                row += 1;
            }
        }
        catalog.walk = hash::walk(&catalog);
        Ok(catalog)
    }

    fn empty(architectures: &[&'a str]) -> Catalog<'a> {
        let mut names: Vec<Cow<'a, str>> =
            architectures.iter().map(|name| Cow::Borrowed(*name)).collect();
        names.push("any".into());
        Catalog {
            groups: Vec::new(),
            packages: Vec::new(),
            versions: Vec::new(),
            dependencies: Vec::new(),
            provides: Vec::new(),
            files: Vec::new(),
            group_names: HashMap::new(),
            configured: architectures.len(),
            architectures: names,
            texts: Vec::new(),
            text_ids: HashMap::new(),
            walk: Vec::new(),
        }
    }

    pub(super) fn any_arch(&self) -> ArchId {
        ArchId(self.configured as u32)
    }

    pub(super) fn enter_arch(&mut self, name: Cow<'a, str>) -> ArchId {
        if name == "all" {
            return ArchId(0);
        }
        let known = self.architectures.iter().position(|known| *known == name);
        let at = known.unwrap_or_else(|| {
            self.architectures.push(name);
            self.architectures.len() - 1
        });
        ArchId(at as u32)
    }

    pub(super) fn enter_group(&mut self, name: Cow<'a, str>) -> GroupId {
        if let Some(known) = self.group_names.get(&*name) {
            return *known;
        }
        let id = GroupId(self.groups.len() as u32);
        self.groups.push(Group { name: name.clone(), packages: Vec::new(), built: Vec::new() });
        self.group_names.insert(name, id);
        id
    }

    /// The package of a group for an architecture, which is made if there is none.
    pub(super) fn enter_package(&mut self, group: GroupId, arch: ArchId) -> PackageId {
        let packages = &self.groups[group.at()].packages;
        let is_any = arch == self.any_arch();
        let known = packages.iter().find(|package| is_any || self.package(**package).arch == arch);
        if let Some(known) = known {
            return *known;
        }
        let sibling = packages.first().and_then(|_| self.any_sibling(group));
        let id = PackageId(self.packages.len() as u32);
        self.packages.push(Package {
            group,
            arch,
            versions: Vec::new(),
            provided_by: Vec::new(),
            first_wanted: None,
            current: None,
            is_essential: false,
            is_important: false,
            want: Want::Unknown,
            needs_reinstall: false,
            state: State::NotInstalled,
        });
        if let Some(sibling) = sibling {
            self.inherit(group, sibling, id);
        }
        self.groups[group.at()].packages.push(id);
        if is_any {
            self.provide_named(group, id);
        }
        id
    }

    fn any_sibling(&self, group: GroupId) -> Option<PackageId> {
        let mut archs = self.architectures[..self.configured].iter();
        archs.find_map(|arch| self.find_in(group, arch))
    }

    /// What concerns one architecture's package of a name concerns the others', too.
    fn inherit(&mut self, group: GroupId, sibling: PackageId, new: PackageId) {
        let mut provides = Vec::new();
        for provide in self.providers(sibling) {
            let owner = self.version(provide.owner);
            let is_configured = self.package(owner.package).arch.at() < self.configured;
            let is_foreign = owner.multi_arch == MultiArch::Foreign;
            let is_plain = !provide.is_implied && !self.provide_names_arch(provide);
            if is_plain && is_foreign && is_configured {
                provides.push((provide.owner, provide.text, Flags::default()));
            }
        }
        for package in &self.groups[group.at()].packages {
            if self.package(*package).arch.at() < self.configured {
                for version in &self.package(*package).versions {
                    if self.version(*version).multi_arch == MultiArch::Foreign {
                        let text = self.version(*version).text;
                        provides.push((*version, Some(text), Flags::IMPLIED));
                    }
                }
            }
        }
        for (owner, text, flags) in provides {
            self.link_provide(owner, new, text, flags);
        }
        let wanted: Vec<_> = self.wanted(sibling).collect();
        for id in wanted {
            let link = self.link_of(id);
            let is_about_all = link.kind.is_negative() || link.kind == Kind::Replaces;
            if is_about_all && !link.is_implied && !link.names_arch {
                self.link(self.dependency(id).parent, new, link);
            }
        }
    }

    /// `foo:amd64` as a name of its own is provided by `foo` of that architecture.
    fn provide_named(&mut self, group: GroupId, id: PackageId) {
        let full = self.groups[group.at()].name.clone();
        let Some((name, arch)) = full.rsplit_once(':').filter(|(_, arch)| *arch != "any") else {
            return;
        };
        let named = self.enter_group(name.to_owned().into());
        let arch = self.enter_arch(arch.to_owned().into());
        let package = self.enter_package(named, arch);
        let provided = self.providers(package).filter(|provide| {
            !provide.is_implied && self.package(self.owner(provide.owner)).arch == arch
        });
        let mut versions: Vec<VersionId> = provided.map(|provide| provide.owner).collect();
        versions.extend(&self.package(package).versions);
        for version in versions {
            let text = Some(self.version(version).text);
            self.link_provide(version, id, text, Flags::BOTH);
        }
    }

    fn enter(
        &mut self,
        lists: &[Rows<'a>],
        origin: Origin,
        row: Row<'a>,
        installed: Option<&status::Package>,
    ) -> Result<(), BadField> {
        let (name, version) = (row.name(), row.version());
        if name.is_empty() {
            return Ok(());
        }
        let group = self.enter_group(name.into());
        let arch = self.enter_arch(row.architecture().into());
        let package = self.enter_package(group, arch);
        let version = match version {
            "" => None,
            text => Some(self.enter_version(lists, package, text, origin, row)?),
        };
        let known = &mut self.packages[package.at()];
        let is_apt = name == ALWAYS_ESSENTIAL;
        known.is_essential |= row.is_essential() || is_apt;
        known.is_important |= row.is_important() || is_apt;
        if let Some(installed) = installed {
            known.want = installed.want;
            known.needs_reinstall = installed.is_broken;
            known.state = installed.state;
            if !matches!(installed.state, State::NotInstalled | State::ConfigFiles) {
                known.current = version;
            }
        }
        Ok(())
    }

    fn enter_version(
        &mut self,
        lists: &[Rows<'a>],
        package: PackageId,
        text: &'a str,
        origin: Origin,
        row: Row<'a>,
    ) -> Result<VersionId, BadField> {
        let is_source = self.files[origin.file].is_source;
        let mut place = self.package(package).versions.len();
        for (at, known) in self.package(package).versions.iter().enumerate() {
            let order = self.order(text, self.version_text(*known));
            if order.is_eq() {
                let first = self.version(*known).origins[0];
                let first = lists[first.file].get(first.row);
                if first.is_some_and(|(first, _)| row.is_same_build(first)) {
                    let known = *known;
                    self.versions[known.at()].origins.push(origin);
                    return Ok(known);
                }
            }
            // What can be downloaded stands before what is only installed.
            if order.is_gt() || (order.is_eq() && is_source && !self.is_downloadable(*known)) {
                place = at;
                break;
            }
        }
        let version = self.new_version(package, text, origin, row);
        self.packages[package.at()].versions.insert(place, version);
        self.relate(version, row)?;
        self.separate(package, version);
        Ok(version)
    }

    fn new_version(
        &mut self,
        package: PackageId,
        text: &'a str,
        origin: Origin,
        row: Row<'a>,
    ) -> VersionId {
        let id = VersionId(self.versions.len() as u32);
        let text = self.intern(text);
        let (source, source_version) = row.source();
        self.intern(source_version);
        let source = self.enter_group(source.into());
        self.groups[source.at()].built.push(id);
        self.versions.push(Version {
            package,
            text,
            section: row.section(),
            priority: row.priority(),
            source,
            source_version,
            multi_arch: row.multi_arch(),
            is_for_all: row.architecture() == "all",
            dependencies: Vec::new(),
            provides: Vec::new(),
            origins: vec![origin],
            phase: row.phase(),
            download: row.size(),
            installed_size: row.installed_size().unwrap_or(0).saturating_mul(1024),
        });
        id
    }

    fn relate(&mut self, version: VersionId, row: Row<'a>) -> Result<(), BadField> {
        let bad = |field: Field| BadField { package: row.name().to_owned(), field: field.name() };
        for (field, kind) in FIELDS {
            let mut rest = row.relations(field).trim();
            while !rest.is_empty() {
                let written = take(&mut rest).ok_or_else(|| bad(field))?;
                self.depend(version, kind, &written);
            }
        }
        let mut rest = row.relations(Field::Provides).trim();
        while !rest.is_empty() {
            let written = take(&mut rest).ok_or_else(|| bad(Field::Provides))?;
            self.provide(version, &written);
        }
        self.provide_itself(version);
        Ok(())
    }

    /// Packages of one name and several architectures exclude each other, unless they say that they
    /// are the same; those have to be of one version.
    fn separate(&mut self, package: PackageId, version: VersionId) {
        let siblings = self.group(package).packages.clone();
        let is_first = self.package(package).versions.len() == 1;
        for sibling in &siblings {
            if is_first && *sibling != package {
                for other in self.package(*sibling).versions.clone() {
                    self.exclude(other, package);
                }
            }
        }
        for sibling in siblings {
            let has_versions = !self.package(sibling).versions.is_empty();
            if self.package(sibling).arch != self.package(package).arch && has_versions {
                self.exclude(version, sibling);
            }
        }
    }

    fn exclude(&mut self, version: VersionId, other: PackageId) {
        let text = Some(self.version(version).text);
        let link = |text, comparison, kind| Link {
            text,
            comparison,
            kind,
            has_more: false,
            is_implied: true,
            names_arch: false,
        };
        if self.version(version).multi_arch == MultiArch::Same {
            let earlier = Comparison::Is(Operator::Earlier);
            self.link(version, other, link(text, earlier, Kind::Replaces));
            self.link(version, other, link(text, Comparison::Not, Kind::Breaks));
        } else {
            self.link(version, other, link(None, Comparison::Any, Kind::Conflicts));
        }
    }
}

impl<'a> Rows<'a> {
    fn get(&self, at: usize) -> Option<(Row<'a>, Option<&'a status::Package>)> {
        match self {
            Rows::Index(index) => Some((Row::Offer(index.get(at)?), None)),
            Rows::Stanzas(stanzas) => Some((Row::Stanza(stanzas.get(at)?), None)),
            Rows::Status(status) => {
                let package: &'a status::Package = status.get(at)?;
                Some((Row::Stanza(&package.stanza), Some(package)))
            }
        }
    }
}
