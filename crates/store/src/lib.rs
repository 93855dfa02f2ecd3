//! What lies at rest: blobs by digest, images by name, and what earlier builds found out.
//!
//! A store is a directory, and the directory *is* an OCI image layout (image-spec
//! `image-layout.md`), so that skopeo, umoci and others read it as it stands. What only plywood
//! needs lies beside it:
//!
//! ```text
//! ROOT/oci-layout             the layout's version
//! ROOT/index.json             the images; a name is in `org.opencontainers.image.ref.name`
//! ROOT/blobs/ALGORITHM/HEX    the blobs
//! ROOT/plywood/version        the version of what lies below `plywood/`, written last
//! ROOT/plywood/locks/index    held while `index.json` or a list of sources is rewritten
//! ROOT/plywood/locks/use      shared by whoever has the store open, exclusive to who deletes
//! ROOT/plywood/scratch/N/     one directory a process, locked while it lives
//! ROOT/plywood/partial/       downloads that broke off
//! ROOT/plywood/records/KIND/  what was found out: layer keys, layer indexes, facts, sources, builds
//! ```
//!
//! Three rules keep it whole, whatever is killed whenever:
//!
//! - Nothing is named before it is complete: a blob and `index.json` are written to scratch,
//!   synced, and renamed.
//! - Nothing is pointed to before it is safe: an image is recorded after the directories that hold
//!   its blobs are synced, and after each of its blobs was seen here or is known to be elsewhere.
//! - What can be found out again is not synced but carries a checksum: a record that does not
//!   check is a record that is not there.
//!
//! This crate knows no network, reads no clock and no environment, and does not look into layers.

mod blobs;
mod builds;
mod contents;
mod error;
pub mod exchange;
mod images;
mod incoming;
mod lock;
mod prune;
mod reach;
mod records;
mod scratch;
mod store;

pub use builds::Build;
pub use contents::{KeptBlob, KeptFile, KeptRecord};
pub use error::StoreError;
pub use images::{Listed, REF_NAME, Removed};
pub use incoming::{Incoming, Turn};
pub use prune::{PrunePolicy, Pruned, Spared};
pub use records::CachedLayer;
pub use scratch::Scratch;
pub use store::Store;
