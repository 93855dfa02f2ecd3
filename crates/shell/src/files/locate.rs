//! From what is written to where it is (path_resolution(7)).

use oci::ImagePath;

use super::{EXECUTE, Errno, FileResult, Files, Kind, Stat, special};
use crate::limits::within;

/// How many links Linux follows in one path.
const MAX_LINKS: usize = 40;
/// PATH_MAX and NAME_MAX.
const MAX_PATH: usize = 4096;
const MAX_NAME: usize = 255;
/// So many directories are in each other at most. Linux has no such bound, and nobody needs more;
/// what walks to a file at such a depth takes as many steps.
const MAX_DEPTH: u64 = 128;

/// What to do with a link in the last component.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// As stat(2) and open(2).
    Followed,
    /// As lstat(2), unlink(2), rename(2). A slash at the end follows all the same.
    Kept,
}

/// Where a path leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located {
    /// The real path: no links in it. The directory above it exists.
    pub path: ImagePath,
    /// What stands there, if anything.
    pub stat: Option<Stat>,
}

impl Files {
    /// Where `path`, as written, leads from the directory `from`.
    ///
    /// # Errors
    /// As the system call: a directory on the way that is missing, is none, or may not be gone
    /// through. That nothing stands at the end is no error.
    pub fn locate(&self, from: &ImagePath, path: &[u8], last: Last) -> FileResult<Located> {
        if path.is_empty() {
            return Err(Errno::NotFound.into());
        }
        if path.len() >= MAX_PATH {
            return Err(Errno::NameTooLong.into());
        }
        let mut at = if path.starts_with(b"/") { ImagePath::root() } else { from.clone() };
        let mut left: Vec<Vec<u8>> = path.rsplit(|b| *b == b'/').map(<[u8]>::to_vec).collect();
        let mut links = 0;
        while let Some(name) = left.pop() {
            let is_last = left.is_empty();
            if let Some(next) = self.step(&at, &name)? {
                at = next;
                continue;
            }
            let next = at.join(&name);
            let stat = self.stat(&next)?;
            let only_slashes = left.iter().all(Vec::is_empty);
            match &stat {
                Some(Stat { kind: Kind::Symlink(target), .. })
                    if !(is_last && last == Last::Kept) =>
                {
                    links += 1;
                    if links > MAX_LINKS || left.len() > MAX_PATH {
                        return Err(Errno::Loop.into());
                    }
                    if target.starts_with(b"/") {
                        at = ImagePath::root();
                    }
                    left.extend(target.rsplit(|b| *b == b'/').map(<[u8]>::to_vec));
                }
                Some(stat) if !is_last && !stat.is_directory() => {
                    return Err(Errno::NotADirectory.into());
                }
                None if !only_slashes => return Err(Errno::NotFound.into()),
                // Nothing is there, or it is the end.
                _ if only_slashes => {
                    let depth = next.components().count() as u64;
                    within("the depth of directories", depth, MAX_DEPTH)?;
                    return Ok(Located { path: next, stat });
                }
                _ => at = next,
            }
        }
        let stat = self.stat(&at)?;
        Ok(Located { path: at, stat })
    }

    /// As [`Files::locate`], for what has to be there.
    pub fn find(&self, from: &ImagePath, path: &[u8], last: Last) -> FileResult<(ImagePath, Stat)> {
        let located = self.locate(from, path, last)?;
        match located.stat {
            Some(stat) => Ok((located.path, stat)),
            None => Err(Errno::NotFound.into()),
        }
    }

    /// Where `.`, `..` or no name leads; `None` for a name.
    fn step(&self, at: &ImagePath, name: &[u8]) -> FileResult<Option<ImagePath>> {
        match name {
            b"" | b"." => return Ok(Some(at.clone())),
            b".." => return Ok(Some(at.parent().unwrap_or_else(ImagePath::root))),
            _ if name.len() > MAX_NAME => return Err(Errno::NameTooLong.into()),
            _ => {}
        }
        if self.user.uid != 0 && !special::is_directory(at) {
            let directory = self.stat(at)?.ok_or(Errno::NotFound)?;
            self.permit(&directory, EXECUTE)?;
        }
        Ok(None)
    }
}
