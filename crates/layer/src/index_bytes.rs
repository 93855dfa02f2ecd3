//! An index as compact bytes, for a store to keep beside the layer, and back.
//!
//! A version byte; whether offsets follow; how many entries; the entries, each path without what
//! it shares with the one before; a CRC-32. Whole numbers are LEB128. The bytes are untrusted when
//! they come back: every length is checked against what is left of them.

use std::collections::BTreeMap;

use oci::{Algorithm, Digest, ImagePath};

use crate::{Attributes, Content, Entry, LayerIndex, Node, TarError};

const VERSION: u8 = 1;
/// No entry takes fewer bytes: shared, rest, kind, and a whiteout has nothing else.
const LEAST_ENTRY: usize = 3;

impl LayerIndex {
    /// The index as bytes, for [`LayerIndex::from_bytes`]. The same index is the same bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let has_offsets = self.has_offsets();
        let mut out = vec![VERSION, u8::from(has_offsets)];
        put_number(&mut out, self.entries().len() as u64);
        let mut previous: &[u8] = b"";
        for (position, entry) in self.entries().iter().enumerate() {
            let path = entry.path.as_bytes();
            let shared = path.iter().zip(previous).take_while(|(a, b)| a == b).count();
            put_number(&mut out, shared as u64);
            put_text(&mut out, &path[shared..]);
            put_entry(&mut out, entry);
            if has_offsets && matches!(entry.node, Node::File(_)) {
                put_number(&mut out, self.offset(position).unwrap_or(0));
            }
            previous = path;
        }
        out.extend_from_slice(&libdeflater::crc32(&out).to_le_bytes());
        out
    }

    /// Reads what [`LayerIndex::to_bytes`] made.
    pub fn from_bytes(bytes: &[u8]) -> Result<LayerIndex, TarError> {
        match bytes.first() {
            None => return Err(TarError::BadIndex("it is empty")),
            Some(&VERSION) => {}
            Some(&found) => return Err(TarError::IndexVersion { found, known: VERSION }),
        }
        let (body, checksum) = bytes.split_last_chunk::<4>().ok_or(CUT_OFF)?;
        if libdeflater::crc32(body) != u32::from_le_bytes(*checksum) {
            return Err(TarError::BadIndex("its checksum is wrong"));
        }
        let mut bytes = Bytes { left: &body[1..] };
        let has_offsets = bytes.byte()? != 0;
        let count = bytes.number()?;
        if count > (bytes.left.len() / LEAST_ENTRY) as u64 {
            return Err(CUT_OFF);
        }
        let mut entries: Vec<Entry> = Vec::with_capacity(count as usize);
        let mut offsets = Vec::with_capacity(if has_offsets { count as usize } else { 0 });
        let mut path = Vec::new();
        for _ in 0..count {
            let entry = bytes.entry(&mut path)?;
            if entries.last().is_some_and(|previous| previous.layer_order(&entry).is_ge()) {
                return Err(TarError::BadIndex("its entries are not in order"));
            }
            if has_offsets {
                let is_file = matches!(entry.node, Node::File(_));
                offsets.push(if is_file { bytes.number()? } else { 0 });
            }
            entries.push(entry);
        }
        if !bytes.left.is_empty() {
            return Err(TarError::BadIndex("something follows its end"));
        }
        Ok(LayerIndex::from_ordered(entries, offsets))
    }
}

const CUT_OFF: TarError = TarError::BadIndex("it is cut off");

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text);
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) {
    let kind = match &entry.node {
        Node::File(_) => 0,
        Node::Directory => 1,
        Node::Symlink(_) => 2,
        Node::Hardlink(_) => 3,
        Node::CharDevice { .. } => 4,
        Node::BlockDevice { .. } => 5,
        Node::Fifo => 6,
        Node::Whiteout => 7,
        Node::Opaque => 8,
    };
    out.push(kind);
    if entry.is_marker() {
        return;
    }
    let Attributes { mode, uid, gid, mtime, xattrs } = &entry.attributes;
    put_number(out, (*mode).into());
    put_number(out, (*uid).into());
    put_number(out, (*gid).into());
    // Zigzag: small numbers of either sign are short.
    put_number(out, ((mtime << 1) ^ (mtime >> 63)) as u64);
    put_number(out, xattrs.len() as u64);
    for (name, value) in xattrs {
        put_text(out, name);
        put_text(out, value);
    }
    match &entry.node {
        Node::File(content) => {
            out.push(match content.digest.algorithm() {
                Algorithm::Sha256 => 0,
                Algorithm::Sha512 => 1,
            });
            out.extend_from_slice(content.digest.as_bytes());
            put_number(out, content.size);
        }
        Node::Symlink(target) => put_text(out, target),
        Node::Hardlink(target) => put_text(out, target.as_bytes()),
        Node::CharDevice { major, minor } | Node::BlockDevice { major, minor } => {
            put_number(out, (*major).into());
            put_number(out, (*minor).into());
        }
        Node::Directory | Node::Fifo | Node::Whiteout | Node::Opaque => {}
    }
}

