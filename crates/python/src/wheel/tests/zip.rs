//! A writer of wheels that can be told to lie.

use std::io::Write;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use oci::Digest;

use crate::wheel::{Wheel, WheelError};

pub(super) const FILENAME: &str = "sample-1.0-py3-none-any.whl";
pub(super) const FILE: u32 = 0o100_644;
pub(super) const PROGRAM: u32 = 0o100_755;

/// A zip to be.
#[derive(Clone, Default)]
pub(super) struct Zip {
    pub(super) parts: Vec<Part>,
    pub(super) comment: Vec<u8>,
    pub(super) zip64: bool,
}

/// A member: what each header says, and its bytes.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) local: Header,
    pub(super) central: Header,
    pub(super) data: Vec<u8>,
    /// What stands between the bytes and the next member.
    pub(super) behind: Vec<u8>,
    /// Where it is said to be, if that is not where it is.
    pub(super) offset: Option<u32>,
}

#[derive(Clone, PartialEq)]
pub(super) struct Header {
    pub(super) name: Vec<u8>,
    pub(super) flags: u16,
    pub(super) method: u16,
    pub(super) crc32: u32,
    pub(super) packed_size: u32,
    pub(super) size: u32,
    pub(super) mode: u32,
    pub(super) extra: Vec<u8>,
}

impl Part {
    pub(super) fn new(name: &str, mode: u32, bytes: &[u8]) -> Part {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        Part::packed(name, mode, bytes, 8, encoder.finish().unwrap())
    }

    pub(super) fn packed(name: &str, mode: u32, bytes: &[u8], method: u16, data: Vec<u8>) -> Part {
        let mut crc = Crc::new();
        crc.update(bytes);
        let header = Header {
            name: name.into(),
            flags: if name.is_ascii() { 0 } else { 1 << 11 },
            method,
            crc32: crc.sum(),
            packed_size: data.len() as u32,
            size: bytes.len() as u32,
            mode,
            extra: Vec::new(),
        };
        Part { local: header.clone(), central: header, data, behind: Vec::new(), offset: None }
    }

    /// Changes both headers.
    pub(super) fn set(&mut self, change: impl Fn(&mut Header)) {
        change(&mut self.local);
        change(&mut self.central);
    }
}

impl Header {
    fn write(&self, to: &mut Vec<u8>) {
        to.extend(20u16.to_le_bytes());
        to.extend(self.flags.to_le_bytes());
        to.extend(self.method.to_le_bytes());
        to.extend([0; 4]);
        to.extend(self.crc32.to_le_bytes());
        to.extend(self.packed_size.to_le_bytes());
        to.extend(self.size.to_le_bytes());
        to.extend((self.name.len() as u16).to_le_bytes());
        to.extend((self.extra.len() as u16).to_le_bytes());
    }
}

impl Zip {
    /// A wheel of these files, with the metadata that makes it one, and a `RECORD` of all.
    pub(super) fn wheel(files: &[(&str, &str)]) -> Zip {
        let mut zip = Zip::default();
        for (name, text) in files {
            zip.parts.push(Part::new(name, FILE, text.as_bytes()));
        }
        let wheel = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n";
        let metadata = "Metadata-Version: 2.1\nName: Sample\nVersion: 1.0.0\n\nA sample.\n";
        for (name, text) in [("WHEEL", wheel), ("METADATA", metadata)] {
            if !zip.has(&info(name)) {
                zip.parts.push(Part::new(&info(name), FILE, text.as_bytes()));
            }
        }
        if !zip.has(&info("RECORD")) {
            let mut record: String = zip.parts.iter().map(row).collect();
            record += &format!("{},,\n", info("RECORD"));
            zip.parts.push(Part::new(&info("RECORD"), FILE, record.as_bytes()));
        }
        zip
    }

    fn has(&self, name: &str) -> bool {
        self.parts.iter().any(|part| part.central.name == name.as_bytes())
    }

    pub(super) fn part(&mut self, name: &str) -> &mut Part {
        self.parts.iter_mut().find(|part| part.central.name == name.as_bytes()).unwrap()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut offsets = Vec::new();
        for part in &self.parts {
            offsets.push(part.offset.unwrap_or(bytes.len() as u32));
            bytes.extend(b"PK\x03\x04");
            part.local.write(&mut bytes);
            for piece in [&part.local.name, &part.local.extra, &part.data, &part.behind] {
                bytes.extend(piece);
            }
        }
        let start = bytes.len();
        for (part, offset) in self.parts.iter().zip(offsets) {
            bytes.extend(b"PK\x01\x02\x14\x03");
            part.central.write(&mut bytes);
            bytes.extend([0; 6]);
            bytes.extend((part.central.mode << 16).to_le_bytes());
            bytes.extend(offset.to_le_bytes());
            bytes.extend(&part.central.name);
            bytes.extend(&part.central.extra);
        }
        self.write_ends(&mut bytes, start);
        bytes
    }

    fn write_ends(&self, bytes: &mut Vec<u8>, start: usize) {
        let (end, count) = (bytes.len(), self.parts.len());
        let (mut short_count, mut short_size, mut short_start) =
            (count as u16, (end - start) as u32, start as u32);
        if self.zip64 {
            bytes.extend(b"PK\x06\x06");
            bytes.extend(44u64.to_le_bytes());
            bytes.extend([45, 3, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            for number in [count, count, end - start, start] {
                bytes.extend((number as u64).to_le_bytes());
            }
            bytes.extend(b"PK\x06\x07\0\0\0\0");
            bytes.extend((end as u64).to_le_bytes());
            bytes.extend(1u32.to_le_bytes());
            (short_count, short_size, short_start) = (0xffff, 0xffff_ffff, 0xffff_ffff);
        }
        bytes.extend(b"PK\x05\x06\0\0\0\0");
        bytes.extend(short_count.to_le_bytes());
        bytes.extend(short_count.to_le_bytes());
        bytes.extend(short_size.to_le_bytes());
        bytes.extend(short_start.to_le_bytes());
        bytes.extend((self.comment.len() as u16).to_le_bytes());
        bytes.extend(&self.comment);
    }

    pub(super) fn read(&self) -> Result<(Vec<u8>, Wheel), WheelError> {
        let bytes = self.bytes();
        let wheel = Wheel::read(&bytes, bytes.len() as u64, FILENAME)?;
        Ok((bytes, wheel))
    }
}

/// A name in the wheel's `.dist-info`.
pub(super) fn info(name: &str) -> String {
    format!("sample-1.0.dist-info/{name}")
}

fn row(part: &Part) -> String {
    let mut bytes = Vec::new();
    let mut decoder = flate2::read::DeflateDecoder::new(&part.data[..]);
    std::io::Read::read_to_end(&mut decoder, &mut bytes).unwrap();
    let hash = BASE64_URL_SAFE_NO_PAD.encode(Digest::of(&bytes).as_bytes());
    let name = String::from_utf8_lossy(&part.central.name);
    format!("{name},sha256={hash},{}\n", bytes.len())
}
