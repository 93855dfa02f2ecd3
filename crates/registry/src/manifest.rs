//! Manifests: found, fetched, pushed, deleted, listed (distribution-spec 1.1).

use bytes::Bytes;
use oci::{
    Descriptor, Digest, ImageIndex, MAX_MANIFEST_BYTES, Manifest, MediaType, Reference,
    RepositoryName, Tag,
};
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue, LINK};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use url::Url;

use crate::auth::ScopeSet;
use crate::call::{Call, Persistence};
use crate::client::{Client, Host};
use crate::host::Role;
use crate::hosts::Serves;
use crate::referrers::referrers_tag;
use crate::wire::{Payload, Reply};
use crate::{AnswerProblem, Error, Result};

/// What the registry says the digest is (distribution-spec 1.1, "Pulling manifests").
pub(crate) const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// By this header a registry says that it lists a manifest among its subject's referrers
/// (distribution-spec 1.1, "Pushing Manifests with Subject").
const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");

/// All that this program reads. Registries convert what is not asked for, or say that it is not
/// there.
const ACCEPTED: HeaderValue = HeaderValue::from_static(
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, \
     application/vnd.docker.distribution.manifest.list.v2+json, \
     application/vnd.docker.distribution.manifest.v2+json",
);

/// The most pages of a list that are read, so that a list that runs in a circle has an end.
const MAX_PAGES: usize = 10_000;

/// By what a manifest is called for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TagOrDigest {
    /// By a name that may move.
    Tag(Tag),
    /// By what it is.
    Digest(Digest),
}

impl TagOrDigest {
    /// What a reference calls for: its digest, its tag, or `latest`.
    pub fn of(reference: &Reference) -> Self {
        if let Some(digest) = reference.digest() {
            return TagOrDigest::Digest(digest);
        }
        let reference = reference.clone().or_latest();
        match reference.tag() {
            Some(tag) => TagOrDigest::Tag(tag.clone()),
            None => unreachable!("a reference without a digest has a tag now"),
        }
    }

    fn serves(&self) -> Serves {
        match self {
            TagOrDigest::Tag(_) => Serves::Tags,
            TagOrDigest::Digest(_) => Serves::Digests,
        }
    }

    fn of_repository(&self, repository: &RepositoryName) -> String {
        match self {
            TagOrDigest::Tag(tag) => format!("{repository}:{tag}"),
            TagOrDigest::Digest(digest) => format!("{repository}@{digest}"),
        }
    }
}

impl From<Tag> for TagOrDigest {
    fn from(tag: Tag) -> Self {
        TagOrDigest::Tag(tag)
    }
}

impl From<Digest> for TagOrDigest {
    fn from(digest: Digest) -> Self {
        TagOrDigest::Digest(digest)
    }
}

impl std::fmt::Display for TagOrDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            TagOrDigest::Tag(tag) => tag.fmt(f),
            TagOrDigest::Digest(digest) => digest.fmt(f),
        }
    }
}

impl Client {
    /// What a reference names now: type, digest and size, without fetching it where HEAD suffices
    /// (which some registries do not count as a pull).
    pub async fn resolve(&self, reference: &Reference) -> Result<Descriptor> {
        let wanted = TagOrDigest::of(reference);
        let repository = reference.repository();
        let mut tour = self.tour(repository, wanted.serves()).await?;
        loop {
            match self.resolve_at(tour.here(), repository, &wanted).await {
                Err(error) => tour.move_on(error)?,
                found => return found,
            }
        }
    }

    async fn resolve_at(
        &self,
        host: &Host,
        repository: &RepositoryName,
        wanted: &TagOrDigest,
    ) -> Result<Descriptor> {
        match self.head_manifest_at(host, repository, wanted, Access::Pull).await? {
            Some(descriptor) => Ok(descriptor),
            None => Ok(self.manifest_at(host, repository, wanted).await?.descriptor()),
        }
    }

    /// What a reference names at a place that is to be written to, if a HEAD tells it.
    pub async fn peek(&self, reference: &Reference) -> Option<Descriptor> {
        let wanted = TagOrDigest::of(reference);
        self.head_manifest(reference.repository(), &wanted, Access::Push).await.ok().flatten()
    }

