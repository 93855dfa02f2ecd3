//! What the store keeps beside images, to be looked at: a look is no use, and `prune` goes by use.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::SystemTime;

use oci::Digest;

use crate::prune::{Aged, remove};
use crate::{Store, StoreError};

/// A record and when it was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptRecord {
    /// Of what kind it is: the name of its directory, such as `layer`, or `fact-` and a fact's kind.
    pub kind: String,
    /// What it is about.
    pub key: Digest,
    /// The bytes of its file.
    pub size: u64,
    /// When it was last used.
    pub used: SystemTime,
}

/// A blob and when it was last used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptBlob {
    /// Its digest, by its name.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
    /// When it was last used.
    pub used: SystemTime,
}

/// A file that is neither a record nor a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptFile {
    /// Its bytes.
    pub size: u64,
    /// When it was last used.
    pub used: SystemTime,
}

impl Store {
    /// All records, by kind and key.
    pub fn kept_records(&self) -> Result<Vec<KeptRecord>, StoreError> {
        let records = self.all_records()?.into_iter();
        let kept = records.map(|(kind, key, Aged { size, used, .. })| KeptRecord {
            kind,
            key,
            size,
            used,
        });
        Ok(kept.collect())
    }

    /// What a record says; `None` if it does not check, which is as if it were not there.
    pub fn peek(&self, record: &KeptRecord) -> Result<Option<Vec<u8>>, StoreError> {
        let opened = self.open_record(&record.kind, &record.key)?;
        Ok(opened.map(|(_, content)| content))
    }

    /// All blobs, by digest.
    pub fn kept_blobs(&self) -> Result<Vec<KeptBlob>, StoreError> {
        let blobs = self.all_blobs()?.into_iter();
        let kept = blobs.map(|(digest, Aged { size, used, .. })| KeptBlob { digest, size, used });
        Ok(kept.collect())
    }

    /// What the images of the store consist of, named or not, be it here or elsewhere.
    ///
    /// # Errors
    /// Besides what goes wrong in reading, an image whose documents are damaged: what it needs
    /// cannot be told.
    pub fn blobs_of_images(&self) -> Result<BTreeSet<Digest>, StoreError> {
        Ok(self.reached_by_all()?.digests)
    }

    /// What clients keep of what servers answered, see [`Store::answers`].
    pub fn kept_servers_answers(&self) -> Result<Vec<KeptFile>, StoreError> {
        let files = self.kept_answers()?.into_iter();
        Ok(files.map(|Aged { size, used, .. }| KeptFile { size, used }).collect())
    }

    /// A file of a program that lies beside the records, if there is one.
    pub fn kept_file(&self, name: &'static str) -> Option<KeptFile> {
        Aged::read(self.inner.plywood(name)).map(|Aged { size, used, .. }| KeptFile { size, used })
    }

    /// Deletes records and blobs that were found to be damaged. An image that has one of the blobs
    /// lacks it from here on, and says where it can be had.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process has the store open.
    pub fn discard(&mut self, records: &[KeptRecord], blobs: &[Digest]) -> Result<(), StoreError> {
        self.alone(|store| {
            let paths = records.iter().map(|record| store.record_path(&record.kind, &record.key));
            let paths = paths.chain(blobs.iter().map(|digest| store.blob_path(digest)));
            paths.collect::<Vec<PathBuf>>().iter().try_for_each(|path| remove(path))
        })
    }
}
