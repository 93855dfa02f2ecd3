//! An image from one registry to another, past the store.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use oci::{Descriptor, Digest, Manifest, Reference, RepositoryName};
use registry::{BlobBody, BlobSource, Client, Publication, TagOrDigest};

use super::{AT_ONCE, Chosen, blobs_of, choose, watch};
use crate::error::Error;
use crate::flags::{CopyPlatforms, Referrers};
use crate::progress::Progress;

/// How far referrers of referrers are followed: a signature of an SBOM of an image is the deepest
/// that is in use.
const MAX_DEPTH: usize = 4;

/// What is copied, and where to.
pub(crate) struct Relay<'a> {
    pub(crate) source: &'a Reference,
    pub(crate) target: &'a Reference,
    pub(crate) platforms: &'a CopyPlatforms,
    pub(crate) referrers: Referrers,
}

/// Copies an image, mounting what the target's registry can take from itself and streaming the
/// rest. Returns what the target names now.
pub(crate) async fn relay(
    client: &Client,
    relay: &Relay<'_>,
    progress: &Progress,
) -> Result<Descriptor, Error> {
    let from = relay.source.repository();
    if let Some(copied) = stands(client, relay).await? {
        return Ok(copied);
    }
    let (root, children) = image(client, relay).await?;
    let mut referrers = Vec::new();
    if relay.referrers == Referrers::Copied {
        let subjects = std::iter::once(&root).chain(&children).map(Manifest::digest).collect();
        referrers = referrers_of(client, from, subjects).await?;
    }
    let mut blobs = BTreeMap::new();
    let mut described = vec![root.descriptor()];
    for manifest in std::iter::once(&root).chain(&children).chain(&referrers) {
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
        repository: relay.target.repository().clone(),
        tags: relay.target.tag().cloned().into_iter().collect(),
        root,
        children,
        referrers,
        blobs,
    };
    let observer = watch::observer(progress, "copy", &described);
    client.observed(observer).publish(&publication).await?;
    Ok(copied)
}

/// What both ends name already, if they do and nothing else is to be copied: a mirror that is kept up
/// to date by copying costs no pulls, of which registries grant so many (HEAD is none).
async fn stands(client: &Client, relay: &Relay<'_>) -> Result<Option<Descriptor>, Error> {
    let whole = *relay.platforms == CopyPlatforms::All && relay.referrers == Referrers::Left;
    if !whole || relay.target.tag().is_none() {
        return Ok(None);
    }
    let (source, target) = tokio::join!(client.resolve(relay.source), client.peek(relay.target));
    let source = source?;
    Ok(target.is_some_and(|found| found.digest == source.digest).then_some(source))
}

/// What the source names, or what was chosen from it, and what that lists.
async fn image(client: &Client, relay: &Relay<'_>) -> Result<(Manifest, Vec<Manifest>), Error> {
    let from = relay.source.repository();
    let root = client.manifest(from, TagOrDigest::of(relay.source)).await?;
    let Manifest::Index(index) = &root else { return Ok((root, Vec::new())) };
    let (root, entries) = match choose(index, relay.platforms, &relay.source.familiar())? {
        Chosen::Whole => {
            let entries = index.manifests().to_vec();
            (root, entries)
        }
        Chosen::Image(entry) => (client.manifest(from, entry.digest).await?, Vec::new()),
        Chosen::Index(rest) => {
            let entries = rest.manifests().to_vec();
            (Manifest::Index(rest), entries)
        }
    };
    let digests = entries.into_iter().map(|entry| entry.digest);
    Ok((root, manifests(client, from, digests).await?))
}

/// Manifests, several at a time, in this order.
async fn manifests(
    client: &Client,
    from: &RepositoryName,
    digests: impl Iterator<Item = Digest>,
) -> Result<Vec<Manifest>, Error> {
    let wanted: Vec<_> = digests.map(|digest| client.manifest(from, digest)).collect();
    Ok(stream::iter(wanted).buffered(AT_ONCE).try_collect().await?)
}

/// Everything that says something about one of `subjects`, or about what does.
async fn referrers_of(
    client: &Client,
    from: &RepositoryName,
    mut subjects: Vec<Digest>,
) -> Result<Vec<Manifest>, Error> {
    let mut seen: BTreeSet<Digest> = subjects.iter().copied().collect();
    let mut found = Vec::new();
    for _ in 0..MAX_DEPTH {
        let lists: Vec<_> =
            subjects.iter().map(|subject| client.referrers(from, *subject)).collect();
        let lists: Vec<Vec<Descriptor>> =
            stream::iter(lists).buffered(AT_ONCE).try_collect().await?;
        let listed = lists.into_iter().flatten().map(|entry| entry.digest);
        subjects = listed.filter(|digest| seen.insert(*digest)).collect();
        found.extend(manifests(client, from, subjects.iter().copied()).await?);
    }
    Ok(found)
}
