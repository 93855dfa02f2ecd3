//! The OCI distribution specification 1.1, clause by clause, by bare HTTP: pull, push, content
//! discovery, content management. Each test runs over memory and over a directory.

// Clippy knows tests by their attribute, and takes what they share for a program.
#![allow(clippy::unwrap_used)]

mod discovery;
mod management;
mod manifests;
mod pull;
mod push;
mod support;
mod uploads;
