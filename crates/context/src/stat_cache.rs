//! What files contained when they were last read, so that unchanged ones need not be.
//!
//! A file is known by its place (the context and its path in it) and by what the system says of
//! its inode: device, number, size, and the times of the last change of content and of inode. If
//! all are as they were, so is the content, with one exception that git calls "racily clean"
//! (`Documentation/technical/racy-git.txt`): a file that is changed again within one tick of the
//! file system's clock. So only files whose last change was well before this build began are
//! remembered; the others are read once more next time.
//!
//! The cache is one file that may be lost at any time: one that is not whole, or of another
//! version, is an empty one.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use oci::{Digest, ImagePath};

use crate::ContextError;
use crate::signature::{Signature, Timestamp};

/// Digests of files by what the system says of them.
#[derive(Debug)]
pub struct StatCache {
    /// Where it is kept between builds, if it is.
    file: Option<PathBuf>,
    /// Files that changed after this are not remembered.
    trusted_before: Timestamp,
    /// Counts the writes of the file.
    generation: u32,
    /// The records of the file, back to back.
    bytes: Vec<u8>,
    /// Where the record of a place begins in `bytes`.
    index: HashMap<Place, usize>,
    /// Which records of `bytes` were of use, by number.
    used: Vec<bool>,
    /// What was learnt since.
    fresh: HashMap<Place, (Signature, Digest)>,
}

/// Names a context and a path in it.
///
/// A hash that may differ between builds of this program, which costs nothing but an empty cache,
/// and may collide, which costs a file being read again: the signature is compared as well.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place(u64);

/// Makes the places of one context.
#[derive(Clone)]
pub(crate) struct Places(DefaultHasher);

/// The coarsest clock among file systems in use: FAT counts in two seconds.
const GRANULARITY: Duration = Duration::from_secs(2);

const MAGIC: &[u8; 8] = b"plystat\n";
const VERSION: u32 = 1;
/// Magic, version, generation, SHA-256 of all that follows.
const HEADER: usize = 8 + 4 + 4 + 32;
/// Place, device, inode, size, two times of 8 + 4 bytes, SHA-256, generation of the last use.
const RECORD: usize = 8 + 8 + 8 + 8 + 12 + 12 + 32 + 4;
/// A record that was of no use in so many writes is dropped.
const GENERATIONS: u32 = 32;

impl StatCache {
    /// The cache that is kept in `file`, or an empty one if that cannot be used.
    ///
    /// `now` is the time at which this build began: before the context was listed.
    pub fn load(file: &Path, now: SystemTime) -> Self {
        let mut cache = StatCache::in_memory(now);
        cache.file = Some(file.to_owned());
        if let Some((generation, bytes)) = std::fs::read(file).ok().and_then(checked) {
            let records = bytes.chunks_exact(RECORD).enumerate();
            cache.index = records.map(|(n, record)| (record_place(record), n * RECORD)).collect();
            cache.used = vec![false; bytes.len() / RECORD];
            cache.generation = generation;
            cache.bytes = bytes;
        }
        cache
    }

    /// An empty cache that is kept nowhere.
    pub fn in_memory(now: SystemTime) -> Self {
        StatCache {
            file: None,
            trusted_before: Timestamp::of(now.checked_sub(GRANULARITY).unwrap_or(UNIX_EPOCH)),
            generation: 0,
            bytes: Vec::new(),
            index: HashMap::new(),
            used: Vec::new(),
            fresh: HashMap::new(),
        }
    }

    /// The digest of the file at `place`, if it is still what it was when that was computed.
    pub(crate) fn known(&mut self, place: Place, signature: &Signature) -> Option<Digest> {
        if let Some((known, digest)) = self.fresh.get(&place) {
            return (known == signature).then_some(*digest);
        }
        let start = *self.index.get(&place)?;
        let (known, digest) = decode(&self.bytes[start..start + RECORD])?;
        if known != *signature {
            return None;
        }
        self.used[start / RECORD] = true;
        Some(digest)
    }

    /// Remembers that the file at `place` has been read since this build began, was `signature`
    /// before and after, and has this digest.
    pub(crate) fn remember(&mut self, place: Place, signature: Signature, digest: Digest) {
        // The time of the inode alone would do on Linux's own file systems; others, FAT for one,
        // set it once.
        if signature.modified.max(signature.changed) < self.trusted_before {
            self.fresh.insert(place, (signature, digest));
        }
    }

