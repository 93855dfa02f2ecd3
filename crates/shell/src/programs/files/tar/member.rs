//! What is in an archive.

use std::io::Read;
use std::sync::Arc;

use ::tar::{Archive, EntryType};
use bstr::{BString, ByteSlice};
use layer::{ArchiveCompression, LayerIndex, Limits, Node, open_archive};
use oci::ImagePath;

use super::{FATAL, wanted_compression};
use crate::data::{Data, Origin, Stored};
use crate::options::Options;
use crate::process::Process;
use crate::programs::files::compression::detect;
use crate::programs::files::report::refuse_use;
use crate::stop::Stop;

/// A member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// As the archive spells it; a directory's ends with a slash.
    pub(super) name: BString,
    pub(super) node: MemberNode,
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) user: BString,
    pub(super) group: BString,
    pub(super) mtime: i64,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum MemberNode {
    File(Data),
    Directory,
    Symlink(BString),
    Hardlink(BString),
    Fifo,
    CharDevice(u32, u32),
    BlockDevice(u32, u32),
}

/// Bytes of an archive, decompressed.
const MOST_BYTES: u64 = 4 << 30;
const MOST_MEMBERS: usize = 1_000_000;

/// Where a file's bytes come from while an archive is read.
enum Bytes<'a> {
    /// Out of the archive.
    Read,
    /// They stay where they are.
    Named(&'a LayerIndex, &'a Stored),
}

/// The members, in order; an exit status if it is no archive.
pub(super) fn read(
    process: &mut Process<'_, '_>,
    options: &Options,
    data: &Data,
) -> Result<Result<Vec<Member>, u8>, Stop> {
    if let Data::Stored(stored) = data
        && let Some(index) = process.machine.outside.archive(stored)?
    {
        process.machine.archives.push(stored.clone());
        if says_enough(process, options, &index) {
            return Ok(Ok(index
                .entries()
                .iter()
                .filter_map(|entry| member(entry, &index, stored))
                .collect()));
        }
        let bytes = process.bytes(data)?;
        return read_bytes(process, options, &bytes, &Bytes::Named(&index, stored));
    }
    let bytes = process.bytes(data)?;
    read_bytes(process, options, &bytes, &Bytes::Read)
}

/// Whether an archive's entries by themselves come to the same as its bytes. They are in another
/// order, their names are clean, and their owners are numbers.
fn says_enough(process: &Process<'_, '_>, options: &Options, index: &LayerIndex) -> bool {
    let needs_names = ["-t", "-v", "-O", "--strip"].iter().any(|id| options.has(id));
    let is_owned = process.machine.files.user().uid != 0
        || options.last_of(&["--no-same-owner", "--same-owner"]) == Some("--no-same-owner")
        || options.has("--numeric-owner")
        || index
            .entries()
            .iter()
            .all(|entry| entry.attributes.uid == 0 && entry.attributes.gid == 0);
    !needs_names && options.operands.is_empty() && is_owned
}

fn member(entry: &layer::Entry, index: &LayerIndex, stored: &Stored) -> Option<Member> {
    let node = match &entry.node {
        Node::File(_) => MemberNode::File(named(index, stored, &entry.path)?),
        Node::Directory => MemberNode::Directory,
        Node::Symlink(target) => MemberNode::Symlink(target.as_bstr().to_owned()),
        Node::Hardlink(target) => MemberNode::Hardlink(target.as_bytes().into()),
        Node::Fifo => MemberNode::Fifo,
        Node::CharDevice { major, minor } => MemberNode::CharDevice(*major, *minor),
        Node::BlockDevice { major, minor } => MemberNode::BlockDevice(*major, *minor),
        Node::Whiteout | Node::Opaque => return None,
    };
    let mut name = BString::from(entry.path.as_bytes());
    if name.is_empty() {
        name.push(b'.');
    }
    if node == MemberNode::Directory {
        name.push(b'/');
    }
    let attributes = &entry.attributes;
    let layer::Attributes { mode, uid, gid, mtime, .. } = *attributes;
    let (user, group) = Default::default();
    Some(Member { name, node, mode, uid, gid, user, group, mtime })
}

/// The bytes of a file by its place in the archive.
fn named(index: &LayerIndex, stored: &Stored, path: &ImagePath) -> Option<Data> {
    let Node::File(content) = index.entry(path)?.node else { return None };
    let archive = stored.content.digest;
    let origin = Arc::new(Origin::Member { archive, path: path.clone() });
    Some(Data::Stored(Stored { content, origin }))
}

