//! Facts about layers in one compressed piece: what the layers hold, and the texts of small files in
//! them, so that no layer has to be fetched to be looked into.
//!
//! A fact is a letter for its kind, the digest that it is about, its length, and its bytes.

use std::io::Read;

use layer::{LayerIndex, Node};
use oci::{DiffId, Digest};
use store::Store;

use crate::build::gather::TEXT;
use crate::error::Error;

/// The effort that is made: a bundle is read more often than it is written.
const LEVEL: i32 = 9;
/// The largest bundle, unpacked.
const MOST_BYTES: u64 = 256 << 20;
/// The most facts.
const MOST_FACTS: usize = 65_536;
/// The digest that a fact is about, as text.
const DIGEST_LENGTH: usize = "sha256:".len() + 64;

/// A fact.
enum Fact {
    /// What a layer holds.
    Index(DiffId, Vec<u8>),
    /// A file's bytes.
    Text(Vec<u8>),
}

/// Packs what the store knows of `layers` and of their `texts`; nothing if it knows nothing.
pub(super) fn pack(
    store: &Store,
    layers: &[DiffId],
    texts: &[Digest],
) -> Result<Option<Vec<u8>>, Error> {
    let mut plain = Vec::new();
    for layer in layers {
        if let Some(index) = store.layer_index(layer)? {
            put(&mut plain, b'i', &layer.0, &index);
        }
    }
    for text in texts {
        if let Some(bytes) = store.fact(TEXT, text)? {
            put(&mut plain, b't', text, &bytes);
        }
    }
    if plain.is_empty() {
        return Ok(None);
    }
    // In memory, nothing can fail.
    Ok(zstd::encode_all(plain.as_slice(), LEVEL).ok())
}

fn put(plain: &mut Vec<u8>, kind: u8, about: &Digest, bytes: &[u8]) {
    plain.push(kind);
    plain.extend_from_slice(about.to_string().as_bytes());
    plain.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    plain.extend_from_slice(bytes);
}

/// Takes the facts of a bundle into the store; `None` if it is damaged, of which nothing is taken.
pub(super) fn unpack(store: &Store, bundle: &[u8], layers: &[DiffId]) -> Result<Option<()>, Error> {
    let Some(facts) = facts(bundle) else { return Ok(None) };
    for fact in facts {
        match fact {
            // Nobody is told about other layers than those that he asked for.
            Fact::Index(layer, bytes)
                if layers.contains(&layer) && !store.has_layer_index(&layer) =>
            {
                store.record_layer_index(&layer, &bytes)?;
            }
            Fact::Index(..) => {}
            Fact::Text(bytes) => store.record_fact(TEXT, &Digest::of(&bytes), &bytes)?,
        }
    }
    Ok(Some(()))
}

/// Whether all of a bundle can be read.
pub(super) fn is_whole(bundle: &[u8]) -> bool {
    facts(bundle).is_some()
}

fn facts(bundle: &[u8]) -> Option<Vec<Fact>> {
    let mut plain = Vec::new();
    let unpacked = zstd::Decoder::new(bundle).ok()?;
    unpacked.take(MOST_BYTES + 1).read_to_end(&mut plain).ok()?;
    if plain.len() as u64 > MOST_BYTES {
        return None;
    }
    let mut rest = plain.as_slice();
    let mut facts = Vec::new();
    while !rest.is_empty() && facts.len() < MOST_FACTS {
        let kind = *rest.split_off_first()?;
        let about = std::str::from_utf8(rest.split_off(..DIGEST_LENGTH)?).ok()?;
        let about: Digest = about.parse().ok()?;
        let length = u64::from_le_bytes(rest.split_off(..8)?.try_into().ok()?);
        let bytes = rest.split_off(..usize::try_from(length).ok()?)?.to_vec();
        facts.push(match kind {
            b'i' if is_index(&bytes) => Fact::Index(DiffId(about), bytes),
            b't' if Digest::of(&bytes) == about => Fact::Text(bytes),
            _ => return None,
        });
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
