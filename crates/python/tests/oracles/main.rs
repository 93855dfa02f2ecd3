//! What this crate makes, compared with what pip makes.
//!
//! Needs: python3.

#![allow(clippy::unwrap_used)] // A test may.

mod wheel;
//! What others wrote is the judge: pip. Where it is not installed, these tests fail and say so.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod requirements;
