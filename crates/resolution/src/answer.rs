//! What was resolved.

use std::collections::BTreeMap;

use python::{Location, Package, WheelFile};
use serde::{Deserialize, Serialize};
use url::Url;
use uv_distribution_filename::WheelFilename;
use uv_distribution_types::{
    BuiltDist, Dist, Name, RegistryBuiltWheel, Resolution as Resolved, ResolutionDiagnostic,
    ResolvedDist,
};
use uv_normalize::PackageName;
use uv_pypi_types::HashDigest;

use crate::direct_url::{direct_url, of_given};
use crate::hashes::{self, Wanted};
use crate::requirement::{Asked, Direct};
use crate::staging::Staging;
use crate::{HashProblem, ResolutionError, credentials};

/// An answer, which can be kept: the same request at the same time would get it again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolution {
    /// [`Resolution::FORMAT`]; another one is of another time, and to be thrown away.
    pub format: u32,
    /// What is to be installed, by name.
    pub packages: Vec<Package>,
    /// What is installed already and stays, by name: as far as something asks for it.
    pub kept: Vec<Kept>,
    /// What is to be said about it.
    pub warnings: Vec<Warning>,
}

impl Resolution {
    /// What this release writes.
    pub const FORMAT: u32 = 1;
}

/// An installed distribution that satisfies.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kept {
    /// Its name, normalized.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// What is not an error, but worth a word.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, thiserror::Error,
)]
#[non_exhaustive]
pub enum Warning {
    /// Its maker withdrew the version (PEP 592).
    #[error("{name} {version} was yanked{}", because(.reason))]
    Yanked {
        /// The distribution.
        name: String,
        /// Its version.
        version: String,
        /// What its maker says.
        reason: Option<String>,
    },
    /// It has no such extra.
    #[error("{name} {version} has no extra `{extra}`")]
    NoSuchExtra {
        /// The distribution.
        name: String,
        /// Its version.
        version: String,
        /// What was asked for.
        extra: String,
    },
    /// What lies in a directory may have been meant, but an index's wheel is taken.
    #[error("no wheel of {name} in the given directories is for {target}: {}", wheels.join(", "))]
    UnfitLinks {
        /// The distribution.
        name: String,
        /// What they would have to fit.
        target: String,
        /// Where they are in the context.
        wheels: Vec<String>,
    },
    /// An index that refused access, so it was passed over.
    #[error("{url} refuses access, so it was passed over")]
    IndexRefused {
        /// Its address, without credentials.
        url: String,
    },
}

fn because(reason: &Option<String>) -> String {
    reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default()
}

/// What an answer is put together from.
pub(crate) struct Parts<'a> {
    pub(crate) asked: &'a [Asked],
    pub(crate) constraints: &'a [Asked],
    pub(crate) staging: &'a Staging,
}

