//! A registry: answers as the OCI distribution specification 1.1 has it.
//!
//! This crate does not know clients, images or the local store.

#[cfg(any(test, feature = "testing"))]
pub mod testing;
