//! Bad input: what is said of it, how the program ends, and that nothing is left behind.
//!
//! Every test runs the real program, and asks for every kind of output at once; that none of them
//! came about, no name was given in the store and nothing was sent to the registry is looked at
//! after each ([`attempt::Attempt::refused`]). What has no such test here is tested in the crate
//! that it belongs to.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod attempt;
mod base;
mod command_line;
mod context;
mod debian;
mod disk;
mod layers;
mod python;
mod recipe;
mod run;
#[path = "../scene/mod.rs"]
#[allow(dead_code, reason = "the tests of the commands use more of it")]
mod scene;
mod stages;
mod wire;
