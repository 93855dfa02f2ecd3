//! Recomputes what an image claims.

use std::io::{self, Read};

use layer::Limits;
use oci::{Descriptor, DiffId, Digest, Digester, ImageConfig, ImageManifest};

/// What is wrong with an image.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// A blob that cannot be read.
    #[error("blob {digest} cannot be read: {source}")]
    Unreadable {
        /// Which.
        digest: Digest,
        /// Why.
        source: io::Error,
    },
    /// A blob whose bytes are not what its descriptor says.
    #[error("blob {wanted} has {size} bytes of digest {found}")]
    Blob {
        /// What the descriptor says.
        wanted: Digest,
        /// What the bytes hash to.
        found: Digest,
        /// How many bytes there are.
        size: u64,
    },
    /// A config that is not one.
    #[error(transparent)]
    Config(#[from] oci::ConfigError),
    /// Another number of layers in the manifest than in the config.
    #[error("the manifest has {manifest} layers and the config {config}")]
    LayerCount {
        /// In the manifest.
        manifest: usize,
        /// In the config.
        config: usize,
    },
    /// A history that disagrees with the layers.
    #[error("the history speaks of {history} layers, but there are {layers}")]
    History {
        /// Entries without `empty_layer`.
        history: usize,
        /// Layers.
        layers: usize,
    },
    /// A layer of a type that is not a layer's.
    #[error("layer {digest} has the type `{media_type}`")]
    LayerType {
        /// Which.
        digest: Digest,
        /// Its type.
        media_type: oci::MediaType,
    },
    /// A layer whose tar cannot be read.
    #[error("layer {digest} cannot be read: {source}")]
    Layer {
        /// Which.
        digest: Digest,
        /// Why.
        source: layer::TarError,
    },
    /// A layer whose tar hashes to something else than the config says.
    #[error("layer {digest} has the diff id {found}, and the config says {wanted}")]
    DiffId {
        /// The blob.
        digest: Digest,
        /// What the config says.
        wanted: DiffId,
        /// What the tar hashes to.
        found: DiffId,
    },
}

/// Reads every blob of an image through `open` and checks every claim: digests, sizes, diff ids,
/// media types, the shape of each layer's tar, and the history's count.
pub fn validate<R: Read + Send>(
    manifest: &ImageManifest,
    mut open: impl FnMut(&Descriptor) -> io::Result<R>,
) -> Result<(), Invalid> {
    let config = ImageConfig::parse(&read_config(manifest.config(), &mut open)?)?;
    let diff_ids = config.diff_ids();
    let layers = manifest.layers();
    if diff_ids.len() != layers.len() {
        return Err(Invalid::LayerCount { manifest: layers.len(), config: diff_ids.len() });
    }
    let history = config.history();
    let claimed = history.iter().filter(|entry| !entry.empty_layer).count();
    if !history.is_empty() && claimed != layers.len() {
        return Err(Invalid::History { history: claimed, layers: layers.len() });
    }
    for (descriptor, wanted) in layers.iter().zip(diff_ids) {
        check_layer(descriptor, wanted, &mut open)?;
    }
    Ok(())
}

fn read_config<R: Read + Send>(
    descriptor: &Descriptor,
    open: &mut impl FnMut(&Descriptor) -> io::Result<R>,
) -> Result<Vec<u8>, Invalid> {
    let unreadable = |source| Invalid::Unreadable { digest: descriptor.digest, source };
    let mut bytes = Vec::new();
    let blob = open(descriptor).map_err(unreadable)?;
    blob.take(oci::MAX_MANIFEST_BYTES).read_to_end(&mut bytes).map_err(unreadable)?;
    let mut hasher = Digester::new(descriptor.digest.algorithm());
    hasher.update(&bytes);
    check_blob(descriptor, hasher.finish(), bytes.len() as u64)?;
    Ok(bytes)
}

fn check_blob(descriptor: &Descriptor, found: Digest, size: u64) -> Result<(), Invalid> {
    if found != descriptor.digest || size != descriptor.size {
        return Err(Invalid::Blob { wanted: descriptor.digest, found, size });
    }
    Ok(())
}

