//! Bytes, compressed and not, within bounds.

use std::io::{Read, Write};

use flate2::GzBuilder;
use layer::{ArchiveCompression, Limits, open_archive};

use crate::execute::{Lookup, look_up};
use crate::process::Process;
use crate::programs::Flavour;
use crate::stop::Stop;

/// Bytes are held as they come out, so that what is too much is so early.
const PIECE: usize = 1 << 20;

/// How bytes are compressed, by how they begin.
pub(super) fn detect(bytes: &[u8]) -> ArchiveCompression {
    match bytes {
        [0x1f, 0x8b, ..] => ArchiveCompression::Gzip,
        [b'B', b'Z', b'h', ..] => ArchiveCompression::Bzip2,
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => ArchiveCompression::Xz,
        [0x28, 0xb5, 0x2f, 0xfd, ..] => ArchiveCompression::Zstd,
        _ => ArchiveCompression::None,
    }
}

/// The program that does it.
pub(super) fn program_of(compression: ArchiveCompression) -> &'static str {
    match compression {
        ArchiveCompression::None => "cat",
        ArchiveCompression::Gzip => "gzip",
        ArchiveCompression::Bzip2 => "bzip2",
        ArchiveCompression::Xz => "xz",
        ArchiveCompression::Zstd => "zstd",
    }
}

/// Whether the image has the program that another one runs for a compression; BusyBox needs none.
pub(super) fn is_installed(
    process: &Process<'_, '_>,
    compression: ArchiveCompression,
) -> Result<bool, Stop> {
    if compression == ArchiveCompression::None || process.flavour == Flavour::BusyBox {
        return Ok(true);
    }
    let path = process.environment.get(&bstr::BString::from("PATH")).map(|path| &***path);
    let name = program_of(compression).as_bytes();
    let found = look_up(&process.machine.files, &process.directory, path, name)?;
    Ok(matches!(found, Lookup::Found { .. }))
}

/// Decompresses; `None` if the bytes are broken.
pub(super) fn decompress(
    process: &mut Process<'_, '_>,
    bytes: &[u8],
    compression: ArchiveCompression,
) -> Result<Option<Vec<u8>>, Stop> {
    let Ok(mut reader) = open_archive(bytes, compression, &Limits::default()) else {
        return Ok(None);
    };
    let mut plain = Vec::new();
    loop {
        let piece = reader.by_ref().take(PIECE as u64);
        match { piece }.read_to_end(&mut plain) {
            Ok(0) => return Ok(Some(plain)),
            Ok(read) => process.machine.budget.hold(read)?,
            Err(_) => return Ok(None),
        }
    }
}

/// Compresses with gzip, without a name and a time in it.
pub(super) fn gzip(bytes: &[u8], level: u32) -> Vec<u8> {
    let level = flate2::Compression::new(level.clamp(1, 9));
    let mut encoder = GzBuilder::new().write(Vec::new(), level);
    // Memory takes everything.
    let written = encoder.write_all(bytes).and_then(|()| encoder.finish());
    written.unwrap_or_default()
}
