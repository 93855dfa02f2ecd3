//! apt, dpkg, debconf, ldconfig and their like are the judges, in a chroot.
//!
//! Needs: apt-get, chroot, debootstrap, dpkg-deb, gpgv, ldconfig, openssl, umoci, unshare, root.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod archive;
mod debconf;
mod debs;
mod dpkg;
mod native;
mod resolver;
mod tools;
