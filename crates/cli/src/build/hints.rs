//! What a step asked for when it was planned, be it elsewhere: whoever does the same on another image
//! will ask for much the same. What of that the store knows is a fact before anybody asks, and so a
//! line is evaluated once, not once for each of its questions.
//!
//! Facts that go by digests are true wherever they are wanted; that nobody asks for one does no harm.
//! Packages are none of them: which of these a build asks for is what its lock pins.

use std::sync::Arc;

use debian::PackageIndex;
use oci::Digest;
use plan::{Facts, Plan};
use serde::{Deserialize, Serialize};
use store::Store;

use super::gather::Gatherer;
use super::packages;
use crate::error::Error;

/// The kind of fact that hints are, by the kind of step.
const HINTS: &str = "hints";
/// No step has more of a sort.
const MOST: usize = 16_384;

/// The kind of fact that something computed is.
const COMPUTED: &str = "computed";

/// What was asked for, by digest, and what was computed, by what it was computed from.
#[derive(Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Hints {
    texts: Vec<Digest>,
    elf: Vec<Digest>,
    lists: Vec<Digest>,
    computed: Vec<Digest>,
}

/// Makes facts of what the same kind of step asked for before, as far as it is known here.
pub(super) fn take(gatherer: &mut Gatherer<'_>, kind: &Digest) -> Result<(), Error> {
    let store = gatherer.session.store()?;
    let Some(bytes) = store.fact(HINTS, kind)? else { return Ok(()) };
    let Ok(hints) = serde_json::from_slice::<Hints>(&bytes) else { return Ok(()) };
    let Gatherer { facts, texts, .. } = gatherer;
    let wanted: Vec<Digest> = hints.texts.into_iter().take(MOST).collect();
    if !wanted.is_empty() {
        let bases = facts.bases.values().flat_map(|base| base.config.diff_ids());
        for layer in bases.chain(facts.indexes.keys().copied()) {
            texts.read(store, &layer)?;
        }
    }
    for digest in wanted {
        if !facts.texts.contains_key(&digest)
            && let Some(text) = texts.get(store, &digest)?
        {
            facts.texts.insert(digest, text);
        }
    }
    for digest in hints.elf.into_iter().take(MOST) {
        if let Some(elf) = packages::known_elf(store, &digest)? {
            facts.elf.insert(digest, elf);
        }
    }
    for digest in hints.lists.into_iter().take(MOST) {
        if !facts.package_indexes.contains_key(&digest)
            && let Some(list) = known_list(store, &digest)?
        {
            facts.package_indexes.insert(digest, Arc::new(list));
        }
    }
    for key in hints.computed.into_iter().take(MOST) {
        if let Some(bytes) = store.fact(COMPUTED, &key)? {
            facts.memory.learn(key, bytes.into());
        }
    }
    Ok(())
}

fn known_list(store: &Store, digest: &Digest) -> Result<Option<PackageIndex>, Error> {
    let bytes = store.fact(packages::INDEX, digest)?;
    Ok(bytes.and_then(|bytes| PackageIndex::from_bytes(&bytes).ok()))
}

/// Remembers what the steps of a plan asked for that were planned anew. Several steps of one plan
/// are remembered to have asked for the same: for all.
pub(super) fn remember(store: &Store, plan: &Plan, facts: &Facts) -> Result<(), Error> {
    let kinds = plan.stages.iter().flat_map(|stage| &stage.steps);
    let kinds: Vec<Digest> = kinds
        .filter(|step| !step.packages.is_empty())
        .filter_map(|step| step.trace.as_ref()?.kind)
        .collect();
    if kinds.is_empty() {
        return Ok(());
    }
    let lasting = facts.memory.lasting();
    for (key, bytes) in &lasting {
        if store.fact(COMPUTED, key)?.as_deref() != Some(bytes) {
            store.record_fact(COMPUTED, key, bytes)?;
        }
    }
    let hints = oci::json::to_bytes(&Hints {
        texts: sorted(facts.texts.keys()),
        elf: sorted(facts.elf.keys()),
        lists: sorted(facts.package_indexes.keys()),
        computed: sorted(lasting.iter().map(|(key, _)| key)),
    });
    for kind in kinds {
        store.record_fact(HINTS, &kind, &hints)?;
    }
    Ok(())
}

fn sorted<'d>(digests: impl Iterator<Item = &'d Digest>) -> Vec<Digest> {
    let mut digests: Vec<Digest> = digests.copied().collect();
    digests.sort_unstable();
    digests.truncate(MOST);
    digests
}
