//! What this crate makes, compared with what pip makes.
//!
//! Needs: python3.

#![allow(clippy::unwrap_used)] // A test may.

mod wheel;
