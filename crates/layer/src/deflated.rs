//! Files that come deflated, as a zip holds them: what is claimed of one, and whether it is so.
//!
//! A zip's file is a raw deflate stream (RFC 1951) with its size and CRC-32 beside it, which is all
//! that a gzip member (RFC 1952) consists of. So the stream can stand in a layer as it is. It is
//! inflated all the same, once: the tar's digest covers the content, and nothing is believed.

use std::io::{self, Read};

use libdeflater::{Crc, Decompressor};
use memchr::memmem;
use oci::{Digest, Digester, ImagePath};

use crate::pack::{begin_member, end_member_of};
use crate::{LayerError, Mismatch};

/// From this size on a file's stream is kept.
const LEAST_KEPT: u64 = 32 << 10;
/// A file that has no more bytes than this, deflated and inflated together, is inflated whole.
const MOST_WHOLE: u64 = 4 << 20;
/// How much of a stream is read at once where it is not read whole.
const INPUT: u64 = 64 << 10;

/// A file's content as raw deflate streams, and what is said of it.
pub struct Deflated<'a> {
    /// Gives the streams of all parts, one behind the other. No more than these is read.
    pub stream: &'a mut dyn Read,
    /// The parts that make the content; one, as a zip has it, or several.
    pub parts: &'a [DeflatedPart],
}

/// A part of a file's content as a raw deflate stream of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeflatedPart {
    /// The length of the content.
    pub size: u64,
    /// The length of the stream.
    pub packed_size: u64,
    /// The CRC-32 of the content, as in a zip's directory.
    pub crc32: u32,
}

/// Whether a file of `size` bytes, deflated to `packed_size`, is worth a gzip member of its own.
///
/// It is from 32 KiB on. A member costs its 18 bytes, and the blocks around it, of one tar header
/// each, some 140; and what is gathered in a block is smaller, since it shares a dictionary. The
/// wheels of numpy, pandas and pyarrow, 3,352 files of 272 MB, whose tar `gzip -6` makes 82.80 MB of:
///
/// | kept from | blob in MB | seconds of one processor |
/// |---|---|---|
/// | 1 KiB | 84.08 | 0.86 |
/// | 8 KiB | 83.68 | 0.89 |
/// | 16 KiB | 83.46 | 0.91 |
/// | 32 KiB | 83.21 | 0.97 |
/// | 64 KiB | 83.14 | 1.05 |
/// | 1 MiB | 83.36 | 1.46 |
/// | never | 85.11 | 3.0 |
///
/// Below it, a byte saved costs few cycles and is sent and stored many times; above, hardly any is
/// saved. A file of 4 GiB or more has no gzip member that says its size (RFC 1952, "ISIZE"), and a
/// stream that is no smaller than its content is not worth keeping.
pub fn keeps_deflated(size: u64, packed_size: u64) -> bool {
    (LEAST_KEPT..=u32::MAX.into()).contains(&size) && packed_size < size
}

/// Everything that must hold for a part of a file which came deflated.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) path: ImagePath,
    pub(crate) part: DeflatedPart,
    /// That of the whole file.
    pub(crate) digest: Digest,
}

/// Which part of a file something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// All of it.
    Whole,
    /// One with others behind it.
    Inside,
    /// The last one.
    End,
}

impl Claim {
    /// Whether the part is inflated whole, in memory.
    pub(crate) fn fits_whole(&self) -> bool {
        self.part.size.saturating_add(self.part.packed_size) <= MOST_WHOLE
    }

    pub(crate) fn refuse(&self, mismatch: Mismatch) -> LayerError {
        LayerError::Deflated { path: self.path.clone(), mismatch }
    }

    fn unreadable(&self, source: io::Error) -> LayerError {
        LayerError::Content { path: self.path.clone(), source }
    }

    /// Replaces what `out` holds by the stream as a gzip member.
    pub(crate) fn read_member(
        &self,
        stream: &mut dyn Read,
        out: &mut Vec<u8>,
    ) -> Result<(), LayerError> {
        out.clear();
        begin_member(out);
        let expected = self.part.packed_size;
        let read = stream.take(expected).read_to_end(out);
        let found = read.map_err(|source| self.unreadable(source))? as u64;
        if found < expected {
            return Err(self.refuse(Mismatch::Short { expected, found }));
        }
        self.end_member(out);
        Ok(())
    }

