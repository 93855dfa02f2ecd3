//! What changes files. All paths are real ones, as [`Files::locate`] gives them.

use std::collections::BTreeMap;
use std::sync::Arc;

use layer::Attributes;
use oci::ImagePath;

use super::volume::{InodeId, Upper};
use super::{
    Action, EXECUTE, Errno, FileResult, Files, Identity, Kind, Stat, VolumeId, WRITE, special,
};
use crate::data::Data;

const SET_USER: u32 = 0o4000;
const SET_GROUP: u32 = 0o2000;
const STICKY: u32 = 0o1000;

/// What can be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NewNode {
    /// A regular file.
    File(Data),
    /// An empty directory.
    Directory,
    /// A symbolic link to this.
    Symlink(Vec<u8>),
    /// A named pipe.
    Fifo,
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
}

impl Files {
    /// Makes what is not there yet, with this mode, from which the caller has taken the umask.
    /// Owner and group are the user's, or the directory's if it says so with its set-group-id bit
    /// (inode(7)).
    ///
    /// # Errors
    /// [`Errno::Exists`], [`Errno::NotFound`] or [`Errno::NotADirectory`] for the directory above,
    /// [`Errno::PermissionDenied`], [`Errno::ReadOnly`].
    pub fn make(&mut self, path: &ImagePath, node: NewNode, mode: u32) -> FileResult<()> {
        special::refuse_mounted(path)?;
        if self.stat(path)?.is_some() {
            return Err(Errno::Exists.into());
        }
        let above = self.directory_above(path)?;
        self.permit(&above, WRITE | EXECUTE)?;
        let mut attributes = Attributes {
            mode,
            uid: self.user.uid,
            gid: self.user.gid,
            mtime: self.clock,
            xattrs: BTreeMap::new(),
        };
        if above.attributes.mode & SET_GROUP != 0 {
            attributes.gid = above.attributes.gid;
            if node == NewNode::Directory {
                attributes.mode |= SET_GROUP;
            }
        }
        let kind = match node {
            NewNode::File(data) => Kind::File(data),
            NewNode::Directory => Kind::Directory,
            NewNode::Symlink(target) => {
                attributes.mode = 0o777;
                Kind::Symlink(target)
            }
            NewNode::Fifo => Kind::Fifo,
            NewNode::CharDevice { major, minor } => Kind::CharDevice { major, minor },
            NewNode::BlockDevice { major, minor } => Kind::BlockDevice { major, minor },
        };
        self.put(path, attributes, kind, Action::Made)
    }

    /// Puts a file with all its attributes where nothing is, or in the place of what is no
    /// directory; for whoever unpacks archives and packages. No permission is asked for.
    pub fn put_whole(
        &mut self,
        path: &ImagePath,
        attributes: Attributes,
        node: NewNode,
    ) -> FileResult<()> {
        let kind = match node {
            NewNode::File(data) => Kind::File(data),
            NewNode::Directory => Kind::Directory,
            NewNode::Symlink(target) => Kind::Symlink(target),
            NewNode::Fifo => Kind::Fifo,
            NewNode::CharDevice { major, minor } => Kind::CharDevice { major, minor },
            NewNode::BlockDevice { major, minor } => Kind::BlockDevice { major, minor },
        };
        self.directory_above(path)?;
        match self.stat(path)? {
            None => self.put(path, attributes, kind, Action::Made),
            Some(stat) if stat.is_directory() => Err(Errno::IsADirectory.into()),
            Some(_) => self.put(path, attributes, kind, Action::Changed),
        }
    }

    /// Gives the regular file at `path` other bytes.
    pub fn write(&mut self, path: &ImagePath, data: Data) -> FileResult<()> {
        let inode = self.open_to_write(path)?;
        self.write_inode(inode, data);
        Ok(())
    }

