//! An image from the store to a registry.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, ImageIndex, Manifest, MediaType, Reference, RepositoryName};
use registry::{BlobBody, BlobSource, Client, Publication, Published};
use store::Store;

use super::{blobs_of, watch};
use crate::error::Error;
use crate::progress::Progress;

/// Uploads what the registry lacks of an image, and names it there as `target` says.
///
/// Layers that the store knows to be in another repository of the target's registry are mounted;
/// those that it only knows to be elsewhere are streamed from there. When this returns `Ok`, the
/// target's tag (or the digest alone, where it has no tag) names the image, whole.
pub(crate) async fn push(
    store: &Store,
    client: &Client,
    image: &Descriptor,
    target: &Reference,
    progress: &Progress,
) -> Result<Published, Error> {
    let root = store.read_manifest(image)?;
    let mut luggage = Luggage {
        store,
        client,
        target: target.repository(),
        children: Vec::new(),
        blobs: BTreeMap::new(),
        described: vec![image.clone()],
    };
    match &root {
        Manifest::Image(image) => luggage.take_image(image)?,
        Manifest::Index(index) => luggage.take_index(index).await?,
    }
    let publication = Publication {
        repository: target.repository().clone(),
        tags: target.tag().cloned().into_iter().collect(),
        root,
        children: luggage.children,
        referrers: Vec::new(),
        blobs: luggage.blobs,
    };
    let observer = watch::observer(progress, "push", &luggage.described);
    let published = client.observed(observer).publish(&publication).await?;
    if published != Published::default() {
        // What is there now can be mounted from there next time.
        let is_document = |kind: &MediaType| kind.is_manifest() || kind.is_index();
        for blob in luggage.described.iter().filter(|blob| !is_document(&blob.media_type)) {
            store.record_remote(&blob.digest, target.repository())?;
        }
    }
    Ok(published)
}

/// What a push takes along.
struct Luggage<'a> {
    store: &'a Store,
    client: &'a Client,
    target: &'a RepositoryName,
    children: Vec<Manifest>,
    blobs: BTreeMap<Digest, BlobSource>,
    /// Everything that is told about when it moves.
    described: Vec<Descriptor>,
}

impl Luggage<'_> {
    async fn take_index(&mut self, index: &ImageIndex) -> Result<(), Error> {
        for entry in index.manifests() {
            self.described.push(entry.clone());
            let Some(child) = self.child(entry).await? else { continue };
            if let Manifest::Image(image) = &child {
                self.take_image(image)?;
            }
            self.children.push(child);
        }
        Ok(())
    }

    /// A manifest that an index lists: from the store, or from where the store knows it to be. One
    /// that is nowhere may be in the target already, which the push will show.
    async fn child(&self, entry: &Descriptor) -> Result<Option<Manifest>, Error> {
        if self.store.contains(&entry.digest)? == Some(entry.size) {
            return Ok(Some(self.store.read_manifest(entry)?));
        }
        let sources = self.store.remote_sources(&entry.digest)?;
        if sources.contains(self.target) {
            return Ok(None);
        }
        let Some(source) = sources.first() else { return Ok(None) };
        let manifest = self.client.manifest(source, entry.digest).await?;
        if let Manifest::Image(image) = &manifest {
            for blob in blobs_of(image) {
                self.store.record_remote(&blob.digest, source)?;
            }
        }
        Ok(Some(manifest))
    }

    fn take_image(&mut self, image: &oci::ImageManifest) -> Result<(), Error> {
        for blob in blobs_of(image) {
            if self.blobs.contains_key(&blob.digest) {
                continue;
            }
            let mut sources = self.store.remote_sources(&blob.digest)?;
            sources.retain(|source| source != self.target);
            // The same registry can mount; another one has to send.
            sources.sort_by_key(|source| source.registry() != self.target.registry());
            let body = if self.store.contains(&blob.digest)? == Some(blob.size) {
                BlobBody::File(self.store.blob_path(&blob.digest))
            } else if let Some(source) = sources.first() {
                BlobBody::Remote(source.clone())
            } else {
                // It may be in the target already, which the push will show.
                continue;
            };
            self.described.push(blob.clone());
            self.blobs.insert(blob.digest, BlobSource { body, mount_from: sources });
        }
        Ok(())
    }
}
