//! Repositories that are gone with the process.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use oci::Digest;

use super::{Index, Storage, Upload};
use crate::Result;
use crate::answer::Content;
use crate::name::RepositoryPath;

/// Repositories in memory.
#[derive(Default)]
pub(crate) struct Memory(Arc<Mutex<BTreeMap<RepositoryPath, Repository>>>);

#[derive(Default)]
struct Repository {
    index: Index,
    blobs: HashMap<Digest, Bytes>,
}

struct Buffer {
    repositories: Arc<Mutex<BTreeMap<RepositoryPath, Repository>>>,
    bytes: Vec<u8>,
}

impl Memory {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<RepositoryPath, Repository>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Storage for Memory {
    fn repositories(&self) -> Result<Vec<RepositoryPath>> {
        Ok(self.lock().keys().cloned().collect())
    }

    fn index(&self, name: &RepositoryPath) -> Result<Option<Index>> {
        Ok(self.lock().get(name).map(|repository| repository.index.clone()))
    }

    fn set_index(&self, name: &RepositoryPath, index: &Index) -> Result<()> {
        self.lock().entry(name.clone()).or_default().index = index.clone();
        Ok(())
    }

    fn blob(&self, name: &RepositoryPath, digest: &Digest) -> Result<Option<Content>> {
        let repositories = self.lock();
        let found = repositories.get(name).and_then(|repository| repository.blobs.get(digest));
        Ok(found.cloned().map(Content::Bytes))
    }

    fn remove_blob(&self, name: &RepositoryPath, digest: &Digest) -> Result<bool> {
        let mut repositories = self.lock();
        let repository = repositories.get_mut(name);
        Ok(repository.is_some_and(|repository| repository.blobs.remove(digest).is_some()))
    }

    fn link_blob(
        &self,
        from: &RepositoryPath,
        to: &RepositoryPath,
        digest: &Digest,
    ) -> Result<bool> {
        let mut repositories = self.lock();
        let found = repositories.get(from).and_then(|repository| repository.blobs.get(digest));
        let Some(bytes) = found.cloned() else { return Ok(false) };
        repositories.entry(to.clone()).or_default().blobs.insert(*digest, bytes);
        Ok(true)
    }

    fn upload(&self) -> Result<Box<dyn Upload>> {
        Ok(Box::new(Buffer { repositories: self.0.clone(), bytes: Vec::new() }))
    }
}

impl Upload for Buffer {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn replay(&mut self, see: &mut dyn FnMut(&[u8])) -> Result<()> {
        see(&self.bytes);
        Ok(())
    }

    fn commit(self: Box<Self>, name: &RepositoryPath, digest: &Digest) -> Result<()> {
        let mut repositories = self.repositories.lock().unwrap_or_else(PoisonError::into_inner);
        let repository = repositories.entry(name.clone()).or_default();
        repository.blobs.insert(*digest, Bytes::from(self.bytes));
        Ok(())
    }
}
