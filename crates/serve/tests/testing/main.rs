//! The test registry, seen by bare HTTP: each known registry's peculiarities, and faults at the byte
//! where they were asked for.

// Clippy knows tests by their attribute, and takes what they share for a program.
#![allow(clippy::unwrap_used)]

mod doors;
mod faults;
mod peculiarities;
mod support;
