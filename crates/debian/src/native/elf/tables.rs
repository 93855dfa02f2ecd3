//! The header, the segments, the notes and the dynamic section of an ELF file.

use bstr::{BString, ByteSlice};

use super::reader::LONGEST_NAME;
use super::{ByteOrder, Class, Elf, Linking};

const LOAD: u32 = 1;
const DYNAMIC: u32 = 2;
const INTERPRETER: u32 = 3;
const NOTE: u32 = 4;
const GNU_PROPERTY: u32 = 0x6474_e553;

const NEEDED: u64 = 1;
const STRING_TABLE: u64 = 5;
const SONAME: u64 = 14;

const NOTE_ABI_TAG: u32 = 1;
const NOTE_PROPERTIES: u32 = 5;
const PROPERTY_ISA_NEEDED: u32 = 0xc000_8002;

/// Names of needed libraries that are kept.
const MOST_NEEDED: usize = 1024;

/// What is kept of a file: some ranges of its bytes.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) ranges: Vec<Range>,
}

/// A range of a file, and what is there of it so far.
#[derive(Debug)]
pub(super) struct Range {
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) bytes: Vec<u8>,
}

impl Kept {
    /// Keeps what is wanted of bytes that stand at `position`.
    pub(super) fn keep(&mut self, position: u64, bytes: &[u8]) {
        let end = position + bytes.len() as u64;
        for range in &mut self.ranges {
            let (from, to) = (range.start.max(position), range.end.min(end));
            if from < to {
                range.bytes.extend_from_slice(&bytes[index(from - position)..index(to - position)]);
            }
        }
    }

    /// Bytes of the file, if they are kept.
    pub(super) fn at(&self, offset: u64, length: u64) -> Option<&[u8]> {
        self.ranges.iter().find_map(|range| {
            let from = offset.checked_sub(range.start)?;
            let to = from.checked_add(length)?;
            range.bytes.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)
        })
    }

    /// The string that begins there and ends with a NUL.
    fn string(&self, offset: u64) -> Option<BString> {
        self.ranges.iter().find_map(|range| {
            let from = usize::try_from(offset.checked_sub(range.start)?).ok()?;
            let text = range.bytes.get(from..)?;
            let text = &text[..text.len().min(index(LONGEST_NAME))];
            text.find_byte(0).map(|end| BString::from(&text[..end]))
        })
    }
}

/// The first bytes of a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Header {
    pub(super) class: Class,
    pub(super) byte_order: ByteOrder,
    kind: u16,
    machine: u16,
    flags: u32,
    segments_at: u64,
    segments: u16,
}

/// An entry of the program header table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Segment {
    kind: u32,
    flags: u32,
    pub(super) offset: u64,
    address: u64,
    pub(super) size: u64,
    align: u64,
}

impl Segment {
    pub(super) fn is_loaded(&self) -> bool {
        self.kind == LOAD
    }

    pub(super) fn is_executable(&self) -> bool {
        self.flags & 1 != 0
    }

    pub(super) fn is_dynamic(&self) -> bool {
        self.kind == DYNAMIC
    }

    pub(super) fn is_note(&self) -> bool {
        [INTERPRETER, NOTE, GNU_PROPERTY].contains(&self.kind)
    }

    pub(super) fn end(&self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

impl Header {
    /// The header, if the bytes begin with one.
    pub(super) fn read(kept: &Kept) -> Option<Header> {
        let identity = kept.at(0, 16)?;
        if !identity.starts_with(b"\x7fELF") {
            return None;
        }
        let class = match identity[4] {
            1 => Class::Bits32,
            2 => Class::Bits64,
            _ => return None,
        };
        let byte_order = match identity[5] {
            1 => ByteOrder::Little,
            2 => ByteOrder::Big,
            _ => return None,
        };
        let rest = match class {
            Class::Bits32 => kept.at(16, 36)?,
            Class::Bits64 => kept.at(16, 48)?,
        };
        let mut fields = Fields { class, byte_order, bytes: rest };
        let (kind, machine, _version) = (fields.half()?, fields.half()?, fields.word()?);
        let (_entry, segments_at, _sections) =
            (fields.address()?, fields.address()?, fields.address()?);
        let flags = fields.word()?;
        let (_size, _entry_size, segments) = (fields.half()?, fields.half()?, fields.half()?);
        Some(Header { class, byte_order, kind, machine, flags, segments_at, segments })
    }

    /// The table of segments, if it is kept.
    pub(super) fn segments(&self, kept: &Kept) -> Option<Vec<Segment>> {
        let bytes = kept.at(self.segments_at, self.segments_length())?;
        let mut fields = self.fields(bytes);
        (0..self.segments).map(|_| fields.segment()).collect()
    }

    fn segments_length(&self) -> u64 {
        let each = match self.class {
            Class::Bits32 => 32,
            Class::Bits64 => 56,
        };
        u64::from(self.segments) * each
    }

    fn fields<'a>(&self, bytes: &'a [u8]) -> Fields<'a> {
        Fields { class: self.class, byte_order: self.byte_order, bytes }
    }

