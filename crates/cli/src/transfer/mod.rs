//! Images between registries and the store.
//!
//! Everything here moves only what is not where it should be: what the store has is not downloaded,
//! what a registry has is not uploaded, and what the store knows to be in another repository of the
//! target's registry is mounted. A layer that is only known remotely goes from there to its target
//! without a stop in the store.

mod fetch;
mod pull;
mod push;
mod relay;
mod watch;

use oci::{Descriptor, Digest, ImageIndex, Platform};

pub(crate) use fetch::{download_all, fetch};
pub(crate) use pull::pull;
pub(crate) use push::push;
pub(crate) use relay::{Relay, relay};
pub(crate) use watch::retries;

use crate::error::Error;
use crate::flags::CopyPlatforms;

/// How many blobs are under way at a time. More do not make a link faster; fewer leave it idle
/// while a registry thinks.
const AT_ONCE: usize = 4;

/// The manifest of an index that runs on `wanted`; `image` is what the index is called in an error.
pub(crate) fn select<'a>(
    index: &'a ImageIndex,
    wanted: &Platform,
    image: &str,
) -> Result<&'a Descriptor, Error> {
    index.select(wanted).ok_or_else(|| Error::NoMatchingPlatform {
        image: image.to_owned(),
        wanted: wanted.clone(),
        available: index.platforms(),
    })
}

/// What of an index is moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Chosen {
    /// All of it.
    Whole,
    /// One image, by itself.
    Image(Descriptor),
    /// An index of several of its images.
    Index(ImageIndex),
}

/// Chooses from an index, which is called `image` in an error.
pub(crate) fn choose(
    index: &ImageIndex,
    platforms: &CopyPlatforms,
    image: &str,
) -> Result<Chosen, Error> {
    match platforms {
        CopyPlatforms::All => Ok(Chosen::Whole),
        CopyPlatforms::One(platform) => {
            let platform = platform.clone().unwrap_or_else(default_platform);
            select(index, &platform, image).cloned().map(Chosen::Image)
        }
        CopyPlatforms::Several(platforms) => {
            let select = |platform| select(index, platform, image).map(|entry| entry.digest);
            let wanted = platforms.iter().map(select).collect::<Result<Vec<Digest>, Error>>()?;
            let rest = index.retaining(|entry| {
                let digest = attested(entry).unwrap_or(entry.digest);
                wanted.contains(&digest)
            });
            let malformed = |source| Error::Manifest { place: image.to_owned(), source };
            rest.map(Chosen::Index).map_err(malformed)
        }
    }
}

/// The image that an entry of BuildKit's only says something about.
fn attested(entry: &Descriptor) -> Option<Digest> {
    entry.annotations.get("vnd.docker.reference.digest")?.parse().ok()
}

/// The platform that is meant where none is named: this machine's processor under Linux, since
/// that is what images are for.
pub(crate) fn default_platform() -> Platform {
    Platform::linux(std::env::consts::ARCH).normalized()
}

/// What a blob is, for people.
fn label(blob: &Descriptor) -> String {
    let kind = match &blob.media_type {
        kind if kind.is_index() => "index",
        kind if kind.is_manifest() => "manifest",
        kind if kind.layer_compression().is_some() => "layer",
        oci::MediaType::OciConfig | oci::MediaType::DockerConfig => "config",
        _ => "blob",
    };
    format!("{kind} {}", blob.digest.short())
}

/// Whether a layer stays where its URLs say (image-spec `layer.md`, "Non-Distributable Layers").
fn stays_elsewhere(blob: &Descriptor) -> bool {
    blob.media_type.is_foreign() && !blob.urls.is_empty()
}

/// Config and layers of an image, without those that stay elsewhere.
fn blobs_of(image: &oci::ImageManifest) -> impl Iterator<Item = &Descriptor> {
    std::iter::once(image.config()).chain(image.layers()).filter(|blob| !stays_elsewhere(blob))
}
