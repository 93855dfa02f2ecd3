//! A script run for real in a chroot over a root directory of Debian's, and evaluated over the same
//! files: the two sides, and how their answers differ.
//!
//! A [`House`] is where it happens, an [`Answer`] is what came of it. For the tests that ask the
//! oracles; what goes wrong in them is a panic.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "all of it is for tests")]

mod answer;
mod base;
mod house;
mod outside;

pub use answer::{Answer, Bytes, Kind, State, difference};
pub use house::{House, script};