    /// The regular file at `path`, to be written by its inode, whatever becomes of its name.
    ///
    /// # Errors
    /// [`Errno::IsADirectory`], [`Errno::PermissionDenied`], [`Errno::ReadOnly`].
    pub(crate) fn open_to_write(&mut self, path: &ImagePath) -> FileResult<InodeId> {
        let stat = self.stat(path)?.ok_or(Errno::NotFound)?;
        if !matches!(stat.kind, Kind::File(_)) {
            let errno = if stat.is_directory() { Errno::IsADirectory } else { Errno::Invalid };
            return Err(errno.into());
        }
        self.permit(&stat, WRITE)?;
        let inode = self.own(path, &stat)?;
        self.touch_inode(inode);
        self.note(Action::Changed, path)?;
        Ok(inode)
    }

    /// Bytes of a file that is open, whatever its name is now.
    pub(crate) fn inode_data(&self, inode: InodeId) -> Data {
        match &self.inodes[inode.0].kind {
            Kind::File(data) => data.clone(),
            _ => Data::empty(),
        }
    }

    /// Other bytes for a file that is open.
    pub(crate) fn write_inode(&mut self, inode: InodeId, data: Data) {
        self.inodes[inode.0].kind = Kind::File(data);
        self.touch_inode(inode);
    }

    /// More bytes at the end of a file that is open and at hand; `false` if its bytes are not.
    pub(crate) fn append_inode(&mut self, inode: InodeId, bytes: &[u8]) -> bool {
        match &mut self.inodes[inode.0].kind {
            Kind::File(Data::Inline(held)) => {
                Arc::make_mut(held).extend_from_slice(bytes);
                true
            }
            _ => false,
        }
    }

    fn touch_inode(&mut self, inode: InodeId) {
        let (clock, is_root) = (self.clock, self.user.uid == 0);
        let attributes = &mut self.inodes[inode.0].attributes;
        attributes.mtime = clock;
        if !is_root {
            // write(2): the bits are cleared for whoever may not set them.
            attributes.mode &= !(SET_USER | SET_GROUP);
        }
    }

    /// Another name for the file at `existing` (link(2)).
    pub fn link(&mut self, existing: &ImagePath, path: &ImagePath) -> FileResult<()> {
        let stat = self.stat(existing)?.ok_or(Errno::NotFound)?;
        if stat.is_directory() {
            return Err(Errno::NotPermitted.into());
        }
        if self.stat(path)?.is_some() {
            return Err(Errno::Exists.into());
        }
        let (id, relative) = self.volume_of(path);
        if id != stat.volume {
            return Err(Errno::OtherDevice.into());
        }
        let above = self.directory_above(path)?;
        self.permit(&above, WRITE | EXECUTE)?;
        let inode = self.own(existing, &stat)?;
        let here = Upper::Here { inode, is_fresh: true };
        self.writable(id)?.set(relative, here);
        self.note(Action::Made, path)
    }

    /// Takes away a file, or a directory with nothing in it (unlink(2), rmdir(2)).
    pub fn remove(&mut self, path: &ImagePath) -> FileResult<()> {
        let stat = self.removable(path)?;
        if stat.is_directory() && !self.children_of(path)?.is_empty() {
            return Err(Errno::NotEmpty.into());
        }
        self.take_away(path)?;
        self.note(Action::Removed, path)
    }

    /// Takes away everything at and below a path.
    ///
    /// # Errors
    /// As [`Files::remove`], for `path` itself; [`Errno::PermissionDenied`] if something in it may
    /// not be removed, before anything is.
    pub fn remove_all(&mut self, path: &ImagePath) -> FileResult<()> {
        self.removable(path)?;
        let inner = self.walk(path)?;
        if self.user.uid != 0 {
            for (path, _) in inner.iter().skip(1) {
                self.removable(path)?;
            }
        }
        if self.mounts.keys().any(|at| at.starts_with(path)) {
            return Err(Errno::Busy.into());
        }
        self.take_away(path)?;
        for (path, _) in &inner {
            self.note(Action::Removed, path)?;
        }
        Ok(())
    }

