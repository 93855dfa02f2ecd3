//! What the resolver is told: uv's own answers, with three differences.
//!
//! The metadata of what is installed comes from the request and from no file; names that no index
//! knows are remembered; and a source distribution counts as one without dependencies, so that all
//! of them come to light before any is built.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use uv_distribution::{ArchiveMetadata, Reporter};
use uv_distribution_types::{
    Dist, DistributionMetadata, IndexMetadata, InstalledDist, Name, VersionOrUrlRef,
};
use uv_normalize::PackageName;
use uv_resolver::{
    DefaultResolverProvider, MetadataResponse, PackageVersionsResult, ResolverProvider,
    VersionsResponse, WheelMetadataResult,
};

use crate::context::Surroundings;
use crate::installed::{Installed, nothing_but};

/// Names of which nothing is known.
#[derive(Clone, Default)]
pub(crate) struct Unknown {
    /// Those that no index has.
    pub(crate) nowhere: Names,
    /// Those that the cache does not have.
    pub(crate) uncached: Names,
}

/// A set that fills while others wait.
#[derive(Clone, Default)]
pub(crate) struct Names(Arc<Mutex<BTreeSet<PackageName>>>);

impl Names {
    fn note(&self, name: &PackageName) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(name.clone());
    }

    pub(crate) fn has(&self, name: &PackageName) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }
}

/// Answers for the resolver.
pub(crate) struct Provider<'a> {
    pub(crate) inner: DefaultResolverProvider<'a, Surroundings>,
    pub(crate) installed: Installed,
    pub(crate) unknown: Unknown,
}

impl ResolverProvider for Provider<'_> {
    async fn get_package_versions<'io>(
        &'io self,
        name: &'io PackageName,
        index: Option<&'io IndexMetadata>,
    ) -> PackageVersionsResult {
        let answer = self.inner.get_package_versions(name, index).await?;
        match answer {
            VersionsResponse::NotFound | VersionsResponse::NoIndex => {
                self.unknown.nowhere.note(name);
            }
            VersionsResponse::Offline => self.unknown.uncached.note(name),
            VersionsResponse::Found(_) => {}
        }
        Ok(answer)
    }

    async fn get_or_build_wheel_metadata<'io>(&'io self, dist: &'io Dist) -> WheelMetadataResult {
        if matches!(dist, Dist::Source(_))
            && let VersionOrUrlRef::Version(version) = dist.version_or_url()
        {
            let metadata = nothing_but(dist.name().clone(), version.clone());
            return Ok(MetadataResponse::Found(ArchiveMetadata::from_metadata23(metadata)));
        }
        self.inner.get_or_build_wheel_metadata(dist).await
    }

    async fn get_installed_metadata<'io>(
        &'io self,
        dist: &'io InstalledDist,
    ) -> WheelMetadataResult {
        match self.installed.metadata(dist.name()) {
            Some(metadata) => {
                let metadata = ArchiveMetadata::from_metadata23(metadata.clone());
                Ok(MetadataResponse::Found(metadata))
            }
            None => self.inner.get_installed_metadata(dist).await,
        }
    }

    fn with_reporter(self, reporter: Arc<dyn Reporter>) -> Self {
        Provider { inner: self.inner.with_reporter(reporter), ..self }
    }
}
