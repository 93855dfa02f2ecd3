//! One file system among those that are mounted: layers below, changes above.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::OnceLock;

use bstr::BString;
use layer::{Node, RootFs};
use oci::ImagePath;

use super::{Errno, FileError, FileResult, Files, Identity, Inode, Kind, Stat, stored};

/// Which of the mounted file systems; 0 is the image itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct VolumeId(pub usize);

/// A changed or new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct InodeId(pub(super) usize);

/// What becomes of changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// They are the layer.
    Kept,
    /// They are forgotten.
    Discarded,
    /// There can be none.
    ReadOnly,
}

#[derive(Debug, Clone)]
pub(super) struct Volume {
    pub(super) below: RootFs,
    /// Changes, by path in this volume; [`Volume::set`] and [`Volume::forget`] make them.
    pub(super) upper: BTreeMap<ImagePath, Upper>,
    pub(super) access: Access,
    /// How many paths in `upper` lead to an inode.
    names: BTreeMap<InodeId, u64>,
    /// How many further names files of the layers have, by layer and path, once somebody asked.
    names_below: OnceLock<BTreeMap<(usize, ImagePath), u64>>,
}

/// What a change makes of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Upper {
    Gone,
    Here {
        inode: InodeId,
        /// A directory beneath which nothing of the layers shows.
        is_fresh: bool,
    },
}

impl Volume {
    pub(super) fn new(below: RootFs, access: Access) -> Self {
        let (upper, names, names_below) = Default::default();
        Volume { below, upper, access, names, names_below }
    }

    /// Something else becomes of `path`.
    pub(super) fn set(&mut self, path: ImagePath, change: Upper) {
        if let Upper::Here { inode, .. } = change {
            *self.names.entry(inode).or_default() += 1;
        }
        let before = self.upper.insert(path, change);
        self.lose_name(before);
    }

    /// Nothing has become of `path`.
    pub(super) fn forget(&mut self, path: &ImagePath) {
        let before = self.upper.remove(path);
        self.lose_name(before);
    }

    fn lose_name(&mut self, before: Option<Upper>) {
        if let Some(Upper::Here { inode, .. }) = before
            && let Some(names) = self.names.get_mut(&inode)
        {
            *names -= 1;
        }
    }

    /// How many further names the file at a path of a layer has in that layer.
    fn further_names(&self, layer: usize, path: &ImagePath) -> u64 {
        let count = || {
            let mut names = BTreeMap::new();
            for (number, index) in self.below.layers().iter().enumerate() {
                for entry in index.iter().flat_map(|index| index.entries()) {
                    if let Node::Hardlink(to) = &entry.node {
                        *names.entry((number, to.clone())).or_default() += 1;
                    }
                }
            }
            names
        };
        let names = self.names_below.get_or_init(count);
        names.get(&(layer, path.clone())).copied().unwrap_or_default()
    }

    /// Whether a change of a directory above `path` hides what the layers have there.
    pub(super) fn hides(&self, path: &ImagePath) -> bool {
        if self.upper.is_empty() {
            return false;
        }
        let above = |path: &ImagePath| match self.upper.get(path) {
            Some(Upper::Gone | Upper::Here { is_fresh: true, .. }) => true,
            Some(Upper::Here { is_fresh: false, .. }) | None => false,
        };
        path.ancestors().any(|path| above(&path)) || (!path.is_root() && above(&ImagePath::root()))
    }

