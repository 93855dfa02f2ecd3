//! Manifests (distribution-spec 1.1, "Pulling manifests", "Pushing Manifests", "Deleting tags",
//! "Deleting Manifests").

use std::sync::PoisonError;

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, ETAG, HeaderName, LOCATION};
use hyper::{Method, StatusCode};
use oci::{Descriptor, Digest, Digester, MAX_MANIFEST_BYTES, Manifest, MediaType, Tag};
use serde_json::json;

use crate::answer::{Answer, Body, Content};
use crate::name::RepositoryPath;
use crate::refusal::{ErrorCode, Refusal};
use crate::registry::{CONTENT_DIGEST, Registry, digest, not_allowed};
use crate::relations::{Part, Referral, parts};
use crate::request::{Asked, Stop, bounded};
use crate::storage::Index;
use crate::{Error, Result};

const SUBJECT: HeaderName = HeaderName::from_static("oci-subject");
const TAGGED: HeaderName = HeaderName::from_static("oci-tag");

/// What a manifest is asked for by.
enum Reference {
    Tag(Tag),
    Digest(Digest),
}

impl Reference {
    /// Whether it is a tag or a digest shows in the colon, which no tag has.
    fn of(text: &str) -> Result<Self, Refusal> {
        if text.contains(':') {
            return digest(text).map(Reference::Digest);
        }
        let invalid =
            |_| Refusal::new(ErrorCode::ManifestInvalid, format!("`{text}` is not a tag"));
        text.parse().map(Reference::Tag).map_err(invalid)
    }
}

fn unknown() -> Refusal {
    Refusal::new(ErrorCode::ManifestUnknown, "manifest unknown")
}

impl Registry {
    /// GET, HEAD (end-3) and DELETE (end-9) of a manifest.
    pub(crate) async fn manifest(
        &self,
        name: &RepositoryPath,
        reference: &str,
        asked: &Asked,
    ) -> Result<Answer, Stop> {
        // What is no reference names nothing, and asking for it is no mistake of form.
        let wanted = match Reference::of(reference) {
            Err(_) if asked.method != Method::DELETE && !reference.contains(':') => {
                return Err(unknown().into());
            }
            wanted => wanted?,
        };
        match asked.method {
            Method::GET | Method::HEAD => {
                let found = self.find_manifest(name, &wanted)?;
                let (listed, content) = found.ok_or_else(unknown)?;
                Ok(Answer::new(StatusCode::OK, content)
                    .with(CONTENT_TYPE, listed.media_type.as_str())
                    .with(CONTENT_DIGEST, listed.digest.to_string())
                    .with(ETAG, format!("\"{}\"", listed.digest)))
            }
            Method::DELETE => {
                let name = name.clone();
                self.aside(move |registry| Ok(registry.delete_manifest(&name, &wanted)?)).await
            }
            _ => Err(not_allowed("GET, HEAD, PUT, DELETE").into()),
        }
    }

    fn find_manifest(
        &self,
        name: &RepositoryPath,
        wanted: &Reference,
    ) -> Result<Option<(Descriptor, Content)>> {
        let Some(index) = self.storage.index(name)? else { return Ok(None) };
        let listed = match wanted {
            Reference::Tag(tag) => index.tagged(tag.as_str()).cloned(),
            Reference::Digest(digest) => self.listed(name, &index, digest)?,
        };
        let Some(listed) = listed else { return Ok(None) };
        let content = self.storage.blob(name, &listed.digest)?;
        Ok(content.map(|content| (listed, content)))
    }

    /// A manifest by its digest. In a layout that others wrote, those of several platforms may be
    /// listed in their index alone.
    fn listed(
        &self,
        name: &RepositoryPath,
        index: &Index,
        digest: &Digest,
    ) -> Result<Option<Descriptor>> {
        if let Some(listed) = index.find(digest) {
            return Ok(Some(listed.clone()));
        }
        for outer in index.manifests().into_iter().filter(|listed| listed.media_type.is_index()) {
            let Some(bytes) = self.manifest_bytes(name, &outer.digest)? else { continue };
            let Ok(Manifest::Index(inner)) = Manifest::parse(bytes.to_vec(), None) else {
                continue;
            };
            if let Some(entry) = inner.manifests().iter().find(|entry| entry.digest == *digest) {
                return Ok(Some(entry.clone()));
            }
        }
        Ok(None)
    }

    fn delete_manifest(
        &self,
        name: &RepositoryPath,
        wanted: &Reference,
    ) -> Result<Answer, Refusal> {
        let _listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut index = self.storage.index(name)?.ok_or_else(unknown)?;
        let removed = match wanted {
            Reference::Tag(tag) => index.untag(tag.as_str()),
            Reference::Digest(digest) => index.remove(digest),
        };
        if !removed {
            return Err(unknown());
        }
        self.storage.set_index(name, &index)?;
        if let Reference::Digest(digest) = wanted {
            self.storage.remove_blob(name, digest)?;
        }
        Ok(Answer::empty(StatusCode::ACCEPTED))
    }

