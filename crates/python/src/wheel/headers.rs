//! The members that a zip's central directory lists, each checked against its own header.

use std::collections::HashSet;
use std::ops::Range;

use super::directory::{self, Place};
use super::error::{WheelFault, printable};
use super::fields::Fields;
use super::limits::{Limits, WheelLimit};
use super::member::{Member, Method};
use super::read_at::ReadAt;

const CENTRAL: u32 = 0x0201_4b50;
const LOCAL: u32 = 0x0403_4b50;
const LOCAL_SIZE: u64 = 30;
/// "Look into the zip64 field" (4.4.8, 4.4.9, 4.4.16).
const WIDE: u32 = 0xffff_ffff;
const ZIP64: u16 = 0x0001;
/// Info-ZIP's Unicode path (4.6.9), by which some readers know a member by another name.
const UNICODE_PATH: u16 = 0x7075;
/// Linux's PATH_MAX, as for any path in an image.
const LONGEST_NAME: usize = 4096;
/// No stream of RFC 1951 unpacks to more: 258 bytes by two bits, and 8 times 129 is 1,032.
const DEFLATE_RATIO: u64 = 1032;

/// Bits of the general purpose flags (4.4.4).
mod flag {
    pub(super) const ENCRYPTED: u16 = 1 << 0 | 1 << 6 | 1 << 13;
    pub(super) const DESCRIPTOR: u16 = 1 << 3;
    pub(super) const PATCH: u16 = 1 << 5;
    pub(super) const UTF8: u16 = 1 << 11;
    /// What only says how hard the packer tried.
    pub(super) const EFFORT: u16 = 1 << 1 | 1 << 2;
}

/// What a wheel holds.
#[derive(Debug)]
pub(super) struct Listing {
    /// The files, in the order of the directory.
    pub(super) members: Vec<Member>,
    /// The first parts of all paths, those of directories included, in that order, each once.
    pub(super) roots: Vec<String>,
}

/// What both of a member's headers say.
#[derive(Debug, PartialEq, Eq)]
struct Header {
    flags: u16,
    method: u16,
    crc32: u32,
    packed_size: u64,
    size: u64,
}

/// A record of the central directory (4.3.12).
struct Central<'a> {
    header: Header,
    name: &'a [u8],
    attributes: u32,
    offset: u64,
}

/// Lists the members of a wheel.
pub(super) fn list(bytes: &dyn ReadAt, size: u64, limits: &Limits) -> Result<Listing, WheelFault> {
    let place = directory::find(bytes, size, limits)?;
    let records = directory::read(bytes, place.offset, place.size)?;
    let mut fields = Fields(&records);
    let mut names = HashSet::new();
    let mut known_roots = HashSet::new();
    let mut roots = Vec::new();
    let mut members = Vec::new();
    let mut taken = Vec::new();
    for _ in 0..place.members {
        let central = central(&mut fields)?;
        let name = name(&central)?;
        let method = method(&central, name)?;
        let data_offset = local(bytes, &central, name, &place)?;
        if !names.insert(name) {
            return Err(WheelFault::Duplicate(name.to_owned()));
        }
        let root = name.split('/').next().unwrap_or(name);
        if known_roots.insert(root) {
            roots.push(root.to_owned());
        }
        let end = data_offset.checked_add(central.header.packed_size);
        let end = end.filter(|end| *end <= place.offset).ok_or_else(|| cut_off(name))?;
        taken.push((central.offset..end, name));
        // Directories are made for what is in them, and empty ones are not made: as pip does it.
        if !name.ends_with('/') {
            members.push(member(&central, name, method, data_offset));
        }
    }
    if !fields.0.is_empty() {
        return Err(WheelFault::BadDirectory("there is more in it than it announces"));
    }
    check_overlap(taken)?;
    check_sizes(&members, size, limits)?;
    Ok(Listing { members, roots })
}

fn central<'a>(fields: &mut Fields<'a>) -> Result<Central<'a>, WheelFault> {
    let cut_off = || WheelFault::BadDirectory("a record is cut off");
    if fields.u32().ok_or_else(cut_off)? != CENTRAL {
        return Err(WheelFault::BadDirectory("something else is where a record must be"));
    }
    let (mut central, disk, extra) = parse_central(fields).ok_or_else(cut_off)?;
    let wide = [
        u64::from(WIDE) == central.header.size,
        u64::from(WIDE) == central.header.packed_size,
        u64::from(WIDE) == central.offset,
    ];
    let places = [&mut central.header.size, &mut central.header.packed_size, &mut central.offset];
    widen(extra, wide, places, central.name)?;
    // 0xffff leaves it to the zip64 field, and there are no parts (see the end record).
    if disk != 0 && disk != 0xffff {
        return Err(WheelFault::BadDirectory("a member is in another part"));
    }
    Ok(central)
}

