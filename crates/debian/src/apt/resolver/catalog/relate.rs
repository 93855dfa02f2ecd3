//! Relations become links between versions and packages.

use std::borrow::Cow;

use super::{
    ArchId, Catalog, Comparison, Dependency, DependencyId, Kind, PackageId, Provide, ProvideId,
    TextId, VersionId,
};
use crate::index::MultiArch;
use crate::relation::Operator;

/// One alternative as it stands in a field, not copied.
pub(super) struct Written<'a> {
    /// The name with what stands behind a colon.
    pub(super) name: &'a str,
    pub(super) comparison: Comparison,
    pub(super) version: &'a str,
    pub(super) has_more: bool,
}

/// What a link says.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) text: Option<TextId>,
    pub(super) comparison: Comparison,
    pub(super) kind: Kind,
    pub(super) has_more: bool,
    pub(super) is_implied: bool,
    pub(super) names_arch: bool,
}

/// Takes one alternative off the front of a field; `None` if it is none.
pub(super) fn take<'a>(field: &mut &'a str) -> Option<Written<'a>> {
    let text = field.trim_start();
    let end = text.find(ends_name).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let mut rest = rest.trim_start();
    let (mut comparison, mut version) = (Comparison::Any, "");
    if let Some(inside) = rest.strip_prefix('(') {
        let (inside, behind) = inside.split_once(')')?;
        let inside = inside.trim();
        let end = inside.find(|letter| !matches!(letter, '<' | '>' | '=')).unwrap_or(0);
        let (operator, number) = inside.split_at(end);
        comparison = Comparison::Is(match operator {
            "<<" => Operator::Earlier,
            "<=" | "<" => Operator::EarlierOrEqual,
            ">=" | ">" => Operator::LaterOrEqual,
            ">>" => Operator::Later,
            "=" | "" => Operator::Equal,
            _ => return None,
        });
        version = number.trim();
        rest = behind.trim_start();
    }
    if name.is_empty() || (comparison != Comparison::Any && version.is_empty()) {
        return None;
    }
    let has_more = rest.starts_with('|');
    *field = match rest.strip_prefix(['|', ',']) {
        Some(behind) => behind.trim_start(),
        None if rest.is_empty() => "",
        None => return None,
    };
    Some(Written { name, comparison, version, has_more })
}

fn ends_name(letter: char) -> bool {
    letter.is_ascii_whitespace() || matches!(letter, '(' | ')' | ',' | '|' | '[' | ']' | '<' | '>')
}

impl<'a> Catalog<'a> {
    pub(super) fn intern(&mut self, text: &'a str) -> TextId {
        let next = TextId(self.texts.len() as u32);
        let id = *self.text_ids.entry(text).or_insert(next);
        if id == next {
            self.texts.push(text);
        }
        id
    }

    /// Links an alternative of a version's field, to all packages that it is about.
    pub(super) fn depend(&mut self, parent: VersionId, kind: Kind, written: &Written<'a>) {
        let has_more = written.has_more;
        let (name, arch, names_arch) = self.target(parent, written.name);
        let group = self.enter_group(name);
        let text = match written.comparison {
            Comparison::Any => None,
            _ => Some(self.intern(written.version)),
        };
        let comparison = written.comparison;
        let link = Link { text, comparison, kind, has_more, is_implied: false, names_arch };
        let is_about_all = kind.is_negative() || kind == Kind::Replaces;
        if is_about_all && !names_arch && !self.groups[group.at()].packages.is_empty() {
            for at in 0..self.groups[group.at()].packages.len() {
                let target = self.groups[group.at()].packages[at];
                self.link(parent, target, link);
            }
        } else {
            let target = self.enter_package(group, arch);
            self.link(parent, target, link);
        }
    }

    /// The package's name and architecture that a name in a field means; whether it names one.
    fn target(&mut self, parent: VersionId, name: &'a str) -> (Cow<'a, str>, ArchId, bool) {
        let any = self.any_arch();
        match name.rsplit_once(':') {
            None => {
                let version = self.version(parent);
                let arch = self.package(version.package).arch;
                (name.into(), if version.is_for_all { ArchId(0) } else { arch }, false)
            }
            Some((_, "any")) => (name.into(), any, false),
            Some((name, "native")) => {
                (format!("{name}:{}", self.architectures[0]).into(), any, true)
            }
            Some(_) => (name.into(), any, true),
        }
    }

    /// Adds a link to the version's list and to the package's. The latter begins with what was known
    /// last, and keeps what says the same together.
    pub(super) fn link(&mut self, parent: VersionId, target: PackageId, link: Link) {
        let id = DependencyId(self.dependencies.len() as u32);
        let mut dependency = Dependency {
            parent,
            target,
            text: link.text,
            comparison: link.comparison,
            kind: link.kind,
            has_more: link.has_more,
            is_implied: link.is_implied,
            names_arch: link.names_arch,
            next_wanted: None,
            next_other: None,
            same: id,
        };
        let head = self.package(target).first_wanted;
        let (mut before, mut found) = (None, None);
        let mut next = head.map(|head| self.dependency(head).same);
        while let Some(known) = next {
            let dependency = self.dependency(known);
            if link.text > dependency.text {
                break;
            }
            if self.link_of(known) == link {
                found = Some(known);
                break;
            }
            before = Some(known);
            next = dependency.next_other;
        }
        match (found, before) {
            (Some(found), _) => dependency.same = found,
            (None, Some(before)) => {
                dependency.next_other = self.dependencies[before.at()].next_other.replace(id);
            }
            (None, None) => dependency.next_other = head.map(|head| self.dependency(head).same),
        }
        match head {
            Some(head) if found.is_some() || before.is_some() => {
                dependency.next_wanted = self.dependencies[head.at()].next_wanted.replace(id);
            }
            _ => {
                dependency.next_wanted = head;
                self.packages[target.at()].first_wanted = Some(id);
            }
        }
        self.dependencies.push(dependency);
        self.versions[parent.at()].dependencies.push(id);
    }