    /// Takes all changes below `path` away.
    pub(super) fn forget_below(&mut self, path: &ImagePath) {
        let below: Vec<ImagePath> = self
            .upper
            .range::<ImagePath, _>((Bound::Excluded(path), Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|inner| inner.starts_with(path))
            .cloned()
            .collect();
        for path in below {
            self.forget(&path);
        }
    }

    /// The names directly in `path` that are changed.
    fn changed_names(&self, path: &ImagePath) -> Vec<(BString, Upper)> {
        let mut names = Vec::new();
        let mut from = Bound::Excluded(path.clone());
        while let Some((inner, upper)) = self.upper.range((from, Bound::Unbounded)).next() {
            let Some(name) = inner.strip_prefix(path) else { break };
            let end = name.iter().position(|byte| *byte == b'/').unwrap_or(name.len());
            if end == name.len() {
                names.push((BString::from(name), *upper));
            }
            // No name holds a NUL, so this is behind everything in `name` and before its sibling.
            let behind = [&name[..end], b"\0"].concat();
            from = Bound::Included(path.join(behind));
        }
        names
    }
}

impl Files {
    /// The file system that a real path is on, and the path in it.
    pub(super) fn volume_of(&self, path: &ImagePath) -> (VolumeId, ImagePath) {
        if self.mounts.is_empty() {
            return (VolumeId(0), path.clone());
        }
        let mut above = std::iter::once(path.clone()).chain(path.ancestors());
        let inner = above.find_map(|at| {
            let id = *self.mounts.get(&at)?;
            Some((id, ImagePath::lexical(path.strip_prefix(&at)?)))
        });
        inner.unwrap_or_else(|| (VolumeId(0), path.clone()))
    }

    pub(super) fn stat_in(&self, id: VolumeId, path: &ImagePath) -> FileResult<Option<Stat>> {
        let volume = &self.volumes[id.0];
        match volume.upper.get(path) {
            Some(Upper::Gone) => Ok(None),
            Some(Upper::Here { inode, .. }) => Ok(Some(self.stat_inode(id, *inode))),
            None if volume.hides(path) => Ok(None),
            None => self.stat_below(id, path),
        }
    }

    /// What the layers have at `path`, whatever was changed.
    pub(super) fn stat_below(&self, id: VolumeId, path: &ImagePath) -> FileResult<Option<Stat>> {
        let below = &self.volumes[id.0].below;
        let found = below.lookup(path).map_err(|layer| FileError::not_loaded(id, layer))?;
        found.map(|found| self.stat_found(id, path, found)).transpose().map(Option::flatten)
    }

    fn stat_found(
        &self,
        id: VolumeId,
        path: &ImagePath,
        found: layer::Found<'_>,
    ) -> FileResult<Option<Stat>> {
        let below = &self.volumes[id.0].below;
        let mut attributes = found.entry.attributes.clone();
        let mut identity = Identity::Below(id, found.layer, path.clone());
        let mut data = None;
        if matches!(found.entry.node, Node::File(_) | Node::Hardlink(_)) {
            let original =
                below.behind_hardlink(found).map_err(|error| FileError::of_layers(id, error))?;
            // A hard link that leads nowhere is as good as absent.
            let Some(original) = original else { return Ok(None) };
            let Node::File(content) = original.entry.node else { return Ok(None) };
            let own = original.entry.path.clone();
            attributes = original.entry.attributes.clone();
            identity = Identity::Below(id, original.layer, own.clone());
            data = Some(stored(content, id, original.layer, own));
        }
        let kind = Kind::of(&found.entry.node, || data);
        Ok(kind.map(|kind| Stat { attributes, kind, identity, volume: id }))
    }

    pub(super) fn stat_inode(&self, id: VolumeId, inode: InodeId) -> Stat {
        let Inode { attributes, kind } = self.inodes[inode.0].clone();
        Stat { attributes, kind, identity: Identity::Upper(inode), volume: id }
    }

    pub(super) fn children_in(
        &self,
        id: VolumeId,
        path: &ImagePath,
    ) -> FileResult<BTreeMap<BString, Stat>> {
        let volume = &self.volumes[id.0];
        let own = volume.upper.get(path);
        let is_hidden = matches!(own, Some(Upper::Gone | Upper::Here { is_fresh: true, .. }))
            || volume.hides(path);
        let mut children = BTreeMap::new();
        if !is_hidden {
            let below =
                volume.below.read_dir(path).map_err(|layer| FileError::not_loaded(id, layer))?;
            for (name, found) in below {
                if let Some(stat) = self.stat_found(id, &path.join(&name), found)? {
                    children.insert(BString::from(name), stat);
                }
            }
        }
        for (name, upper) in volume.changed_names(path) {
            match upper {
                Upper::Gone => drop(children.remove(&name)),
                Upper::Here { inode, .. } => {
                    children.insert(name, self.stat_inode(id, inode));
                }
            }
        }
        Ok(children)
    }

