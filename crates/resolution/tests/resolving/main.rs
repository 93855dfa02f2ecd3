//! Resolution against an index on loopback.
#![allow(clippy::unwrap_used)]

mod ask;
mod building;
mod choosing;
mod failing;
mod fetching;
mod index;
mod locks;
mod wheel;