    /// A manifest or an index, at most 4 MiB, its digest verified: the one asked for, or else the
    /// one that the registry states.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        wanted: impl Into<TagOrDigest>,
    ) -> Result<Manifest> {
        let wanted = wanted.into();
        let mut tour = self.tour(repository, wanted.serves()).await?;
        loop {
            match self.manifest_at(tour.here(), repository, &wanted).await {
                Err(error) => tour.move_on(error)?,
                found => return found,
            }
        }
    }

    /// The same from the registry itself: what is about to be changed is not read from a mirror.
    pub(crate) async fn own_manifest(
        &self,
        repository: &RepositoryName,
        wanted: impl Into<TagOrDigest>,
    ) -> Result<Manifest> {
        let host = self.host(repository).await?;
        self.manifest_at(&host, repository, &wanted.into()).await
    }

    async fn manifest_at(
        &self,
        host: &Host,
        repository: &RepositoryName,
        wanted: &TagOrDigest,
    ) -> Result<Manifest> {
        let call = manifest_call(host, Method::GET, repository, wanted, Access::Pull)?;
        let mut reply = self.call(host, call, Persistence::Retry).await?;
        if reply.status() == StatusCode::NOT_FOUND {
            return Err(not_found(repository, wanted, reply).await);
        }
        reply = reply.success().await?;
        let Some(bytes) = reply.body(MAX_MANIFEST_BYTES).await? else {
            return Err(Error::ManifestTooLarge {
                request: reply.request.clone(),
                limit: MAX_MANIFEST_BYTES,
            });
        };
        let expected = match wanted {
            TagOrDigest::Digest(digest) => Some(*digest),
            TagOrDigest::Tag(_) => stated_digest(&reply),
        };
        if let Some(wanted) = expected {
            verify(&reply, &bytes, wanted)?;
        }
        let stated = content_type(&reply);
        Manifest::parse(bytes, stated.as_ref())
            .map_err(|source| Error::Manifest { request: reply.request.clone(), source })
    }

    /// Puts a manifest's exact bytes under a tag or under its digest. The registry must have all
    /// that it refers to, but for its subject. Where the registry does not list referrers itself, a
    /// manifest with a subject is entered in the list that stands in for that.
    pub async fn push_manifest(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
        under: impl Into<TagOrDigest>,
    ) -> Result<()> {
        let listing = self.put_manifest(repository, manifest, under.into()).await?;
        match manifest.subject() {
            Some(subject) if listing == Listing::ByClients => {
                self.list_referrer(repository, subject.digest, manifest).await
            }
            _ => Ok(()),
        }
    }

    pub(crate) async fn put_manifest(
        &self,
        repository: &RepositoryName,
        manifest: &Manifest,
        under: TagOrDigest,
    ) -> Result<Listing> {
        let host = self.host(repository).await?;
        let call = manifest_call(&host, Method::PUT, repository, &under, Access::Push)?;
        let media_type = HeaderValue::from_str(manifest.media_type().as_str());
        let media_type = media_type.unwrap_or(HeaderValue::from_static("application/json"));
        let call = call
            .header(CONTENT_TYPE, media_type)
            .payload(Payload::Bytes(Bytes::copy_from_slice(manifest.bytes())));
        let reply = self.call(&host, call, Persistence::Retry).await?;
        let status = reply.status();
        if !status.is_success() {
            let refusal = blob_unknown(reply.refusal().await);
            // A tag that must not move is where it should be already: that is what was wanted.
            let may_be_there = status.is_client_error()
                && matches!(under, TagOrDigest::Tag(_))
                && !matches!(
                    refusal,
                    Error::ManifestBlobUnknown { .. } | Error::Unauthorized { .. }
                );
            if may_be_there && self.names(repository, &under, manifest.digest()).await {
                return Ok(Listing::ByRegistry);
            }
            return Err(refusal);
        }
        match stated_digest(&reply) {
            Some(found) if found != manifest.digest() => Err(Error::DigestMismatch {
                request: reply.request.clone(),
                wanted: Box::new(manifest.digest()),
                found: Box::new(found),
            }),
            _ if reply.header(SUBJECT).is_some() => Ok(Listing::ByRegistry),
            _ => Ok(Listing::ByClients),
        }
    }

    /// Deletes a manifest by digest, or a tag where the registry lets tags be deleted.
    pub async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        which: impl Into<TagOrDigest>,
    ) -> Result<()> {
        let which = which.into();
        let host = self.host(repository).await?;
        let call = manifest_call(&host, Method::DELETE, repository, &which, Access::Delete)?;
        let reply = self.call(&host, call, Persistence::Retry).await?;
        if reply.status() == StatusCode::NOT_FOUND {
            return Err(not_found(repository, &which, reply).await);
        }
        reply.success().await.map(drop)
    }

    /// All tags of a repository, in the registry's order.
    pub async fn tags(&self, repository: &RepositoryName) -> Result<Vec<String>> {
        let mut tour = self.tour(repository, Serves::Tags).await?;
        loop {
            match self.tags_at(tour.here(), repository).await {
                Err(error) => tour.move_on(error)?,
                found => return found,
            }
        }
    }

    async fn tags_at(&self, host: &Host, repository: &RepositoryName) -> Result<Vec<String>> {
        #[derive(Deserialize)]
        struct Page {
            // Go registries write `null` for an empty list.
            tags: Option<Vec<String>>,
        }
        let mut next = Some(host.url(repository, "tags/list")?);
        let mut tags = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(url) = next else { break };
            let call = Call::get(url.clone(), repository.path(), ScopeSet::pull(repository));
            let reply = self.call(host, call, Persistence::Retry).await?;
            if reply.status() == StatusCode::NOT_FOUND {
                let answers = refusal_answers(reply).await;
                return Err(Error::RepositoryNotFound { repository: repository.clone(), answers });
            }
            let mut reply = reply.success().await?;
            next = next_page(&reply, &url);
            let page: Page = json(&mut reply).await?;
            tags.extend(page.tags.unwrap_or_default());
        }
        Ok(tags)
    }

    /// What refers to a manifest: signatures, SBOMs. From the referrers API, or from the tag that
    /// stands in where a registry lacks it (distribution-spec 1.1, "Referrers tag schema").
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: Digest,
    ) -> Result<Vec<Descriptor>> {
        let mut tour = self.tour(repository, Serves::Digests).await?;
        loop {
            match self.referrers_at(tour.here(), repository, subject).await {
                Ok(found) => return Ok(found),
                Err(Error::Refused { status: StatusCode::NOT_FOUND, .. })
                    if tour.here().role == Role::Origin =>
                {
                    return self.referrers_by_tag(repository, subject).await;
                }
                Err(error) => tour.move_on(error)?,
            }
        }
    }

    /// From the referrers API of one place; 404 where it has none.
    async fn referrers_at(
        &self,
        host: &Host,
        repository: &RepositoryName,
        subject: Digest,
    ) -> Result<Vec<Descriptor>> {
        let mut next = Some(host.url(repository, &format!("referrers/{subject}"))?);
        let mut found = Vec::new();
        for _ in 0..MAX_PAGES {
            let Some(url) = next else { break };
            let index = HeaderValue::from_static("application/vnd.oci.image.index.v1+json");
            let call = Call::get(url.clone(), repository.path(), ScopeSet::pull(repository))
                .header(ACCEPT, index);
            let mut reply = self.call(host, call, Persistence::Retry).await?.success().await?;
            next = next_page(&reply, &url);
            let body = read_whole(&mut reply).await?;
            found.extend(read_index(&reply, body)?.manifests().iter().cloned());
        }
        Ok(found)
    }

    async fn referrers_by_tag(
        &self,
        repository: &RepositoryName,
        subject: Digest,
    ) -> Result<Vec<Descriptor>> {
        let Some(tag) = referrers_tag(subject) else { return Ok(Vec::new()) };
        // Only the registry itself is asked: a mirror that lacks this tag lacks nothing else.
        match self.own_manifest(repository, tag).await {
            Ok(Manifest::Index(index)) => Ok(index.manifests().to_vec()),
            Ok(Manifest::Image(_)) | Err(Error::ManifestNotFound { .. }) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// What HEAD says of a manifest where it would be written; `None` if it says too little or is
    /// not allowed.
    pub(crate) async fn head_manifest(
        &self,
        repository: &RepositoryName,
        wanted: &TagOrDigest,
        access: Access,
    ) -> Result<Option<Descriptor>> {
        let host = self.host(repository).await?;
        self.head_manifest_at(&host, repository, wanted, access).await
    }

    async fn head_manifest_at(
        &self,
        host: &Host,
        repository: &RepositoryName,
        wanted: &TagOrDigest,
        access: Access,
    ) -> Result<Option<Descriptor>> {
        let call = manifest_call(host, Method::HEAD, repository, wanted, access)?;
        let reply = self.call(host, call, Persistence::Retry).await?;
        match reply.status() {
            StatusCode::NOT_FOUND => return Err(not_found(repository, wanted, reply).await),
            StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => return Ok(None),
            _ => {}
        }
        let reply = reply.success().await?;
        let (Some(digest), Some(size), Some(media_type)) =
            (stated_digest(&reply), reply.content_length(), content_type(&reply))
        else {
            return Ok(None);
        };
        if let TagOrDigest::Digest(wanted) = wanted
            && *wanted != digest
        {
            let (wanted, found) = (Box::new(*wanted), Box::new(digest));
            return Err(Error::DigestMismatch { request: reply.request.clone(), wanted, found });
        }
        let readable = media_type.is_manifest() || media_type.is_index();
        Ok(readable.then(|| Descriptor::new(media_type, digest, size)))
    }

    /// Whether a tag names this digest at the moment, as far as can be found out.
    pub(crate) async fn names(
        &self,
        repository: &RepositoryName,
        under: &TagOrDigest,
        digest: Digest,
    ) -> bool {
        let head = self.head_manifest(repository, under, Access::Push).await;
        matches!(head, Ok(Some(found)) if found.digest == digest)
    }
}

/// Who keeps the list of what refers to a manifest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Listing {
    ByRegistry,
    /// Under the referrers tag.
    ByClients,
}

