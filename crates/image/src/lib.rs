//! Base, layers and config to an image: exact manifest and config bytes.
//!
//! An [`Image`] is immutable. It knows each layer's descriptor and diff id and not where the bytes
//! lie; that is the store's and the registry's business. [`validate()`] recomputes everything that an
//! image claims, from the bytes that a caller can open.

mod validate;

use std::collections::BTreeMap;

use oci::{Descriptor, DiffId, Digest, History, ImageConfig, ImageManifest, MediaType, Platform};

pub use validate::{Invalid, validate};

/// A layer whose bytes exist somewhere: what the manifest and the config say about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The compressed blob.
    pub descriptor: Descriptor,
    /// The digest of the uncompressed tar.
    pub diff_id: DiffId,
}

/// One platform's image: manifest and config, whose bytes are final.
#[derive(Debug, Clone, PartialEq)]
pub struct Image {
    manifest: ImageManifest,
    config: ImageConfig,
    config_bytes: Vec<u8>,
}

/// Why an image cannot be assembled from its parts.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AssembleError {
    /// The history claims another number of layers than there are
    /// (image-spec `config.md`, "history", `empty_layer`).
    #[error("the history speaks of {history} layers, but there are {layers}")]
    History {
        /// Entries without `empty_layer`.
        history: usize,
        /// Layers.
        layers: usize,
    },
    /// More layers than runtimes mount: overlayfs takes 128 directories, one of them on top.
    #[error("an image of {0} layers has more than runtimes can mount (127)")]
    TooManyLayers(usize),
}

/// The most layers that an overlay mount carries below its upper directory.
pub const MAX_LAYERS: usize = 127;

impl Image {
    /// Writes config and manifest over `layers`, lowest first.
    ///
    /// Docker's media types become OCI's; the blobs stay the same. `config` brings everything but
    /// its `rootfs` and `history`, which are written here.
    pub fn assemble(
        mut config: ImageConfig,
        layers: &[Layer],
        history: &[History],
        annotations: BTreeMap<String, String>,
    ) -> Result<Image, AssembleError> {
        let claimed = history.iter().filter(|entry| !entry.empty_layer).count();
        if claimed != layers.len() {
            return Err(AssembleError::History { history: claimed, layers: layers.len() });
        }
        if layers.len() > MAX_LAYERS {
            return Err(AssembleError::TooManyLayers(layers.len()));
        }
        let diff_ids: Vec<DiffId> = layers.iter().map(|layer| layer.diff_id).collect();
        config.set_diff_ids(&diff_ids);
        config.set_history(history);
        let config_bytes = config.to_bytes();
        let descriptors = layers.iter().map(|layer| Descriptor {
            media_type: layer.descriptor.media_type.to_oci(),
            ..layer.descriptor.clone()
        });
        let manifest = ImageManifest::new(
            Descriptor::of(MediaType::OciConfig, &config_bytes),
            descriptors.collect(),
            annotations,
        );
        Ok(Image { manifest, config, config_bytes })
    }

    /// The manifest.
    pub fn manifest(&self) -> &ImageManifest {
        &self.manifest
    }

    /// The config.
    pub fn config(&self) -> &ImageConfig {
        &self.config
    }

    /// The config's exact bytes.
    pub fn config_bytes(&self) -> &[u8] {
        &self.config_bytes
    }

    /// The manifest's digest, which is the image's.
    pub fn digest(&self) -> Digest {
        self.manifest.digest()
    }

    /// The manifest's descriptor, as an index lists it: with the platform.
    pub fn descriptor(&self) -> Descriptor {
        Descriptor { platform: Some(self.platform()), ..self.manifest.descriptor() }
    }

    /// What the image runs on.
    pub fn platform(&self) -> Platform {
        self.config.platform()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(text: &str) -> Layer {
        Layer {
            descriptor: Descriptor::of(
                MediaType::DockerLayer(oci::Compression::Gzip),
                text.as_bytes(),
            ),
            diff_id: DiffId(Digest::of(text.as_bytes())),
        }
    }

    fn step(text: &str, empty_layer: bool) -> History {
        let created_by = Some(text.to_owned());
        History { created: None, created_by, author: None, comment: None, empty_layer }
    }

    #[test]
    fn dockers_layers_become_ocis_with_the_same_blobs() {
        let config = ImageConfig::new(&Platform::linux("amd64"));
        let history = [step("COPY a", false), step("ENV A=1", true)];
        let image = Image::assemble(config, &[layer("a")], &history, BTreeMap::new()).unwrap();
        let written = &image.manifest().layers()[0];
        assert_eq!(written.media_type, MediaType::OciLayer(oci::Compression::Gzip));
        assert_eq!(written.digest, Digest::of(b"a"));
        assert_eq!(image.config().diff_ids(), [DiffId(Digest::of(b"a"))]);
        assert_eq!(image.config().history(), history);
        assert_eq!(image.descriptor().platform, Some(Platform::linux("amd64")));
    }

    #[test]
    fn a_history_that_does_not_add_up_is_refused() {
        let config = ImageConfig::new(&Platform::linux("amd64"));
        let error = Image::assemble(config, &[layer("a")], &[], BTreeMap::new()).unwrap_err();
        insta::assert_snapshot!(error, @"the history speaks of 0 layers, but there are 1");
    }
}
