//! The store's directory: making it, opening it, and who may use it at the same time.

use std::fs::{self, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oci::Digest;
use serde::{Deserialize, Serialize};

use crate::StoreError;
use crate::lock::Locked;
use crate::scratch::{self, BeforeNaming, ScratchDirectory};

/// The version of what lies below `plywood/`. A change that an older program would misread raises
/// it.
const FORMAT: u64 = 1;

/// The layout's version (image-spec `image-layout.md`, "oci-layout file").
pub(crate) const LAYOUT_VERSION: &str = "1.0.0";

/// An open store. See the [crate's documentation](crate) for what it is on disk.
///
/// While it is open, no other process deletes what lies in it, so that what was seen stays.
#[derive(Debug)]
pub struct Store {
    pub(crate) inner: Arc<Inner>,
}

/// What a store shares with the files that are being written to it.
#[derive(Debug)]
pub(crate) struct Inner {
    root: PathBuf,
    /// The lock on `locks/use`: shared, or exclusive while something is deleted.
    in_use: Locked,
    scratch: Mutex<Option<Arc<ScratchDirectory>>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct LayoutFile {
    pub(crate) image_layout_version: String,
}

impl Store {
    /// Opens the store in `root`, and makes it if there is none.
    ///
    /// An OCI layout that another program made becomes a store; a directory that holds anything
    /// else is refused. Waits while another process deletes from the store.
    ///
    /// ```
    /// # let directory = tempfile::tempdir().unwrap();
    /// let store = store::Store::open(&directory.path().join("store")).unwrap();
    /// let digest = store.put(b"hello").unwrap();
    /// assert_eq!(store.contains(&digest).unwrap(), Some(5));
    /// ```
    pub fn open(root: &Path) -> Result<Store, StoreError> {
        match read_format(root)? {
            Some(FORMAT) => {}
            Some(found) if found > FORMAT => {
                let path = root.to_owned();
                return Err(StoreError::NewerFormat { path, found, supported: FORMAT });
            }
            _ => create(root)?,
        }
        let inner = Inner::new(root)?;
        scratch::sweep(&inner.scratch_root());
        Ok(Store { inner: Arc::new(inner) })
    }

    /// The store's directory.
    pub fn root(&self) -> &Path {
        &self.inner.root
    }

    /// Does `work` while no other process has the store open, and no other thread writes to it.
    pub(crate) fn alone<T>(
        &mut self,
        work: impl FnOnce(&Store) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let busy = || StoreError::Busy { path: self.inner.root.clone() };
        // Each file that is being written holds a share of `inner`.
        if Arc::strong_count(&self.inner) > 1 {
            return Err(busy());
        }
        let path = self.inner.plywood("locks/use");
        let lock = &self.inner.in_use;
        // What others do between the two locks is no matter: nothing has been looked at yet.
        lock.unlock().map_err(StoreError::io("unlock", &path))?;
        let result = match lock.try_lock() {
            Ok(()) => work(self),
            Err(TryLockError::WouldBlock) => Err(busy()),
            Err(TryLockError::Error(source)) => Err(StoreError::io("lock", &path)(source)),
        };
        lock.unlock().map_err(StoreError::io("unlock", &path))?;
        lock.lock_shared().map_err(StoreError::io("lock", &path))?;
        result
    }
}

impl Inner {
    fn new(root: &Path) -> Result<Inner, StoreError> {
        let path = root.join("plywood/locks/use");
        let in_use = Locked::open(&path)?;
        in_use.lock_shared().map_err(StoreError::io("lock", &path))?;
        Ok(Inner { root: root.to_owned(), in_use, scratch: Mutex::new(None) })
    }

    /// A path among plywood's own files.
    pub(crate) fn plywood(&self, path: &str) -> PathBuf {
        self.root.join("plywood").join(path)
    }

    /// Where the blob `digest` lies (image-spec `image-layout.md`, "Blobs").
    pub(crate) fn blob_path(&self, digest: &Digest) -> PathBuf {
        blob_path(&self.root, digest)
    }

    pub(crate) fn blob_directories(&self) -> Result<Vec<PathBuf>, StoreError> {
        subdirectories(&self.root.join("blobs"))
    }

    fn scratch_root(&self) -> PathBuf {
        self.plywood("scratch")
    }

    /// This process's scratch directory, made when it is first needed.
    pub(crate) fn scratch_directory(&self) -> Result<Arc<ScratchDirectory>, StoreError> {
        let mut scratch = self.scratch.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = &*scratch {
            return Ok(Arc::clone(directory));
        }
        let directory = Arc::new(ScratchDirectory::create(&self.scratch_root())?);
        Ok(Arc::clone(scratch.insert(directory)))
    }

    /// Waits for the lock on what is read, changed and written back; freed when dropped.
    pub(crate) fn lock_index(&self) -> Result<Locked, StoreError> {
        let path = self.plywood("locks/index");
        let lock = Locked::open(&path)?;
        lock.lock().map_err(StoreError::io("lock", &path))?;
        Ok(lock)
    }
}

/// Where the blob `digest` lies in the layout at `root`.
pub(crate) fn blob_path(root: &Path, digest: &Digest) -> PathBuf {
    root.join("blobs").join(digest.algorithm().name()).join(digest.hex())
}

/// The directories directly below `path`, sorted; none if there is no `path`.
pub(crate) fn subdirectories(path: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        other => other.map_err(StoreError::io("list", path))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("list", path))?;
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.push(entry.path());
        }
    }
    found.sort();
    Ok(found)
}

