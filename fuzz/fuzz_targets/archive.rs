#![no_main]
//! Compressed files that claim to be archives or layers.
//!
//! No more comes out than the limits allow, and what is told to be an archive can be opened as one.

use std::io::Read;

use layer::{ArchiveCompression, Limits, TarError, decompress, detect_archive, open_archive};
use libfuzzer_sys::fuzz_target;
use oci::Compression;

const LIMITS: Limits = Limits {
    uncompressed: 1 << 20,
    ratio: 100,
    entries: 100,
    names: 10_000,
    extended_header: 1_000,
    depth: 16,
};
/// The most that one call may give beyond a limit.
const BUFFER: usize = 16 << 10;

fuzz_target!(|bytes: &[u8]| {
    for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
        let _ = decompress(bytes, compression, &LIMITS).map(drain);
    }
    let found = detect_archive(bytes).expect("a slice can be read");
    for compression in [
        ArchiveCompression::None,
        ArchiveCompression::Gzip,
        ArchiveCompression::Bzip2,
        ArchiveCompression::Xz,
        ArchiveCompression::Zstd,
    ] {
        let opened = open_archive(bytes, compression, &LIMITS).map(drain);
        assert!(opened.is_ok() || found != Some(compression));
    }
});

/// Reads to the end or to the first error.
fn drain(mut tar: impl Read) {
    let mut buffer = [0; BUFFER];
    let mut given = 0;
    let end = loop {
        match tar.read(&mut buffer) {
            Ok(0) => break None,
            Ok(read) => given += read as u64,
            Err(error) => break Some(error),
        }
    };
    let allowed = LIMITS.uncompressed + BUFFER as u64;
    assert!(given <= allowed, "{given} bytes");
    if given > LIMITS.uncompressed {
        let error = end.as_ref().expect("an error beyond the limit");
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
        assert!(matches!(inner, Some(TarError::LimitExceeded { .. })), "{error}");
    }
}
