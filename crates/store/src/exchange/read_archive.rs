//! Reading a tar that holds images, in one pass, so that it may come from a pipe.
//!
//! Nothing is unpacked: what may be needed goes to scratch files that have numbers for names, and
//! an entry's name is only ever compared.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::bufread::MultiGzDecoder;
use oci::{Descriptor, Digest, Digester, MediaType};

use super::docker::{DockerArchive, take_in_docker};
use super::intake::{Source, copy, take_in};
use super::layout::check_layout;
use super::{Imported, Wanted};
use crate::blobs::MAX_DOCUMENT_BYTES;
use crate::images::read_limited;
use crate::scratch::Sealed;
use crate::{Store, StoreError};

/// How many entries an archive may have: some thirty times what a large image has.
const MAX_ENTRIES: usize = 100_000;

/// Takes images from an archive into the store: `oci-archive` or `docker-archive`, plain or
/// compressed by gzip. `place` is named in errors.
///
/// One that is both, as Docker 25 writes it, is read as OCI, so that the image keeps its digest.
pub fn read_archive(
    store: &Store,
    reader: impl Read,
    place: &Path,
    wanted: &Wanted,
) -> Result<Vec<Imported>, StoreError> {
    let mut reader = BufReader::with_capacity(256 * 1024, reader);
    let start = reader.fill_buf().map_err(StoreError::io("read", place))?;
    let contents = if start.starts_with(GZIP_MAGIC) {
        Contents::read(store, MultiGzDecoder::new(reader), place)?
    } else {
        Contents::read(store, reader, place)?
    };
    contents.take_in(store, place, wanted)
}

/// RFC 1952, 2.3.1.
pub(super) const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// What an archive holds.
#[derive(Default)]
struct Contents {
    /// The files that say what the others are.
    documents: BTreeMap<&'static str, Vec<u8>>,
    /// `blobs/ALGORITHM/HEX`, verified.
    blobs: BTreeMap<Digest, Sealed>,
    /// Every other file, by name.
    files: BTreeMap<String, Sealed>,
    /// Links within the archive, by name; old versions of Docker link equal layers.
    links: BTreeMap<String, String>,
}

const DOCUMENTS: [&str; 3] = ["index.json", "manifest.json", "oci-layout"];

impl Contents {
    fn read(store: &Store, reader: impl Read, place: &Path) -> Result<Contents, StoreError> {
        let mut contents = Contents::default();
        let mut archive = tar::Archive::new(reader);
        let entries = archive.entries().map_err(StoreError::io("read", place))?;
        for (count, entry) in entries.enumerate() {
            let mut entry = entry.map_err(StoreError::io("read", place))?;
            let name = entry_name(&entry.path_bytes())?;
            if count >= MAX_ENTRIES {
                return Err(bad(&name, "the archive has too many entries"));
            }
            contents.add(store, &name, &mut entry, place)?;
        }
        Ok(contents)
    }

    fn add(
        &mut self,
        store: &Store,
        name: &str,
        entry: &mut tar::Entry<'_, impl Read>,
        place: &Path,
    ) -> Result<(), StoreError> {
        use tar::EntryType;
        match entry.header().entry_type() {
            EntryType::Directory | EntryType::XGlobalHeader => Ok(()),
            EntryType::Regular | EntryType::Continuous => {
                if self.has(name) {
                    return Err(bad(name, "there are two of this name"));
                }
                self.add_file(store, name, entry, place)
            }
            kind @ (EntryType::Symlink | EntryType::Link) => {
                let target = entry.link_name_bytes().unwrap_or_default();
                let target = match kind {
                    EntryType::Symlink => resolve(name, &target),
                    _ => entry_name(&target).ok(),
                };
                let target =
                    target.ok_or_else(|| bad(name, "it links to outside of the archive"))?;
                self.links.insert(name.to_owned(), target);
                Ok(())
            }
            _ => Err(bad(name, "it is neither a file, nor a directory, nor a link")),
        }
    }

    fn has(&self, name: &str) -> bool {
        self.documents.contains_key(name)
            || self.files.contains_key(name)
            || blob_digest(name).is_some_and(|digest| self.blobs.contains_key(&digest))
    }

