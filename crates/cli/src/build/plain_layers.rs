//! Base layers whose files are read in one round of planning after the other: such a layer is
//! decompressed once for all of them, to a nameless file beside the store, in which each of its
//! files has its place.

use std::collections::HashMap;
use std::fs::File;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex, PoisonError};

use layer::{LayerIndex, Node};
use oci::{DiffId, Digester};

use super::error::BuildError;
use super::scratch_directory;
use crate::error::Error;
use crate::session::Session;

/// A larger layer is gone through anew each time.
const LARGEST: u64 = 2 << 30;

/// The layers of one build that were gone through.
#[derive(Debug, Default)]
pub(super) struct PlainLayers(Mutex<HashMap<DiffId, Option<Arc<File>>>>);

impl PlainLayers {
    /// The layer's tar, if it is worth a file: this is not the first time that its files are read.
    ///
    /// `open` gives the tar, and `what` names it in errors.
    pub(super) fn of(
        &self,
        session: &Session,
        diff_id: DiffId,
        index: &LayerIndex,
        what: &str,
        open: impl FnOnce() -> Result<Box<dyn Read + Send>, Error>,
    ) -> Result<Option<Arc<File>>, Error> {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match known.get(&diff_id) {
            Some(Some(file)) => return Ok(Some(Arc::clone(file))),
            Some(None) if size(index) <= LARGEST => {}
            _ => {
                known.insert(diff_id, None);
                return Ok(None);
            }
        }
        let directory = scratch_directory(session)?;
        let file = tempfile::tempfile_in(&directory).map_err(Error::writing(&directory))?;
        let found = copy(open()?, &file, what)?;
        if found != diff_id {
            let source = std::io::Error::other("it is not what it was when it was read before");
            return Err(BuildError::Read { what: what.to_owned(), source }.into());
        }
        let file = Arc::new(file);
        known.insert(diff_id, Some(Arc::clone(&file)));
        Ok(Some(file))
    }
}

fn size(index: &LayerIndex) -> u64 {
    let sizes = index.entries().iter().map(|entry| match &entry.node {
        Node::File(content) => content.size.saturating_add(1024),
        _ => 512,
    });
    sizes.fold(0, u64::saturating_add)
}

fn copy(mut tar: impl Read, mut file: &File, what: &str) -> Result<DiffId, Error> {
    let mut digester = Digester::sha256();
    let mut buffer = vec![0; 256 << 10];
    loop {
        let read = tar.read(&mut buffer);
        let read = read.map_err(|source| BuildError::Read { what: what.to_owned(), source })?;
        if read == 0 {
            return Ok(DiffId(digester.finish()));
        }
        digester.update(&buffer[..read]);
        let path = "the store's scratch space".into();
        let written = file.write_all(&buffer[..read]);
        written.map_err(|source| BuildError::Write { path, source })?;
    }
}
