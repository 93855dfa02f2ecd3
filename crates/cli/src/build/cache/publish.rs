//! What came of a build, on its way to the repositories that keep it.

use futures_util::future::{join_all, try_join_all};
use jiff::{SignedDuration, Timestamp};
use oci::{
    Descriptor, DiffId, Digest, ImageConfig, ImageManifest, Manifest, Platform, RepositoryName, Tag,
};
use plan::{Becomes, Plan, PlannedStep, RecalledLayer, StepKey};
use registry::{BlobBody, BlobSource, Observer, Publication};
use store::Store;

use super::RegistryCache;
use super::artifact::{self, Artifact, Label};
use super::bundle::{self, Extent};
use crate::build::recall::{self, Uses};
use crate::error::Error;
use crate::flags::CacheUse;
use crate::session::Session;

/// The kind of fact that says when a repository was seen to have a record.
const KEPT: &str = "kept";
/// For how long that is believed without a look.
const SURE: SignedDuration = SignedDuration::from_hours(7 * 24);

impl RegistryCache {
    /// Puts what came of the steps of `plans`, and what is known of their bases, where the images
    /// went. What fails is said, and is no failure of the build.
    pub(in crate::build) fn publish(&self, session: &Session, plans: &[Plan]) -> Result<(), Error> {
        for repository in &self.to {
            let mut artifacts = Vec::new();
            for plan in plans {
                let is_due = |tag: &Tag| self.is_due(session, repository, tag);
                step_artifacts(session, plan, &is_due, &mut artifacts)?;
                base_artifacts(session, plan, &is_due, &mut artifacts)?;
            }
            match self.publish_to(session, repository, &artifacts) {
                Ok(()) => note_kept(session, repository, &artifacts)?,
                Err(error) => {
                    let why = crate::report::chain(&error);
                    session.progress.warning(&format!(
                        "{repository} keeps no cache: {why} (`--cache-to=none` does not try)"
                    ));
                }
            }
        }
        Ok(())
    }

    /// Whether a repository may lack a record. One that was found there in this build it has; of one
    /// that this machine left there of late, nobody is asked.
    fn is_due(
        &self,
        session: &Session,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<bool, Error> {
        if self.present.contains(&(repository.clone(), tag.clone())) {
            return Ok(false);
        }
        if self.cache == CacheUse::Ignore
            || self.sought.contains(&(repository.clone(), tag.clone()))
        {
            return Ok(true);
        }
        let kept = session.store()?.fact(KEPT, &kept_key(repository, tag))?;
        let kept: Option<Timestamp> =
            kept.and_then(|text| std::str::from_utf8(&text).ok()?.parse().ok());
        Ok(kept.is_none_or(|kept| session.environment.now.duration_since(kept) > SURE))
    }

    fn publish_to(
        &self,
        session: &Session,
        repository: &RepositoryName,
        artifacts: &[Artifact],
    ) -> Result<(), Error> {
        let place = |artifact: &Artifact| (repository.clone(), artifact.tag.clone());
        let missing = artifacts.iter().filter(|artifact| !self.present.contains(&place(artifact)));
        let (looked_for, unknown): (Vec<&Artifact>, Vec<&Artifact>) =
            missing.partition(|artifact| {
                self.cache == CacheUse::Ignore || self.sought.contains(&place(artifact))
            });
        let Existing { absent, mut stale } = Existing::of(session, repository, unknown)?;
        let missing = [looked_for, absent].concat();
        if let Err(error) = put_all(session, repository, &missing) {
            // Tags that must not move may have been made by another job a moment ago.
            match Existing::of(session, repository, missing.clone())?.absent.is_empty() {
                true => {}
                false => return Err(error),
            }
        }
        let found = self.stale.iter().filter(|((of, _), _)| of == repository);
        stale.extend(found.map(|((_, tag), manifest)| (tag.clone(), manifest.clone())));
        let last_of =
            |manifest: &ImageManifest| Some((artifact::last_of(manifest)?, manifest.clone()));
        let renewed = stale.iter().filter_map(|(_, manifest)| last_of(manifest));
        let new = missing.iter().filter_map(|artifact| last_of(&artifact.manifest));
        let last: Vec<_> = renewed.chain(new).collect();
        name(session, repository, &[stale, last].concat())
    }
}

/// What a repository has of the records of a build.
struct Existing<'a> {
    /// It does not have these.
    absent: Vec<&'a Artifact>,
    /// It has had these for long: as they are to be written anew.
    stale: Vec<(Tag, ImageManifest)>,
}

