//! Blobs on their way out: found, mounted, or uploaded in one piece, gone on with where they broke
//! off (distribution-spec 1.1, "Pushing blobs").

pub(crate) mod body;
mod session;

use std::sync::Arc;

use oci::{Descriptor, RepositoryName};
use reqwest::{Method, StatusCode};

use crate::auth::ScopeSet;
use crate::call::{Call, Persistence};
use crate::client::{Client, Host};
use crate::event::{Direction, Outcome, TransferEvent};
use crate::retry::{Backoff, is_passing};
use crate::wire::Reply;
use crate::{Error, Result};
pub use body::BlobBody;
use session::{Resumption, Session};

/// How a blob came to be in the repository.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BlobOutcome {
    /// It was there: one HEAD.
    Existed,
    /// The registry took it from this repository of its own.
    Mounted {
        /// That repository.
        from: RepositoryName,
    },
    /// It was sent.
    Uploaded {
        /// Bytes that went over the wire, those sent twice counted twice.
        bytes: u64,
    },
}

/// Whether the registry's word that a blob is there is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Existing {
    /// It is asked for, and believed.
    Believed,
    /// The registry has just said the contrary to a manifest: the blob is sent in any case.
    Ignored,
}

impl Client {
    /// Brings a blob into a repository with as few bytes as will do: if it is there, none; if the
    /// registry can mount it from one of `mount_from` (those at other registries are passed over),
    /// none; else it is uploaded from `body`. When this returns `Ok`, the repository has the blob.
    pub async fn push_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        body: &BlobBody,
        mount_from: &[RepositoryName],
    ) -> Result<BlobOutcome> {
        let delivery = Delivery { client: self, repository, descriptor, body, mount_from };
        delivery.bring(Existing::Believed).await
    }

    /// Whether a repository has a blob.
    pub async fn has_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
    ) -> Result<bool> {
        self.head_blob(repository, descriptor, ScopeSet::pull(repository)).await
    }

    pub(crate) async fn head_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        scopes: ScopeSet,
    ) -> Result<bool> {
        let host = self.host(repository.registry())?;
        let url = host.url(repository, &format!("blobs/{}", descriptor.digest))?;
        let call = Call::new(Method::HEAD, url, repository.path(), scopes);
        let reply = self.call(&host, call, Persistence::Retry).await?;
        match reply.status() {
            StatusCode::NOT_FOUND => Ok(false),
            // Not every registry has HEAD for blobs; then the upload will show.
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Ok(false),
            _ => reply.success().await.map(|_| true),
        }
    }
}

/// One blob for one repository.
pub(crate) struct Delivery<'a> {
    pub(crate) client: &'a Client,
    pub(crate) repository: &'a RepositoryName,
    pub(crate) descriptor: &'a Descriptor,
    pub(crate) body: &'a BlobBody,
    pub(crate) mount_from: &'a [RepositoryName],
}

/// What a POST came to.
enum Posted {
    Session(Session),
    Other(Reply),
}

/// What a request for a mount came to.
enum MountAnswer {
    Done,
    Session(Session),
    No,
}

