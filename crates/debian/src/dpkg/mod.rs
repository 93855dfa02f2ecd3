//! dpkg: packages unpacked and configured, and the database of that.
//!
//! The database is what it is in the image: files below `/var/lib/dpkg`, read and written as dpkg
//! does. Between two writes of `status`, what changed stands in `updates/` (dpkg's own journal), so
//! that programs which scripts call see it.

pub mod status;
