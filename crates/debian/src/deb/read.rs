//! From the bytes of a `.deb` to what is known of it, in one pass.

use std::io::Read;
use std::sync::Arc;

use layer::{ArchiveCompression, Content, Limits, TarMembers};
use oci::Digest;

use super::ar::Archive;
use super::{Deb, DebError, control, data};

/// Takes the contents of a package's files while they pass.
pub trait Sink {
    /// Takes the next bytes of a file. Empty files do not come here.
    ///
    /// # Errors
    /// Why it cannot.
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<()>;

    /// The file that was written is whole.
    ///
    /// # Errors
    /// Why it cannot be kept.
    fn end(&mut self, content: Content) -> std::io::Result<()>;
}

/// Keeps nothing.
impl Sink for () {
    fn write(&mut self, _: &[u8]) -> std::io::Result<()> {
        Ok(())
    }

    fn end(&mut self, _: Content) -> std::io::Result<()> {
        Ok(())
    }
}

/// How much a hostile package may cost. The largest of Debian have 3 GiB and 30,000 files.
pub fn limits() -> Limits {
    Limits { uncompressed: 16 << 30, entries: 1 << 20, names: 128 << 20, ..Limits::default() }
}

/// `debian-binary` is a line.
const LARGEST_FORMAT: u64 = 100;

/// Reads a package, whose digest is known, and hands the contents of its files to `sink`.
///
/// # Errors
/// What is wrong with it. Nothing of it counts then, and neither does what the sink got.
pub fn read(
    file: impl Read + Send,
    digest: Digest,
    filename: &str,
    limits: &Limits,
    sink: &mut dyn Sink,
) -> Result<Deb, DebError> {
    let mut archive = Archive::open(file)?;
    read_format(&mut archive)?;
    let name = next(&mut archive, "control.tar")?;
    let (control, control_files) = open(&mut archive, &name, "control.tar", limits, |tar| {
        control::read(TarMembers::new(tar, limits), &name)
    })?;
    let name = next(&mut archive, "data.tar")?;
    let (members, elf) = open(&mut archive, &name, "data.tar", limits, |tar| {
        data::read(TarMembers::new(tar, limits), &name, limits, sink)
    })?;
    // "Current implementations should ignore any additional members after data.tar" (deb(5)).
    Ok(Deb { digest, filename: Arc::from(filename), control, control_files, members, elf })
}

fn read_format(archive: &mut Archive<impl Read>) -> Result<(), DebError> {
    let wanted = "debian-binary";
    let found = archive.next()?.unwrap_or_else(|| "nothing".to_owned());
    if found != wanted {
        return Err(DebError::Order { wanted, found });
    }
    let mut text = Vec::new();
    let read = archive.take(LARGEST_FORMAT).read_to_end(&mut text);
    read.map_err(|error| DebError::of_io(0, error))?;
    // "Programs [...] must accept [...] newer minor numbers and lines behind the first".
    let line = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let is_known = text.contains(&b'\n')
        && line
            .strip_prefix(b"2.")
            .is_some_and(|minor| !minor.is_empty() && minor.iter().all(u8::is_ascii_digit));
    match is_known {
        true => Ok(()),
        false => Err(DebError::Format(String::from_utf8_lossy(line).escape_debug().to_string())),
    }
}

/// The member that has to come next. Those whose names begin with `_` are passed over (deb(5)).
fn next(archive: &mut Archive<impl Read>, wanted: &'static str) -> Result<String, DebError> {
    loop {
        let found = archive.next()?.unwrap_or_else(|| "nothing".to_owned());
        if found == wanted || found.strip_prefix(wanted).is_some_and(|end| end.starts_with('.')) {
            return Ok(found);
        }
        if !found.starts_with('_') {
            return Err(DebError::Order { wanted, found });
        }
    }
}

/// Has `read` go through the tar that the current member holds.
fn open<R: Read + Send, T>(
    archive: &mut Archive<R>,
    name: &str,
    kind: &'static str,
    limits: &Limits,
    read: impl FnOnce(Box<dyn Read + Send + '_>) -> Result<T, DebError>,
) -> Result<T, DebError> {
    if archive.left() == 0 {
        return Err(DebError::Truncated { offset: 0, member: name.to_owned() });
    }
    let compression = match &name[kind.len()..] {
        "" => Some(ArchiveCompression::None),
        ".gz" => Some(ArchiveCompression::Gzip),
        ".xz" => Some(ArchiveCompression::Xz),
        ".zst" => Some(ArchiveCompression::Zstd),
        ".bz2" if kind == "data.tar" => Some(ArchiveCompression::Bzip2),
        ".lzma" if kind == "data.tar" => None,
        _ => return Err(DebError::Compression(name.to_owned())),
    };
    let tar = match compression {
        Some(compression) => layer::open_archive(&mut *archive, compression, limits),
        None => layer::open_lzma(&mut *archive, limits),
    };
    let made = read(tar.map_err(|error| DebError::of_io(0, error))?)?;
    archive.finish_member()?;
    Ok(made)
}
