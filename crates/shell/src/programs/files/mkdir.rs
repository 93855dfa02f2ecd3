//! `mkdir` and `rmdir` (coreutils manual, "mkdir invocation", "rmdir invocation").

use bstr::ByteSlice;

use super::modes::{ModeChange, Subject};
use super::report::{attempt, fail, usage};
use crate::files::{Errno, Kind, Last, Located, NewNode, Stat};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::{cited, quoted};
use crate::stop::Stop;

const MKDIR: &[Known] =
    &[value("-m", 'm', &["mode"]), flag("-p", 'p', &["parents"]), flag("-v", 'v', &["verbose"])];

const RMDIR: &[Known] = &[
    long("--ignore", &["ignore-fail-on-non-empty"], Takes::Nothing),
    flag("-p", 'p', &["parents"]),
    flag("-v", 'v', &["verbose"]),
];

/// How directories are made.
pub(super) struct Making {
    /// The mode of the last directory, if it is said.
    pub(super) mode: Option<ModeChange>,
    /// Whether each is told.
    pub(super) is_told: bool,
}

/// Makes directories.
pub(super) fn mkdir(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, MKDIR, Order::Anywhere)?;
    if options.operands.is_empty() {
        return usage(process, "missing operand");
    }
    let mode = match options.value("-m") {
        None => None,
        Some(text) => match ModeChange::parse(text) {
            Some(mode) => Some(mode),
            None => return fail(process, format!("invalid mode {}", cited(text))),
        },
    };
    let making = Making { mode, is_told: options.has("-v") };
    let mut status = 0;
    for path in &options.operands {
        let is_there = match options.has("-p") {
            true => make_path(process, &making, path)?,
            false => make_one(process, &making, path)?,
        };
        status |= u8::from(!is_there);
    }
    Ok(status)
}

fn make_one(process: &mut Process<'_, '_>, making: &Making, path: &[u8]) -> Result<bool, Stop> {
    let unsaid = 0o777 & !process.umask;
    let mode = match &making.mode {
        None => unsaid,
        Some(mode) => mode.apply(unsaid, Subject::Directory, process.umask),
    };
    let made = match errno(process.locate(path, Last::Kept))? {
        Ok(Located { path, .. }) => {
            let made = process.machine.files.make(&path, NewNode::Directory, mode & 0o1777);
            made.and_then(|()| match making.mode {
                Some(_) if mode & 0o6000 != 0 => process.machine.files.set_mode(&path, mode),
                _ => Ok(()),
            })
        }
        Err(error) => Err(error.into()),
    };
    let what = || format!("cannot create directory {}", cited(path));
    let is_made = attempt(process, made, what)?.is_some();
    if is_made {
        tell(process, making, path)?;
    }
    Ok(is_made)
}

fn tell(process: &mut Process<'_, '_>, making: &Making, path: &[u8]) -> Result<(), Stop> {
    match making.is_told {
        true => {
            let verb = if process.name() == "install" { "creating" } else { "created" };
            let line = format!("{}: {verb} directory {}\n", process.name(), quoted(path));
            process.write(line)
        }
        false => Ok(()),
    }
}

/// Makes a directory and those above it. Those get user write and search permission whatever the
/// umask says (POSIX mkdir, `-p`).
pub(super) fn make_path(
    process: &mut Process<'_, '_>,
    making: &Making,
    path: &[u8],
) -> Result<bool, Stop> {
    let parents = Making { mode: None, is_told: making.is_told };
    for end in prefix_ends(path) {
        let prefix = &path[..end];
        let is_last = path[end..].iter().all(|byte| *byte == b'/');
        let found = errno(process.locate(prefix, Last::Followed))?;
        match found {
            Ok(Located { stat: Some(stat), .. }) if stat.is_directory() => continue,
            Ok(Located { stat: Some(_), .. }) => {
                let error = if is_last { Errno::Exists } else { Errno::NotADirectory };
                return complain(process, prefix, error);
            }
            Ok(Located { stat: None, .. }) if is_link(process, prefix)? => {
                return complain(process, prefix, Errno::Exists);
            }
            Ok(_) => {}
            Err(error) => return complain(process, prefix, error),
        }
        if is_last {
            return make_one(process, making, path);
        }
        let umask = process.umask;
        process.umask &= !0o300;
        let made = make_one(process, &parents, prefix);
        process.umask = umask;
        if !made? {
            return Ok(false);
        }
    }
    match path.is_empty() {
        true => complain(process, path, Errno::NotFound),
        false => Ok(true),
    }
}

