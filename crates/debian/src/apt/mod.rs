//! apt: where packages come from, and which are chosen.

pub mod archive;
pub mod assembly;
pub(crate) mod commands;
