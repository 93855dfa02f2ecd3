//! What a layer holds, known without its bytes at hand: entries with the digests of their content,
//! and where in the tar the content stands.

use std::collections::{BTreeMap, HashMap};
use std::io::{self, Read};
use std::sync::{Arc, OnceLock};

use oci::{DiffId, Digest, Digester, ImagePath};

use crate::error::Limit;
use crate::header::{self, RECORD, WHITEOUT_PREFIX};
use crate::members::{Member, Members};
use crate::tree::Tree;
use crate::{Attributes, Content, Entry, LayerError, Limits, Node, RootFs, TarError};

/// The entries of one layer, in [`Entry::layer_order`], each path once.
#[derive(Debug)]
pub struct LayerIndex {
    entries: Vec<Entry>,
    /// For each file, where its content starts in the uncompressed tar, and 0 for what has none.
    /// Empty for a layer that is only planned.
    offsets: Vec<u64>,
    tree: OnceLock<Tree>,
}

impl LayerIndex {
    /// Reads a layer's tar to its end.
    ///
    /// Everything that comes out is a path inside the image. An entry below a symbolic link of the
    /// same layer stands where the link leads, which is where a runtime would unpack it. Where a
    /// path comes twice the last one counts, as it does when a runtime unpacks the layer.
    pub fn read(tar: impl Read, limits: &Limits) -> Result<(LayerIndex, DiffId), TarError> {
        let read = Self::read_keeping(tar, limits, |_| false)?;
        Ok((read.index, read.diff_id))
    }

    /// As [`LayerIndex::read`], and the bytes of those files that `keeps` names, for whoever will
    /// ask for them next and would have to go through the layer again. The files are small:
    /// larger ones than [`LayerIndex::LARGEST_KEPT`] are not kept, nor many that are larger
    /// together than [`LayerIndex::MOST_KEPT`].
    pub fn read_keeping(
        tar: impl Read,
        limits: &Limits,
        keeps: impl Fn(&ImagePath) -> bool,
    ) -> Result<LayerReading, TarError> {
        let mut kept = Kept { files: Vec::new(), left: Self::MOST_KEPT };
        let tar = HashedReader { tar, digester: Digester::sha256() };
        let mut members = Members::new(tar, limits);
        let mut found = Vec::new();
        let mut names = 0u64;
        let mut buffer = vec![0; 64 << 10];
        while let Some(member) = members.next()? {
            names += size_of_names(&member);
            if names > limits.names {
                let allowed = limits.names;
                return Err(TarError::LimitExceeded { what: Limit::Names, allowed });
            }
            let mut offset = member.offset;
            let Some(mut entry) = accept(member, limits)? else {
                continue;
            };
            if let Node::File(content) = &mut entry.node {
                let keep = keeps(&entry.path).then(|| kept.room_for(content.size)).flatten();
                let (digest, bytes) = digest_content(&mut members, &mut buffer, keep)?;
                content.digest = digest;
                kept.files.extend(bytes.map(|bytes| (digest, bytes)));
            } else {
                offset = 0;
            }
            found.push((entry, offset));
        }
        let tar = members.finish()?;
        let index = Self::from_found(found).with_places_within(limits)?;
        let index = index.with_links_in_paths_followed(limits)?;
        let diff_id = DiffId(tar.digester.finish());
        Ok(LayerReading { index, diff_id, kept: kept.files })
    }

    /// The largest file that [`LayerIndex::read_keeping`] keeps: 4 MiB.
    pub const LARGEST_KEPT: u64 = 4 << 20;
    /// The most that it keeps of one layer: 64 MiB.
    pub const MOST_KEPT: u64 = 64 << 20;

    /// The index of a layer that does not exist yet.
    pub fn from_entries(entries: Vec<Entry>) -> LayerIndex {
        let mut index = Self::from_found(entries.into_iter().map(|entry| (entry, 0)).collect());
        index.offsets.clear();
        index
    }

    /// The index of the layer that a [`LayerWriter`](crate::LayerWriter) makes of these entries.
    ///
    /// # Errors
    /// As the writer has them for the same entries.
    pub fn written(&self) -> Result<LayerIndex, LayerError> {
        let mut at = 0;
        let mut offsets = Vec::with_capacity(self.entries.len());
        for entry in &self.entries {
            at += header::encode(entry)?.len() as u64;
            match entry.node {
                Node::File(content) => {
                    offsets.push(at);
                    at += content.size.next_multiple_of(RECORD as u64);
                }
                _ => offsets.push(0),
            }
        }
        Ok(Self::from_ordered(self.entries.clone(), offsets))
    }

    /// Entries whose order and offsets are known to be right.
    pub(crate) fn from_ordered(entries: Vec<Entry>, offsets: Vec<u64>) -> LayerIndex {
        LayerIndex { entries, offsets, tree: OnceLock::new() }
    }

