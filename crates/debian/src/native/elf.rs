//! What the loader wants to know of an ELF file.

/// An ELF file, as far as the loader's cache and the choice of wheels need it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {}