    /// Gives a file another name, in the place of what has it (rename(2)).
    pub fn rename(&mut self, from: &ImagePath, to: &ImagePath) -> FileResult<()> {
        let stat = self.removable(from)?;
        let above = self.directory_above(to)?;
        self.permit(&above, WRITE | EXECUTE)?;
        let (id, _) = self.volume_of(to);
        if id != stat.volume {
            return Err(Errno::OtherDevice.into());
        }
        if to.starts_with(from) && to != from {
            return Err(Errno::Invalid.into());
        }
        if let Some(other) = self.stat(to)? {
            if other.identity == stat.identity {
                return Ok(());
            }
            match (stat.is_directory(), other.is_directory()) {
                (false, true) => return Err(Errno::IsADirectory.into()),
                (true, false) => return Err(Errno::NotADirectory.into()),
                _ => self.remove(to)?,
            }
        }
        let moved = self.walk(from)?;
        let mut inodes = Vec::with_capacity(moved.len());
        for (path, stat) in &moved {
            inodes.push(self.own(path, stat)?);
        }
        self.take_away(from)?;
        for ((path, _), inode) in moved.iter().zip(inodes) {
            let rest = path.strip_prefix(from).unwrap_or_default();
            let (id, relative) = self.volume_of(&to.join(rest));
            let here = Upper::Here { inode, is_fresh: true };
            self.writable(id)?.set(relative, here);
            self.note(Action::Removed, path)?;
            self.note(Action::Made, &to.join(rest))?;
        }
        Ok(())
    }

    /// Sets permission, set-id and sticky bits (chmod(2)).
    pub fn set_mode(&mut self, path: &ImagePath, mode: u32) -> FileResult<()> {
        let stat = self.owned(path)?;
        if matches!(stat.kind, Kind::Symlink(_)) || stat.attributes.mode == mode {
            return Ok(());
        }
        self.set_attributes(path, Attributes { mode, ..stat.attributes })
    }

    /// Sets the owner (lchown(2)). What is not a directory loses its set-id bits.
    pub fn set_owner(
        &mut self,
        path: &ImagePath,
        uid: Option<u32>,
        gid: Option<u32>,
    ) -> FileResult<()> {
        let stat = self.stat(path)?.ok_or(Errno::NotFound)?;
        let old = &stat.attributes;
        let (uid, gid) = (uid.unwrap_or(old.uid), gid.unwrap_or(old.gid));
        let is_own_group = gid == self.user.gid || self.user.groups.contains(&gid);
        let may = self.user.uid == 0
            || (old.uid == self.user.uid && uid == old.uid && (gid == old.gid || is_own_group));
        if !may {
            return Err(Errno::NotPermitted.into());
        }
        let mut mode = old.mode;
        if matches!(stat.kind, Kind::File(_)) {
            mode &= !SET_USER;
            if mode & 0o010 != 0 {
                mode &= !SET_GROUP;
            }
        }
        if (uid, gid, mode) == (old.uid, old.gid, old.mode) {
            return Ok(());
        }
        self.set_attributes(path, Attributes { uid, gid, mode, ..stat.attributes })
    }

    /// Sets the time of the last change, in seconds since the epoch.
    pub fn set_time(&mut self, path: &ImagePath, mtime: i64) -> FileResult<()> {
        let stat = self.stat(path)?.ok_or(Errno::NotFound)?;
        if self.user.uid != 0 && stat.attributes.uid != self.user.uid {
            self.permit(&stat, WRITE)?;
        }
        self.set_attributes(path, Attributes { mtime, ..stat.attributes })
    }

    /// Sets all attributes, as whoever unpacks an archive as root does.
    pub fn set_attributes(&mut self, path: &ImagePath, attributes: Attributes) -> FileResult<()> {
        let stat = self.stat(path)?.ok_or(Errno::NotFound)?;
        if matches!(stat.identity, Identity::Special(_)) {
            special::refuse_changing(path)?;
        }
        let inode = self.own(path, &stat)?;
        self.inodes[inode.0].attributes = attributes;
        self.note(Action::Changed, path)
    }

    /// What stands at `path`, if the user may change its attributes.
    fn owned(&self, path: &ImagePath) -> FileResult<Stat> {
        let stat = self.stat(path)?.ok_or(Errno::NotFound)?;
        if self.user.uid != 0 && stat.attributes.uid != self.user.uid {
            return Err(Errno::NotPermitted.into());
        }
        Ok(stat)
    }

