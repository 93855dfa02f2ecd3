//! Entries to a deterministic, compressed layer, and back.

mod entry;

pub use entry::{Attributes, Content, Entry, Node};