    fn from_found(mut found: Vec<(Entry, u64)>) -> LayerIndex {
        // Stable, so that of equal ones the last stays last; and then it is the one that stays.
        found.sort_by(|(a, _), (b, _)| a.layer_order(b));
        found.dedup_by(|later, kept| {
            let same = later.0.layer_order(&kept.0).is_eq();
            if same {
                std::mem::swap(later, kept);
            }
            same
        });
        let (entries, offsets) = found.into_iter().unzip();
        Self::from_ordered(entries, offsets)
    }

    /// Refuses entries whose paths imply more directories than there may be entries: a path has
    /// hundreds of them in hardly more bytes.
    fn with_places_within(self, limits: &Limits) -> Result<LayerIndex, TarError> {
        let mut places = 0;
        let mut previous = &ImagePath::root();
        for Entry { path, .. } in &self.entries {
            let shared = path.components().zip(previous.components()).take_while(|(a, b)| a == b);
            places += (path.components().count() - shared.count()) as u64;
            if places > limits.entries {
                let allowed = limits.entries;
                return Err(TarError::LimitExceeded { what: Limit::Entries, allowed });
            }
            previous = path;
        }
        Ok(self)
    }

    /// Moves what is below a link to where the link leads, and drops what is below a file.
    fn with_links_in_paths_followed(self, limits: &Limits) -> Result<LayerIndex, TarError> {
        if below_non_directories(&self.entries).all(|below| !below) {
            return Ok(self);
        }
        let alone = Arc::new(self);
        let root_fs = RootFs::new(vec![Some(Arc::clone(&alone))]);
        let mut placed = Vec::with_capacity(alone.entries.len());
        let mut names = 0;
        let mut real_parents: HashMap<ImagePath, Option<ImagePath>> = HashMap::new();
        let entries = alone.entries.iter().zip(&alone.offsets);
        for (below, (entry, offset)) in below_non_directories(&alone.entries).zip(entries) {
            let mut entry = entry.clone();
            if below {
                let (Some(parent), Some(name)) = (entry.path.parent(), entry.path.file_name())
                else {
                    continue;
                };
                // A link's target can be long, and thousands of entries below it.
                let real = real_parents.entry(parent).or_insert_with(|| {
                    root_fs.resolve_parent(&entry.path).ok().and_then(|found| found.path.parent())
                });
                let Some(real) = real else { continue };
                entry.path = real.join(name);
            }
            // Many short paths can lead to as many long ones.
            names += entry.path.as_bytes().len() as u64;
            if names > limits.names {
                let allowed = limits.names;
                return Err(TarError::LimitExceeded { what: Limit::Names, allowed });
            }
            placed.push((entry, *offset));
        }
        Self::from_found(placed).with_places_within(limits)
    }

    /// All entries, in [`Entry::layer_order`].
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What this layer itself puts at `path`: never a whiteout, and nothing for a directory that
    /// only other entries' paths imply.
    pub fn entry(&self, path: &ImagePath) -> Option<&Entry> {
        let tree = self.tree();
        let slot =
            path.components().try_fold(Tree::ROOT, |slot, name| tree.child(self, slot, name))?;
        tree.entry(self, slot)
    }

    /// Where the content of the file `entries()[position]` starts in the uncompressed tar; `None`
    /// for what is no file, and in a layer that is only planned.
    pub fn offset(&self, position: usize) -> Option<u64> {
        let is_file = matches!(self.entries.get(position)?.node, Node::File(_));
        self.offsets.get(position).copied().filter(|_| is_file)
    }

    /// Whether the layer exists, so that its files have offsets.
    pub(crate) fn has_offsets(&self) -> bool {
        !self.offsets.is_empty()
    }

    pub(crate) fn tree(&self) -> &Tree {
        self.tree.get_or_init(|| Tree::of(&self.entries))
    }
}

/// A layer that was read to its end.
#[derive(Debug)]
pub struct LayerReading {
    /// What it holds.
    pub index: LayerIndex,
    /// What it is.
    pub diff_id: DiffId,
    /// The bytes of files that were to be kept, by digest.
    pub kept: Vec<(Digest, Vec<u8>)>,
}

/// Bytes that are kept, and how many more may be.
struct Kept {
    files: Vec<(Digest, Vec<u8>)>,
    left: u64,
}

impl Kept {
    /// A place for the bytes of a file of this size, if there is room.
    fn room_for(&mut self, size: u64) -> Option<Vec<u8>> {
        if size > LayerIndex::LARGEST_KEPT {
            return None;
        }
        self.left = self.left.checked_sub(size)?;
        Some(Vec::with_capacity(size as usize))
    }
}

impl PartialEq for LayerIndex {
    fn eq(&self, other: &Self) -> bool {
        self.entries == other.entries && self.offsets == other.offsets
    }
}

impl Eq for LayerIndex {}

/// For each entry in layer order, whether it is below one that is no directory.
fn below_non_directories(entries: &[Entry]) -> impl Iterator<Item = bool> {
    let mut above: Option<&ImagePath> = None;
    entries.iter().map(move |entry| {
        if above.is_some_and(|above| entry.path != *above && entry.path.starts_with(above)) {
            return true;
        }
        if !entry.is_marker() {
            above = (entry.node != Node::Directory).then_some(&entry.path);
        }
        false
    })
}

