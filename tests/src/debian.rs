//! Debian for tests: an archive that stays as it is, bases made out of it, apt at work in a root of
//! them, and what it leaves as a listing that can be compared.
//!
//! Real apt and dpkg run here as judges, and only in a root of their own ([`Workshop`]).

mod archive;
mod bases;
mod comparison;
mod key;
mod listing;
mod original;
mod recording;
mod small;
pub(crate) mod upstream;
mod workshop;

pub use archive::Archive;
pub use bases::{Base, aged, fresh, minbase, slim, with_python};
pub use comparison::{Allowed, Difference, Excuse, Half, ListingComparison};
pub use key::ArchiveKey;
pub use listing::{Item, Listing, What};
pub use original::Original;
pub use small::{Publication, SmallArchive};
pub use workshop::Workshop;