    /// What a link says.
    pub(super) fn link_of(&self, id: DependencyId) -> Link {
        let Dependency { text, comparison, kind, has_more, is_implied, names_arch, .. } =
            *self.dependency(id);
        Link { text, comparison, kind, has_more, is_implied, names_arch }
    }

    /// Links what a version provides by its field. Nothing is provided in a range of versions.
    pub(super) fn provide(&mut self, owner: VersionId, written: &Written<'a>) {
        let is_plain =
            matches!(written.comparison, Comparison::Any | Comparison::Is(Operator::Equal));
        if !is_plain {
            return;
        }
        let text = match written.comparison {
            Comparison::Any => None,
            _ => Some(self.intern(written.version)),
        };
        let any = self.any_arch();
        let own = self.package(self.owner(owner)).arch;
        if let Some((name, arch)) = written.name.rsplit_once(':') {
            if arch != "any" {
                let arch = self.enter_arch(arch.into());
                self.provide_package(owner, name.into(), arch, text, Flags::BOTH);
            }
            self.provide_package(owner, written.name.into(), any, text, Flags::NAMES_ARCH);
            return;
        }
        let is_configured = own.at() < self.configured;
        match self.version(owner).multi_arch {
            MultiArch::Foreign if is_configured => {
                self.provide_everywhere(owner, written.name.into(), text, Flags::default());
            }
            MultiArch::Allowed if is_configured => {
                let name = format!("{}:any", written.name);
                self.provide_package(owner, name.into(), any, text, Flags::IMPLIED);
                self.provide_package(owner, written.name.into(), own, text, Flags::default());
            }
            _ => self.provide_package(owner, written.name.into(), own, text, Flags::default()),
        }
        // Packages that name the architecture are linked once somebody asked for them.
        let named = format!("{}:{}", written.name, self.architectures[own.at()]);
        if self.find(&named, "any").is_some() {
            self.provide_package(owner, named.into(), any, text, Flags::BOTH);
        }
    }

    /// Links what a version provides by being what it is.
    pub(super) fn provide_itself(&mut self, owner: VersionId) {
        let (any, package) = (self.any_arch(), self.owner(owner));
        let (name, text) = (self.name(package).to_owned(), Some(self.version(owner).text));
        let arch = self.package(package).arch;
        let has_named = {
            let mut provided = self.provided(owner);
            provided.any(|provide| provide.is_implied && provide.names_arch)
        };
        if arch.at() < self.configured {
            match self.version(owner).multi_arch {
                MultiArch::Allowed => {
                    let name = format!("{name}:any");
                    self.provide_package(owner, name.into(), any, text, Flags::IMPLIED);
                }
                MultiArch::Foreign => {
                    self.provide_everywhere(owner, name.clone().into(), text, Flags::IMPLIED);
                }
                MultiArch::No | MultiArch::Same => {}
            }
        }
        let named = format!("{name}:{}", self.architectures[arch.at()]);
        if !has_named && self.find(&named, "any").is_some() {
            self.provide_package(owner, named.into(), any, text, Flags::BOTH);
        }
    }

    fn provide_package(
        &mut self,
        owner: VersionId,
        name: Cow<'a, str>,
        arch: ArchId,
        text: Option<TextId>,
        flags: Flags,
    ) {
        let package = self.owner(owner);
        // Nothing provides itself in its own version.
        if *self.name(package) == *name
            && self.package(package).arch == arch
            && text.is_none_or(|text| text == self.version(owner).text)
        {
            return;
        }
        let group = self.enter_group(name);
        let target = self.enter_package(group, arch);
        self.link_provide(owner, target, text, flags);
    }

    /// A package that serves all architectures provides for all that are known.
    fn provide_everywhere(
        &mut self,
        owner: VersionId,
        name: Cow<'a, str>,
        text: Option<TextId>,
        flags: Flags,
    ) {
        let group = self.find_group(&name);
        let packages = group.map(|group| self.groups[group.at()].packages.clone());
        let packages = packages.unwrap_or_default();
        if packages.is_empty() {
            return self.provide_package(owner, name, ArchId(0), text, flags);
        }
        for target in packages {
            if !(flags.is_implied && target == self.owner(owner)) {
                self.link_provide(owner, target, text, flags);
            }
        }
    }

    pub(super) fn link_provide(
        &mut self,
        owner: VersionId,
        target: PackageId,
        text: Option<TextId>,
        flags: Flags,
    ) {
        let id = ProvideId(self.provides.len() as u32);
        let Flags { is_implied, names_arch } = flags;
        self.provides.push(Provide { owner, target, text, is_implied, names_arch });
        self.versions[owner.at()].provides.push(id);
        self.packages[target.at()].provided_by.push(id);
    }

    pub(super) fn provide_names_arch(&self, provide: &Provide) -> bool {
        provide.names_arch
    }
}

/// Of what kind a provided name is.
#[derive(Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) is_implied: bool,
    pub(super) names_arch: bool,
}

impl Flags {
    pub(super) const IMPLIED: Flags = Flags { is_implied: true, names_arch: false };
    pub(super) const NAMES_ARCH: Flags = Flags { is_implied: false, names_arch: true };
    pub(super) const BOTH: Flags = Flags { is_implied: true, names_arch: true };
}
