//! Files as deflated parts: made once, and then taken into any number of layers.
//!
//! A part is small enough to be deflated and inflated whole, by whichever thread is free.

use std::io::{self, Read};

use libdeflater::{Compressor, Decompressor};
use oci::{Digest, Digester};

use crate::deflated::DeflatedPart;
use crate::pack::{self, GzipLevel};

/// Deflates the parts of files, as layers of the default packing have them.
///
/// A part's stream depends on its bytes and on the pinned compressor alone.
pub struct Deflater(Compressor);

impl Deflater {
    /// How many bytes of content a part has; a file's last part has fewer.
    pub const PART: usize = 1 << 20;

    /// The effort of its compression.
    pub fn level() -> GzipLevel {
        GzipLevel::default()
    }

    /// One with buffers of its own.
    #[expect(clippy::new_without_default, reason = "it takes memory")]
    pub fn new() -> Self {
        Deflater(Compressor::new(pack::libdeflate_level(Self::level().number())))
    }

    /// Replaces what `out` holds by the stream of a part.
    ///
    /// # Errors
    /// If the compressor fails, which it does not.
    pub fn deflate(&mut self, part: &[u8], out: &mut Vec<u8>) -> io::Result<DeflatedPart> {
        out.clear();
        pack::deflate(part, &mut self.0, out)?;
        let (size, packed_size) = (part.len() as u64, out.len() as u64);
        Ok(DeflatedPart { size, packed_size, crc32: libdeflater::crc32(part) })
    }
}

/// The content of deflated parts, one after the other.
///
/// Sizes and checksums are verified; the digest of the whole is for whoever reads it to compare.
pub struct InflatedParts<R> {
    stream: R,
    parts: std::vec::IntoIter<DeflatedPart>,
    inflater: Decompressor,
    packed: Vec<u8>,
    raw: Vec<u8>,
    at: usize,
    digester: Digester,
}

impl<R: Read> InflatedParts<R> {
    /// Reads nothing yet.
    pub fn new(stream: R, parts: Vec<DeflatedPart>) -> Self {
        let (inflater, parts) = (Decompressor::new(), parts.into_iter());
        let (packed, raw, digester) = (Vec::new(), Vec::new(), Digester::sha256());
        InflatedParts { stream, parts, inflater, packed, raw, at: 0, digester }
    }

    /// The digest of what was inflated so far.
    pub fn digest(&self) -> Digest {
        self.digester.clone().finish()
    }

    fn inflate(&mut self, part: DeflatedPart) -> io::Result<()> {
        let DeflatedPart { size, packed_size, crc32 } = part;
        let damaged = |what| io::Error::new(io::ErrorKind::InvalidData, what);
        let most = 4 * Deflater::PART as u64;
        if size > most || packed_size > most {
            return Err(damaged("a deflated part is too large"));
        }
        self.packed.clear();
        let read = (&mut self.stream).take(packed_size).read_to_end(&mut self.packed)?;
        if (read as u64) < packed_size {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.raw.resize(size as usize, 0);
        self.at = 0;
        let inflated = self.inflater.deflate_decompress(&self.packed, &mut self.raw);
        if inflated != Ok(self.raw.len()) || libdeflater::crc32(&self.raw) != crc32 {
            self.raw.clear();
            return Err(damaged("a deflated part is damaged"));
        }
        self.digester.update(&self.raw);
        Ok(())
    }
}

impl<R: Read> Read for InflatedParts<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.raw.len() {
            let Some(part) = self.parts.next() else { return Ok(0) };
            self.inflate(part)?;
        }
        let count = buffer.len().min(self.raw.len() - self.at);
        buffer[..count].copy_from_slice(&self.raw[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_deflated_comes_back() {
        let content: Vec<u8> =
            (0..2 * Deflater::PART + 7).map(|at| (at * at % 253) as u8).collect();
        let (mut deflater, mut out) = (Deflater::new(), Vec::new());
        let (mut stream, mut parts) = (Vec::new(), Vec::new());
        for part in content.chunks(Deflater::PART) {
            parts.push(deflater.deflate(part, &mut out).unwrap());
            stream.extend_from_slice(&out);
        }
        let mut read = Vec::new();
        InflatedParts::new(&stream[..], parts.clone()).read_to_end(&mut read).unwrap();
        assert!(read == content);
        parts[1].crc32 ^= 1;
        InflatedParts::new(&stream[..], parts).read_to_end(&mut read).unwrap_err();
    }
}
