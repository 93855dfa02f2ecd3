//! Files that are not whole yet.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Error, Result};

/// Where they are, beside the repositories: renaming needs the same file system. No repository's
/// name begins with a dot.
pub(super) const DIRECTORY: &str = ".uploads";

/// Tells the files of this process apart; another process has no files here.
static SERIAL: AtomicU64 = AtomicU64::new(0);

/// A file on its way to its name; dropped before that, it is removed.
pub(super) struct Scratch {
    file: File,
    path: PathBuf,
}

impl Scratch {
    pub(super) fn create(root: &Path) -> Result<Self> {
        let serial = SERIAL.fetch_add(1, Ordering::Relaxed);
        let path = root.join(DIRECTORY).join(serial.to_string());
        let opened = OpenOptions::new().read(true).append(true).create_new(true).open(&path);
        let file = opened.map_err(Error::file("make", &path))?;
        Ok(Scratch { file, path })
    }

    pub(super) fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(Error::file("write", &self.path))
    }

    pub(super) fn copy_from(&mut self, source: &mut impl Read) -> Result<()> {
        let copied = io::copy(source, &mut self.file);
        copied.map(drop).map_err(Error::file("write", &self.path))
    }

    /// Shows all bytes from the start.
    pub(super) fn replay(&mut self, see: &mut dyn FnMut(&[u8])) -> Result<()> {
        self.file.seek(SeekFrom::Start(0)).map_err(Error::file("read", &self.path))?;
        let mut buffer = vec![0; 256 * 1024];
        loop {
            match self.file.read(&mut buffer).map_err(Error::file("read", &self.path))? {
                0 => return Ok(()),
                count => see(&buffer[..count]),
            }
        }
    }

    /// Gives the file its name, once its bytes are on the disk: a name whose bytes a power failure
    /// took would be believed for ever. When this returns, the name is on the disk, too.
    pub(super) fn rename_to(self, target: &Path) -> Result<()> {
        self.file.sync_data().map_err(Error::file("write", &self.path))?;
        fs::rename(&self.path, target).map_err(Error::file("make", target))?;
        let directory = target.parent().unwrap_or(target);
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(Error::file("write", directory))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // After a rename there is nothing of this name.
        let _ = fs::remove_file(&self.path);
    }
}
