//! Blobs on their way in: streamed, verified while they pass, gone on with where they broke off.

use std::io::Write;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use oci::{Descriptor, Digester, RepositoryName};
use reqwest::header::{CONTENT_RANGE, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};
use tokio::time::sleep;
use url::Url;

use crate::auth::ScopeSet;
use crate::call::{Admission, Call, Persistence};
use crate::client::{Client, Host};
use crate::error::RequestLine;
use crate::event::{Direction, MirrorProblem, Outcome, TransferEvent};
use crate::host::Role;
use crate::hosts::Serves;
use crate::retry::Backoff;
use crate::tour::{Tour, blame};
use crate::wire::Reply;
use crate::{AnswerProblem, Error, Result};

/// So much between two breaks counts as progress, after which tries are counted from zero.
const PROGRESS_BYTES: u64 = 1024 * 1024;

/// How far a blob has come: its first bytes, and the state of their hash.
#[derive(Clone)]
pub struct Progress {
    position: u64,
    /// `None` where someone else verifies the whole.
    digester: Option<Digester>,
}

impl Progress {
    /// The first `position` bytes are there, and `digester` has taken them in.
    pub fn after(position: u64, digester: Digester) -> Self {
        Progress { position, digester: Some(digester) }
    }

    /// How many bytes are there.
    pub fn position(&self) -> u64 {
        self.position
    }
}

/// A blob's bytes, in order. After an error [`BlobStream::into_progress`] says how far it came, for
/// another try later.
pub struct BlobStream {
    client: Client,
    /// `None` as long as nothing was asked.
    tour: Option<Tour>,
    /// Where the bytes come from; before that is known, where they would be if nothing were set.
    url: Url,
    repository: RepositoryName,
    descriptor: Descriptor,
    progress: Progress,
    /// Where this stream began. What was there before may be wrong, too, and is nobody's here.
    begun_at: u64,
    /// Mirrors that gave some of the bytes.
    givers: Vec<Arc<Host>>,
    reply: Option<Reply>,
    /// Bytes to come that are known already.
    known: u64,
    backoff: Backoff,
    broke_at: u64,
    admission: Admission,
    finished: bool,
}

impl Client {
    /// Fetches a blob into `sink`. When this returns `Ok`, `sink` got exactly the bytes that the
    /// descriptor names; on an error it may have got a part of them. After
    /// [`Error::DamagedMirror`] another try, with an empty sink, goes elsewhere.
    ///
    /// Writes happen on the calling task: a sink that blocks for long wants a thread of its own.
    pub async fn blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        sink: &mut (dyn Write + Send),
    ) -> Result<()> {
        let mut stream = self.open_blob(repository, descriptor, None)?;
        let digest = descriptor.digest;
        let size = descriptor.size;
        self.tell(TransferEvent::Started { digest, size, direction: Direction::Download });
        while let Some(chunk) = stream.next().await? {
            let request = || stream.request_line();
            sink.write_all(&chunk).map_err(|source| Error::Sink { request: request(), source })?;
            self.tell(TransferEvent::Moved { digest, position: stream.progress.position });
        }
        self.tell(TransferEvent::Finished { digest, outcome: Outcome::Downloaded });
        Ok(())
    }

    /// A blob as a stream of chunks, from the start or from where an earlier one broke off.
    /// Nothing is asked before the first [`BlobStream::next`].
    pub fn open_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        progress: Option<Progress>,
    ) -> Result<BlobStream> {
        let bad = |_| Error::BadHost { registry: repository.registry().to_owned() };
        let (registry, path) = (repository.registry(), repository.path());
        let url = format!("https://{registry}/v2/{path}/blobs/{}", descriptor.digest);
        let fresh = || Progress::after(0, Digester::new(descriptor.digest.algorithm()));
        Ok(BlobStream {
            client: self.clone(),
            tour: None,
            url: Url::parse(&url).map_err(bad)?,
            repository: repository.clone(),
            descriptor: descriptor.clone(),
            begun_at: progress.as_ref().map_or(0, |progress| progress.position),
            progress: progress.unwrap_or_else(fresh),
            givers: Vec::new(),
            reply: None,
            known: 0,
            backoff: Backoff::new(self.settings().retry),
            broke_at: 0,
            admission: Admission::Queued,
            finished: false,
        })
    }

    /// A blob from an offset on, passed on to an upload as it comes. From the start it is verified;
    /// from later on the registry that receives it is the one that verifies.
    pub(crate) fn feed(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        position: u64,
    ) -> Result<BlobStream> {
        let later = (position > 0).then_some(Progress { position, digester: None });
        let mut stream = self.open_blob(repository, descriptor, later)?;
        stream.admission = Admission::Feeding;
        Ok(stream)
    }
}

