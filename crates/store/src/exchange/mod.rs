//! Images in and out of the store: OCI layouts, `oci-archive` and `docker-archive`.
//!
//! What is written depends on the images alone. What is read is somebody else's: every blob is
//! verified against the digest that names it, nothing is unpacked under a name from an archive,
//! and the store takes in either all that the chosen images need or nothing.

mod docker;
mod intake;
mod layout;
mod read_archive;
mod write_archive;

use oci::{Descriptor, Digest, Reference};

use crate::images::stored_name;

pub use layout::{read_layout, write_layout};
pub use read_archive::read_archive;
pub use write_archive::{ArchiveFormat, save_archive, write_archive};

/// The annotation in which containerd and Docker keep an image's full name; their `ref.name` is
/// often the tag alone.
const CONTAINERD_NAME: &str = "io.containerd.image.name";

/// An image to be written, and the name that it gets there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Export {
    /// The name, if it is to have one: a full reference, or in a layout also a bare tag, written
    /// to `org.opencontainers.image.ref.name` as it is.
    pub name: Option<String>,
    /// Its manifest or index.
    pub image: Descriptor,
}

impl Export {
    /// An image under its full name, or under none.
    pub fn of(reference: Option<&Reference>, image: Descriptor) -> Self {
        Export { name: reference.map(stored_name), image }
    }

    /// The name as a reference, unless it is a bare tag.
    fn reference(&self) -> Option<Reference> {
        let name = self.name.as_deref().filter(|name| name.contains('/'))?;
        name.parse().ok()
    }
}

/// Which images are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// All that are listed.
    All,
    /// The one of this name: as it is written there, or as a reference that means the same.
    Name(String),
    /// The one with this digest.
    Digest(Digest),
}

/// An image whose blobs are in the store now. It is not listed until it is
/// [tagged](crate::Store::tag) or [added](crate::Store::add).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The name that it had, as it was written there.
    pub name: Option<String>,
    /// Its manifest or index.
    pub image: Descriptor,
}

impl Imported {
    /// The name as a reference, unless it is a bare word: `latest` is a tag and not a repository.
    pub fn reference(&self) -> Option<Reference> {
        let name = self.name.as_deref().filter(|name| name.contains([':', '/', '@']))?;
        name.parse().ok()
    }
}

impl Wanted {
    /// Whether an image with this name and digest is meant.
    fn matches(&self, name: Option<&str>, digest: &Digest) -> bool {
        match self {
            Wanted::All => true,
            Wanted::Digest(wanted) => wanted == digest,
            Wanted::Name(wanted) => {
                let full = |text: &str| text.parse().ok().map(Reference::or_latest);
                name.is_some_and(|name| {
                    name == wanted || (full(name).is_some() && full(name) == full(wanted))
                })
            }
        }
    }
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Wanted::All => f.write_str("any image"),
            Wanted::Name(name) => f.write_str(name),
            Wanted::Digest(digest) => digest.fmt(f),
        }
    }
}
