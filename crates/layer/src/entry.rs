//! What a layer consists of: entries, each a path with attributes and a node.
//!
//! An entry names a file's content by size and digest and does not hold it. So a list of entries
//! is small, can be planned, compared and hashed before any byte is read again, and says all there
//! is to say about the layer's tar.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use oci::{Digest, ImagePath};
use serde::{Deserialize, Serialize};

/// One path in a layer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Where.
    pub path: ImagePath,
    /// Mode, owner, time, extended attributes. Ignored for whiteouts.
    pub attributes: Attributes,
    /// What.
    pub node: Node,
}

/// Everything about an entry but its content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attributes {
    /// Permission, set-id and sticky bits: the low twelve.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Seconds since the epoch.
    pub mtime: i64,
    /// Extended attributes by name, such as `security.capability`.
    pub xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
}

/// A file's content, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Content {
    /// SHA-256 of the bytes.
    pub digest: Digest,
    /// How many bytes there are.
    pub size: u64,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A regular file.
    File(Content),
    /// A directory.
    Directory,
    /// A symbolic link and its target, as written.
    Symlink(Vec<u8>),
    /// Another name of a file in the same layer. In a layer that we write, a later one.
    Hardlink(ImagePath),
    /// A character device.
    CharDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A block device.
    BlockDevice {
        /// Major number.
        major: u32,
        /// Minor number.
        minor: u32,
    },
    /// A named pipe.
    Fifo,
    /// The path of a lower layer is gone (image-spec `layer.md`, "Whiteouts").
    ///
    /// `path` is the path that vanishes; its `.wh.` name exists only in the tar.
    Whiteout,
    /// What lower layers hold below this directory is gone ("Opaque Whiteout").
    ///
    /// `path` is the directory; a separate entry says what the directory itself is.
    Opaque,
}

impl Entry {
    /// The order of entries in a layer's tar.
    ///
    /// A directory comes before what it holds; in it, first its opaque whiteout, then its
    /// whiteouts by name, then its children by name, each followed by what it holds. So whiteouts
    /// "appear before sibling directory entries" (image-spec `layer.md`, "Opaque Whiteout").
    pub fn layer_order(&self, other: &Entry) -> Ordering {
        if !self.is_marker() && !other.is_marker() {
            return self.path.cmp(&other.path);
        }
        self.order_key().cmp(other.order_key())
    }

    /// Whether this says that something of a lower layer is gone, and is nothing itself.
    pub fn is_marker(&self) -> bool {
        matches!(self.node, Node::Whiteout | Node::Opaque)
    }

    fn order_key(&self) -> impl Iterator<Item = (u8, &[u8])> {
        let depth = self.path.components().count();
        let last = if self.node == Node::Whiteout { 1 } else { 2 };
        let rank = move |level| if level + 1 == depth { last } else { 2 };
        let opaque = (self.node == Node::Opaque).then_some((0, &b""[..]));
        self.path
            .components()
            .enumerate()
            .map(move |(level, name)| (rank(level), name))
            .chain(opaque)
    }
}

impl Attributes {
    /// Owned by root, no extended attributes.
    pub fn root(mode: u32, mtime: i64) -> Self {
        Attributes { mode, uid: 0, gid: 0, mtime, xattrs: BTreeMap::new() }
    }
}

impl Content {
    /// The content that `bytes` are.
    pub fn of(bytes: &[u8]) -> Self {
        Content { digest: Digest::of(bytes), size: bytes.len() as u64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whiteouts_come_before_their_siblings() {
        let entry = |path: &str, node: Node| Entry {
            path: ImagePath::lexical(path),
            attributes: Attributes::root(0o755, 0),
            node,
        };
        let mut entries = vec![
            entry("a/b", Node::Fifo),
            entry("a/z", Node::Whiteout),
            entry("a", Node::Opaque),
            entry("a", Node::Directory),
            entry("a/c", Node::Whiteout),
            entry("a/b/c", Node::Whiteout),
            entry("a/b/a", Node::Fifo),
            entry("a", Node::Whiteout),
            entry("", Node::Opaque),
            entry("", Node::Directory),
            entry("a-b", Node::Fifo),
        ];
        entries.sort_by(Entry::layer_order);
        let shown: Vec<String> =
            entries.iter().map(|e| format!("{:?} {:?}", e.path, e.node)).collect();
        insta::assert_snapshot!(shown.join("\n"), @r#"
        "/" Directory
        "/" Opaque
        "/a" Whiteout
        "/a" Directory
        "/a" Opaque
        "/a/c" Whiteout
        "/a/z" Whiteout
        "/a/b" Fifo
        "/a/b/c" Whiteout
        "/a/b/a" Fifo
        "/a-b" Fifo
        "#);
    }
}