fn read_bytes(
    process: &mut Process<'_, '_>,
    options: &Options,
    bytes: &[u8],
    source: &Bytes<'_>,
) -> Result<Result<Vec<Member>, u8>, Stop> {
    let found = detect(bytes);
    let is_input = options.value("-f").is_none_or(|file| file == "-");
    let wanted = wanted_compression(options);
    if is_input && wanted.is_none() && found != ArchiveCompression::None {
        let option = match found {
            ArchiveCompression::Gzip => "-z",
            ArchiveCompression::Bzip2 => "-j",
            ArchiveCompression::Xz => "-J",
            _ => "--zstd",
        };
        process.complain(format!("Archive is compressed. Use {option} option"))?;
        process.complain(FATAL)?;
        return Ok(Err(2));
    }
    if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
        if wanted != ArchiveCompression::Gzip {
            return Err(refuse_use(process, "reads an archive with another compression"));
        }
        let what = if bytes.is_empty() { "unexpected end of file" } else { "not in gzip format" };
        process.write_to(2, format!("\ngzip: stdin: {what}\n").as_bytes())?;
        process.complain("Child returned status 1")?;
        process.complain(FATAL)?;
        return Ok(Err(2));
    }
    let limits = Limits { uncompressed: MOST_BYTES, ..Limits::default() };
    let Ok(reader) = open_archive(bytes, found, &limits) else {
        return Err(refuse_use(process, "reads an archive that is broken"));
    };
    let mut archive = Archive::new(reader);
    let members = read_members(process, &mut archive, source)?;
    match members {
        Some(members) if !members.is_empty() || is_zeros(bytes, found) => Ok(Ok(members)),
        None if !looks_like_tar(bytes, found, &limits) => no_archive(process).map(Err),
        Some(_) => no_archive(process).map(Err),
        None => Err(refuse_use(process, "reads an archive that is broken")),
    }
}

fn no_archive(process: &mut Process<'_, '_>) -> Result<u8, Stop> {
    process.complain("This does not look like a tar archive")?;
    process.complain(super::DELAYED)?;
    Ok(2)
}

/// Whether an archive without members begins like one: with two blocks of zeros.
fn is_zeros(bytes: &[u8], compression: ArchiveCompression) -> bool {
    let mut first = [1; 1024];
    let read = open_archive(bytes, compression, &Limits::default())
        .and_then(|mut reader| reader.read_exact(&mut first));
    read.is_ok() && first.iter().all(|byte| *byte == 0)
}

fn looks_like_tar(bytes: &[u8], compression: ArchiveCompression, limits: &Limits) -> bool {
    let mut first = [0; 512];
    let read = open_archive(bytes, compression, limits)
        .and_then(|mut reader| reader.read_exact(&mut first));
    read.is_ok() && &first[257..262] == b"ustar"
}

/// All members; `None` if they cannot be read.
fn read_members(
    process: &mut Process<'_, '_>,
    archive: &mut Archive<impl Read>,
    source: &Bytes<'_>,
) -> Result<Option<Vec<Member>>, Stop> {
    let Ok(entries) = archive.entries() else { return Ok(None) };
    let mut members = Vec::new();
    for entry in entries {
        let Ok(mut entry) = entry else { return Ok(None) };
        process.machine.budget.hold(entry.path_bytes().len() + 512)?;
        if members.len() >= MOST_MEMBERS {
            return Err(refuse_use(process, "reads an archive with too many members"));
        }
        let name = BString::from(&*entry.path_bytes());
        let node = match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous if name.ends_with(b"/") => {
                MemberNode::Directory
            }
            EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse => {
                match content(process, &mut entry, &name, source)? {
                    Some(data) => MemberNode::File(data),
                    None => return Ok(None),
                }
            }
            EntryType::Directory => MemberNode::Directory,
            EntryType::XGlobalHeader => continue,
            other => match link_or_device(&entry, other) {
                Some(node) => node,
                None => {
                    return Err(refuse_use(process, "reads an archive with an unusual member"));
                }
            },
        };
        let header = entry.header();
        let (Ok(mode), Ok(uid), Ok(gid), Ok(mtime)) =
            (header.mode(), header.uid(), header.gid(), header.mtime())
        else {
            return Ok(None);
        };
        let id = |id: u64| u32::try_from(id).unwrap_or_default();
        members.push(Member {
            node,
            mode: mode & 0o7777,
            uid: id(uid),
            gid: id(gid),
            user: header.username_bytes().unwrap_or_default().into(),
            group: header.groupname_bytes().unwrap_or_default().into(),
            mtime: i64::try_from(mtime).unwrap_or_default(),
            name,
        });
    }
    Ok(Some(members))
}

fn content<R: Read>(
    process: &mut Process<'_, '_>,
    entry: &mut ::tar::Entry<'_, R>,
    name: &[u8],
    source: &Bytes<'_>,
) -> Result<Option<Data>, Stop> {
    if let Bytes::Named(index, stored) = source {
        let path = ImagePath::lexical(name);
        return match named(index, stored, &path) {
            Some(data) if data.size() == entry.size() => Ok(Some(data)),
            // A name that comes twice, or below a link.
            _ => Err(refuse_use(process, "reads an archive that has a name twice")),
        };
    }
    let size = usize::try_from(entry.size()).unwrap_or(usize::MAX);
    process.machine.budget.hold(size)?;
    let mut bytes = Vec::new();
    match entry.read_to_end(&mut bytes) {
        Ok(_) => Ok(Some(Data::of(bytes))),
        Err(_) => Ok(None),
    }
}

fn link_or_device<R: Read>(entry: &::tar::Entry<'_, R>, kind: EntryType) -> Option<MemberNode> {
    let header = entry.header();
    let device = || Some((header.device_major().ok()??, header.device_minor().ok()??));
    let target = || entry.link_name_bytes().map(|target| BString::from(&*target));
    Some(match kind {
        EntryType::Symlink => MemberNode::Symlink(target()?),
        EntryType::Link => MemberNode::Hardlink(target()?),
        EntryType::Fifo => MemberNode::Fifo,
        EntryType::Char => device().map(|(major, minor)| MemberNode::CharDevice(major, minor))?,
        EntryType::Block => device().map(|(major, minor)| MemberNode::BlockDevice(major, minor))?,
        _ => return None,
    })
}
