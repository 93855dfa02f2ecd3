//! Opening what lies beneath a directory, and nothing else.
//!
//! A path is resolved from the root's own descriptor, and no component of it may be a symbolic
//! link. So a link that appears between listing and reading leads nowhere.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use oci::ImagePath;
use rustix::fs::{AtFlags, FileType, Mode, OFlags, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::ContextError;
use crate::links::Step;

/// A directory that files are opened beneath.
#[derive(Debug)]
pub(crate) struct Root {
    directory: OwnedFd,
    /// As given, for messages.
    path: PathBuf,
    identity: PathBuf,
    /// The kernel (before 5.6), or a sandbox around this process, has no `openat2`.
    by_component: AtomicBool,
}

/// For a directory that is listed or passed through.
const DIRECTORY: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// For a file: a pipe that has taken its place must not block, a terminal must not take control.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY);

impl Root {
    /// Opens the directory that `path` names; here, and only here, links are followed.
    pub(crate) fn open(path: &Path) -> Result<Self, ContextError> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let directory = rustix::fs::open(path, flags, Mode::empty()).map_err(|errno| {
            let path = path.to_owned();
            match errno {
                Errno::NOTDIR if path.exists() => ContextError::NotDirectory { path },
                Errno::NOENT | Errno::NOTDIR => {
                    ContextError::NoContext { path, source: errno.into() }
                }
                errno => ContextError::io("read", path, errno.into()),
            }
        })?;
        let (path, by_component) = (path.to_owned(), AtomicBool::new(false));
        let identity = path.canonicalize().unwrap_or_else(|_| path.clone());
        Ok(Root { directory, path, identity, by_component })
    }

    /// The same for all ways to name this directory.
    pub(crate) fn identity(&self) -> &Path {
        &self.identity
    }

    /// The root's own descriptor.
    pub(crate) fn fd(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// How `path` is called outside of the context, for messages.
    pub(crate) fn shown(&self, path: &ImagePath) -> PathBuf {
        self.path.join(OsStr::from_bytes(path.as_bytes()))
    }

    /// Opens a directory beneath the root.
    pub(crate) fn open_directory(&self, path: &ImagePath) -> Result<OwnedFd, ContextError> {
        self.open_as(path, DIRECTORY).map_err(|errno| self.error(path, errno))
    }

    /// Opens a file beneath the root for reading.
    pub(crate) fn open_file(&self, path: &ImagePath) -> Result<OwnedFd, ContextError> {
        self.open_as(path, FILE).map_err(|errno| self.error(path, errno))
    }

    /// What stands at `path`, whose parents are no links, or `None`.
    pub(crate) fn look(&self, path: &ImagePath) -> Result<Option<Step>, ContextError> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(Some(Step::Directory));
        };
        let directory = self.open_directory(&parent)?;
        let stat = match statat(&directory, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.error(path, errno)),
        };
        Ok(Some(match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => Step::Directory,
            FileType::Symlink => {
                let target = readlinkat(&directory, name, Vec::new());
                Step::Link(target.map_err(|errno| self.error(path, errno))?.into_bytes())
            }
            _ => Step::Other,
        }))
    }

    /// What `errno` means for a path that was there when the context was listed.
    pub(crate) fn error(&self, path: &ImagePath, errno: Errno) -> ContextError {
        let shown = self.shown(path);
        match errno {
            // Gone, or a link now, or no longer one: either way it is not what was listed.
            Errno::NOENT | Errno::NOTDIR | Errno::LOOP | Errno::NXIO | Errno::INVAL => {
                ContextError::Changed { path: shown }
            }
            Errno::ACCESS | Errno::PERM => {
                ContextError::Denied { path: shown, ignore: Some(path.clone()) }
            }
            errno => ContextError::io("read", shown, io::Error::from(errno)),
        }
    }

    fn open_as(&self, path: &ImagePath, flags: OFlags) -> rustix::io::Result<OwnedFd> {
        if path.is_root() {
            return openat(&self.directory, ".", flags, Mode::empty());
        }
        if !self.by_component.load(Ordering::Relaxed) {
            match open_at_once(self.fd(), path, flags) {
                // EPERM is what old seccomp filters answer to a call that they do not know.
                Err(Errno::NOSYS | Errno::PERM) => self.by_component.store(true, Ordering::Relaxed),
                // Something was renamed meanwhile (openat2(2), EAGAIN): the slow way is sure.
                Err(Errno::AGAIN) => {}
                opened => return opened,
            }
        }
        open_by_component(self.fd(), path, flags)
    }
}

#[cfg(target_os = "linux")]
fn open_at_once(
    root: BorrowedFd<'_>,
    path: &ImagePath,
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::{ResolveFlags, openat2};
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    openat2(root, path.as_bytes(), flags, Mode::empty(), resolve)
}

#[cfg(not(target_os = "linux"))]
fn open_at_once(_: BorrowedFd<'_>, _: &ImagePath, _: OFlags) -> rustix::io::Result<OwnedFd> {
    Err(Errno::NOSYS)
}

fn open_by_component(
    root: BorrowedFd<'_>,
    path: &ImagePath,
    flags: OFlags,
) -> rustix::io::Result<OwnedFd> {
    let mut above: Option<OwnedFd> = None;
    let mut components = path.components().peekable();
    while let Some(component) = components.next() {
        let directory = above.as_ref().map_or(root, AsFd::as_fd);
        let flags = if components.peek().is_some() { DIRECTORY } else { flags };
        above = Some(openat(directory, component, flags, Mode::empty())?);
    }
    above.ok_or(Errno::NOENT)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn both_ways_refuse_links() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        std::fs::write(at("a/b/file"), "x").unwrap();
        symlink("/etc", at("etc")).unwrap();
        symlink("a/b", at("inside")).unwrap();
        symlink("file", at("a/b/link")).unwrap();
        let root = Root::open(directory.path()).unwrap();
        for open in [open_at_once, open_by_component] {
            let result = |path: &str| open(root.fd(), &ImagePath::lexical(path), FILE).map(|_| ());
            assert_eq!(result("a/b/file"), Ok(()));
            for link in ["etc/passwd", "inside/file", "a/b/link"] {
                let errno = result(link).unwrap_err();
                assert!(matches!(errno, Errno::LOOP | Errno::NOTDIR), "{link}: {errno}");
            }
            assert_eq!(result("a/c"), Err(Errno::NOENT));
        }
    }

    #[test]
    fn refused_roots() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("file");
        std::fs::write(&file, "x").unwrap();
        assert!(matches!(Root::open(&file), Err(ContextError::NotDirectory { .. })));
        let missing = directory.path().join("missing");
        assert!(matches!(Root::open(&missing), Err(ContextError::NoContext { .. })));
        assert!(matches!(Root::open(&file.join("x")), Err(ContextError::NoContext { .. })));
    }
}
