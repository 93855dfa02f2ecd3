//! One way to write JSON: what is hashed is what is sent.
//!
//! Compact, UTF-8, in the order in which the value holds its keys. Everything this program writes
//! is built in a fixed key order, and maps from people (labels, annotations) are `BTreeMap`s, so
//! equal values give equal bytes.

use serde::Serialize;

/// The bytes of `value`, compact, as they will be hashed and sent.
///
/// # Panics
/// Never for this crate's types: none has a map whose keys are not strings, or a failing
/// serialiser.
pub fn to_bytes<T: Serialize + ?Sized>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).expect("OCI documents have string keys only")
}
