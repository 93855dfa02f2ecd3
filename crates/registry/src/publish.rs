//! A whole image goes to a registry: blobs before the manifests that name them, children before
//! their index, the tags last, so that no reader ever sees a tag whose parts are missing.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt, TryStreamExt, stream};
use oci::{Descriptor, Digest, Manifest, MediaType, RepositoryName, Tag};

use crate::client::Client;
use crate::event::{Outcome, TransferEvent};
use crate::manifest::{Access, TagOrDigest};
use crate::upload::{BlobBody, BlobOutcome, Delivery, Existing};
use crate::{Error, Result};

/// How long a failed push waits for its sessions to be deleted.
const SETTLING_LIMIT: Duration = Duration::from_secs(10);

/// What is to be published.
#[derive(Debug, Clone)]
pub struct Publication {
    /// Where to.
    pub repository: RepositoryName,
    /// The tags that shall name the root; with none it is pushed by its digest only.
    pub tags: Vec<Tag>,
    /// The manifest or index that the tags will name.
    pub root: Manifest,
    /// What the root lists, and what that lists, in any order. A manifest that is listed but is not
    /// here must be in the repository already.
    pub children: Vec<Manifest>,
    /// What says something about these: signatures, SBOMs. They are there before a tag is.
    pub referrers: Vec<Manifest>,
    /// Where the configs and layers can be had. A blob that is not here must be in the repository
    /// already. Foreign layers stay where their URLs say.
    pub blobs: BTreeMap<Digest, BlobSource>,
}

/// Where a blob can be had.
#[derive(Debug, Clone)]
pub struct BlobSource {
    /// Its bytes.
    pub body: BlobBody,
    /// Repositories that may have it; those of the target's registry are asked to mount it first.
    pub mount_from: Vec<RepositoryName>,
}

impl From<BlobBody> for BlobSource {
    fn from(body: BlobBody) -> Self {
        BlobSource { body, mount_from: Vec::new() }
    }
}

/// What it took.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Published {
    /// Blobs that were sent.
    pub uploaded: usize,
    /// The bytes of these that went over the wire.
    pub uploaded_bytes: u64,
    /// Blobs that the registry took from other repositories.
    pub mounted: usize,
    /// Blobs that were there. Those of a manifest that was there are not looked at.
    pub existed: usize,
    /// Manifests and indexes that were sent, a tag counting as one.
    pub manifests: usize,
}

impl Client {
    /// Publishes an image. Where a tag names the root already this is one request a tag; where the
    /// repository has a manifest already, the blobs of it are not asked for one by one.
    pub async fn publish(&self, publication: &Publication) -> Result<Published> {
        let work = Work { client: self, publication };
        let mut tally = Tally::default();
        let done = work.run(&mut tally).await.map(|()| tally.published);
        if done.is_err() {
            // Sessions that were broken off are deleted before the caller ends the process.
            let _ = tokio::time::timeout(SETTLING_LIMIT, self.settle()).await;
        }
        done
    }
}

struct Work<'a> {
    client: &'a Client,
    publication: &'a Publication,
}

/// What was done so far.
#[derive(Default)]
struct Tally {
    published: Published,
    /// Blobs that are there by the registry's word alone.
    believed: BTreeSet<Digest>,
}

/// Blobs that went along with a manifest after all, and how.
type Sent = Vec<(Descriptor, BlobOutcome)>;

impl Tally {
    /// A manifest is there.
    fn put(&mut self, sent: Sent) {
        self.published.manifests += 1;
        for (blob, outcome) in sent {
            self.believed.remove(&blob.digest);
            self.count(&blob, &outcome);
        }
    }

    fn count(&mut self, blob: &Descriptor, outcome: &BlobOutcome) {
        match outcome {
            BlobOutcome::Existed => {
                self.published.existed += 1;
                self.believed.insert(blob.digest);
            }
            BlobOutcome::Mounted { .. } => self.published.mounted += 1,
            BlobOutcome::Uploaded { bytes } => {
                self.published.uploaded += 1;
                self.published.uploaded_bytes += bytes;
            }
        }
    }
}

