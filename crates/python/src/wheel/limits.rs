//! How much a hostile wheel may cost.

use std::fmt;

/// Bounds on what a wheel may hold. The largest wheels of the default index (4 GiB unpacked, 30,000
/// files) stay far below the defaults.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Members, directories included.
    pub(super) members: u64,
    /// Bytes of the central directory, which is held in memory.
    pub(super) directory: u64,
    /// Uncompressed bytes of one member.
    pub(super) file: u64,
    /// Uncompressed bytes of all members.
    pub(super) total: u64,
    /// Uncompressed bytes for each byte of the wheel, once there are more than [`Self::RATIO_FREE`].
    pub(super) ratio: u64,
    /// Bytes of a member that is held in memory: metadata, and scripts that are changed.
    pub(super) text: u64,
}

impl Limits {
    /// The ratio does not count before that many bytes.
    pub(super) const RATIO_FREE: u64 = 1 << 30;
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            members: 500_000,
            directory: 128 << 20,
            file: 16 << 30,
            total: 64 << 30,
            ratio: 500,
            text: 64 << 20,
        }
    }
}

/// What a wheel may not have more of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WheelLimit {
    /// Files and directories.
    Members,
    /// Bytes in the zip's central directory.
    Directory,
    /// Bytes of one file.
    File,
    /// Bytes of all files.
    Total,
    /// Bytes from each byte of the wheel.
    Ratio,
    /// Bytes of metadata, or of a script that an installer changes.
    Text,
}

impl fmt::Display for WheelLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            WheelLimit::Members => "members",
            WheelLimit::Directory => "bytes in its directory",
            WheelLimit::File => "bytes in one file",
            WheelLimit::Total => "bytes when unpacked",
            WheelLimit::Ratio => "bytes from each compressed byte",
            WheelLimit::Text => "bytes in a file of metadata or a script",
        })
    }
}
