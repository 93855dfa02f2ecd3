//! One package: a `.deb` file, read (deb(5)).
//!
//! It is read once, as a stream, and what is kept is small: the control files, and for each file of
//! the data its attributes and the digest of its content.

use std::collections::HashMap;
use std::sync::Arc;

use bstr::BString;
use layer::{Attributes, Content};
use oci::Digest;

use crate::control::Stanza;
use crate::native::elf::Elf;

mod ar;
mod control;
mod data;
mod error;
mod read;
mod record;
#[cfg(test)]
mod tests;

pub use error::DebError;
pub use read::{Sink, limits, read};

/// A package, without the bytes of its data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deb {
    /// SHA-256 of the `.deb`.
    pub digest: Digest,
    /// Its file name, for people: `curl_7.88.1-10+deb12u14_amd64.deb`.
    pub filename: Arc<str>,
    /// The fields of `control`.
    pub control: Stanza,
    /// All members of `control.tar` but `control` itself: `preinst`, `md5sums`, `conffiles`, …
    pub control_files: Vec<ControlFile>,
    /// The members of `data.tar`, in their order.
    pub members: Vec<Member>,
    /// What the ELF files among them are, by content.
    pub elf: HashMap<Digest, Elf>,
}

/// A file of `control.tar`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlFile {
    /// Its name, without directories.
    pub name: BString,
    /// Its mode.
    pub mode: u32,
    /// Its time, in seconds since the epoch.
    pub mtime: i64,
    /// Its bytes.
    pub bytes: Arc<[u8]>,
}

/// A member of `data.tar`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name without `./` in front and `/` behind, as bytes; empty for the root itself. No
    /// component is `..` or `.` or empty.
    pub name: BString,
    /// Mode, numeric owner, time.
    pub attributes: Attributes,
    /// The owner's name; empty if the archive has none.
    pub user: BString,
    /// The group's name.
    pub group: BString,
    /// What it is.
    pub node: MemberNode,
}

/// What a member of `data.tar` is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MemberNode {
    /// A directory.
    Directory,
    /// A regular file. dpkg's `md5sums` are made of MD5, which also decides about conffiles.
    File {
        /// What it holds.
        content: Content,
        /// The MD5 of that.
        md5: [u8; 16],
    },
    /// A symbolic link, as written.
    Symlink(BString),
    /// Another name of an earlier member: its position.
    Hardlink(usize),
    /// A character device.
    CharDevice(u32, u32),
    /// A block device.
    BlockDevice(u32, u32),
    /// A pipe.
    Fifo,
}

impl Deb {
    /// A file of `control.tar`.
    pub fn control_file(&self, name: &str) -> Option<&ControlFile> {
        self.control_files.iter().find(|file| file.name == name)
    }
}
