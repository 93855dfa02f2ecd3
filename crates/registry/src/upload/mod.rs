//! Blobs on their way out: found, mounted, or uploaded (distribution-spec 1.1, "Pushing blobs").

pub(crate) mod body;
pub(crate) mod manner;
mod sending;
mod session;

use std::sync::Arc;

use oci::{Descriptor, RepositoryName};
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use reqwest::{Method, StatusCode};

use crate::auth::ScopeSet;
use crate::call::{Call, Persistence};
use crate::client::{Client, Host};
use crate::event::{Direction, Outcome, TransferEvent};
use crate::retry::is_passing;
use crate::wire::{Payload, Reply};
use crate::{Error, Result};
pub use body::BlobBody;
use body::Upload;
use sending::Sending;
use session::{OCTETS, Session};

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

    /// How many bytes a repository's blob has, by its word; nothing if it has no such blob. Where it
    /// does not say how many, they are as many as they should be.
    pub async fn blob_size(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
    ) -> Result<Option<u64>> {
        let reply = self.ask_for_blob(repository, descriptor, ScopeSet::pull(repository)).await?;
        let stated =
            |reply: &Reply| reply.headers().get(CONTENT_LENGTH)?.to_str().ok()?.parse::<u64>().ok();
        Ok(reply.map(|reply| stated(&reply).unwrap_or(descriptor.size)))
    }

    pub(crate) async fn head_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        scopes: ScopeSet,
    ) -> Result<bool> {
        Ok(self.ask_for_blob(repository, descriptor, scopes).await?.is_some())
    }

    async fn ask_for_blob(
        &self,
        repository: &RepositoryName,
        descriptor: &Descriptor,
        scopes: ScopeSet,
    ) -> Result<Option<Reply>> {
        let host = self.host(repository).await?;
        let url = host.url(repository, &format!("blobs/{}", descriptor.digest))?;
        let call = Call::new(Method::HEAD, url, repository.path(), scopes);
        let reply = self.call(&host, call, Persistence::Retry).await?;
        match reply.status() {
            StatusCode::NOT_FOUND => Ok(None),
            // Not every registry has HEAD for blobs; then the upload will show.
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => Ok(None),
            _ => reply.success().await.map(Some),
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
        let host = self.client.host(self.repository).await?;
        let mut opened = None;
        if existing == Existing::Believed {
            // Where the source is here and known to have the blob, a mount settles it, whether the
            // target has it or not; else it is asked first.
            let asked_last = matches!(self.body, BlobBody::Remote(_));
            if !asked_last && self.is_there().await? {
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
            if asked_last && self.is_there().await? {
                return Ok(BlobOutcome::Existed);
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
            .append_pair("from", &host.path(from.path()));
        let scopes = ScopeSet::push(self.repository).and(&ScopeSet::pull(from));
        let call = Call::new(Method::POST, url, self.repository.path(), scopes);
        match self.post(host, call, Persistence::Retry).await {
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
        match self.post(host, call, Persistence::Retry).await? {
            Posted::Session(session) => Ok(session),
            Posted::Other(reply) => Err(unexpected(reply).await),
        }
    }

    async fn post(&self, host: &Arc<Host>, call: Call, persistence: Persistence) -> Result<Posted> {
        let (client, host) = (self.client.clone(), host.clone());
        let (repository, line) = (self.repository.clone(), call.request_line());
        let posted = self.client.see_through(async move {
            let reply = client.call(&host, call, persistence).await?;
            if reply.status() != StatusCode::ACCEPTED {
                return Ok(Posted::Other(reply));
            }
            Session::new(&client, &host, &repository, &reply).map(Posted::Session)
        });
        let ended = || Error::Connection { request: line, cause: "the program is ending".into() };
        posted.await.unwrap_or_else(|| Err(ended()))
    }

    /// Uploads the blob; the number of bytes that it took.
    async fn send(
        &self,
        host: &Arc<Host>,
        opened: Option<Session>,
        existing: Existing,
    ) -> Result<u64> {
        let (digest, size) = (self.descriptor.digest, self.descriptor.size);
        self.client.tell(TransferEvent::Started { digest, size, direction: Direction::Upload });
        let (session, bytes) = match opened {
            Some(session) => (session, 0),
            // What a registry has lost once goes the way that none loses.
            None if existing == Existing::Believed && self.may_post(host) => {
                match self.post_whole(host).await? {
                    (None, bytes) => return Ok(bytes),
                    (Some(session), bytes) => (session, bytes),
                }
            }
            None => (self.open_session(host).await?, 0),
        };
        Ok(bytes + Sending::new(self, host, session, existing).run().await?)
    }

    fn may_post(&self, host: &Host) -> bool {
        let size = self.descriptor.size;
        match self.body {
            BlobBody::Bytes(_) | BlobBody::File(_) => host.manner.may_post(size),
            // Nothing is fetched in order to be sent in vain.
            BlobBody::Remote(_) => host.manner.takes_posts() && host.manner.may_post(size),
        }
    }

    /// distribution-spec 1.1, "Single POST": the blob comes along. Where the registry does not
    /// take it so, what is returned is a session, and how many bytes have been sent in vain.
    async fn post_whole(&self, host: &Arc<Host>) -> Result<(Option<Session>, u64)> {
        let mut url = host.url(self.repository, "blobs/uploads/")?;
        url.query_pairs_mut().append_pair("digest", &self.descriptor.digest.to_string());
        let scopes = ScopeSet::push(self.repository);
        let upload = Upload::new(self.client, self.body, self.descriptor, 0..self.descriptor.size);
        let call = Call::new(Method::POST, url, self.repository.path(), scopes)
            .header(CONTENT_TYPE, OCTETS)
            .payload(Payload::Upload(upload.clone()));
        let posted = self.post(host, call, Persistence::Once).await;
        let bytes = upload.sent();
        match posted {
            Ok(Posted::Other(reply)) if reply.status() == StatusCode::CREATED => {
                self.check(&reply)?;
                host.manner.posted(manner::Posted::Taken);
                return Ok((None, bytes));
            }
            Ok(Posted::Session(session)) => {
                host.manner.posted(manner::Posted::NotTaken);
                return Ok((Some(session), bytes));
            }
            // It may be the body that it does not like; what else it is, the usual way will show.
            Ok(Posted::Other(reply)) if !is_passing(reply.status()) => {
                host.manner.posted(manner::Posted::NotTaken);
            }
            Err(Error::Connection { .. } | Error::TimedOut { .. })
                if !host.manner.takes_posts() =>
            {
                host.manner.posted(manner::Posted::NotTaken);
            }
            Ok(Posted::Other(_))
            | Err(
                Error::Connection { .. } | Error::TimedOut { .. } | Error::DamagedMirror { .. },
            ) => {}
            Err(error) => return Err(error),
        }
        Ok((Some(self.open_session(host).await?), bytes))
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

async fn unexpected(reply: Reply) -> Error {
    let status = reply.status();
    if status.is_success() {
        return reply.bad(crate::AnswerProblem::Status(status));
    }
    reply.refusal().await
}
