//! The files of a package as the store keeps them: deflated once, and laid any number of times.
//!
//! A fragment is a blob of deflate streams and nothing else; where each content is in it stands in
//! the package's record, together with all that is known of the package. The package's own bytes
//! are not kept: nothing asks for them twice.

use std::collections::HashMap;
use std::fs::File;

use debian::Deb;
use layer::{Content, DeflatedPart, Deflater, InflatedParts};
use oci::Digest;
use store::Store;

use crate::build::error::BuildError;
use crate::build::file_range::FileRange;
use crate::error::Error;

/// The kind of fact that a package's record is.
const KIND: &str = "deb";
/// The form of the record.
const VERSION: u8 = 1;

/// Where the files of a package are.
#[derive(Debug, Default)]
pub(in crate::build) struct Fragment {
    blob: Option<(Digest, u64)>,
    places: HashMap<Digest, Place>,
    /// The order in which they were written.
    order: Vec<Digest>,
    size: u64,
}

/// Where a content is in the blob.
#[derive(Debug)]
struct Place {
    offset: u64,
    size: u64,
    parts: Vec<DeflatedPart>,
}

impl Fragment {
    /// Adds what was written behind all else.
    pub(super) fn add(&mut self, content: Content, parts: Vec<DeflatedPart>) {
        let place = Place { offset: self.size, size: content.size, parts };
        self.size += place.packed_size();
        if self.places.insert(content.digest, place).is_none() {
            self.order.push(content.digest);
        } else {
            // The same content twice: where it is last is as good.
            self.order.retain(|digest| *digest != content.digest);
            self.order.push(content.digest);
        }
    }

    pub(super) fn set_blob(&mut self, digest: Digest, size: u64) {
        self.blob = Some((digest, size));
    }

    fn to_bytes(&self, deb: &Deb) -> Vec<u8> {
        let mut out = vec![VERSION];
        let (blob, size) = self.blob.unwrap_or((Digest::of(b""), 0));
        out.extend_from_slice(blob.as_bytes());
        put(&mut out, size);
        put(&mut out, self.order.len() as u64);
        for digest in &self.order {
            let Some(place) = self.places.get(digest) else { continue };
            out.extend_from_slice(digest.as_bytes());
            put(&mut out, place.size);
            put(&mut out, place.offset);
            for part in &place.parts {
                put(&mut out, part.packed_size);
                out.extend_from_slice(&part.crc32.to_le_bytes());
            }
        }
        out.extend_from_slice(&deb.to_bytes());
        out
    }

    /// The fragment, and what is left of the bytes.
    fn from_bytes(bytes: &[u8]) -> Option<(Fragment, &[u8])> {
        let mut bytes = bytes.strip_prefix(&[VERSION])?;
        let blob = Digest::from_sha256(take(&mut bytes)?);
        let size = u64::from_le_bytes(take(&mut bytes)?);
        let mut fragment = Fragment { blob: Some((blob, size)), ..Fragment::default() };
        for _ in 0..u64::from_le_bytes(take(&mut bytes)?) {
            let digest = Digest::from_sha256(take(&mut bytes)?);
            let size = u64::from_le_bytes(take(&mut bytes)?);
            let offset = u64::from_le_bytes(take(&mut bytes)?);
            let (mut parts, mut left) = (Vec::new(), size);
            while left > 0 {
                let size = left.min(Deflater::PART as u64);
                let packed_size = u64::from_le_bytes(take(&mut bytes)?);
                let crc32 = u32::from_le_bytes(take(&mut bytes)?);
                parts.push(DeflatedPart { size, packed_size, crc32 });
                left -= size;
            }
            fragment.places.insert(digest, Place { offset, size, parts });
        }
        Some((fragment, bytes))
    }
}

impl Place {
    fn packed_size(&self) -> u64 {
        self.parts.iter().map(|part| part.packed_size).sum()
    }
}

fn put(out: &mut Vec<u8>, number: u64) {
    out.extend_from_slice(&number.to_le_bytes());
}

