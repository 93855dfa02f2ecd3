//! What packaging asks of whoever calls: downloads, indexes and packages.
//!
//! As with [`shell::Outside`], nothing here does anything. What is not known yet is told to the
//! caller, all of it at once, and evaluation stops with [`Missing::Told`](shell::Missing::Told); it
//! begins anew once the facts are there. So a question has to be asked for many things together: one
//! round costs an evaluation.

use std::sync::Arc;

use oci::{Digest, ImagePath};
use shell::{Stop, Stored};

use crate::deb::Deb;
use crate::index::PackageIndex;
use crate::memory::Memory;
use crate::native::elf::Elf;

/// The facts about archives and packages that are outside.
pub trait Outside {
    /// What URLs give, in the order asked; `None` for an address that has nothing (HTTP 404).
    fn fetch(&self, fetches: &[Fetch]) -> Result<Vec<Option<Stored>>, Stop>;

    /// What files of the format of `Packages` list, compressed or not, in the order asked. The
    /// question names all that the choice among their packages depends on beside them.
    fn indexes(
        &self,
        question: &Digest,
        lists: &[ListFile],
    ) -> Result<Vec<Arc<PackageIndex>>, Stop>;

    /// The text of a signed file that somebody vouches for: it was verified when it was there, and
    /// its bytes cannot be had any more. By default there is none.
    fn vouched(&self, _: &Stored) -> Option<Arc<[u8]>> {
        None
    }

    /// Packages, in the order asked.
    fn debs(&self, debs: &[DebSource]) -> Result<Vec<Arc<Deb>>, Stop>;

    /// What files are as ELF, in the order asked; `None` for one that is none.
    fn elf(&self, files: &[Stored]) -> Result<Vec<Option<Elf>>, Stop>;

    /// The time by which signatures and lists expire, in seconds since the epoch. Nothing else may
    /// depend on it.
    fn now(&self) -> i64;

    /// The time by which a file expires that was fetched: an earlier one for what somebody took then
    /// and keeps to.
    fn time_of(&self, _: &Stored) -> i64 {
        self.now()
    }

    /// Says what was unpacked, so that it can have a layer of its own.
    fn note_installed(&self, installed: Installed);

    /// What was computed in earlier evaluations. By default there is nothing.
    fn memory(&self) -> Memory {
        Memory::default()
    }
}

/// A file of the format of `Packages`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListFile {
    /// The list, for people: `http://deb.example.org/debian bookworm/main amd64 Packages`.
    pub title: String,
    /// Its bytes.
    pub stored: Stored,
}

/// Something to fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// What it is, for people: `http://deb.example.org/debian bookworm InRelease`.
    pub title: String,
    /// The address, without credentials.
    pub url: String,
    /// What the bytes have to be, where that is known.
    pub sha256: Option<Digest>,
    /// How many there are, where that is known.
    pub size: Option<u64>,
    /// A user and a password for the address's host.
    pub login: Option<Login>,
    /// The way there.
    pub proxy: Proxy,
}

/// A name and a password, never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    /// The name.
    pub user: String,
    /// The password.
    pub password: String,
}

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The way to a host, as apt.conf(5) has it in `Acquire::http::Proxy`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Proxy {
    /// As the machine's environment says.
    #[default]
    Environment,
    /// `DIRECT`.
    Direct,
    /// By this proxy.
    Url(String),
}

/// A package's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DebSource {
    /// In an archive: where, and which bytes; the digest is always given. Its title is
    /// `curl 7.88.1-10+deb12u14 amd64`.
    Archive(Fetch),
    /// A file of the image.
    File {
        /// Its path, for people.
        path: ImagePath,
        /// Its bytes.
        stored: Stored,
    },
}

/// What became of a package's files.
#[derive(Debug, Clone)]
pub struct Installed {
    /// The package.
    pub deb: Arc<Deb>,
    /// For each file that was put into place: its position in [`Deb::members`], and where it is.
    pub files: Vec<(usize, ImagePath)>,
}
