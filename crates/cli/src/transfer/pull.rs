//! An image from a registry into the store.

use oci::{Descriptor, Manifest, Reference};
use registry::Client;
use store::Store;

use super::fetch::{download_all, keep};
use super::{Chosen, blobs_of, choose};
use crate::error::Error;
use crate::flags::CopyPlatforms;
use crate::progress::Progress;

/// An image that the store has now, and does not list yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pulled {
    /// What the reference names: a manifest or an index.
    pub(crate) root: Descriptor,
    /// What was chosen from an index, an image or an index of several; the root itself where it is
    /// an image.
    pub(crate) chosen: Option<Descriptor>,
}

/// Downloads what the store lacks of an image. Of an index one image is brought or all; those that
/// are not are known to be in the registry, so that the index can be named all the same.
pub(crate) async fn pull(
    store: &Store,
    client: &Client,
    reference: &Reference,
    platforms: &CopyPlatforms,
    progress: &Progress,
) -> Result<Pulled, Error> {
    let repository = reference.repository();
    let root = client.resolve(reference).await?;
    let manifest = manifest(store, client, reference, &root).await?;
    let mut chosen = None;
    let mut images = Vec::new();
    match &manifest {
        Manifest::Image(image) => {
            chosen = Some(root.clone());
            images.push(image.clone());
        }
        Manifest::Index(index) => {
            let wanted = match choose(index, platforms, &reference.familiar())? {
                Chosen::Whole => index.manifests().to_vec(),
                Chosen::Image(image) => {
                    chosen = Some(image.clone());
                    vec![image]
                }
                Chosen::Index(rest) => {
                    let descriptor = rest.descriptor();
                    keep(store, &descriptor, rest.bytes())?;
                    chosen = Some(descriptor);
                    rest.manifests().to_vec()
                }
            };
            for child in index.manifests() {
                store.record_remote(&child.digest, repository)?;
            }
            for child in &wanted {
                match self::manifest(store, client, reference, child).await? {
                    Manifest::Image(image) => images.push(image),
                    Manifest::Index(_) => {
                        return Err(Error::NestedIndex { image: reference.familiar() });
                    }
                }
            }
        }
    }
    let mut wanted = Vec::new();
    for blob in images.iter().flat_map(blobs_of) {
        // Where it can be mounted from when it is pushed.
        store.record_remote(&blob.digest, repository)?;
        if store.contains(&blob.digest)? != Some(blob.size) {
            wanted.push((blob.clone(), vec![repository.clone()]));
        }
    }
    download_all(store, client, wanted, progress).await?;
    Ok(Pulled { root, chosen })
}

/// A manifest from the store, or from the registry into the store.
async fn manifest(
    store: &Store,
    client: &Client,
    reference: &Reference,
    wanted: &Descriptor,
) -> Result<Manifest, Error> {
    if store.contains(&wanted.digest)? == Some(wanted.size) {
        return Ok(store.read_manifest(wanted)?);
    }
    let manifest = client.manifest(reference.repository(), wanted.digest).await?;
    keep(store, wanted, manifest.bytes())?;
    Ok(manifest)
}
