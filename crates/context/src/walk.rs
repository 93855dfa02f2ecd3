//! Listing a directory: every path below it, in order, whatever the number of threads.
//!
//! Each directory is one task, and its descriptor is open only while it is read. The names of a
//! directory are sorted, so the whole is put together by walking the finished tasks once, without
//! a sort over all paths.

use std::ffi::{CStr, CString};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;

use oci::ImagePath;
use rustix::fs::{AtFlags, Dir, FileType, Stat, readlinkat, statat};
use rustix::io::Errno;

use crate::beneath::Root;
use crate::listing::{CAPABILITY, Origin, Special, number_links};
use crate::signature::Signature;
use crate::{ContextError, Kind, Listed, Listing, portable_mode};

/// Decides about each path; called from several threads.
pub type Filter<'a> = &'a (dyn Fn(&ImagePath, Shape) -> Verdict + Sync);

/// What a filter is told of a path besides its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// A directory, which may hold more paths.
    Directory,
    /// Anything else.
    Leaf,
}

/// What a filter says of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is listed.
    Keep,
    /// It is not listed, and nothing below it is looked at.
    Prune,
    /// It is listed only if something below it is: a directory that is ignored, but holds an
    /// exception. For what is not a directory this is [`Verdict::Prune`].
    Descend,
}

/// A directory with more names than this is looked at in parts, by several threads.
const NAMES_IN_A_PART: usize = 1024;

