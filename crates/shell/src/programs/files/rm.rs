//! `rm` (coreutils manual, "rm invocation").

use bstr::ByteSlice;
use oci::ImagePath;

use super::destination::{base, inside};
use super::report::{attempt, fail, is_absent, usage};
use crate::files::{Errno, Last, Stat};
use crate::options::{Known, Options, Order, Takes, flag, long};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::quoted;
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-d", 'd', &["dir"]),
    flag("-f", 'f', &["force"]),
    long("--no-preserve-root", &["no-preserve-root"], Takes::Nothing),
    long("--one-file-system", &["one-file-system"], Takes::Nothing),
    long("--preserve-root", &["preserve-root"], Takes::MaybeValue),
    flag("-r", 'r', &["recursive"]),
    Known { id: "-r", short: Some('R'), long: &[], value: Takes::Nothing },
    flag("-v", 'v', &["verbose"]),
];

/// How to remove.
pub(super) struct Removal {
    directories: Directories,
    is_forced: bool,
    is_told: bool,
    is_root_spared: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Directories {
    Kept,
    IfEmpty,
    WithAll,
}

impl Removal {
    /// As `mv` removes what it has copied.
    pub(super) fn of_moved(is_told: bool) -> Self {
        Removal {
            directories: Directories::WithAll,
            is_forced: true,
            is_told,
            is_root_spared: true,
        }
    }
}

/// Removes files and trees.
pub(super) fn rm(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let removal = Removal {
        directories: match (options.has("-r"), options.has("-d")) {
            (true, _) => Directories::WithAll,
            (false, true) => Directories::IfEmpty,
            (false, false) => Directories::Kept,
        },
        is_forced: options.has("-f"),
        is_told: options.has("-v"),
        is_root_spared: options.last_of(&["--no-preserve-root", "--preserve-root"])
            != Some("--no-preserve-root"),
    };
    if options.has("--one-file-system") {
        return Err(super::report::refuse_option(process, "--one-file-system"));
    }
    if options.operands.is_empty() && !removal.is_forced {
        return usage(process, "missing operand");
    }
    let mut status = 0;
    for operand in &options.operands {
        status |= remove_operand(process, &removal, operand)?;
    }
    Ok(status)
}

fn remove_operand(process: &mut Process<'_, '_>, removal: &Removal, path: &[u8]) -> Run {
    let is_recursive = removal.directories == Directories::WithAll;
    let located = errno(process.locate(path, Last::Kept))?;
    let (real, stat) = match located.map(|located| (located.path, located.stat)) {
        Ok((real, Some(stat))) => (real, stat),
        Ok((_, None)) => return absent(process, removal, path, Errno::NotFound),
        Err(error) => return absent(process, removal, path, error),
    };
    if is_recursive && matches!(base(path), b"." | b"..") {
        let path = quoted(path);
        return fail(process, format!("refusing to remove '.' or '..' directory: skipping {path}"));
    }
    if real.is_root() && is_recursive && removal.is_root_spared {
        let shown = match path {
            b"/" => "'/'".to_owned(),
            path => format!("{} (same as '/')", quoted(path)),
        };
        process.complain(format!("it is dangerous to operate recursively on {shown}"))?;
        return fail(process, "use --no-preserve-root to override this failsafe");
    }
    if is_recursive && is_linked_directory(process, path)? {
        // The walk goes in by the slash; unlinkat(2) then neither follows the link nor takes it.
        for (name, stat) in errno(process.machine.files.read_dir(&real))?.unwrap_or_default() {
            let (path, real) = (inside(path, &name), real.join(&name));
            remove_found(process, removal, &path, &real, &stat)?;
        }
        return absent(process, removal, path, Errno::NotADirectory);
    }
    remove_found(process, removal, path, &real, &stat)
}

fn absent(process: &mut Process<'_, '_>, removal: &Removal, path: &[u8], error: Errno) -> Run {
    if removal.is_forced && is_absent(error) {
        return Ok(0);
    }
    fail(process, format!("cannot remove {}: {error}", quoted(path)))
}

/// Whether a path with a slash at its end names a link.
fn is_linked_directory(process: &Process<'_, '_>, path: &[u8]) -> Result<bool, Stop> {
    let name = path.trim_end_with(|letter| letter == '/').as_bytes();
    if name.len() == path.len() || name.is_empty() {
        return Ok(false);
    }
    let found = errno(process.find(name, Last::Kept))?;
    Ok(found.is_ok_and(|(_, stat)| matches!(stat.kind, crate::files::Kind::Symlink(_))))
}

fn remove_found(
    process: &mut Process<'_, '_>,
    removal: &Removal,
    path: &[u8],
    real: &ImagePath,
    stat: &Stat,
) -> Run {
    if !stat.is_directory() {
        return remove_one(process, removal, path, real, "removed");
    }
    match removal.directories {
        Directories::Kept => {
            let error = Errno::IsADirectory;
            fail(process, format!("cannot remove {}: {error}", quoted(path)))
        }
        Directories::IfEmpty => remove_one(process, removal, path, real, "removed directory"),
        Directories::WithAll => remove_tree(process, removal, path, real),
    }
}

fn remove_one(
    process: &mut Process<'_, '_>,
    removal: &Removal,
    path: &[u8],
    real: &ImagePath,
    told: &str,
) -> Run {
    let removed = process.machine.files.remove(real);
    if attempt(process, removed, || format!("cannot remove {}", quoted(path)))?.is_none() {
        return Ok(1);
    }
    if removal.is_told {
        process.write(format!("{told} {}\n", quoted(path)))?;
    }
    Ok(0)
}

/// Removes everything at and below a path.
pub(super) fn remove_tree(
    process: &mut Process<'_, '_>,
    removal: &Removal,
    path: &[u8],
    real: &ImagePath,
) -> Run {
    if !removal.is_told && errno(process.machine.files.remove_all(real))?.is_ok() {
        return Ok(0);
    }
    // One by one: for who wants to hear of it, and up to what cannot be removed.
    process.machine.budget.enter()?;
    let status = remove_each(process, removal, path, real);
    process.machine.budget.leave();
    status
}

fn remove_each(
    process: &mut Process<'_, '_>,
    removal: &Removal,
    path: &[u8],
    real: &ImagePath,
) -> Run {
    let listed = process.machine.files.read_dir(real);
    let children = match errno(listed)? {
        Ok(children) => children,
        Err(Errno::NotADirectory) => return remove_one(process, removal, path, real, "removed"),
        // An empty directory can be removed unread.
        Err(error) => match errno(process.machine.files.remove(real))? {
            Ok(()) => return Ok(0),
            Err(_) => return fail(process, format!("cannot remove {}: {error}", quoted(path))),
        },
    };
    let mut status = 0;
    for (name, stat) in children {
        let (path, real) = (inside(path, &name), real.join(&name));
        status |= remove_found(process, removal, &path, &real, &stat)?;
    }
    match status {
        0 => remove_one(process, removal, path, real, "removed directory"),
        status => Ok(status),
    }
}
