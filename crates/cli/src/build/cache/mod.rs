//! The registry as everyone's cache: what came of a step is asked of the repositories that images
//! are pushed to, and put there with them.
//!
//! Only repositories that were configured are asked. What one says of a step is believed if it holds
//! together and the repository has the layers; anything else is passed over, and the step is planned
//! as if nothing had been there.

mod artifact;
mod bundle;
pub(crate) mod kept;
mod publish;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::slice;
use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use image::Layer;
use layer::{LayerIndex, Limits};
use oci::{
    Descriptor, DiffId, Digest, ImageConfig, ImageManifest, Manifest, Platform, RepositoryName, Tag,
};
use plan::{LayerKey, Packed, Plan, PlannedLayer, StepKey, StepRecord};
use recipe::CacheNames;

use super::base;
use super::lock::Pins;
use crate::error::Error;
use crate::flags::{BuildArguments, CacheUse, CacheVerification};
use crate::session::Session;
pub(crate) use artifact::RecordKind;
use artifact::Unusable;

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
    /// The layers of steps that did the same as steps of this build, by their keys.
    layers: HashMap<LayerKey, (RepositoryName, Packed)>,
    /// What is there already.
    present: BTreeSet<(RepositoryName, Tag)>,
    /// What of that is to be written anew, so that it does not look unused.
    stale: BTreeMap<(RepositoryName, Tag), ImageManifest>,
    /// What was looked for.
    sought: BTreeSet<(RepositoryName, Tag)>,
    /// Whether what is there counts.
    cache: CacheUse,
}

/// A bundle of facts, and the layers that it is about.
#[derive(Clone)]
struct Facts {
    repository: RepositoryName,
    bundle: Descriptor,
    layers: Arc<[DiffId]>,
}