fn check_layer<R: Read + Send>(
    descriptor: &Descriptor,
    wanted: DiffId,
    open: &mut impl FnMut(&Descriptor) -> io::Result<R>,
) -> Result<(), Invalid> {
    let digest = descriptor.digest;
    let Some(compression) = descriptor.media_type.layer_compression() else {
        return Err(Invalid::LayerType { digest, media_type: descriptor.media_type.clone() });
    };
    let blob = open(descriptor).map_err(|source| Invalid::Unreadable { digest, source })?;
    let mut blob = Hashing { inner: blob, digester: Digester::new(digest.algorithm()), size: 0 };
    let limits = Limits::default();
    let tar = layer::decompress(&mut blob, compression, &limits)
        .map_err(|source| Invalid::Unreadable { digest, source })?;
    let (_, found) = layer::LayerIndex::read(tar, &limits)
        .map_err(|source| Invalid::Layer { digest, source })?;
    io::copy(&mut blob, &mut io::sink())
        .map_err(|source| Invalid::Unreadable { digest, source })?;
    check_blob(descriptor, blob.digester.finish(), blob.size)?;
    if found != wanted {
        return Err(Invalid::DiffId { digest, wanted, found });
    }
    Ok(())
}

/// Hashes what is read through it.
struct Hashing<R> {
    inner: R,
    digester: Digester,
    size: u64,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.digester.update(&buffer[..count]);
        self.size += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, HashMap};

    use layer::{LayerWriter, Packing};
    use oci::{History, Platform};

    use super::*;
    use crate::{Image, Layer};

    /// An image of one empty layer, and its blobs; the config claims the diff id that `diff_id`
    /// makes of the right one.
    fn image(diff_id: impl Fn(DiffId) -> DiffId) -> (ImageManifest, HashMap<Digest, Vec<u8>>) {
        let one = std::num::NonZeroUsize::MIN;
        let writer = LayerWriter::new(Vec::new(), Packing::default(), one).unwrap();
        let (packed, blob) = writer.finish().unwrap();
        let layer = Layer { diff_id: diff_id(packed.diff_id), descriptor: packed.descriptor };
        let history = History {
            created: None,
            created_by: None,
            author: None,
            comment: None,
            empty_layer: false,
        };
        let config = ImageConfig::new(&Platform::linux("amd64"));
        let image =
            Image::assemble(config, std::slice::from_ref(&layer), &[history], BTreeMap::new())
                .unwrap();
        let blobs = HashMap::from([
            (layer.descriptor.digest, blob),
            (image.manifest().config().digest, image.config_bytes().to_vec()),
        ]);
        (image.manifest().clone(), blobs)
    }

    fn check(manifest: &ImageManifest, blobs: &HashMap<Digest, Vec<u8>>) -> Result<(), Invalid> {
        validate(manifest, |blob| {
            let bytes = blobs.get(&blob.digest).ok_or(io::ErrorKind::NotFound)?;
            Ok(io::Cursor::new(bytes.clone()))
        })
    }

    #[test]
    fn what_is_right_passes_and_what_is_not_is_named() {
        let (manifest, blobs) = image(|right| right);
        assert!(check(&manifest, &blobs).is_ok());

        let (config, layer) = (manifest.config().digest, manifest.layers()[0].digest);
        let mut damaged = blobs.clone();
        damaged.remove(&layer);
        assert!(
            matches!(check(&manifest, &damaged), Err(Invalid::Unreadable { digest, .. }) if digest == layer)
        );
        let mut damaged = blobs.clone();
        damaged.insert(config, b"{}".to_vec());
        assert!(
            matches!(check(&manifest, &damaged), Err(Invalid::Blob { wanted, .. }) if wanted == config)
        );
        let mut damaged = blobs;
        damaged.entry(layer).or_default().extend_from_within(..);
        assert!(
            matches!(check(&manifest, &damaged), Err(Invalid::Blob { wanted, .. }) if wanted == layer)
        );

        let (manifest, blobs) = image(|_| DiffId(Digest::of(b"another")));
        assert!(matches!(check(&manifest, &blobs), Err(Invalid::DiffId { .. })));
    }
}
