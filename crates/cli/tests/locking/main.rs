//! The lock: what is pinned is built again, whatever has moved outside, and what has to move moves
//! alone.
//!
//! Every test runs the real program. Outside is a registry, a host with an index of wheels and other
//! files, and an archive of Debian packages, all of which can move between two builds.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod ci;
mod debian;
mod drift;
mod kept;
mod moved_on;
mod offline;
mod outdated;
mod places;
#[path = "../scene/mod.rs"]
#[allow(dead_code, reason = "the tests of the commands use more of it")]
mod scene;
mod setting;
mod upgrades;
mod web;
#[path = "../bad_input/python/wheel.rs"]
#[allow(dead_code, reason = "the tests of bad input use more of it")]
mod wheel;