fn parse_central<'a>(fields: &mut Fields<'a>) -> Option<(Central<'a>, u16, &'a [u8])> {
    let _versions = fields.u32()?;
    let header = Header::parse(fields)?;
    let name_length = fields.u16()?;
    let extra_length = fields.u16()?;
    let comment_length = fields.u16()?;
    let disk = fields.u16()?;
    let _internal = fields.u16()?;
    let attributes = fields.u32()?;
    let offset = fields.u32()?.into();
    let name = fields.bytes(name_length.into())?;
    let extra = fields.bytes(extra_length.into())?;
    fields.bytes(comment_length.into())?;
    Some((Central { header, name, attributes, offset }, disk, extra))
}

impl Header {
    /// The fields that both headers have, in the same order.
    fn parse(fields: &mut Fields<'_>) -> Option<Header> {
        let flags = fields.u16()?;
        let method = fields.u16()?;
        let _time_and_date = fields.u32()?;
        let crc32 = fields.u32()?;
        let packed_size = fields.u32()?.into();
        let size = fields.u32()?.into();
        Some(Header { flags, method, crc32, packed_size, size })
    }
}

/// Reads the extra fields (4.5): those numbers that are too wide for a header are in the zip64
/// field, in this order, and no others are (4.5.3).
fn widen<const N: usize>(
    extra: &[u8],
    wide: [bool; N],
    places: [&mut u64; N],
    name: &[u8],
) -> Result<(), WheelFault> {
    let damaged = |why| WheelFault::Damaged { member: shown(name), why };
    let mut extra = Fields(extra);
    let mut zip64 = None;
    while extra.0.len() >= 4 {
        let field = (extra.u16(), extra.u16());
        let (Some(id), Some(length)) = field else { break };
        let field =
            extra.bytes(length.into()).ok_or_else(|| damaged("an extra field is cut off"))?;
        match id {
            ZIP64 if zip64.is_some() => return Err(damaged("it has two zip64 fields")),
            ZIP64 => zip64 = Some(Fields(field)),
            // A version, the CRC of the name in the header, and the name to use instead.
            UNICODE_PATH if field.get(5..) != Some(name) => {
                return Err(damaged("it has two names"));
            }
            _ => {}
        }
    }
    for (wide, place) in wide.into_iter().zip(places) {
        if wide && let Some(zip64) = &mut zip64 {
            *place = zip64.u64().ok_or_else(|| damaged("its zip64 field is cut off"))?;
        }
    }
    Ok(())
}

fn name<'a>(central: &Central<'a>) -> Result<&'a str, WheelFault> {
    let bad = |why| WheelFault::BadName { member: shown(central.name), why };
    let bytes = central.name;
    let name = std::str::from_utf8(bytes).map_err(|_| bad("has a name that is not UTF-8"))?;
    // Without the flag it is code page 437 (appendix D), and Python would make other letters of it.
    if !name.is_ascii() && central.header.flags & flag::UTF8 == 0 {
        return Err(bad("has a name that is not marked as UTF-8"));
    }
    if name.trim_end_matches('/').is_empty() {
        return Err(bad("has no name"));
    }
    if name.len() > LONGEST_NAME {
        return Err(bad("has a name that is longer than any path (4096 bytes)"));
    }
    if name.starts_with('/') {
        return Err(bad("has an absolute path"));
    }
    if name.split('/').any(|part| part == "..") {
        return Err(bad("has a `..` in its path"));
    }
    if name.contains('\\') {
        return Err(bad("has a backslash in its path"));
    }
    // A NUL is no path's, and a line end makes RECORD ambiguous. None has a place in a module's name.
    if name.contains(char::is_control) {
        return Err(bad("has a control character in its name"));
    }
    Ok(name)
}

fn method(central: &Central<'_>, name: &str) -> Result<Method, WheelFault> {
    let header = &central.header;
    if header.flags & flag::ENCRYPTED != 0 {
        return Err(WheelFault::Encrypted(name.to_owned()));
    }
    let unknown = |method: String| Err(WheelFault::Method { member: name.to_owned(), method });
    if header.flags & flag::PATCH != 0 {
        return unknown("a patch".to_owned());
    }
    match header.method {
        0 if header.size != header.packed_size => Err(WheelFault::Damaged {
            member: name.to_owned(),
            why: "it is stored in another size",
        }),
        0 => Ok(Method::Stored),
        // No stream at all, as some packers leave empty files.
        8 if header.size == 0 && header.packed_size == 0 => Ok(Method::Stored),
        8 if header.size / DEFLATE_RATIO > header.packed_size => Err(WheelFault::Damaged {
            member: name.to_owned(),
            why: "no compressed bytes can become so many",
        }),
        8 => Ok(Method::Deflated),
        93 => Ok(Method::Zstandard),
        9 => unknown("Deflate64".to_owned()),
        12 => unknown("bzip2".to_owned()),
        14 => unknown("LZMA".to_owned()),
        95 => unknown("xz".to_owned()),
        other => unknown(format!("method {other}")),
    }
}