struct HashedReader<R> {
    tar: R,
    digester: Digester,
}

impl<R: Read> Read for HashedReader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.tar.read(buffer)?;
        self.digester.update(&buffer[..read]);
        Ok(read)
    }
}

fn size_of_names(member: &Member) -> u64 {
    let xattrs: usize = member.xattrs.iter().map(|(name, value)| name.len() + value.len()).sum();
    let owners = member.user.len() + member.group.len();
    (member.name.len() + member.link.len() + owners + xattrs) as u64
}

fn digest_content<R: Read>(
    members: &mut Members<R>,
    buffer: &mut [u8],
    mut keep: Option<Vec<u8>>,
) -> Result<(Digest, Option<Vec<u8>>), TarError> {
    let mut digester = Digester::sha256();
    loop {
        let read = members.read(buffer)?;
        if read == 0 {
            return Ok((digester.finish(), keep));
        }
        digester.update(&buffer[..read]);
        if let Some(keep) = &mut keep {
            keep.extend_from_slice(&buffer[..read]);
        }
    }
}

/// A member as an entry, with an empty file's digest; or `None` for what means nothing.
fn accept(member: Member, limits: &Limits) -> Result<Option<Entry>, TarError> {
    let path = ImagePath::from_archive(&member.name)?;
    if path.components().count() as u64 > limits.depth {
        return Err(TarError::LimitExceeded { what: Limit::Depth, allowed: limits.depth });
    }
    if let Some(name) = path.file_name().and_then(|name| name.strip_prefix(WHITEOUT_PREFIX)) {
        return marker(&path, name);
    }
    let attributes = Attributes {
        mode: member.mode,
        uid: member.uid,
        gid: member.gid,
        mtime: member.mtime,
        xattrs: member.xattrs,
    };
    let (major, minor) = member.device;
    let node = match member.kind {
        // Before POSIX a directory was a file whose name ends with a slash.
        b'0' if member.name.ends_with(b"/") => Node::Directory,
        b'0' => Node::File(Content { size: member.size, ..Content::of(b"") }),
        b'1' => Node::Hardlink(hardlink_target(&path, &member.link)?),
        b'2' => Node::Symlink(symlink_target(&path, member.link)?),
        b'3' => Node::CharDevice { major, minor },
        b'4' => Node::BlockDevice { major, minor },
        b'5' => Node::Directory,
        b'6' => Node::Fifo,
        kind => {
            let kind = match kind {
                b'S' => "GNU sparse file".to_owned(),
                kind => char::from(kind).escape_default().to_string(),
            };
            return Err(TarError::UnsupportedType { path: path.to_string(), kind });
        }
    };
    if path.is_root() && node != Node::Directory {
        return Err(TarError::UnsupportedType {
            path: "/".to_owned(),
            kind: char::from(member.kind).escape_default().to_string(),
        });
    }
    Ok(Some(Entry { path, attributes, node }))
}

/// What a name means that starts with `.wh.` (image-spec `layer.md`, "Whiteouts").
fn marker(path: &ImagePath, name: &[u8]) -> Result<Option<Entry>, TarError> {
    let directory = path.parent().unwrap_or_else(ImagePath::root);
    let (path, node) = match name {
        b".wh..opq" => (directory, Node::Opaque),
        // What aufs kept for itself: its link directory and the like. Every runtime skips it.
        name if name.starts_with(WHITEOUT_PREFIX) => return Ok(None),
        b"" | b"." | b".." => return Err(TarError::BadWhiteout(path.to_string())),
        name => (directory.join(name), Node::Whiteout),
    };
    Ok(Some(Entry { path, attributes: no_attributes(), node }))
}

/// Those of a whiteout mean nothing, so they are always the same.
pub(crate) fn no_attributes() -> Attributes {
    Attributes { mode: 0, uid: 0, gid: 0, mtime: 0, xattrs: BTreeMap::new() }
}

fn hardlink_target(path: &ImagePath, target: &[u8]) -> Result<ImagePath, TarError> {
    match ImagePath::from_archive(target) {
        Ok(target) if !target.is_root() => Ok(target),
        _ => Err(bad_target(path, target)),
    }
}

/// A symbolic link may say anything that a system call would take: it is only ever followed
/// inside the image.
fn symlink_target(path: &ImagePath, target: Vec<u8>) -> Result<Vec<u8>, TarError> {
    if target.is_empty() || target.contains(&0) || target.len() > 4096 {
        return Err(bad_target(path, &target));
    }
    Ok(target)
}

fn bad_target(path: &ImagePath, target: &[u8]) -> TarError {
    TarError::LinkTarget {
        path: path.clone(),
        target: String::from_utf8_lossy(&target[..target.len().min(200)]).into_owned(),
    }
}
