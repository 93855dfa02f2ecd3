//! What discovery may look at: a root file system, and the text of some of its files.

use std::collections::HashMap;
use std::sync::Arc;

use layer::{Content, NotLoaded, RootFs};
use oci::{Digest, ImagePath};

/// A root file system that may not be known to the last byte.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The layers, some of which may not have been read yet.
    pub root: &'a RootFs,
    /// The bytes of files, as far as they were asked for.
    pub texts: &'a HashMap<Digest, Arc<[u8]>>,
}

/// What has to be found out before the question can be answered; then it is asked again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The entries of a layer.
    Layer(NotLoaded),
    /// The bytes of a file.
    Text {
        /// The layer that holds it, counted from the lowest.
        layer: usize,
        /// Where it is in that layer.
        path: ImagePath,
        /// Its content.
        content: Content,
    },
}

impl From<NotLoaded> for Missing {
    fn from(missing: NotLoaded) -> Self {
        Missing::Layer(missing)
    }
}
