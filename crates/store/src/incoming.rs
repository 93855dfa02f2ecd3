//! Bytes that come from elsewhere and have to prove what they are before they become a blob.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use oci::{Descriptor, Digest, Digester};

use crate::scratch::{Scratch, Sealed, is_at};
use crate::store::Inner;
use crate::{Store, StoreError};

/// A blob on its way in, hashed while it is written.
///
/// It takes no byte more than was announced, and [`commit`](Incoming::commit) lets nothing in that
/// was not announced.
pub struct Incoming {
    scratch: Scratch,
    digester: Digester,
    digest: Digest,
    /// `None` if it was not announced; then the digest alone says when it is whole.
    size: Option<u64>,
}

impl Store {
    /// Takes in the blob `expected`; dropped before the commit, it leaves nothing behind.
    pub fn incoming(&self, expected: &Descriptor) -> Result<Incoming, StoreError> {
        Ok(Incoming {
            scratch: Scratch::create(&self.inner)?,
            digester: Digester::new(expected.digest.algorithm()),
            digest: expected.digest,
            size: Some(expected.size),
        })
    }

    /// Takes in the blob `expected`, going on where an earlier attempt broke off, when it is this
    /// one's turn.
    pub fn partial(&self, expected: &Descriptor) -> Turn {
        let Descriptor { digest, size, .. } = *expected;
        Turn { inner: self.inner.clone(), digest, size: Some(size) }
    }

    /// As [`Store::partial`], for a blob whose size is not known before it has come.
    pub fn partial_of(&self, digest: Digest) -> Turn {
        Turn { inner: self.inner.clone(), digest, size: None }
    }
}

/// A turn at taking in a blob: others may be at it in this process or in another, and none is to be
/// fetched twice.
pub struct Turn {
    inner: Arc<Inner>,
    digest: Digest,
    size: Option<u64>,
}

impl Turn {
    /// Waits, blocking, for what becomes of others' attempts; `None` if one has brought the blob.
    ///
    /// [`Incoming::written`] says how much is there already. Dropped before the commit, what came
    /// so far is kept for the next attempt; bytes that turn out wrong are not.
    pub fn wait(self) -> Result<Option<Incoming>, StoreError> {
        let Turn { inner: _, digest, size } = self;
        let name = format!("{}-{}", digest.algorithm().name(), digest.hex());
        let path = self.inner.plywood("partial").join(name);
        let file = loop {
            let file = OpenOptions::new()
                .read(true)
                .append(true)
                .create(true)
                .custom_flags(rustix::fs::OFlags::NOFOLLOW.bits() as i32)
                .open(&path)
                .map_err(StoreError::io("open", &path))?;
            file.lock().map_err(StoreError::io("lock", &path))?;
            // If not, whoever held it has completed it, or thrown it away.
            let is_here = is_at(&file, &path);
            let store = Store { inner: self.inner.clone() };
            let there = store.contains(&digest)?;
            if there.is_some_and(|there| size.is_none_or(|size| size == there)) {
                if is_here {
                    std::fs::remove_file(&path).map_err(StoreError::io("remove", &path))?;
                }
                return Ok(None);
            }
            if is_here {
                break file;
            }
        };
        let mut digester = Digester::new(digest.algorithm());
        let written = rehash(&file, &mut digester, size.unwrap_or(u64::MAX), &path)?;
        let scratch = Scratch::resume(&self.inner, file, path, written);
        Ok(Some(Incoming { scratch, digester, digest, size }))
    }
}

/// Hashes what an earlier attempt left, and throws it away if it is too long to be right.
fn rehash(
    mut file: &File,
    digester: &mut Digester,
    size: u64,
    path: &Path,
) -> Result<u64, StoreError> {
    let length = file.metadata().map_err(StoreError::io("read", path))?.len();
    if length > size {
        file.set_len(0).map_err(StoreError::io("truncate", path))?;
        return Ok(0);
    }
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    while total < length {
        let count = file.read(&mut buffer).map_err(StoreError::io("read", path))?;
        if count == 0 {
            break;
        }
        digester.update(&buffer[..count]);
        total += count as u64;
    }
    Ok(total)
}

