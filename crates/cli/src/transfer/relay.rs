//! An image from one registry to another, past the store.

use std::collections::BTreeMap;

use oci::{Descriptor, Manifest, Reference};
use registry::{BlobBody, BlobSource, Client, Publication};

use super::{blobs_of, default_platform, select, watch};
use crate::error::Error;
use crate::flags::CopyPlatforms;
use crate::progress::Progress;

/// Copies an image, mounting what the target's registry can take from itself and streaming the
/// rest. Returns what the target names now.
pub(crate) async fn relay(
    client: &Client,
    source: &Reference,
    target: &Reference,
    platforms: &CopyPlatforms,
    progress: &Progress,
) -> Result<Descriptor, Error> {
    let from = source.repository();
    let found = client.resolve(source).await?;
    let mut root = client.manifest(from, found.digest).await?;
    let mut children = Vec::new();
    if let Manifest::Index(index) = &root {
        match platforms {
            CopyPlatforms::All => {
                for entry in index.manifests() {
                    children.push(client.manifest(from, entry.digest).await?);
                }
            }
            CopyPlatforms::One(platform) => {
                let platform = platform.clone().unwrap_or_else(default_platform);
                let entry = select(index, &platform, &source.familiar())?;
                root = client.manifest(from, entry.digest).await?;
            }
        }
    }
    let mut blobs = BTreeMap::new();
    let mut described = vec![root.descriptor()];
    for manifest in std::iter::once(&root).chain(&children) {
        described.push(manifest.descriptor());
        let Manifest::Image(image) = manifest else { continue };
        for blob in blobs_of(image) {
            described.push(blob.clone());
            let body = BlobBody::Remote(from.clone());
            blobs.insert(blob.digest, BlobSource { body, mount_from: vec![from.clone()] });
        }
    }
    let copied = root.descriptor();
    let publication = Publication {
        repository: target.repository().clone(),
        tags: target.tag().cloned().into_iter().collect(),
        root,
        children,
        blobs,
    };
    let observer = watch::observer(progress, "copy", &described);
    client.observed(observer).publish(&publication).await?;
    Ok(copied)
}
