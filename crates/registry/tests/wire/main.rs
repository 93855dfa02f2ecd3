//! The wire against an in-process registry with switches and faults: each behaviour on its own.

// Clippy knows tests by their attribute, and takes what they share for a program.
#![allow(clippy::unwrap_used)]

mod auth;
mod publish;
mod pull;
mod push;
mod secrets;
mod support;
