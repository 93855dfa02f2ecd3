//! Cycles of dependencies: found, and broken where no script minds (Debian Policy 7.2).

use std::collections::{HashMap, HashSet};

use super::dependencies::{Kind, fits_architecture};
use super::session::{Fate, Session};
use super::status::PackageId;

/// Alternatives that count as satisfied: whose, in which of its dependencies, and which.
pub(super) type Broken = HashSet<Link>;

/// One alternative of one dependency.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Link {
    pub(super) package: PackageId,
    pub(super) dependency: usize,
    pub(super) alternative: usize,
}

/// How far a package was looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Seen {
    /// Nothing is left to be found behind it.
    Done,
}

impl Session<'_, '_, '_> {
    /// Looks for a cycle that begins at a package, and breaks it at one that has no `postinst`.
    /// Whether there was one.
    pub(super) fn break_cycle(&mut self, id: &PackageId) -> bool {
        let mut seen = HashMap::new();
        let Some(link) = self.link_of_cycle(id, &mut Vec::new(), &mut seen) else { return false };
        self.cycles.insert(link)
    }

    /// The link at which a cycle is to be broken. `path` are the links that led here; it is no
    /// longer than there are packages.
    fn link_of_cycle(
        &self,
        id: &PackageId,
        path: &mut Vec<Link>,
        seen: &mut HashMap<PackageId, Seen>,
    ) -> Option<Link> {
        if seen.contains_key(id) || path.len() > MOST_LINKS {
            return None;
        }
        for (dependency, item) in self.relations.of(id).iter().enumerate() {
            if !matches!(item.kind, Kind::Depends | Kind::PreDepends) {
                continue;
            }
            for (alternative, wanted) in item.relation.alternatives.iter().enumerate() {
                let link = Link { package: id.clone(), dependency, alternative };
                if self.cycles.contains(&link) {
                    continue;
                }
                path.push(link);
                for other in self.targets(id, item.kind, wanted) {
                    let found = match path.iter().position(|link| link.package == other) {
                        Some(start) => Some(self.weakest(&path[start..])),
                        None => self.link_of_cycle(&other, path, seen),
                    };
                    if found.is_some() {
                        return found;
                    }
                }
                path.pop();
            }
        }
        seen.insert(id.clone(), Seen::Done);
        None
    }

    /// The packages that an alternative may mean: those of the name, and those that provide it and
    /// are dealt with in this run.
    fn targets(
        &self,
        id: &PackageId,
        kind: Kind,
        wanted: &crate::relation::Alternative,
    ) -> Vec<PackageId> {
        let own = self.status.named(&wanted.name).filter(|(_, package)| {
            let from = (kind, &*id.architecture);
            fits_architecture(&package.stanza, wanted, from, &self.known)
        });
        let mut targets: Vec<PackageId> = own.map(|(id, _)| id.clone()).collect();
        let providers = self.relations.providers(&wanted.name).into_iter().map(|(id, _)| id);
        targets.extend(providers.filter(|id| self.fate(id) != Fate::Normal));
        targets
    }

    /// The last link of a package without a `postinst`; the last one of all, if each has one.
    fn weakest(&self, links: &[Link]) -> Link {
        let has_none = |link: &&Link| !self.has_script(&link.package, "postinst").unwrap_or(true);
        let weakest = links.iter().rev().find(has_none).or(links.first());
        weakest.cloned().unwrap_or_else(|| links[0].clone())
    }
}

/// No chain of dependencies is longer.
const MOST_LINKS: usize = 2_000;
