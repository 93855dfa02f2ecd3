//! What uv's reader of locks keeps to itself: where packages come from, and their files' names.

use serde::Deserialize;

use crate::LockProblem;

/// What both kinds of locks have in common, as far as it is asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Contents {
    #[serde(default, alias = "packages")]
    package: Vec<LockedPackage>,
    #[serde(default)]
    environments: Vec<String>,
}

#[derive(Debug, Deserialize)]
struct LockedPackage {
    name: String,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    source: toml::Table,
    #[serde(default)]
    wheels: Vec<File>,
}

#[derive(Debug, Deserialize)]
struct File {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    filename: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(default)]
    path: Option<String>,
}

impl Contents {
    pub(super) fn read(text: &str) -> Result<Self, LockProblem> {
        let bad = |error: toml::de::Error| LockProblem::Malformed {
            cause: super::in_one_line(&error.to_string()),
        };
        toml::from_str(text).map_err(bad)
    }

    /// The markers of the environments that a `pylock.toml` is for; none if it is for all.
    pub(super) fn environments(&self) -> &[String] {
        &self.environments
    }

    /// The projects whose lock this is, the one at the lock's own place first.
    pub(super) fn projects(&self) -> Vec<&str> {
        let mut projects: Vec<_> = self.package.iter().filter_map(LockedPackage::place).collect();
        projects.sort_by_key(|(name, place)| (*place != ".", *name));
        projects.into_iter().map(|(name, _)| name).collect()
    }

    /// The project at the lock's own place.
    pub(super) fn root(&self) -> Option<&str> {
        let mut places = self.package.iter().filter_map(LockedPackage::place);
        places.find(|(_, place)| *place == ".").map(|(name, _)| name)
    }

    /// The version of a package, if there is only one.
    pub(super) fn version(&self, name: &str) -> Option<&str> {
        let mut versions = self.package.iter().filter(|package| package.name == name);
        let only = versions.next().filter(|_| versions.next().is_none())?;
        only.version.as_deref()
    }

    /// The line of the lock's text that begins with a package's name, from 1.
    pub(super) fn line(text: &str, name: &str) -> Option<usize> {
        let wanted = format!("name = \"{name}\"");
        text.lines().position(|line| line.trim() == wanted).map(|before| before + 1)
    }

    /// The names of a package's wheels.
    pub(super) fn wheels(&self, name: &str, version: &str) -> Vec<String> {
        let is_it = |package: &&LockedPackage| {
            package.name == name && package.version.as_deref().is_none_or(|own| own == version)
        };
        let wheels = self.package.iter().filter(is_it).flat_map(|package| &package.wheels);
        wheels.filter_map(File::filename).collect()
    }
}

impl LockedPackage {
    /// The directory of a project.
    fn place(&self) -> Option<(&str, &str)> {
        let place = self.source.get("editable").or_else(|| self.source.get("virtual"))?;
        Some((self.name.as_str(), place.as_str()?))
    }
}

impl File {
    fn filename(&self) -> Option<String> {
        let place = self.filename.as_ref().or(self.name.as_ref());
        let place = place.or(self.url.as_ref()).or(self.path.as_ref())?;
        let place = place.split(['?', '#']).next()?;
        place.rsplit('/').next().map(str::to_owned)
    }
}