impl BlobStream {
    /// The next verified-so-far bytes; `None` once all have passed and the digest is right.
    ///
    /// The last chunk is given out only when the digest has been found right, so that a sink that
    /// saw the whole size saw the right bytes.
    pub async fn next(&mut self) -> Result<Option<Bytes>> {
        loop {
            if self.progress.position == self.descriptor.size {
                return self.end().await;
            }
            let received = match &mut self.reply {
                Some(reply) => reply.chunk().await,
                None => match self.connect().await {
                    Ok((reply, known)) => {
                        self.reply = Some(reply);
                        self.known = known;
                        continue;
                    }
                    Err(error) => Err(error),
                },
            };
            match received {
                Ok(Some(mut chunk)) => {
                    let known = self.known.min(chunk.len() as u64);
                    self.known -= known;
                    chunk.advance(known as usize);
                    if !chunk.is_empty() {
                        return self.take(chunk).map(Some);
                    }
                }
                Ok(None) => self.pause(self.truncated()).await?,
                Err(Error::Connection { .. } | Error::TimedOut { .. }) if self.reply.is_some() => {
                    self.pause(self.truncated()).await?;
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// How far the stream came.
    pub fn into_progress(self) -> Progress {
        self.progress
    }

    /// Takes the next bytes in, and checks the whole with the last of them.
    fn take(&mut self, chunk: Bytes) -> Result<Bytes> {
        let position = self.progress.position + chunk.len() as u64;
        self.note_giver();
        if position > self.descriptor.size {
            let error = self.wrong_size(position);
            return Err(self.blame_givers(error));
        }
        if let Some(digester) = &mut self.progress.digester {
            digester.update(&chunk);
        }
        self.progress.position = position;
        if position == self.descriptor.size {
            self.verify()?;
        }
        Ok(chunk)
    }

    fn verify(&mut self) -> Result<()> {
        self.finished = true;
        let Some(digester) = self.progress.digester.take() else { return Ok(()) };
        let found = digester.finish();
        if found == self.descriptor.digest {
            return Ok(());
        }
        let (wanted, found) = (Box::new(self.descriptor.digest), Box::new(found));
        let error = Error::DigestMismatch { request: self.request_line(), wanted, found };
        Err(self.blame_givers(error))
    }

    fn note_giver(&mut self) {
        let Some(tour) = &self.tour else { return };
        let known = self.givers.iter().any(|giver| Arc::ptr_eq(giver, tour.here()));
        if tour.here().role == Role::Mirror && !known {
            self.givers.push(tour.here().clone());
        }
    }

    /// Bytes that were given out already turned out to be wrong. If a mirror gave some of them,
    /// it is passed over from now on, and a new stream has a chance.
    fn blame_givers(&mut self, error: Error) -> Error {
        if self.begun_at > 0 {
            return error;
        }
        for giver in &self.givers {
            blame(&self.client, giver, &self.repository, MirrorProblem::Damaged, &error);
        }
        match self.givers.first() {
            Some(giver) => {
                let mirror = giver.name.clone();
                Error::DamagedMirror { mirror, error: Box::new(error) }
            }
            None => error,
        }
    }

    /// After the last byte: there must not be another, and a connection read to its end can be
    /// used again.
    async fn end(&mut self) -> Result<Option<Bytes>> {
        if !self.finished {
            // An empty blob has no last byte to be verified with.
            self.verify()?;
        }
        if let Some(mut reply) = self.reply.take()
            && let Ok(Some(more)) = reply.chunk().await
        {
            return Err(self.wrong_size(self.descriptor.size + more.len() as u64));
        }
        Ok(None)
    }

    /// Asks for the bytes that are still missing, where they can be had; with the answer, how many
    /// known ones it begins with.
    async fn connect(&mut self) -> Result<(Reply, u64)> {
        let mut tour = match self.tour.take() {
            Some(tour) => tour,
            None => {
                let tour = self.client.tour(&self.repository, Serves::Digests).await?;
                self.backoff = Backoff::new(tour.here().retry);
                tour
            }
        };
        let answer = loop {
            let host = tour.here().clone();
            self.url = host.url(&self.repository, &format!("blobs/{}", self.descriptor.digest))?;
            let failure = match self.ask(&host).await {
                Err(error) => error,
                answer => break answer,
            };
            match tour.move_on(failure) {
                Ok(()) => self.backoff = Backoff::new(tour.here().retry),
                Err(error) => break Err(error),
            }
        };
        self.tour = Some(tour);
        answer
    }

    async fn ask(&self, host: &Host) -> Result<(Reply, u64)> {
        let scopes = ScopeSet::pull(&self.repository);
        let mut call = Call::get(self.url.clone(), self.repository.path(), scopes);
        call.admission = self.admission;
        let from = self.progress.position;
        if from > 0 {
            let range = HeaderValue::from_str(&format!("bytes={from}-"));
            call = call.header(RANGE, range.unwrap_or(HeaderValue::from_static("bytes=0-")));
        }
        let reply = self.client.call(host, call, Persistence::Retry).await?;
        match reply.status() {
            StatusCode::OK => match reply.content_length() {
                Some(length) if length != self.descriptor.size => Err(self.wrong_size(length)),
                // A server that does not know ranges sends all from the start: what is known is
                // passed over.
                _ => Ok((reply, from)),
            },
            StatusCode::PARTIAL_CONTENT if range_start(&reply) == Some(from) => Ok((reply, 0)),
            StatusCode::PARTIAL_CONTENT => Err(reply.bad(AnswerProblem::WrongRange)),
            StatusCode::NOT_FOUND => Err(Error::BlobNotFound {
                repository: self.repository.clone(),
                digest: Box::new(self.descriptor.digest),
            }),
            status if status.is_success() => Err(reply.bad(AnswerProblem::Status(status))),
            _ => Err(reply.refusal().await),
        }
    }

    /// Waits before the next try, or gives up with `failure`.
    async fn pause(&mut self, failure: Error) -> Result<()> {
        self.reply = None;
        if self.progress.position >= self.broke_at + PROGRESS_BYTES {
            self.backoff.progressed();
        }
        self.broke_at = self.progress.position;
        let Some(wait) = self.backoff.next_wait(None) else { return self.move_on(failure) };
        let request = self.request_line();
        self.client.tell(TransferEvent::Retrying { request, cause: failure.to_string(), wait });
        sleep(wait).await;
        Ok(())
    }

    /// To the next place, where the bytes go on from where they stopped here.
    fn move_on(&mut self, failure: Error) -> Result<()> {
        let Some(tour) = &mut self.tour else { return Err(failure) };
        tour.move_on(failure)?;
        self.backoff = Backoff::new(tour.here().retry);
        Ok(())
    }

    fn request_line(&self) -> RequestLine {
        RequestLine::new(&Method::GET, &self.url)
    }

    fn truncated(&self) -> Error {
        Error::Truncated {
            request: self.request_line(),
            wanted: self.descriptor.size,
            received: self.progress.position,
        }
    }

    fn wrong_size(&self, found: u64) -> Error {
        let wanted = self.descriptor.size;
        Error::SizeMismatch { request: self.request_line(), wanted, found }
    }
}

/// The first position of `Content-Range: bytes FIRST-LAST/SIZE` (RFC 9110, 14.4).
fn range_start(reply: &Reply) -> Option<u64> {
    let range = reply.header(CONTENT_RANGE)?.strip_prefix("bytes ")?;
    range.split_once('-')?.0.parse().ok()
}
