//! Relations of all packages that dpkg knows, and who is mentioned in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::architecture::Architectures;
use super::status::{Package, PackageId, Status};
use crate::control::Stanza;
use crate::relation::{Alternative, Operator, Relation};
use crate::version::Version;

/// The fields that dpkg looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Depends,
    PreDepends,
    Recommends,
    Suggests,
    Breaks,
    Conflicts,
    Replaces,
    Provides,
    Enhances,
}

const KINDS: [(&str, Kind); 9] = [
    ("Depends", Kind::Depends),
    ("Pre-Depends", Kind::PreDepends),
    ("Recommends", Kind::Recommends),
    ("Suggests", Kind::Suggests),
    ("Breaks", Kind::Breaks),
    ("Conflicts", Kind::Conflicts),
    ("Replaces", Kind::Replaces),
    ("Provides", Kind::Provides),
    ("Enhances", Kind::Enhances),
];

/// One item of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dependency {
    pub(super) kind: Kind,
    pub(super) relation: Relation,
}

/// What one package says, in the order of its fields.
pub(super) type Dependencies = Arc<[Dependency]>;

/// The relations of all packages.
#[derive(Debug, Default)]
pub(super) struct Relations {
    of: BTreeMap<PackageId, Dependencies>,
    mentions: HashMap<Box<str>, BTreeSet<PackageId>>,
}

/// What a stanza says. What cannot be read says nothing.
pub(super) fn dependencies(stanza: &Stanza) -> Dependencies {
    let mut all = Vec::new();
    for (name, value) in stanza.fields() {
        let kind = KINDS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known.as_bytes()));
        let text = std::str::from_utf8(value).ok();
        if let (Some((_, kind)), Some(text)) = (kind, text)
            && let Ok(relations) = Relation::parse_all(text)
        {
            all.extend(relations.into_iter().map(|relation| Dependency { kind: *kind, relation }));
        }
    }
    all.into()
}

impl Relations {
    pub(super) fn of_all(status: &Status) -> Self {
        let mut relations = Relations::default();
        for (id, package) in status.packages() {
            relations.set(id, &package.stanza);
        }
        relations
    }

    /// Notes what a package says now.
    pub(super) fn set(&mut self, id: &PackageId, stanza: &Stanza) {
        self.remove(id);
        let dependencies = dependencies(stanza);
        for alternative in
            dependencies.iter().flat_map(|dependency| &dependency.relation.alternatives)
        {
            self.mentions.entry(alternative.name.clone()).or_default().insert(id.clone());
        }
        self.of.insert(id.clone(), dependencies);
    }

    pub(super) fn remove(&mut self, id: &PackageId) {
        let Some(dependencies) = self.of.remove(id) else { return };
        for alternative in
            dependencies.iter().flat_map(|dependency| &dependency.relation.alternatives)
        {
            if let Some(mentioning) = self.mentions.get_mut(&alternative.name) {
                mentioning.remove(id);
            }
        }
    }

    /// What a package says.
    pub(super) fn of(&self, id: &PackageId) -> Dependencies {
        self.of.get(id).cloned().unwrap_or_default()
    }

    /// The packages that mention a name.
    pub(super) fn mentioning(&self, name: &str) -> Vec<PackageId> {
        self.mentions.get(name).into_iter().flatten().cloned().collect()
    }

    /// The items of certain kinds that mention a name, with whose they are.
    pub(super) fn items(&self, name: &str, kinds: &[Kind]) -> Vec<(PackageId, Dependency)> {
        let mut items = Vec::new();
        for id in self.mentioning(name) {
            for dependency in
                self.of(&id).iter().filter(|dependency| kinds.contains(&dependency.kind))
            {
                if dependency.relation.alternatives.iter().any(|one| &*one.name == name) {
                    items.push((id.clone(), dependency.clone()));
                }
            }
        }
        items
    }

    /// The packages that provide a name, and how.
    pub(super) fn providers(&self, name: &str) -> Vec<(PackageId, Alternative)> {
        let items = self.items(name, &[Kind::Provides]).into_iter();
        items
            .filter_map(|(id, item)| Some((id, item.relation.alternatives.into_iter().next()?)))
            .collect()
    }
}

/// Whether a package's architecture is one that is meant (dpkg's rules for Multi-Arch).
pub(super) fn fits_architecture(
    package: &Stanza,
    wanted: &Alternative,
    (kind, from): (Kind, &str),
    known: &Architectures,
) -> bool {
    let multi_arch = package.text("Multi-Arch").unwrap_or_default();
    let is_any = matches!(kind, Kind::Conflicts | Kind::Replaces | Kind::Breaks);
    match wanted.qualifier.as_deref() {
        None if is_any || multi_arch == "foreign" => return true,
        Some("any") if is_any || multi_arch == "allowed" => return true,
        _ => {}
    }
    let own = |architecture: &str| match architecture {
        "all" | "" | "native" => known.native.to_owned(),
        other => other.to_owned(),
    };
    let wanted = wanted.qualifier.as_deref().unwrap_or(from);
    own(wanted) == own(package.text("Architecture").unwrap_or_default())
}

/// Whether what is provided satisfies what is wanted (Debian Policy 7.5).
pub(super) fn is_provided(wanted: &Alternative, provided: &Alternative) -> bool {
    match (&wanted.constraint, &provided.constraint) {
        (None, _) => true,
        (Some(_), Some((Operator::Equal, version))) => wanted.allows(version),
        (Some(_), _) => false,
    }
}

/// Whether a stanza says that it replaces a package.
pub(super) fn replaces(stanza: &Stanza, name: &str, version: &Version) -> bool {
    dependencies(stanza).iter().filter(|one| one.kind == Kind::Replaces).any(|one| {
        let mut alternatives = one.relation.alternatives.iter();
        alternatives.any(|other| &*other.name == name && other.allows(version))
    })
}

impl Kind {
    /// dpkg's words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Kind::Depends => "depends on",
            Kind::PreDepends => "pre-depends on",
            Kind::Recommends => "recommends",
            Kind::Suggests => "suggests",
            Kind::Breaks => "breaks",
            Kind::Conflicts => "conflicts with",
            Kind::Enhances => "enhances",
            Kind::Replaces => "replaces",
            Kind::Provides => "provides",
        }
    }
}

impl Package {
    /// The version that was last configured, if any was.
    pub(super) fn configured_version(&self) -> Option<Version> {
        let text = |name| self.stanza.text(name).filter(|text| !text.is_empty());
        match self.state {
            super::status::State::Installed | super::status::State::TriggersPending => {
                text("Version").map(Version::new)
            }
            _ => text("Config-Version").map(Version::new),
        }
    }

    /// Whether a field says yes.
    pub(super) fn says_yes(&self, name: &str) -> bool {
        self.stanza.text(name) == Some("yes")
    }
}
