//! Which of what an instruction lays shares a layer.
//!
//! A registry and a node keep whole layers, so a layer should change only with what is in it: the
//! large is laid alone, the small together. Who is with whom follows from names and sizes alone, so
//! that it is the same on every machine, and one thing that comes, goes or changes moves few layers.
//! The sizes that count double until the layers are few enough. That moves many layers at once, and
//! happens at few sizes only.

pub(crate) mod files;
pub(crate) mod packages;

use oci::Digest;

use crate::stage::StagePlanner;

/// How many layers an image gets at most, if nothing else is asked for. Docker takes 127, and each
/// costs every node that pulls the image a request and a mount.
const MAX_IMAGE_LAYERS: usize = 60;
/// An instruction gets some layers even on a base that has many.
const LEAST_LAYERS: usize = 4;

/// How many layers an instruction may take, with those in mind that are yet to come.
pub(crate) fn most_layers(planner: &StagePlanner<'_, '_>) -> usize {
    let taken = planner.state.tree.depth() + planner.layers_to_come;
    MAX_IMAGE_LAYERS.saturating_sub(taken).max(LEAST_LAYERS)
}

/// The first way to deal things out that makes `most` layers at most, one of them at least, from
/// `large` bytes on; nothing if there is none.
fn few_enough<T>(large: u64, most: usize, deal: impl Fn(u64) -> Vec<T>) -> Option<Vec<T>> {
    let sizes = std::iter::successors(Some(large), |large| large.checked_mul(2));
    sizes.map(deal).find(|groups| groups.len() <= most.max(1))
}

/// What decides where a name goes, and says nothing about it.
fn name_hash(name: &[u8]) -> u64 {
    let digest = Digest::of(name);
    let first = digest.as_bytes().first_chunk().copied();
    u64::from_be_bytes(first.unwrap_or_default())
}
