//! `ln` (coreutils manual, "ln invocation").

use bstr::{BString, ByteSlice};
use oci::ImagePath;

use super::destination::{Destination, LinkedDirectory, base, inside, sort_out};
use super::report::{attempt, fail};
use crate::files::{Errno, Kind, Last, Located, NewNode, Stat};
use crate::options::{Known, Options, Order, Takes, flag, value};
use crate::process::{Process, Run, errno};
use crate::programs::quoting::{bare, quoted};
use crate::stop::Stop;

const OPTIONS: &[Known] = &[
    flag("-f", 'f', &["force"]),
    flag("-L", 'L', &["logical"]),
    flag("-n", 'n', &["no-dereference"]),
    flag("-P", 'P', &["physical"]),
    flag("-r", 'r', &["relative"]),
    flag("-s", 's', &["symbolic"]),
    value("-t", 't', &["target-directory"]),
    Known { id: "-T", short: Some('T'), long: &["no-target-directory"], value: Takes::Nothing },
    flag("-v", 'v', &["verbose"]),
];

/// Makes links.
pub(super) fn ln(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    if options.has("-r") && !options.has("-s") {
        return fail(process, "cannot do --relative without --symbolic");
    }
    let pairs = match operands(process, &options)? {
        Ok(pairs) => pairs,
        Err(status) => return Ok(status),
    };
    let mut made = Vec::new();
    let mut status = 0;
    for (target, name) in pairs {
        status |= link(process, &options, &target, &name, &mut made)?;
    }
    Ok(status)
}

/// Each target, and the name that the link gets.
fn operands(
    process: &mut Process<'_, '_>,
    options: &Options,
) -> Result<Result<Vec<(BString, BString)>, u8>, Stop> {
    if let ([target], false, None) = (&*options.operands, options.has("-T"), options.value("-t")) {
        return Ok(Ok(vec![(target.clone(), inside(b".", base(target)))]));
    }
    let linked = match options.has("-n") {
        true => LinkedDirectory::Replaced,
        false => LinkedDirectory::Entered,
    };
    Ok(sort_out(process, options, linked)?.map(|destination| match destination {
        Destination::Name(target, name) => vec![(target, name)],
        Destination::Directory(targets, directory) => {
            let name = |target: &BString| inside(&directory, base(target));
            targets.iter().map(|target| (target.clone(), name(target))).collect()
        }
    }))
}

fn link(
    process: &mut Process<'_, '_>,
    options: &Options,
    target: &[u8],
    name: &[u8],
    made: &mut Vec<ImagePath>,
) -> Run {
    let is_symbolic = options.has("-s");
    let kind = if is_symbolic { "symbolic" } else { "hard" };
    let original = match is_symbolic {
        true => None,
        false => {
            let last = if options.has("-L") { Last::Followed } else { Last::Kept };
            let found = process.find(target, last);
            let what = || format!("failed to access {}", quoted(target));
            let Some((path, stat)) = attempt(process, found, what)? else { return Ok(1) };
            if stat.is_directory() {
                let target = bare(target);
                return fail(process, format!("{target}: hard link not allowed for directory"));
            }
            Some((path, stat))
        }
    };
    let failed = |process: &mut Process<'_, '_>, error: Errno| {
        let name = quoted(name);
        let (arrow, is_short) = match is_symbolic {
            true => ("->", !target.is_empty()),
            false => ("=>", matches!(error, Errno::Exists | Errno::NoSpace | Errno::ReadOnly)),
        };
        let both = if is_short { String::new() } else { format!(" {arrow} {}", quoted(target)) };
        fail(process, format!("failed to create {kind} link {name}{both}: {error}"))
    };
    let Located { path, stat } = match errno(process.locate(name, Last::Kept))? {
        Ok(located) => located,
        Err(error) => return failed(process, error),
    };
    if let (Some(existing), true) = (&stat, options.has("-f")) {
        let same = same_file(process, target, existing, &path, original.as_ref())?;
        if made.contains(&path) {
            let (name, target) = (quoted(name), quoted(target));
            return fail(process, format!("will not overwrite just-created {name} with {target}"));
        }
        if existing.is_directory() {
            return fail(process, format!("{}: cannot overwrite directory", bare(name)));
        }
        match same {
            Same::Name => {
                let (target, name) = (quoted(target), quoted(name));
                return fail(process, format!("{target} and {name} are the same file"));
            }
            Same::Linked => return tell(process, options, name, target),
            Same::No => {}
        }
        let removed = process.machine.files.remove(&path);
        if attempt(process, removed, || format!("cannot remove {}", quoted(name)))?.is_none() {
            return Ok(1);
        }
    }
    let written = match options.has("-r") {
        true => relative(process, target, &path)?,
        false => target.into(),
    };
    let result = match &original {
        Some((original, _)) => process.machine.files.link(original, &path),
        None if target.is_empty() => Err(Errno::NotFound.into()),
        None => process.machine.files.make(&path, NewNode::Symlink(written.to_vec()), 0o777),
    };
    if let Err(error) = errno(result)? {
        return failed(process, error);
    }
    made.push(path);
    tell(process, options, name, &written)
}

enum Same {
    No,
    /// By the same name.
    Name,
    /// A hard link of it already.
    Linked,
}

fn same_file(
    process: &Process<'_, '_>,
    target: &[u8],
    existing: &Stat,
    path: &ImagePath,
    original: Option<&(ImagePath, Stat)>,
) -> Result<Same, Stop> {
    if let Some((original, stat)) = original {
        return Ok(match (stat.identity == existing.identity, original == path) {
            (true, true) => Same::Name,
            (true, false) => Same::Linked,
            (false, _) => Same::No,
        });
    }
    // A symbolic link would take the place of what it leads to.
    let found = errno(process.find(target, Last::Followed))?;
    let is_itself = found.is_ok_and(|(behind, _)| behind == *path)
        && !matches!(existing.kind, Kind::Symlink(_));
    Ok(if is_itself { Same::Name } else { Same::No })
}

fn tell(process: &mut Process<'_, '_>, options: &Options, name: &[u8], target: &[u8]) -> Run {
    if options.has("-v") {
        let arrow = if options.has("-s") { "->" } else { "=>" };
        process.write(format!("{} {arrow} {}\n", quoted(name), quoted(target)))?;
    }
    Ok(0)
}

/// The target as seen from the directory that the link is in.
fn relative(process: &Process<'_, '_>, target: &[u8], link: &ImagePath) -> Result<BString, Stop> {
    let from = link.parent().unwrap_or_else(ImagePath::root);
    let to = super::readlink::canonical_lenient(process, target)?;
    Ok(match to {
        Some(to) => super::readlink::relative_to(&to, &from),
        None => target.as_bstr().to_owned(),
    })
}
