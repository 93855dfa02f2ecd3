//! Wheels that are built where there is only source: by whom and how is the caller's.
//!
//! The resolver is never kept waiting. It takes a source distribution for one without dependencies,
//! what was chosen is built, and then it is asked again, with the wheels at hand; until nothing that
//! it chooses is source. Each wheel counts as one of a page of links, so its tags and metadata are
//! looked at as those of any other.

use std::error::Error;
use std::path::PathBuf;

use oci::Digest;
use python::WheelFile;
use uv_distribution_types::{Dist, Resolution as Resolved, ResolvedDist, SourceDist};

use crate::hashes::{self, Wanted};
use crate::{ResolutionError, credentials};

/// Why there is no wheel, in a builder's own words.
pub type BuildFailure = Box<dyn Error + Send + Sync>;

/// Builds wheels out of source distributions.
pub trait Builder {
    /// Builds one, without its dependencies. Whether what is compiled fits the target's C library
    /// is for the builder to see: a tag such as `linux_x86_64` says nothing of it.
    ///
    /// # Errors
    /// Why not.
    fn build(&self, source: &Source) -> Result<Built, BuildFailure>;
}

/// A source distribution that was chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name, normalized (PEP 503).
    pub name: String,
    /// Its version, normalized (PEP 440).
    pub version: String,
    /// Where it can be had, and its digests: a file like a wheel's, which
    /// [`Fetcher`](crate::Fetcher) downloads.
    pub file: WheelFile,
}

/// A wheel that was built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// Its file name, with its tags.
    pub filename: String,
    /// Where it is.
    pub path: PathBuf,
    /// Its digest, by which [`Location::Given`](python::Location::Given) will name it.
    pub digest: Digest,
}

/// Has one built.
pub(crate) fn run(source: &Source, builder: &dyn Builder) -> Result<Built, ResolutionError> {
    builder.build(source).map_err(|cause| failed(source, cause))
}

pub(crate) fn failed(source: &Source, cause: Box<dyn Error + Send + Sync>) -> ResolutionError {
    ResolutionError::Build { package: format!("{} {}", source.name, source.version), cause }
}

/// The source distributions among what was chosen, by name.
pub(crate) fn sources(resolved: &Resolved) -> Result<Vec<Source>, ResolutionError> {
    let mut sources = Vec::new();
    for dist in resolved.distributions() {
        let ResolvedDist::Installable { dist, .. } = dist else { continue };
        if let Dist::Source(SourceDist::Registry(source)) = &**dist {
            let file = &source.file;
            let bad = |error: uv_distribution_types::ToUrlError| ResolutionError::Metadata {
                distribution: file.filename.to_string(),
                cause: error.to_string(),
            };
            let mut url = url::Url::from(file.url.to_url().map_err(bad)?);
            credentials::strip(&mut url);
            url.set_fragment(None);
            let Wanted { sha256, hashes } = hashes::of_digests(file.hashes.as_slice());
            sources.push(Source {
                name: source.name.to_string(),
                version: source.version.to_string(),
                file: WheelFile {
                    filename: file.filename.to_string(),
                    location: python::Location::Url(url.into()),
                    sha256,
                    hashes,
                    size: file.size,
                },
            });
        }
    }
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(sources)
}
