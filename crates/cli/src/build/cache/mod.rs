//! The registry as everyone's cache: what came of a step is asked of the repositories that images
//! are pushed to, and put there with them.
//!
//! Only repositories that were configured are asked. What one says of a step is believed if it holds
//! together and the repository has the layers; anything else is passed over, and the step is planned
//! as if nothing had been there.

mod artifact;
mod bundle;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use futures_util::future::try_join_all;
use layer::{LayerIndex, Limits};
use oci::{Descriptor, DiffId, Digest, ImageConfig, Manifest, Platform, RepositoryName, Tag};
use plan::{Becomes, Packed, Plan, PlannedStep, RecalledLayer, StepKey, StepRecord};
use recipe::CacheNames;
use registry::{BlobBody, BlobSource, Observer, Publication};
use store::Store;

use super::base;
use super::gather::is_asked_for;
use super::recall;
use crate::error::Error;
use crate::flags::{BuildArguments, CacheUse, CacheVerification};
use crate::session::Session;
use artifact::{Artifact, Unusable};

/// The largest bundle of facts that is fetched.
const MOST_FACTS_BYTES: u64 = 64 << 20;

/// The repositories that are asked and told, and what was found in them.
pub(super) struct RegistryCache {
    from: Vec<RepositoryName>,
    to: Vec<RepositoryName>,
    verification: CacheVerification,
    /// Those that do not answer as they should are asked once.
    broken: BTreeSet<RepositoryName>,
    /// Where the facts about a layer are.
    facts: HashMap<DiffId, Facts>,
    /// What is there already.
    present: BTreeSet<(RepositoryName, Tag)>,
}

/// A bundle of facts, and the layers that it is about.
#[derive(Clone)]
struct Facts {
    repository: RepositoryName,
    bundle: Descriptor,
    layers: Arc<[DiffId]>,
}

impl RegistryCache {
    pub(super) fn of(arguments: &BuildArguments, recipe: &CacheNames) -> Self {
        let (mut from, to) = arguments.cache_repositories.with(recipe);
        if arguments.cache == CacheUse::Ignore {
            from.clear();
        }
        let (broken, facts, present) = Default::default();
        let verification = arguments.cache_verification;
        RegistryCache { from, to, verification, broken, facts, present }
    }

    /// What a repository says of a step, if it has all its layers.
    pub(super) fn step(
        &mut self,
        session: &Session,
        key: &StepKey,
    ) -> Result<Option<StepRecord>, Error> {
        let tag = artifact::step_tag(key);
        for repository in self.from.clone() {
            let Some(manifest) = self.read(session, &repository, &tag)? else { continue };
            let found = match artifact::read_step(&manifest, key) {
                Ok(found) => found,
                Err(problem) => {
                    self.pass_over(session, &repository, &tag, &problem);
                    continue;
                }
            };
            let record = found.document.record;
            let layers: Vec<&Packed> =
                record.layers.iter().filter_map(|layer| layer.packed.as_ref()).collect();
            if !has_all(session, &repository, &layers)? {
                continue;
            }
            let store = session.store()?;
            for packed in &layers {
                store.record_remote(&packed.descriptor.digest, &repository)?;
            }
            if self.verification == CacheVerification::Whole
                && let Some(problem) = recomputed(session, &layers)?
            {
                self.pass_over(session, &repository, &tag, &problem);
                continue;
            }
            let layers = layers.iter().map(|packed| packed.diff_id).collect();
            self.note_facts(&repository, found.facts, layers);
            self.present.insert((repository, tag));
            return Ok(Some(record));
        }
        Ok(None)
    }

    /// What was found of a step does not hold: another record takes its place.
    pub(super) fn drop_step(&mut self, key: &StepKey) {
        let tag = artifact::step_tag(key);
        self.present.retain(|(_, known)| *known != tag);
    }

