//! What is installed already, for the resolver.

use std::collections::BTreeMap;
use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;

use python::Distribution;
use uv_distribution_types::{InstalledDist, InstalledDistKind, InstalledRegistryDist};
use uv_normalize::PackageName;
use uv_pep440::Version;
use uv_pypi_types::ResolutionMetadata;
use uv_types::InstalledPackagesProvider;

/// The distributions of a base.
#[derive(Clone, Default)]
pub(crate) struct Installed(Arc<BTreeMap<PackageName, Known>>);

struct Known {
    dist: InstalledDist,
    metadata: ResolutionMetadata,
}

impl Installed {
    /// `nowhere` is a directory without files, where the resolver finds nothing more of them.
    ///
    /// One whose name or version is none cannot satisfy anything and is left out; one whose metadata
    /// cannot be read has no dependencies, since what is there works as it is.
    pub(crate) fn new(distributions: &[Distribution], nowhere: &Path) -> Self {
        let known = distributions.iter().filter_map(|distribution| {
            let name = PackageName::from_str(&distribution.name).ok()?;
            let version = Version::from_str(&distribution.version).ok()?;
            let metadata = metadata(distribution, &name, &version);
            let path = nowhere.join(name.as_str()).into_boxed_path();
            let dist = InstalledDist::from(InstalledDistKind::Registry(InstalledRegistryDist {
                name: name.clone(),
                version,
                path,
                cache_info: None,
                build_info: None,
            }));
            Some((name, Known { dist, metadata }))
        });
        Installed(Arc::new(known.collect()))
    }

    pub(crate) fn metadata(&self, name: &PackageName) -> Option<&ResolutionMetadata> {
        self.0.get(name).map(|known| &known.metadata)
    }

    /// Whether this version is there.
    pub(crate) fn has(&self, name: &str, version: &str) -> bool {
        let name = PackageName::from_str(name);
        let version = Version::from_str(version);
        name.is_ok_and(|name| version.is_ok_and(|version| self.version(&name) == Some(&version)))
    }

    pub(crate) fn version(&self, name: &PackageName) -> Option<&Version> {
        self.0.get(name).map(|known| known.dist.version())
    }
}

fn metadata(
    distribution: &Distribution,
    name: &PackageName,
    version: &Version,
) -> ResolutionMetadata {
    let read = ResolutionMetadata::parse_metadata(distribution.text.as_bytes()).ok();
    // The resolver insists on one name and version.
    let read = read.filter(|read| read.name == *name && read.version == *version);
    read.unwrap_or_else(|| nothing_but(name.clone(), version.clone()))
}

/// Metadata that says no more than who it is of.
pub(crate) fn nothing_but(name: PackageName, version: Version) -> ResolutionMetadata {
    ResolutionMetadata {
        name,
        version,
        requires_dist: Box::default(),
        requires_python: None,
        provides_extra: Box::default(),
        dynamic: false,
    }
}

impl InstalledPackagesProvider for Installed {
    fn iter(&self) -> impl Iterator<Item = &InstalledDist> {
        self.0.values().map(|known| &known.dist)
    }

    fn get_packages(&self, name: &PackageName) -> Vec<&InstalledDist> {
        self.0.get(name).map(|known| &known.dist).into_iter().collect()
    }
}
