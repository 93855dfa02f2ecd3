//! Real shells and real programs are the judge: dash, bash and Debian's own tools, in a chroot.
//!
//! Needs: chroot, debootstrap, strace, umoci, unshare, root.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod grammar;
#[path = "../hostile/image.rs"]
mod image;
#[path = "../hostile/lines.rs"]
mod lines;
mod random;
mod snippets;
mod transcripts;
mod watched;
