//! Files on their way into the store: written under no name that anyone looks for, synced, and
//! only then renamed to where they belong.
//!
//! Each process has a scratch directory of its own in the store's file system, and holds a lock on
//! it. When the process is gone, so is the lock, and the next one to open the store clears up.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Seek, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use oci::Digest;

use crate::StoreError;
use crate::lock::Locked;
use crate::store::Inner;

/// A file on its way to becoming a blob, for a writer that computes the digest itself.
///
/// Dropped before it is committed, it leaves nothing behind. For bytes from elsewhere, which have
/// to be verified, there is [`Store::incoming`](crate::Store::incoming).
#[derive(Debug)]
pub struct Scratch {
    file: Locked,
    written: u64,
    /// Up to where the disk was told to begin.
    begun: u64,
    name: ScratchName,
}

/// How much is written before the disk is told to begin with it.
const WRITEBACK_BYTES: u64 = 8 * 1024 * 1024;

impl Scratch {
    pub(crate) fn create(inner: &Arc<Inner>) -> Result<Self, StoreError> {
        let path = inner.scratch_directory()?.next_path();
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .map_err(StoreError::io("create", &path))?;
        let name =
            ScratchName { path, when_dropped: WhenDropped::Remove, inner: Arc::clone(inner) };
        Ok(Scratch { file: Locked::new(file), written: 0, begun: 0, name })
    }

    /// Goes on with a file that stays where it is until it is sealed.
    pub(crate) fn resume(inner: &Arc<Inner>, file: File, path: PathBuf, written: u64) -> Self {
        let name = ScratchName { path, when_dropped: WhenDropped::Keep, inner: Arc::clone(inner) };
        Scratch { file: Locked::new(file), written, begun: written, name }
    }

    /// Where the bytes lie while they have no name.
    pub(crate) fn path(&self) -> &Path {
        &self.name.path
    }

    /// How many bytes there are so far.
    pub(crate) fn written(&self) -> u64 {
        self.written
    }

    /// Empties the file.
    pub(crate) fn truncate(&mut self) -> Result<(), StoreError> {
        let emptied = self.file.set_len(0).and_then(|()| (&*self.file).rewind());
        emptied.map_err(StoreError::io("truncate", &self.name.path))?;
        self.written = 0;
        self.begun = 0;
        Ok(())
    }

    /// From now on the file is removed when it is dropped.
    pub(crate) fn remove_when_dropped(&mut self) {
        self.name.when_dropped = WhenDropped::Remove;
    }

    /// Names the bytes, which the caller has hashed while writing them.
    ///
    /// When this returns, the blob is in the store under `digest`, whole and synced. If fewer or
    /// more than `size` bytes were written, nothing is.
    pub fn commit_hashed(self, digest: Digest, size: u64) -> Result<(), StoreError> {
        self.seal(digest, size)?.commit()
    }

    /// The same for bytes that whoever reads them verifies, and that can be made again: they are not
    /// synced, and after a power failure the blob may be another.
    pub fn commit_derived(self, digest: Digest, size: u64) -> Result<(), StoreError> {
        self.seal(digest, size)?.publish()
    }

    /// Closes the file, and neither syncs nor names it yet.
    pub(crate) fn seal(mut self, digest: Digest, size: u64) -> Result<Sealed, StoreError> {
        let resumable = self.name.when_dropped == WhenDropped::Keep;
        self.remove_when_dropped();
        if self.written != size {
            return Err(StoreError::SizeMismatch { digest, expected: size, actual: self.written });
        }
        let lock = resumable.then_some(self.file);
        Ok(Sealed { name: self.name, digest, size, _lock: lock })
    }
}

impl Write for Scratch {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count =
            (&*self.file).write(bytes).map_err(|error| with_path(error, &self.name.path))?;
        self.written += count as u64;
        if self.written - self.begun >= WRITEBACK_BYTES {
            begin_writeback(&self.file, self.begun, self.written - self.begun);
            self.begun = self.written;
        }
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Has the disk begin while more is being computed, so that the sync at the end of a large layer
/// does not wait for all of it.
///
/// Linux starts writing the dirty pages of the range when told that they are not needed, and
/// drops only those that are written already: at this moment none (mm/fadvise.c).
fn begin_writeback(file: &File, offset: u64, length: u64) {
    use rustix::fs::{Advice, fadvise};
    let _ = fadvise(file, offset, std::num::NonZeroU64::new(length), Advice::DontNeed);
}

/// The same error, its message naming the path, for where `io::Error` is the only way.
pub(crate) fn with_path(source: io::Error, path: &Path) -> io::Error {
    let kind = source.kind();
    io::Error::new(kind, StoreError::Io { action: "write", path: path.to_owned(), source })
}

/// A whole file that waits for its name.
///
/// An import seals all of its blobs before it names any, so that a bad one leaves no good ones.
#[derive(Debug)]
pub(crate) struct Sealed {
    name: ScratchName,
    digest: Digest,
    size: u64,
    /// A download that others would go on with stays locked until it has its name.
    _lock: Option<Locked>,
}

impl Sealed {
    pub(crate) fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn path(&self) -> &Path {
        &self.name.path
    }

