//! Where an upload's bytes come from, and how they become a request's body: opened anew for each
//! try, any part of them, a few chunks in memory.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use futures_util::Stream;
use futures_util::stream;
use oci::{Descriptor, RepositoryName};
use tokio::sync::mpsc;

use crate::client::Client;
use crate::download::BlobStream;
use crate::event::TransferEvent;
use crate::{Error, Result};

/// How much of a file is read at a time: enough that the calls cost nothing, little enough that
/// the bytes are still in the processor's cache when the socket takes them.
const CHUNK_BYTES: u64 = 512 * 1024;
/// How many chunks are read ahead.
const CHUNKS_AHEAD: usize = 2;

/// Where a blob's bytes are.
#[derive(Debug, Clone)]
pub enum BlobBody {
    /// In memory: a config.
    Bytes(Bytes),
    /// In a file, whole and alone in it.
    File(PathBuf),
    /// In a repository of this or of another registry, from where they are streamed.
    Remote(RepositoryName),
}

/// A part of a blob's bytes on their way out.
#[derive(Clone)]
pub(crate) struct Upload(Arc<State>);

struct State {
    client: Client,
    body: BlobBody,
    descriptor: Descriptor,
    part: Range<u64>,
    sent: AtomicU64,
    failure: Mutex<Option<Error>>,
}

impl Upload {
    /// The bytes at `part` of a blob, which are within its size.
    pub(crate) fn new(
        client: &Client,
        body: &BlobBody,
        blob: &Descriptor,
        part: Range<u64>,
    ) -> Self {
        Upload(Arc::new(State {
            client: client.clone(),
            body: body.clone(),
            descriptor: blob.clone(),
            part,
            sent: AtomicU64::new(0),
            failure: Mutex::default(),
        }))
    }

    /// How many bytes the request has.
    pub(crate) fn length(&self) -> u64 {
        self.0.part.end - self.0.part.start
    }

    /// Whether the blob ends where the request does.
    fn is_last(&self) -> bool {
        self.0.part.end == self.0.descriptor.size
    }

    /// How many of them have been handed to the connection.
    pub(crate) fn sent(&self) -> u64 {
        self.0.sent.load(Ordering::Relaxed)
    }

    /// Why the source failed, if it did: a connection tells only that the body broke off.
    pub(crate) fn failure(&self) -> Option<Error> {
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// The body, from the start of this request's part.
    pub(crate) fn open(&self) -> reqwest::Body {
        self.0.sent.store(0, Ordering::Relaxed);
        let start = self.0.part.start;
        match &self.0.body {
            BlobBody::Bytes(bytes) => {
                let from = usize::try_from(start).unwrap_or(usize::MAX).min(bytes.len());
                let part = bytes.slice(from..);
                self.counted(stream::iter([Ok(part)]))
            }
            BlobBody::File(path) => self.counted(file(path.clone(), start)),
            BlobBody::Remote(repository) => {
                match self.0.client.feed(repository, &self.0.descriptor, start) {
                    Ok(source) => self.counted(remote(source)),
                    Err(error) => self.counted(stream::iter([Err(error)])),
                }
            }
        }
    }

    /// Counts what passes, and makes sure that it is as much as was promised: less would leave the
    /// registry waiting, and more would be cut off in silence.
    fn counted(&self, source: impl Stream<Item = Result<Bytes>> + Send + 'static) -> reqwest::Body {
        let upload = self.clone();
        let source = Box::pin(source);
        reqwest::Body::wrap_stream(stream::try_unfold(source, move |mut source| {
            let upload = upload.clone();
            async move {
                use futures_util::StreamExt;
                if upload.sent() == upload.length() && !upload.is_last() {
                    return Ok(None);
                }
                let next = source.next().await;
                let checked = upload.take(next).map_err(|error| upload.fail(error))?;
                Ok::<_, BrokenBody>(checked.map(|chunk| (chunk, source)))
            }
        }))
    }

    fn take(&self, next: Option<Result<Bytes>>) -> Result<Option<Bytes>> {
        let wrong_size = |found| Error::BodySize {
            digest: Box::new(self.0.descriptor.digest),
            wanted: self.0.descriptor.size,
            found,
        };
        let start = self.0.part.start;
        let Some(mut chunk) = next.transpose()? else {
            let sent = self.sent();
            return if sent == self.length() { Ok(None) } else { Err(wrong_size(start + sent)) };
        };
        let wanted = self.length() - self.sent();
        if chunk.len() as u64 > wanted {
            if self.is_last() {
                return Err(wrong_size(start + self.sent() + chunk.len() as u64));
            }
            chunk.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        }
        let sent = self.sent() + chunk.len() as u64;
        self.0.sent.store(sent, Ordering::Relaxed);
        let position = start + sent;
        self.0.client.tell(TransferEvent::Moved { digest: self.0.descriptor.digest, position });
        Ok(Some(chunk))
    }

    fn fail(&self, error: Error) -> BrokenBody {
        *self.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
        BrokenBody
    }
}

/// Stands in for the failure that lies in the upload's state.
#[derive(Debug, thiserror::Error)]
#[error("the upload's source failed")]
struct BrokenBody;

/// A file's chunks, read ahead on a thread for blocking work.
fn file(path: PathBuf, offset: u64) -> impl Stream<Item = Result<Bytes>> {
    let (sender, receiver) = mpsc::channel(CHUNKS_AHEAD);
    tokio::task::spawn_blocking(move || {
        if let Err(source) = read_chunks(&path, offset, &sender) {
            // If nobody listens any more, nobody wants to know.
            let _ = sender.blocking_send(Err(Error::Body { path, source }));
        }
    });
    stream::unfold(receiver, |mut receiver| async {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    })
}

fn read_chunks(
    path: &Path,
    offset: u64,
    sender: &mpsc::Sender<Result<Bytes>>,
) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    loop {
        let mut chunk = Vec::with_capacity(CHUNK_BYTES as usize);
        file.by_ref().take(CHUNK_BYTES).read_to_end(&mut chunk)?;
        if chunk.is_empty() || sender.blocking_send(Ok(Bytes::from(chunk))).is_err() {
            return Ok(());
        }
    }
}

fn remote(source: BlobStream) -> impl Stream<Item = Result<Bytes>> {
    stream::try_unfold(source, |mut source| async {
        Ok(source.next().await?.map(|chunk| (chunk, source)))
    })
}
