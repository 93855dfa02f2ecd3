//! Keystores of the format JKS: entries under lower-case names, and a digest over all with the
//! password in it.

use sha1::{Digest as _, Sha1};

use super::table::Table;

const MAGIC: u32 = 0xfeed_feed;
const VERSION: u32 = 2;
/// An entry with a private key.
const KEY: u32 = 1;
/// A certificate that is trusted.
const TRUSTED: u32 = 2;
/// Between password and content, in the digest.
const WHITENER: &[u8] = b"Mighty Aphrodite";
/// Entries of a keystore that is read.
const MOST_ENTRIES: u32 = 100_000;

/// A keystore.
#[derive(Debug, Default)]
pub(super) struct Keystore {
    entries: Table<Entry>,
}

/// What stands behind an entry's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    tag: u32,
    body: Vec<u8>,
}

/// What is wrong with a keystore.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum KeystoreError {
    /// It is of another format.
    #[error("is no keystore of the format JKS")]
    Format,
    /// It ends too early, or has in it what is not known.
    #[error("is broken")]
    Broken,
    /// It was changed, or is of another password.
    #[error("has another password")]
    Password,
}

impl Entry {
    /// A certificate that is trusted since this time.
    pub(super) fn trusted(milliseconds: i64, der: &[u8]) -> Entry {
        let mut body = milliseconds.to_be_bytes().to_vec();
        put_text(&mut body, "X.509");
        body.extend_from_slice(&u32::try_from(der.len()).unwrap_or(u32::MAX).to_be_bytes());
        body.extend_from_slice(der);
        Entry { tag: TRUSTED, body }
    }
}

impl Keystore {
    /// Reads a keystore.
    pub(super) fn read(bytes: &[u8], password: &str) -> Result<Keystore, KeystoreError> {
        let mut reader = Reader { rest: bytes };
        if reader.word() != Some(MAGIC) || reader.word() != Some(VERSION) {
            return Err(KeystoreError::Format);
        }
        let Some((content, expected)) = bytes.split_last_chunk::<20>() else {
            return Err(KeystoreError::Broken);
        };
        if digest(content, password) != *expected {
            return Err(KeystoreError::Password);
        }
        let mut keystore = Keystore::default();
        let count = reader.word().filter(|count| *count <= MOST_ENTRIES);
        for _ in 0..count.ok_or(KeystoreError::Broken)? {
            let (alias, entry) = reader.entry().ok_or(KeystoreError::Broken)?;
            keystore.entries.put(alias, entry);
        }
        Ok(keystore)
    }

    /// Puts an entry in the place of the name's.
    pub(super) fn put(&mut self, alias: &str, entry: Entry) {
        self.entries.put(alias.to_lowercase(), entry);
    }

    /// Takes an entry away; whether it was there.
    pub(super) fn remove(&mut self, alias: &str) -> bool {
        self.entries.remove(&alias.to_lowercase())
    }

    /// The file's bytes.
    pub(super) fn bytes(&self, password: &str) -> Vec<u8> {
        let count = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let mut bytes = Vec::new();
        for number in [MAGIC, VERSION, count] {
            bytes.extend_from_slice(&number.to_be_bytes());
        }
        for (alias, entry) in self.entries.entries() {
            bytes.extend_from_slice(&entry.tag.to_be_bytes());
            put_text(&mut bytes, alias);
            bytes.extend_from_slice(&entry.body);
        }
        let digest = digest(&bytes, password);
        bytes.extend_from_slice(&digest);
        bytes
    }
}

fn digest(content: &[u8], password: &str) -> [u8; 20] {
    let password: Vec<u8> = password.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let mut digest = Sha1::new();
    digest.update(password);
    digest.update(WHITENER);
    digest.update(content);
    digest.finalize().into()
}

/// A text as `DataOutput.writeUTF` has it: its length, and each UTF-16 unit by itself.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    let mut encoded = Vec::new();
    for unit in text.encode_utf16() {
        // Only six bits at a time are left, so nothing is cut off.
        let low = 0x80 | (unit & 0x3f) as u8;
        match unit {
            1..=0x7f => encoded.push(unit as u8),
            0 | 0x80..=0x7ff => encoded.extend([0xc0 | (unit >> 6) as u8, low]),
            _ => {
                let middle = 0x80 | (unit >> 6 & 0x3f) as u8;
                encoded.extend([0xe0 | (unit >> 12) as u8, middle, low]);
            }
        }
    }
    bytes.extend_from_slice(&u16::try_from(encoded.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(&encoded);
}

struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    fn entry(&mut self) -> Option<(String, Entry)> {
        let tag = self.word()?;
        let alias = self.text()?;
        let before = self.rest;
        self.take(8)?;
        match tag {
            TRUSTED => self.certificate()?,
            KEY => {
                self.counted()?;
                for _ in 0..self.word()?.min(MOST_ENTRIES) {
                    self.certificate()?;
                }
            }
            _ => return None,
        }
        let body = before[..before.len() - self.rest.len()].to_vec();
        Some((alias, Entry { tag, body }))
    }

    fn certificate(&mut self) -> Option<()> {
        self.text()?;
        self.counted().map(|_| ())
    }

    fn counted(&mut self) -> Option<&'a [u8]> {
        let length = usize::try_from(self.word()?).ok()?;
        self.take(length)
    }

    /// A text; aliases with characters that UTF-8 writes otherwise are not known.
    fn text(&mut self) -> Option<String> {
        let length = self.take(2)?.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        std::str::from_utf8(self.take(length)?).ok().map(str::to_owned)
    }

    fn word(&mut self) -> Option<u32> {
        Some(u32::from_be_bytes(*self.take(4)?.first_chunk::<4>()?))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        Some(taken)
    }
}
