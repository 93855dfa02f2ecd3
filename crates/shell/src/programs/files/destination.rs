//! Where `cp`, `mv`, `ln` and `install` put things: to a name, or into a directory.

use bstr::{BString, ByteSlice};

use super::report::{fail, usage};
use crate::files::{Errno, Last};
use crate::options::Options;
use crate::process::{Process, Run, errno};
use crate::programs::quoting::quoted;
use crate::stop::Stop;

/// Operands, sorted out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Destination {
    /// One source, to this name.
    Name(BString, BString),
    /// Sources, into this directory.
    Directory(Vec<BString>, BString),
}

/// What is made of a destination that is a link to a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LinkedDirectory {
    /// It is the directory.
    Entered,
    /// It is a name (`ln -n`).
    Replaced,
}

/// Reads the operands by `-t` and `-T`. The error is the exit status, once it has been complained.
pub(super) fn sort_out(
    process: &mut Process<'_, '_>,
    options: &Options,
    linked: LinkedDirectory,
) -> Result<Result<Destination, u8>, Stop> {
    let operands = &options.operands;
    let failed = |run: Run| run.map(Err);
    let Some(first) = operands.first() else {
        return failed(usage(process, "missing file operand"));
    };
    if options.has("-t") && options.has("-T") {
        let both = "cannot combine --target-directory (-t) and --no-target-directory (-T)";
        return failed(fail(process, both));
    }
    if let Some(directory) = options.value("-t") {
        return match directory_at(process, directory, linked)? {
            Ok(()) => Ok(Ok(Destination::Directory(operands.clone(), directory.into()))),
            Err(error) => {
                let what = match process.name() == "ln" || process.name() == "install" {
                    true => format!("failed to access {}: {error}", quoted(directory)),
                    false => format!("target directory {}: {error}", quoted(directory)),
                };
                failed(fail(process, what))
            }
        };
    }
    let [sources @ .., last] = operands.as_slice() else {
        return failed(usage(process, "missing file operand"));
    };
    if sources.is_empty() {
        let message = format!("missing destination file operand after {}", quoted(first));
        return failed(usage(process, message));
    }
    if options.has("-T") {
        return match sources {
            [source] => Ok(Ok(Destination::Name(source.clone(), last.clone()))),
            [_, _, ..] => {
                let extra = operands.get(2).map(|extra| quoted(extra)).unwrap_or_default();
                failed(usage(process, format!("extra operand {extra}")))
            }
            [] => failed(usage(process, "missing file operand")),
        };
    }
    match (directory_at(process, last, linked)?, sources) {
        (Ok(()), _) => Ok(Ok(Destination::Directory(sources.to_vec(), last.clone()))),
        (Err(_), [source]) => Ok(Ok(Destination::Name(source.clone(), last.clone()))),
        (Err(error), _) => failed(fail(process, format!("target {}: {error}", quoted(last)))),
    }
}

fn directory_at(
    process: &Process<'_, '_>,
    path: &[u8],
    linked: LinkedDirectory,
) -> Result<Result<(), Errno>, Stop> {
    let last = match linked {
        LinkedDirectory::Entered => Last::Followed,
        LinkedDirectory::Replaced => Last::Kept,
    };
    Ok(match errno(process.find(path, last))? {
        Ok((_, stat)) if stat.is_directory() => Ok(()),
        Ok(_) => Err(Errno::NotADirectory),
        Err(error) => Err(error),
    })
}

/// The last name of a path, without slashes at the end; `/` for the root.
pub(super) fn base(path: &[u8]) -> &[u8] {
    let trimmed = without_slashes(path);
    trimmed.rsplit(|byte| *byte == b'/').next().unwrap_or_default()
}

/// A path without slashes at its end, but for the root.
pub(super) fn without_slashes(path: &[u8]) -> &[u8] {
    let trimmed = path.trim_end_with(|letter| letter == '/');
    if trimmed.is_empty() && !path.is_empty() { b"/" } else { trimmed }
}

/// `directory/name`, with one slash between them.
pub(super) fn inside(directory: &[u8], name: &[u8]) -> BString {
    let slash: &[u8] = if directory.ends_with(b"/") { b"" } else { b"/" };
    let name = name.trim_start_with(|letter| letter == '/').as_bytes();
    [directory, slash, name].concat().into()
}