/// What a request means to do with a repository.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Pull,
    Push,
    Delete,
}

fn manifest_call(
    host: &Host,
    method: Method,
    repository: &RepositoryName,
    name: &TagOrDigest,
    access: Access,
) -> Result<Call> {
    let scopes = match access {
        Access::Pull => ScopeSet::pull(repository),
        Access::Push => ScopeSet::push(repository),
        Access::Delete => ScopeSet::delete(repository),
    };
    let url = host.url(repository, &format!("manifests/{name}"))?;
    let reads = method == Method::GET || method == Method::HEAD;
    let call = Call::new(method, url, repository.path(), scopes);
    Ok(if reads { call.header(ACCEPT, ACCEPTED) } else { call })
}

/// The digest that the registry states, where it states one that can be read.
pub(crate) fn stated_digest(reply: &Reply) -> Option<Digest> {
    reply.header(CONTENT_DIGEST)?.parse().ok()
}

/// The media type without parameters, which do not belong there but come.
fn content_type(reply: &Reply) -> Option<MediaType> {
    let text = reply.header(CONTENT_TYPE)?.split(';').next()?.trim();
    (!text.is_empty()).then(|| MediaType::from(text))
}

fn verify(reply: &Reply, bytes: &[u8], wanted: Digest) -> Result<()> {
    let mut digester = oci::Digester::new(wanted.algorithm());
    digester.update(bytes);
    let found = digester.finish();
    if found == wanted {
        return Ok(());
    }
    let (wanted, found) = (Box::new(wanted), Box::new(found));
    Err(Error::DigestMismatch { request: reply.request.clone(), wanted, found })
}

