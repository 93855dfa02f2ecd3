//! What layers hold, read where a comparison lacks it.

use std::collections::BTreeMap;
use std::sync::Arc;

use difference::{Lack, Which};
use layer::{LayerIndex, Limits};
use oci::DiffId;

use super::super::documents::{Absent, Documents, Found};
use crate::build::BuildError;
use crate::error::Error;
use crate::session::Session;

/// The indexes of layers that were read.
pub(super) struct Indexes<'a> {
    pub(super) session: &'a Session,
    pub(super) known: BTreeMap<DiffId, Arc<LayerIndex>>,
}

impl Indexes<'_> {
    /// Reads what is lacking and to be had; whether something was.
    pub(super) fn read(
        &mut self,
        lacks: &[Lack],
        old: (&Found<'_>, &Documents),
        new: (&Found<'_>, &Documents),
        absent: Absent,
    ) -> Result<bool, Error> {
        let mut more = false;
        for lack in lacks {
            if self.known.contains_key(&lack.diff_id) {
                continue;
            }
            let image = match lack.side {
                Which::Old => old,
                Which::New => new,
            };
            if let Some(index) = self.index(lack, image, absent)? {
                self.known.insert(lack.diff_id, Arc::new(index));
                more = true;
            }
        }
        Ok(more)
    }

    /// The index of a layer: the store's own, or out of the layer itself.
    fn index(
        &self,
        lack: &Lack,
        (found, image): (&Found<'_>, &Documents),
        absent: Absent,
    ) -> Result<Option<LayerIndex>, Error> {
        let store = self.session.store()?;
        if let Some(bytes) = store.layer_index(&lack.diff_id)?
            && let Ok(index) = LayerIndex::from_bytes(&bytes)
        {
            return Ok(Some(index));
        }
        let Some(layer) = image.manifest.layers().get(lack.position) else { return Ok(None) };
        let Some(compression) = layer.media_type.layer_compression() else { return Ok(None) };
        let Some(blob) = found.layer(layer, absent, self.session)? else { return Ok(None) };
        let what = || format!("layer {} of `{}`", layer.digest, found.called);
        let limits = Limits::default();
        let tar = layer::decompress(blob, compression, &limits).and_then(layer::read_ahead);
        let tar = tar.map_err(|source| BuildError::Read { what: what(), source })?;
        let (index, diff_id) = LayerIndex::read(tar, &limits)
            .map_err(|source| BuildError::Tar { what: what(), source })?;
        if diff_id != lack.diff_id {
            let message = "its config claims another diff id than it has";
            let source = std::io::Error::new(std::io::ErrorKind::InvalidData, message);
            return Err(BuildError::Read { what: what(), source }.into());
        }
        store.record_layer_index(&diff_id, &index.to_bytes())?;
        Ok(Some(index))
    }
}
