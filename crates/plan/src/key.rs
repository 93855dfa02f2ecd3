//! The layer key: SHA-256 of a layer's canonical form.
//!
//! The canonical form says everything that the layer's bytes depend on: the format's epoch, the
//! compression, and each entry in order, every variable part with its length in front, so that no
//! two lists of entries share a form.

use std::collections::BTreeMap;
use std::fmt;

use layer::{Attributes, Entry, Node};
use oci::{Digest, Digester, ImagePath};
use serde::{Deserialize, Serialize};

use crate::outcome::Stream;

/// Raised whenever the same entries would give other bytes or other layers: another block rule, another
/// compressor, another way to deal them out.
pub const FORMAT_EPOCH: u32 = 2;

/// How a layer is compressed, as part of its identity.
pub use layer::Packing;

/// Names a layer's content before the layer exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LayerKey(pub Digest);

impl fmt::Display for LayerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl LayerKey {
    /// The key of the layer that `entries`, in their order, make when packed as `packing`, with
    /// `streams` kept as they are.
    pub fn of(entries: &[Entry], streams: &BTreeMap<ImagePath, Stream>, packing: Packing) -> Self {
        let mut form = Form::new();
        form.number(u64::from(FORMAT_EPOCH));
        form.packing(packing);
        form.number(entries.len() as u64);
        for entry in entries {
            form.entry(entry);
        }
        for (path, stream) in streams {
            form.stream(path, stream);
        }
        LayerKey(form.finish())
    }
}

/// Gathers a canonical form and hashes it in large pieces. Every part has its length or its kind in
/// front, so that no two lists of parts share a form.
pub(crate) struct Form {
    digester: Digester,
    buffer: Vec<u8>,
    kind: Option<Digest>,
}

impl Form {
    pub(crate) fn new() -> Self {
        let (digester, buffer) = (Digester::sha256(), Vec::with_capacity(1 << 16));
        Form { digester, buffer, kind: None }
    }

    pub(crate) fn finish(mut self) -> Digest {
        self.digester.update(&self.buffer);
        self.digester.finish()
    }

    /// What was said until now is what is done; what comes says with what.
    pub(crate) fn end_kind(&mut self) {
        self.kind = Some(self.so_far());
    }

    /// What is done, with whatever, if that was said.
    pub(crate) fn kind(&self) -> Option<Digest> {
        self.kind
    }

    /// What it hashes to as far as it is.
    fn so_far(&self) -> Digest {
        let mut digester = self.digester.clone();
        digester.update(&self.buffer);
        digester.finish()
    }

    pub(crate) fn number(&mut self, number: u64) {
        self.make_room();
        self.buffer.extend_from_slice(&number.to_le_bytes());
    }

    pub(crate) fn text(&mut self, text: &[u8]) {
        self.number(text.len() as u64);
        self.buffer.extend_from_slice(text);
    }

    pub(crate) fn digests(&mut self, digests: &[Digest]) {
        self.number(digests.len() as u64);
        for digest in digests {
            self.text(digest.as_bytes());
        }
    }

    /// Something that is there, or is not.
    pub(crate) fn optional(&mut self, text: Option<&[u8]>) {
        self.number(u64::from(text.is_some()));
        self.text(text.unwrap_or_default());
    }

    pub(crate) fn packing(&mut self, packing: Packing) {
        let (compression, level) = match packing {
            Packing::Gzip(level) => (b'g', level.number()),
            Packing::Zstd(level) => (b'z', level.number()),
            Packing::None => (b'n', 0),
        };
        self.buffer.extend_from_slice(&[compression, level]);
    }

    fn make_room(&mut self) {
        if self.buffer.len() > 1 << 15 {
            self.digester.update(&self.buffer);
            self.buffer.clear();
        }
    }

    pub(crate) fn entry(&mut self, entry: &Entry) {
        self.text(entry.path.as_bytes());
        match &entry.node {
            Node::File(content) => {
                self.buffer.push(b'f');
                self.number(content.size);
                self.text(content.digest.as_bytes());
            }
            Node::Directory => self.buffer.push(b'd'),
            Node::Symlink(target) => {
                self.buffer.push(b'l');
                self.text(target);
            }
            Node::Hardlink(target) => {
                self.buffer.push(b'h');
                self.text(target.as_bytes());
            }
            Node::CharDevice { major, minor } => {
                self.buffer.push(b'c');
                self.number(u64::from(*major) << 32 | u64::from(*minor));
            }
            Node::BlockDevice { major, minor } => {
                self.buffer.push(b'b');
                self.number(u64::from(*major) << 32 | u64::from(*minor));
            }
            Node::Fifo => self.buffer.push(b'p'),
            Node::Whiteout => return self.buffer.push(b'w'),
            Node::Opaque => return self.buffer.push(b'o'),
        }
        self.attributes(&entry.attributes);
    }

    /// Two wheels can hold the same file compressed in two ways. What the store deflates follows
    /// from the content, whichever package it is of; that it is so says an empty name.
    fn stream(&mut self, path: &ImagePath, stream: &Stream) {
        self.text(path.as_bytes());
        match stream {
            Stream::Wheel(stream) => {
                self.text(stream.wheel.as_bytes());
                self.number(stream.member.data_offset);
            }
            Stream::Package { .. } => self.text(b""),
        }
    }

    fn attributes(&mut self, attributes: &Attributes) {
        self.number(u64::from(attributes.mode));
        self.number(u64::from(attributes.uid));
        self.number(u64::from(attributes.gid));
        self.buffer.extend_from_slice(&attributes.mtime.to_le_bytes());
        self.number(attributes.xattrs.len() as u64);
        for (name, value) in &attributes.xattrs {
            self.text(name);
            self.text(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use layer::Content;
    use oci::ImagePath;

    fn file(path: &str, content: &str) -> Entry {
        Entry {
            path: ImagePath::lexical(path),
            attributes: Attributes::root(0o644, 0),
            node: Node::File(Content::of(content.as_bytes())),
        }
    }

    #[test]
    fn names_cannot_be_confused() {
        let key = |entries: &[Entry]| LayerKey::of(entries, &BTreeMap::new(), Packing::default());
        assert_eq!(key(&[file("a", "1")]), key(&[file("a", "1")]));
        assert_ne!(key(&[file("ab", "1")]), key(&[file("a", "1")]));
        assert_ne!(key(&[file("a", "1"), file("b", "2")]), key(&[file("a", "2"), file("b", "1")]));
        let mut executable = file("a", "1");
        executable.attributes.mode = 0o755;
        assert_ne!(key(&[executable]), key(&[file("a", "1")]));
    }

    #[test]
    fn streams_of_packages_are_named_by_their_content() {
        let key = |packages: &[&str]| {
            let stream = |name: &&str| {
                let package = Digest::of(name.as_bytes());
                let stream = Stream::Package { package, filename: (*name).into() };
                (ImagePath::lexical("a"), stream)
            };
            let streams = packages.iter().map(stream).collect();
            LayerKey::of(&[file("a", "1")], &streams, Packing::default())
        };
        assert_eq!(key(&["one.deb"]), key(&["two.deb"]));
        assert_ne!(key(&["one.deb"]), key(&[]));
    }
}