/// The version that the store in `root` says it has; none if there is no store yet.
fn read_format(root: &Path) -> Result<Option<u64>, StoreError> {
    let path = root.join("plywood/version");
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // A file where a directory should be: `create` says so in better words.
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Ok(None),
        other => other.map_err(StoreError::io("read", &path))?,
    };
    // The number is the first line's first word; a later version may say more.
    match text.split_whitespace().next().map(str::parse) {
        Some(Ok(version)) => Ok(Some(version)),
        _ => {
            let problem = "its `plywood/version` is not a number";
            Err(StoreError::NotAStore { path: root.to_owned(), problem })
        }
    }
}

/// Makes the parts that are missing. The version comes last: a store that has it has all of them.
fn create(root: &Path) -> Result<(), StoreError> {
    refuse_foreign(root)?;
    for directory in ["plywood/locks", "plywood/scratch", "plywood/partial", "blobs/sha256"] {
        let path = root.join(directory);
        fs::create_dir_all(&path).map_err(StoreError::io("create", &path))?;
    }
    let inner = Arc::new(Inner::new(root)?);
    let _alone = inner.lock_index()?;
    let directories = [root.join("plywood"), root.join("blobs")];
    let layout = LayoutFile { image_layout_version: LAYOUT_VERSION.to_owned() };
    let index = crate::images::IndexFile::default();
    for (name, bytes) in [
        ("oci-layout", oci::json::to_bytes(&layout)),
        ("index.json", oci::json::to_bytes(&index)),
        ("plywood/version", format!("{FORMAT}\n").into_bytes()),
    ] {
        let path = root.join(name);
        let before: &[PathBuf] = if name == "plywood/version" { &directories } else { &[] };
        // Another process may have been here between the first look and the lock.
        if !path.exists() {
            scratch::replace(&inner, &path, &bytes, BeforeNaming::Sync(before))?;
        }
    }
    Ok(())
}

