//! What others wrote is the judge: pip, and Python itself. Where they are not installed, these tests
//! fail and say so.
//!
//! Needs: python3, debootstrap, umoci, chroot, root.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod discovery;
mod requirements;
mod wheel;
