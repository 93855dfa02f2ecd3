//! A tar as a context: read to its end once, with its files' bytes left where they can be had.
//!
//! The tar is untrusted. What it says is taken as [`LayerIndex`] understands it, which keeps every
//! path inside and every number within its limits; this module makes a tree of it, or an error:
//! nothing lies below what is not a directory, and a hard link is another name of a file that is
//! there.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use layer::{ArchiveCompression, Entry, LayerIndex, Limits, Node, detect_archive, open_archive};
use oci::ImagePath;
use rustix::fs::{FileType, fstat};

use crate::listing::{CAPABILITY, Origin, Special, number_links};
use crate::signature::Signature;
use crate::{
    ContextError, Filter, Kind, LinkGroup, Listed, Listing, Shape, Verdict, portable_mode,
};

/// A tar that was read to its end.
#[derive(Debug)]
pub(crate) struct Tarball {
    /// The uncompressed tar.
    bytes: Arc<File>,
    /// What the system says of it, if it is not ours alone.
    signature: Option<Signature>,
    entries: Vec<Listed>,
    /// For messages.
    shown: PathBuf,
}

impl Tarball {
    /// Reads the tarball at `path`. One that is compressed is unpacked into a file without a name
    /// in the directory `scratch`.
    pub(crate) fn open(path: &Path, scratch: &Path) -> Result<Self, ContextError> {
        let shown = path.to_owned();
        let file = File::open(path).map_err(|source| match source.kind() {
            io::ErrorKind::NotFound => ContextError::NoContext { path: shown.clone(), source },
            _ => ContextError::io("read", shown.clone(), source),
        })?;
        let stat =
            fstat(&file).map_err(|errno| ContextError::io("read", shown.clone(), errno.into()))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            return Err(ContextError::NotArchive { path: shown });
        }
        Self::of(file, Some(Signature::of(&stat)), scratch, shown)
    }

    /// Reads a tarball from a stream, once it is whole in a file without a name in `scratch`.
    pub(crate) fn stream(mut stream: impl Read, scratch: &Path) -> Result<Self, ContextError> {
        let shown = PathBuf::from("-");
        let spool = spool(scratch)?;
        let mut failure = None;
        let mut copied = Copied { from: &mut stream, to: &spool, failure: &mut failure };
        let result = io::copy(&mut copied, &mut io::sink());
        if let Some(source) = failure {
            return Err(ContextError::io("write a file in", scratch.to_owned(), source));
        }
        result.map_err(|source| ContextError::io("read", shown.clone(), source))?;
        Self::of(spool, None, scratch, shown)
    }

    fn of(
        file: File,
        signature: Option<Signature>,
        scratch: &Path,
        shown: PathBuf,
    ) -> Result<Self, ContextError> {
        let failed = |source| ContextError::io("read", shown.clone(), source);
        (&file).rewind().map_err(failed)?;
        let compression = detect_archive(&file).map_err(failed)?;
        let compression =
            compression.ok_or_else(|| ContextError::NotArchive { path: shown.clone() })?;
        (&file).rewind().map_err(failed)?;
        let limits = Limits::default();
        let tar = open_archive(&file, compression, &limits).map_err(failed)?;
        let (index, bytes, signature) = if compression == ArchiveCompression::None {
            (LayerIndex::read(tar, &limits), None, signature)
        } else {
            let spool = spool(scratch)?;
            let mut failure = None;
            let copied = Copied { from: tar, to: &spool, failure: &mut failure };
            let index = LayerIndex::read(io::BufReader::with_capacity(BUFFER, copied), &limits);
            if let Some(source) = failure {
                return Err(ContextError::io("write a file in", scratch.to_owned(), source));
            }
            (index, Some(spool), None)
        };
        let (index, _) =
            index.map_err(|source| ContextError::Archive { path: shown.clone(), source })?;
        let entries = tree(&index, &shown)?;
        Ok(Tarball { bytes: Arc::new(bytes.unwrap_or(file)), signature, entries, shown })
    }

    /// Every path that `filter` lets through.
    pub(crate) fn list(&self, filter: Filter<'_>) -> Listing {
        let mut entries = select(&self.entries, filter);
        number_links(&mut entries, |listed| match (&listed.kind, &listed.origin) {
            (Kind::File { link: Some(_), .. }, Origin::Member { offset, .. }) => Some(*offset),
            _ => None,
        });
        Listing::of(entries)
    }

    /// What stands at `path`.
    pub(crate) fn get(&self, path: &ImagePath) -> Option<&Listed> {
        let index = self.entries.binary_search_by(|listed| listed.path.cmp(path)).ok()?;
        Some(&self.entries[index])
    }

    /// The uncompressed tar, in which a member's offset counts.
    pub(crate) fn bytes(&self) -> &Arc<File> {
        &self.bytes
    }

    /// What the tar's file must still be when a member has been read; nothing for our own file.
    pub(crate) fn signature(&self) -> Option<Signature> {
        self.signature
    }

    /// How the tar is called, for messages.
    pub(crate) fn shown(&self) -> &Path {
        &self.shown
    }
}

