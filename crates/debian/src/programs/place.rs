//! What stands at a path, and what is put there: the few operations on files that all programs here
//! need, with paths as they are written.

use std::sync::Arc;

use bstr::{BStr, BString, ByteSlice};
use layer::Attributes;
use shell::files::{Errno, FileError, FileResult, Kind, Last, NewNode};
use shell::process::errno;
use shell::{Data, Process, Stop};

/// What stands at a path, as lstat(2) sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// Nothing.
    Free,
    /// A symbolic link to this.
    Link(BString),
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A device or a pipe.
    Special,
}

/// What stands at a path; the last link is not followed.
///
/// # Errors
/// As lstat(2), but that nothing is there is an answer.
pub(super) fn look(process: &Process<'_, '_>, path: &[u8]) -> Result<Result<Place, Errno>, Stop> {
    let stat = match process.find(path, Last::Kept) {
        Ok((_, stat)) => stat,
        Err(FileError::Errno(Errno::NotFound)) => return Ok(Ok(Place::Free)),
        Err(FileError::Errno(errno)) => return Ok(Err(errno)),
        Err(FileError::Stop(stop)) => return Err(stop),
    };
    Ok(Ok(match stat.kind {
        Kind::Symlink(target) => Place::Link(target.into()),
        Kind::File(_) => Place::File,
        Kind::Directory => Place::Directory,
        Kind::CharDevice { .. } | Kind::BlockDevice { .. } | Kind::Fifo => Place::Special,
    }))
}

/// [`look`], where whatever cannot be looked at counts as nothing.
pub(super) fn place(process: &Process<'_, '_>, path: &[u8]) -> Result<Place, Stop> {
    Ok(look(process, path)?.unwrap_or(Place::Free))
}

/// Where a symbolic link leads; `None` for whatever else.
pub(super) fn link_target(process: &Process<'_, '_>, path: &[u8]) -> Result<Option<BString>, Stop> {
    Ok(match place(process, path)? {
        Place::Link(target) => Some(target),
        _ => None,
    })
}

/// Whether something is there, all links followed.
pub(super) fn exists(process: &Process<'_, '_>, path: &[u8]) -> Result<bool, Stop> {
    Ok(errno(process.find(path, Last::Followed))?.is_ok())
}

/// Whether a directory is there, all links followed.
pub(super) fn is_directory(process: &Process<'_, '_>, path: &[u8]) -> Result<bool, Stop> {
    Ok(errno(process.find(path, Last::Followed))?.is_ok_and(|(_, stat)| stat.is_directory()))
}

/// The bytes of a file; `None` if there is none that can be read.
pub(super) fn read(process: &mut Process<'_, '_>, path: &[u8]) -> Result<Option<Arc<[u8]>>, Stop> {
    Ok(errno(process.open_bytes(path))?.ok())
}

/// The names in a directory, in order; none if it is none.
pub(super) fn names(process: &Process<'_, '_>, path: &[u8]) -> Result<Vec<BString>, Stop> {
    let listed = process
        .find(path, Last::Followed)
        .and_then(|(real, _)| process.machine.files.read_dir(&real));
    Ok(errno(listed)?.map(|listed| listed.into_keys().collect()).unwrap_or_default())
}

/// A new file in the place of whatever file or link was there, root's and with this mode.
pub(super) fn replace(
    process: &mut Process<'_, '_>,
    path: &[u8],
    text: impl Into<Vec<u8>>,
    mode: u32,
) -> FileResult<()> {
    let real = process.locate(path, Last::Kept)?.path;
    let mtime = process.machine.files.clock();
    let attributes = Attributes { mtime, ..Attributes::root(mode, 0) };
    process.machine.files.put_whole(&real, attributes, NewNode::File(Data::of(text)))
}

/// A symbolic link where nothing is.
pub(super) fn make_link(process: &mut Process<'_, '_>, path: &[u8], to: &[u8]) -> FileResult<()> {
    let real = process.locate(path, Last::Kept)?.path;
    process.machine.files.make(&real, NewNode::Symlink(to.to_vec()), 0o777)
}

/// Takes a file or link away, as unlink(2); that nothing is there is no error.
pub(super) fn remove(process: &mut Process<'_, '_>, path: &[u8]) -> FileResult<()> {
    let located = match process.locate(path, Last::Kept) {
        Err(FileError::Errno(Errno::NotFound)) => return Ok(()),
        located => located?,
    };
    match located.stat {
        None => Ok(()),
        Some(stat) if stat.is_directory() => Err(Errno::IsADirectory.into()),
        Some(_) => process.machine.files.remove(&located.path),
    }
}

/// Gives a file another name, in the place of what has it (rename(2)).
pub(super) fn rename(process: &mut Process<'_, '_>, from: &[u8], to: &[u8]) -> FileResult<()> {
    let (from, _) = process.find(from, Last::Kept)?;
    let to = process.locate(to, Last::Kept)?.path;
    process.machine.files.rename(&from, &to)
}

/// Makes a directory with all that is missing above it, as `mkdir -p`.
pub(super) fn make_directories(
    process: &mut Process<'_, '_>,
    path: &[u8],
    mode: u32,
) -> FileResult<()> {
    let mut ends: Vec<usize> = path.find_iter(b"/").filter(|at| *at > 0).collect();
    ends.push(path.len());
    for end in ends {
        let located = process.locate(&path[..end], Last::Followed)?;
        match located.stat {
            Some(stat) if stat.is_directory() => {}
            Some(_) => return Err(Errno::NotADirectory.into()),
            None => process.machine.files.make(&located.path, NewNode::Directory, mode)?,
        }
    }
    Ok(())
}

/// The path of a file in a directory.
pub(super) fn within(directory: &[u8], name: &[u8]) -> BString {
    [directory, b"/", name].concat().into()
}

/// All up to the last slash; the path itself if it has none.
pub(super) fn directory_of(path: &[u8]) -> &BStr {
    let end = path.iter().rposition(|byte| *byte == b'/').unwrap_or(path.len());
    path[..end].as_bstr()
}

/// All behind the last slash.
pub(super) fn base_name(path: &[u8]) -> &BStr {
    let start = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    path[start..].as_bstr()
}