impl Parts<'_> {
    /// Whether everything that was chosen is a wheel.
    pub(crate) fn has_only_wheels(resolved: &Resolved) -> bool {
        let is_source = |dist: &ResolvedDist| match dist {
            ResolvedDist::Installable { dist, .. } => matches!(**dist, Dist::Source(_)),
            ResolvedDist::Installed { .. } => false,
        };
        !resolved.distributions().any(is_source)
    }

    pub(crate) fn answer(&self, resolved: &Resolved) -> Result<Resolution, ResolutionError> {
        let mut packages = BTreeMap::new();
        let mut kept = Vec::new();
        for (dist, digests) in resolved.hashes() {
            match dist {
                ResolvedDist::Installed { dist } => kept.push(Kept {
                    name: dist.name().to_string(),
                    version: dist.version().to_string(),
                }),
                ResolvedDist::Installable { dist, .. } => {
                    packages.insert(dist.name().clone(), self.package(dist, digests)?);
                }
            }
        }
        kept.sort();
        let mut warnings: Vec<_> = resolved.diagnostics().iter().filter_map(warning).collect();
        warnings.sort();
        warnings.dedup();
        let packages = packages.into_values().collect();
        Ok(Resolution { format: Resolution::FORMAT, packages, kept, warnings })
    }

    /// `digests` are those of a lock.
    fn package(&self, dist: &Dist, digests: &[HashDigest]) -> Result<Package, ResolutionError> {
        match dist {
            Dist::Built(BuiltDist::Registry(built)) => self.of_index(built.best_wheel()),
            Dist::Built(BuiltDist::DirectUrl(built)) => {
                let place = Direct::Url(Url::from((*built.location).clone()));
                self.direct(&built.filename, place, digests, built.size)
            }
            Dist::Built(BuiltDist::Path(built)) => {
                let path = self.staging.path(&built.install_path);
                let path = path.ok_or_else(|| unknown_file(&built.filename))?;
                self.direct(&built.filename, Direct::Given(path.to_owned()), digests, None)
            }
            Dist::Built(BuiltDist::GitPath(_)) | Dist::Source(_) => Err(unbuilt(dist)),
        }
    }

    fn of_index(&self, wheel: &RegistryBuiltWheel) -> Result<Package, ResolutionError> {
        let name = wheel.filename.name.as_str();
        let wanted = self.wanted(&wheel.filename.name)?;
        let Wanted { sha256, hashes } = hashes::of_file(&wheel.file, &wanted)
            .map_err(|problem| self.bad_hash(&wheel.filename.name, problem))?;
        let (location, sha256) = self.location(wheel, sha256)?;
        let filename = wheel.file.filename.to_string();
        Ok(Package {
            name: name.to_owned(),
            version: wheel.filename.version.to_string(),
            wheel: WheelFile { filename, location, sha256, hashes, size: wheel.file.size },
            requested: self.is_requested(&wheel.filename.name),
            direct_url: None,
        })
    }

    fn location(
        &self,
        wheel: &RegistryBuiltWheel,
        sha256: Option<oci::Digest>,
    ) -> Result<(Location, Option<oci::Digest>), ResolutionError> {
        let bad = |cause: String| ResolutionError::Metadata {
            distribution: wheel.file.filename.to_string(),
            cause,
        };
        let url = wheel.file.url.to_url().map_err(|error| bad(error.to_string()))?;
        let mut url = Url::from(url);
        if url.scheme() == "file" {
            let path = url.to_file_path().map_err(|()| bad("its URL is no path".to_owned()))?;
            let digest = self.staging.digest(&path);
            let digest = digest.ok_or_else(|| bad("it is no given file".to_owned()))?;
            return Ok((Location::Given(*digest), Some(*digest)));
        }
        credentials::strip(&mut url);
        url.set_fragment(None);
        Ok((Location::Url(url.into()), sha256))
    }

    /// A file that is taken because of its place.
    fn direct(
        &self,
        filename: &WheelFilename,
        place: Direct,
        digests: &[HashDigest],
        size: Option<u64>,
    ) -> Result<Package, ResolutionError> {
        let name = &filename.name;
        let mut wanted = self.wanted(name)?;
        if wanted.is_empty() {
            wanted.extend_from_slice(digests);
        }
        let Wanted { sha256, hashes } = hashes::of_digests(&wanted);
        let (location, url, sha256) = match place {
            Direct::Url(mut url) => {
                credentials::strip(&mut url);
                url.set_fragment(None);
                (Location::Url(url.to_string()), url.to_string(), sha256)
            }
            Direct::Given(path) => {
                let staged = self.staging.paths.get(&path);
                let digest = staged.and_then(|staged| self.staging.digest(staged)).copied();
                let digest = digest.ok_or_else(|| unknown_file(filename))?;
                hashes::check_given(&path, &digest, &wanted)
                    .map_err(|problem| self.bad_hash(name, problem))?;
                (Location::Given(digest), of_given(&path), Some(digest))
            }
        };
        let hashes = if sha256.is_some() { Vec::new() } else { hashes };
        Ok(Package {
            name: name.to_string(),
            version: filename.version.to_string(),
            direct_url: Some(direct_url(&url, sha256.as_ref())),
            wheel: WheelFile { filename: filename.to_string(), location, sha256, hashes, size },
            requested: self.is_requested(name),
        })
    }

    /// The hashes of which a distribution must have one.
    fn wanted(&self, name: &PackageName) -> Result<Vec<HashDigest>, ResolutionError> {
        let mut wanted = Vec::new();
        for asked in self.of(name) {
            wanted.extend(hashes::parse(asked)?);
        }
        Ok(wanted)
    }

    fn of(&self, name: &PackageName) -> impl Iterator<Item = &Asked> {
        let all = self.asked.iter().chain(self.constraints);
        all.filter(move |asked| asked.parsed.name == *name)
    }

    fn bad_hash(&self, name: &PackageName, problem: HashProblem) -> ResolutionError {
        match self.of(name).find(|asked| !asked.hashes.is_empty()) {
            Some(asked) => hashes::problem(asked, problem),
            None => {
                let requirement = name.to_string();
                ResolutionError::Hash { requirement, origin: None, problem }
            }
        }
    }

    fn is_requested(&self, name: &PackageName) -> bool {
        self.asked.iter().any(|asked| asked.parsed.name == *name)
    }
}

fn unknown_file(filename: &WheelFilename) -> ResolutionError {
    let cause = "nobody asked for it".to_owned();
    ResolutionError::Metadata { distribution: filename.to_string(), cause }
}

fn unbuilt(dist: &Dist) -> ResolutionError {
    let cause = "it would have to be built".to_owned();
    ResolutionError::Metadata { distribution: dist.name().to_string(), cause }
}

fn warning(diagnostic: &ResolutionDiagnostic) -> Option<Warning> {
    let version = |dist: &ResolvedDist| dist.version().map(ToString::to_string).unwrap_or_default();
    match diagnostic {
        ResolutionDiagnostic::MissingExtra { dist, extra } => Some(Warning::NoSuchExtra {
            name: dist.name().to_string(),
            version: version(dist),
            extra: extra.to_string(),
        }),
        ResolutionDiagnostic::YankedVersion { dist, reason } => Some(Warning::Yanked {
            name: dist.name().to_string(),
            version: version(dist),
            reason: reason.clone(),
        }),
        // Only for resolutions to the lowest versions, and for groups.
        ResolutionDiagnostic::MissingLowerBound { .. }
        | ResolutionDiagnostic::MissingGroup { .. } => None,
    }
}
