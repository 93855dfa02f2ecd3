//! What others wrote is the judge: pip. Where it is not installed, these tests fail and say so.
//!
//! Needs: python3.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod requirements;
mod wheel;