    /// The bytes of one number of an address's size.
    fn address_size(&self) -> u64 {
        match self.class {
            Class::Bits32 => 4,
            Class::Bits64 => 8,
        }
    }
}

/// Numbers, one after the other.
struct Fields<'a> {
    class: Class,
    byte_order: ByteOrder,
    bytes: &'a [u8],
}

impl Fields<'_> {
    fn number<const LENGTH: usize>(&mut self) -> Option<u64> {
        let (bytes, rest) = self.bytes.split_first_chunk::<LENGTH>()?;
        self.bytes = rest;
        let join = |number: u64, byte: &u8| number << 8 | u64::from(*byte);
        Some(match self.byte_order {
            ByteOrder::Little => bytes.iter().rev().fold(0, join),
            ByteOrder::Big => bytes.iter().fold(0, join),
        })
    }

    fn half(&mut self) -> Option<u16> {
        self.number::<2>().map(|number| number as u16)
    }

    fn word(&mut self) -> Option<u32> {
        self.number::<4>().map(|number| number as u32)
    }

    fn address(&mut self) -> Option<u64> {
        match self.class {
            Class::Bits32 => self.number::<4>(),
            Class::Bits64 => self.number::<8>(),
        }
    }

    fn segment(&mut self) -> Option<Segment> {
        let kind = self.word()?;
        let mut flags = 0;
        if self.class == Class::Bits64 {
            flags = self.word()?;
        }
        let (offset, address, _physical) = (self.address()?, self.address()?, self.address()?);
        let (size, _memory) = (self.address()?, self.address()?);
        if self.class == Class::Bits32 {
            flags = self.word()?;
        }
        let align = self.address()?;
        Some(Segment { kind, flags, offset, address, size, align })
    }
}

/// What the kept ranges of a file of `size` bytes tell.
pub(super) fn read(kept: &Kept, size: u64) -> Option<Elf> {
    let header = Header::read(kept)?;
    let Header { class, byte_order, kind, machine, flags, .. } = header;
    let mut elf = Elf {
        class,
        byte_order,
        kind,
        machine,
        flags,
        interpreter: None,
        system: None,
        isa_needed: 0,
        linking: Linking::Static,
    };
    let Some(segments) = header.segments(kept) else {
        let end = header.segments_at.saturating_add(header.segments_length());
        elf.linking = Linking::missing(end, size);
        return Some(elf);
    };
    for segment in &segments {
        match segment.kind {
            INTERPRETER => elf.interpreter = kept.string(segment.offset).or(elf.interpreter),
            NOTE => elf.system = elf.system.or_else(|| system(kept, &header, segment)),
            GNU_PROPERTY => {
                elf.isa_needed = isa_needed(kept, &header, segment).unwrap_or(elf.isa_needed);
            }
            _ => {}
        }
    }
    elf.linking = linking(kept, &header, &segments, size);
    Some(elf)
}

fn linking(kept: &Kept, header: &Header, segments: &[Segment], size: u64) -> Linking {
    let dynamic = segments.iter().rfind(|segment| segment.is_dynamic() && segment.size != 0);
    let Some(dynamic) = dynamic else { return Linking::Static };
    let Some(entries) = entries(kept, header, dynamic) else {
        return Linking::missing(dynamic.end(), size);
    };
    let Some(table) = string_table(&entries, segments) else { return Linking::Static };
    let mut soname = None;
    let mut needed = Vec::new();
    for (tag, value) in entries {
        if !matches!(tag, NEEDED | SONAME) {
            continue;
        }
        let at = table.wrapping_add(value);
        let Some(name) = kept.string(at) else { return Linking::missing(at, size) };
        match tag {
            SONAME => soname = soname.or(Some(name)),
            _ if needed.len() < MOST_NEEDED => needed.push(name),
            _ => {}
        }
    }
    Linking::Dynamic { soname, needed }
}