impl RegistryCache {
    pub(super) fn of(session: &Session, arguments: &BuildArguments, recipe: &CacheNames) -> Self {
        let (mut from, to) = arguments.cache_repositories.with(recipe);
        if arguments.cache == CacheUse::Ignore || session.is_offline() {
            from.clear();
        }
        let (verification, cache) = (arguments.cache_verification, arguments.cache);
        let (broken, facts, layers) = Default::default();
        let (present, stale, sought) = Default::default();
        RegistryCache {
            from,
            to,
            verification,
            broken,
            facts,
            layers,
            present,
            stale,
            sought,
            cache,
        }
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
            self.is_there(session, repository, tag, &manifest);
            return Ok(Some(record));
        }
        Ok(None)
    }

    /// What was found of a step does not hold: another record takes its place.
    pub(super) fn drop_step(&mut self, key: &StepKey) {
        let tag = artifact::step_tag(key);
        self.present.retain(|(_, known)| *known != tag);
        self.stale.retain(|(_, known), _| *known != tag);
    }

    /// What was found is not put there again, and written anew if that is due.
    fn is_there(
        &mut self,
        session: &Session,
        repository: RepositoryName,
        tag: Tag,
        manifest: &Manifest,
    ) {
        let Manifest::Image(manifest) = manifest else { return };
        let now = session.environment.now;
        if artifact::is_stale(manifest, now) {
            let Some(renewed) = artifact::renewed(manifest, now) else { return };
            self.stale.insert((repository.clone(), tag.clone()), renewed);
        }
        self.present.insert((repository, tag));
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
                    self.is_there(session, repository, tag, &manifest);
                    return Ok(());
                }
                Err(problem) => self.pass_over(session, &repository, &tag, &problem),
            }
        }
        Ok(())
    }

    /// Learns from the last step that did the same: what its wheels become, and which layers it came
    /// to.
    pub(super) fn last(
        &mut self,
        session: &Session,
        pins: &Pins,
        kind: &Digest,
    ) -> Result<(), Error> {
        let tag = artifact::last_tag(kind);
        for repository in self.from.clone() {
            let Some(manifest) = self.read(session, &repository, &tag)? else { continue };
            let found = match artifact::read_last(&manifest, kind) {
                Ok(found) => found,
                Err(problem) => {
                    self.pass_over(session, &repository, &tag, &problem);
                    continue;
                }
            };
            let mut about = Vec::new();
            let has_packages = !found.document.record.packages.is_empty();
            for layer in found.document.record.layers {
                let is_pinned_otherwise = pins.contradicted(slice::from_ref(&layer)).is_some();
                let Some(packed) = layer.packed.filter(|_| !is_pinned_otherwise) else { continue };
                about.push(packed.diff_id);
                self.layers.insert(layer.key, (repository.clone(), packed));
            }
            // Of files there is nothing to be learned beside their layers.
            if let Some(bundle) = found.facts.filter(|_| has_packages) {
                take_facts(session, &Facts { repository, bundle, layers: about.into() })?;
            }
            return Ok(());
        }
        Ok(())
    }

    /// The layers of a plan that steps which did the same came to, as far as repositories have them.
    pub(super) fn layers(
        &self,
        session: &Session,
        plan: &Plan,
    ) -> Result<HashMap<LayerKey, Layer>, Error> {
        let store = session.store()?;
        let mut wanted = Vec::new();
        for layer in &plan.target().layers {
            if let PlannedLayer::New(spec) = layer
                && let Some((repository, packed)) = self.layers.get(&spec.key)
                && store.layer(&spec.key.0)?.is_none()
            {
                wanted.push((spec.key, repository, packed));
            }
        }
        if wanted.is_empty() {
            return Ok(HashMap::new());
        }
        let client = session.client()?;
        let asked = wanted
            .iter()
            .map(|(_, repository, packed)| client.blob_size(repository, &packed.descriptor));
        let sizes = session.block_on(async { Ok(join_all(asked).await) })?;
        let mut layers = HashMap::new();
        for ((key, repository, packed), size) in wanted.into_iter().zip(sizes) {
            let is_there = size.is_ok_and(|size| size == Some(packed.descriptor.size));
            if !is_there || self.is_wrong(session, packed)? {
                continue;
            }
            store.record_remote(&packed.descriptor.digest, repository)?;
            let (descriptor, diff_id) = (packed.descriptor.clone(), packed.diff_id);
            layers.insert(key, Layer { descriptor, diff_id });
        }
        Ok(layers)
    }

    /// Whether a layer was looked at, and is another.
    fn is_wrong(&self, session: &Session, packed: &Packed) -> Result<bool, Error> {
        match self.verification {
            CacheVerification::Whole => Ok(recomputed(session, &[packed])?.is_some()),
            CacheVerification::Presence => Ok(false),
        }
    }

    /// Brings what a repository knows of a layer into the store.
    pub(super) fn facts(&mut self, session: &Session, layer: &DiffId) -> Result<(), Error> {
        match self.facts.remove(layer) {
            Some(facts) => take_facts(session, &facts),
            None => Ok(()),
        }
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
        self.sought.insert((repository.clone(), tag.clone()));
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

/// Fetches a bundle of facts, and takes them into the store. What goes wrong is said, and no more.
fn take_facts(session: &Session, facts: &Facts) -> Result<(), Error> {
    let Facts { repository, bundle, layers } = facts;
    if bundle.size > MOST_FACTS_BYTES {
        return Ok(());
    }
    let client = session.client()?;
    let mut bytes = Vec::new();
    let fetched =
        session.block_on(async { Ok(client.blob(repository, bundle, &mut bytes).await) })?;
    let taken = match fetched {
        Ok(()) => bundle::unpack(session.store()?, &bytes, layers)?,
        Err(_) => None,
    };
    if taken.is_none() {
        let what = format!("the facts {} of {repository} cannot be read", bundle.digest.short());
        session.progress.warning(&format!("{what}; what they are about is read instead"));
    }
    Ok(())
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
pub(super) fn has_all(
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