    /// The directory above a path that is to be made.
    fn directory_above(&self, path: &ImagePath) -> FileResult<Stat> {
        special::refuse_mounted(path)?;
        let above = path.parent().ok_or(Errno::Exists)?;
        let stat = self.stat(&above)?.ok_or(Errno::NotFound)?;
        if !stat.is_directory() {
            return Err(Errno::NotADirectory.into());
        }
        if matches!(stat.identity, Identity::Special(_)) {
            special::refuse_changing(path)?;
        }
        Ok(stat)
    }

    /// What stands at a path, if the user may take it away.
    fn removable(&self, path: &ImagePath) -> FileResult<Stat> {
        let stat = self.stat(path)?.ok_or(Errno::NotFound)?;
        let is_mount = self.mounts.contains_key(path);
        if path.is_root() || is_mount || special::is_directory(path) {
            return Err(Errno::Busy.into());
        }
        let above = self.directory_above(path)?;
        self.permit(&above, WRITE | EXECUTE)?;
        let is_owner = [above.attributes.uid, stat.attributes.uid].contains(&self.user.uid);
        if above.attributes.mode & STICKY != 0 && self.user.uid != 0 && !is_owner {
            return Err(Errno::NotPermitted.into());
        }
        Ok(stat)
    }

    /// As [`Files::read_dir`], without asking for permission.
    fn children_of(&self, path: &ImagePath) -> FileResult<Vec<bstr::BString>> {
        let (id, relative) = self.volume_of(path);
        Ok(self.children_in(id, &relative)?.into_keys().collect())
    }

    /// Nothing stands at `path` any more.
    fn take_away(&mut self, path: &ImagePath) -> FileResult<()> {
        let (id, relative) = self.volume_of(path);
        let is_below =
            !self.volumes[id.0].hides(&relative) && self.stat_below(id, &relative)?.is_some();
        let volume = self.writable(id)?;
        volume.forget_below(&relative);
        if is_below {
            volume.set(relative, Upper::Gone);
        } else {
            volume.forget(&relative);
        }
        Ok(())
    }

    fn put(
        &mut self,
        path: &ImagePath,
        attributes: Attributes,
        kind: Kind,
        action: Action,
    ) -> FileResult<()> {
        let (id, relative) = self.volume_of(path);
        self.writable(id)?;
        let inode = self.new_inode(attributes, kind);
        let here = Upper::Here { inode, is_fresh: true };
        self.writable(id)?.set(relative, here);
        self.note(action, path)
    }

    /// The file's own inode, copied up from the layers if it is not here yet. A file with several
    /// names in the layers keeps the others as they are (Linux's `overlayfs.rst`, "Non-standard
    /// behavior").
    fn own(&mut self, path: &ImagePath, stat: &Stat) -> FileResult<InodeId> {
        if let Identity::Upper(inode) = stat.identity {
            self.writable(stat.volume)?;
            return Ok(inode);
        }
        special::refuse_mounted(path)?;
        let (id, relative) = self.volume_of(path);
        self.writable(id)?;
        let inode = self.new_inode(stat.attributes.clone(), stat.kind.clone());
        let here = Upper::Here { inode, is_fresh: false };
        self.writable(id)?.set(relative, here);
        Ok(inode)
    }

    /// The bytes of the regular file at a real path.
    pub fn data(&self, path: &ImagePath) -> FileResult<Data> {
        special::refuse_mounted(path)?;
        let stat = self.stat(path)?.ok_or(Errno::NotFound)?;
        self.permit(&stat, super::READ)?;
        match stat.kind {
            Kind::File(data) => Ok(data),
            Kind::Directory => Err(Errno::IsADirectory.into()),
            Kind::CharDevice { major: 1, minor: 3 } => Ok(Data::empty()),
            _ => Err(special::unread(path).into()),
        }
    }

    /// The image itself, among the file systems that are mounted.
    pub fn image(&self) -> VolumeId {
        VolumeId(0)
    }
}