const BUFFER: usize = 128 << 10;

/// A file without a name, which is gone when this process is.
fn spool(scratch: &Path) -> Result<File, ContextError> {
    tempfile::tempfile_in(scratch)
        .map_err(|source| ContextError::io("write a file in", scratch.to_owned(), source))
}

/// Copies into a file what is read.
struct Copied<'a, R> {
    from: R,
    to: &'a File,
    /// What went wrong in writing, so that it is not taken for an error in reading.
    failure: &'a mut Option<io::Error>,
}

impl<R: Read> Read for Copied<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        if let Err(error) = self.to.write_all(&buffer[..read]) {
            *self.failure = Some(error);
            return Err(io::Error::other("the copy could not be written"));
        }
        Ok(read)
    }
}

/// The entries of an archive, and the directories that their paths imply, as a sorted tree.
fn tree(index: &LayerIndex, archive: &Path) -> Result<Vec<Listed>, ContextError> {
    let files = Files::of(index);
    let mut found = Vec::with_capacity(index.entries().len());
    for (position, entry) in index.entries().iter().enumerate() {
        if !entry.path.is_root() || entry.is_marker() {
            found.push(files.listed(position, entry, archive)?);
        }
    }
    // Markers stand elsewhere than the names that they have in the tar.
    found.sort_by(|a, b| a.path.cmp(&b.path));
    let mut entries: Vec<Listed> = Vec::with_capacity(found.len());
    // What is above the current entry, by number.
    let mut above: Vec<usize> = Vec::new();
    for listed in found {
        while above.last().is_some_and(|top| !listed.path.starts_with(&entries[*top].path)) {
            above.pop();
        }
        if let Some(top) = above.last().map(|top| &entries[*top])
            && top.kind != Kind::Directory
        {
            let (path, file) = (listed.path, top.path.clone());
            return Err(ContextError::BelowFile { archive: archive.to_owned(), path, file });
        }
        let known = above.len();
        let implied: Vec<ImagePath> = listed.path.ancestors().collect();
        for path in implied.into_iter().rev().skip(known) {
            above.push(entries.len());
            entries.push(directory(path));
        }
        above.push(entries.len());
        entries.push(listed);
    }
    Ok(entries)
}

/// A directory that an archive only implies, as tar makes it under the umask 022.
fn directory(path: ImagePath) -> Listed {
    Listed { path, mode: 0o755, kind: Kind::Directory, origin: Origin::Nothing }
}

/// What the names of an archive stand for, hard links included.
struct Files<'a> {
    index: &'a LayerIndex,
    positions: HashMap<&'a ImagePath, usize>,
}

impl<'a> Files<'a> {
    fn of(index: &'a LayerIndex) -> Self {
        let entries = index.entries().iter().enumerate().filter(|(_, entry)| !entry.is_marker());
        let positions = entries.map(|(position, entry)| (&entry.path, position)).collect();
        Files { index, positions }
    }

