//! One block of a tar as compressed bytes that stand on their own: gzip members or a zstd frame.
//!
//! The bytes depend on the block, the packing and the pinned compressor only. What does not
//! compress is found by a sample and stored, since a compressor would labour over it for nothing.

use std::io;
use std::ops::Range;

use libdeflater::{CompressionLvl, Compressor};
use oci::{Compression, MediaType};
use zstd::zstd_safe::{CParameter, compress_bound};

/// How a layer's blob is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Packing {
    /// gzip (RFC 1952), as members one after the other.
    Gzip(GzipLevel),
    /// zstd (RFC 8878), as frames one after the other.
    Zstd(ZstdLevel),
    /// The plain tar.
    None,
}

/// Effort of gzip compression: 1 to 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GzipLevel(u8);

/// Effort of zstd compression: 1 to 19.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ZstdLevel(u8);

impl GzipLevel {
    /// The level, if it is from 1 to 12.
    pub fn new(level: u8) -> Option<Self> {
        (1..=12).contains(&level).then_some(GzipLevel(level))
    }

    /// The level as a number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl Default for GzipLevel {
    fn default() -> Self {
        GzipLevel(4)
    }
}

impl ZstdLevel {
    /// The level, if it is from 1 to 19.
    pub fn new(level: u8) -> Option<Self> {
        (1..=19).contains(&level).then_some(ZstdLevel(level))
    }

    /// The level as a number.
    pub fn number(self) -> u8 {
        self.0
    }
}

impl Default for ZstdLevel {
    fn default() -> Self {
        ZstdLevel(3)
    }
}

impl Default for Packing {
    fn default() -> Self {
        Packing::Gzip(GzipLevel::default())
    }
}

impl Packing {
    /// What kind of compression this is.
    pub fn compression(self) -> Compression {
        match self {
            Packing::Gzip(_) => Compression::Gzip,
            Packing::Zstd(_) => Compression::Zstd,
            Packing::None => Compression::None,
        }
    }

    /// The media type of the blob.
    pub fn media_type(self) -> MediaType {
        MediaType::OciLayer(self.compression())
    }
}

/// Compresses blocks, one after the other.
pub(crate) enum Packer {
    Gzip { chosen: Compressor, probe: Compressor },
    Zstd(zstd::bulk::Compressor<'static>),
    None,
}

impl Packer {
    pub(crate) fn new(packing: Packing) -> io::Result<Self> {
        Ok(match packing {
            Packing::Gzip(level) => Packer::Gzip {
                chosen: Compressor::new(libdeflate_level(level.0)),
                probe: Compressor::new(libdeflate_level(1)),
            },
            Packing::Zstd(level) => {
                let mut compressor = zstd::bulk::Compressor::new(level.0.into())?;
                compressor.set_parameter(CParameter::ContentSizeFlag(true))?;
                compressor.set_parameter(CParameter::ChecksumFlag(true))?;
                compressor.set_parameter(CParameter::DictIdFlag(false))?;
                Packer::Zstd(compressor)
            }
            Packing::None => Packer::None,
        })
    }

