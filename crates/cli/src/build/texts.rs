//! The bytes of small files in layers, so that no layer is read again for them.
//!
//! Those that whoever installs packages surely asks for ([`is_asked_for`]) are some thousand in a
//! base, and are wanted together: of a layer they are one record. Others are a record each, once
//! somebody has asked.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use layer::{LayerIndex, Node};
use oci::{DiffId, Digest, ImagePath};
use store::Store;

use super::pieces;
use crate::error::Error;

/// The kind of fact that the bytes of one file are, by their digest.
const TEXT: &str = "text";
/// The kind of fact that the texts of a layer are, by its diff id: pieces, compressed.
const TEXTS: &str = "texts";
/// What a piece of these is.
const FILE: u8 = b't';
/// They are read more often than they are written, and copied to every registry as they are.
const LEVEL: i32 = 6;
/// The most that the texts of a layer are, unpacked.
const MOST_BYTES: u64 = 2 * LayerIndex::MOST_KEPT;

/// Whether a file's text will surely be asked for, once somebody installs packages.
pub(super) fn is_asked_for(path: &ImagePath) -> bool {
    python::is_asked_for(path) || debian::is_asked_for(path)
}

/// What was read of the store's texts in a build.
#[derive(Default)]
pub(super) struct Texts {
    known: HashMap<Digest, Arc<[u8]>>,
    /// The layers whose texts are among these, if there are any.
    read: HashSet<DiffId>,
}

impl Texts {
    /// A text, if the store has it: with the others of a layer that has it, or by itself.
    pub(super) fn find(
        &mut self,
        store: &Store,
        layer: &DiffId,
        digest: &Digest,
    ) -> Result<Option<Arc<[u8]>>, Error> {
        self.read(store, layer)?;
        self.get(store, digest)
    }

    /// A text, if it is one of a layer that was read, or a record by itself.
    pub(super) fn get(&self, store: &Store, digest: &Digest) -> Result<Option<Arc<[u8]>>, Error> {
        match self.known.get(digest) {
            Some(text) => Ok(Some(Arc::clone(text))),
            None => Ok(store.fact(TEXT, digest)?.map(Arc::from)),
        }
    }

    /// Reads what the store has of a layer, once.
    pub(super) fn read(&mut self, store: &Store, layer: &DiffId) -> Result<(), Error> {
        if self.read.insert(*layer)
            && let Some(packed) = store.fact(TEXTS, &layer.0)?
        {
            let files = unpack(&packed).unwrap_or_default();
            self.known.extend(files.into_iter().map(|(digest, text)| (digest, text.into())));
        }
        Ok(())
    }
}

/// Keeps one text.
pub(super) fn record(store: &Store, digest: &Digest, text: &[u8]) -> Result<(), Error> {
    Ok(store.record_fact(TEXT, digest, text)?)
}

/// Keeps the texts of a layer that was read.
pub(super) fn record_all(
    store: &Store,
    layer: &DiffId,
    files: Vec<(Digest, Vec<u8>)>,
) -> Result<(), Error> {
    match pack(files) {
        Some(packed) => Ok(store.record_fact(TEXTS, &layer.0, &packed)?),
        None => Ok(()),
    }
}

/// The texts of a layer, packed, as far as the store has them. Of a layer that was made here and never
/// read, they are gathered.
pub(super) fn packed(store: &Store, layer: &DiffId) -> Result<Option<Vec<u8>>, Error> {
    if let Some(packed) = store.fact(TEXTS, &layer.0)? {
        return Ok(Some(packed));
    }
    let index = store.layer_index(layer)?;
    let Some(index) = index.and_then(|bytes| LayerIndex::from_bytes(&bytes).ok()) else {
        return Ok(None);
    };
    let mut files = Vec::new();
    for entry in index.entries() {
        if let Node::File(content) = &entry.node
            && is_asked_for(&entry.path)
            && let Some(text) = store.fact(TEXT, &content.digest)?
        {
            files.push((content.digest, text));
        }
    }
    Ok(pack(files))
}

/// Keeps the packed texts of a layer that somebody else read; they have to be [right](is_right).
pub(super) fn take(store: &Store, layer: &DiffId, packed: &[u8]) -> Result<(), Error> {
    match store.fact(TEXTS, &layer.0)? {
        Some(_) => Ok(()),
        None => Ok(store.record_fact(TEXTS, &layer.0, packed)?),
    }
}

