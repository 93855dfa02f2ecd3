//! Output files that are whole or not there.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::Error;

/// Has `write` fill a file that gets its name only when it is whole. What is there and is not a
/// regular file (a pipe, `/dev/stdout`) is written to as it is.
pub(super) fn write_whole(
    path: &Path,
    write: impl FnOnce(File) -> Result<(), Error>,
) -> Result<(), Error> {
    if fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        let there = File::options().write(true).open(path).map_err(Error::writing(path))?;
        return write(there);
    }
    // Open to all that the user's mask allows, as a file is that is simply written.
    let create = |path: &Path| File::options().write(true).create_new(true).open(path);
    let file = tempfile::Builder::new().make_in(directory(path), create);
    let file = file.map_err(Error::writing(path))?;
    write(file.as_file().try_clone().map_err(Error::writing(path))?)?;
    file.persist(path).map_err(|error| Error::writing(path)(error.error)).map(drop)
}

/// Refuses a path that no file can be written to, before any work is done for it.
pub(super) fn check(path: &Path) -> Result<(), Error> {
    let there = fs::metadata(directory(path)).map_err(Error::writing(path))?;
    if !there.is_dir() {
        return Err(Error::writing(path)(io::ErrorKind::NotADirectory.into()));
    }
    if path.is_dir() {
        return Err(Error::writing(path)(io::ErrorKind::IsADirectory.into()));
    }
    Ok(())
}

fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::PermissionsExt;

    fn fill(bytes: &'static [u8]) -> impl FnOnce(File) -> Result<(), Error> {
        move |mut file| file.write_all(bytes).map_err(Error::writing("x"))
    }

    #[test]
    fn a_file_appears_whole_and_with_the_usual_mode() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("out");
        let plain = home.path().join("plain");
        fs::write(&plain, "").unwrap();
        write_whole(&path, fill(b"first")).unwrap();
        write_whole(&path, fill(b"last")).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"last");
        let mode = |path| fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode(&path), mode(&plain));
        let failed = write_whole(&path, |_| Err(Error::NoStore));
        assert!(failed.is_err());
        assert_eq!(fs::read(&path).unwrap(), b"last");
        assert_eq!(fs::read_dir(home.path()).unwrap().count(), 2, "nothing is left behind");
    }

    #[test]
    fn what_is_no_file_stays_what_it_is() {
        write_whole(Path::new("/dev/null"), fill(b"gone")).unwrap();
        assert!(!fs::metadata("/dev/null").unwrap().is_file());
    }
}
