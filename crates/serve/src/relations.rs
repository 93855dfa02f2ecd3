//! What a manifest says of other content.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, Manifest, MediaType};
use serde::Deserialize;

/// What makes a manifest a referrer of another (distribution-spec 1.1, "Listing Referrers").
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Referral {
    #[serde(default)]
    subject: Option<Named>,
    #[serde(default)]
    artifact_type: Option<MediaType>,
    #[serde(default)]
    config: Option<Typed>,
    #[serde(default)]
    annotations: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Named {
    digest: Digest,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Typed {
    media_type: MediaType,
}

impl Referral {
    /// What is no manifest refers to nothing.
    pub(crate) fn of(manifest: &[u8]) -> Option<Self> {
        serde_json::from_slice(manifest).ok()
    }

    /// What it refers to.
    pub(crate) fn subject(&self) -> Option<Digest> {
        self.subject.as_ref().map(|subject| subject.digest)
    }

    /// Completes the descriptor of a referrer: its own `artifactType`, or "the config descriptor
    /// `mediaType` value", and "annotations from the image manifest or index".
    pub(crate) fn describe(self, mut descriptor: Descriptor) -> Descriptor {
        let stated = self.artifact_type.filter(|artifact_type| !artifact_type.as_str().is_empty());
        descriptor.artifact_type = stated.or(self.config.map(|config| config.media_type));
        descriptor.annotations = self.annotations;
        descriptor
    }
}

/// What a repository has to hold before a manifest.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Blob(Digest),
    Manifest(Digest),
}

impl Part {
    pub(crate) fn digest(&self) -> Digest {
        match self {
            Part::Blob(digest) | Part::Manifest(digest) => *digest,
        }
    }
}

/// The parts of a manifest. Layers that may be had elsewhere are not looked for, and neither is a
/// subject, which may come later.
pub(crate) fn parts(manifest: &Manifest) -> Vec<Part> {
    match manifest {
        Manifest::Image(image) => {
            let layers = image.layers().iter();
            let here =
                layers.filter(|layer| layer.urls.is_empty() && !layer.media_type.is_foreign());
            std::iter::once(image.config())
                .chain(here)
                .map(|blob| Part::Blob(blob.digest))
                .collect()
        }
        Manifest::Index(index) => {
            index.manifests().iter().map(|entry| Part::Manifest(entry.digest)).collect()
        }
    }
}
