//! The file system that a command line sees: the image's layers below, its own changes above.
//!
//! Nothing of this machine is in it. Looking is by [`Files::locate`], which follows links as
//! path_resolution(7) does, inside of the image; what is found has a *real path*, without links,
//! and all operations take real paths. Attributes, permissions and errors are Linux's.
//!
//! What every container has beside its image is here too: `/proc`, `/sys` and `/dev` are the
//! runtime's, and what is in them depends on the machine; looking into them is refused, but for the
//! devices that are the same everywhere.

mod changes;
mod errno;
mod locate;
mod operations;
mod special;
#[cfg(test)]
mod tests;
mod volume;

use std::collections::BTreeMap;
use std::sync::Arc;

use bstr::BString;
use layer::{Attributes, RootFs};
use oci::ImagePath;

pub use changes::{Below, Changed, ChangedNode};
pub use errno::{Errno, FileError, FileResult};
pub use locate::{Last, Located};
pub use operations::NewNode;
pub use volume::{Access, InodeId, VolumeId};

use crate::data::Data;
use crate::limits::within;
use volume::Volume;

/// A file system and who looks at it.
#[derive(Debug, Clone)]
pub struct Files {
    volumes: Vec<Volume>,
    inodes: Vec<Inode>,
    user: User,
    /// The time that everything new gets, in seconds since the epoch.
    clock: i64,
    journal: Vec<JournalEntry>,
    /// What is mounted where.
    mounts: BTreeMap<ImagePath, VolumeId>,
    /// Directories that only a mount needs.
    stubs: Vec<ImagePath>,
    most_changes: u64,
}

/// Who acts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Mode, owner, time, extended attributes.
    pub attributes: Attributes,
    /// What it is.
    pub kind: Kind,
    /// Which file it is, whatever it is called.
    pub identity: Identity,
    /// The file system that it is on.
    pub volume: VolumeId,
}

/// Kinds of files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File(Data),
    /// A directory.
    Directory,
    /// A symbolic link, and its target.
    Symlink(Vec<u8>),
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

/// Tells whether two names are of one file.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Identity {
    /// Changed or made here.
    Upper(InodeId),
    /// As a layer has it.
    Below(VolumeId, usize, ImagePath),
    /// The runtime's.
    Special(ImagePath),
}

/// A file that was changed or made here.
#[derive(Debug, Clone)]
struct Inode {
    attributes: Attributes,
    kind: Kind,
}

/// One change, for whoever wants to see what a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// What was done.
    pub action: Action,
    /// To what.
    pub path: ImagePath,
}

/// What is done to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It is new.
    Made,
    /// Its content or attributes are others.
    Changed,
    /// It is gone.
    Removed,
}

impl Files {
    /// The file system of an image's layers, seen by `user`; what is made gets the time `clock`.
    pub fn new(root: RootFs, user: User, clock: i64, limits: crate::Limits) -> Self {
        Files {
            volumes: vec![Volume::new(root, Access::Kept)],
            inodes: Vec::new(),
            user,
            clock,
            journal: Vec::new(),
            mounts: BTreeMap::new(),
            stubs: Vec::new(),
            most_changes: limits.files,
        }
    }

    /// Who acts.
    pub fn user(&self) -> &User {
        &self.user
    }

    /// The time that everything new gets.
    pub fn clock(&self) -> i64 {
        self.clock
    }

    /// All changes so far.
    pub fn journal(&self) -> &[JournalEntry] {
        &self.journal
    }

    /// What stands at a real path.
    pub fn stat(&self, path: &ImagePath) -> FileResult<Option<Stat>> {
        if let Some(special) = special::lookup(path)? {
            return Ok(Some(special));
        }
        let (volume, relative) = self.volume_of(path);
        match self.stat_in(volume, &relative)? {
            None => Ok(special::mounted(path)),
            found => Ok(found),
        }
    }

