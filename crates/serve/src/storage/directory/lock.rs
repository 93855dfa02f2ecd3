//! One process at a time.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::Path;

use crate::{Error, Result};

/// No repository's name begins with a dot.
const FILE: &str = ".lock";

/// A root that nobody else serves, until this is dropped or the process ends, however it ends.
#[derive(Debug)]
pub(super) struct Lock(File);

impl Lock {
    pub(super) fn take(root: &Path) -> Result<Self> {
        let path = root.join(FILE);
        let mut options = OpenOptions::new();
        let opened = options.read(true).write(true).create(true).truncate(false).open(&path);
        let file = opened.map_err(Error::file("open", &path))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock(file)),
            Err(TryLockError::WouldBlock) => Err(Error::InUse { root: root.to_owned() }),
            Err(TryLockError::Error(error)) => Err(Error::file("lock", &path)(error)),
        }
    }
}

impl Drop for Lock {
    /// Closing the file is not enough: a program that is just being started by another thread has a
    /// copy of it until its `exec`, and the lock belongs to both (flock(2)).
    fn drop(&mut self) {
        let _ = self.0.unlock();
    }
}