impl<'a> Existing<'a> {
    /// Asks a repository. Of what this machine knew already, nobody was asked before.
    fn of(
        session: &Session,
        repository: &RepositoryName,
        artifacts: Vec<&'a Artifact>,
    ) -> Result<Self, Error> {
        let client = session.client()?;
        let now = session.environment.now;
        let tags = artifacts.iter().map(|artifact| artifact.tag.clone());
        let asked = tags.map(|tag| client.manifest(repository, tag));
        let found = session.block_on(async { Ok(join_all(asked).await) })?;
        let mut existing = Existing { absent: Vec::new(), stale: Vec::new() };
        for (artifact, found) in artifacts.into_iter().zip(found) {
            let whole = match found {
                Ok(Manifest::Image(there)) if is_as_good(&there, &artifact.manifest) => there,
                // What is in the way of reading will be in the way of writing, and be told then.
                _ => {
                    existing.absent.push(artifact);
                    continue;
                }
            };
            if artifact::is_stale(&whole, now) {
                let renewed = artifact::renewed(&whole, now);
                existing.stale.extend(renewed.map(|renewed| (artifact.tag.clone(), renewed)));
            }
        }
        Ok(existing)
    }
}

/// Whether what is there says all that would be put, and keeps it.
fn is_as_good(there: &ImageManifest, own: &ImageManifest) -> bool {
    there.artifact_type() == own.artifact_type()
        && there.config().digest == own.config().digest
        && there.layers().first() == own.layers().first()
        && own.layers().iter().all(|blob| there.layers().contains(blob))
}

/// Puts manifests under tags, all of which is there. A tag that must not move stays as it is: no build
/// needs it, or needs it younger.
fn name(
    session: &Session,
    repository: &RepositoryName,
    manifests: &[(Tag, ImageManifest)],
) -> Result<(), Error> {
    let client = session.client()?;
    let puts = manifests.iter().map(|(tag, manifest)| async move {
        let manifest = Manifest::Image(manifest.clone());
        client.push_manifest(repository, &manifest, tag.clone()).await
    });
    session.block_on(async {
        drop(join_all(puts).await);
        Ok(())
    })
}

fn put_all(
    session: &Session,
    repository: &RepositoryName,
    artifacts: &[&Artifact],
) -> Result<(), Error> {
    let store = session.store()?;
    // What moves are a few bytes that nobody asked for by name.
    let client = session.client()?.observed(Observer::new(|_| {}));
    let mut publications = Vec::new();
    for artifact in artifacts {
        publications.push(publication(store, repository, artifact)?);
    }
    session.block_on(async {
        let puts = publications.iter().map(|publication| client.publish(publication));
        try_join_all(puts).await?;
        Ok(())
    })
}

fn publication(
    store: &Store,
    repository: &RepositoryName,
    artifact: &Artifact,
) -> Result<Publication, Error> {
    let own = artifact.blobs.iter().map(|(descriptor, bytes)| {
        (descriptor.digest, BlobSource::from(BlobBody::Bytes(bytes.clone().into())))
    });
    let mut blobs: std::collections::BTreeMap<Digest, BlobSource> = own.collect();
    for layer in artifact.manifest.layers() {
        if blobs.contains_key(&layer.digest) {
            continue;
        }
        let mut sources = store.remote_sources(&layer.digest)?;
        sources.retain(|source| source != repository);
        let body = match store.contains(&layer.digest)? == Some(layer.size) {
            true => BlobBody::File(store.blob_path(&layer.digest)),
            false => match sources.first() {
                Some(source) => BlobBody::Remote(source.clone()),
                None => continue,
            },
        };
        blobs.insert(layer.digest, BlobSource { body, mount_from: sources });
    }
    Ok(Publication {
        repository: repository.clone(),
        tags: vec![artifact.tag.clone()],
        root: Manifest::Image(artifact.manifest.clone()),
        children: Vec::new(),
        referrers: Vec::new(),
        blobs,
    })
}

/// Remembers that a repository has these, so that the next build need not ask.
fn note_kept(
    session: &Session,
    repository: &RepositoryName,
    artifacts: &[Artifact],
) -> Result<(), Error> {
    let store = session.store()?;
    let now = session.environment.now.to_string();
    for artifact in artifacts {
        store.record_fact(KEPT, &kept_key(repository, &artifact.tag), now.as_bytes())?;
    }
    Ok(())
}