/// Where the names stand that a file's dynamic section speaks of.
pub(super) fn names(kept: &Kept) -> Vec<u64> {
    let all = || {
        let header = Header::read(kept)?;
        let segments = header.segments(kept)?;
        let dynamic = segments.iter().rfind(|segment| segment.is_dynamic() && segment.size != 0)?;
        let entries = entries(kept, &header, dynamic)?;
        let table = string_table(&entries, &segments)?;
        let named = entries.into_iter().filter(|(tag, _)| matches!(*tag, NEEDED | SONAME));
        Some(named.map(|(_, value)| table.wrapping_add(value)).collect())
    };
    all().unwrap_or_default()
}

/// The entries of the dynamic section, up to its end mark.
fn entries(kept: &Kept, header: &Header, dynamic: &Segment) -> Option<Vec<(u64, u64)>> {
    let mut fields = header.fields(kept.at(dynamic.offset, dynamic.size)?);
    let mut entries = Vec::new();
    while let (Some(tag), Some(value)) = (fields.address(), fields.address()) {
        if tag == 0 {
            break;
        }
        entries.push((tag, value));
    }
    Some(entries)
}

/// Where the string table is in the file: its address, as the segment has it that holds it.
fn string_table(entries: &[(u64, u64)], segments: &[Segment]) -> Option<u64> {
    let (_, address) = entries.iter().find(|(tag, _)| *tag == STRING_TABLE)?;
    let holds = |segment: &&Segment| {
        segment.is_loaded()
            && address.checked_sub(segment.address).is_some_and(|within| within < segment.size)
    };
    Some(match segments.iter().find(holds) {
        Some(segment) => (address - segment.address).wrapping_add(segment.offset),
        None => *address,
    })
}

/// The descriptor of the first GNU note of this kind in a segment.
fn note<'a>(kept: &'a Kept, header: &Header, segment: &Segment, wanted: u32) -> Option<&'a [u8]> {
    let align = segment.align.max(4);
    if !matches!(align, 4 | 8) {
        return None;
    }
    let mut bytes = kept.at(segment.offset, segment.size)?;
    loop {
        let mut fields = header.fields(bytes);
        let (name, descriptor, kind) = (fields.word()?, fields.word()?, fields.word()?);
        let begin = (12 + u64::from(name)).next_multiple_of(align);
        let end = begin + u64::from(descriptor);
        let (begin, next) = (usize::try_from(begin).ok()?, end.next_multiple_of(align));
        if kind == wanted && name == 4 && fields.bytes.starts_with(b"GNU\0") {
            return bytes.get(begin..usize::try_from(end).ok()?);
        }
        bytes = bytes.get(usize::try_from(next).ok()?..)?;
    }
}

fn system(kept: &Kept, header: &Header, segment: &Segment) -> Option<[u32; 4]> {
    let descriptor = note(kept, header, segment, NOTE_ABI_TAG)?;
    let mut fields = header.fields(descriptor);
    Some([fields.word()?, fields.word()?, fields.word()?, fields.word()?])
}

/// The value of the property; the segment has to be aligned as its class asks.
fn isa_needed(kept: &Kept, header: &Header, segment: &Segment) -> Option<u32> {
    if segment.align != header.address_size() {
        return None;
    }
    let mut bytes = note(kept, header, segment, NOTE_PROPERTIES)?;
    let mut last = 0;
    loop {
        let mut fields = header.fields(bytes);
        let (kind, length) = (fields.word()?, fields.word()?);
        if kind < last || kind > PROPERTY_ISA_NEEDED {
            return None;
        }
        if kind == PROPERTY_ISA_NEEDED {
            return if length == 4 { fields.word() } else { None };
        }
        last = kind;
        let next = 8 + u64::from(length).next_multiple_of(header.address_size());
        bytes = bytes.get(usize::try_from(next).ok()?..)?;
    }
}

/// A number that is known to be within bytes that are held.
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
