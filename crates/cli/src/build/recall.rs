//! Steps on record: an instruction that was planned before is not planned again, as long as its
//! layers are to be had and the world still says what it was asked then.

use std::collections::HashMap;
use std::sync::Arc;

use debian::Proxy;
use image::Layer;
use oci::Digest;
use plan::{
    Facts, FetchKey, LayerKey, Packed, Plan, PlannedLayer, PlannedStep, Read, Recall,
    RecalledLayer, StepKey, StepRecord,
};
use serde::{Deserialize, Serialize};
use store::Store;

use super::error::BuildError;
use super::gather::Gatherer;
use super::lock::{Pins, is_same_answer};
use super::{cache, download, wheels};
use crate::error::Error;
use crate::flags::{BuildArguments, CacheUse, Explanation};
use crate::session::Session;

/// The kind of fact that a record is.
const STEP: &str = "step";
/// The kind of fact that is of use to steps of the same kind.
const USES: &str = "step-uses";

/// What of a step is of use to one that does the same: what it does, if its layers or its wheels can
/// be those of another, and the wheels that it installed, by the keys of their installations.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Uses {
    pub(super) kind: Option<Digest>,
    pub(super) installations: Vec<Digest>,
}

/// Whether a build takes steps from the records. Whoever wants an explanation wants them evaluated.
pub(super) fn of(arguments: &BuildArguments) -> Recall {
    match (arguments.cache, arguments.explanation) {
        (CacheUse::Use, Explanation::Spared) => Recall::WhereKnown,
        _ => Recall::Never,
    }
}

/// What is on record of a step and still holds.
pub(super) fn find(
    gatherer: &mut Gatherer<'_>,
    key: &StepKey,
) -> Result<Option<Arc<StepRecord>>, Error> {
    let session = gatherer.session;
    let store = session.store()?;
    if let Some(record) = recorded(store, key)?
        && are_at_hand(session, &record.layers)?
        && all_hold(gatherer, &record)?
    {
        return Ok(Some(Arc::new(record)));
    }
    let Some(record) = gatherer.registry_cache.step(session, key)? else { return Ok(None) };
    if let Some(title) = gatherer.pins.contradicted(&record.layers) {
        let message = format!(
            "what is on record of `{title}` is passed over: the lock has another layer for it"
        );
        session.progress.warning(&message);
        gatherer.registry_cache.drop_step(key);
        return Ok(None);
    }
    if !all_hold(gatherer, &record)? {
        gatherer.registry_cache.drop_step(key);
        return Ok(None);
    }
    record_step(store, key, &record)?;
    Ok(Some(Arc::new(record)))
}

/// What is on record here of a step. A damaged record, or one of another release, is none.
pub(super) fn recorded(store: &Store, key: &StepKey) -> Result<Option<StepRecord>, Error> {
    let record = store.fact(STEP, &key.0)?;
    Ok(record.and_then(|record| serde_json::from_slice(&record).ok()))
}

