//! dpkg: packages unpacked and configured, and the database of that.
//!
//! The database is what it is in the image: files below `/var/lib/dpkg`, read and written as dpkg
//! does. Between two writes of `status`, what changed stands in `updates/` (dpkg's own journal), so
//! that programs which scripts call see it.
//!
//! Of dpkg's own files, those are left out that are of no use in an image: `/var/log/dpkg.log`, which
//! says when somebody ran it, and what lives only while dpkg runs (`updates/tmp.i`, `tmp.ci`,
//! `*.dpkg-tmp` but for directories that were moved aside). Locks are made if they are not there,
//! and never locked.

pub mod architecture;
mod checks;
mod conffiles;
mod configure;
mod conflicts;
mod cycles;
pub mod database;
mod dependencies;
pub mod engine;
mod expected;
mod extract;
mod filters;
pub mod format;
mod interests;
mod leftovers;
mod ownership;
pub mod paths;
mod queue;
mod redirections;
mod remove;
mod scripts;
mod session;
pub mod settings;
pub mod status;
mod triggers;
mod unpack;

pub use database::Database;
pub use engine::Engine;
pub(crate) use expected::expect_files;
pub use interests::illegal as illegal_trigger;

#[cfg(test)]
mod tests;