fn take<const LENGTH: usize>(bytes: &mut &[u8]) -> Option<[u8; LENGTH]> {
    let (taken, rest) = bytes.split_first_chunk()?;
    *bytes = rest;
    Some(*taken)
}

/// Remembers a package and where its files are.
pub(super) fn record(store: &Store, deb: &Deb, fragment: &Fragment) -> Result<(), Error> {
    Ok(store.record_fact(KIND, &deb.digest, &fragment.to_bytes(deb))?)
}

/// What is known of a package, if its files are here. A record of another version, or a damaged one,
/// counts as none.
pub(super) fn known(store: &Store, package: &Digest) -> Result<Option<Deb>, Error> {
    let Some(bytes) = store.fact(KIND, package)? else { return Ok(None) };
    let Some((fragment, rest)) = Fragment::from_bytes(&bytes) else { return Ok(None) };
    match fragment.blob {
        Some((blob, size)) if store.contains(&blob)? == Some(size) => {
            // It counts as used now, whether or not a layer is laid of it.
            drop(store.open_blob(&blob)?);
            Ok(Deb::from_bytes(rest))
        }
        _ => Ok(None),
    }
}

/// A package's files, open.
#[derive(Debug)]
pub(in crate::build) struct OpenFragment {
    file: File,
    fragment: Fragment,
}

impl OpenFragment {
    pub(in crate::build) fn open(store: &Store, package: &Digest) -> Result<Self, Error> {
        let gone = || BuildError::NoFragment(*package);
        let bytes = store.fact(KIND, package)?.ok_or_else(gone)?;
        let (fragment, _) = Fragment::from_bytes(&bytes).ok_or_else(gone)?;
        let (blob, size) = fragment.blob.ok_or_else(gone)?;
        if store.contains(&blob)? != Some(size) {
            return Err(gone().into());
        }
        Ok(OpenFragment { file: store.open_blob(&blob)?, fragment })
    }

    /// The streams of a content, and what is said of them.
    pub(in crate::build) fn packed(
        &self,
        digest: &Digest,
    ) -> Option<(FileRange<'_>, &[DeflatedPart])> {
        let place = self.fragment.places.get(digest)?;
        let (at, left) = (place.offset, place.packed_size());
        Some((FileRange { file: &self.file, at, left }, &place.parts))
    }

    /// The bytes of a content.
    pub(in crate::build) fn content(
        &self,
        digest: &Digest,
    ) -> Option<InflatedParts<FileRange<'_>>> {
        let (stream, parts) = self.packed(digest)?;
        Some(InflatedParts::new(stream, parts.to_vec()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_comes_back() {
        let mut fragment = Fragment::default();
        let part = |size, packed_size| DeflatedPart { size, packed_size, crc32: 7 };
        let large = Content { digest: Digest::of(b"large"), size: (1 << 20) + 5 };
        fragment.add(large, vec![part(1 << 20, 900), part(5, 10)]);
        fragment.add(Content::of(b"small"), vec![part(5, 12)]);
        fragment.add(large, vec![part(1 << 20, 900), part(5, 10)]);
        fragment.set_blob(Digest::of(b"blob"), 1832);
        let deb = Deb {
            digest: Digest::of(b"deb"),
            filename: "a.deb".into(),
            control: debian::Stanza::default(),
            control_files: Vec::new(),
            members: Vec::new(),
            elf: HashMap::new(),
        };
        let bytes = fragment.to_bytes(&deb);
        let (read, rest) = Fragment::from_bytes(&bytes).unwrap();
        assert_eq!(Deb::from_bytes(rest), Some(deb));
        assert_eq!(read.blob, fragment.blob);
        assert_eq!(read.places.len(), 2);
        assert_eq!(read.places[&Content::of(b"small").digest].offset, 910);
        assert_eq!(read.places[&large.digest].offset, 922);
        assert_eq!(read.places[&large.digest].parts, fragment.places[&large.digest].parts);
        for length in 0..bytes.len() - rest.len() {
            assert!(Fragment::from_bytes(&bytes[..length]).is_none());
        }
    }
}
