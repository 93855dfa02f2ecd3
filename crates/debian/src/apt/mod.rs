//! apt: where packages come from, and which are chosen.

pub mod abridged;
pub mod archive;
pub mod assembly;
pub(crate) mod commands;
pub mod configuration;
pub mod expression;
pub mod keys;
pub mod lists;
pub mod login;
pub mod preferences;
pub mod problem;
mod reading;
pub mod release;
pub mod resolver;
pub mod signature;
pub mod snapshot;
pub mod sources;
mod transport;
#[cfg(test)]
mod trial;