    /// How many names what is no directory has, as stat(2) counts them on an overlay: what was
    /// copied up counts anew, and a layer's file counts the names that its layer has.
    pub fn links(&self, stat: &Stat) -> FileResult<u64> {
        let volume = |id: VolumeId| self.volumes.get(id.0);
        let names = match &stat.identity {
            Identity::Special(_) => None,
            Identity::Upper(inode) => {
                volume(stat.volume).and_then(|volume| volume.names.get(inode).copied())
            }
            Identity::Below(id, layer, path) => {
                volume(*id).map(|volume| 1 + volume.further_names(*layer, path))
            }
        };
        Ok(names.unwrap_or(1))
    }

    /// The volume's changes, if it takes any.
    pub(super) fn writable(&mut self, id: VolumeId) -> FileResult<&mut Volume> {
        let volume = &mut self.volumes[id.0];
        match volume.access {
            Access::ReadOnly => Err(Errno::ReadOnly.into()),
            Access::Kept | Access::Discarded => Ok(volume),
        }
    }

    /// Mounts a file system at a real path; what is missing of the path is made, and is gone
    /// afterwards if nothing else came into it.
    pub fn mount(&mut self, at: &ImagePath, root: RootFs, access: Access) -> FileResult<VolumeId> {
        self.make_stubs(at)?;
        let id = VolumeId(self.volumes.len());
        self.volumes.push(Volume::new(root, access));
        self.mounts.insert(at.clone(), id);
        Ok(id)
    }

    /// Where something is mounted.
    pub fn mounted(&self) -> impl Iterator<Item = &ImagePath> {
        self.mounts.keys()
    }

    /// Takes away what is mounted at a path, so that what is below is seen again.
    pub fn unmount(&mut self, at: &ImagePath) {
        self.mounts.remove(at);
    }

    /// Mounts one file at a real path.
    pub fn mount_file(
        &mut self,
        at: &ImagePath,
        data: crate::data::Data,
        attributes: layer::Attributes,
    ) -> FileResult<VolumeId> {
        let id = self.mount(at, RootFs::default(), Access::ReadOnly)?;
        let inode = self.new_inode(attributes, Kind::File(data));
        let here = Upper::Here { inode, is_fresh: true };
        self.volumes[id.0].set(ImagePath::root(), here);
        Ok(id)
    }

    /// Mounts a symbolic link at a real path.
    pub fn mount_link(&mut self, at: &ImagePath, target: &[u8]) -> FileResult<VolumeId> {
        let id = self.mount(at, RootFs::default(), Access::ReadOnly)?;
        let attributes = layer::Attributes::root(0o777, self.clock);
        let inode = self.new_inode(attributes, Kind::Symlink(target.to_vec()));
        let here = Upper::Here { inode, is_fresh: true };
        self.volumes[id.0].set(ImagePath::root(), here);
        Ok(id)
    }

    /// Mounts an empty directory at a real path, with these attributes.
    pub fn mount_empty(
        &mut self,
        at: &ImagePath,
        attributes: layer::Attributes,
    ) -> FileResult<VolumeId> {
        let id = self.mount(at, RootFs::default(), Access::Discarded)?;
        let inode = self.new_inode(attributes, Kind::Directory);
        let here = Upper::Here { inode, is_fresh: true };
        self.volumes[id.0].set(ImagePath::root(), here);
        Ok(id)
    }

    fn make_stubs(&mut self, at: &ImagePath) -> FileResult<()> {
        let mut above: Vec<ImagePath> = at.ancestors().collect();
        above.reverse();
        for path in above {
            let (id, relative) = self.volume_of(&path);
            if self.stat(&path)?.is_some() {
                continue;
            }
            let inode = self.new_inode(layer::Attributes::root(0o755, self.clock), Kind::Directory);
            let here = Upper::Here { inode, is_fresh: true };
            self.volumes[id.0].set(relative, here);
            if id == VolumeId(0) {
                self.stubs.push(path);
            }
        }
        Ok(())
    }

    pub(super) fn new_inode(&mut self, attributes: layer::Attributes, kind: Kind) -> InodeId {
        self.inodes.push(Inode { attributes, kind });
        InodeId(self.inodes.len() - 1)
    }
}