    fn add_file(
        &mut self,
        store: &Store,
        name: &str,
        entry: &mut tar::Entry<'_, impl Read>,
        place: &Path,
    ) -> Result<(), StoreError> {
        let size = entry.size();
        if let Some(document) = DOCUMENTS.iter().find(|document| **document == name) {
            let bytes = read_limited(entry, &place.join(name), MAX_DOCUMENT_BYTES)?;
            whole(name, size, bytes.len() as u64)?;
            self.documents.insert(document, bytes);
        } else if let Some(digest) = blob_digest(name) {
            let expected = Descriptor::new(MediaType::Other(String::new()), digest, size);
            let mut incoming = store.incoming(&expected)?;
            whole(name, size, copy(entry, place, &mut incoming)?)?;
            self.blobs.insert(digest, incoming.seal()?);
        } else {
            let mut hashed = Hashed { writer: store.scratch()?, digester: Digester::sha256() };
            whole(name, size, copy(entry, place, &mut hashed)?)?;
            let sealed = hashed.writer.seal(hashed.digester.finish(), size)?;
            self.files.insert(name.to_owned(), sealed);
        }
        Ok(())
    }

    fn take_in(
        mut self,
        store: &Store,
        place: &Path,
        wanted: &Wanted,
    ) -> Result<Vec<Imported>, StoreError> {
        let parse_error = |name: &str| {
            let path = place.join(name);
            move |source| StoreError::Document { path, source }
        };
        if let (Some(layout), Some(index)) =
            (self.documents.get("oci-layout"), self.documents.get("index.json"))
        {
            check_layout(layout, &place.join("oci-layout"))?;
            let index = serde_json::from_slice(index).map_err(parse_error("index.json"))?;
            return take_in(store, &index, Source::Staged(self.blobs), wanted, place);
        }
        let Some(manifest) = self.documents.remove("manifest.json") else {
            let problem = "there is neither `index.json` nor `manifest.json`: this is no image";
            return Err(bad(&place.display().to_string(), problem));
        };
        let images = serde_json::from_slice(&manifest).map_err(parse_error("manifest.json"))?;
        self.files.extend(self.blobs.into_iter().map(|(digest, sealed)| {
            (format!("blobs/{}/{}", digest.algorithm().name(), digest.hex()), sealed)
        }));
        let archive = DockerArchive { images, files: self.files, links: self.links };
        take_in_docker(store, archive, wanted, place)
    }
}

struct Hashed<W> {
    writer: W,
    digester: Digester,
}

impl<W: std::io::Write> std::io::Write for Hashed<W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.writer.write(bytes)?;
        self.digester.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.writer.flush()
    }
}

/// An archive that ends early must not pass for a short file.
fn whole(name: &str, size: u64, read: u64) -> Result<(), StoreError> {
    if read == size { Ok(()) } else { Err(bad(name, "the archive ends in the middle of it")) }
}

pub(super) fn bad(entry: &str, problem: &'static str) -> StoreError {
    StoreError::BadArchive { entry: entry.to_owned(), problem }
}

/// The digest that a path in an OCI layout stands for.
fn blob_digest(name: &str) -> Option<Digest> {
    name.strip_prefix("blobs/")?.replacen('/', ":", 1).parse().ok()
}

/// An entry's name in one spelling: relative, with neither `.` nor `..` nor empty components.
fn entry_name(bytes: &[u8]) -> Result<String, StoreError> {
    let text = String::from_utf8_lossy(bytes);
    if text.starts_with('/') {
        return Err(bad(&text, "its name is absolute"));
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err(bad(&text, "its name is not UTF-8"));
    }
    match normalize(Path::new(""), &text) {
        Some(name) => Ok(name),
        None => Err(bad(&text, "its name leads out of the archive")),
    }
}

/// Where a symbolic link at `name` leads, if that is within the archive.
fn resolve(name: &str, target: &[u8]) -> Option<String> {
    let target = std::str::from_utf8(target).ok().filter(|target| !target.starts_with('/'))?;
    normalize(Path::new(name).parent()?, target)
}

fn normalize(base: &Path, text: &str) -> Option<String> {
    let mut path = PathBuf::from(base);
    for component in text.split('/') {
        match component {
            "" | "." => {}
            ".." if !path.pop() => return None,
            ".." => {}
            name => path.push(name),
        }
    }
    path.into_os_string().into_string().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_one_spelling() {
        let name = |text: &str| entry_name(text.as_bytes()).map_err(|error| error.to_string());
        assert_eq!(name("./a//b/./c").as_deref(), Ok("a/b/c"));
        assert_eq!(name("a/../b").as_deref(), Ok("b"));
        insta::assert_snapshot!(name("../a").unwrap_err(), @"read the archive's entry `../a`: its name leads out of the archive");
        insta::assert_snapshot!(name("/etc/passwd").unwrap_err(), @"read the archive's entry `/etc/passwd`: its name is absolute");
        assert_eq!(resolve("a/layer.tar", b"../b/layer.tar").as_deref(), Some("b/layer.tar"));
        assert_eq!(resolve("a/layer.tar", b"../../b"), None);
        assert_eq!(resolve("a/layer.tar", b"/b"), None);
    }
}
