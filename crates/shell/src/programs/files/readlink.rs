//! `readlink`, `realpath` and `pwd` (coreutils manual, "readlink invocation", "realpath
//! invocation", "pwd invocation").

use std::collections::VecDeque;

use bstr::BString;
use oci::ImagePath;

use super::report::{attempt, usage};
use crate::files::{Errno, FileResult, Kind, Last, Located};
use crate::options::{Known, Options, Order, Takes, flag, long};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::bare;
use crate::stop::Stop;

const READLINK: &[Known] = &[
    flag("-e", 'e', &["canonicalize-existing"]),
    flag("-f", 'f', &["canonicalize"]),
    flag("-m", 'm', &["canonicalize-missing"]),
    flag("-n", 'n', &["no-newline"]),
    flag("-q", 'q', &["quiet"]),
    flag("-q", 's', &["silent"]),
    flag("-v", 'v', &["verbose"]),
    flag("-z", 'z', &["zero"]),
];
const REALPATH: &[Known] = &[
    flag("-e", 'e', &["canonicalize-existing"]),
    flag("-m", 'm', &["canonicalize-missing"]),
    flag("-P", 'P', &["physical"]),
    flag("-q", 'q', &["quiet"]),
    flag("-s", 's', &["strip", "no-symlinks"]),
    flag("-z", 'z', &["zero"]),
    long("--relative-to", &["relative-to"], Takes::Value),
];
const PWD: &[Known] = &[flag("-L", 'L', &["logical"]), flag("-P", 'P', &["physical"])];

/// Links are not followed further.
const MAX_LINKS: usize = 40;

/// What has to be there of a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Existing {
    All,
    AllButLast,
    Nothing,
}

/// What links lead to.
pub(super) fn readlink(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, READLINK, Order::Anywhere)?;
    if options.operands.is_empty() {
        return usage(process, "missing operand");
    }
    let existing = match options.last_of(&["-e", "-f", "-m"]) {
        Some("-e") => Some(Existing::All),
        Some("-f") => Some(Existing::AllButLast),
        Some(_) => Some(Existing::Nothing),
        None => None,
    };
    let is_many = options.operands.len() > 1;
    if options.has("-n") && is_many {
        process.complain("ignoring --no-newline with multiple arguments")?;
    }
    let end: &[u8] = match (options.has("-n") && !is_many, options.has("-z")) {
        (true, _) => b"",
        (false, true) => b"\0",
        (false, false) => b"\n",
    };
    let mut status = 0;
    for path in &options.operands {
        let read = match existing {
            Some(existing) => canonical(process, path, existing).map(|path| absolute(&path)),
            None => target(process, path),
        };
        match errno(read)? {
            Ok(target) => process.write([&target, end].concat())?,
            Err(error) => {
                status = 1;
                if options.last_of(&["-q", "-v"]) == Some("-v") {
                    process.complain(format!("{}: {error}", bare(path)))?;
                }
            }
        }
    }
    Ok(status)
}

fn target(process: &Process<'_, '_>, path: &[u8]) -> FileResult<BString> {
    let (_, stat) = process.find(path, Last::Kept)?;
    match stat.kind {
        Kind::Symlink(target) => Ok(target.into()),
        _ => Err(Errno::Invalid.into()),
    }
}

/// Paths without links.
pub(super) fn realpath(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, REALPATH, Order::Anywhere)?;
    if options.operands.is_empty() {
        return usage(process, "missing operand");
    }
    let existing = match options.last_of(&["-e", "-m"]) {
        Some("-e") => Existing::All,
        Some(_) => Existing::Nothing,
        None => Existing::AllButLast,
    };
    let resolve = |process: &Process<'_, '_>, path: &[u8]| {
        if !options.has("-s") {
            return canonical(process, path, existing);
        }
        let found = canonical(process, path, existing)?;
        let is_absolute = path.starts_with(b"/");
        drop(found);
        Ok(if is_absolute { ImagePath::lexical(path) } else { process.directory.join(path) })
    };
    let base = match options.value("--relative-to") {
        None => None,
        Some(base) => {
            let resolved = resolve(process, base);
            let what = || bare(base);
            let Some(resolved) = attempt(process, resolved, what)? else { return Ok(1) };
            Some(resolved)
        }
    };
    let end: &[u8] = if options.has("-z") { b"\0" } else { b"\n" };
    let mut status = 0;
    for path in &options.operands {
        match errno(resolve(process, path))? {
            Ok(real) => {
                let shown = match &base {
                    Some(base) => relative_to(&real, base),
                    None => absolute(&real),
                };
                process.write([&shown, end].concat())?;
            }
            Err(error) => {
                status = 1;
                if !options.has("-q") {
                    let shown = if path.is_empty() { "''".to_owned() } else { bare(path) };
                    process.complain(format!("{shown}: {error}"))?;
                }
            }
        }
    }
    Ok(status)
}

