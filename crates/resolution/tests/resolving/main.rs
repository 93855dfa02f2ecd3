//! Resolution against an index on loopback.

mod ask;
mod choosing;
mod failing;
mod index;
mod wheel;
