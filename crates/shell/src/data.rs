//! Bytes of files and pipes: at hand, or named by digest and left where they are.
//!
//! A file of the base is copied, moved or piped without its bytes: they are asked for only by a
//! command that looks at them. So `curl … | tar xz` holds nothing.

use std::sync::Arc;

use layer::Content;
use oci::{Digest, ImagePath};

use crate::files::VolumeId;
use crate::limits::Budget;
use crate::outside::Outside;
use crate::stop::Stop;

/// The bytes of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// At hand.
    Inline(Arc<Vec<u8>>),
    /// Named.
    Stored(Stored),
}

/// Bytes that are elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Which.
    pub content: Content,
    /// Where they can be had.
    pub origin: Arc<Origin>,
}

/// Where bytes can be had that are named by digest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// In a layer below.
    Below {
        /// The file system.
        volume: VolumeId,
        /// The layer, counted from the lowest.
        layer: usize,
        /// The file in that layer.
        path: ImagePath,
    },
    /// At a URL.
    Download {
        /// The address.
        url: String,
    },
    /// In an archive, whose own bytes are among [`Outcome::archives`](crate::Outcome::archives).
    Member {
        /// The archive.
        archive: Digest,
        /// The file in it.
        path: ImagePath,
    },
    /// In a package, which the caller knows by the digest of its file.
    Package {
        /// The package.
        package: Digest,
        /// The file, as the package names it.
        path: ImagePath,
    },
    /// The caller, whose own program made the file, knows.
    Given,
}

/// What flows: pieces, each at hand or named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stream {
    pieces: Vec<Data>,
}

impl Data {
    /// No bytes.
    pub fn empty() -> Self {
        Data::Inline(Arc::default())
    }

    /// These bytes.
    pub fn of(bytes: impl Into<Vec<u8>>) -> Self {
        Data::Inline(Arc::new(bytes.into()))
    }

    /// How many bytes there are.
    pub fn size(&self) -> u64 {
        match self {
            Data::Inline(bytes) => bytes.len() as u64,
            Data::Stored(stored) => stored.content.size,
        }
    }

    /// The content that these bytes are.
    pub fn content(&self) -> Content {
        match self {
            Data::Inline(bytes) => Content::of(bytes),
            Data::Stored(stored) => stored.content,
        }
    }

    /// The bytes, asked for if they are not at hand.
    pub fn bytes(&self, outside: &dyn Outside, budget: &mut Budget) -> Result<Arc<[u8]>, Stop> {
        match self {
            Data::Inline(bytes) => Ok(Arc::from(&bytes[..])),
            Data::Stored(stored) if stored.content.size == 0 => Ok(Arc::from(&[][..])),
            Data::Stored(stored) => {
                budget.hold(usize::try_from(stored.content.size).unwrap_or(usize::MAX))?;
                outside.bytes(stored)
            }
        }
    }
}

impl Stream {
    /// A stream of one piece.
    pub fn of(data: Data) -> Self {
        let mut stream = Stream::default();
        stream.push(data);
        stream
    }

    /// More of it.
    pub fn push(&mut self, data: Data) {
        if data.size() == 0 {
            return;
        }
        if let (Some(Data::Inline(last)), Data::Inline(more)) = (self.pieces.last_mut(), &data) {
            Arc::make_mut(last).extend_from_slice(more);
        } else {
            self.pieces.push(data);
        }
    }

    /// More of it, at hand.
    pub fn write(&mut self, bytes: &[u8]) {
        if let Some(Data::Inline(last)) = self.pieces.last_mut() {
            Arc::make_mut(last).extend_from_slice(bytes);
        } else if !bytes.is_empty() {
            self.pieces.push(Data::of(bytes));
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// The pieces, in order; none is empty.
    pub fn into_pieces(self) -> Vec<Data> {
        self.pieces
    }

    /// All of it as one, joined only if it is several.
    pub fn into_data(mut self, outside: &dyn Outside, budget: &mut Budget) -> Result<Data, Stop> {
        match self.pieces.len() {
            0 => Ok(Data::empty()),
            1 => Ok(self.pieces.remove(0)),
            _ => {
                let mut all = Vec::new();
                for piece in &self.pieces {
                    all.extend_from_slice(&piece.bytes(outside, budget)?);
                }
                Ok(Data::of(all))
            }
        }
    }
}
