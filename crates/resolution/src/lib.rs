//! Requirements and a target to a set of pinned wheels.
//!
//! The resolver and the client of package indexes are uv's crates, which have no stable interface.
//! They are used in this crate and nowhere else, and none of their types comes out of it.
