//! Locks on files, by which processes keep out of each other's way.

use std::fs::{File, OpenOptions};
use std::ops::Deref;
use std::path::Path;

use crate::StoreError;

/// A file that is unlocked when it is dropped.
///
/// Closing it would not be enough: a lock belongs to the open file (flock(2)), and a program that
/// is just being started by another thread has a copy of it until its `exec`.
#[derive(Debug)]
pub(crate) struct Locked(File);

impl Locked {
    /// Takes charge of a file that is locked, or will be.
    pub(crate) fn new(file: File) -> Self {
        Locked(file)
    }

    /// Opens a file that is there only to be locked.
    pub(crate) fn open(path: &Path) -> Result<Self, StoreError> {
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(path);
        opened.map(Locked).map_err(StoreError::io("open", path))
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