impl Incoming {
    /// How many bytes are here, those of an earlier attempt included.
    pub fn written(&self) -> u64 {
        self.scratch.written()
    }

    /// How many bytes may still come: of a blob of unknown size, any number.
    pub fn remaining(&self) -> u64 {
        self.size.unwrap_or(u64::MAX) - self.written()
    }

    /// The state of the hash after what is here, for whoever verifies the rest on its way.
    pub fn digester(&self) -> Digester {
        self.digester.clone()
    }

    /// Throws away what came so far, those of an earlier attempt included, because it has turned
    /// out wrong.
    pub fn discard(mut self) {
        self.scratch.remove_when_dropped();
    }

    /// Throws away what came so far, for a source that can only start at the beginning.
    pub fn restart(&mut self) -> Result<(), StoreError> {
        self.scratch.truncate()?;
        self.digester = Digester::new(self.digest.algorithm());
        Ok(())
    }

    /// Lets the blob in, if it is the one that was announced.
    ///
    /// When this returns, the blob is in the store, whole and synced. Bytes that are not what was
    /// announced are removed, those of an earlier attempt included; if some are only missing, they
    /// are kept as they would be on a drop.
    pub fn commit(self) -> Result<(), StoreError> {
        self.seal()?.commit()
    }

    /// The bytes, if they are the ones that were announced, for somebody who needs them once: they
    /// get no place among the blobs, and are gone when the file is closed.
    ///
    /// Bytes that are not what was announced are removed as by [`Incoming::commit`].
    pub fn into_file(self) -> Result<File, StoreError> {
        let sealed = self.seal()?;
        File::open(sealed.path()).map_err(StoreError::io("open", sealed.path()))
    }

    pub(crate) fn seal(self) -> Result<Sealed, StoreError> {
        let Incoming { mut scratch, digester, digest, size } = self;
        let actual = scratch.written();
        let size = size.unwrap_or(actual);
        if actual < size {
            return Err(StoreError::SizeMismatch { digest, expected: size, actual });
        }
        let actual = digester.finish();
        if actual != digest {
            scratch.remove_when_dropped();
            return Err(StoreError::DigestMismatch { expected: digest, actual: Box::new(actual) });
        }
        scratch.seal(digest, size)
    }
}

