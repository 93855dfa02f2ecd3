//! Images in the scene's registry, byte by byte, so that anything can be wrong with them.

use std::collections::BTreeMap;

use oci::{
    Compression, Descriptor, DiffId, Digest, History, ImageConfig, ImageIndex, ImageManifest,
    Manifest, MediaType, Platform,
};

use crate::attempt::Attempt;

/// A layer's blob, and what its image says of it.
pub(crate) struct Blob {
    pub(crate) bytes: Vec<u8>,
    pub(crate) media_type: MediaType,
    pub(crate) diff_id: DiffId,
}

impl Blob {
    /// An uncompressed layer.
    pub(crate) fn plain(tar: Vec<u8>) -> Self {
        let diff_id = DiffId(Digest::of(&tar));
        Blob { bytes: tar, media_type: MediaType::OciLayer(Compression::None), diff_id }
    }
}

/// The platform that is built where none is asked for.
pub(crate) fn own_platform() -> Platform {
    Platform::linux(std::env::consts::ARCH).normalized()
}

/// A config over these layers.
pub(crate) fn config(platform: &Platform, diff_ids: &[DiffId]) -> ImageConfig {
    let mut config = ImageConfig::new(platform);
    config.set_diff_ids(diff_ids);
    let history = |_: &DiffId| History {
        created: None,
        created_by: Some("a base".to_owned()),
        author: None,
        comment: None,
        empty_layer: false,
    };
    config.set_history(&diff_ids.iter().map(history).collect::<Vec<_>>());
    config
}

impl Attempt {
    /// Puts an image of these layers into the registry, as `REGISTRY/base:TAG`.
    pub(crate) fn publish(&self, tag: &str, layers: &[Blob]) -> ImageManifest {
        self.publish_for(&own_platform(), Some(tag), layers)
    }

    /// The same for any platform, with a tag or without.
    pub(crate) fn publish_for(
        &self,
        platform: &Platform,
        tag: Option<&str>,
        layers: &[Blob],
    ) -> ImageManifest {
        let diff_ids: Vec<DiffId> = layers.iter().map(|layer| layer.diff_id).collect();
        self.publish_with(tag, &config(platform, &diff_ids).to_bytes(), layers)
    }

    /// The same with a config of any bytes.
    pub(crate) fn publish_with(
        &self,
        tag: Option<&str>,
        config: &[u8],
        layers: &[Blob],
    ) -> ImageManifest {
        let registry = &self.scene.registry;
        let config = registry.insert_blob("base", MediaType::OciConfig, config);
        let insert =
            |layer: &Blob| registry.insert_blob("base", layer.media_type.clone(), &layer.bytes);
        let layers = layers.iter().map(insert).collect();
        let manifest = ImageManifest::new(config, layers, BTreeMap::new());
        registry.insert_manifest("base", tag, &Manifest::Image(manifest.clone()));
        manifest
    }

    /// Puts an index of one empty image for each of these platforms into the registry.
    pub(crate) fn publish_index(&self, tag: &str, platforms: &[&str]) {
        let entry = |text: &&str| {
            let platform: Platform = text.parse().unwrap();
            let image = self.publish_for(&platform, None, &[]);
            Descriptor { platform: Some(platform), ..image.descriptor() }
        };
        let entries = platforms.iter().map(entry).collect();
        let index = Manifest::Index(ImageIndex::new(entries, BTreeMap::new()));
        self.scene.registry.insert_manifest("base", Some(tag), &index);
    }
}
