//! The cache's format `glibc-ld.so.cache1.1` (the GNU C library's `dl-cache.h`).

use std::cmp::Ordering;
use std::collections::BTreeSet;

use bstr::BString;

use super::installed::Installed;
use super::order;
use super::strings::Strings;
use crate::native::elf::ByteOrder;

pub(super) const MAGIC: &[u8] = b"glibc-ld.so.cache1.1";
pub(super) const HEADER: usize = 48;
pub(super) const ENTRY: usize = 24;
/// What is behind the strings begins with this.
pub(super) const EXTENSIONS: u32 = 0xeaa4_2174;
/// The words that name the program.
pub(super) const GENERATOR: u32 = 0;
/// The names of directories in `glibc-hwcaps`.
pub(super) const SUBDIRECTORIES: u32 = 1;
/// Marks an entry of such a directory, whose number is in the lower half.
pub(super) const IN_SUBDIRECTORY: u64 = 1 << 62;

/// All that goes into a cache.
pub(super) struct Found {
    /// In the order in which they were found.
    pub(super) entries: Vec<Cached>,
    /// All names seen in `glibc-hwcaps`.
    pub(super) subdirectories: Vec<BString>,
}

/// A library in the cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cached {
    /// The name that programs ask for.
    pub(super) library: BString,
    /// Where it is.
    pub(super) path: BString,
    /// What kind of library it is.
    pub(super) flags: u32,
    /// The level of the instruction set that it needs.
    pub(super) isa_level: u32,
    /// The capabilities that its directory is named for.
    pub(super) capabilities: u64,
    /// The directory of `glibc-hwcaps` that it is in.
    pub(super) subdirectory: Option<BString>,
    /// The system that it needs, in caches that say so.
    pub(super) system: u32,
}

/// The order of entries: the loader searches names backwards, and takes the first that fits.
fn compare(one: &Cached, two: &Cached) -> Ordering {
    let by_subdirectory = match (&one.subdirectory, &two.subdirectory) {
        (Some(left), Some(right)) => left.cmp(right),
        (left, right) => right.is_some().cmp(&left.is_some()),
    };
    order::names(&two.library, &one.library)
        .then_with(|| two.flags.cmp(&one.flags))
        .then(by_subdirectory)
        .then_with(|| two.capabilities.count_ones().cmp(&one.capabilities.count_ones()))
        .then_with(|| two.capabilities.cmp(&one.capabilities))
        .then_with(|| two.system.cmp(&one.system))
}

/// The cache's bytes.
pub(super) fn bytes(installed: &Installed, found: Found) -> Vec<u8> {
    let Found { mut entries, subdirectories } = found;
    entries.sort_by(compare);
    let used: BTreeSet<BString> =
        entries.iter().filter_map(|entry| entry.subdirectory.clone()).collect();
    let used: Vec<BString> = used.into_iter().collect();
    let all = entries.iter().flat_map(|entry| [entry.library.clone(), entry.path.clone()]);
    let strings = Strings::new(all.chain(subdirectories).collect());

    let strings_at = HEADER + ENTRY * entries.len();
    let extensions_at = (strings_at + strings.bytes.len()).next_multiple_of(4);
    let mut writer = Writer { order: installed.byte_order, bytes: MAGIC.to_vec() };
    writer.word(number(entries.len()));
    writer.word(number(strings.bytes.len()));
    writer.bytes.extend([byte_order_mark(installed.byte_order), 0, 0, 0]);
    writer.word(number(extensions_at));
    writer.bytes.resize(HEADER, 0);
    let place = |string: &BString| number(strings_at).saturating_add(strings.place(string));
    for entry in &entries {
        writer.word(entry.flags);
        writer.word(place(&entry.library));
        writer.word(place(&entry.path));
        writer.word(entry.system);
        writer.long(capabilities(entry, &used));
    }
    writer.bytes.extend_from_slice(&strings.bytes);
    writer.bytes.resize(extensions_at, 0);
    let used: Vec<u32> = used.iter().map(place).collect();
    writer.extensions(&installed.generator, &used);
    writer.bytes
}

pub(super) fn byte_order_mark(order: ByteOrder) -> u8 {
    match order {
        ByteOrder::Little => 2,
        ByteOrder::Big => 3,
    }
}

fn capabilities(entry: &Cached, used: &[BString]) -> u64 {
    let Some(subdirectory) = &entry.subdirectory else { return entry.capabilities };
    let index = used.binary_search(subdirectory).unwrap_or_default();
    IN_SUBDIRECTORY | u64::from(entry.isa_level) << 32 | index as u64
}

/// Offsets are of 32 bits. All that is held is bounded far below.
fn number(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

struct Writer {
    order: ByteOrder,
    bytes: Vec<u8>,
}

impl Writer {
    fn word(&mut self, number: u32) {
        self.bytes.extend_from_slice(&match self.order {
            ByteOrder::Little => number.to_le_bytes(),
            ByteOrder::Big => number.to_be_bytes(),
        });
    }

    fn long(&mut self, number: u64) {
        self.bytes.extend_from_slice(&match self.order {
            ByteOrder::Little => number.to_le_bytes(),
            ByteOrder::Big => number.to_be_bytes(),
        });
    }

    /// A table of sections, then the sections: subdirectories, and behind them the generator.
    fn extensions(&mut self, generator: &BString, subdirectories: &[u32]) {
        let count = if subdirectories.is_empty() { 1 } else { 2 };
        let begin = self.bytes.len() + 8 + 16 * count;
        let size = 4 * subdirectories.len();
        self.word(EXTENSIONS);
        self.word(number(count));
        for number in [GENERATOR, 0, number(begin + size), number(generator.len())] {
            self.word(number);
        }
        if !subdirectories.is_empty() {
            for number in [SUBDIRECTORIES, 0, number(begin), number(size)] {
                self.word(number);
            }
        }
        for place in subdirectories {
            self.word(*place);
        }
        self.bytes.extend_from_slice(generator);
    }
}