impl Write for Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() as u64 > self.remaining() {
            let actual = self.written() + bytes.len() as u64;
            let expected = self.size.unwrap_or(u64::MAX);
            let error = StoreError::SizeMismatch { digest: self.digest, expected, actual };
            return Err(io::Error::new(io::ErrorKind::InvalidData, error));
        }
        let count = self.scratch.write(bytes)?;
        self.digester.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.scratch.flush()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use oci::MediaType;

    use super::*;

    fn open() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        (directory, store)
    }

    fn files(store: &Store, below: &str) -> usize {
        fs::read_dir(store.root().join(below)).unwrap().count()
    }

    #[test]
    fn wrong_bytes_leave_nothing() {
        let (_directory, store) = open();
        let expected = Descriptor::of(MediaType::OciConfig, b"hello");
        let mut incoming = store.incoming(&expected).unwrap();
        incoming.write_all(b"hullo").unwrap();
        insta::assert_snapshot!(incoming.commit().unwrap_err(), @"verify blob sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824: its bytes have the digest sha256:7835066a1457504217688c8f5d06909c6591e0ca78c254ccf17450d0d999cab0");
        let mut incoming = store.incoming(&expected).unwrap();
        incoming.write_all(b"hell").unwrap();
        let error = incoming.commit().unwrap_err();
        insta::assert_snapshot!(error, @"verify blob sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824: it has 4 bytes instead of 5");
        insta::assert_snapshot!(error.hint().unwrap(), @"what came is damaged or was tampered with: nothing of it was kept");
        let mut incoming = store.incoming(&expected).unwrap();
        insta::assert_snapshot!(incoming.write_all(b"hello!").unwrap_err(), @"verify blob sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824: it has 6 bytes instead of 5");
        drop(incoming);
        assert_eq!(files(&store, "blobs/sha256"), 0);
        let own = fs::read_dir(store.root().join("plywood/scratch")).unwrap().next().unwrap();
        assert_eq!(fs::read_dir(own.unwrap().path()).unwrap().count(), 0);
    }

    #[test]
    fn goes_on_where_it_broke_off() {
        let (_directory, store) = open();
        let expected = Descriptor::of(MediaType::OciConfig, b"hello world");
        let mut first = store.partial(&expected).wait().unwrap().unwrap();
        first.write_all(b"hello").unwrap();
        drop(first);
        let mut second = store.partial(&expected).wait().unwrap().unwrap();
        assert_eq!((second.written(), second.remaining()), (5, 6));
        second.write_all(b" world").unwrap();
        second.commit().unwrap();
        assert_eq!(store.read(&expected).unwrap(), b"hello world");
        assert!(store.partial(&expected).wait().unwrap().is_none(), "it is there");
        assert_eq!(files(&store, "plywood/partial"), 0);
    }

    #[test]
    fn who_comes_meanwhile_waits_and_finds_it_there_or_goes_on() {
        for commits in [true, false] {
            let (_directory, store) = open();
            let expected = Descriptor::of(MediaType::OciConfig, b"hello world");
            let mut first = store.partial(&expected).wait().unwrap().unwrap();
            first.write_all(b"hello ").unwrap();
            let turn = store.partial(&expected);
            let waiting = std::thread::spawn(move || turn.wait().unwrap());
            // Long enough to be waiting, if the machine is not too busy; right in any case.
            std::thread::sleep(std::time::Duration::from_millis(50));
            assert!(!waiting.is_finished(), "two would fetch the same");
            if commits {
                first.write_all(b"world").unwrap();
                first.commit().unwrap();
            } else {
                drop(first);
            }
            let found = waiting.join().unwrap();
            assert_eq!(found.map(|incoming| incoming.written()), (!commits).then_some(6));
        }
    }

    #[test]
    fn a_blob_of_unknown_size_goes_on_too_and_is_known_by_its_digest() {
        let (_directory, store) = open();
        let digest = Digest::of(b"hello world");
        let mut first = store.partial_of(digest).wait().unwrap().unwrap();
        first.write_all(b"hello").unwrap();
        drop(first);
        let mut second = store.partial_of(digest).wait().unwrap().unwrap();
        assert_eq!(second.written(), 5);
        second.write_all(b" world").unwrap();
        second.commit().unwrap();
        assert_eq!(store.contains(&digest).unwrap(), Some(11));
        assert!(store.partial_of(digest).wait().unwrap().is_none(), "it is there");
        let mut short = store.partial_of(Digest::of(b"other")).wait().unwrap().unwrap();
        short.write_all(b"oth").unwrap();
        assert!(matches!(short.commit(), Err(StoreError::DigestMismatch { .. })));
        assert_eq!(files(&store, "plywood/partial"), 0);
    }

    #[test]
    fn a_wrong_beginning_is_not_kept() {
        let (_directory, store) = open();
        let expected = Descriptor::of(MediaType::OciConfig, b"hello");
        let mut first = store.partial(&expected).wait().unwrap().unwrap();
        first.write_all(b"hu").unwrap();
        drop(first);
        let mut second = store.partial(&expected).wait().unwrap().unwrap();
        second.write_all(b"llo").unwrap();
        assert!(matches!(second.commit(), Err(StoreError::DigestMismatch { .. })));
        assert_eq!(files(&store, "plywood/partial"), 0);
        let mut third = store.partial(&expected).wait().unwrap().unwrap();
        third.write_all(b"xx").unwrap();
        third.discard();
        assert_eq!(files(&store, "plywood/partial"), 0);
        let mut fourth = store.partial(&expected).wait().unwrap().unwrap();
        fourth.write_all(b"xx").unwrap();
        fourth.restart().unwrap();
        fourth.write_all(b"hello").unwrap();
        fourth.commit().unwrap();
        assert_eq!(store.contains(&expected.digest).unwrap(), Some(5));
    }
}
