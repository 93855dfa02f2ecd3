//! Resolution against an index on loopback.

mod ask;
mod choosing;
mod failing;
mod fetching;
mod index;
mod locks;
mod wheel;