    /// Replaces what `out` holds by the packed form of `block`.
    pub(crate) fn pack(&mut self, block: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
        out.clear();
        match self {
            Packer::Gzip { chosen, probe } => gzip(block, chosen, probe, out),
            Packer::Zstd(compressor) => {
                out.reserve(compress_bound(block.len()));
                compressor.compress_to_buffer(block, out).map(drop)
            }
            Packer::None => {
                out.extend_from_slice(block);
                Ok(())
            }
        }
    }
}

pub(crate) fn libdeflate_level(level: u8) -> CompressionLvl {
    CompressionLvl::new(level.into()).unwrap_or_default()
}

/// A member for each run of the block that compresses, or does not.
fn gzip(
    block: &[u8],
    chosen: &mut Compressor,
    probe: &mut Compressor,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let mut start = 0;
    while start < block.len() {
        let (end, texture) = run(block, start, probe);
        let bytes = &block[start..end];
        begin_member(out);
        match texture {
            Texture::Compressible => deflate(bytes, chosen, out)?,
            Texture::Random => store(bytes, out),
        }
        end_member(bytes, out);
        start = end;
    }
    Ok(())
}

/// RFC 1952, 2.3.1: no name, no time, no word on the effort or the system.
pub(crate) fn begin_member(out: &mut Vec<u8>) {
    out.extend_from_slice(&[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);
}

fn end_member(bytes: &[u8], out: &mut Vec<u8>) {
    end_member_of(libdeflater::crc32(bytes), bytes.len() as u32, out);
}

pub(crate) fn end_member_of(crc32: u32, size: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&crc32.to_le_bytes());
    out.extend_from_slice(&size.to_le_bytes());
}

pub(crate) fn deflate(
    bytes: &[u8],
    compressor: &mut Compressor,
    out: &mut Vec<u8>,
) -> io::Result<()> {
    let start = out.len();
    out.resize(start + compressor.deflate_compress_bound(bytes.len()), 0);
    let written = compressor
        .deflate_compress(bytes, &mut out[start..])
        .map_err(|_| io::Error::other("the compressor ran out of space"))?;
    out.truncate(start + written);
    Ok(())
}

/// RFC 1951, 3.2.4: blocks of up to 65535 bytes as they are.
fn store(bytes: &[u8], out: &mut Vec<u8>) {
    let mut chunks = bytes.chunks(0xffff).peekable();
    while let Some(chunk) = chunks.next() {
        let length = chunk.len() as u16;
        out.push(u8::from(chunks.peek().is_none()));
        out.extend_from_slice(&length.to_le_bytes());
        out.extend_from_slice(&(!length).to_le_bytes());
        out.extend_from_slice(chunk);
    }
}

/// How bytes look to a compressor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Texture {
    Compressible,
    Random,
}

/// How much of a block is judged at once.
const STRETCH: usize = 128 << 10;

/// The end of the longest run from `start` of one texture, judged by the stretch.
fn run(block: &[u8], start: usize, probe: &mut Compressor) -> (usize, Texture) {
    let stretch = |at: usize| -> Range<usize> { at..block.len().min(at + STRETCH) };
    let texture = texture_of(&block[stretch(start)], probe);
    let mut end = stretch(start).end;
    while end < block.len() && texture_of(&block[stretch(end)], probe) == texture {
        end = stretch(end).end;
    }
    (end, texture)
}

/// Judges by four samples of 1 KiB, and, if they look random, by a quick compression of 8 KiB.
///
/// The first is a count of byte values, in whole numbers so that it is the same everywhere: the
/// sum of their squares is about 69,600 in 4 KiB of random bytes, and above 114,000 in all that an
/// order-0 code could shorten by a tenth. The second finds repetitions.
fn texture_of(stretch: &[u8], probe: &mut Compressor) -> Texture {
    const SAMPLE: usize = 1 << 10;
    const MAX_SQUARES: u32 = 76_000;
    const PROBE: usize = 8 << 10;
    if stretch.len() < 2 * PROBE {
        return Texture::Compressible;
    }
    let mut counts = [0u32; 256];
    for quarter in 0..4 {
        let at = (stretch.len() - SAMPLE) / 3 * quarter;
        for byte in &stretch[at..at + SAMPLE] {
            counts[usize::from(*byte)] += 1;
        }
    }
    if counts.iter().map(|count| count * count).sum::<u32>() > MAX_SQUARES {
        return Texture::Compressible;
    }
    let middle = stretch.len() / 2;
    let mut packed = [0; PROBE - PROBE / 32];
    match probe.deflate_compress(&stretch[middle - PROBE / 2..middle + PROBE / 2], &mut packed) {
        Ok(_) => Texture::Compressible,
        Err(_) => Texture::Random,
    }
}