impl Work<'_> {
    async fn run(&self, tally: &mut Tally) -> Result<()> {
        let digest = self.publication.root.digest();
        let mut open = Vec::new();
        for tag in &self.publication.tags {
            let under = TagOrDigest::Tag(tag.clone());
            if self.stands_under(&under, digest).await? {
                self.tell_manifest(digest, Outcome::Existed);
            } else {
                open.push(under);
            }
        }
        let stands = open.is_empty() && !self.publication.tags.is_empty();
        if stands && self.publication.referrers.is_empty() {
            return Ok(());
        }
        let root = (!stands).then_some(&self.publication.root);
        let missing = self.missing_manifests(root).await?;
        let root_is_missing = missing.iter().any(|manifest| manifest.digest() == digest);
        if open.is_empty() && root_is_missing {
            open.push(TagOrDigest::Digest(digest));
        }
        self.bring_blobs(&missing, tally).await?;
        let parts = missing.into_iter().filter(|manifest| manifest.digest() != digest);
        // Images need no other manifest; an index needs those that come before it.
        let (images, indexes): (Vec<_>, Vec<_>) =
            parts.partition(|manifest| matches!(manifest, Manifest::Image(_)));
        self.put_all(images, tally).await?;
        for index in indexes {
            let sent = self.put(index, &index.digest().into(), &tally.believed).await?;
            tally.put(sent);
        }
        for under in &open {
            let sent = self.put(&self.publication.root, under, &tally.believed).await?;
            tally.put(sent);
        }
        Ok(())
    }

    /// Puts manifests side by side.
    async fn put_all(&self, manifests: Vec<&Manifest>, tally: &mut Tally) -> Result<()> {
        let believed = &tally.believed;
        let put = |manifest: &Manifest| {
            let manifest = manifest.clone();
            async move { self.put(&manifest, &manifest.digest().into(), believed).await }
        };
        let work: Vec<_> = manifests.into_iter().map(put).collect();
        let sent: Vec<Sent> =
            stream::iter(work).buffer_unordered(self.at_once()).try_collect().await?;
        sent.into_iter().for_each(|sent| tally.put(sent));
        Ok(())
    }

    fn at_once(&self) -> usize {
        self.client.settings().requests_per_host.max(1)
    }

    /// Whether the registry has this manifest under this name.
    async fn stands_under(&self, under: &TagOrDigest, digest: Digest) -> Result<bool> {
        let head = self.client.head_manifest(&self.publication.repository, under, Access::Push);
        match head.await {
            Ok(found) => Ok(found.is_some_and(|found| found.digest == digest)),
            // Some say 403 of what is not there to users who may write (Artifactory). If it is that
            // they may not, the upload will show.
            Err(Error::ManifestNotFound { .. } | Error::Denied { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// The manifests that the repository lacks of `root` and the referrers, children before what
    /// lists them.
    async fn missing_manifests<'a>(
        &'a self,
        root: Option<&'a Manifest>,
    ) -> Result<Vec<&'a Manifest>> {
        let known: BTreeMap<Digest, &Manifest> =
            self.publication.children.iter().map(|child| (child.digest(), child)).collect();
        let referrers = self.publication.referrers.iter().rev();
        let tops: Vec<&Manifest> = referrers.chain(root).collect();
        let standing = self.standing(&tops, &known).await?;
        let mut missing = Vec::new();
        let mut seen = BTreeSet::new();
        // What is on the stack is entered once to list its children, and once, after them, to be
        // taken itself.
        let mut stack: Vec<(&Manifest, Visit)> =
            tops.into_iter().map(|manifest| (manifest, Visit::Children)).collect();
        while let Some((manifest, visit)) = stack.pop() {
            let digest = manifest.digest();
            if visit == Visit::Itself {
                missing.push(manifest);
                continue;
            }
            if !seen.insert(digest) || standing.contains(&digest) {
                continue;
            }
            stack.push((manifest, Visit::Itself));
            let Manifest::Index(index) = manifest else { continue };
            for entry in index.manifests().iter().rev() {
                match known.get(&entry.digest) {
                    Some(child) => stack.push((child, Visit::Children)),
                    None if standing.contains(&entry.digest) => {}
                    None => return Err(self.not_provided(entry.digest)),
                }
            }
        }
        Ok(missing)
    }

    /// Which of these manifests, and of what they list, the repository has. What a manifest lists
    /// is not asked for where the manifest itself stands; what is on one level is asked for at
    /// once.
    async fn standing(
        &self,
        tops: &[&Manifest],
        known: &BTreeMap<Digest, &Manifest>,
    ) -> Result<BTreeSet<Digest>> {
        let mut standing = BTreeSet::new();
        let mut asked = BTreeSet::new();
        let mut level: Vec<(Digest, Option<&Manifest>)> =
            tops.iter().map(|manifest| (manifest.digest(), Some(*manifest))).collect();
        while !level.is_empty() {
            level.retain(|(digest, _)| asked.insert(*digest));
            let ask = |digest: Digest| async move {
                Ok::<_, Error>((digest, self.stands_under(&digest.into(), digest).await?))
            };
            let work: Vec<_> = level.iter().map(|(digest, _)| ask(*digest)).collect();
            let answers: Vec<(Digest, bool)> =
                stream::iter(work).buffer_unordered(self.at_once()).try_collect().await?;
            standing.extend(answers.into_iter().filter(|(_, there)| *there).map(|(d, _)| d));
            let mut next = Vec::new();
            for (digest, manifest) in &level {
                if let Some(Manifest::Index(index)) = manifest
                    && !standing.contains(digest)
                {
                    let entries = index.manifests().iter().map(|entry| entry.digest);
                    next.extend(entries.map(|entry| (entry, known.get(&entry).copied())));
                }
            }
            level = next;
        }
        Ok(standing)
    }

    async fn bring_blobs(&self, manifests: &[&Manifest], tally: &mut Tally) -> Result<()> {
        let mut wanted = BTreeSet::new();
        let blobs: Vec<&Descriptor> = manifests
            .iter()
            .flat_map(|manifest| blobs_of(manifest))
            .filter(|blob| wanted.insert(blob.digest))
            .collect();
        let limit = self.at_once();
        // What nobody gave first, so that nothing moves in vain; then the largest: what is begun
        // last should not be what everyone waits for.
        let given = |blob: &&Descriptor| self.publication.blobs.contains_key(&blob.digest);
        let (mut blobs, assumed): (Vec<_>, Vec<_>) = blobs.into_iter().partition(given);
        for blob in assumed {
            tally.count(blob, &self.bring(blob, Existing::Believed).await?);
        }
        blobs.sort_by_key(|blob| std::cmp::Reverse(blob.size));
        // Futures do nothing until they are polled, so making all of them beforehand begins none.
        let bring = |blob| async move {
            let outcome = self.bring(blob, Existing::Believed).await?;
            Ok::<_, Error>((blob, outcome))
        };
        let work: Vec<_> = blobs.into_iter().map(bring).collect();
        let outcomes: Vec<_> = stream::iter(work).buffer_unordered(limit).try_collect().await?;
        for (blob, outcome) in outcomes {
            tally.count(blob, &outcome);
        }
        Ok(())
    }

    async fn bring(&self, blob: &Descriptor, existing: Existing) -> Result<BlobOutcome> {
        let repository = &self.publication.repository;
        let Some(source) = self.publication.blobs.get(&blob.digest) else {
            let scopes = crate::auth::ScopeSet::push(repository);
            let there = self.client.head_blob(repository, blob, scopes).await?;
            if there && existing == Existing::Believed {
                return Ok(BlobOutcome::Existed);
            }
            return Err(self.not_provided(blob.digest));
        };
        let delivery = Delivery {
            client: self.client,
            repository,
            descriptor: blob,
            body: &source.body,
            mount_from: &source.mount_from,
        };
        delivery.bring(existing).await
    }

    /// Puts a manifest. If the registry then says that blobs are missing whose presence it claimed
    /// a moment ago (Artifactory does), they are sent in any case, once.
    async fn put(
        &self,
        manifest: &Manifest,
        under: &TagOrDigest,
        believed: &BTreeSet<Digest>,
    ) -> Result<Sent> {
        let repository = &self.publication.repository;
        let put = || self.client.push_manifest(repository, manifest, under.clone());
        let mut sent = Sent::default();
        if let Err(error) = put().await {
            let missing = missing_blobs(manifest, &error, believed);
            if missing.is_empty() {
                return Err(error);
            }
            for blob in missing {
                sent.push((blob.clone(), self.bring(blob, Existing::Ignored).await?));
            }
            put().await?;
        }
        let bytes = manifest.bytes().len() as u64;
        self.tell_manifest(manifest.digest(), Outcome::Uploaded { bytes });
        Ok(sent)
    }

    fn not_provided(&self, digest: Digest) -> Error {
        let repository = self.publication.repository.clone();
        Error::NotProvided { repository, digest: Box::new(digest) }
    }

    fn tell_manifest(&self, digest: Digest, outcome: Outcome) {
        self.client.tell(TransferEvent::Finished { digest, outcome });
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Visit {
    Children,
    Itself,
}

/// Config and layers, without the foreign ones: their licence is why they are elsewhere
/// (image-spec 1.1 `layer.md`, "Non-Distributable Layers").
fn blobs_of(manifest: &Manifest) -> impl Iterator<Item = &Descriptor> {
    let image = match manifest {
        Manifest::Image(image) => Some(image),
        Manifest::Index(_) => None,
    };
    let blobs = image.map(|image| std::iter::once(image.config()).chain(image.layers()));
    blobs.into_iter().flatten().filter(|blob| !is_foreign(blob))
}

fn is_foreign(blob: &Descriptor) -> bool {
    let foreign =
        matches!(blob.media_type, MediaType::OciForeignLayer(_) | MediaType::DockerForeignLayer);
    foreign && !blob.urls.is_empty()
}

/// The blobs for whose sake a manifest was refused: those that the registry names, or all if it
/// names none. Where it only says that the manifest is invalid, it may be those that are there by
/// its own word alone.
fn missing_blobs<'a>(
    manifest: &'a Manifest,
    refusal: &Error,
    believed: &BTreeSet<Digest>,
) -> Vec<&'a Descriptor> {
    let all = blobs_of(manifest);
    match refusal {
        Error::ManifestBlobUnknown { blobs, .. } => {
            all.filter(|blob| blobs.is_empty() || blobs.contains(&blob.digest)).collect()
        }
        Error::Refused { answers, .. } if answers.has("MANIFEST_INVALID") => {
            all.filter(|blob| believed.contains(&blob.digest)).collect()
        }
        _ => Vec::new(),
    }
}
