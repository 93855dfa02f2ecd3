//! Facts in one compressed piece: what layers hold, and the texts of small files in them, so that no
//! layer has to be fetched to be looked into; what wheels become, so that no wheel has to be.

use layer::{LayerIndex, Node};
use oci::{DiffId, Digest};
use store::Store;

use crate::build::wheels::kept;
use crate::build::{pieces, texts};
use crate::error::Error;

/// The texts in it are compressed already.
const LEVEL: i32 = 3;
/// The largest bundle, unpacked.
const MOST_BYTES: u64 = 256 << 20;
/// The most facts.
const MOST_FACTS: usize = 65_536;

/// What a layer holds.
const INDEX: u8 = b'i';
/// The texts of a layer.
const TEXTS: u8 = b't';
/// What a wheel becomes.
const WHEEL: u8 = b'w';

/// What a bundle tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// What the layers hold.
    Indexes,
    /// The texts of files in them, too.
    IndexesAndTexts,
}

/// A fact, and what it is about.
struct Fact<'a> {
    kind: u8,
    about: Digest,
    bytes: &'a [u8],
}

/// Packs what the store knows of `layers`, and of the installations of wheels that have these keys;
/// nothing if it knows nothing.
pub(super) fn pack(
    store: &Store,
    layers: &[DiffId],
    extent: Extent,
    wheels: &[Digest],
) -> Result<Option<Vec<u8>>, Error> {
    let mut plain = Vec::new();
    for key in wheels {
        if let Some(installation) = kept::packed(store, key)? {
            pieces::put(&mut plain, WHEEL, key, &installation);
        }
    }
    for layer in layers {
        if let Some(index) = store.layer_index(layer)? {
            pieces::put(&mut plain, INDEX, &layer.0, &index);
        }
        if extent == Extent::IndexesAndTexts
            && let Some(texts) = texts::packed(store, layer)?
        {
            pieces::put(&mut plain, TEXTS, &layer.0, &texts);
        }
    }
    if plain.is_empty() {
        return Ok(None);
    }
    // In memory, nothing can fail.
    Ok(zstd::encode_all(plain.as_slice(), LEVEL).ok())
}

/// Takes the facts of a bundle into the store; `None` if it is damaged, of which nothing is taken.
pub(super) fn unpack(store: &Store, bundle: &[u8], layers: &[DiffId]) -> Result<Option<()>, Error> {
    let plain = pieces::decompress(bundle, MOST_BYTES);
    let Some(facts) = plain.as_deref().and_then(facts) else { return Ok(None) };
    for Fact { kind, about, bytes } in facts {
        let layer = DiffId(about);
        match kind {
            WHEEL => kept::take(store, &about, bytes)?,
            // Nobody is told about other layers than those that he asked for.
            _ if !layers.contains(&layer) => {}
            TEXTS => texts::take(store, &layer, bytes)?,
            _ if !store.has_layer_index(&layer) => store.record_layer_index(&layer, bytes)?,
            _ => {}
        }
    }
    Ok(Some(()))
}

/// Whether all of a bundle can be read.
pub(super) fn is_whole(bundle: &[u8]) -> bool {
    pieces::decompress(bundle, MOST_BYTES).is_some_and(|plain| facts(&plain).is_some())
}

/// The facts of a bundle, if each of them is one.
fn facts(plain: &[u8]) -> Option<Vec<Fact<'_>>> {
    let mut rest = plain;
    let mut facts = Vec::new();
    while !rest.is_empty() && facts.len() < MOST_FACTS {
        let (kind, about, bytes) = pieces::take(&mut rest)?;
        match kind {
            INDEX if is_index(bytes) => {}
            TEXTS if texts::is_right(bytes) => {}
            WHEEL if kept::is_right(bytes) => {}
            _ => return None,
        }
        facts.push(Fact { kind, about, bytes });
    }
    Some(facts)
}

/// Whether these are the bytes of an index of a layer that exists.
fn is_index(bytes: &[u8]) -> bool {
    LayerIndex::from_bytes(bytes).is_ok_and(|index| {
        let mut files = index.entries().iter().enumerate();
        files.all(|(at, entry)| !matches!(entry.node, Node::File(_)) || index.offset(at).is_some())
    })
}
