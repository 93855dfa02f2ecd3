//! Blobs from registries into the store, several at a time.

use std::io::Write;

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use oci::{Descriptor, RepositoryName};
use registry::Client;
use store::{Incoming, Store};
use tokio::sync::mpsc;

use super::{AT_ONCE, label, stays_elsewhere};
use crate::error::Error;
use crate::progress::{Outcome, Progress, Step};

/// How many chunks wait between the network and the disk.
const CHUNKS_AHEAD: usize = 8;

/// Brings those blobs of an image that the store lacks from where it knows them to be. When this
/// returns `Ok`, the store has the whole image.
pub(crate) async fn fetch(
    store: &Store,
    client: &Client,
    image: &Descriptor,
    progress: &Progress,
) -> Result<(), Error> {
    // A manifest that was missing leads to blobs that could not be seen before.
    loop {
        let mut wanted = Vec::new();
        for blob in store.missing(image)? {
            if stays_elsewhere(&blob) {
                continue;
            }
            let sources = store.remote_sources(&blob.digest)?;
            wanted.push((blob, sources));
        }
        if wanted.is_empty() {
            return Ok(());
        }
        for (blob, sources) in wanted.iter().filter(|(blob, _)| names_others(blob)) {
            for child in fetch_manifest(store, client, blob, sources).await? {
                for source in sources {
                    store.record_remote(&child.digest, source)?;
                }
            }
        }
        wanted.retain(|(blob, _)| !names_others(blob));
        download_all(store, client, wanted, progress).await?;
    }
}

fn names_others(blob: &Descriptor) -> bool {
    blob.media_type.is_manifest() || blob.media_type.is_index()
}

/// Brings a manifest, and returns what it names.
async fn fetch_manifest(
    store: &Store,
    client: &Client,
    wanted: &Descriptor,
    sources: &[RepositoryName],
) -> Result<Vec<Descriptor>, Error> {
    let mut failure = None;
    for source in sources {
        match client.manifest(source, wanted.digest).await {
            Ok(manifest) => {
                keep(store, wanted, manifest.bytes())?;
                return Ok(store.blobs_of(wanted)?);
            }
            Err(error) => failure = Some(error),
        }
    }
    Err(missing(wanted, failure))
}

/// Puts a document into the store under the digest that it was asked for by.
pub(super) fn keep(store: &Store, wanted: &Descriptor, bytes: &[u8]) -> Result<(), Error> {
    let mut incoming = store.incoming(wanted)?;
    incoming.write_all(bytes).map_err(Error::blob(wanted.digest))?;
    Ok(incoming.commit()?)
}

/// Downloads blobs, each from the first of its sources that has it, the largest first: what is
/// begun last should not be what everyone waits for.
pub(crate) async fn download_all(
    store: &Store,
    client: &Client,
    mut wanted: Vec<(Descriptor, Vec<RepositoryName>)>,
    progress: &Progress,
) -> Result<(), Error> {
    wanted.sort_by_key(|(blob, _)| (std::cmp::Reverse(blob.size), blob.digest));
    wanted.dedup_by_key(|(blob, _)| blob.digest);
    let downloads = wanted.iter().map(|(blob, sources)| async move {
        let mut failure = None;
        for source in sources {
            let mut fetched = download(store, client, blob, source, progress).await;
            // It was told, and the mirror is passed over from now on.
            while let Err(Error::Registry(registry::Error::DamagedMirror { .. })) = &fetched {
                fetched = download(store, client, blob, source, progress).await;
            }
            match fetched {
                // Another repository may have what this one lost.
                Err(Error::Registry(error @ registry::Error::BlobNotFound { .. })) => {
                    failure = Some(error);
                }
                other => return other,
            }
        }
        Err(missing(blob, failure))
    });
    stream::iter(downloads).buffer_unordered(AT_ONCE).try_collect::<()>().await
}

fn missing(blob: &Descriptor, failure: Option<registry::Error>) -> Error {
    match failure {
        Some(error) => error.into(),
        None => {
            let (digest, sources) = (blob.digest, Vec::new());
            store::StoreError::MissingBlob { digest, sources }.into()
        }
    }
}

/// Downloads a blob, on from where an earlier attempt broke off, be it another process's.
async fn download(
    store: &Store,
    client: &Client,
    blob: &Descriptor,
    source: &RepositoryName,
    progress: &Progress,
) -> Result<(), Error> {
    let step = progress.step(format!("pull {}", label(blob)), Some(blob.size));
    loop {
        let Some(incoming) = next_to_fetch(store, blob).await? else {
            step.finish(Outcome::Exists);
            return Ok(());
        };
        let known = incoming.written();
        match receive(client, blob, source, incoming, &step).await {
            Ok(()) => break,
            // What an earlier attempt had left may be to blame.
            Err(error) if known > 0 && is_mismatch(&error) => step.reach(0),
            Err(error) => return Err(error),
        }
    }
    step.finish(Outcome::Done);
    Ok(())
}

/// What there is of a blob, for whoever fetches the rest; `None` if it has come meanwhile.
async fn next_to_fetch(store: &Store, blob: &Descriptor) -> Result<Option<Incoming>, Error> {
    let turn = store.partial(blob);
    match tokio::task::spawn_blocking(|| turn.wait()).await {
        Ok(taken) => Ok(taken?),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn is_mismatch(error: &Error) -> bool {
    use registry::Error as Wire;
    let Error::Registry(error) = error else { return false };
    matches!(
        error,
        Wire::DigestMismatch { .. } | Wire::SizeMismatch { .. } | Wire::DamagedMirror { .. }
    )
}

async fn receive(
    client: &Client,
    blob: &Descriptor,
    source: &RepositoryName,
    incoming: Incoming,
    step: &Step,
) -> Result<(), Error> {
    let known = incoming.written();
    step.reach(known);
    let progress = registry::Progress::after(known, incoming.digester());
    let mut stream = client.open_blob(source, blob, Some(progress))?;
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    // Writing and hashing have a thread of their own, so that the network does not wait for them.
    let counted = step.clone();
    let writer = tokio::task::spawn_blocking(move || write(incoming, receiver, &counted));
    let received = async {
        while let Some(chunk) = stream.next().await? {
            // The writer hung up: it says why when it is joined.
            if sender.send(chunk).await.is_err() {
                break;
            }
        }
        Ok::<_, registry::Error>(())
    }
    .await;
    drop(sender);
    let incoming = match writer.await {
        Ok(Ok(incoming)) => incoming,
        // If the network failed, too, what the writer says is still the nearer cause.
        Ok(Err(source)) => return Err(Error::Blob { digest: blob.digest, source }),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    if let Err(error) = received {
        let error = Error::from(error);
        if is_mismatch(&error) {
            incoming.discard();
        }
        return Err(error);
    }
    let committed = tokio::task::spawn_blocking(|| incoming.commit()).await;
    match committed {
        Ok(committed) => Ok(committed?),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

/// Writes what comes, until nothing more does.
fn write(
    mut incoming: Incoming,
    mut chunks: mpsc::Receiver<Bytes>,
    step: &Step,
) -> std::io::Result<Incoming> {
    while let Some(chunk) = chunks.blocking_recv() {
        incoming.write_all(&chunk)?;
        step.add(chunk.len() as u64);
    }
    Ok(incoming)
}