    /// Writes the cache to its file, if anything was learnt.
    ///
    /// Another process sees the old file or the new one; of two that write, the last one wins.
    /// Nothing is synced: a torn file is noticed by its checksum.
    pub fn save(&self) -> Result<(), ContextError> {
        let Some(file) = self.file.as_deref().filter(|_| !self.fresh.is_empty()) else {
            return Ok(());
        };
        let failed = |source| ContextError::io("write", file.to_owned(), source);
        let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new("."));
        std::fs::create_dir_all(directory).map_err(failed)?;
        let mut new = tempfile::NamedTempFile::new_in(directory).map_err(failed)?;
        new.write_all(&self.encode()).map_err(failed)?;
        new.persist(file).map_err(|error| failed(error.error))?;
        Ok(())
    }

    fn encode(&self) -> Vec<u8> {
        let generation = self.generation.wrapping_add(1);
        let mut bytes = Vec::with_capacity(HEADER + self.bytes.len() + self.fresh.len() * RECORD);
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&generation.to_le_bytes());
        bytes.resize(HEADER, 0);
        for (record, used) in self.bytes.chunks_exact(RECORD).zip(&self.used) {
            if self.fresh.contains_key(&record_place(record)) {
                continue;
            }
            let (rest, last_use) = record.split_at(RECORD - 4);
            let age = generation.wrapping_sub(u32_at(last_use, 0));
            if *used {
                bytes.extend_from_slice(rest);
                bytes.extend_from_slice(&generation.to_le_bytes());
            } else if age < GENERATIONS {
                bytes.extend_from_slice(record);
            }
        }
        for (place, (signature, digest)) in &self.fresh {
            encode(&mut bytes, *place, signature, digest);
            bytes.extend_from_slice(&generation.to_le_bytes());
        }
        let checksum = checksum(&bytes);
        bytes[HEADER - 32..HEADER].copy_from_slice(&checksum);
        bytes
    }
}

impl Places {
    /// The places of the context that `identity` names.
    pub(crate) fn of(identity: &Path) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(identity.as_os_str().as_encoded_bytes());
        hasher.write_u8(0);
        Places(hasher)
    }

    pub(crate) fn at(&self, path: &ImagePath) -> Place {
        let mut hasher = self.0.clone();
        hasher.write(path.as_bytes());
        Place(hasher.finish())
    }
}

/// The SHA-256 of a file's bytes without the checksum's own.
fn checksum(bytes: &[u8]) -> [u8; 32] {
    use sha2::Digest as _;
    let mut state = sha2::Sha256::new_with_prefix(&bytes[..HEADER - 32]);
    state.update(&bytes[HEADER..]);
    state.finalize().into()
}

/// Generation and records of a file's bytes, if they are whole and of this version.
fn checked(mut bytes: Vec<u8>) -> Option<(u32, Vec<u8>)> {
    let whole = bytes.len() >= HEADER
        && (bytes.len() - HEADER).is_multiple_of(RECORD)
        && bytes.starts_with(MAGIC)
        && u32_at(&bytes, 8) == VERSION
        && bytes[HEADER - 32..HEADER] == checksum(&bytes);
    if !whole {
        return None;
    }
    let generation = u32_at(&bytes, 12);
    bytes.drain(..HEADER);
    Some((generation, bytes))
}

fn encode(bytes: &mut Vec<u8>, place: Place, signature: &Signature, digest: &Digest) {
    for number in [place.0, signature.device, signature.inode, signature.size] {
        bytes.extend_from_slice(&number.to_le_bytes());
    }
    for time in [signature.modified, signature.changed] {
        bytes.extend_from_slice(&time.seconds.to_le_bytes());
        bytes.extend_from_slice(&time.nanoseconds.to_le_bytes());
    }
    bytes.extend_from_slice(digest.as_bytes());
}

fn decode(record: &[u8]) -> Option<(Signature, Digest)> {
    let time = |at: usize| Timestamp {
        seconds: u64_at(record, at).cast_signed(),
        nanoseconds: u32_at(record, at + 8),
    };
    let signature = Signature {
        device: u64_at(record, 8),
        inode: u64_at(record, 16),
        size: u64_at(record, 24),
        modified: time(32),
        changed: time(44),
    };
    let digest = record.get(56..88)?.try_into().ok()?;
    Some((signature, Digest::from_sha256(digest)))
}

