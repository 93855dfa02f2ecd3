//! How much a hostile archive may cost.

/// Bounds on what is read from an archive. Real layers stay far below the defaults.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Uncompressed bytes: 64 GiB.
    pub uncompressed: u64,
    /// Uncompressed bytes for each compressed one, once more than 1 GiB came: 500. (Layers have
    /// 2 to 10; gzip can reach 1,032, with zeros only.)
    pub ratio: u64,
    /// Entries, and directories that only their paths imply: ten million.
    pub entries: u64,
    /// Bytes of paths, link targets and extended attributes together, which are held in memory:
    /// 256 MiB.
    pub names: u64,
    /// Bytes in one extended header: 1 MiB, as in Go's reader.
    pub extended_header: u64,
    /// Directories above one path: 512.
    pub depth: u64,
}

impl Limits {
    /// The ratio does not count before that many bytes.
    pub(crate) const RATIO_FREE: u64 = 1 << 30;
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            uncompressed: 64 << 30,
            ratio: 500,
            entries: 10_000_000,
            names: 256 << 20,
            extended_header: 1 << 20,
            depth: 512,
        }
    }
}