/// Whether packed texts are what their digests say.
pub(super) fn is_right(packed: &[u8]) -> bool {
    unpack(packed)
        .is_some_and(|files| files.iter().all(|(digest, text)| Digest::of(text) == *digest))
}

/// Texts in one compressed piece; nothing if there are none.
fn pack(files: Vec<(Digest, Vec<u8>)>) -> Option<Vec<u8>> {
    let files: BTreeMap<Digest, Vec<u8>> = files.into_iter().collect();
    let mut plain = Vec::new();
    for (digest, text) in &files {
        pieces::put(&mut plain, FILE, digest, text);
    }
    if plain.is_empty() {
        return None;
    }
    // In memory, nothing can fail.
    zstd::encode_all(plain.as_slice(), LEVEL).ok()
}

fn unpack(packed: &[u8]) -> Option<Vec<(Digest, Vec<u8>)>> {
    let plain = pieces::decompress(packed, MOST_BYTES)?;
    let mut rest = plain.as_slice();
    let mut files = Vec::new();
    while !rest.is_empty() {
        let (kind, digest, text) = pieces::take(&mut rest)?;
        if kind != FILE {
            return None;
        }
        files.push((digest, text.to_vec()));
    }
    Some(files)
}

#[cfg(test)]
mod tests {
    use layer::{Attributes, Content, Entry};

    use super::*;

    fn open() -> (tempfile::TempDir, Store) {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        (directory, store)
    }

    fn layer(name: &str) -> DiffId {
        DiffId(Digest::of(name.as_bytes()))
    }

    fn found(store: &Store, name: &str, text: &str) -> Option<Arc<[u8]>> {
        Texts::default().find(store, &layer(name), &Digest::of(text.as_bytes())).unwrap()
    }

    fn file(path: &str, text: &str) -> Entry {
        let content = Content { digest: Digest::of(text.as_bytes()), size: text.len() as u64 };
        Entry {
            path: ImagePath::lexical(path),
            attributes: Attributes {
                mode: 0o644,
                uid: 0,
                gid: 0,
                mtime: 0,
                xattrs: BTreeMap::new(),
            },
            node: Node::File(content),
        }
    }

    #[test]
    fn texts_are_found_with_their_layer_or_by_themselves() {
        let (_directory, store) = open();
        let texts = ["one", "two", "one"].map(|text| (Digest::of(text.as_bytes()), text.into()));
        record_all(&store, &layer("base"), texts.into()).unwrap();
        record(&store, &Digest::of(b"three"), b"three").unwrap();
        assert_eq!(found(&store, "base", "two").as_deref(), Some(&b"two"[..]));
        assert_eq!(found(&store, "other", "two"), None, "of another layer nothing is known");
        assert_eq!(found(&store, "other", "three").as_deref(), Some(&b"three"[..]));
        assert_eq!(found(&store, "base", "four"), None);
    }

    #[test]
    fn what_was_made_here_is_gathered() {
        let (_directory, store) = open();
        let entries = vec![file("srv/motd", "motd"), file("var/lib/dpkg/status", "status")];
        let index = LayerIndex::from_entries(entries).written().unwrap();
        store.record_layer_index(&layer("made"), &index.to_bytes()).unwrap();
        assert_eq!(packed(&store, &layer("made")).unwrap(), None);
        for text in ["motd", "status"] {
            record(&store, &Digest::of(text.as_bytes()), text.as_bytes()).unwrap();
        }
        let packed = packed(&store, &layer("made")).unwrap().unwrap();
        assert!(is_right(&packed));
        let (_other, elsewhere) = open();
        take(&elsewhere, &layer("made"), &packed).unwrap();
        assert_eq!(found(&elsewhere, "made", "status").as_deref(), Some(&b"status"[..]));
        assert_eq!(found(&elsewhere, "made", "motd"), None, "nobody surely asks for it");
    }

    #[test]
    fn what_is_not_what_it_says_is_seen() {
        let pack = |kind: u8, text: &str| {
            let mut plain = Vec::new();
            pieces::put(&mut plain, kind, &Digest::of(b"text"), text.as_bytes());
            zstd::encode_all(plain.as_slice(), LEVEL).unwrap()
        };
        assert!(is_right(&pack(FILE, "text")));
        assert!(!is_right(&pack(FILE, "other")));
        assert!(!is_right(&pack(b'x', "text")));
        assert!(!is_right(b"no frame"));
    }
}
