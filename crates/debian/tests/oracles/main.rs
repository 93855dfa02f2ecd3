//! Debian's own programs are the judge, in a chroot.
//!
//! Needs: chroot, debootstrap, dpkg-deb, umoci, unshare, root.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../shell/tests/oracles/comparison.rs"]
mod comparison;
mod dpkg;
//! Debian's own programs are the judge.
//!
//! Needs: apt-get, dpkg-deb, ldconfig, umoci, debootstrap, root.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod native;
//! apt, dpkg and their like are the judges.
//!
//! Needs: apt-get, network (for the lists, once), debootstrap.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod resolver;