fn record_place(record: &[u8]) -> Place {
    Place(u64_at(record, 0))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes[at..at + 4].iter().rev().fold(0, |number, byte| number << 8 | u32::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(seconds)
    }

    fn signature(inode: u64, changed: u64) -> Signature {
        let time = Timestamp::of(seconds(changed));
        Signature { device: 1, inode, size: 7, modified: time, changed: time }
    }

    fn place(path: &str) -> Place {
        Places::of(Path::new("/context")).at(&ImagePath::lexical(path))
    }

    #[test]
    fn kept_between_builds() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("deep/stat");
        let mut cache = StatCache::load(&file, seconds(1000));
        cache.remember(place("a"), signature(1, 10), Digest::of(b"a"));
        cache.save().unwrap();

        let mut cache = StatCache::load(&file, seconds(2000));
        assert_eq!(cache.known(place("a"), &signature(1, 10)), Some(Digest::of(b"a")));
        assert_eq!(cache.known(place("a"), &signature(2, 10)), None, "another inode");
        assert_eq!(cache.known(place("a"), &signature(1, 11)), None, "changed");
        assert_eq!(cache.known(place("b"), &signature(1, 10)), None, "another name");
        let elsewhere = Places::of(Path::new("/other")).at(&ImagePath::lexical("a"));
        assert_eq!(cache.known(elsewhere, &signature(1, 10)), None, "another context");
        cache.remember(place("a"), signature(1, 11), Digest::of(b"b"));
        cache.save().unwrap();

        let mut cache = StatCache::load(&file, seconds(2000));
        assert_eq!(cache.known(place("a"), &signature(1, 11)), Some(Digest::of(b"b")));
        assert_eq!(cache.index.len(), 1);
    }

    #[test]
    fn what_changed_just_now_is_not_remembered() {
        let mut cache = StatCache::in_memory(seconds(100));
        for (changed, trusted) in [(97, true), (98, false), (100, false), (5000, false)] {
            cache.remember(place("a"), signature(changed, changed), Digest::of(b"a"));
            let known = cache.known(place("a"), &signature(changed, changed));
            assert_eq!(known.is_some(), trusted, "{changed}");
        }
        // A program that sets a file's time back does not hide the change of its inode.
        let back = Signature { modified: Timestamp::of(seconds(1)), ..signature(9, 99) };
        cache.remember(place("b"), back, Digest::of(b"b"));
        assert_eq!(cache.known(place("b"), &back), None);
    }

    #[test]
    fn written_only_when_something_was_learnt() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stat");
        StatCache::load(&file, seconds(1000)).save().unwrap();
        assert!(!file.exists());
    }

    #[test]
    fn damaged_files_are_empty_caches() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stat");
        let mut cache = StatCache::load(&file, seconds(1000));
        cache.remember(place("a"), signature(1, 10), Digest::of(b"a"));
        cache.save().unwrap();
        let whole = std::fs::read(&file).unwrap();
        let known = |bytes: &[u8]| {
            std::fs::write(&file, bytes).unwrap();
            StatCache::load(&file, seconds(1000)).known(place("a"), &signature(1, 10)).is_some()
        };
        assert!(known(&whole));
        for at in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[at] ^= 0x10;
            assert!(!known(&damaged), "byte {at}");
            assert!(!known(&whole[..at]), "{at} bytes");
        }
        let longer = [&whole[..], &[0; RECORD]].concat();
        assert!(!known(&longer));
    }

    #[test]
    fn what_is_of_no_use_any_more_goes() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("stat");
        for build in 0..GENERATIONS + 2 {
            let mut cache = StatCache::load(&file, seconds(1000));
            if build == 0 {
                cache.remember(place("deleted"), signature(1, 10), Digest::of(b"d"));
                cache.remember(place("used"), signature(2, 10), Digest::of(b"u"));
            }
            cache.known(place("used"), &signature(2, 10));
            cache.remember(place("edited"), signature(3, u64::from(build)), Digest::of(b"e"));
            cache.save().unwrap();
        }
        let mut cache = StatCache::load(&file, seconds(1000));
        assert_eq!(cache.known(place("deleted"), &signature(1, 10)), None);
        assert_eq!(cache.known(place("used"), &signature(2, 10)), Some(Digest::of(b"u")));
    }
}
