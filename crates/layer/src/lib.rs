//! Entries to a deterministic, compressed layer, and back.
//!
//! - [`LayerWriter`] makes a tar of entries and their content, and of the tar a blob, compressed
//!   in parallel and hashed while it is written. The bytes depend on the entries, the contents and
//!   the [`Packing`], and on the streams of files that came [`Deflated`], and on nothing else.
//! - [`LayerIndex`] is what a layer holds, read from any layer that others made or taken from a
//!   plan: entries, with the digest of each file's content and its place in the tar.
//! - [`TarMembers`] are the members of any tar, one after the other.
//! - [`extract()`] streams files out of a layer's tar, [`open_archive`] the tar out of an archive.
//! - [`RootFs`] is the file system that layers make together.
//!
//! This crate reads and writes streams. It knows no files, registries or manifests.

mod ahead;
mod archive;
mod blocks;
mod decompress;
mod deflated;
mod entry;
mod error;
mod extract;
mod header;
mod index;
mod index_bytes;
mod limits;
mod members;
mod pack;
mod parts;
mod reuse;
mod root_fs;
mod threaded;
mod tree;
mod writer;

pub use ahead::{read_ahead, with_read_ahead};
pub use archive::{ArchiveCompression, detect_archive, open_archive, open_lzma};
pub use decompress::decompress;
pub use deflated::{Deflated, DeflatedPart, keeps_deflated};
pub use entry::{Attributes, Content, Entry, Node};
pub use error::{LayerError, Limit, Mismatch, TarError};
pub use extract::extract;
pub use index::{LayerIndex, LayerReading};
pub use limits::Limits;
pub use members::{Member as TarMember, Members as TarMembers};
pub use pack::{GzipLevel, Packing, ZstdLevel};
pub use parts::{Deflater, InflatedParts};
pub use reuse::{BlockList, EarlierBlob};
pub use root_fs::{Found, NotLoaded, ResolveError, Resolved, RootFs};
pub use writer::{LayerWriter, Packed};
