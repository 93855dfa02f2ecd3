//! Lays layers: what a plan says, out of the cache or into the store.

use std::collections::BTreeMap;

use image::Layer;
use layer::{LayerWriter, Node, Packing};
use oci::Digest;
use plan::{LayerSpec, Plan, PlannedLayer, Source};
use store::{CachedLayer, Store};

use super::contents::Contents;
use super::error::BuildError;
use super::threads;
use crate::error::{Doing, Error};
use crate::flags::CacheUse;
use crate::progress::{Outcome, Step};
use crate::session::Session;

/// Makes every layer of the plan's target exist, and says what each is called.
pub(super) fn lay(
    session: &Session,
    plan: &Plan,
    contents: &mut Contents<'_>,
    packing: Packing,
    cache: CacheUse,
) -> Result<Vec<Layer>, Error> {
    let mut layers = Vec::new();
    for planned in &plan.target().layers {
        layers.push(match planned {
            PlannedLayer::Base { descriptor, diff_id, .. } => {
                Layer { descriptor: descriptor.as_ref().clone(), diff_id: *diff_id }
            }
            PlannedLayer::New(spec) => match cached(session.store()?, spec, cache)? {
                Some(layer) => {
                    session.progress.at_once(title(spec), Outcome::Cached);
                    layer
                }
                None => write(session, spec, &plan.sources, contents, packing)
                    .doing(|| format!("lay `{}`", spec.title))?,
            },
        });
    }
    Ok(layers)
}

/// The layer that the cache has for a planned one.
pub(super) fn cached(
    store: &Store,
    spec: &LayerSpec,
    cache: CacheUse,
) -> Result<Option<Layer>, Error> {
    if cache == CacheUse::Ignore {
        return Ok(None);
    }
    let found = store.layer(&spec.key.0)?;
    Ok(found.map(|CachedLayer { descriptor, diff_id }| Layer { descriptor, diff_id }))
}

/// The first line of the instruction that a layer comes from.
fn title(spec: &LayerSpec) -> String {
    spec.title.lines().next().unwrap_or_default().to_owned()
}

fn write(
    session: &Session,
    spec: &LayerSpec,
    sources: &BTreeMap<Digest, Source>,
    contents: &mut Contents<'_>,
    packing: Packing,
) -> Result<Layer, Error> {
    let store = session.store()?;
    let step = session.progress.step(title(spec), Some(spec.content_bytes()));
    let wanted = wanted(spec, sources);
    contents.prepare(&wanted)?;
    let sink = store.scratch()?;
    let mut writer = LayerWriter::new(sink, packing, threads(session)).map_err(BuildError::from)?;
    for entry in spec.entries.entries() {
        match &entry.node {
            Node::File(content) if content.size > 0 => {
                let Some(source) = sources.get(&content.digest) else {
                    return Err(BuildError::Changed(entry.path.clone()).into());
                };
                let mut bytes = contents.open(&content.digest, source)?;
                writer.append(entry, Some(&mut bytes)).map_err(BuildError::from)?;
                step.add(content.size);
            }
            _ => writer.append(entry, None).map_err(BuildError::from)?,
        }
    }
    let (packed, sink) = writer.finish().map_err(BuildError::from)?;
    sink.commit_hashed(packed.descriptor.digest, packed.descriptor.size)?;
    remember(store, spec, &packed)?;
    finish(step);
    Ok(Layer { descriptor: packed.descriptor, diff_id: packed.diff_id })
}

fn finish(step: Step) {
    step.finish(Outcome::Done);
}

fn wanted<'a>(
    spec: &LayerSpec,
    sources: &'a BTreeMap<Digest, Source>,
) -> Vec<(Digest, &'a Source)> {
    let digests = spec.entries.entries().iter().filter_map(|entry| match &entry.node {
        Node::File(content) => Some(content.digest),
        _ => None,
    });
    digests.filter_map(|digest| Some((digest, sources.get(&digest)?))).collect()
}

/// Notes what the key stands for, and what the layer holds, for whoever builds on it.
fn remember(store: &Store, spec: &LayerSpec, packed: &layer::Packed) -> Result<(), Error> {
    let (descriptor, diff_id) = (packed.descriptor.clone(), packed.diff_id);
    store.record_layer(&spec.key.0, &CachedLayer { descriptor, diff_id })?;
    Ok(())
}