    fn listed(
        &self,
        position: usize,
        entry: &Entry,
        archive: &Path,
    ) -> Result<Listed, ContextError> {
        let bad_link =
            || ContextError::BadLink { archive: archive.to_owned(), path: entry.path.clone() };
        let source = self.source(position).ok_or_else(bad_link)?;
        let Entry { attributes, node, .. } = &self.index.entries()[source];
        let mut path = entry.path.clone();
        let shape = match node {
            Node::Directory => Shape::Directory,
            _ => Shape::Leaf,
        };
        let mut mode = portable_mode(attributes.mode, shape);
        let mut origin = Origin::Nothing;
        let kind = match node {
            Node::File(content) => {
                let offset = self.index.offset(source).ok_or_else(bad_link)?;
                origin = Origin::Member { offset, content: *content };
                let capability = attributes.xattrs.get(CAPABILITY.as_bytes());
                let capability = capability.filter(|_| attributes.mode & 0o111 != 0);
                Kind::File {
                    size: content.size,
                    link: Some(LinkGroup(0)),
                    capability: capability.map(|value| value.as_slice().into()),
                }
            }
            Node::Directory if source == position => Kind::Directory,
            Node::Directory | Node::Hardlink(_) => return Err(bad_link()),
            Node::Symlink(target) => {
                mode = 0o777;
                Kind::Symlink(target.clone())
            }
            Node::CharDevice { .. } => Kind::Special(Special::CharDevice),
            Node::BlockDevice { .. } => Kind::Special(Special::BlockDevice),
            Node::Fifo => Kind::Special(Special::Fifo),
            Node::Whiteout => {
                path = marker(&path, path.file_name().unwrap_or_default());
                Kind::Special(Special::Whiteout)
            }
            Node::Opaque => {
                path = path.join(".wh..wh..opq");
                Kind::Special(Special::Whiteout)
            }
        };
        Ok(Listed { path, mode, kind, origin })
    }

    /// The entry that the one at `position` is another name of, itself if it is no hard link, or
    /// `None` if links lead nowhere or in a circle.
    fn source(&self, mut position: usize) -> Option<usize> {
        // A circle is longer than there are entries; a chain is longer than a few in no tar.
        for _ in 0..16 {
            match &self.index.entries()[position].node {
                Node::Hardlink(target) => position = *self.positions.get(target)?,
                _ => return Some(position),
            }
        }
        None
    }
}

/// The name in a tar that says that `path`, called `name`, is gone.
fn marker(path: &ImagePath, name: &[u8]) -> ImagePath {
    let directory = path.parent().unwrap_or_else(ImagePath::root);
    directory.join([b".wh.", name].concat())
}

/// Those of a sorted tree that `filter` lets through, just as a directory is walked.
fn select(tree: &[Listed], filter: Filter<'_>) -> Vec<Listed> {
    let mut entries: Vec<Listed> = Vec::new();
    let mut pruned: Option<&ImagePath> = None;
    // Directories that are there only for what they hold, by number.
    let mut provisional: Vec<usize> = Vec::new();
    for listed in tree {
        if pruned.is_some_and(|pruned| listed.path.starts_with(pruned)) {
            continue;
        }
        leave(&mut provisional, &mut entries, Some(&listed.path));
        let directory = listed.kind == Kind::Directory;
        let shape = if directory { Shape::Directory } else { Shape::Leaf };
        match filter(&listed.path, shape) {
            Verdict::Keep => {}
            Verdict::Descend if directory => provisional.push(entries.len()),
            Verdict::Descend | Verdict::Prune => {
                pruned = Some(&listed.path);
                continue;
            }
        }
        entries.push(listed.clone());
    }
    leave(&mut provisional, &mut entries, None);
    entries
}

/// Takes back directories that `next` is not in, if nothing came after them.
fn leave(provisional: &mut Vec<usize>, entries: &mut Vec<Listed>, next: Option<&ImagePath>) {
    while let Some(at) = provisional.last().copied() {
        if next.is_some_and(|next| next.starts_with(&entries[at].path)) {
            return;
        }
        if at + 1 == entries.len() {
            entries.pop();
        }
        provisional.pop();
    }
}
