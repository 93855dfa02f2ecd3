//! The ways to copy.

/// How to copy.
#[derive(Debug, Clone)]
pub(in crate::programs::files) struct Manner {
    /// What is made of a file.
    pub(in crate::programs::files) making: Making,
    /// Whether directories are copied with what is in them.
    pub(in crate::programs::files) depth: Depth,
    /// Which links in the source are followed.
    pub(in crate::programs::files) following: Following,
    /// What a copy keeps of its original.
    pub(in crate::programs::files) keeps: Keeps,
    /// What becomes of what is there already.
    pub(in crate::programs::files) existing: Existing,
    /// Whether an existing file that cannot be opened is replaced, or any.
    pub(in crate::programs::files) replacing: Replacing,
    /// What is said about each copy.
    pub(in crate::programs::files) telling: Telling,
    /// Whether directories of other file systems stay empty.
    pub(in crate::programs::files) volumes: Volumes,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::programs::files) enum Making {
    Copies,
    HardLinks,
    Symlinks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::programs::files) enum Depth {
    Files,
    Trees,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::programs::files) enum Following {
    None,
    Operands,
    All,
}

/// Attributes that a copy has from its original.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::programs::files) struct Keeps {
    pub(in crate::programs::files) mode: bool,
    pub(in crate::programs::files) owner: bool,
    pub(in crate::programs::files) time: bool,
    pub(in crate::programs::files) links: bool,
    pub(in crate::programs::files) xattrs: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::programs::files) enum Existing {
    Overwritten,
    Kept,
    /// Overwritten if it is older.
    Updated,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::programs::files) enum Replacing {
    Never,
    /// What cannot be opened (`-f`).
    Unwritable,
    /// Before anything else (`--remove-destination`).
    Always,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::programs::files) enum Telling {
    Nothing,
    Copies,
    /// As `mv -v` calls it.
    Moves,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::programs::files) enum Volumes {
    All,
    One,
}

impl Keeps {
    pub(in crate::programs::files) const ALL: Keeps =
        Keeps { mode: true, owner: true, time: true, links: true, xattrs: true };
}
