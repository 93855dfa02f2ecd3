//! What others wrote is the judge: pip. Where it is not installed, these tests fail and say so.
//!
//! Needs: python3.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod requirements;
mod wheel;
//! What Python and pip say of what was found without running them.
//!
//! Needs: python3, debootstrap, umoci, chroot, root.

#![allow(clippy::unwrap_used)] // A test may.

mod discovery;