    /// Takes a base's own documents into the store, if a repository has them.
    pub(super) fn base(
        &mut self,
        session: &Session,
        target: &Digest,
        platform: &Platform,
    ) -> Result<(), Error> {
        let tag = artifact::base_tag(target, platform);
        for repository in self.from.clone() {
            let Some(manifest) = self.read(session, &repository, &tag)? else { continue };
            match artifact::read_base(&manifest, target, platform) {
                Ok(found) => {
                    let documents = &found.document.documents;
                    let store = session.store()?;
                    for document in documents {
                        store.put(document.as_bytes())?;
                    }
                    let config =
                        documents.last().and_then(|text| ImageConfig::parse(text.as_bytes()).ok());
                    let layers = config.map(|config| config.diff_ids()).unwrap_or_default();
                    self.note_facts(&repository, found.facts, layers);
                    self.present.insert((repository, tag));
                    return Ok(());
                }
                Err(problem) => self.pass_over(session, &repository, &tag, &problem),
            }
        }
        Ok(())
    }

    /// Brings what a repository knows of a layer into the store.
    pub(super) fn facts(&mut self, session: &Session, layer: &DiffId) -> Result<(), Error> {
        let Some(Facts { repository, bundle, layers }) = self.facts.remove(layer) else {
            return Ok(());
        };
        if bundle.size > MOST_FACTS_BYTES {
            return Ok(());
        }
        let client = session.client()?;
        let mut bytes = Vec::new();
        let fetched =
            session.block_on(async { Ok(client.blob(&repository, &bundle, &mut bytes).await) })?;
        let taken = match fetched {
            Ok(()) => bundle::unpack(session.store()?, &bytes, &layers)?,
            Err(_) => None,
        };
        if taken.is_none() {
            let what =
                format!("the facts {} of {repository} cannot be read", bundle.digest.short());
            session.progress.warning(&format!("{what}; the layers are read instead"));
        }
        Ok(())
    }

    fn note_facts(
        &mut self,
        repository: &RepositoryName,
        bundle: Option<Descriptor>,
        layers: Vec<DiffId>,
    ) {
        let Some(bundle) = bundle else { return };
        let layers: Arc<[DiffId]> = layers.into();
        for layer in layers.iter() {
            let repository = repository.clone();
            let facts = Facts { repository, bundle: bundle.clone(), layers: Arc::clone(&layers) };
            self.facts.entry(*layer).or_insert(facts);
        }
    }

    fn read(
        &mut self,
        session: &Session,
        repository: &RepositoryName,
        tag: &Tag,
    ) -> Result<Option<Manifest>, Error> {
        if self.broken.contains(repository) {
            return Ok(None);
        }
        let client = session.client()?;
        let answer =
            session.block_on(async { Ok(client.manifest(repository, tag.clone()).await) })?;
        match answer {
            Ok(manifest) => Ok(Some(manifest)),
            Err(registry::Error::ManifestNotFound { .. }) => Ok(None),
            Err(error) => {
                self.broken.insert(repository.clone());
                let why = crate::report::chain(&Error::from(error));
                session.progress.warning(&format!("{repository} is no cache: {why}"));
                Ok(None)
            }
        }
    }

    fn pass_over(
        &self,
        session: &Session,
        repository: &RepositoryName,
        tag: &Tag,
        problem: &Unusable,
    ) {
        let message = format!("{repository}:{tag} is passed over: {problem}");
        session.progress.warning(&message);
    }
}

/// What is wrong with layers, by their bytes; what they hold is on record afterwards.
fn recomputed(session: &Session, layers: &[&Packed]) -> Result<Option<Unusable>, Error> {
    let store = session.store()?;
    for Packed { descriptor, diff_id } in layers {
        base::bring_known_layer(session, descriptor)?;
        let tar = base::open_layer(session, descriptor)?;
        let Ok((index, found)) = LayerIndex::read(tar, &Limits::default()) else {
            return Ok(Some(Unusable::Bytes));
        };
        if found != *diff_id {
            return Ok(Some(Unusable::Bytes));
        }
        store.record_layer_index(diff_id, &index.to_bytes())?;
    }
    Ok(None)
}