/// Lists everything below `root` that `filter` lets through.
pub(crate) fn walk(
    root: &Root,
    filter: Filter<'_>,
    threads: NonZeroUsize,
) -> Result<Listing, ContextError> {
    let walk = Walk {
        root,
        filter,
        directories: AtomicU32::new(1),
        queue: Mutex::new(Queue {
            tasks: vec![Task::Read { directory: 0, path: ImagePath::root() }],
            busy: 0,
        }),
        wake: Condvar::new(),
    };
    let mut found = Found::default();
    std::thread::scope(|scope| {
        // A thread that the system does not give is not needed.
        let others: Vec<_> = (1..threads.get())
            .map_while(|_| Builder::new().spawn_scoped(scope, || walk.work()).ok())
            .collect();
        found = walk.work();
        for other in others {
            match other.join() {
                Ok(more) => found.merge(more),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
    });
    if let Some((_, error)) = found.error {
        return Err(error);
    }
    let mut entries = in_order(found.parts);
    number_links(&mut entries, |listed| match (&listed.kind, &listed.origin) {
        (Kind::File { link: Some(_), .. }, Origin::Inode(inode)) => {
            Some((inode.device, inode.inode))
        }
        _ => None,
    });
    Ok(Listing::of(entries))
}

struct Walk<'a> {
    root: &'a Root,
    filter: Filter<'a>,
    /// The number of the next directory; the root is 0.
    directories: AtomicU32,
    queue: Mutex<Queue>,
    wake: Condvar,
}

struct Queue {
    /// The newest is taken first, which keeps the queue, and what it holds open, small.
    tasks: Vec<Task>,
    /// How many threads work on a task, which may bring new ones.
    busy: usize,
}

enum Task {
    /// Read the names of a directory.
    Read { directory: u32, path: ImagePath },
    /// Look at some names of a large one.
    Look { directory: u32, part: u32, fd: Arc<OwnedFd>, path: ImagePath, names: Vec<Name> },
}

/// A name as the directory tells it, with the type if the file system says so there.
struct Name {
    name: CString,
    file_type: FileType,
}

/// What one thread has found.
#[derive(Default)]
struct Found {
    parts: Vec<Part>,
    /// The error with the first path, so that the message does not depend on threads.
    error: Option<(ImagePath, ContextError)>,
}

/// The rows of one part of one directory.
struct Part {
    directory: u32,
    part: u32,
    rows: Vec<Row>,
}

struct Row {
    listed: Listed,
    /// The number of the directory that this row is, if it is one.
    directory: Option<u32>,
    verdict: Verdict,
}

impl Found {
    fn merge(&mut self, more: Found) {
        self.parts.extend(more.parts);
        if let Some((path, error)) = more.error {
            self.fail(path, error);
        }
    }

    fn fail(&mut self, path: ImagePath, error: ContextError) {
        if self.error.as_ref().is_none_or(|(first, _)| path < *first) {
            self.error = Some((path, error));
        }
    }
}

impl Walk<'_> {
    /// Does tasks until there are none and no thread can bring one.
    fn work(&self) -> Found {
        let mut found = Found::default();
        let mut queue = self.lock();
        loop {
            if let Some(task) = queue.tasks.pop() {
                queue.busy += 1;
                drop(queue);
                let new = self.run(task, &mut found);
                queue = self.lock();
                queue.busy -= 1;
                queue.tasks.extend(new);
                // Others wait either for a task or for the end.
                self.wake.notify_all();
            } else if queue.busy == 0 {
                return found;
            } else {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, task: Task, found: &mut Found) -> Vec<Task> {
        match task {
            Task::Read { directory, path } => match self.read(directory, &path, found) {
                Ok(new) => new,
                // Deleted since its name was read: as if it had never been there.
                Err(ContextError::Changed { .. }) if self.is_gone(&path) => Vec::new(),
                Err(error) => {
                    found.fail(path, error);
                    Vec::new()
                }
            },
            Task::Look { directory, part, fd, path, names } => {
                self.look(directory, part, fd.as_fd(), &path, names, found)
            }
        }
    }

    fn is_gone(&self, path: &ImagePath) -> bool {
        let stat = statat(self.root.fd(), path.as_bytes(), AtFlags::SYMLINK_NOFOLLOW);
        !path.is_root() && stat.is_err_and(|errno| errno == Errno::NOENT)
    }

    fn read(
        &self,
        directory: u32,
        path: &ImagePath,
        found: &mut Found,
    ) -> Result<Vec<Task>, ContextError> {
        let fd = self.root.open_directory(path)?;
        let mut names = self.names(&fd, path)?;
        if names.len() <= NAMES_IN_A_PART {
            return Ok(self.look(directory, 0, fd.as_fd(), path, names, found));
        }
        let fd = Arc::new(fd);
        let mut parts = Vec::new();
        for part in (0..).take(names.len().div_ceil(NAMES_IN_A_PART)) {
            let rest = names.split_off(names.len().min(NAMES_IN_A_PART));
            let names = std::mem::replace(&mut names, rest);
            let (fd, path) = (Arc::clone(&fd), path.clone());
            parts.push(Task::Look { directory, part, fd, path, names });
        }
        Ok(parts)
    }

    /// The names in a directory, sorted.
    fn names(&self, fd: &OwnedFd, path: &ImagePath) -> Result<Vec<Name>, ContextError> {
        let failed = |errno| self.root.error(path, errno);
        let duplicate = rustix::io::fcntl_dupfd_cloexec(fd, 0).map_err(failed)?;
        let mut names = Vec::new();
        for entry in Dir::new(duplicate).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            if !matches!(entry.file_name().to_bytes(), b"." | b"..") {
                let (name, file_type) = (entry.file_name().to_owned(), entry.file_type());
                names.push(Name { name, file_type });
            }
        }
        names.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(names)
    }

    fn look(
        &self,
        directory: u32,
        part: u32,
        fd: BorrowedFd<'_>,
        above: &ImagePath,
        names: Vec<Name>,
        found: &mut Found,
    ) -> Vec<Task> {
        let mut rows = Vec::with_capacity(names.len());
        let mut tasks = Vec::new();
        let mut bytes = above.as_bytes().to_vec();
        for name in names {
            bytes.truncate(above.as_bytes().len());
            if !above.is_root() {
                bytes.push(b'/');
            }
            bytes.extend_from_slice(name.name.as_bytes());
            let path = match ImagePath::from_archive(&bytes) {
                Ok(path) => path,
                Err(source) => {
                    let directory = self.root.shown(above);
                    found.fail(above.clone(), ContextError::Name { directory, source });
                    continue;
                }
            };
            match self.row(fd, &name, &path) {
                Ok(Some(row)) => {
                    tasks.extend(row.directory.map(|directory| Task::Read { directory, path }));
                    rows.push(row);
                }
                Ok(None) => {}
                Err(Errno::NOENT) => {}
                Err(errno) => {
                    let error = self.root.error(&path, errno);
                    found.fail(path, error);
                }
            }
        }
        found.parts.push(Part { directory, part, rows });
        tasks
    }

    /// The row for a name, or `None` if the filter does not want it.
    fn row(
        &self,
        fd: BorrowedFd<'_>,
        name: &Name,
        path: &ImagePath,
    ) -> rustix::io::Result<Option<Row>> {
        let mut stat = None;
        let mut file_type = name.file_type;
        if file_type == FileType::Unknown {
            let found = statat(fd, &name.name, AtFlags::SYMLINK_NOFOLLOW)?;
            file_type = FileType::from_raw_mode(found.st_mode);
            stat = Some(found);
        }
        let shape = if file_type == FileType::Directory { Shape::Directory } else { Shape::Leaf };
        let verdict = (self.filter)(path, shape);
        // What is ignored is not even looked at: it may be broken as it likes.
        if verdict == Verdict::Prune || (verdict, shape) == (Verdict::Descend, Shape::Leaf) {
            return Ok(None);
        }
        let stat = match stat {
            Some(stat) => stat,
            None => statat(fd, &name.name, AtFlags::SYMLINK_NOFOLLOW)?,
        };
        let (kind, origin) = kind(fd, &name.name, &stat)?;
        let directory =
            (kind == Kind::Directory).then(|| self.directories.fetch_add(1, Ordering::Relaxed));
        let mode = match kind {
            // Links have no permissions of their own; systems show different ones.
            Kind::Symlink(_) => 0o777,
            _ => portable_mode(stat.st_mode, shape),
        };
        let listed = Listed { path: path.clone(), mode, kind, origin };
        Ok(Some(Row { listed, directory, verdict }))
    }
}

fn kind(fd: BorrowedFd<'_>, name: &CStr, stat: &Stat) -> rustix::io::Result<(Kind, Origin)> {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => {
            let signature = Signature::of(stat);
            let capability = if stat.st_mode & 0o111 == 0 { None } else { capability(fd, name)? };
            // The number is given when all names are known.
            let link = (stat.st_nlink > 1).then_some(crate::LinkGroup(0));
            let kind = Kind::File { size: signature.size, link, capability };
            return Ok((kind, Origin::Inode(signature)));
        }
        FileType::Directory => Kind::Directory,
        FileType::Symlink => Kind::Symlink(readlinkat(fd, name, Vec::new())?.into_bytes()),
        FileType::Socket => Kind::Special(Special::Socket),
        FileType::Fifo => Kind::Special(Special::Fifo),
        FileType::BlockDevice => Kind::Special(Special::BlockDevice),
        FileType::CharacterDevice | FileType::Unknown => Kind::Special(Special::CharDevice),
    };
    Ok((kind, Origin::Nothing))
}

