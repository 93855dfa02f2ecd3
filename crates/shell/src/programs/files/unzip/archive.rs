//! Zip archives as bytes (PKWARE's APPNOTE.TXT).

use std::io::Read;

use bstr::BString;
use flate2::bufread::DeflateDecoder;

use crate::process::Process;
use crate::programs::files::report::refuse_use;
use crate::stop::Stop;

/// A file or directory in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) name: BString,
    /// Mode and type as Unix has them; `None` where another system made the archive.
    pub(super) mode: Option<u32>,
    /// Seconds since the epoch.
    pub(super) mtime: i64,
    pub(super) method: Method,
    checksum: u32,
    packed: u64,
    pub(super) size: u64,
    /// Where its local header is.
    offset: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Stored,
    Deflated,
}

/// Why there are no members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadArchive {
    /// It is none.
    None,
    /// It is broken, or has something in it that is not understood.
    Unusual,
}

const END: &[u8] = b"PK\x05\x06";
const END_LENGTH: usize = 22;
const CENTRAL: &[u8] = b"PK\x01\x02";
const CENTRAL_LENGTH: usize = 46;
const LOCAL: &[u8] = b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;
/// A comment is not longer, so the end is not further away.
const MOST_COMMENT: usize = 0xffff;
/// "Version made by": Unix (4.4.2.2).
const UNIX: u8 = 3;
/// General purpose bits: encrypted (4.4.4).
const ENCRYPTED: u16 = 1;
/// The extra field "extended timestamp" of Info-ZIP (`extrafld.txt`).
const EXTENDED_TIME: u16 = 0x5455;

/// The members, as the central directory has them.
pub(super) fn members(bytes: &[u8]) -> Result<Vec<Member>, BadArchive> {
    let from = bytes.len().saturating_sub(END_LENGTH + MOST_COMMENT);
    let tail = &bytes[from..];
    let end = tail.windows(END.len()).rposition(|window| window == END);
    let end = end.and_then(|at| tail.get(at..at + END_LENGTH)).ok_or(BadArchive::None)?;
    let (count, at) = (short(end, 10), word(end, 16));
    // What is larger is in other records (4.3.14), for archives that do not occur here.
    if count == u16::MAX || at == u32::MAX || short(end, 4) != 0 {
        return Err(BadArchive::Unusual);
    }
    let mut members = Vec::with_capacity(usize::from(count));
    let mut rest =
        usize::try_from(at).ok().and_then(|at| bytes.get(at..)).ok_or(BadArchive::Unusual)?;
    for _ in 0..count {
        let (member, length) = member(rest)?;
        members.push(member);
        rest = &rest[length..];
    }
    Ok(members)
}

/// The member at the beginning of `bytes`, and how long its header is.
fn member(bytes: &[u8]) -> Result<(Member, usize), BadArchive> {
    let header = bytes.get(..CENTRAL_LENGTH).filter(|header| header.starts_with(CENTRAL));
    let header = header.ok_or(BadArchive::Unusual)?;
    let (name, extra, comment) = (short(header, 28), short(header, 30), short(header, 32));
    let name_end = CENTRAL_LENGTH + usize::from(name);
    let extra_end = name_end + usize::from(extra);
    let end = extra_end + usize::from(comment);
    if bytes.len() < end || short(header, 8) & ENCRYPTED != 0 {
        return Err(BadArchive::Unusual);
    }
    let name = &bytes[CENTRAL_LENGTH..name_end];
    let method = match short(header, 10) {
        0 => Method::Stored,
        8 => Method::Deflated,
        _ => return Err(BadArchive::Unusual),
    };
    let (packed, size, offset) = (word(header, 20), word(header, 24), word(header, 42));
    if [packed, size, offset].contains(&u32::MAX) || name.contains(&0) {
        return Err(BadArchive::Unusual);
    }
    let attributes = word(header, 38) >> 16;
    let mode = (header[5] == UNIX && attributes != 0).then_some(attributes);
    let mtime = extended_time(&bytes[name_end..extra_end])
        .or_else(|| dos_time(short(header, 14), short(header, 12)))
        .ok_or(BadArchive::Unusual)?;
    let member = Member {
        name: name.into(),
        mode,
        mtime,
        method,
        checksum: word(header, 16),
        packed: u64::from(packed),
        size: u64::from(size),
        offset: u64::from(offset),
    };
    Ok((member, end))
}

/// A member's bytes, checked.
pub(super) fn content(
    process: &mut Process<'_, '_>,
    bytes: &[u8],
    member: &Member,
) -> Result<Vec<u8>, Stop> {
    let size = usize::try_from(member.size).unwrap_or(usize::MAX);
    process.machine.budget.hold(size)?;
    match packed(bytes, member).and_then(|packed| unpacked(packed, member)) {
        Some(content) => Ok(content),
        None => Err(refuse_use(process, "reads an archive that is broken")),
    }
}

fn packed<'a>(bytes: &'a [u8], member: &Member) -> Option<&'a [u8]> {
    let local = bytes.get(usize::try_from(member.offset).ok()?..)?;
    let header = local.get(..LOCAL_LENGTH).filter(|header| header.starts_with(LOCAL))?;
    let start = LOCAL_LENGTH + usize::from(short(header, 26)) + usize::from(short(header, 28));
    local.get(start..)?.get(..usize::try_from(member.packed).ok()?)
}

fn unpacked(packed: &[u8], member: &Member) -> Option<Vec<u8>> {
    let mut content = Vec::new();
    match member.method {
        Method::Stored => content.extend_from_slice(packed),
        Method::Deflated => {
            // One byte more than there should be, to see that there is none.
            let mut decoder = DeflateDecoder::new(packed).take(member.size + 1);
            decoder.read_to_end(&mut content).ok()?;
        }
    }
    let mut checksum = flate2::Crc::new();
    checksum.update(&content);
    (content.len() as u64 == member.size && checksum.sum() == member.checksum).then_some(content)
}

fn extended_time(mut extra: &[u8]) -> Option<i64> {
    while extra.len() >= 4 {
        let (id, length) = (short(extra, 0), usize::from(short(extra, 2)));
        let field = extra.get(4..4 + length)?;
        if id == EXTENDED_TIME && field.len() >= 5 && field[0] & 1 != 0 {
            return Some(i64::from(word(field, 1).cast_signed()));
        }
        extra = &extra[4 + length..];
    }
    None
}

/// MS-DOS's date and time, taken for UTC.
fn dos_time(date: u16, time: u16) -> Option<i64> {
    let small = |bits: u16| i8::try_from(bits).ok();
    let date_time = jiff::civil::DateTime::new(
        i16::try_from(1980 + (date >> 9)).ok()?,
        small((date >> 5 & 15).max(1))?,
        small((date & 31).max(1))?,
        small(time >> 11)?,
        small(time >> 5 & 63)?,
        small((time & 31) * 2)?,
        0,
    );
    Some(date_time.ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp().as_second())
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}
