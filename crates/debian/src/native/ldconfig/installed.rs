//! The image's own `ldconfig`, which is never run, but says of itself what is to be known.

use std::sync::Arc;

use bstr::{BString, ByteSlice};
use shell::files::FileError;
use shell::{Process, Reason, Stop};

use super::architecture::Architecture;
use crate::native::elf::{ByteOrder, Elf};

/// Directories that are built in at most.
const MOST_DIRECTORIES: usize = 16;

/// What is known of the image's program.
#[derive(Debug)]
pub(super) struct Installed {
    /// The words that it puts into the cache:
    /// `ldconfig (Debian GLIBC 2.36-9+deb12u14) stable release version 2.36`.
    pub(super) generator: BString,
    /// The release of the C library: 36 for 2.36.
    pub(super) release: u32,
    /// The standard directories, in order.
    pub(super) directories: Vec<BString>,
    /// What it makes of libraries.
    pub(super) architecture: &'static Architecture,
    /// How it writes numbers.
    pub(super) byte_order: ByteOrder,
}

/// What libraries are that need no C library by name, where the machine does not decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unnamed {
    /// They have a mark of their own.
    Marked,
    /// They are marked as all others.
    Usual,
    /// One of the two.
    Unknown,
}

/// The bytes of the program's file; `None` if it is a script.
pub(super) fn bytes(process: &mut Process<'_, '_>) -> Result<Option<Arc<[u8]>>, Stop> {
    let path = [b"/".as_slice(), process.program.as_bytes()].concat();
    let bytes = match process.open_bytes(&path) {
        Ok(bytes) => bytes,
        Err(FileError::Stop(stop)) => return Err(stop),
        Err(FileError::Errno(errno)) => return Err(process.refuse(Reason::Use(errno.to_string()))),
    };
    Ok(if bytes.starts_with(b"#!") { None } else { Some(bytes) })
}

impl Installed {
    /// Reads a program.
    ///
    /// # Errors
    /// A refusal of one that is not the GNU C library's, or of a release that is not known.
    pub(super) fn read(process: &Process<'_, '_>, program: &[u8]) -> Result<Self, Stop> {
        let refuse = |what: &str| process.refuse(Reason::Use(what.to_owned()));
        let elf = Elf::of(program).ok_or_else(|| refuse("is not that of the GNU C library"))?;
        let architecture = Architecture::of(&elf)
            .ok_or_else(|| refuse("is for a machine whose libraries are not known"))?;
        let generator = generator(program)
            .ok_or_else(|| refuse("is not that of the GNU C library: it has no version"))?;
        let release = release(&generator)
            .filter(|release| RELEASES.contains(release))
            .ok_or_else(|| refuse(&format!("writes a cache that is not known: {generator}")))?;
        let directories = directories(program)
            .ok_or_else(|| refuse("has standard directories that are not known"))?;
        let byte_order = elf.byte_order;
        Ok(Installed { generator, release, directories, architecture, byte_order })
    }

    /// Whether libraries in directories named for a capability are cached; 2.37 ended that.
    pub(super) fn has_capability_directories(&self) -> bool {
        self.release < 37
    }

    /// Whether the cache says which system a library needs; 2.36 ended that.
    pub(super) fn has_systems(&self) -> bool {
        self.release < 36
    }

    /// What libraries are in the cache that need no C library by name; 2.41 has no mark for them.
    pub(super) fn unnamed(&self) -> Unnamed {
        match self.release {
            ..37 => Unnamed::Marked,
            37..41 => Unnamed::Unknown,
            41.. => Unnamed::Usual,
        }
    }

    /// Whether the files that package managers are just unpacking are passed over; 2.39 began that.
    pub(super) fn skips_temporary_files(&self) -> bool {
        self.release >= 39
    }
}

/// The releases whose cache is known: all that have `glibc-hwcaps`.
const RELEASES: std::ops::RangeInclusive<u32> = 33..=42;

fn generator(program: &[u8]) -> Option<BString> {
    let middle = program.find(b" release version ")?;
    let begin = program[..middle].rfind_byte(0)? + 1;
    let end = middle + program[middle..].find_byte(0)?;
    let text = &program[begin..end];
    (text.starts_with(b"ldconfig ") && text.len() < 256).then(|| text.into())
}

fn release(generator: &BString) -> Option<u32> {
    let (_, version) = generator.rsplit_once_str(" release version 2.")?;
    let digits = version.split(|byte| !byte.is_ascii_digit()).next()?;
    digits.to_str().ok()?.parse().ok()
}

/// The directories stand one after the other, each with a slash at its end.
fn directories(program: &[u8]) -> Option<Vec<BString>> {
    const LAST: &[u8] = b"\0/lib/\0/usr/lib/\0";
    let at = program.find(LAST)?;
    let mut found = vec![BString::from("/usr/lib/"), BString::from("/lib/")];
    let mut before = &program[..at];
    while found.len() < MOST_DIRECTORIES {
        let begin = before.rfind_byte(0).map_or(0, |at| at + 1);
        let text = &before[begin..];
        // What is before the first need not end with a NUL.
        let pair = found.last().and_then(|last| last.strip_prefix(b"/usr")).map(BString::from);
        if let Some(first) = pair.filter(|pair| text.ends_with(pair)) {
            found.push(first);
            break;
        }
        if !(text.starts_with(b"/") && text.ends_with(b"/") && text.len() > 1) {
            break;
        }
        found.push(text.into());
        before = &before[..begin.saturating_sub(1)];
    }
    found.reverse();
    Some(found)
}
