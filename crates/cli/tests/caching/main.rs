//! The registry as everyone's cache: what a machine that knows nothing asks, moves and builds.
//!
//! Every test runs the real program, with a store of its own for each machine. Outside is a
//! registry, and a host with an index of wheels and other files.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod fresh;
mod housekeeping;
mod large_files;
mod mistakes;
mod poisoned;
#[path = "../scene/mod.rs"]
#[allow(dead_code, reason = "the tests of the commands use more of it")]
mod scene;
#[path = "../locking/setting.rs"]
#[allow(dead_code, reason = "the tests of the lock use more of it")]
mod setting;
mod side_by_side;
mod traffic;
#[path = "../locking/web.rs"]
#[allow(dead_code, reason = "the tests of the lock use more of it")]
mod web;
#[path = "../bad_input/python/wheel.rs"]
#[allow(dead_code, reason = "the tests of bad input use more of it")]
mod wheel;
mod wheels;