/// A repository no longer has a record: it is asked, and told, as if it had never been.
pub(super) fn forget_kept(
    session: &Session,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<(), Error> {
    let key = kept_key(repository, tag);
    let store = session.store()?;
    match store.fact(KEPT, &key)? {
        Some(_) => Ok(store.record_fact(KEPT, &key, b"")?),
        None => Ok(()),
    }
}

fn kept_key(repository: &RepositoryName, tag: &Tag) -> Digest {
    Digest::of(format!("{repository} {tag}").as_bytes())
}

fn step_artifacts(
    session: &Session,
    plan: &Plan,
    is_due: &dyn Fn(&Tag) -> Result<bool, Error>,
    artifacts: &mut Vec<Artifact>,
) -> Result<(), Error> {
    let store = session.store()?;
    for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
        let Some(key) = key_of(step) else { continue };
        if !is_due(&artifact::step_tag(&key))? {
            continue;
        }
        let Some(record) = recall::recorded(store, &key)? else { continue };
        let layers: Vec<DiffId> = record.layers.iter().filter_map(diff_id).collect();
        let Uses { kind, installations } = recall::uses_of(store, &key)?.unwrap_or_default();
        let facts = bundle::pack(store, &layers, Extent::Indexes, &installations)?;
        let first = record.layers.first().map(|layer| layer.title.clone());
        let title = first.unwrap_or_else(|| step.text.clone());
        let label = Label { title: &title, now: session.environment.now };
        artifacts.extend(Artifact::of_step(key, kind, record, facts, &label));
    }
    Ok(())
}

fn key_of(step: &PlannedStep) -> Option<StepKey> {
    match &step.becomes {
        Becomes::Recalled(key, _) => Some(*key),
        _ => step.trace.as_ref().map(|trace| trace.key),
    }
}

fn diff_id(layer: &RecalledLayer) -> Option<DiffId> {
    layer.packed.as_ref().map(|packed| packed.diff_id)
}

/// What the bases of a plan say of themselves, as far as the store has it.
fn base_artifacts(
    session: &Session,
    plan: &Plan,
    is_due: &dyn Fn(&Tag) -> Result<bool, Error>,
    artifacts: &mut Vec<Artifact>,
) -> Result<(), Error> {
    let store = session.store()?;
    for stage in &plan.stages {
        let Some((reference, target)) = &stage.base else { continue };
        if !is_due(&artifact::base_tag(&target.digest, &plan.platform))? {
            continue;
        }
        let Some(documents) = documents(store, target, &plan.platform)? else { continue };
        let config = documents.last().and_then(|text| ImageConfig::parse(text.as_bytes()).ok());
        let Some(config) = config else { continue };
        let facts = bundle::pack(store, &config.diff_ids(), Extent::IndexesAndTexts, &[])?;
        let title = format!("{} for {}", reference.familiar(), plan.platform);
        let label = Label { title: &title, now: session.environment.now };
        let artifact = Artifact::of_base(&target.digest, &plan.platform, documents, facts, &label);
        if let Some(artifact) = artifact
            && artifacts.iter().all(|known| known.tag != artifact.tag)
        {
            artifacts.push(artifact);
        }
    }
    Ok(())
}

/// Index, manifest and config of a base, in this order.
fn documents(
    store: &Store,
    target: &Descriptor,
    platform: &Platform,
) -> Result<Option<Vec<String>>, Error> {
    let mut documents = Vec::new();
    let mut at = target.clone();
    loop {
        if store.contains(&at.digest)?.is_none() {
            return Ok(None);
        }
        let manifest = store.read_manifest(&at)?;
        let Ok(text) = String::from_utf8(manifest.bytes().to_vec()) else { return Ok(None) };
        documents.push(text);
        match manifest {
            Manifest::Index(index) if documents.len() == 1 => match index.select(platform) {
                Some(chosen) => at = chosen.clone(),
                None => return Ok(None),
            },
            Manifest::Index(_) => return Ok(None),
            Manifest::Image(image) => {
                let config = image.config();
                if store.contains(&config.digest)?.is_none() {
                    return Ok(None);
                }
                let Ok(text) = String::from_utf8(store.read(config)?) else { return Ok(None) };
                documents.push(text);
                return Ok(Some(documents));
            }
        }
    }
}
