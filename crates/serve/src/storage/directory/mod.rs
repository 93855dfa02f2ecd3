//! Repositories as OCI image layouts, one a directory: `ROOT/NAME/{oci-layout,index.json,blobs}`.
//!
//! Other programs read them where they lie, with the registry running or not. Nothing appears under
//! its name before it is whole: files are written below `ROOT/.uploads` and renamed, and what a
//! killed process left there is removed by the next one. One process at a time serves a root.

mod lock;
mod names;
mod scratch;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use oci::Digest;

use self::lock::Lock;
use self::scratch::Scratch;
use super::{Index, Storage, Upload};
use crate::answer::Content;
use crate::name::RepositoryPath;
use crate::{Error, Result};

const LAYOUT: &str = "oci-layout";
const INDEX: &str = "index.json";
const BLOBS: &str = "blobs";

/// The only version of layouts that there is (image-spec `image-layout.md`, "oci-layout file").
const LAYOUT_FILE: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// The largest `index.json` that is read.
const MAX_INDEX_BYTES: u64 = 256 * 1024 * 1024;

/// Repositories in a directory.
pub(crate) struct Directory(Arc<Root>);

struct Root {
    path: PathBuf,
    /// Held while a repository is made.
    making: Mutex<()>,
    _lock: Lock,
}

struct Incoming {
    root: Arc<Root>,
    scratch: Scratch,
}

impl Directory {
    /// Opens a directory, which is made if it is not there, and removes unfinished uploads.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        fs::create_dir_all(path).map_err(Error::file("make", path))?;
        let path = path.canonicalize().map_err(Error::file("open", path))?;
        let lock = Lock::take(&path)?;
        let uploads = path.join(scratch::DIRECTORY);
        match fs::remove_dir_all(&uploads) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::file("clear", &uploads)(error));
            }
            _ => fs::create_dir(&uploads).map_err(Error::file("make", &uploads))?,
        }
        Ok(Directory(Arc::new(Root { path, making: Mutex::new(()), _lock: lock })))
    }
}

impl Root {
    fn repository(&self, name: &RepositoryPath) -> PathBuf {
        names::place(&self.path, name)
    }

    fn blob(&self, name: &RepositoryPath, digest: &Digest) -> PathBuf {
        let blobs = self.repository(name).join(BLOBS);
        blobs.join(digest.algorithm().name()).join(digest.hex())
    }

    fn scratch(&self) -> Result<Scratch> {
        Scratch::create(&self.path)
    }

    /// Makes the layout of a repository and the folder of this kind of digest. The file that makes
    /// it a layout comes last.
    fn make(&self, name: &RepositoryPath, digest: &Digest) -> Result<()> {
        let directory = self.repository(name);
        let blobs = directory.join(BLOBS).join(digest.algorithm().name());
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        fs::create_dir_all(&blobs).map_err(Error::file("make", &blobs))?;
        let layout = directory.join(LAYOUT);
        if layout.exists() {
            return Ok(());
        }
        self.replace(&directory.join(INDEX), &oci::json::to_bytes(&Index::default()))?;
        self.replace(&layout, LAYOUT_FILE)
    }

    /// A reader finds the old bytes or the new ones.
    fn replace(&self, path: &Path, bytes: &[u8]) -> Result<()> {
        let mut scratch = self.scratch()?;
        scratch.append(bytes)?;
        scratch.rename_to(path)
    }
}

impl Storage for Directory {
    fn repositories(&self) -> Result<Vec<RepositoryPath>> {
        let mut found = names::below(&self.0.path, LAYOUT)?;
        found.sort();
        Ok(found)
    }

    fn index(&self, name: &RepositoryPath) -> Result<Option<Index>> {
        let directory = self.0.repository(name);
        if !directory.join(LAYOUT).exists() {
            return Ok(None);
        }
        let path = directory.join(INDEX);
        let size = fs::metadata(&path).map_err(Error::file("read", &path))?.len();
        if size > MAX_INDEX_BYTES {
            return Err(Error::file("read", &path)(io::ErrorKind::FileTooLarge.into()));
        }
        let bytes = fs::read(&path).map_err(Error::file("read", &path))?;
        match serde_json::from_slice(&bytes) {
            Ok(index) => Ok(Some(index)),
            Err(source) => Err(Error::Document { path, source }),
        }
    }

    fn set_index(&self, name: &RepositoryPath, index: &Index) -> Result<()> {
        self.0.make(name, &Digest::of(b""))?;
        let path = self.0.repository(name).join(INDEX);
        self.0.replace(&path, &oci::json::to_bytes(index))
    }

    fn blob(&self, name: &RepositoryPath, digest: &Digest) -> Result<Option<Content>> {
        let path = self.0.blob(name, digest);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if is_absence(&error) => return Ok(None),
            Err(error) => return Err(Error::file("open", &path)(error)),
        };
        let length = file.metadata().map_err(Error::file("read", &path))?.len();
        Ok(Some(Content::File(file, length)))
    }

    fn remove_blob(&self, name: &RepositoryPath, digest: &Digest) -> Result<bool> {
        let path = self.0.blob(name, digest);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(error) if is_absence(&error) => Ok(false),
            Err(error) => Err(Error::file("remove", &path)(error)),
        }
    }

    fn link_blob(
        &self,
        from: &RepositoryPath,
        to: &RepositoryPath,
        digest: &Digest,
    ) -> Result<bool> {
        let (source, target) = (self.0.blob(from, digest), self.0.blob(to, digest));
        if !source.exists() {
            return Ok(false);
        }
        self.0.make(to, digest)?;
        match fs::hard_link(&source, &target) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(true),
            // Removed a moment ago.
            Err(error) if is_absence(&error) => Ok(false),
            // No hard links on this file system, or no more to this file.
            Err(_) => {
                let mut file = File::open(&source).map_err(Error::file("open", &source))?;
                let mut scratch = self.0.scratch()?;
                scratch.copy_from(&mut file)?;
                scratch.rename_to(&target)?;
                Ok(true)
            }
        }
    }

    fn upload(&self) -> Result<Box<dyn Upload>> {
        Ok(Box::new(Incoming { root: self.0.clone(), scratch: self.0.scratch()? }))
    }
}

impl Upload for Incoming {
    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.scratch.append(bytes)
    }

    fn replay(&mut self, see: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.scratch.replay(see)
    }

    fn commit(self: Box<Self>, name: &RepositoryPath, digest: &Digest) -> Result<()> {
        let Incoming { root, scratch } = *self;
        root.make(name, digest)?;
        scratch.rename_to(&root.blob(name, digest))
    }
}

/// Whether there is no such file; a file where a directory would be is another kind of absence.
fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
mod tests;
