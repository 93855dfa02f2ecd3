//! The referrers tag: the list of what refers to a manifest, which clients keep where a registry
//! keeps none (distribution-spec 1.1, "Referrers Tag Schema").

use oci::{Descriptor, Digest, ImageIndex, Manifest, RepositoryName, Tag};

use crate::client::Client;
use crate::manifest::TagOrDigest;
use crate::{Error, Result};

/// How often the list is written when others write it at the same time.
const MAX_WRITES: u32 = 5;

impl Client {
    /// Enters a manifest in its subject's list.
    pub(crate) async fn list_referrer(
        &self,
        repository: &RepositoryName,
        subject: Digest,
        referrer: &Manifest,
    ) -> Result<()> {
        let entry = referrer.referrer_descriptor();
        let change = |listed: &mut Vec<Descriptor>| {
            let missing = listed.iter().all(|other| other.digest != entry.digest);
            if missing {
                listed.push(entry.clone());
            }
            missing
        };
        self.change_list(repository, subject, change).await
    }

    /// Takes a manifest that is gone out of its subject's list.
    pub(crate) async fn unlist_referrer(
        &self,
        repository: &RepositoryName,
        subject: Digest,
        referrer: Digest,
    ) -> Result<()> {
        let change = |listed: &mut Vec<Descriptor>| {
            let before = listed.len();
            listed.retain(|entry| entry.digest != referrer);
            listed.len() != before
        };
        self.change_list(repository, subject, change).await
    }

    /// Reads the list, changes it and writes it, one at a time in this process, and until a reading
    /// finds nothing to be changed: there is no way to write only if nobody else has written since.
    async fn change_list(
        &self,
        repository: &RepositoryName,
        subject: Digest,
        change: impl Fn(&mut Vec<Descriptor>) -> bool,
    ) -> Result<()> {
        let Some(tag) = referrers_tag(subject) else { return Ok(()) };
        let _turn = self.listing().await;
        for _ in 0..MAX_WRITES {
            let (mut listed, annotations) = match self.own_manifest(repository, tag.clone()).await {
                Ok(Manifest::Index(index)) => {
                    (index.manifests().to_vec(), index.annotations().clone())
                }
                // Whatever else has this name is not the list, and is not to be overwritten.
                Ok(Manifest::Image(_)) => return Ok(()),
                Err(Error::ManifestNotFound { .. }) => Default::default(),
                Err(error) => return Err(error),
            };
            if !change(&mut listed) {
                return Ok(());
            }
            let list = Manifest::Index(ImageIndex::new(listed, annotations));
            self.put_manifest(repository, &list, TagOrDigest::Tag(tag.clone())).await?;
        }
        Ok(())
    }
}

/// `sha256-HEX`; `None` for a digest too long for a tag, which SHA-512's are.
pub(crate) fn referrers_tag(subject: Digest) -> Option<Tag> {
    format!("{}-{}", subject.algorithm().name(), subject.hex()).parse().ok()
}