/// Compares a member's own header (4.3.7) with the directory's, and gives where its bytes start.
fn local(
    bytes: &dyn ReadAt,
    central: &Central<'_>,
    name: &str,
    place: &Place,
) -> Result<u64, WheelFault> {
    let disagreement = |what| WheelFault::Disagreement { member: name.to_owned(), what };
    let length = LOCAL_SIZE + central.name.len() as u64;
    let behind_name = central.offset.checked_add(length);
    let behind_name =
        behind_name.filter(|end| *end <= place.offset).ok_or_else(|| cut_off(name))?;
    let record = directory::read(bytes, central.offset, length)?;
    let mut fields = Fields(&record);
    if fields.u32() != Some(LOCAL) {
        return Err(disagreement("place"));
    }
    let _version = fields.u16();
    let header = Header::parse(&mut fields).ok_or_else(|| cut_off(name))?;
    let name_length = fields.u16();
    let extra_length = u64::from(fields.u16().ok_or_else(|| cut_off(name))?);
    if name_length.map(usize::from) != Some(central.name.len()) || fields.0 != central.name {
        return Err(disagreement("name"));
    }
    let data_offset = behind_name + extra_length;
    if data_offset > place.offset {
        return Err(cut_off(name));
    }
    let extra = directory::read(bytes, behind_name, extra_length)?;
    let header = widened(header, &extra, central.name)?;
    match header.differs_from(&central.header) {
        Some(what) => Err(disagreement(what)),
        None => Ok(data_offset),
    }
}

fn widened(mut header: Header, extra: &[u8], name: &[u8]) -> Result<Header, WheelFault> {
    let wide = [header.size == u64::from(WIDE), header.packed_size == u64::from(WIDE)];
    widen(extra, wide, [&mut header.size, &mut header.packed_size], name)?;
    Ok(header)
}

impl Header {
    /// In what a local header differs from the central one. With a data descriptor it may leave
    /// open what was not known when it was written (4.4.4, bit 3).
    fn differs_from(&self, central: &Header) -> Option<&'static str> {
        let open = self.flags & flag::DESCRIPTOR != 0;
        let same = |local: u64, central: u64| local == central || open && local == 0;
        if (self.flags ^ central.flags) & !flag::EFFORT != 0 {
            Some("set of flags")
        } else if self.method != central.method {
            Some("compression")
        } else if !same(self.crc32.into(), central.crc32.into()) {
            Some("checksum")
        } else if !same(self.packed_size, central.packed_size) || !same(self.size, central.size) {
            Some("size")
        } else {
            None
        }
    }
}

fn member(central: &Central<'_>, name: &str, method: Method, data_offset: u64) -> Member {
    let Header { crc32, packed_size, size, .. } = central.header;
    // As pip's `zip_item_is_executable` asks: whatever packed it, and links are no files.
    let mode = central.attributes >> 16;
    let executable = mode & 0o170_000 == 0o100_000 && mode & 0o111 != 0;
    Member { name: name.to_owned(), method, crc32, size, packed_size, data_offset, executable }
}

fn check_overlap(mut taken: Vec<(Range<u64>, &str)>) -> Result<(), WheelFault> {
    taken.sort_by_key(|(range, _)| range.start);
    match taken.windows(2).find(|pair| pair[0].0.end > pair[1].0.start) {
        Some(pair) => Err(WheelFault::Overlap(pair[0].1.to_owned(), pair[1].1.to_owned())),
        None => Ok(()),
    }
}

fn check_sizes(members: &[Member], size: u64, limits: &Limits) -> Result<(), WheelFault> {
    let too_much = |what, allowed| Err(WheelFault::TooMuch { what, allowed });
    if members.iter().any(|member| member.size > limits.file) {
        return too_much(WheelLimit::File, limits.file);
    }
    // The sum cannot overflow: there are at most 2^32 members of at most 2^34 bytes.
    let total: u64 = members.iter().map(|member| member.size).sum();
    if total > limits.total {
        return too_much(WheelLimit::Total, limits.total);
    }
    if total > Limits::RATIO_FREE && total / size.max(1) > limits.ratio {
        return too_much(WheelLimit::Ratio, limits.ratio);
    }
    Ok(())
}

fn cut_off(name: &str) -> WheelFault {
    WheelFault::Damaged { member: name.to_owned(), why: "it is cut off" }
}

fn shown(name: &[u8]) -> String {
    printable(&String::from_utf8_lossy(name))
}
