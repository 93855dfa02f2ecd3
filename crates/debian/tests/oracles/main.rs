//! Debian's own programs are the judge, in a chroot.
//!
//! Needs: chroot, debootstrap, dpkg-deb, umoci, unshare, root.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

#[path = "../../../shell/tests/oracles/comparison.rs"]
mod comparison;
mod dpkg;