/// A store is made in a new or empty directory, in an OCI layout, or where one was begun.
fn refuse_foreign(root: &Path) -> Result<(), StoreError> {
    let refuse = |problem| Err(StoreError::NotAStore { path: root.to_owned(), problem });
    let entries = match fs::read_dir(root) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
            return refuse("it is not a directory");
        }
        other => other.map_err(StoreError::io("list", root))?,
    };
    let path = root.join("oci-layout");
    match fs::read(&path) {
        Ok(bytes) => {
            return match serde_json::from_slice::<LayoutFile>(&bytes) {
                Ok(layout) if layout.image_layout_version == LAYOUT_VERSION => Ok(()),
                Ok(_) => refuse("its OCI layout is of another version than 1.0.0"),
                Err(source) => Err(StoreError::Document { path, source }),
            };
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(StoreError::io("read", &path)(source)),
    }
    for entry in entries {
        let name = entry.map_err(StoreError::io("list", root))?.file_name();
        // `lost+found`: the directory may be a file system of its own.
        if !["plywood", "blobs", "lost+found"].iter().any(|ours| name == *ours) {
            return refuse("it holds other files");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(root: &Path) -> String {
        let error = Store::open(root).unwrap_err();
        let message = error.to_string().replace(&root.display().to_string(), "ROOT");
        format!("{message}; hint: {}", error.hint().unwrap_or_default())
    }

    #[test]
    fn is_an_oci_layout() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("a/b");
        drop(Store::open(&root).unwrap());
        drop(Store::open(&root).unwrap());
        let text = |name: &str| fs::read_to_string(root.join(name)).unwrap();
        insta::assert_snapshot!(text("oci-layout"), @r#"{"imageLayoutVersion":"1.0.0"}"#);
        insta::assert_snapshot!(text("index.json"), @r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[]}"#);
        assert_eq!(text("plywood/version"), "1\n");
        assert_eq!(fs::read_dir(root.join("plywood/scratch")).unwrap().count(), 0);
    }

    #[test]
    fn refused() {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path();
        fs::write(root.join("letter.txt"), "hello").unwrap();
        insta::assert_snapshot!(refusal(root), @"use `ROOT` as a store: it holds other files; hint: name an empty or a new directory");
        fs::remove_file(root.join("letter.txt")).unwrap();
        fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"2.0.0"}"#).unwrap();
        insta::assert_snapshot!(refusal(root), @"use `ROOT` as a store: its OCI layout is of another version than 1.0.0; hint: name an empty or a new directory");
        assert_eq!(fs::read_dir(root).unwrap().count(), 1, "nothing was left behind");
        fs::remove_file(root.join("oci-layout")).unwrap();
        drop(Store::open(root).unwrap());
        fs::write(root.join("plywood/version"), "2 of the next year\n").unwrap();
        insta::assert_snapshot!(refusal(root), @"use the store `ROOT`: its format is version 2, and this program knows up to 1; hint: use a newer plywood, or choose another store; the blobs themselves stay readable as an OCI layout");
        fs::write(root.join("plywood/version"), "x").unwrap();
        insta::assert_snapshot!(refusal(root), @"use `ROOT` as a store: its `plywood/version` is not a number; hint: name an empty or a new directory");
        insta::assert_snapshot!(refusal(&root.join("oci-layout")), @"use `ROOT` as a store: it is not a directory; hint: name an empty or a new directory");
    }

    #[test]
    fn what_a_dead_process_left_is_cleared() {
        let directory = tempfile::tempdir().unwrap();
        let alive = Store::open(directory.path()).unwrap();
        let scratch = alive.scratch().unwrap();
        let dead = directory.path().join("plywood/scratch/1-0");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("0"), "half").unwrap();
        drop(Store::open(directory.path()).unwrap());
        assert!(!dead.exists());
        assert_eq!(fs::read_dir(directory.path().join("plywood/scratch")).unwrap().count(), 1);
        fs::create_dir(alive.scratch_space().unwrap().join("checkout")).unwrap();
        scratch.commit_hashed(Digest::of(b""), 0).unwrap();
        assert_eq!(alive.contains(&Digest::of(b"")).unwrap(), Some(0));
        drop(alive);
        assert_eq!(fs::read_dir(directory.path().join("plywood/scratch")).unwrap().count(), 0);
    }
}
