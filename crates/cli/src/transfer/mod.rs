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

use oci::{Descriptor, ImageIndex, Platform};

pub(crate) use fetch::{download_all, fetch};
pub(crate) use pull::pull;
pub(crate) use push::push;
pub(crate) use relay::relay;
pub(crate) use watch::retries;

use crate::error::Error;

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
