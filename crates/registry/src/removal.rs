//! Names and manifests that go (distribution-spec 1.1, "Content Management").

use oci::{Digest, Reference, RepositoryName, Tag};
use reqwest::StatusCode;

use crate::client::Client;
use crate::manifest::{Access, TagOrDigest};
use crate::{Error, Result};

/// What may go along with a tag that a registry does not delete by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Collateral {
    /// Nothing: the manifest goes only if no other tag names it.
    None,
    /// The manifest with every tag that names it.
    OtherTags,
}

/// What went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Removed {
    /// The tag. The manifest is left to the registry's garbage collection.
    Tag,
    /// The manifest, and with it these tags where it is known.
    Manifest {
        /// Its digest.
        digest: Digest,
        /// The tags that named it.
        tags: Vec<Tag>,
    },
}

impl Client {
    /// Takes away what a reference names. A tag goes alone where the registry deletes tags. Where
    /// it deletes manifests only, as Docker's does, the manifest goes if `collateral` lets what
    /// else would go along.
    pub async fn remove(&self, reference: &Reference, collateral: Collateral) -> Result<Removed> {
        let repository = reference.repository();
        let tag = match TagOrDigest::of(reference) {
            TagOrDigest::Digest(digest) => {
                self.remove_manifest(repository, digest).await?;
                return Ok(Removed::Manifest { digest, tags: Vec::new() });
            }
            TagOrDigest::Tag(tag) => tag,
        };
        match self.delete_manifest(repository, tag.clone()).await {
            Ok(()) => return Ok(Removed::Tag),
            Err(error) if is_unsupported(&error) => {}
            Err(error) => return Err(error),
        }
        let digest = self.resolve(reference).await?.digest;
        let tags = self.tags_of(repository, digest).await?;
        if collateral == Collateral::None && tags.iter().any(|other| *other != tag) {
            let others = tags.into_iter().filter(|other| *other != tag).collect();
            let digest = Box::new(digest);
            return Err(Error::SharedManifest { reference: reference.clone(), digest, others });
        }
        self.remove_manifest(repository, digest).await?;
        Ok(Removed::Manifest { digest, tags })
    }

    /// Takes away a tag whose manifest is not worth keeping without it: where the registry deletes
    /// manifests only, `digest` goes, which the tag named when it was read. `false` if it was gone
    /// already.
    pub async fn remove_with_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        digest: Digest,
    ) -> Result<bool> {
        let mut removed = self.delete_manifest(repository, tag.clone()).await;
        if removed.as_ref().is_err_and(is_unsupported) {
            removed = self.delete_manifest(repository, digest).await;
        }
        match removed {
            Ok(()) => Ok(true),
            Err(Error::ManifestNotFound { .. }) => Ok(false),
            Err(error) if is_unsupported(&error) => {
                Err(Error::NotDeletable { repository: repository.clone() })
            }
            Err(error) => Err(error),
        }
    }

    /// Deletes a manifest, and its entry among its subject's referrers where clients keep those.
    async fn remove_manifest(&self, repository: &RepositoryName, digest: Digest) -> Result<()> {
        let subject = match self.manifest(repository, digest).await {
            Ok(manifest) => manifest.subject().map(|subject| subject.digest),
            Err(error @ Error::ManifestNotFound { .. }) => return Err(error),
            // What cannot be read can go all the same.
            Err(Error::Manifest { .. } | Error::DigestMismatch { .. }) => None,
            Err(error) => return Err(error),
        };
        self.delete_manifest(repository, digest).await.map_err(|error| {
            if is_unsupported(&error) {
                return Error::NotDeletable { repository: repository.clone() };
            }
            error
        })?;
        match subject {
            Some(subject) => self.unlist_referrer(repository, subject, digest).await,
            None => Ok(()),
        }
    }

    /// The tags that name a manifest.
    async fn tags_of(&self, repository: &RepositoryName, digest: Digest) -> Result<Vec<Tag>> {
        use futures_util::{StreamExt, stream};
        let all = self.tags(repository).await?;
        let tags = all.into_iter().filter_map(|name| name.parse::<Tag>().ok());
        let heads = tags.map(|tag| async move {
            let under = TagOrDigest::Tag(tag.clone());
            match self.head_manifest(repository, &under, Access::Pull).await {
                Ok(found) => Ok((found.map(|found| found.digest), tag)),
                Err(Error::ManifestNotFound { .. }) => Ok((None, tag)),
                Err(error) => Err(error),
            }
        });
        let limit = self.settings().requests_per_host.max(1);
        let found: Vec<Result<(Option<Digest>, Tag)>> =
            stream::iter(heads).buffered(limit).collect().await;
        let mut tags = Vec::new();
        for one in found {
            let (named, tag) = one?;
            if named == Some(digest) {
                tags.push(tag);
            }
        }
        Ok(tags)
    }
}

/// 400 or 405 for what a registry may leave out ("Deleting tags", "Deleting Manifests"). Docker's
/// registry takes a tag for a digest that is malformed.
fn is_unsupported(error: &Error) -> bool {
    let Error::Refused { status, answers, .. } = error else { return false };
    match *status {
        StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => true,
        StatusCode::BAD_REQUEST => answers.has("UNSUPPORTED") || answers.has("DIGEST_INVALID"),
        _ => answers.has("UNSUPPORTED"),
    }
}
