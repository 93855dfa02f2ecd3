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
pub mod database;
pub mod engine;
pub mod format;
pub mod paths;
pub mod status;
