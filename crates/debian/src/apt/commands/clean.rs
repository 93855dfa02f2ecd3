//! `apt-get clean`, `autoclean` and `distclean`: what downloads left behind (apt-get(8)).

use bstr::ByteSlice;
use oci::ImagePath;
use shell::files::{FileError, Kind};

use super::session::{Done, Session};
use crate::apt::problem::Failure;

/// Removes the packages' files that were kept, and the caches that are made of lists.
pub(super) fn clean(session: &mut Session<'_, '_, '_>) -> Done {
    if let Some(archives) = session.configuration.path("Dir::Cache::archives") {
        for directory in [archives.join("partial"), archives] {
            remove_files(session, &directory, |name| name != b"lock")?;
        }
    }
    for cache in ["Dir::Cache::pkgcache", "Dir::Cache::srcpkgcache"] {
        if let Some(path) = session.configuration.path(cache) {
            remove(session, &path)?;
        }
    }
    Ok(0)
}

/// Also the lists, but for the files that are signed.
pub(super) fn clean_all(session: &mut Session<'_, '_, '_>) -> Done {
    clean(session)?;
    if let Some(lists) = session.configuration.path("Dir::State::lists") {
        let is_list = |name: &[u8]| !name.ends_with(b"Release") && name != b"lock";
        remove_files(session, &lists, is_list)?;
        remove_files(session, &lists.join("partial"), |_| true)?;
    }
    Ok(0)
}

/// Removes the regular files of a directory that are meant; there may be none.
fn remove_files(
    session: &mut Session<'_, '_, '_>,
    directory: &ImagePath,
    is_meant: impl Fn(&[u8]) -> bool,
) -> Result<(), Failure> {
    let files = &session.process.machine.files;
    let children = match files.stat(directory).and_then(|stat| match stat {
        Some(stat) if stat.is_directory() => files.read_dir(directory).map(Some),
        _ => Ok(None),
    }) {
        Ok(Some(children)) => children,
        Ok(None) | Err(FileError::Errno(_)) => return Ok(()),
        Err(error) => return Err(Failure::of_file(directory, error)),
    };
    for (name, stat) in children {
        if matches!(stat.kind, Kind::File(_)) && is_meant(name.as_bytes()) {
            remove(session, &directory.join(&name[..]))?;
        }
    }
    Ok(())
}

fn remove(session: &mut Session<'_, '_, '_>, path: &ImagePath) -> Result<(), Failure> {
    match session.process.machine.files.remove(path) {
        Ok(()) | Err(FileError::Errno(_)) => Ok(()),
        Err(error) => Err(Failure::of_file(path, error)),
    }
}