    /// What is in the directory at a real path, by name.
    pub fn read_dir(&self, path: &ImagePath) -> FileResult<BTreeMap<BString, Stat>> {
        special::refuse_listing(path)?;
        match self.stat(path)? {
            None => return Err(Errno::NotFound.into()),
            Some(stat) if stat.kind != Kind::Directory => return Err(Errno::NotADirectory.into()),
            Some(stat) => self.permit(&stat, READ)?,
        }
        let (volume, relative) = self.volume_of(path);
        let mut children = self.children_in(volume, &relative)?;
        for at in self.mounts.keys() {
            if at.parent().as_ref() == Some(path)
                && let (Some(name), Some(stat)) = (at.file_name(), self.stat(at)?)
            {
                children.insert(name.into(), stat);
            }
        }
        if path.is_root() {
            special::add_directories(&mut children);
        }
        Ok(children)
    }

    /// Everything at and below a real path, a directory before what it holds; links are not
    /// followed.
    pub fn walk(&self, path: &ImagePath) -> FileResult<Vec<(ImagePath, Stat)>> {
        let mut all = Vec::new();
        let Some(stat) = self.stat(path)? else { return Err(Errno::NotFound.into()) };
        let mut next = vec![(path.clone(), stat)];
        while let Some((path, stat)) = next.pop() {
            if stat.kind == Kind::Directory {
                let children = self.read_dir(&path)?.into_iter().rev();
                next.extend(children.map(|(name, stat)| (path.join(name), stat)));
            }
            all.push((path, stat));
            within("the number of files looked at", all.len() as u64, self.most_changes)?;
        }
        Ok(all)
    }

    /// Whether the user may do this with what stands there.
    pub fn may(&self, stat: &Stat, wanted: u32) -> bool {
        if self.user.uid == 0 {
            let is_file = !matches!(stat.kind, Kind::Directory);
            return !(wanted & EXECUTE != 0 && is_file && stat.attributes.mode & 0o111 == 0);
        }
        let attributes = &stat.attributes;
        let shift = if attributes.uid == self.user.uid {
            6
        } else if attributes.gid == self.user.gid || self.user.groups.contains(&attributes.gid) {
            3
        } else {
            0
        };
        (attributes.mode >> shift) & wanted == wanted
    }

    pub(crate) fn permit(&self, stat: &Stat, wanted: u32) -> FileResult<()> {
        if self.may(stat, wanted) { Ok(()) } else { Err(Errno::PermissionDenied.into()) }
    }

    fn note(&mut self, action: Action, path: &ImagePath) -> FileResult<()> {
        self.journal.push(JournalEntry { action, path: path.clone() });
        within("the number of changed files", self.journal.len() as u64, self.most_changes)?;
        Ok(())
    }
}

/// May be read, as in the mode's bits.
pub const READ: u32 = 4;
/// May be written.
pub const WRITE: u32 = 2;
/// May be executed, or, for a directory, gone through.
pub const EXECUTE: u32 = 1;

impl Stat {
    /// Whether this is a directory.
    pub fn is_directory(&self) -> bool {
        self.kind == Kind::Directory
    }

    /// The bytes, if this is a regular file.
    pub fn data(&self) -> Option<&Data> {
        match &self.kind {
            Kind::File(data) => Some(data),
            _ => None,
        }
    }

    /// The size as stat(2) gives it for files and links; of directories it depends on the machine.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::File(data) => data.size(),
            Kind::Symlink(target) => target.len() as u64,
            _ => 0,
        }
    }
}

impl Kind {
    fn of(node: &layer::Node, file: impl FnOnce() -> Option<Data>) -> Option<Kind> {
        Some(match node {
            layer::Node::File(_) | layer::Node::Hardlink(_) => Kind::File(file()?),
            layer::Node::Directory => Kind::Directory,
            layer::Node::Symlink(target) => Kind::Symlink(target.clone()),
            layer::Node::CharDevice { major, minor } => {
                Kind::CharDevice { major: *major, minor: *minor }
            }
            layer::Node::BlockDevice { major, minor } => {
                Kind::BlockDevice { major: *major, minor: *minor }
            }
            layer::Node::Fifo => Kind::Fifo,
            layer::Node::Whiteout | layer::Node::Opaque => return None,
        })
    }
}

/// A file that only this layer's view knows, from a name in a layer.
fn stored(content: layer::Content, volume: VolumeId, layer: usize, path: ImagePath) -> Data {
    let origin = Arc::new(crate::data::Origin::Below { volume, layer, path });
    Data::Stored(crate::data::Stored { content, origin })
}