async fn not_found(repository: &RepositoryName, wanted: &TagOrDigest, reply: Reply) -> Error {
    let answers = refusal_answers(reply).await;
    Error::ManifestNotFound { reference: wanted.of_repository(repository), answers }
}

async fn refusal_answers(reply: Reply) -> crate::Answers {
    match reply.refusal().await {
        Error::Refused { answers, .. } => answers,
        _ => crate::Answers::default(),
    }
}

/// The specification's code for a manifest whose blobs are missing, under whatever status.
fn blob_unknown(error: Error) -> Error {
    match error {
        Error::Refused { request, answers, .. }
            if answers.has("MANIFEST_BLOB_UNKNOWN") || answers.has("BLOB_UNKNOWN") =>
        {
            let blobs = answers.0.iter().filter_map(|answer| answer.digest).collect();
            Error::ManifestBlobUnknown { request, blobs, answers }
        }
        other => other,
    }
}

/// `Link: <…>; rel="next"` (RFC 8288), on the same host only: the credential is for it.
fn next_page(reply: &Reply, current: &Url) -> Option<Url> {
    let link = reply.header(LINK)?;
    let (target, parameters) = link.strip_prefix('<')?.split_once('>')?;
    if !parameters.contains("next") {
        return None;
    }
    let next = current.join(target).ok()?;
    (next.origin() == current.origin() && next != *current).then_some(next)
}

async fn read_whole(reply: &mut Reply) -> Result<Vec<u8>> {
    let body = reply.body(MAX_MANIFEST_BYTES).await?;
    body.ok_or_else(|| reply.bad(AnswerProblem::TooLarge(MAX_MANIFEST_BYTES)))
}

async fn json<T: serde::de::DeserializeOwned>(reply: &mut Reply) -> Result<T> {
    let body = read_whole(reply).await?;
    serde_json::from_slice(&body).map_err(|error| reply.bad(AnswerProblem::Json(error.to_string())))
}

fn read_index(reply: &Reply, body: Vec<u8>) -> Result<ImageIndex> {
    match Manifest::parse(body, Some(&MediaType::OciIndex)) {
        Ok(Manifest::Index(index)) => Ok(index),
        Ok(Manifest::Image(_)) => {
            Err(reply.bad(AnswerProblem::Json("not an image index".to_owned())))
        }
        Err(source) => Err(Error::Manifest { request: reply.request.clone(), source }),
    }
}
