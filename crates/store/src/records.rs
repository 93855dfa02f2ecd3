//! What earlier builds found out, kept to save finding it out again.
//!
//! A record is a file of its own that begins with a checksum over its kind, its key and its
//! content. It is renamed into place but not synced: after a power failure some records are gone,
//! and one that does not check counts as gone.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use oci::{Descriptor, DiffId, Digest, Digester, RepositoryName};
use serde::{Deserialize, Serialize};

use crate::blobs::mark_used;
use crate::scratch::{self, BeforeNaming};
use crate::{Store, StoreError};

/// A layer that was built before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CachedLayer {
    /// Its blob.
    pub descriptor: Descriptor,
    /// The digest of its uncompressed tar.
    pub diff_id: DiffId,
}

/// Layer key → [`CachedLayer`].
pub(crate) const LAYER: &str = "layer";
/// Diff id → layer index, in the layer crate's own form.
pub(crate) const LAYER_INDEX: &str = "layer-index";
/// Blob → the repositories that have it.
pub(crate) const SOURCES: &str = "sources";

/// The most that is read from a record's file.
const MAX_RECORD_BYTES: u64 = 512 * 1024 * 1024;

/// How many repositories are remembered for a blob; the newest stay.
const MAX_SOURCES: usize = 16;

impl Store {
    /// The layer that was built for `key`, if its blob is still here. This counts as its use.
    pub fn layer(&self, key: &Digest) -> Result<Option<CachedLayer>, StoreError> {
        let Some(cached) = self.layer_record(key)? else { return Ok(None) };
        if self.contains(&cached.descriptor.digest)? != Some(cached.descriptor.size) {
            return Ok(None);
        }
        drop(self.open_blob(&cached.descriptor.digest)?);
        Ok(Some(cached))
    }

    /// Remembers the layer that was built for `key`.
    pub fn record_layer(&self, key: &Digest, layer: &CachedLayer) -> Result<(), StoreError> {
        self.write_record(LAYER, key, &oci::json::to_bytes(layer))
    }

    /// The index of a layer, in the form in which it was recorded.
    pub fn layer_index(&self, layer: &DiffId) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_record(LAYER_INDEX, &layer.0)
    }

    /// Whether the index of a layer is on record.
    pub fn has_layer_index(&self, layer: &DiffId) -> bool {
        self.record_path(LAYER_INDEX, &layer.0).exists()
    }

    /// Remembers the index of a layer, be the layer itself here or not.
    pub fn record_layer_index(&self, layer: &DiffId, index: &[u8]) -> Result<(), StoreError> {
        self.write_record(LAYER_INDEX, &layer.0, index)
    }

    /// What was found out about `key`. A fact of another `kind` is another fact.
    pub fn fact(&self, kind: &'static str, key: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.read_record(&format!("fact-{kind}"), key)
    }

    /// Remembers something about `key`. `kind` is a lower-case word: it names a directory.
    pub fn record_fact(
        &self,
        kind: &'static str,
        key: &Digest,
        value: &[u8],
    ) -> Result<(), StoreError> {
        debug_assert!(kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        self.write_record(&format!("fact-{kind}"), key, value)
    }

    /// The repositories that are known to have the blob, the newest first.
    pub fn remote_sources(&self, digest: &Digest) -> Result<Vec<RepositoryName>, StoreError> {
        let bytes = self.read_record(SOURCES, digest)?.unwrap_or_default();
        let names: Vec<String> = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(names.iter().filter_map(|name| name.parse().ok()).collect())
    }

    /// Remembers that `repository` has the blob, so that an image may name it without its bytes.
    pub fn record_remote(
        &self,
        digest: &Digest,
        repository: &RepositoryName,
    ) -> Result<(), StoreError> {
        if self.remote_sources(digest)?.first() == Some(repository) {
            return Ok(());
        }
        let _alone = self.inner.lock_index()?;
        let mut sources = self.remote_sources(digest)?;
        sources.retain(|known| known != repository);
        sources.insert(0, repository.clone());
        sources.truncate(MAX_SOURCES);
        let names: Vec<String> = sources.iter().map(RepositoryName::to_string).collect();
        self.write_record(SOURCES, digest, &oci::json::to_bytes(&names))
    }

    /// The record of a layer, whether or not its blob is here.
    pub(crate) fn layer_record(&self, key: &Digest) -> Result<Option<CachedLayer>, StoreError> {
        let bytes = self.read_record(LAYER, key)?;
        Ok(bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()))
    }

    /// Makes what is known about the whereabouts of absent blobs outlive a power failure.
    pub(crate) fn sync_sources(&self, digests: &[Digest]) -> Result<(), StoreError> {
        for digest in digests {
            let path = self.record_path(SOURCES, digest);
            let synced = File::open(&path).and_then(|file| file.sync_data());
            synced.map_err(StoreError::io("sync", &path))?;
        }
        match digests {
            [] => Ok(()),
            _ => scratch::sync_directory(&self.records().join(SOURCES)),
        }
    }

    pub(crate) fn records(&self) -> PathBuf {
        self.inner.plywood("records")
    }

    pub(crate) fn record_path(&self, kind: &str, key: &Digest) -> PathBuf {
        self.records().join(kind).join(format!("{}-{}", key.algorithm().name(), key.hex()))
    }

    /// Reads a record, which counts as its use.
    pub(crate) fn read_record(
        &self,
        kind: &str,
        key: &Digest,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let Some((file, content)) = self.open_record(kind, key)? else { return Ok(None) };
        mark_used(&file);
        Ok(Some(content))
    }

    /// A record's file and content, if it checks.
    pub(crate) fn open_record(
        &self,
        kind: &str,
        key: &Digest,
    ) -> Result<Option<(File, Vec<u8>)>, StoreError> {
        let path = self.record_path(kind, key);
        let mut file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(StoreError::io("open", &path))?,
        };
        let mut checksum = [0; 32];
        let mut content = Vec::new();
        let size = file.metadata().map_or(0, |file| file.len());
        if size > MAX_RECORD_BYTES || file.read_exact(&mut checksum).is_err() {
            return Ok(None);
        }
        content.reserve_exact(size.saturating_sub(32) as usize);
        (&file)
            .take(MAX_RECORD_BYTES)
            .read_to_end(&mut content)
            .map_err(StoreError::io("read", &path))?;
        let is_whole = checksum_of(kind, key, &content) == checksum;
        Ok(is_whole.then_some((file, content)))
    }

    pub(crate) fn write_record(
        &self,
        kind: &str,
        key: &Digest,
        content: &[u8],
    ) -> Result<(), StoreError> {
        let mut bytes = checksum_of(kind, key, content).to_vec();
        bytes.extend_from_slice(content);
        let path = self.record_path(kind, key);
        scratch::replace(&self.inner, &path, &bytes, BeforeNaming::Nothing)
    }
}

