//! A wheel's bytes → what it holds → the files that it becomes in an image.
//!
//! The wheel is untrusted. Nothing is unpacked but metadata, scripts whose first line changes, and
//! files of which `RECORD` gives no SHA-256.

mod collisions;
mod directory;
mod entry_points;
mod error;
mod fields;
mod filename;
mod headers;
mod install;
mod limits;
mod member;
mod metadata;
mod read;
mod read_at;
mod record;
mod scripts;
#[cfg(test)]
mod tests;
mod version;

use std::collections::HashMap;
use std::io::{self, Read};

use layer::Content;
use oci::{Digest, Digester};

pub use collisions::{Collision, collisions};
pub use entry_points::EntryPoints;
pub use error::{WheelError, WheelFault};
pub use install::{FileOrigin, InstallOptions, Installation, InstalledFile};
pub use limits::WheelLimit;
pub use member::{Member, Method};
pub use read_at::ReadAt;
pub use scripts::ScriptTemplate;
pub use version::same as is_same_version;

use crate::Interpreter;
use limits::Limits;
use member::Unpacked;
use record::Row;

/// A wheel: what it is and what it holds.
#[derive(Debug)]
pub struct Wheel {
    filename: String,
    limits: Limits,
    members: Vec<Member>,
    info_directory: String,
    is_purelib: bool,
    newer_format: Option<String>,
    name: String,
    version: String,
    metadata: String,
    entry_points: EntryPoints,
    top_level: Vec<String>,
    record: Vec<Row>,
    /// Members to the first of their rows in `record`.
    rows: HashMap<String, usize>,
}

impl Wheel {
    /// Reads what a wheel of `size` bytes is and holds.
    ///
    /// # Errors
    /// What is wrong with it, or why it could not be read.
    pub fn read(bytes: &dyn ReadAt, size: u64, filename: &str) -> Result<Wheel, WheelError> {
        read::read(bytes, size, filename, Limits::default())
    }

    /// The files that `pip install --no-compile` makes of it.
    ///
    /// # Errors
    /// Why pip would not install it, or why that would be a bad idea.
    pub fn install(
        &self,
        bytes: &dyn ReadAt,
        interpreter: &Interpreter,
        options: &InstallOptions<'_>,
    ) -> Result<Installation, WheelError> {
        install::install(self, bytes, interpreter, options)
    }

    /// Its file name.
    pub fn filename(&self) -> &str {
        &self.filename
    }

    /// The distribution's name, as `METADATA` spells it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The distribution's version, as `METADATA` spells it.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The text of `METADATA`.
    pub fn metadata(&self) -> &str {
        &self.metadata
    }

    /// The scripts that it wants to have made.
    pub fn entry_points(&self) -> &EntryPoints {
        &self.entry_points
    }

    /// What can be imported of it: `top_level.txt`, or else what lies at its top.
    pub fn top_level(&self) -> &[String] {
        &self.top_level
    }

    /// Its `Wheel-Version`, if that is 1 and something newer than 1.0: to be warned of, as pip does.
    pub fn newer_format(&self) -> Option<&str> {
        self.newer_format.as_deref()
    }

    /// Its files, in the order of its directory.
    pub fn members(&self) -> &[Member] {
        &self.members
    }

    /// The file that an [`FileOrigin::Member`] counts to.
    ///
    /// # Panics
    /// If there is none of that number.
    pub fn member(&self, index: usize) -> &Member {
        &self.members[index]
    }

    /// Reads the bytes of a member. If those are too few, too many or others, their end is an error
    /// that holds a [`WheelError`].
    ///
    /// # Panics
    /// If there is none of that number.
    pub fn open<'a>(&'a self, index: usize, bytes: &'a dyn ReadAt) -> MemberReader<'a> {
        MemberReader { wheel: &self.filename, unpacked: self.members[index].open(bytes) }
    }

    /// The content of a member: by `RECORD` if that gives the SHA-256, else by its bytes.
    fn content(&self, index: usize, bytes: &dyn ReadAt) -> Result<Content, WheelFault> {
        let member = &self.members[index];
        let row = self.row(member).filter(|row| row.is_of_size(member.size));
        let digest = match row.and_then(Row::sha256) {
            Some(digest) => digest,
            None => {
                let mut digester = Digester::sha256();
                io::copy(&mut member.open(bytes), &mut digester)
                    .map_err(|error| WheelFault::unread(member, error))?;
                let digest = digester.finish();
                self.check_digest(member, digest)?;
                digest
            }
        };
        Ok(Content { digest, size: member.size })
    }

    /// Compares a file's digest with what `RECORD` says, if it says that.
    fn check_digest(&self, member: &Member, digest: Digest) -> Result<(), WheelFault> {
        match self.row(member).and_then(Row::sha256) {
            Some(recorded) if recorded != digest => {
                Err(WheelFault::RecordLies(member.name.clone()))
            }
            _ => Ok(()),
        }
    }

    fn row(&self, member: &Member) -> Option<&Row> {
        self.rows.get(&member.name).map(|row| &self.record[*row])
    }

    /// The first bytes of a member.
    fn start(&self, index: usize, bytes: &dyn ReadAt, count: usize) -> Result<Vec<u8>, WheelFault> {
        let member = &self.members[index];
        let mut start = Vec::with_capacity(count);
        match member.open(bytes).take(count as u64).read_to_end(&mut start) {
            Ok(_) => Ok(start),
            Err(error) => Err(WheelFault::unread(member, error)),
        }
    }

    /// A script, all of it.
    fn script(&self, index: usize, bytes: &dyn ReadAt) -> Result<Vec<u8>, WheelFault> {
        let member = &self.members[index];
        let script = member.in_memory(bytes, &self.limits)?;
        self.check_digest(member, Digest::of(&script))?;
        Ok(script)
    }
}

/// The bytes of a member, unpacked.
pub struct MemberReader<'a> {
    wheel: &'a str,
    unpacked: Unpacked<'a>,
}

impl Read for MemberReader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.unpacked.read(buffer).map_err(|error| {
            let kind = error.kind();
            let fault = WheelFault::unread(self.unpacked.member(), error);
            io::Error::new(kind, fault.of(self.wheel))
        })
    }
}