    pub(crate) fn end_member(&self, out: &mut Vec<u8>) {
        end_member_of(self.part.crc32, self.part.size as u32, out);
    }

    pub(crate) fn verify_digest(&self, found: Digest) -> Result<(), LayerError> {
        let expected = self.digest;
        if found == expected {
            Ok(())
        } else {
            Err(self.refuse(Mismatch::Digest { expected, found }))
        }
    }
}

/// Inflates streams that are in memory as a whole, faster than [`Inflation`].
///
/// It also takes a few malformed Huffman codes that other inflaters refuse. Who ships such a stream
/// ships a wheel that pip cannot unpack, and gets a layer that cannot be unpacked either.
pub(crate) struct WholeInflater(Decompressor);

impl WholeInflater {
    pub(crate) fn new() -> Self {
        WholeInflater(Decompressor::new())
    }

    /// Replaces what `raw` holds by the content of the gzip member that [`Claim::read_member`]
    /// made, if it is as claimed; the digest is not looked at.
    ///
    /// The fast inflater says only that something is wrong, and not where a stream ended. So
    /// whatever is not plainly right is inflated again by the one that knows.
    pub(crate) fn inflate(
        &mut self,
        claim: &Claim,
        member: &[u8],
        raw: &mut Vec<u8>,
    ) -> Result<(), LayerError> {
        resize(raw, claim.part.size as usize);
        let inflated = self.0.gzip_decompress(member, raw);
        if !(inflated.is_ok_and(|size| size == raw.len()) && has_one_end(member)) {
            let mut stream = &member[MEMBER_HEAD..member.len() - MEMBER_TAIL];
            raw.clear();
            Inflation::new(claim.clone(), &mut stream).read_to_end(raw, claim.part.size)?;
        }
        Ok(())
    }
}

const MEMBER_HEAD: usize = 10;
const MEMBER_TAIL: usize = 8;

/// Whether the last eight bytes of a member, checksum and size, are nowhere else in it.
///
/// A member is sound if these bytes follow the stream's end. Where else they stood, the stream
/// might end there, and what is behind be another member that readers would take for content.
fn has_one_end(member: &[u8]) -> bool {
    let (_, tail) = member.split_at(member.len() - MEMBER_TAIL);
    memmem::find(&member[MEMBER_HEAD..], tail) == Some(member.len() - MEMBER_HEAD - MEMBER_TAIL)
}

/// A buffer of zeros comes from the system for less than it takes to write them.
fn resize(buffer: &mut Vec<u8>, size: usize) {
    if buffer.capacity() < size {
        *buffer = vec![0; size];
    } else {
        buffer.resize(size, 0);
    }
}

/// Inflates a stream by the piece, and verifies all but the digest.
pub(crate) struct Inflation<'a> {
    claim: Claim,
    stream: &'a mut dyn Read,
    inflate: flate2::Decompress,
    input: Vec<u8>,
    /// How much of `input` is used up.
    used: usize,
    crc32: Crc,
    ended: bool,
}

impl<'a> Inflation<'a> {
    pub(crate) fn new(claim: Claim, stream: &'a mut dyn Read) -> Self {
        Inflation {
            claim,
            stream,
            inflate: flate2::Decompress::new(false),
            input: Vec::new(),
            used: 0,
            crc32: Crc::new(),
            ended: false,
        }
    }

    /// Whether all of the stream was inflated and found to be as claimed.
    pub(crate) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Makes a piece of content and one of the stream that stand for each other: until either has
    /// `most` bytes, or a little more, or the stream ends.
    pub(crate) fn read_piece(
        &mut self,
        raw: &mut Vec<u8>,
        packed: &mut Vec<u8>,
        most: usize,
    ) -> Result<(), LayerError> {
        raw.resize(most, 0);
        let mut filled = 0;
        while !self.ended && filled < most && packed.len() < most {
            filled += self.step(&mut raw[filled..], packed)?;
        }
        raw.truncate(filled);
        Ok(())
    }

    fn read_to_end(&mut self, raw: &mut Vec<u8>, size: u64) -> Result<(), LayerError> {
        resize(raw, size as usize);
        let mut filled = 0;
        while !self.ended {
            filled += self.step(&mut raw[filled..], &mut Vec::new())?;
        }
        Ok(())
    }

