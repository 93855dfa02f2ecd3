//! The order in which dpkg's tools write files: that of the table in which dpkg keeps their names.

use bstr::{BStr, BString, ByteSlice};

/// How many chains the table has (dpkg 1.21).
const CHAINS: u32 = 262_139;

/// Which chain a path is in: FNV-1a over the path without its first slash. Bytes count as signed, as
/// the C compiler has them on amd64.
fn chain(path: &[u8]) -> u32 {
    let name = path.strip_prefix(b"/").unwrap_or(path);
    let hash = name.iter().fold(2_166_136_261_u32, |hash, byte| {
        (hash ^ (i32::from(byte.cast_signed()).cast_unsigned())).wrapping_mul(16_777_619)
    });
    hash % CHAINS
}

/// Brings what is in the order in which dpkg has met it into the order in which it writes it.
pub(crate) fn sort<T>(all: &mut [T], path: impl Fn(&T) -> &[u8]) {
    all.sort_by_key(|item| chain(path(item)));
}

/// A path as the table has it: with one slash in front, and without `./`.
pub(crate) fn normal(path: &[u8]) -> BString {
    let mut rest = path;
    while rest.starts_with(b"/") || rest.starts_with(b"./") {
        rest = &rest[1..];
    }
    [b"/", rest].concat().into()
}

/// Without slashes, and dots behind slashes, at the end; the first byte stays.
pub(crate) fn trimmed(path: &[u8]) -> &BStr {
    let mut path = path;
    while let [rest @ .., before, last] = path
        && (*last == b'/' || (*before == b'/' && *last == b'.'))
    {
        path = &path[..rest.len() + 1];
    }
    path.as_bstr()
}