/// Whether a repository has layers, whole.
fn has_all(
    session: &Session,
    repository: &RepositoryName,
    layers: &[&Packed],
) -> Result<bool, Error> {
    let client = session.client()?;
    let asked = layers.iter().map(|packed| client.blob_size(repository, &packed.descriptor));
    let there = session.block_on(async { Ok(try_join_all(asked).await) })?;
    let Ok(sizes) = there else { return Ok(false) };
    let mut sizes = sizes.into_iter().zip(layers);
    Ok(sizes.all(|(size, packed)| size == Some(packed.descriptor.size)))
}

impl RegistryCache {
    /// Puts what came of the steps of `plans`, and what is known of their bases, where the images
    /// went. What fails is said, and is no failure of the build.
    pub(super) fn publish(&self, session: &Session, plans: &[Plan]) -> Result<(), Error> {
        if self.to.is_empty() {
            return Ok(());
        }
        let mut artifacts = Vec::new();
        for plan in plans {
            artifacts.extend(step_artifacts(session.store()?, plan)?);
            artifacts.extend(base_artifacts(session.store()?, plan)?);
        }
        for repository in &self.to {
            let missing: Vec<&Artifact> = artifacts
                .iter()
                .filter(|artifact| {
                    !self.present.contains(&(repository.clone(), artifact.tag.clone()))
                })
                .collect();
            if let Err(error) = put_all(session, repository, &missing) {
                let why = crate::report::chain(&error);
                session.progress.warning(&format!(
                    "{repository} keeps no cache: {why} (`--cache-to=none` does not try)"
                ));
            }
        }
        Ok(())
    }
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

fn step_artifacts(store: &Store, plan: &Plan) -> Result<Vec<Artifact>, Error> {
    let mut artifacts = Vec::new();
    for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
        let Some(key) = key_of(step) else { continue };
        let Some(record) = recall::recorded(store, &key)? else { continue };
        let layers: Vec<DiffId> = record.layers.iter().filter_map(diff_id).collect();
        let facts = bundle::pack(store, &layers, &[])?;
        artifacts.push(Artifact::of_step(key, record, facts));
    }
    Ok(artifacts)
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
fn base_artifacts(store: &Store, plan: &Plan) -> Result<Vec<Artifact>, Error> {
    let mut artifacts: Vec<Artifact> = Vec::new();
    for stage in &plan.stages {
        let Some((_, target)) = &stage.base else { continue };
        let Some(documents) = documents(store, target, &plan.platform)? else { continue };
        let config = documents.last().and_then(|text| ImageConfig::parse(text.as_bytes()).ok());
        let Some(config) = config else { continue };
        let layers = config.diff_ids();
        let texts = texts(store, &layers)?;
        let facts = bundle::pack(store, &layers, &texts)?;
        let artifact = Artifact::of_base(&target.digest, &plan.platform, documents, facts);
        if artifacts.iter().all(|known| known.tag != artifact.tag) {
            artifacts.push(artifact);
        }
    }
    Ok(artifacts)
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

/// The small files of layers that somebody who installs packages asks for.
fn texts(store: &Store, layers: &[DiffId]) -> Result<Vec<Digest>, Error> {
    let mut texts = BTreeSet::new();
    for layer in layers {
        let Some(bytes) = store.layer_index(layer)? else { continue };
        let Ok(index) = LayerIndex::from_bytes(&bytes) else { continue };
        texts.extend(index.entries().iter().filter_map(|entry| match &entry.node {
            layer::Node::File(content) if is_asked_for(&entry.path) => Some(content.digest),
            _ => None,
        }));
    }
    Ok(texts.into_iter().collect())
}
