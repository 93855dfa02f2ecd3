//! What layers hold, and in which files two of them differ.

use std::collections::BTreeMap;

use layer::{Entry, LayerIndex};
use oci::Digest;
use serde::{Deserialize, Serialize};

/// The paths of a layer. A whiteout stands under its name in the tar, so that it is not taken for
/// what it hides.
pub type Files = BTreeMap<String, FileState>;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FileState {
    /// What.
    pub node: Node,
    /// Permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Seconds since the epoch.
    pub mtime: i64,
    /// The digest of its extended attributes, if it has some.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xattrs: Option<Digest>,
}

/// The kinds of things that paths are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Node {
    /// A regular file.
    File {
        /// Its bytes.
        digest: Digest,
        /// How many.
        size: u64,
    },
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Its target.
        target: String,
    },
    /// Another name of a file.
    Hardlink {
        /// The file.
        target: String,
    },
    /// A device or a pipe, in words.
    Special {
        /// The words.
        what: String,
    },
    /// What was there is gone.
    Whiteout,
}

/// A path at which two layers differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FileChange {
    /// Where.
    pub path: String,
    /// In what.
    pub aspects: Vec<Aspect>,
    /// What was there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<FileState>,
    /// What is there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<FileState>,
}

/// In what a path differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aspect {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// It is of another kind.
    Type,
    /// Its bytes, or where it leads.
    Content,
    /// Its permissions.
    Mode,
    /// Its owner or group.
    Owner,
    /// Its time.
    Time,
    /// Its extended attributes.
    Xattrs,
}

/// The paths of a layer of which the index is known.
pub(crate) fn of_index(index: &LayerIndex) -> Files {
    files_of_entries(index.entries())
}

/// The paths of layers as one, the lowest first: what a higher one deletes is not there.
pub(crate) fn merged<'a>(layers: impl Iterator<Item = &'a Files>) -> Files {
    let mut all = Files::new();
    for files in layers {
        for (path, state) in files {
            if state.node == Node::Whiteout {
                hide(&mut all, &hidden_by(path));
            }
        }
        all.extend(files.iter().map(|(path, state)| (path.clone(), state.clone())));
    }
    all
}

/// Takes a path away, and all that is below it.
fn hide(files: &mut Files, path: &str) {
    if path.is_empty() {
        return files.clear();
    }
    files.remove(path);
    let below = format!("{path}/");
    let hidden = files.range(below.clone()..).take_while(|(known, _)| known.starts_with(&below));
    let hidden: Vec<String> = hidden.map(|(known, _)| known.clone()).collect();
    for known in hidden {
        files.remove(&known);
    }
}

/// The path that a whiteout's name hides; of an opaque one, the directory.
fn hidden_by(whiteout: &str) -> String {
    let (directory, name) = whiteout.rsplit_once('/').unwrap_or(("", whiteout));
    match name.strip_prefix(".wh.") {
        Some(OPAQUE) | None => directory.to_owned(),
        Some(name) if directory.is_empty() => name.to_owned(),
        Some(name) => format!("{directory}/{name}"),
    }
}

/// What follows `.wh.` in the name of an opaque whiteout (image-spec `layer.md`, "Opaque Whiteout").
const OPAQUE: &str = ".wh..opq";

/// The paths that a layer's entries stand for.
pub fn files_of_entries(entries: &[Entry]) -> Files {
    entries.iter().map(|entry| (name(entry), FileState::of(entry))).collect()
}

fn name(entry: &Entry) -> String {
    let path = entry.path.to_string();
    match entry.node {
        layer::Node::Opaque => format!("{path}/.wh.{OPAQUE}"),
        layer::Node::Whiteout => match path.rsplit_once('/') {
            Some((directory, name)) => format!("{directory}/.wh.{name}"),
            None => format!(".wh.{path}"),
        },
        _ => path,
    }
}

impl FileState {
    /// What an entry says of its path.
    pub fn of(entry: &Entry) -> Self {
        let layer::Attributes { mode, uid, gid, mtime, xattrs } = &entry.attributes;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let node = match &entry.node {
            layer::Node::File(content) => Node::File { digest: content.digest, size: content.size },
            layer::Node::Directory => Node::Directory,
            layer::Node::Symlink(target) => Node::Symlink { target: text(target) },
            layer::Node::Hardlink(target) => Node::Hardlink { target: target.to_string() },
            layer::Node::CharDevice { major, minor } => {
                Node::Special { what: format!("character device {major}:{minor}") }
            }
            layer::Node::BlockDevice { major, minor } => {
                Node::Special { what: format!("block device {major}:{minor}") }
            }
            layer::Node::Fifo => Node::Special { what: "named pipe".to_owned() },
            // The attributes of these say nothing.
            layer::Node::Whiteout | layer::Node::Opaque => return Self::whiteout(),
        };
        let digest = || Digest::of(&oci::json::to_bytes(&xattrs.iter().collect::<Vec<_>>()));
        let xattrs = (!xattrs.is_empty()).then(digest);
        FileState { node, mode: *mode, uid: *uid, gid: *gid, mtime: *mtime, xattrs }
    }

    fn whiteout() -> Self {
        FileState { node: Node::Whiteout, mode: 0, uid: 0, gid: 0, mtime: 0, xattrs: None }
    }
}

/// The paths at which two layers differ, in order.
pub(crate) fn differences(old: &Files, new: &Files) -> Vec<FileChange> {
    let mut changes = Vec::new();
    for (path, state) in old {
        let aspects = match new.get(path) {
            None => vec![Aspect::Removed],
            Some(now) => aspects(state, now),
        };
        if !aspects.is_empty() {
            let (path, old, new) = (path.clone(), Some(state.clone()), new.get(path).cloned());
            changes.push(FileChange { path, aspects, old, new });
        }
    }
    for (path, state) in new.iter().filter(|(path, _)| !old.contains_key(*path)) {
        let (path, new) = (path.clone(), Some(state.clone()));
        changes.push(FileChange { path, aspects: vec![Aspect::Added], old: None, new });
    }
    changes.sort_by(|a, b| a.path.cmp(&b.path));
    changes
}

fn aspects(old: &FileState, new: &FileState) -> Vec<Aspect> {
    let mut aspects = Vec::new();
    let mut note = |differs: bool, aspect: Aspect| aspects.extend(differs.then_some(aspect));
    let same_kind = std::mem::discriminant(&old.node) == std::mem::discriminant(&new.node);
    note(!same_kind, Aspect::Type);
    note(same_kind && old.node != new.node, Aspect::Content);
    note(old.mode != new.mode, Aspect::Mode);
    note((old.uid, old.gid) != (new.uid, new.gid), Aspect::Owner);
    note(old.mtime != new.mtime, Aspect::Time);
    note(old.xattrs != new.xattrs, Aspect::Xattrs);
    aspects
}
