//! `data.tar`: the files of a package, judged while they pass.
//!
//! dpkg unpacks what a package says through the links of the system; here the archive alone is
//! judged, and what is not plainly a package's member is refused.

use std::collections::HashMap;
use std::io::Read;

use bstr::{BString, ByteSlice};
use layer::{Attributes, Content, Limits, TarMember, TarMembers};
use md5::Md5;
use oci::{Digest, Digester};
use sha2::Digest as _;

use super::read::Sink;
use super::{DebError, Member, MemberNode};
use crate::native::elf::{Elf, ElfReader};

/// A link's target is no longer than the kernel takes (path_resolution(7)).
const LONGEST_PATH: usize = 4096;

pub(super) type Data = (Vec<Member>, HashMap<Digest, Elf>);

/// Reads all members, and hands contents to `sink`.
pub(super) fn read(
    mut tar: TarMembers<impl Read>,
    name: &str,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<Data, DebError> {
    let mut reading = Reading {
        limits,
        members: Vec::new(),
        places: HashMap::new(),
        elf: HashMap::new(),
        names: 0,
        buffer: vec![0; 64 << 10],
    };
    while let Some(member) = tar.next().map_err(|error| DebError::of_tar(name, error))? {
        let accepted = reading.accept(&member)?;
        let Some(Accepted { name: place, node }) = accepted else { continue };
        let node = match node {
            Some(node) => node,
            None => reading.file(&mut tar, name, sink)?,
        };
        reading.push(place, node, member);
    }
    tar.finish().map_err(|error| DebError::of_tar(name, error))?;
    Ok((reading.members, reading.elf))
}

struct Reading<'a> {
    limits: &'a Limits,
    members: Vec<Member>,
    /// Where the members are, by name.
    places: HashMap<BString, usize>,
    elf: HashMap<Digest, Elf>,
    /// Bytes of names so far.
    names: u64,
    buffer: Vec<u8>,
}

/// A member with a name that can be one; without a node, it is a file that is still to be read.
struct Accepted {
    name: BString,
    node: Option<MemberNode>,
}