/// The file capabilities of a name in a directory.
///
/// There is no `getxattrat` before Linux 6.13, and a file that must not be opened has no
/// descriptor to ask; but its directory has a name in `/proc`, below which only the last component
/// is a link that could be followed, and `lgetxattr` does not.
#[cfg(target_os = "linux")]
fn capability(fd: BorrowedFd<'_>, name: &CStr) -> rustix::io::Result<Option<Box<[u8]>>> {
    // linux/capability.h: struct vfs_ns_cap_data, the largest revision, has 24 bytes.
    let mut value = [0; 64];
    let mut path = format!("/proc/self/fd/{}/", fd.as_raw_fd()).into_bytes();
    path.extend_from_slice(name.to_bytes());
    match rustix::fs::lgetxattr(path, CAPABILITY, &mut value[..]) {
        Ok(length) => Ok(Some(value[..length].into())),
        // No such attribute, no attributes at all, or no `/proc` to ask through.
        Err(Errno::NODATA | Errno::NOTSUP | Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(errno) => Err(errno),
    }
}

#[cfg(not(target_os = "linux"))]
fn capability(_: BorrowedFd<'_>, _: &CStr) -> rustix::io::Result<Option<Box<[u8]>>> {
    Ok(None)
}

/// Puts the parts together: each directory before what it holds, names in order.
fn in_order(mut parts: Vec<Part>) -> Vec<Listed> {
    parts.sort_unstable_by_key(|part| (part.directory, part.part));
    let mut entries = Vec::with_capacity(parts.iter().map(|part| part.rows.len()).sum());
    // By directory; one that is missing was deleted before it was read.
    let mut directories: Vec<Option<Vec<Row>>> = Vec::new();
    for part in parts {
        let index = part.directory as usize;
        if directories.len() <= index {
            directories.resize_with(index + 1, || None);
        }
        match &mut directories[index] {
            Some(rows) => rows.extend(part.rows),
            none => *none = Some(part.rows),
        }
    }
    let mut take = |index: u32| directories.get_mut(index as usize).and_then(Option::take);
    // Each directory that is being put down, and where it stands if it is there only for what it
    // holds.
    let mut open: Vec<(std::vec::IntoIter<Row>, Option<usize>)> = Vec::new();
    open.extend(take(0).map(|rows| (rows.into_iter(), None)));
    while let Some((rows, provisional)) = open.last_mut() {
        let Some(row) = rows.next() else {
            if provisional.is_some_and(|at| at + 1 == entries.len()) {
                entries.pop();
            }
            open.pop();
            continue;
        };
        let provisional = (row.verdict == Verdict::Descend).then_some(entries.len());
        match row.directory {
            None => entries.push(row.listed),
            Some(directory) => {
                if let Some(below) = take(directory) {
                    entries.push(row.listed);
                    open.push((below.into_iter(), provisional));
                }
            }
        }
    }
    entries
}
