//! Where a zip's central directory is: its end records, and nothing that could be read two ways.
//!
//! No crate reads zips like this. `zip` and `async_zip` take what they can make something of, and
//! where two readers make different things of one archive, one of them installs what the other did
//! not check. This one takes what packers of wheels write. Section numbers are APPNOTE.TXT 6.3.10's.

use super::error::WheelFault;
use super::fields::Fields;
use super::limits::{Limits, WheelLimit};
use super::read_at::ReadAt;

const END: &[u8; 4] = b"PK\x05\x06";
const END_SIZE: u64 = 22;
const LONGEST_COMMENT: u64 = 0xffff;
const LOCATOR: u32 = 0x0706_4b50;
const LOCATOR_SIZE: u64 = 20;
const ZIP64_END: u32 = 0x0606_4b50;
const ZIP64_END_SIZE: u64 = 56;
/// What a zip64 record counts as its size does not count (4.3.14.1).
const ZIP64_END_UNCOUNTED: u64 = 12;

/// The central directory: its place, and how many members it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) members: u64,
}

/// The end record's own fields (4.3.16), or the wider ones (4.3.14).
struct End {
    disks: [u32; 2],
    members_here: u64,
    place: Place,
}

/// Reads bytes, or says which could not be had.
pub(super) fn read(bytes: &dyn ReadAt, offset: u64, length: u64) -> Result<Vec<u8>, WheelFault> {
    let mut buffer = vec![0; length as usize];
    match bytes.read_exact_at(&mut buffer, offset) {
        Ok(()) => Ok(buffer),
        Err(source) => Err(WheelFault::Read { offset, length, source }),
    }
}

/// Finds the central directory.
pub(super) fn find(bytes: &dyn ReadAt, size: u64, limits: &Limits) -> Result<Place, WheelFault> {
    let tail_size = size.min(END_SIZE + LONGEST_COMMENT);
    let tail = read(bytes, size - tail_size, tail_size)?;
    // The last one, as Python's zipfile looks for it; and its comment must be all that follows.
    let at = tail
        .windows(END.len())
        .rposition(|window| window == END)
        .ok_or(WheelFault::NotZip("no end of central directory"))?;
    let record = &tail[at + END.len()..];
    let (end, comment) = parse_end(record).ok_or(WheelFault::NotZip("its end is cut off"))?;
    if u64::from(comment) != record.len() as u64 + END.len() as u64 - END_SIZE {
        return Err(WheelFault::NotZip("its end is not where it says"));
    }
    let end_at = size - tail_size + at as u64;
    let (end, behind) = match zip64_end(bytes, end_at)? {
        Some((wide, wide_at)) => (agreed(&end, wide)?, wide_at),
        None => (end, end_at),
    };
    checked(end, behind, limits)
}

fn parse_end(record: &[u8]) -> Option<(End, u16)> {
    let mut fields = Fields(record);
    let disks = [fields.u16()?.into(), fields.u16()?.into()];
    let members_here = fields.u16()?.into();
    let members = fields.u16()?.into();
    let size = fields.u32()?.into();
    let offset = fields.u32()?.into();
    let comment = fields.u16()?;
    Some((End { disks, members_here, place: Place { offset, size, members } }, comment))
}

/// The zip64 record, if a locator says that there is one, and where it is.
fn zip64_end(bytes: &dyn ReadAt, end_at: u64) -> Result<Option<(End, u64)>, WheelFault> {
    let Some(locator_at) = end_at.checked_sub(LOCATOR_SIZE) else { return Ok(None) };
    let locator = read(bytes, locator_at, LOCATOR_SIZE)?;
    let mut fields = Fields(&locator);
    if fields.u32() != Some(LOCATOR) {
        return Ok(None);
    }
    let broken = || WheelFault::NotZip("its zip64 end is not where it says");
    let disk = fields.u32();
    let at = fields.u64().ok_or_else(broken)?;
    if disk != Some(0) || fields.u32() != Some(1) {
        return Err(WheelFault::NotZip("it is one part of several"));
    }
    if at.checked_add(ZIP64_END_SIZE) != Some(locator_at) {
        return Err(broken());
    }
    let record = read(bytes, at, ZIP64_END_SIZE)?;
    let end = parse_zip64_end(&record).ok_or_else(broken)?;
    Ok(Some((end, at)))
}

fn parse_zip64_end(record: &[u8]) -> Option<End> {
    let mut fields = Fields(record);
    let is_one =
        fields.u32()? == ZIP64_END && fields.u64()? == ZIP64_END_SIZE - ZIP64_END_UNCOUNTED;
    let _versions = fields.u32()?;
    let disks = [fields.u32()?, fields.u32()?];
    let members_here = fields.u64()?;
    let members = fields.u64()?;
    let size = fields.u64()?;
    let offset = fields.u64()?;
    is_one.then_some(End { disks, members_here, place: Place { offset, size, members } })
}

/// The wide record, if the narrow one says the same or leaves it to the wide one (4.4.1.4).
fn agreed(narrow: &End, wide: End) -> Result<End, WheelFault> {
    let same = |narrow: u64, wide: u64, left: u64| narrow == wide || narrow == left;
    let (few, many) = (&narrow.place, &wide.place);
    if same(few.members, many.members, 0xffff)
        && same(few.size, many.size, 0xffff_ffff)
        && same(few.offset, many.offset, 0xffff_ffff)
    {
        return Ok(wide);
    }
    Err(WheelFault::NotZip("its two ends disagree"))
}

fn checked(end: End, behind: u64, limits: &Limits) -> Result<Place, WheelFault> {
    let place = end.place;
    if end.disks != [0, 0] || end.members_here != place.members {
        return Err(WheelFault::NotZip("it is one part of several"));
    }
    if place.offset.checked_add(place.size) != Some(behind) {
        return Err(WheelFault::NotZip("its directory is not where it says"));
    }
    if place.members > limits.members {
        return Err(WheelFault::TooMuch { what: WheelLimit::Members, allowed: limits.members });
    }
    if place.size > limits.directory {
        return Err(WheelFault::TooMuch { what: WheelLimit::Directory, allowed: limits.directory });
    }
    Ok(place)
}