impl Reading<'_> {
    fn push(&mut self, name: BString, node: MemberNode, member: TarMember) {
        let TarMember { mode, uid, gid, mtime, user, group, .. } = member;
        let attributes = Attributes { mode, uid, gid, mtime, xattrs: Default::default() };
        self.places.insert(name.clone(), self.members.len());
        let (user, group) = (user.into(), group.into());
        self.members.push(Member { name, attributes, user, group, node });
    }

    /// `None` for a directory that is there already.
    fn accept(&mut self, member: &TarMember) -> Result<Option<Accepted>, DebError> {
        let refuse =
            |problem| DebError::Member { name: member.name.as_bstr().to_string(), problem };
        self.names += (member.name.len() + member.link.len()) as u64;
        self.names += (member.user.len() + member.group.len()) as u64;
        if self.names > self.limits.names {
            return Err(DebError::Limit { what: "bytes of names", allowed: self.limits.names });
        }
        let name = place(&member.name).map_err(refuse)?;
        if name.split_str("/").count() as u64 > self.limits.depth {
            return Err(refuse("is below too many directories"));
        }
        if !member.xattrs.is_empty() {
            return Err(refuse("has extended attributes, which dpkg does not unpack"));
        }
        self.expect_directories(&name).map_err(refuse)?;
        // Before POSIX a directory was a file whose name ends with a slash.
        let is_directory =
            member.kind == b'5' || (member.kind == b'0' && member.name.ends_with(b"/"));
        if let Some(earlier) = self.places.get(&name) {
            let is_same = is_directory && self.members[*earlier].node == MemberNode::Directory;
            return if is_same { Ok(None) } else { Err(refuse("is there twice")) };
        }
        if name.is_empty() && !is_directory {
            return Err(refuse("is the root, and no directory"));
        }
        let node = match member.kind {
            _ if is_directory => Some(MemberNode::Directory),
            b'0' => None,
            b'1' => Some(MemberNode::Hardlink(self.link(&member.link).map_err(refuse)?)),
            b'2' => Some(symlink(&member.link).map_err(refuse)?),
            // Debian Policy 10.6.
            b'3' | b'4' => return Err(refuse("is a device, which no package may contain")),
            b'6' => return Err(refuse("is a pipe, which no package may contain")),
            _ => return Err(refuse("is of a kind that no package has")),
        };
        Ok(Some(Accepted { name, node }))
    }

    /// What is above a member is no link and no file of the same package: unpacking it would lead
    /// elsewhere.
    fn expect_directories(&self, name: &[u8]) -> Result<(), &'static str> {
        let slashes = name.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (end, _) in slashes {
            match self.places.get(name[..end].as_bstr()).map(|at| &self.members[*at].node) {
                None | Some(MemberNode::Directory) => {}
                Some(MemberNode::Symlink(_)) => return Err("is below a symbolic link"),
                Some(_) => return Err("is below a file"),
            }
        }
        Ok(())
    }

    /// The earlier file that a hard link is another name of.
    fn link(&self, target: &[u8]) -> Result<usize, &'static str> {
        let at = place(target).ok().and_then(|target| self.places.get(&target).copied());
        match at.map(|at| (at, &self.members[at].node)) {
            Some((at, MemberNode::File { .. })) => Ok(at),
            Some((_, MemberNode::Hardlink(first))) => Ok(*first),
            Some(_) => Err("is a hard link to what is no file"),
            None => Err("is a hard link to nothing"),
        }
    }

    fn file(
        &mut self,
        tar: &mut TarMembers<impl Read>,
        name: &str,
        sink: &mut dyn Sink,
    ) -> Result<MemberNode, DebError> {
        let (mut sha256, mut md5, mut size) = (Digester::sha256(), Md5::new(), 0);
        let mut elf = ElfReader::default();
        loop {
            let read = tar.read(&mut self.buffer).map_err(|error| DebError::of_tar(name, error))?;
            if read == 0 {
                break;
            }
            let bytes = &self.buffer[..read];
            sha256.update(bytes);
            md5.update(bytes);
            elf.push(bytes);
            sink.write(bytes).map_err(DebError::Sink)?;
            size += read as u64;
        }
        let content = Content { digest: sha256.finish(), size };
        if size > 0 {
            sink.end(content).map_err(DebError::Sink)?;
        }
        if let Some(elf) = elf.finish() {
            self.elf.insert(content.digest, elf);
        }
        Ok(MemberNode::File { content, md5: md5.finalize().into() })
    }
}

/// Where a member is: its name without `./` in front and `/` behind.
fn place(name: &[u8]) -> Result<BString, &'static str> {
    if name.is_empty() || name.contains(&0) || name.len() > LONGEST_PATH {
        return Err("has a name that no file can have");
    }
    if name.starts_with(b"/") {
        return Err("has an absolute name");
    }
    let inner = name.strip_prefix(b"./").unwrap_or(name);
    let inner = if inner == b"." { b"" } else { inner };
    let inner = inner.strip_suffix(b"/").unwrap_or(inner);
    if inner.is_empty() {
        return Ok(BString::default());
    }
    for component in inner.split_str("/") {
        match component {
            b".." => return Err("leads out of its directory"),
            b"" | b"." => return Err("has a name with an empty part"),
            long if long.len() > 255 => return Err("has a name that no file can have"),
            _ => {}
        }
    }
    Ok(inner.into())
}

fn symlink(target: &[u8]) -> Result<MemberNode, &'static str> {
    if target.is_empty() || target.contains(&0) || target.len() > LONGEST_PATH {
        return Err("is a symbolic link to nothing that there can be");
    }
    Ok(MemberNode::Symlink(target.into()))
}
