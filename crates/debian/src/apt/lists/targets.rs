//! Which `Packages` files a source stands for.

use crate::apt::configuration::Configuration;
use crate::apt::release::{Listed, ReleaseFile};
use crate::apt::sources::{ByHash, Source};

/// A `Packages` file that a source is configured for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Its component; empty for a flat archive.
    pub component: String,
    /// Its architecture; empty for a flat archive.
    pub architecture: String,
    /// Its name relative to `Release`, without the ending of a compression.
    pub name: String,
}

/// Compressions by the endings of their files, the best first: xz is what archives have everywhere,
/// and the smallest.
const ENDINGS: [&str; 5] = [".xz", ".zst", ".gz", ".bz2", ""];

impl Target {
    /// All of a source, by component and architecture.
    pub(super) fn all_of(source: &Source, configuration: &Configuration) -> Vec<Target> {
        let is_wanted = source
            .options
            .targets
            .as_ref()
            .is_none_or(|targets| targets.iter().any(|target| target == "Packages"));
        if !is_wanted {
            return Vec::new();
        }
        if source.is_flat() {
            let (component, architecture) = (String::new(), String::new());
            return vec![Target { component, architecture, name: "Packages".to_owned() }];
        }
        let mut architectures = source.options.architectures(&configuration.architectures());
        if !architectures.iter().any(|architecture| architecture == "all") {
            architectures.push("all".to_owned());
        }
        let mut targets = Vec::new();
        for component in &source.components {
            for architecture in &architectures {
                let name = format!("{component}/binary-{architecture}/Packages");
                let (component, architecture) = (component.clone(), architecture.clone());
                targets.push(Target { component, architecture, name });
            }
        }
        targets
    }

    /// What messages call it: `bookworm/main amd64 Packages`.
    pub(super) fn title(&self, source: &Source) -> String {
        match source.is_flat() {
            true => format!("{} Packages", source.suite),
            false => {
                format!("{}/{} {} Packages", source.suite, self.component, self.architecture)
            }
        }
    }

    /// The files that it could be, as a `Release` lists them: ending and digests, the best first.
    pub(super) fn choices<'r>(&self, release: &'r ReleaseFile) -> Vec<(&'static str, &'r Listed)> {
        let listed = ENDINGS
            .iter()
            .map(|ending| (*ending, release.listed(&format!("{}{ending}", self.name))));
        listed.filter_map(|(ending, listed)| Some((ending, listed?))).collect()
    }

    /// The address relative to `Release` of a file by its digest, if that is how it is asked for.
    pub(super) fn by_hash(
        &self,
        listed: &Listed,
        release: &ReleaseFile,
        source: &Source,
        configuration: &Configuration,
    ) -> Option<String> {
        let is_offered = match source.options.by_hash {
            Some(ByHash::Forced) => true,
            Some(ByHash::No) => false,
            Some(ByHash::Offered) => release.is_by_hash,
            None => match configuration.value("Acquire::By-Hash") {
                Some("force") => true,
                _ => release.is_by_hash && configuration.switch("Acquire::By-Hash") != Some(false),
            },
        };
        if !is_offered {
            return None;
        }
        let directory =
            self.name.rsplit_once('/').map_or(String::new(), |(above, _)| format!("{above}/"));
        match (&listed.sha256, &listed.sha512) {
            (Some(digest), _) => Some(format!("{directory}by-hash/SHA256/{}", digest.hex())),
            (None, Some(digits)) => Some(format!("{directory}by-hash/SHA512/{digits}")),
            (None, None) => None,
        }
    }
}

/// The endings that files of lists may have, in the order in which apt looks for them.
pub(super) fn endings() -> impl Iterator<Item = &'static str> {
    std::iter::once("").chain(ENDINGS.into_iter().filter(|ending| !ending.is_empty()))
}