/// The working directory.
pub(super) fn pwd(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, PWD, Order::Anywhere)?;
    if !options.operands.is_empty() {
        process.complain("ignoring non-option arguments")?;
    }
    let real = absolute(&process.directory);
    let is_logical = options.last_of(&["-L", "-P"]) == Some("-L");
    let named = process.environment.get(&BString::from("PWD")).filter(|_| is_logical).cloned();
    let shown = match named {
        Some(named) if is_here(process, &named)? => named,
        _ => real,
    };
    process.write([&shown[..], b"\n"].concat())?;
    Ok(0)
}

/// Whether a path without dots in it names the working directory.
fn is_here(process: &Process<'_, '_>, path: &[u8]) -> Result<bool, Stop> {
    let has_dots = path.split(|byte| *byte == b'/').any(|name| matches!(name, b"." | b".."));
    if !path.starts_with(b"/") || has_dots {
        return Ok(false);
    }
    let found = errno(process.find(path, Last::Followed))?;
    Ok(found.is_ok_and(|(real, _)| real == process.directory))
}

/// A real path with its slash.
pub(super) fn absolute(path: &ImagePath) -> BString {
    [b"/", path.as_bytes()].concat().into()
}

fn canonical(process: &Process<'_, '_>, path: &[u8], existing: Existing) -> FileResult<ImagePath> {
    match existing {
        Existing::All => process.find(path, Last::Followed).map(|(path, _)| path),
        Existing::AllButLast => {
            let Located { path: real, .. } = process.locate(path, Last::Followed)?;
            Ok(real)
        }
        Existing::Nothing => {
            let Some(real) = canonical_lenient(process, path)? else {
                return Err(Errno::NotFound.into());
            };
            Ok(real)
        }
    }
}

/// A path without links, whatever is missing of it; `None` for no path at all.
pub(super) fn canonical_lenient(
    process: &Process<'_, '_>,
    path: &[u8],
) -> Result<Option<ImagePath>, Stop> {
    if path.is_empty() {
        return Ok(None);
    }
    let mut at = match path.starts_with(b"/") {
        true => ImagePath::root(),
        false => process.directory.clone(),
    };
    let mut left: VecDeque<BString> = names(path).collect();
    let mut links = 0;
    while let Some(name) = left.pop_front() {
        if name == ".." {
            at = at.parent().unwrap_or_else(ImagePath::root);
            continue;
        }
        let next = at.join(&name);
        let stat = errno(process.machine.files.stat(&next))?.ok().flatten();
        match stat.map(|stat| stat.kind) {
            Some(Kind::Symlink(target)) if links < MAX_LINKS => {
                links += 1;
                if target.starts_with(b"/") {
                    at = ImagePath::root();
                }
                for name in names(&target).collect::<Vec<_>>().into_iter().rev() {
                    left.push_front(name);
                }
            }
            _ => at = next,
        }
    }
    Ok(Some(at))
}

fn names(path: &[u8]) -> impl Iterator<Item = BString> + '_ {
    let names = path.split(|byte| *byte == b'/');
    names.filter(|name| !matches!(*name, b"" | b".")).map(BString::from)
}

/// The way from one real path to another.
pub(super) fn relative_to(to: &ImagePath, from: &ImagePath) -> BString {
    let shared = to.components().zip(from.components()).take_while(|(to, from)| to == from).count();
    let up = from.components().skip(shared).map(|_| &b".."[..]);
    let parts: Vec<&[u8]> = up.chain(to.components().skip(shared)).collect();
    match parts.is_empty() {
        true => BString::from("."),
        false => bstr::join("/", parts).into(),
    }
}