/// Whether layers are here, or still in the repository where they were seen last. With no network
/// they are believed to be.
fn are_at_hand(session: &Session, layers: &[RecalledLayer]) -> Result<bool, Error> {
    let store = session.store()?;
    let mut absent = Vec::new();
    for packed in layers.iter().filter_map(|layer| layer.packed.as_ref()) {
        if store.contains(&packed.descriptor.digest)? != Some(packed.descriptor.size) {
            absent.push(packed);
        }
    }
    let Some(first) = absent.first() else { return Ok(true) };
    let sources = store.remote_sources(&first.descriptor.digest)?;
    if session.is_offline() {
        return Ok(!sources.is_empty());
    }
    for repository in sources {
        if cache::has_all(session, &repository, &absent)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether the world and the lock say what a record says.
fn all_hold(gatherer: &mut Gatherer<'_>, record: &StepRecord) -> Result<bool, Error> {
    for read in &record.reads {
        if !still_holds(gatherer, read)? {
            return Ok(false);
        }
    }
    // Last, since these are pinned then.
    Ok(gatherer.pins.hold_packages(&record.packages))
}

/// Whether the world still says so. What it says is a fact from here on; what goes wrong goes wrong
/// again when the step is planned, which knows its place.
fn still_holds(gatherer: &mut Gatherer<'_>, read: &Read) -> Result<bool, Error> {
    match read {
        Read::Download { url, content } => {
            if let Some(holds) = gatherer.pins.holds_download(url, *content) {
                return Ok(holds);
            }
            let fetched = download::fetch(gatherer, url, url, None);
            let Ok(download) = fetched else { return Ok(false) };
            let holds = download.content == *content;
            gatherer.facts.downloads.insert(url.clone(), download);
            Ok(holds)
        }
        Read::Fetch { url, title, content } => {
            let fetch = debian::Fetch {
                title: title.clone(),
                url: url.clone(),
                sha256: None,
                size: None,
                login: None,
                proxy: Proxy::Environment,
            };
            if let Some(holds) = gatherer.pins.holds_archive(&fetch, *content) {
                return Ok(holds);
            }
            let key = FetchKey::of(&fetch);
            let fetched = gatherer.fetch_all(vec![(Box::new(fetch), 0..0)]);
            Ok(fetched.is_ok() && gatherer.facts.fetches.get(&key) == Some(content))
        }
        Read::List { .. } => Ok(true),
        // An answer is good until what was asked changes.
        Read::Resolution { platform, request, resolution } => {
            if let Some(holds) = gatherer.pins.holds_answer(platform, request, resolution) {
                return Ok(holds);
            }
            let known = wheels::known(gatherer.session.store()?, request)?;
            Ok(known.is_none_or(|known| is_same_answer(&known, resolution)))
        }
    }
}

/// Puts the steps that were planned anew on record, and what the layers hold that were laid.
pub(super) fn remember(
    store: &Store,
    pins: &Pins,
    plan: &Plan,
    facts: &Facts,
    layers: &[Layer],
) -> Result<(), Error> {
    let mut packed: HashMap<LayerKey, Packed> = HashMap::new();
    for (planned, layer) in plan.target().layers.iter().zip(layers) {
        let Layer { descriptor, diff_id } = layer.clone();
        if let PlannedLayer::New(spec) = planned {
            if !store.has_layer_index(&diff_id) {
                let index = spec.entries.written().map_err(|e| BuildError::of_layer(spec, e))?;
                store.record_layer_index(&diff_id, &index.to_bytes())?;
            }
            packed.insert(spec.key, Packed { descriptor, diff_id });
        }
    }
    for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
        if let Some((key, mut record)) = step.record(|key| packed.get(key).cloned()) {
            record.packages = record.packages.into_iter().map(|it| pins.sized(it)).collect();
            record.say_digests();
            record_step(store, &key, &record)?;
            record_uses(store, step, &record, facts)?;
        }
    }
    Ok(())
}

/// What of a step that was planned here is of use to others, if anything is.
pub(super) fn uses_of(store: &Store, key: &StepKey) -> Result<Option<Uses>, Error> {
    let uses = store.fact(USES, &key.0)?;
    Ok(uses.and_then(|uses| serde_json::from_slice(&uses).ok()))
}

fn record_uses(
    store: &Store,
    step: &PlannedStep,
    record: &StepRecord,
    facts: &Facts,
) -> Result<(), Error> {
    let Some(trace) = &step.trace else { return Ok(()) };
    let is_of_step = |wheel: &Digest| record.packages.iter().any(|it| it.digest == *wheel);
    let known = facts.installations.iter().filter(|(_, known)| is_of_step(&known.wheel));
    let mut installations: Vec<Digest> = known.map(|(key, _)| wheels::kept::key_of(key)).collect();
    // Of one layer alone, nothing is left where something of it is another.
    if installations.is_empty() && record.layers.len() < 2 {
        return Ok(());
    }
    installations.sort_unstable();
    let uses = Uses { kind: trace.kind, installations };
    Ok(store.record_fact(USES, &trace.key.0, &oci::json::to_bytes(&uses))?)
}

fn record_step(store: &Store, key: &StepKey, record: &StepRecord) -> Result<(), Error> {
    Ok(store.record_fact(STEP, &key.0, &oci::json::to_bytes(record))?)
}