fn complain(process: &mut Process<'_, '_>, path: &[u8], error: Errno) -> Result<bool, Stop> {
    process.complain(format!("cannot create directory {}: {error}", cited(path)))?;
    Ok(false)
}

fn is_link(process: &Process<'_, '_>, path: &[u8]) -> Result<bool, Stop> {
    let path = super::destination::without_slashes(path);
    let found = errno(process.locate(path, Last::Kept))?.ok().and_then(|found| found.stat);
    Ok(matches!(found, Some(Stat { kind: Kind::Symlink(_), .. })))
}

/// Where each name in a path ends.
fn prefix_ends(path: &[u8]) -> Vec<usize> {
    let ends = (1..=path.len())
        .filter(|end| path[end - 1] != b'/' && path.get(*end).is_none_or(|byte| *byte == b'/'));
    ends.collect()
}

/// Removes empty directories.
pub(super) fn rmdir(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, RMDIR, Order::Anywhere)?;
    if options.operands.is_empty() {
        return usage(process, "missing operand");
    }
    let mut status = 0;
    for path in &options.operands {
        if !remove(process, &options, path, "")? {
            status |= u8::from(!is_ignored(process, &options, path)?);
            continue;
        }
        if options.has("-p") {
            status |= remove_above(process, &options, path)?;
        }
    }
    Ok(status)
}

fn is_ignored(process: &Process<'_, '_>, options: &Options, path: &[u8]) -> Result<bool, Stop> {
    if !options.has("--ignore") {
        return Ok(false);
    }
    let Ok((path, _)) = errno(process.find(path, Last::Kept))? else { return Ok(false) };
    Ok(errno(process.machine.files.read_dir(&path))?.is_ok_and(|children| !children.is_empty()))
}

fn remove_above(process: &mut Process<'_, '_>, options: &Options, path: &[u8]) -> Run {
    let mut path = path.trim_end_with(|letter| letter == '/').as_bytes();
    while let Some(end) = path.rfind_byte(b'/') {
        path = path[..end].trim_end_with(|letter| letter == '/').as_bytes();
        if path.is_empty() {
            break;
        }
        if !remove(process, options, path, "directory ")? {
            return Ok(u8::from(!is_ignored(process, options, path)?));
        }
    }
    Ok(0)
}

fn remove(
    process: &mut Process<'_, '_>,
    options: &Options,
    path: &[u8],
    kind: &str,
) -> Result<bool, Stop> {
    let shown = quoted(path);
    if options.has("-v") {
        let line = format!("{}: removing directory, {shown}\n", process.name());
        process.write(line)?;
    }
    let located = errno(process.locate(path, Last::Kept))?;
    let removed = match located {
        Ok(_) if path.ends_with(b"/") && is_link(process, path)? => {
            Err(Errno::NotADirectory.into())
        }
        Ok(Located { path: real, stat: Some(stat) }) if stat.is_directory() => {
            match path.ends_with(b".") && super::destination::base(path) == b"." {
                true => Err(Errno::Invalid.into()),
                false => process.machine.files.remove(&real),
            }
        }
        Ok(Located { stat: Some(_), .. }) => Err(Errno::NotADirectory.into()),
        Ok(Located { stat: None, .. }) => Err(Errno::NotFound.into()),
        Err(error) => Err(error.into()),
    };
    match errno(removed)? {
        Ok(()) => Ok(true),
        Err(Errno::NotEmpty) if options.has("--ignore") => Ok(false),
        Err(error) => {
            // rmdir(2) does not take a link for what it leads to, and GNU says so.
            let error = match path.ends_with(b"/") && is_link(process, path)? {
                true => "Symbolic link not followed".to_owned(),
                false => error.to_string(),
            };
            process.complain(format!("failed to remove {kind}{shown}: {error}"))?;
            Ok(false)
        }
    }
}
