//! One file in a wheel.

use std::io::{self, Read};
use std::ops::Range;

use flate2::Crc;
use flate2::read::DeflateDecoder;

use super::MemberReader;
use super::error::WheelFault;
use super::limits::{Limits, WheelLimit};
use super::read_at::ReadAt;

/// A file in a wheel: what the zip's directory says about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its path in the wheel.
    pub name: String,
    /// How its bytes are packed.
    pub method: Method,
    /// The CRC-32 of its bytes.
    pub crc32: u32,
    /// How many bytes it has.
    pub size: u64,
    /// How many bytes it takes in the wheel.
    pub packed_size: u64,
    /// Where those are.
    pub data_offset: u64,
    /// Whether it is marked as a regular file that somebody may execute.
    pub executable: bool,
}

/// How a member's bytes are packed (APPNOTE.TXT 4.4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Not at all.
    Stored,
    /// As one stream of RFC 1951.
    Deflated,
    /// As one frame of RFC 8878.
    Zstandard,
}

impl Member {
    /// Where the packed bytes are in the wheel.
    pub fn raw_range(&self) -> Range<u64> {
        self.data_offset..self.data_offset + self.packed_size
    }

    /// Reads what is packed; anything but what the directory announced is an error at the end.
    pub(super) fn open<'a>(&'a self, bytes: &'a dyn ReadAt) -> Unpacked<'a> {
        let packed = Packed { bytes, range: self.raw_range() };
        let decoder = match self.method {
            Method::Stored => Decoder::Stored(packed),
            Method::Deflated => Decoder::Deflated(DeflateDecoder::new(packed)),
            Method::Zstandard => Decoder::Zstandard(zstandard(packed)),
        };
        Unpacked { member: self, decoder, crc32: Crc::new(), left: self.size }
    }

    /// Reads its bytes, unpacked. If those are too few, too many or others, their end is an error
    /// that holds a [`WheelError`](crate::WheelError). `wheel` is the wheel's name, for that.
    pub fn reader<'a>(&'a self, wheel: &'a str, bytes: &'a dyn ReadAt) -> MemberReader<'a> {
        MemberReader { wheel, unpacked: self.open(bytes) }
    }

    /// All its bytes, if those are not too many.
    pub(super) fn in_memory(
        &self,
        bytes: &dyn ReadAt,
        limits: &Limits,
    ) -> Result<Vec<u8>, WheelFault> {
        if self.size > limits.text {
            return Err(WheelFault::TooMuch { what: WheelLimit::Text, allowed: limits.text });
        }
        let mut unpacked = Vec::with_capacity(self.size as usize);
        match self.open(bytes).read_to_end(&mut unpacked) {
            Ok(_) => Ok(unpacked),
            Err(error) => Err(WheelFault::unread(self, error)),
        }
    }
}

/// 8 MiB, which RFC 8878, 3.1.1.1.2, asks every decoder to have.
const ZSTD_WINDOW_LOG: u32 = 23;

fn zstandard(packed: Packed<'_>) -> io::Result<zstd::Decoder<'static, io::BufReader<Packed<'_>>>> {
    let mut decoder = zstd::Decoder::new(packed)?.single_frame();
    decoder.window_log_max(ZSTD_WINDOW_LOG)?;
    Ok(decoder)
}

/// A member's bytes as they are in the wheel.
struct Packed<'a> {
    bytes: &'a dyn ReadAt,
    range: Range<u64>,
}

impl Read for Packed<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.range.end - self.range.start;
        let count = buffer.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let offset = self.range.start;
        self.bytes.read_exact_at(&mut buffer[..count], offset).map_err(|source| {
            let fault = WheelFault::Read { offset, length: count as u64, source };
            io::Error::other(fault)
        })?;
        self.range.start += count as u64;
        Ok(count)
    }
}

/// A member's bytes.
pub(super) struct Unpacked<'a> {
    member: &'a Member,
    decoder: Decoder<'a>,
    crc32: Crc,
    left: u64,
}

enum Decoder<'a> {
    Stored(Packed<'a>),
    Deflated(DeflateDecoder<Packed<'a>>),
    Zstandard(io::Result<zstd::Decoder<'static, io::BufReader<Packed<'a>>>>),
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        let count = self.unpack(buffer)?;
        if count == 0 {
            self.check_end()?;
            return Ok(0);
        }
        self.left = self
            .left
            .checked_sub(count as u64)
            .ok_or_else(|| self.damaged("there are more bytes than announced"))?;
        self.crc32.update(&buffer[..count]);
        Ok(count)
    }
}

impl Unpacked<'_> {
    pub(super) fn member(&self) -> &Member {
        self.member
    }

    fn unpack(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let unpacked = match &mut self.decoder {
            Decoder::Stored(decoder) => decoder.read(buffer),
            Decoder::Deflated(decoder) => decoder.read(buffer),
            Decoder::Zstandard(Ok(decoder)) => decoder.read(buffer),
            Decoder::Zstandard(Err(error)) => Err(error.kind().into()),
        };
        unpacked.map_err(|error| match error.downcast::<WheelFault>() {
            Ok(fault) => io::Error::other(fault),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                self.damaged("its compressed bytes are cut off")
            }
            Err(_) => self.damaged("its compressed bytes make no sense"),
        })
    }

    fn check_end(&self) -> io::Result<()> {
        if self.left > 0 {
            return Err(self.damaged("there are fewer bytes than announced"));
        }
        // What is spliced into a layer must be one whole stream.
        if let Decoder::Deflated(decoder) = &self.decoder
            && decoder.total_in() != self.member.packed_size
        {
            return Err(self.damaged("there is more behind its compressed bytes"));
        }
        if self.crc32.sum() != self.member.crc32 {
            return Err(self.damaged("its bytes have another checksum"));
        }
        Ok(())
    }

    fn damaged(&self, why: &'static str) -> io::Error {
        let fault = WheelFault::Damaged { member: self.member.name.clone(), why };
        io::Error::new(io::ErrorKind::InvalidData, fault)
    }
}