impl Delivery<'_> {
    pub(crate) async fn bring(&self, existing: Existing) -> Result<BlobOutcome> {
        let digest = self.descriptor.digest;
        let outcome = self.find_or_send(existing).await?;
        let told = match &outcome {
            BlobOutcome::Existed => Outcome::Existed,
            BlobOutcome::Mounted { from } => Outcome::Mounted { from: from.clone() },
            BlobOutcome::Uploaded { bytes } => Outcome::Uploaded { bytes: *bytes },
        };
        self.client.tell(TransferEvent::Finished { digest, outcome: told });
        Ok(outcome)
    }

    async fn find_or_send(&self, existing: Existing) -> Result<BlobOutcome> {
        let host = self.client.host(self.repository.registry())?;
        let mut opened = None;
        if existing == Existing::Believed {
            if self.is_there().await? {
                return Ok(BlobOutcome::Existed);
            }
            for from in self.candidates() {
                match self.mount(&host, from).await? {
                    MountAnswer::Done => return Ok(BlobOutcome::Mounted { from: from.clone() }),
                    // Dropping the session of an earlier candidate deletes it.
                    MountAnswer::Session(session) => opened = Some(session),
                    MountAnswer::No => {}
                }
            }
        }
        let bytes = self.send(&host, opened, existing).await?;
        Ok(BlobOutcome::Uploaded { bytes })
    }

    async fn is_there(&self) -> Result<bool> {
        let scopes = ScopeSet::push(self.repository);
        self.client.head_blob(self.repository, self.descriptor, scopes).await
    }

    /// The other repositories of the same registry that may have the blob.
    fn candidates(&self) -> impl Iterator<Item = &RepositoryName> {
        let source = match self.body {
            BlobBody::Remote(repository) => Some(repository),
            BlobBody::Bytes(_) | BlobBody::File(_) => None,
        };
        let mount_from = self.mount_from;
        let fresh = source.filter(|source| !mount_from.contains(source));
        let here = self.repository;
        let all = mount_from.iter().chain(fresh);
        all.filter(move |from| from.registry() == here.registry() && *from != here)
    }

    /// distribution-spec 1.1, "Mounting a blob from another repository": 201 is done, 202 is an
    /// upload session like any other.
    async fn mount(&self, host: &Arc<Host>, from: &RepositoryName) -> Result<MountAnswer> {
        let mut url = host.url(self.repository, "blobs/uploads/")?;
        url.query_pairs_mut()
            .append_pair("mount", &self.descriptor.digest.to_string())
            .append_pair("from", from.path());
        let scopes = ScopeSet::push(self.repository).and(&ScopeSet::pull(from));
        let call = Call::new(Method::POST, url, self.repository.path(), scopes);
        match self.post(host, call).await {
            Ok(Posted::Session(session)) => Ok(MountAnswer::Session(session)),
            Ok(Posted::Other(reply)) => match reply.status() {
                StatusCode::CREATED => Ok(MountAnswer::Done),
                // A registry that does not mount may refuse it in any way.
                _ => Ok(MountAnswer::No),
            },
            // No token for both repositories: the upload wants one for the target only.
            Err(Error::Unauthorized { .. } | Error::Denied { .. }) => Ok(MountAnswer::No),
            Err(error) => Err(error),
        }
    }

    async fn open_session(&self, host: &Arc<Host>) -> Result<Session> {
        let url = host.url(self.repository, "blobs/uploads/")?;
        let scopes = ScopeSet::push(self.repository);
        let call = Call::new(Method::POST, url, self.repository.path(), scopes);
        match self.post(host, call).await? {
            Posted::Session(session) => Ok(session),
            Posted::Other(reply) => Err(unexpected(reply).await),
        }
    }

    async fn post(&self, host: &Arc<Host>, call: Call) -> Result<Posted> {
        let (client, host) = (self.client.clone(), host.clone());
        let (repository, line) = (self.repository.clone(), call.request_line());
        let posted = self.client.see_through(async move {
            let reply = client.call(&host, call, Persistence::Retry).await?;
            if reply.status() != StatusCode::ACCEPTED {
                return Ok(Posted::Other(reply));
            }
            Session::new(&client, &host, &repository, &reply).map(Posted::Session)
        });
        let ended = || Error::Connection { request: line, cause: "the program is ending".into() };
        posted.await.unwrap_or_else(|| Err(ended()))
    }

    /// Uploads until the registry has it all; the number of bytes that it took.
    async fn send(
        &self,
        host: &Arc<Host>,
        opened: Option<Session>,
        existing: Existing,
    ) -> Result<u64> {
        let (digest, size) = (self.descriptor.digest, self.descriptor.size);
        self.client.tell(TransferEvent::Started { digest, size, direction: Direction::Upload });
        let mut backoff = Backoff::new(self.client.settings().retry);
        let mut session = match opened {
            Some(session) => session,
            None => self.open_session(host).await?,
        };
        let mut offset = 0;
        let mut bytes = 0;
        loop {
            let sent = session.send(host, self.descriptor, self.body, offset).await;
            bytes += sent.bytes;
            let (failure, pause) = match sent.answer {
                Ok(reply) if reply.status() == StatusCode::CREATED => {
                    session.close();
                    return self.check(&reply).map(|()| bytes);
                }
                Ok(reply) if may_pass(&reply) => {
                    let pause = crate::retry::retry_after(reply.headers());
                    (reply.refusal().await, pause)
                }
                Ok(reply) => return Err(unexpected(reply).await),
                Err(error @ (Error::Connection { .. } | Error::TimedOut { .. })) => (error, None),
                Err(error) => return Err(error),
            };
            let Some(wait) = backoff.next_wait(pause) else { return Err(failure) };
            let (request, cause) = (session.request_line(), failure.to_string());
            self.client.tell(TransferEvent::Retrying { request, cause, wait });
            tokio::time::sleep(wait).await;
            match session.resumption(host).await {
                Resumption::At(position) if position <= size => {
                    if position > offset {
                        backoff.progressed();
                    }
                    offset = position;
                }
                Resumption::At(_) | Resumption::Lost => {
                    // Only the answer may have been lost.
                    if existing == Existing::Believed && self.is_there().await? {
                        session.close();
                        return Ok(bytes);
                    }
                    session = self.open_session(host).await?;
                    offset = 0;
                }
            }
            self.client.tell(TransferEvent::Moved { digest, position: offset });
        }
    }

    /// The registry says what it took.
    fn check(&self, reply: &Reply) -> Result<()> {
        match crate::manifest::stated_digest(reply) {
            Some(found) if found != self.descriptor.digest => Err(Error::DigestMismatch {
                request: reply.request.clone(),
                wanted: Box::new(self.descriptor.digest),
                found: Box::new(found),
            }),
            _ => Ok(()),
        }
    }
}

/// Besides what passes anywhere: 404 is a session that the registry has lost, and 416 one that it
/// sees at another place.
fn may_pass(reply: &Reply) -> bool {
    let lost = [StatusCode::NOT_FOUND, StatusCode::RANGE_NOT_SATISFIABLE];
    is_passing(reply.status()) || lost.contains(&reply.status())
}

async fn unexpected(reply: Reply) -> Error {
    let status = reply.status();
    if status.is_success() {
        return reply.bad(crate::AnswerProblem::Status(status));
    }
    reply.refusal().await
}
