//! `/var/lib/dpkg/status`: what is installed (dpkg(1), "Package states").

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::control::{ControlError, Stanza};
use crate::version::Version;

/// A package by name and architecture, in the order of dpkg's database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PackageId {
    /// Its name.
    pub name: Box<str>,
    /// Its architecture: `amd64`, `all`; empty where the database has none.
    pub architecture: Box<str>,
}

/// What dpkg knows of packages.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Status {
    packages: BTreeMap<PackageId, Package>,
}

/// What dpkg knows of one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// All its fields, `Status` among them as it was read.
    pub stanza: Stanza,
    /// What is wanted.
    pub want: Want,
    /// Whether it has to be installed again.
    pub is_broken: bool,
    /// What is.
    pub state: State,
}

/// What is wanted of a package.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Want {
    Unknown,
    Install,
    Hold,
    Deinstall,
    Purge,
}

/// How far a package is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs)]
pub enum State {
    NotInstalled,
    ConfigFiles,
    HalfInstalled,
    Unpacked,
    HalfConfigured,
    TriggersAwaited,
    TriggersPending,
    Installed,
}

const WANTS: [(&str, Want); 5] = [
    ("unknown", Want::Unknown),
    ("install", Want::Install),
    ("hold", Want::Hold),
    ("deinstall", Want::Deinstall),
    ("purge", Want::Purge),
];

const STATES: [(&str, State); 8] = [
    ("not-installed", State::NotInstalled),
    ("config-files", State::ConfigFiles),
    ("half-installed", State::HalfInstalled),
    ("unpacked", State::Unpacked),
    ("half-configured", State::HalfConfigured),
    ("triggers-awaited", State::TriggersAwaited),
    ("triggers-pending", State::TriggersPending),
    ("installed", State::Installed),
];

impl Want {
    /// The one that dpkg calls so.
    pub fn named(name: &str) -> Option<Want> {
        named(&WANTS, Some(name))
    }

    /// dpkg's name of it.
    pub fn name(self) -> &'static str {
        name_of(&WANTS, self)
    }
}

impl Status {
    /// Reads a database.
    ///
    /// # Errors
    /// What is no stanza. A package without a readable `Status` is not installed.
    pub fn parse(text: &[u8]) -> Result<Status, ControlError> {
        let mut status = Status::default();
        for stanza in Stanza::parse_all(text)? {
            status.insert(Package::of(stanza));
        }
        Ok(status)
    }

    /// Puts a package in the place of what was known of it.
    pub fn insert(&mut self, package: Package) {
        self.packages.insert(package.id(), package);
    }

    /// Forgets a package.
    pub fn remove(&mut self, id: &PackageId) {
        self.packages.remove(id);
    }

    /// A package.
    pub fn get(&self, id: &PackageId) -> Option<&Package> {
        self.packages.get(id)
    }

    /// The same, to be changed; not its name.
    pub fn get_mut(&mut self, id: &PackageId) -> Option<&mut Package> {
        self.packages.get_mut(id)
    }

    /// All packages, by name and architecture.
    pub fn packages(&self) -> impl Iterator<Item = (&PackageId, &Package)> {
        self.packages.iter()
    }

    /// The packages of a name.
    pub fn named<'a>(
        &'a self,
        name: &str,
    ) -> impl Iterator<Item = (&'a PackageId, &'a Package)> + use<'a> {
        let first = PackageId { name: name.into(), architecture: "".into() };
        let all = self.packages.range(first.clone()..);
        all.take_while(move |(id, _)| id.name == first.name)
    }
}

impl Package {
    /// The package that a stanza of the database speaks of.
    pub fn of(stanza: Stanza) -> Self {
        let mut words = stanza.text("Status").unwrap_or_default().split_whitespace();
        let (want, flag, state) = (words.next(), words.next(), words.next());
        Package {
            want: named(&WANTS, want).unwrap_or(Want::Unknown),
            is_broken: flag == Some("reinstreq"),
            state: named(&STATES, state).unwrap_or(State::NotInstalled),
            stanza,
        }
    }

    /// Its name and architecture.
    pub fn id(&self) -> PackageId {
        let text = |name| self.stanza.text(name).unwrap_or_default().into();
        PackageId { name: text("Package"), architecture: text("Architecture") }
    }

    /// Its version; empty if it never was installed.
    pub fn version(&self) -> Version {
        Version::new(self.stanza.text("Version").unwrap_or_default())
    }

    /// Whether its files are there.
    pub fn is_unpacked(&self) -> bool {
        self.state >= State::Unpacked
    }

    /// dpkg's name of its state.
    pub fn state_name(&self) -> &'static str {
        name_of(&STATES, self.state)
    }

    /// The value of its field `Status`.
    pub fn status_words(&self) -> String {
        let flag = if self.is_broken { "reinstreq" } else { "ok" };
        format!("{} {flag} {}", name_of(&WANTS, self.want), name_of(&STATES, self.state))
    }
}

impl fmt::Display for PackageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.name, self.architecture)
    }
}

fn named<T: Copy>(table: &[(&str, T)], word: Option<&str>) -> Option<T> {
    table.iter().find(|(name, _)| Some(*name) == word).map(|(_, value)| *value)
}

fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: T) -> &'static str {
    table.iter().find(|(_, known)| *known == value).map(|(name, _)| *name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packages_are_found_by_name() {
        let text = b"Package: b\nStatus: hold reinstreq half-installed\nArchitecture: amd64\n\n\
            Package: a\nStatus: install ok installed\nArchitecture: i386\nVersion: 1-2\n\n\
            Package: a\nStatus: install ok triggers-pending\nArchitecture: amd64\nVersion: 1-2\n";
        let status = Status::parse(text).unwrap();
        let names: Vec<String> = status.packages().map(|(id, _)| id.to_string()).collect();
        assert_eq!(names, ["a:amd64", "a:i386", "b:amd64"]);
        assert_eq!(status.named("a").count(), 2);
        let (_, b) = status.named("b").next().unwrap();
        assert_eq!((b.want, b.is_broken, b.state), (Want::Hold, true, State::HalfInstalled));
        assert_eq!(b.status_words(), "hold reinstreq half-installed");
        assert!(!b.is_unpacked());
    }
}
