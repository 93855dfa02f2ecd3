//! Blobs by digest: what is here, and what is put here.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::PathBuf;

use oci::{Descriptor, Digest, MAX_MANIFEST_BYTES};

use crate::scratch::Scratch;
use crate::{Store, StoreError};

/// The largest document that is read into memory: a manifest, an index or a config.
pub(crate) const MAX_DOCUMENT_BYTES: u64 = MAX_MANIFEST_BYTES;

impl Store {
    /// The size in bytes of the blob, if it is here.
    pub fn contains(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        let path = self.inner.blob_path(digest);
        match fs::metadata(&path) {
            Ok(file) if file.is_file() => Ok(Some(file.len())),
            Ok(_) => Ok(None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(StoreError::io("read", &path)(source)),
        }
    }

    /// Where the blob lies, if it is here: for a program that wants a file's name.
    pub fn blob_path(&self, digest: &Digest) -> PathBuf {
        self.inner.blob_path(digest)
    }

    /// Opens a blob, which counts as its use. Its bytes are not verified here.
    pub fn open_blob(&self, digest: &Digest) -> Result<File, StoreError> {
        let path = self.inner.blob_path(digest);
        match File::open(&path) {
            Ok(file) => {
                mark_used(&file);
                Ok(file)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.missing_blob(digest)),
            Err(source) => Err(StoreError::io("open", &path)(source)),
        }
    }

    /// Reads a small document, of up to 4 MiB, and verifies it.
    pub fn read(&self, descriptor: &Descriptor) -> Result<Vec<u8>, StoreError> {
        let Descriptor { digest, size, .. } = *descriptor;
        if size > MAX_DOCUMENT_BYTES {
            let what = format!("blob {digest}");
            return Err(StoreError::TooLarge { what, size, limit: MAX_DOCUMENT_BYTES });
        }
        let file = self.open_blob(&digest)?;
        let path = self.inner.blob_path(&digest);
        let mut bytes = Vec::with_capacity(size as usize);
        file.take(size + 1).read_to_end(&mut bytes).map_err(StoreError::io("read", &path))?;
        match verify(&digest, size, &bytes) {
            Err(StoreError::DigestMismatch { .. }) => Err(StoreError::Damaged { digest, path }),
            other => other.map(|()| bytes),
        }
    }

    /// Puts a small document into the store. One that is here already is not written again.
    pub fn put(&self, bytes: &[u8]) -> Result<Digest, StoreError> {
        let digest = Digest::of(bytes);
        let size = bytes.len() as u64;
        if self.contains(&digest)? == Some(size) {
            return Ok(digest);
        }
        let mut scratch = self.scratch()?;
        scratch.write_all(bytes).map_err(StoreError::io("write", scratch.path()))?;
        scratch.commit_hashed(digest, size)?;
        Ok(digest)
    }

    /// A new file for a writer that hashes its bytes itself; see [`Scratch::commit_hashed`].
    pub fn scratch(&self) -> Result<Scratch, StoreError> {
        Scratch::create(&self.inner)
    }

    /// A directory for what this process puts down for a while. It goes with the process: when it
    /// ends as it should, or when the next one opens the store.
    pub fn scratch_space(&self) -> Result<PathBuf, StoreError> {
        Ok(self.inner.scratch_directory()?.path().to_owned())
    }

    /// Where a client keeps what servers answered, in files of its own. It is gone once it was not
    /// used for as long as [`Store::prune`] is told.
    pub fn answers(&self, kind: &'static str) -> PathBuf {
        debug_assert!(kind.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-'));
        self.inner.plywood("answers").join(kind)
    }

    /// The error that says where a blob that is not here can be had.
    pub(crate) fn missing_blob(&self, digest: &Digest) -> StoreError {
        let sources = self.remote_sources(digest).unwrap_or_default();
        StoreError::MissingBlob { digest: *digest, sources }
    }
}

/// Whether `bytes` are the blob that `digest` and `size` name.
pub(crate) fn verify(digest: &Digest, size: u64, bytes: &[u8]) -> Result<(), StoreError> {
    let actual = bytes.len() as u64;
    if actual != size {
        return Err(StoreError::SizeMismatch { digest: *digest, expected: size, actual });
    }
    let mut digester = oci::Digester::new(digest.algorithm());
    digester.update(bytes);
    let actual = digester.finish();
    if actual != *digest {
        return Err(StoreError::DigestMismatch { expected: *digest, actual: Box::new(actual) });
    }
    Ok(())
}

/// Sets a file's modification time to now, by which `prune` tells what is still wanted.
///
/// A store that others own can be read without being marked.
pub(crate) fn mark_used(file: &File) {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT, futimens};
    let now = Timestamps {
        last_access: Timespec { tv_sec: 0, tv_nsec: UTIME_OMIT },
        last_modification: Timespec { tv_sec: 0, tv_nsec: UTIME_NOW },
    };
    let _ = futimens(file, &now);
}

#[cfg(test)]
mod tests {
    use oci::MediaType;

    use super::*;

    #[test]
    fn documents_are_verified_when_read() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let digest = store.put(b"hello").unwrap();
        let descriptor = Descriptor::of(MediaType::OciConfig, b"hello");
        assert_eq!(store.read(&descriptor).unwrap(), b"hello");
        let message = |descriptor: &Descriptor| {
            let error = store.read(descriptor).unwrap_err();
            format!("{error}; hint: {}", error.hint().unwrap_or_default())
        };
        let longer = Descriptor { size: 6, ..descriptor.clone() };
        insta::assert_snapshot!(message(&longer), @"verify blob sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824: it has 5 bytes instead of 6; hint: what came is damaged or was tampered with: nothing of it was kept");
        let huge = Descriptor { size: 5 << 20, ..descriptor.clone() };
        insta::assert_snapshot!(message(&huge), @"read blob sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824: it has 5242880 bytes, and no more than 4194304 are allowed; hint: ");
        fs::write(store.inner.blob_path(&digest), "hullo").unwrap();
        let root = store.root().display().to_string();
        insta::assert_snapshot!(message(&descriptor).replace(&root, "ROOT"), @"read blob sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824: `ROOT/blobs/sha256/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824` has other bytes than its name says; hint: delete `ROOT/blobs/sha256/2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824`, and pull or build the image again");
        let mut again = store.incoming(&descriptor).unwrap();
        again.write_all(b"hello").unwrap();
        again.commit().unwrap();
        assert_eq!(store.read(&descriptor).unwrap(), b"hello", "taking it in again heals it");
        let absent = Descriptor::of(MediaType::OciConfig, b"");
        insta::assert_snapshot!(message(&absent), @"find blob sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855: it is not in the store; hint: pull or build the image again");
        store.record_remote(&absent.digest, &"docker.io/library/debian".parse().unwrap()).unwrap();
        insta::assert_snapshot!(message(&absent), @"find blob sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855: it is not in the store; hint: pull it from `docker.io/library/debian`");
    }

    #[test]
    fn a_writer_that_miscounts_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let mut scratch = store.scratch().unwrap();
        scratch.write_all(b"hello").unwrap();
        assert!(scratch.commit_hashed(Digest::of(b"hello"), 4).is_err());
        assert_eq!(store.contains(&Digest::of(b"hello")).unwrap(), None);
    }
}
