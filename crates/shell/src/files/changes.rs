//! What is left of all changes at the end: what a layer has to say.

use std::collections::{BTreeMap, HashMap};

use layer::Attributes;
use oci::ImagePath;

use super::volume::{InodeId, Upper};
use super::{FileResult, Files, Kind, VolumeId};
use crate::data::Data;

/// A path that is not as the layers below have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// Where.
    pub path: ImagePath,
    /// Mode, owner, time, extended attributes; of no matter for what is gone.
    pub attributes: Attributes,
    /// What stands there now.
    pub node: ChangedNode,
}

/// What stands at a changed path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangedNode {
    /// Nothing, where the layers below have something.
    Gone,
    /// A regular file.
    File(Data),
    /// A directory.
    Directory {
        /// What the layers below have in it.
        below: Below,
    },
    /// A symbolic link.
    Symlink(Vec<u8>),
    /// Another name of the file at this path, which comes earlier.
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
}

/// What becomes of what lower layers have in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Below {
    /// It shows, or there is nothing.
    Shown,
    /// It is gone.
    Hidden,
}

impl Files {
    /// What differs from the layers below, by path; what came out as it was is not in it.
    pub fn changes(&self) -> FileResult<Vec<Changed>> {
        let id = VolumeId(0);
        let mut first: HashMap<InodeId, ImagePath> = HashMap::new();
        let mut changes = Vec::new();
        for (path, upper) in &self.volumes[id.0].upper {
            match upper {
                Upper::Gone => changes.push(Changed {
                    path: path.clone(),
                    attributes: Attributes::root(0, 0),
                    node: ChangedNode::Gone,
                }),
                Upper::Here { inode, is_fresh } => {
                    if self.is_stub(path) {
                        continue;
                    }
                    let node = match first.get(inode) {
                        Some(original) => ChangedNode::Hardlink(original.clone()),
                        None => self.node(id, path, *inode, *is_fresh)?,
                    };
                    let stat = self.stat_inode(id, *inode);
                    first.entry(*inode).or_insert_with(|| path.clone());
                    let attributes = stat.attributes.clone();
                    let changed = Changed { path: path.clone(), attributes, node };
                    changes.push(changed);
                }
            }
        }
        self.drop_unchanged(id, changes)
    }

    fn node(
        &self,
        id: VolumeId,
        path: &ImagePath,
        inode: InodeId,
        is_fresh: bool,
    ) -> FileResult<ChangedNode> {
        Ok(match &self.inodes[inode.0].kind {
            Kind::File(data) => ChangedNode::File(data.clone()),
            Kind::Directory => {
                let is_over = is_fresh
                    && !self.volumes[id.0].hides(path)
                    && self.stat_below(id, path)?.is_some_and(|stat| stat.is_directory());
                let below = if is_over { Below::Hidden } else { Below::Shown };
                ChangedNode::Directory { below }
            }
            Kind::Symlink(target) => ChangedNode::Symlink(target.clone()),
            Kind::CharDevice { major, minor } => {
                ChangedNode::CharDevice { major: *major, minor: *minor }
            }
            Kind::BlockDevice { major, minor } => {
                ChangedNode::BlockDevice { major: *major, minor: *minor }
            }
            Kind::Fifo => ChangedNode::Fifo,
        })
    }

    /// A directory that only a mount needed, with nothing in it.
    fn is_stub(&self, path: &ImagePath) -> bool {
        let upper = &self.volumes[0].upper;
        let is_in_use = |stub: &ImagePath| {
            upper.keys().any(|other| {
                other != stub && other.starts_with(stub) && !self.stubs.contains(other)
            })
        };
        self.stubs.contains(path) && !is_in_use(path)
    }

    /// Without what the layers below have in the same way, unless other names hang on it.
    fn drop_unchanged(&self, id: VolumeId, changes: Vec<Changed>) -> FileResult<Vec<Changed>> {
        let mut names: BTreeMap<ImagePath, usize> = BTreeMap::new();
        for changed in &changes {
            if let ChangedNode::Hardlink(original) = &changed.node {
                *names.entry(original.clone()).or_default() += 1;
            }
        }
        let mut kept = Vec::with_capacity(changes.len());
        for changed in changes {
            let is_linked = names.contains_key(&changed.path);
            if is_linked || !self.is_as_below(id, &changed)? {
                kept.push(changed);
            }
        }
        Ok(kept)
    }

    fn is_as_below(&self, id: VolumeId, changed: &Changed) -> FileResult<bool> {
        if changed.node == ChangedNode::Gone || self.volumes[id.0].hides(&changed.path) {
            return Ok(false);
        }
        let Some(below) = self.stat_below(id, &changed.path)? else { return Ok(false) };
        let same_node = match (&changed.node, &below.kind) {
            (ChangedNode::File(data), Kind::File(other)) => {
                data.size() == other.size() && data.content() == other.content()
            }
            (ChangedNode::Directory { below: Below::Shown }, Kind::Directory) => true,
            (ChangedNode::Symlink(target), Kind::Symlink(other)) => target == other,
            _ => false,
        };
        Ok(same_node && below.attributes == changed.attributes)
    }
}
