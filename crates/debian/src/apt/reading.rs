//! Reading an image's configuration: many small files, whose bytes are asked for all at once.

use std::sync::Arc;

use bstr::ByteSlice;
use oci::ImagePath;
use shell::files::{Errno, FileError, Last};
use shell::{Data, Process, Stored};

use super::problem::{Failure, Problem};

/// Files of configuration are smaller; keyrings are, too.
const LARGEST: u64 = 32 << 20;

/// The bytes of the files at these paths; `None` where nothing stands, or no file.
pub(super) fn read(
    process: &mut Process<'_, '_>,
    paths: &[ImagePath],
) -> Result<Vec<Option<Arc<[u8]>>>, Failure> {
    let mut found = Vec::with_capacity(paths.len());
    for path in paths {
        found.push(data(process, path)?);
    }
    let stored: Vec<Stored> = found
        .iter()
        .filter_map(|data| match data {
            Some(Data::Stored(stored)) => Some(stored.clone()),
            _ => None,
        })
        .collect();
    process.machine.outside.expect(&stored)?;
    let bytes = |data: Option<Data>| data.map(|data| process.bytes(&data)).transpose();
    Ok(found.into_iter().map(bytes).collect::<Result<_, _>>()?)
}

/// What the file at a path holds, wherever the bytes are; `None` where nothing stands, or no file.
pub(super) fn data(process: &Process<'_, '_>, path: &ImagePath) -> Result<Option<Data>, Failure> {
    let files = &process.machine.files;
    let stat = match files.find(&ImagePath::root(), &absolute(path), Last::Followed) {
        Ok((_, stat)) => stat,
        Err(FileError::Errno(Errno::NotFound | Errno::NotADirectory)) => return Ok(None),
        Err(error) => return Err(Failure::of_file(path, error)),
    };
    let Some(data) = stat.data() else { return Ok(None) };
    if !files.may(&stat, shell::files::READ) {
        return Err(Failure::of_file(path, Errno::PermissionDenied.into()));
    }
    if data.size() > LARGEST {
        let errno = Errno::Invalid;
        return Err(Problem::Unreadable { path: format!("/{path}"), errno }.into());
    }
    Ok(Some(data.clone()))
}

/// The files of a directory of configuration that count, in the order in which they are read; none
/// if the directory is not there. `""` among the extensions stands for names without one.
///
/// The rules are those of apt.conf(5) and its like: letters, digits, `_`, `-`, `:` and dots, one of
/// the extensions, and no hidden files. What does not count is passed over without a word.
pub(super) fn parts(
    process: &Process<'_, '_>,
    directory: &ImagePath,
    extensions: &[&str],
) -> Result<Vec<ImagePath>, Failure> {
    let files = &process.machine.files;
    let real = match files.find(&ImagePath::root(), &absolute(directory), Last::Followed) {
        Ok((real, stat)) if stat.is_directory() => real,
        Ok(_) | Err(FileError::Errno(Errno::NotFound | Errno::NotADirectory)) => {
            return Ok(Vec::new());
        }
        Err(error) => return Err(Failure::of_file(directory, error)),
    };
    let children = files.read_dir(&real).map_err(|error| Failure::of_file(directory, error))?;
    let counts = |name: &&[u8]| is_part(name, extensions);
    let names = children.keys().map(|name| name.as_bytes()).filter(counts);
    let mut paths = Vec::new();
    for path in names.map(|name| directory.join(name)) {
        match files.find(&ImagePath::root(), &absolute(&path), Last::Followed) {
            Ok((_, stat)) if stat.data().is_some() => paths.push(path),
            Ok(_) | Err(FileError::Errno(_)) => {}
            Err(error) => return Err(Failure::of_file(&path, error)),
        }
    }
    Ok(paths)
}

fn is_part(name: &[u8], extensions: &[&str]) -> bool {
    let extension = name.rsplit_once_str(".").map_or(&b""[..], |(_, extension)| extension);
    let is_known = extensions.iter().any(|known| known.as_bytes() == extension);
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"_-:.".contains(byte);
    is_known && name.iter().all(allowed) && !name.starts_with(b".") && !name.ends_with(b".")
}

fn absolute(path: &ImagePath) -> Vec<u8> {
    [b"/", path.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_parts_are_as_apt_has_them() {
        let names = ["a", "a.conf", "a.conf.bak", "a.b.conf", ".a.conf", "a b.conf", "a.", "a:1-_"];
        let kept: Vec<&str> =
            names.into_iter().filter(|name| is_part(name.as_bytes(), &["", "conf"])).collect();
        assert_eq!(kept, ["a", "a.conf", "a.b.conf", "a:1-_"]);
        assert!(!is_part(b"a", &["list"]) && is_part(b"a.list", &["list"]));
    }
}
