//! What an archive offers: the contents of its `Packages` files.

/// A `Packages` file, read.
#[derive(Debug)]
pub struct PackageIndex {}