/// What is left to read.
struct Bytes<'a> {
    left: &'a [u8],
}

impl<'a> Bytes<'a> {
    /// The next entry; `path` holds the one before and then this one's.
    fn entry(&mut self, path: &mut Vec<u8>) -> Result<Entry, TarError> {
        let shared = self.number()?;
        if shared > path.len() as u64 {
            return Err(TarError::BadIndex("a path shares more than there is"));
        }
        path.truncate(shared as usize);
        path.extend_from_slice(self.text()?);
        let path = clean_path(path)?;
        let kind = self.byte()?;
        // The root is there whatever layers say, and it is a directory.
        if path.is_root() && !matches!(kind, 1 | 8) {
            return Err(TarError::BadIndex("its root is no directory"));
        }
        if let 7 | 8 = kind {
            let node = if kind == 7 { Node::Whiteout } else { Node::Opaque };
            return Ok(Entry { path, attributes: crate::index::no_attributes(), node });
        }
        let attributes = self.attributes()?;
        let node = match kind {
            0 => Node::File(self.content()?),
            1 => Node::Directory,
            2 => Node::Symlink(self.text()?.to_vec()),
            3 => Node::Hardlink(clean_path(self.text()?)?),
            4 => Node::CharDevice { major: self.number_of()?, minor: self.number_of()? },
            5 => Node::BlockDevice { major: self.number_of()?, minor: self.number_of()? },
            6 => Node::Fifo,
            _ => return Err(TarError::BadIndex("an entry is of an unknown kind")),
        };
        Ok(Entry { path, attributes, node })
    }

    fn attributes(&mut self) -> Result<Attributes, TarError> {
        let (mode, uid, gid) = (self.number_of()?, self.number_of()?, self.number_of()?);
        let zigzag = self.number()?;
        let mtime = (zigzag >> 1) as i64 ^ -((zigzag & 1) as i64);
        let mut xattrs = BTreeMap::new();
        for _ in 0..self.number()? {
            xattrs.insert(self.text()?.to_vec(), self.text()?.to_vec());
        }
        Ok(Attributes { mode, uid, gid, mtime, xattrs })
    }

    fn content(&mut self) -> Result<Content, TarError> {
        let digest = match self.byte()? {
            0 => Digest::from_sha256(*self.take(32)?.first_chunk().ok_or(CUT_OFF)?),
            1 => sha512(self.take(64)?)?,
            _ => return Err(TarError::BadIndex("a digest is of an unknown kind")),
        };
        Ok(Content { digest, size: self.number()? })
    }

    fn text(&mut self) -> Result<&'a [u8], TarError> {
        let length = self.number()?;
        self.take(usize::try_from(length).map_err(|_| CUT_OFF)?)
    }

    fn number_of<T: TryFrom<u64>>(&mut self) -> Result<T, TarError> {
        T::try_from(self.number()?).map_err(|_| TarError::BadIndex("a number is too large"))
    }

    fn number(&mut self) -> Result<u64, TarError> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(TarError::BadIndex("a number is too large"))
    }

    fn byte(&mut self) -> Result<u8, TarError> {
        Ok(self.take(1)?[0])
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], TarError> {
        let (taken, left) = self.left.split_at_checked(count).ok_or(CUT_OFF)?;
        self.left = left;
        Ok(taken)
    }
}

/// A path as it was written: one that cleaning would change was not.
fn clean_path(bytes: &[u8]) -> Result<ImagePath, TarError> {
    let path = ImagePath::lexical(bytes);
    if path.as_bytes() == bytes { Ok(path) } else { Err(TarError::BadIndex("a path is not clean")) }
}

fn sha512(bytes: &[u8]) -> Result<Digest, TarError> {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("sha512:{hex}").parse().map_err(|_| TarError::BadIndex("a digest is malformed"))
}