    /// Inflates some bytes to `out`, and appends the bytes that they were to `packed`.
    fn step(&mut self, out: &mut [u8], packed: &mut Vec<u8>) -> Result<usize, LayerError> {
        if self.used == self.input.len() {
            self.read_input()?;
        }
        let (expected, before) = (self.claim.part.size, self.inflate.total_out());
        let left = expected - before;
        // At the content's end there is room for one byte, so that more is noticed.
        let mut beyond = [0];
        let room = left.min(out.len() as u64) as usize;
        let out = if left == 0 { &mut beyond[..] } else { &mut out[..room] };
        let (taken, status) = self.inflate_to(out)?;
        let made = (self.inflate.total_out() - before) as usize;
        if left == 0 && made > 0 {
            return Err(self.claim.refuse(Mismatch::Larger { expected }));
        }
        self.crc32.update(&out[..made]);
        packed.extend_from_slice(&self.input[self.used..self.used + taken]);
        self.used += taken;
        if status == flate2::Status::StreamEnd {
            self.verify_end()?;
        } else if taken == 0 && made == 0 && self.inflate.total_in() == self.claim.part.packed_size
        {
            let unfinished = Mismatch::Unfinished { packed: self.claim.part.packed_size };
            return Err(self.claim.refuse(unfinished));
        }
        Ok(made)
    }

    fn inflate_to(&mut self, out: &mut [u8]) -> Result<(usize, flate2::Status), LayerError> {
        let before = self.inflate.total_in();
        let input = &self.input[self.used..];
        let status = self.inflate.decompress(input, out, flate2::FlushDecompress::None);
        let at = self.inflate.total_in();
        let status = status.map_err(|_| self.claim.refuse(Mismatch::Damaged { at }))?;
        Ok(((at - before) as usize, status))
    }

    fn read_input(&mut self) -> Result<(), LayerError> {
        let (expected, found) = (self.claim.part.packed_size, self.inflate.total_in());
        self.input.clear();
        self.used = 0;
        let wanted = (expected - found).min(INPUT);
        let read = (&mut *self.stream).take(wanted).read_to_end(&mut self.input);
        read.map_err(|source| self.claim.unreadable(source))?;
        if wanted > 0 && self.input.is_empty() {
            return Err(self.claim.refuse(Mismatch::Short { expected, found }));
        }
        Ok(())
    }

    fn verify_end(&mut self) -> Result<(), LayerError> {
        let DeflatedPart { size: expected, packed_size, crc32 } = self.claim.part;
        let trailing = packed_size - self.inflate.total_in();
        let (size, found) = (self.inflate.total_out(), self.crc32.sum());
        let mismatch = if trailing > 0 {
            Mismatch::Trailing { bytes: trailing }
        } else if size < expected {
            Mismatch::Smaller { expected, found: size }
        } else if found != crc32 {
            Mismatch::Checksum { expected: crc32, found }
        } else {
            self.ended = true;
            return Ok(());
        };
        Err(self.claim.refuse(mismatch))
    }
}

/// The content as a reader, which fails at the end if anything is not as claimed, the digest, too.
pub(crate) struct Inflated<'a> {
    inflation: Inflation<'a>,
    packed: Vec<u8>,
    /// Until the end.
    digester: Option<Digester>,
    failure: Option<LayerError>,
}

impl<'a> Inflated<'a> {
    pub(crate) fn new(claim: Claim, stream: &'a mut dyn Read) -> Self {
        Inflated {
            inflation: Inflation::new(claim, stream),
            packed: Vec::new(),
            digester: Some(Digester::sha256()),
            failure: None,
        }
    }

    /// Why reading failed.
    pub(crate) fn failure(self) -> Option<LayerError> {
        self.failure
    }

    fn read_some(&mut self, out: &mut [u8]) -> Result<usize, LayerError> {
        while !self.inflation.ended {
            self.packed.clear();
            let made = self.inflation.step(out, &mut self.packed)?;
            if let Some(digester) = &mut self.digester {
                digester.update(&out[..made]);
            }
            if made > 0 {
                return Ok(made);
            }
        }
        match self.digester.take() {
            Some(digester) => self.inflation.claim.verify_digest(digester.finish()).map(|()| 0),
            None => Ok(0),
        }
    }
}

impl Read for Inflated<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        self.read_some(out).map_err(|failure| {
            self.failure = Some(failure);
            io::Error::other("the deflated content is not what it should be")
        })
    }
}
