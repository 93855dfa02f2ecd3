//! What package managers install, as layers.

pub(crate) mod groups;
