//! Lays layers: what a plan says, out of the cache or into the store.

use std::collections::HashMap;
use std::os::unix::fs::FileExt;

use image::Layer;
use layer::{BlockList, EarlierBlob, LayerWriter, Node, Packed, Packing};
use oci::Digest;
use plan::{LayerKey, LayerSpec, Plan, PlannedLayer, RecalledLayer, Source};
use store::{CachedLayer, Store};

use super::contents::Contents;
use super::error::BuildError;
use super::inputs::Inputs;
use super::threads;
use crate::error::{Doing, Error};
use crate::flags::CacheUse;
use crate::progress::Outcome;
use crate::session::Session;

/// Makes every layer of the plan's target exist, and says what each is called. Of those that are
/// `elsewhere` that is known.
pub(super) fn lay(
    session: &Session,
    plan: &Plan,
    contents: &mut Contents<'_>,
    packing: Packing,
    cache: CacheUse,
    elsewhere: &HashMap<LayerKey, Layer>,
) -> Result<Vec<Layer>, Error> {
    let mut layers = Vec::new();
    for planned in &plan.target().layers {
        layers.push(match planned {
            PlannedLayer::Base { descriptor, diff_id, .. } => {
                Layer { descriptor: descriptor.as_ref().clone(), diff_id: *diff_id }
            }
            PlannedLayer::Recalled(layer, _) => {
                let plan::Packed { descriptor, diff_id } = packed(layer);
                let title = layer.title.lines().next().unwrap_or_default().to_owned();
                session.progress.at_once(title, Outcome::Cached);
                Layer { descriptor: descriptor.clone(), diff_id: *diff_id }
            }
            PlannedLayer::New(spec) => match cached(session.store()?, spec, cache)?
                .or_else(|| elsewhere.get(&spec.key).cloned())
            {
                Some(layer) => {
                    session.progress.at_once(title(spec), Outcome::Cached);
                    layer
                }
                None => write(session, spec, &plan.sources, contents, packing, cache)
                    .doing(|| format!("lay `{}`", spec.title))?,
            },
        });
    }
    Ok(layers)
}

/// What a layer of the target is that is on record.
fn packed(layer: &RecalledLayer) -> &plan::Packed {
    layer.packed.as_ref().expect("a plan's target has only layers that were packed")
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
    sources: &HashMap<Digest, Source>,
    contents: &mut Contents<'_>,
    packing: Packing,
    cache: CacheUse,
) -> Result<Layer, Error> {
    let store = session.store()?;
    let step = session.progress.step(title(spec), Some(spec.content_bytes()));
    contents.prepare_streams(&spec.streams)?;
    contents.prepare(&wanted(spec, sources))?;
    let sink = store.scratch()?;
    let threads = threads(session);
    let place = Place::of(contents.inputs(), spec);
    let earlier = match cache {
        CacheUse::Use => place.earlier(store)?,
        CacheUse::Ignore => None,
    };
    let writer = match earlier {
        Some(earlier) => LayerWriter::reusing(earlier, sink, packing, threads),
        None => LayerWriter::new(sink, packing, threads),
    };
    let mut writer = writer.map_err(BuildError::from)?;
    let refused = |error| BuildError::of_layer(spec, error);
    for entry in spec.entries.entries() {
        match &entry.node {
            Node::File(content) if spec.streams.contains_key(&entry.path) => {
                let mut stream = contents.open_packed(content, &spec.streams[&entry.path])?;
                writer.append_deflated(entry, stream.deflated()).map_err(refused)?;
                step.add(content.size);
            }
            Node::File(content) if content.size > 0 => {
                let Some(source) = sources.get(&content.digest) else {
                    return Err(BuildError::Changed(entry.path.clone()).into());
                };
                let mut bytes = contents.open(&content.digest, source)?;
                writer.append(entry, Some(&mut bytes)).map_err(refused)?;
                step.add(content.size);
            }
            _ => writer.append(entry, None).map_err(refused)?,
        }
    }
    let (packed, sink) = writer.finish().map_err(refused)?;
    sink.commit_hashed(packed.descriptor.digest, packed.descriptor.size)?;
    remember(store, spec, &packed)?;
    place.remember(store, &packed)?;
    step.finish(Outcome::Done);
    Ok(Layer { descriptor: packed.descriptor, diff_id: packed.diff_id })
}

/// The contents that are not taken over as they are packed: of the same content, several wheels may
/// be the source.
fn wanted<'a>(spec: &LayerSpec, sources: &'a HashMap<Digest, Source>) -> Vec<(Digest, &'a Source)> {
    let digests = spec.entries.entries().iter().filter_map(|entry| match &entry.node {
        Node::File(content) if !spec.streams.contains_key(&entry.path) => Some(content.digest),
        _ => None,
    });
    digests.filter_map(|digest| Some((digest, sources.get(&digest)?))).collect()
}

/// Notes what the key stands for, and what the layer holds, for whoever builds on it.
fn remember(store: &Store, spec: &LayerSpec, packed: &Packed) -> Result<(), Error> {
    let (descriptor, diff_id) = (packed.descriptor.clone(), packed.diff_id);
    store.record_layer(&spec.key.0, &CachedLayer { descriptor, diff_id })?;
    Ok(())
}

/// Where a layer stands from one build to the next, while its content changes: an instruction of
/// the recipe for a context. The last layer of the place lends its compressed blocks to the next.
struct Place(Digest);

impl Place {
    const KIND: &'static str = "blocks";

    fn of(inputs: &Inputs, spec: &LayerSpec) -> Self {
        Place(Digest::of(&[&inputs.place(), b"\0".as_slice(), spec.title.as_bytes()].concat()))
    }

    /// The blocks of the layer that was laid here last, if its blob is still there.
    fn earlier(&self, store: &Store) -> Result<Option<EarlierBlob>, Error> {
        let Some(record) = store.fact(Self::KIND, &self.0)? else { return Ok(None) };
        let Some(end) = record.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let digest = std::str::from_utf8(&record[..end]).ok().and_then(|text| text.parse().ok());
        let (Some(digest), Ok(blocks)) = (digest, BlockList::from_bytes(&record[end + 1..])) else {
            return Ok(None);
        };
        if store.contains(&digest)?.is_none() {
            return Ok(None);
        }
        let blob = store.open_blob(&digest)?;
        Ok(Some(EarlierBlob::new(blocks, move |buffer, at| blob.read_exact_at(buffer, at))))
    }

    fn remember(&self, store: &Store, packed: &Packed) -> Result<(), Error> {
        let mut record = format!("{}\n", packed.descriptor.digest).into_bytes();
        record.extend_from_slice(&packed.blocks.to_bytes());
        Ok(store.record_fact(Self::KIND, &self.0, &record)?)
    }
}
