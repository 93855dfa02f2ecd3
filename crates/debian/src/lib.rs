//! Debian packages: chosen as apt does, unpacked and configured as dpkg does, and nothing executed.
//!
//! Everything works on the virtual file system of the [`shell`]: `apt-get`, `dpkg` and what
//! maintainer scripts call are programs over a [`Process`], found by [`program`]. What they know of
//! an image they read from its files (sources, keys, pins, dpkg's database), and what they do is
//! files, too. The scripts themselves are evaluated by the shell.
//!
//! - [`control`], [`version`] and [`relation`] are the vocabulary of Debian's policy; [`index`] is
//!   what an archive offers, [`deb`] is one package.
//! - [`apt`] configures sources, verifies them, and resolves; [`dpkg`] unpacks, configures and keeps
//!   the database.
//! - [`programs`] are the tools that maintainer scripts call; [`native`] makes what others make by
//!   running code of the image: the loader's cache, certificate links, keystores.
//! - [`outside`] is what all of this asks of whoever calls.
//!
//! This crate is pure, as the shell is: it reads no file of this machine and no clock, and reaches
//! no network.

pub mod apt;
mod asked;
pub mod control;
pub mod deb;
pub mod dpkg;
#[cfg(test)]
pub(crate) mod fixture;
pub mod index;
mod memory;
pub mod native;
pub mod outside;
pub mod programs;
pub mod relation;
pub mod version;

pub use asked::is_asked_for;
pub use control::Stanza;
pub use deb::Deb;
pub use index::PackageIndex;
pub use memory::Memory;
pub use outside::{DebSource, Fetch, Installed, ListFile, Outside, Proxy};
pub use relation::Relation;
pub use version::Version;

use shell::{Process, Stop};

/// Runs one of Debian's own programs, and gives its exit status; `None` if the process is none.
///
/// Only what the system itself brings counts: a file in one of its directories that is a layer's or
/// a package's ([`Process::is_system`]).
pub fn program(process: &mut Process<'_, '_>, outside: &dyn Outside) -> Option<Result<u8, Stop>> {
    if let Some(status) = programs::skipped::skip(process, outside) {
        return Some(status);
    }
    if let Some(refusal) = programs::refusals::refuse(process) {
        return Some(refusal);
    }
    if !process.is_system {
        return None;
    }
    let program = programs::find(process.program.as_bytes(), process.name())?;
    Some(program(process, outside))
}
