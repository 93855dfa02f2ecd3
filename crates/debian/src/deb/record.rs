//! [`Deb`] as few bytes, for stores.
//!
//! A version byte, then each part in turn; whole numbers are LEB128, and a name comes without what
//! it shares with the one before. Whoever keeps the bytes sees to it that they are the same when
//! they come back; still, nothing here believes a length.

use std::collections::HashMap;
use std::sync::Arc;

use bstr::BString;
use layer::{Attributes, Content};
use oci::Digest;

use super::{ControlFile, Deb, Member, MemberNode};
use crate::control::Stanza;
use crate::native::elf::Elf;

const VERSION: u8 = 2;

impl Deb {
    /// The package as bytes, from which [`Deb::from_bytes`] makes it again.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = vec![VERSION];
        put_digest(&mut out, &self.digest);
        put_text(&mut out, self.filename.as_bytes());
        put_number(&mut out, self.control.fields().count() as u64);
        for (name, value) in self.control.fields() {
            put_text(&mut out, name);
            put_text(&mut out, value);
        }
        put_number(&mut out, self.control_files.len() as u64);
        for file in &self.control_files {
            put_text(&mut out, &file.name);
            put_number(&mut out, file.mode.into());
            put_time(&mut out, file.mtime);
            put_text(&mut out, &file.bytes);
        }
        put_number(&mut out, self.members.len() as u64);
        let mut previous: &[u8] = b"";
        for member in &self.members {
            let shared = member.name.iter().zip(previous).take_while(|(a, b)| a == b).count();
            put_number(&mut out, shared as u64);
            put_text(&mut out, &member.name[shared..]);
            put_member(&mut out, member);
            previous = &member.name;
        }
        let mut elf: Vec<(&Digest, &Elf)> = self.elf.iter().collect();
        elf.sort_by_key(|(digest, _)| *digest);
        put_number(&mut out, elf.len() as u64);
        for (digest, elf) in elf {
            put_digest(&mut out, digest);
            put_text(&mut out, &elf.encode());
        }
        out
    }

    /// What [`Deb::to_bytes`] wrote; `None` if this version did not write it.
    pub fn from_bytes(bytes: &[u8]) -> Option<Deb> {
        let mut bytes = Bytes(bytes.strip_prefix(&[VERSION])?);
        let digest = bytes.digest()?;
        let filename = Arc::from(std::str::from_utf8(bytes.text()?).ok()?);
        let mut control = Stanza::default();
        for _ in 0..bytes.number()? {
            let name = std::str::from_utf8(bytes.text()?).ok()?;
            control.set(name, bytes.text()?);
        }
        let mut control_files = Vec::new();
        for _ in 0..bytes.number()? {
            control_files.push(ControlFile {
                name: bytes.text()?.into(),
                mode: bytes.short()?,
                mtime: bytes.time()?,
                bytes: Arc::from(bytes.text()?),
            });
        }
        let mut members: Vec<Member> = Vec::new();
        for _ in 0..bytes.number()? {
            let previous = members.last().map_or(&b""[..], |member| &member.name);
            let mut name = BString::from(previous.get(..bytes.size()?)?);
            name.extend_from_slice(bytes.text()?);
            members.push(bytes.member(name)?);
        }
        let mut elf = HashMap::new();
        for _ in 0..bytes.number()? {
            elf.insert(bytes.digest()?, Elf::decode(bytes.text()?)?);
        }
        let deb = Deb { digest, filename, control, control_files, members, elf };
        bytes.0.is_empty().then_some(deb)
    }
}

fn put_member(out: &mut Vec<u8>, member: &Member) {
    let Attributes { mode, uid, gid, mtime, xattrs: _ } = &member.attributes;
    put_number(out, (*mode).into());
    put_number(out, (*uid).into());
    put_number(out, (*gid).into());
    put_time(out, *mtime);
    put_text(out, &member.user);
    put_text(out, &member.group);
    match &member.node {
        MemberNode::File { content, md5 } => {
            out.push(0);
            put_number(out, content.size);
            put_digest(out, &content.digest);
            out.extend_from_slice(md5);
        }
        MemberNode::Directory => out.push(1),
        MemberNode::Symlink(target) => {
            out.push(2);
            put_text(out, target);
        }
        MemberNode::Hardlink(at) => {
            out.push(3);
            put_number(out, *at as u64);
        }
        MemberNode::CharDevice(major, minor) | MemberNode::BlockDevice(major, minor) => {
            out.push(if matches!(member.node, MemberNode::CharDevice(..)) { 4 } else { 5 });
            put_number(out, (*major).into());
            put_number(out, (*minor).into());
        }
        MemberNode::Fifo => out.push(6),
    }
}

/// Zigzag: small numbers of either sign are short.
fn put_time(out: &mut Vec<u8>, time: i64) {
    put_number(out, ((time << 1) ^ (time >> 63)) as u64);
}

fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

fn put_text(out: &mut Vec<u8>, text: &[u8]) {
    put_number(out, text.len() as u64);
    out.extend_from_slice(text);
}

/// Packages are named by SHA-256 alone.
fn put_digest(out: &mut Vec<u8>, digest: &Digest) {
    put_text(out, digest.as_bytes());
}

struct Bytes<'a>(&'a [u8]);

impl<'a> Bytes<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn number(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn size(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok()
    }

    fn short(&mut self) -> Option<u32> {
        u32::try_from(self.number()?).ok()
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = self.size()?;
        self.take(length)
    }

    fn time(&mut self) -> Option<i64> {
        let zigzag = self.number()?;
        Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
    }

    fn digest(&mut self) -> Option<Digest> {
        Some(Digest::from_sha256(self.text()?.try_into().ok()?))
    }

    fn member(&mut self, name: BString) -> Option<Member> {
        let (mode, uid, gid) = (self.short()?, self.short()?, self.short()?);
        let mtime = self.time()?;
        let attributes = Attributes { mode, uid, gid, mtime, xattrs: Default::default() };
        let (user, group) = (self.text()?.into(), self.text()?.into());
        let node = match self.take(1)?[0] {
            0 => {
                let size = self.number()?;
                let content = Content { digest: self.digest()?, size };
                MemberNode::File { content, md5: self.take(16)?.try_into().ok()? }
            }
            1 => MemberNode::Directory,
            2 => MemberNode::Symlink(self.text()?.into()),
            3 => MemberNode::Hardlink(self.size()?),
            4 => MemberNode::CharDevice(self.short()?, self.short()?),
            5 => MemberNode::BlockDevice(self.short()?, self.short()?),
            6 => MemberNode::Fifo,
            _ => return None,
        };
        Some(Member { name, attributes, user, group, node })
    }
}