    /// PUT of a manifest: end-7.
    pub(crate) async fn put_manifest(
        &self,
        name: &RepositoryPath,
        reference: &str,
        asked: &Asked,
        body: &mut Body,
    ) -> Result<Answer, Stop> {
        let wanted = Reference::of(reference)?;
        let Some(bytes) = bounded(body, MAX_MANIFEST_BYTES).await? else {
            let message = format!("a manifest has at most {MAX_MANIFEST_BYTES} bytes");
            let refusal = Refusal::new(ErrorCode::ManifestInvalid, message);
            return Err(refusal.status(StatusCode::PAYLOAD_TOO_LARGE).into());
        };
        let manifest = parse(&bytes, asked.header(CONTENT_TYPE))?;
        let (digest, tags) = match wanted {
            Reference::Tag(tag) => (manifest.digest(), vec![tag]),
            Reference::Digest(wanted) => {
                let mut digester = Digester::new(wanted.algorithm());
                digester.update(&bytes);
                if digester.finish() != wanted {
                    let message = "provided digest did not match content";
                    return Err(Refusal::new(ErrorCode::DigestInvalid, message).into());
                }
                (wanted, more_tags(asked)?)
            }
        };
        let descriptor = Descriptor { digest, ..manifest.descriptor() };
        let answer = self.created(name, reference, &descriptor, &bytes);
        let answer = tags_set(answer, asked, &tags);
        let name = name.clone();
        self.aside(move |registry| {
            registry.complete(&name, &manifest)?;
            registry.list_manifest(&name, &descriptor, &bytes, &tags)?;
            Ok(answer)
        })
        .await
    }

    fn created(
        &self,
        name: &RepositoryPath,
        reference: &str,
        manifest: &Descriptor,
        bytes: &Bytes,
    ) -> Answer {
        let answer = Answer::empty(StatusCode::CREATED)
            .with(LOCATION, format!("/v2/{name}/manifests/{reference}"))
            .with(CONTENT_DIGEST, manifest.digest.to_string());
        match Referral::of(bytes).and_then(|referral| referral.subject()) {
            Some(subject) => answer.with(SUBJECT, subject.to_string()),
            None => answer,
        }
    }

    /// Whether everything is there that a manifest needs.
    fn complete(&self, name: &RepositoryPath, manifest: &Manifest) -> Result<(), Refusal> {
        let index = self.storage.index(name)?.unwrap_or_default();
        let mut missing = Vec::new();
        for part in parts(manifest) {
            let there = match &part {
                Part::Blob(digest) => self.storage.blob(name, digest)?.is_some(),
                Part::Manifest(digest) => {
                    self.listed(name, &index, digest)?.is_some()
                        && self.storage.blob(name, digest)?.is_some()
                }
            };
            let detail = json!({"digest": part.digest().to_string()});
            if !there && !missing.contains(&detail) {
                missing.push(detail);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        let message = "manifest references a blob or manifest unknown to registry";
        Err(Refusal::new(ErrorCode::ManifestBlobUnknown, message).details(missing))
    }

    /// Keeps a manifest and moves `tags` to it.
    pub(crate) fn list_manifest(
        &self,
        name: &RepositoryPath,
        manifest: &Descriptor,
        bytes: &Bytes,
        tags: &[Tag],
    ) -> Result<(), Error> {
        let _listing = self.listing.lock().unwrap_or_else(PoisonError::into_inner);
        self.keep_bytes(name, &manifest.digest, bytes)?;
        let mut index = self.storage.index(name)?.unwrap_or_default();
        index.set(manifest, tags);
        self.storage.set_index(name, &index)
    }
}

/// `Content-Type` and `mediaType` have to be known, and, if both are there, the same.
fn parse(bytes: &Bytes, content_type: Option<&str>) -> Result<Manifest, Refusal> {
    let invalid = |message: String| Refusal::new(ErrorCode::ManifestInvalid, message);
    let stated = content_type.map(MediaType::from);
    if let Some(stated) = &stated
        && !stated.is_manifest()
        && !stated.is_index()
    {
        return Err(invalid(format!("`{stated}` is not a type of manifests")));
    }
    Manifest::parse(bytes.to_vec(), stated.as_ref()).map_err(|error| invalid(error.to_string()))
}

/// `?tag=a&tag=b` of a push by digest, which is in the specification's main branch.
fn more_tags(asked: &Asked) -> Result<Vec<Tag>, Refusal> {
    let invalid = |text| Refusal::new(ErrorCode::ManifestInvalid, format!("`{text}` is not a tag"));
    asked.parameters("tag").map(|text| text.parse().map_err(|_| invalid(text))).collect()
}

fn tags_set(mut answer: Answer, asked: &Asked, tags: &[Tag]) -> Answer {
    if asked.parameter("tag").is_some() {
        for tag in tags {
            if let Ok(value) = tag.as_str().parse() {
                answer.headers.append(TAGGED, value);
            }
        }
    }
    answer
}
