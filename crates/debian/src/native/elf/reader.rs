//! An ELF file's content as it passes: in order, once, and little of it is kept.
//!
//! The header and the table of segments stand at the beginning; they say where all else is. Names
//! stand in a string table that usually comes long before the dynamic section which says which of
//! them count, so what could be strings is kept until that is known.

use super::tables::{self, Kept, Range, Segment};
use super::{Elf, Linking};

/// Bytes at the beginning in which the table of segments has to end.
const HEAD: u64 = 64 << 10;
/// Bytes that are kept of one file: symbol and string tables of the largest libraries have less.
const MOST_KEPT: u64 = 16 << 20;
/// Bytes of a dynamic section.
const LARGEST_DYNAMIC: u64 = 1 << 20;
/// Bytes of a note.
const LARGEST_NOTE: u64 = 64 << 10;
/// Bytes of names that come behind the dynamic section.
const MOST_NAMES: u64 = 1 << 20;
/// Bytes of one name.
pub(super) const LONGEST_NAME: u64 = 4096;

/// Reads an ELF file that is given piece by piece.
#[derive(Debug)]
pub struct ElfReader {
    /// How much has passed.
    position: u64,
    stage: Stage,
    kept: Kept,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first bytes, which tell whether it is one.
    Magic,
    /// Up to where segments are known.
    Head,
    /// Up to where the dynamic section ends.
    Dynamic { end: u64 },
    /// What is wanted is known.
    Rest,
    /// It is no ELF file.
    Nothing,
}

impl Default for ElfReader {
    fn default() -> Self {
        let kept = Kept { ranges: vec![Range { start: 0, end: HEAD, bytes: Vec::new() }] };
        ElfReader { position: 0, stage: Stage::Magic, kept }
    }
}

impl ElfReader {
    /// The next bytes of the content.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut bytes = bytes;
        while !bytes.is_empty() && self.stage != Stage::Nothing {
            let left = self.stage.end().saturating_sub(self.position);
            let length = usize::try_from(left).map_or(bytes.len(), |left| left.min(bytes.len()));
            let (now, later) = bytes.split_at(length);
            self.kept.keep(self.position, now);
            self.position += now.len() as u64;
            bytes = later;
            if self.position >= self.stage.end() {
                self.advance();
            }
        }
    }

    /// Whether no further byte can tell more.
    pub fn is_done(&self) -> bool {
        self.stage == Stage::Nothing
    }

    /// What the file is, now that it has ended; `None` if it is no ELF file.
    pub fn finish(self) -> Option<Elf> {
        match self.stage {
            Stage::Magic | Stage::Nothing => None,
            _ => tables::read(&self.kept, self.position),
        }
    }

    fn advance(&mut self) {
        self.stage = match self.stage {
            Stage::Magic => match self.kept.at(0, 4) {
                Some(b"\x7fELF") => Stage::Head,
                _ => Stage::Nothing,
            },
            Stage::Head => self.want_tables(),
            Stage::Dynamic { .. } => {
                self.want_names();
                Stage::Rest
            }
            settled => settled,
        };
    }

    /// Decides what to keep, now that the segments are known.
    fn want_tables(&mut self) -> Stage {
        let Some(header) = tables::Header::read(&self.kept) else { return Stage::Nothing };
        let Some(segments) = header.segments(&self.kept) else { return Stage::Rest };
        let mut room = MOST_KEPT;
        let mut wanted = Vec::new();
        for most in [LARGEST_DYNAMIC, LARGEST_NOTE, MOST_KEPT] {
            for segment in segments.iter().filter(|segment| most_of(segment) == Some(most)) {
                let length = segment.size.min(most).min(room);
                room -= length;
                wanted.push((segment.offset, segment.offset.saturating_add(length)));
            }
        }
        for (start, end) in wanted.into_iter().filter(|(_, end)| *end > HEAD) {
            self.want(start, end);
        }
        let ends = segments.iter().filter(|segment| segment.is_dynamic()).map(Segment::end);
        match ends.max() {
            Some(end) => Stage::Dynamic { end: end.max(self.position) },
            None => Stage::Rest,
        }
    }

    /// Decides which names to keep, now that the dynamic section is known.
    fn want_names(&mut self) {
        let places = tables::names(&self.kept);
        let missing = places.into_iter().filter(|place| *place >= self.position);
        let Some(first) = missing.clone().min() else { return };
        let last = missing.max().unwrap_or(first).saturating_add(LONGEST_NAME);
        self.want(first, last.min(first.saturating_add(MOST_NAMES)));
    }

    /// From now on keeps what stands there, together with what the head has of it.
    fn want(&mut self, start: u64, end: u64) {
        let bytes = match self.position.checked_sub(start) {
            Some(length) => self.kept.at(start, length).map(<[u8]>::to_vec),
            None => Some(Vec::new()),
        };
        if let Some(bytes) = bytes {
            self.kept.ranges.push(Range { start, end, bytes });
        }
    }
}

impl Stage {
    /// Where something is to be decided.
    fn end(self) -> u64 {
        match self {
            Stage::Magic => 4,
            Stage::Head => HEAD,
            Stage::Dynamic { end } => end,
            Stage::Rest | Stage::Nothing => u64::MAX,
        }
    }
}

/// How much of a segment is worth keeping; code is not, unless it shares a segment with tables.
fn most_of(segment: &Segment) -> Option<u64> {
    if segment.is_dynamic() {
        return Some(LARGEST_DYNAMIC);
    }
    if segment.is_note() {
        return Some(LARGEST_NOTE);
    }
    (segment.is_loaded() && (segment.offset == 0 || !segment.is_executable())).then_some(MOST_KEPT)
}

impl Linking {
    /// What there is to say of a table that was not kept.
    pub(super) fn missing(end: u64, size: u64) -> Linking {
        if end > size { Linking::Truncated } else { Linking::Unread }
    }
}