    /// Makes the bytes safe, and gives the file its place among the blobs.
    pub(crate) fn commit(self) -> Result<(), StoreError> {
        self.sync()?;
        self.publish()
    }

    /// Makes the bytes safe. (fsync(2) is about the file, not about who wrote it.)
    pub(crate) fn sync(&self) -> Result<(), StoreError> {
        let synced = File::open(&self.name.path).and_then(|file| file.sync_data());
        synced.map_err(StoreError::io("sync", &self.name.path))
    }

    /// Gives the synced file its place among the blobs. It replaces one that is there: that has the
    /// same bytes, or was damaged.
    pub(crate) fn publish(mut self) -> Result<(), StoreError> {
        let target = self.name.inner.blob_path(&self.digest);
        self.name.rename(&target)
    }
}

/// Writes a small file whole: to scratch, synced if asked, and renamed over what was there.
pub(crate) fn replace(
    inner: &Arc<Inner>,
    target: &Path,
    bytes: &[u8],
    before_naming: BeforeNaming<'_>,
) -> Result<(), StoreError> {
    let mut scratch = Scratch::create(inner)?;
    let path = scratch.name.path.clone();
    (&*scratch.file).write_all(bytes).map_err(StoreError::io("write", &path))?;
    if let BeforeNaming::Sync(directories) = before_naming {
        scratch.file.sync_data().map_err(StoreError::io("sync", &path))?;
        for directory in directories {
            sync_directory(directory)?;
        }
    }
    scratch.name.rename(target)?;
    match (before_naming, target.parent()) {
        (BeforeNaming::Sync(_), Some(parent)) => sync_directory(parent),
        _ => Ok(()),
    }
}

/// What has to be safe on the disk before a file may be named.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BeforeNaming<'a> {
    /// Nothing: the file carries a checksum and can be found out again.
    Nothing,
    /// The file itself and the entries of these directories; and afterwards the name.
    Sync(&'a [PathBuf]),
}

/// Makes the names in a directory outlive a power failure (fsync(2): a file's own sync does not).
pub(crate) fn sync_directory(path: &Path) -> Result<(), StoreError> {
    File::open(path)
        .and_then(|directory| directory.sync_all())
        .map_err(StoreError::io("sync", path))
}

/// Where a file is that has no name of its own yet.
#[derive(Debug)]
struct ScratchName {
    path: PathBuf,
    when_dropped: WhenDropped,
    inner: Arc<Inner>,
}

#[derive(Debug, PartialEq)]
enum WhenDropped {
    Remove,
    Keep,
}

impl ScratchName {
    fn rename(&mut self, target: &Path) -> Result<(), StoreError> {
        let renamed = match fs::rename(&self.path, target) {
            // Directories are made when the first file goes into them.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let parent = target.parent().unwrap_or(target);
                fs::create_dir_all(parent).and_then(|()| fs::rename(&self.path, target))
            }
            other => other,
        };
        renamed.map_err(StoreError::io("create", target))?;
        self.when_dropped = WhenDropped::Keep;
        Ok(())
    }
}

impl Drop for ScratchName {
    fn drop(&mut self) {
        if self.when_dropped == WhenDropped::Remove {
            // Whoever opens the store next would remove it too.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// This process's own directory for files that are not whole yet.
#[derive(Debug)]
pub(crate) struct ScratchDirectory {
    path: PathBuf,
    next: AtomicU64,
    /// Held as long as the process lives; says to others that the directory is in use.
    _lock: Locked,
}

impl ScratchDirectory {
    /// Makes a directory below `parent` and locks it.
    pub(crate) fn create(parent: &Path) -> Result<Self, StoreError> {
        // Process ids repeat across containers that share a store, so a name may be taken.
        let process = std::process::id();
        for attempt in 0_u64.. {
            let path = parent.join(format!("{process}-{attempt}"));
            match fs::create_dir(&path) {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(source) => return Err(StoreError::io("create", &path)(source)),
            }
            // Before it is locked, a directory looks abandoned and may be swept away.
            let lock = match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                other => Locked::new(other.map_err(StoreError::io("open", &path))?),
            };
            match lock.try_lock() {
                Ok(()) if is_at(&lock, &path) => {
                    return Ok(ScratchDirectory { path, next: AtomicU64::new(0), _lock: lock });
                }
                Ok(()) | Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(source)) => {
                    return Err(StoreError::io("lock", &path)(source));
                }
            }
        }
        unreachable!("there are more numbers than directories")
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    fn next_path(&self) -> PathBuf {
        self.path.join(self.next.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        // Whoever still writes to a file of it holds a share of what holds this.
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Whether `path` still leads to the open `file`.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Removes the scratch directories below `parent` whose processes are gone.
///
/// A failure is not an error: the files are in nobody's way, and the next process tries again.
pub(crate) fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(directory) = File::open(&path).map(Locked::new) else { continue };
        if directory.try_lock().is_ok() && is_at(&directory, &path) {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