/// The digest that a record's name stands for, if it is a record's name.
pub(crate) fn key_of(path: &Path) -> Option<Digest> {
    let name = path.file_name()?.to_str()?;
    name.replacen('-', ":", 1).parse().ok()
}

/// The files in a record directory, sorted.
pub(crate) fn record_files(directory: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(StoreError::io("list", directory))?,
    };
    let listed: Result<Vec<PathBuf>, std::io::Error> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect();
    let mut files = listed.map_err(StoreError::io("list", directory))?;
    files.sort();
    Ok(files)
}

/// Kind and key are part of it: a file under another's name does not check.
fn checksum_of(kind: &str, key: &Digest, content: &[u8]) -> [u8; 32] {
    let mut digester = Digester::sha256();
    digester.update(format!("{kind}\n{key}\n").as_bytes());
    digester.update(content);
    let mut checksum = [0; 32];
    checksum.copy_from_slice(digester.finish().as_bytes());
    checksum
}

#[cfg(test)]
mod tests {
    use oci::{Compression, MediaType};

    use super::*;

    fn open() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        (directory, store)
    }

    #[test]
    fn a_layer_is_a_hit_while_its_blob_is_here() {
        let (_directory, store) = open();
        let descriptor = Descriptor::of(MediaType::OciLayer(Compression::Gzip), b"layer");
        let cached = CachedLayer { descriptor, diff_id: DiffId(Digest::of(b"tar")) };
        let key = Digest::of(b"key");
        store.record_layer(&key, &cached).unwrap();
        assert_eq!(store.layer(&key).unwrap(), None, "the blob is not here yet");
        let blob = store.put(b"layer").unwrap();
        assert_eq!(store.layer(&key).unwrap(), Some(cached));
        fs::remove_file(store.inner.blob_path(&blob)).unwrap();
        assert_eq!(store.layer(&key).unwrap(), None);
    }

    #[test]
    fn what_does_not_check_is_not_there() {
        let (_directory, store) = open();
        let key = Digest::of(b"url");
        store.record_fact("etag", &key, b"value").unwrap();
        assert_eq!(store.fact("etag", &key).unwrap().as_deref(), Some(&b"value"[..]));
        assert_eq!(store.fact("size", &key).unwrap(), None);
        let path = store.record_path("fact-etag", &key);
        let good = fs::read(&path).unwrap();
        for length in 0..good.len() {
            fs::write(&path, &good[..length]).unwrap();
            assert_eq!(store.fact("etag", &key).unwrap(), None, "cut to {length}");
        }
        for place in 0..good.len() {
            let mut bad = good.clone();
            bad[place] ^= 0x20;
            fs::write(&path, &bad).unwrap();
            assert_eq!(store.fact("etag", &key).unwrap(), None, "changed at {place}");
        }
        let other = store.record_path("fact-etag", &Digest::of(b"other"));
        fs::write(&other, &good).unwrap();
        assert_eq!(store.fact("etag", &Digest::of(b"other")).unwrap(), None, "another's name");
    }

    #[test]
    fn sources_are_listed_newest_first() {
        let (_directory, store) = open();
        let digest = Digest::of(b"layer");
        let names = |store: &Store| {
            let sources = store.remote_sources(&digest).unwrap();
            sources.iter().map(RepositoryName::to_string).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&store), "");
        for name in ["localhost:5000/a", "debian", "localhost:5000/a"] {
            store.record_remote(&digest, &name.parse().unwrap()).unwrap();
        }
        assert_eq!(names(&store), "localhost:5000/a docker.io/library/debian");
    }
}
