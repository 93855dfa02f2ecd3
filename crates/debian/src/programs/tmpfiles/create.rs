//! What lines make, and what they alter.

use bstr::{BString, ByteSlice};
use oci::ImagePath;
use shell::files::{Kind as FileKind, Last, NewNode, Stat};
use shell::process::errno;
use shell::wildcard::{self, Case};
use shell::{Data, Process, Stop};

use super::line::{Kind, Line, Mode, Owner};
use crate::programs::failure::{Failure, Step, refused, said};
use crate::programs::place;

/// Where things come from if a line does not say it.
const FACTORY: &str = "/usr/share/factory";

/// Whether a line has made what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Made {
    New,
    Before,
}

pub(super) fn create(process: &mut Process<'_, '_>, line: &Line) -> Step<()> {
    match line.kind {
        Kind::File => file(process, line),
        Kind::Directory => directory(process, line),
        Kind::Link => link(process, line),
        Kind::Copy => copy(process, line),
        Kind::Fifo => fifo(process, line),
        Kind::Write => {
            for (path, _) in meant(process, &line.path)? {
                write(process, line, &path)?;
            }
            Ok(())
        }
        Kind::ExistingDirectory => {
            for (path, stat) in meant(process, &line.path)? {
                if stat.is_directory() {
                    adjust(process, line, &path, Made::Before)?;
                }
            }
            Ok(())
        }
        Kind::Adjust => {
            for (path, _) in meant(process, &line.path)? {
                adjust(process, line, &path, Made::Before)?;
            }
            Ok(())
        }
        Kind::AdjustAll => {
            for (path, _) in meant(process, &line.path)? {
                let all = process
                    .find(&path, Last::Kept)
                    .and_then(|(real, _)| process.machine.files.walk(&real));
                for (inner, stat) in said(all, || format!("Failed to open {path}"))? {
                    if !matches!(stat.kind, FileKind::Symlink(_)) {
                        adjust(process, line, &format!("/{inner}").into(), Made::Before)?;
                    }
                }
            }
            Ok(())
        }
    }
}

/// What a path with wildcards means, of what is there; a wildcard does not go over slashes, nor
/// over a dot at the beginning (glob(7)).
fn meant(process: &Process<'_, '_>, pattern: &BString) -> Result<Vec<(BString, Stat)>, Stop> {
    let mut found: Vec<BString> = vec!["".into()];
    for part in pattern.split_str("/").skip(1) {
        let mut next = Vec::new();
        for above in found {
            if !part.iter().any(|byte| b"*?[\\".contains(byte)) {
                next.push(place::within(&above, part));
                continue;
            }
            let directory = if above.is_empty() { "/".into() } else { above.clone() };
            for name in place::names(process, &directory)? {
                let is_hidden = name.starts_with(b".") && !part.starts_with(b".");
                if !is_hidden && wildcard::matches(part, &name, Case::Counts) {
                    next.push(place::within(&above, &name));
                }
            }
        }
        found = next;
    }
    let mut all = Vec::new();
    for path in found {
        if let Ok((_, stat)) = errno(process.find(&path, Last::Kept))? {
            all.push((path, stat));
        }
    }
    Ok(all)
}

fn make_above(process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
    let above = BString::from(place::directory_of(path));
    if above.is_empty() {
        return Ok(());
    }
    let made = place::make_directories(process, &above, 0o755);
    said(made, || format!("Failed to create parent directories of \"{path}\""))
}

/// The bytes of an argument.
fn content(process: &Process<'_, '_>, line: &Line) -> Step<Vec<u8>> {
    let argument = line.argument.clone().unwrap_or_default();
    match argument.contains(&b'\\') {
        true => Err(refused(process, format!("finds a backslash in {argument}")).into()),
        false => {
            let text = argument.strip_prefix(b"\"").and_then(|text| text.strip_suffix(b"\""));
            Ok(text.unwrap_or(&argument).to_vec())
        }
    }
}

fn file(process: &mut Process<'_, '_>, line: &Line) -> Step<()> {
    let path = &line.path;
    make_above(process, path)?;
    let text = content(process, line)?;
    let located = said(process.locate(path, Last::Kept), || failed(path))?;
    let made = match located.stat {
        Some(stat) if stat.data().is_none() => {
            return Failure::error(format_args!("{path} exists and is not a regular file."));
        }
        Some(_) => {
            if line.is_forced {
                let written = process.machine.files.write(&located.path, Data::of(text));
                said(written, || failed(path))?;
            }
            Made::Before
        }
        None => {
            let mode = line.mode.map_or(0o644, |mode| mode.bits);
            make(process, path, &located.path, NewNode::File(Data::of(text)), mode)?;
            Made::New
        }
    };
    adjust(process, line, path, made)
}

fn write(process: &mut Process<'_, '_>, line: &Line, path: &BString) -> Step<()> {
    let mut bytes = match line.is_forced {
        true => place::read(process, path)?.unwrap_or_default().to_vec(),
        false => Vec::new(),
    };
    bytes.extend(content(process, line)?);
    let written = process
        .find(path, Last::Followed)
        .and_then(|(real, _)| process.machine.files.write(&real, Data::of(bytes)));
    said(written, || format!("Failed to write file \"{path}\""))
}

fn make(
    process: &mut Process<'_, '_>,
    path: &BString,
    real: &ImagePath,
    node: NewNode,
    mode: u32,
) -> Step<()> {
    let made = process.machine.files.make(real, node, mode);
    said(made, || failed(path))
}

fn failed(path: &BString) -> String {
    format!("Failed to create file {path}")
}

fn directory(process: &mut Process<'_, '_>, line: &Line) -> Step<()> {
    let path = &line.path;
    make_above(process, path)?;
    let located = said(process.locate(path, Last::Kept), || failed(path))?;
    let made = match located.stat {
        Some(stat) if stat.is_directory() => Made::Before,
        Some(_) => {
            // A link to a directory is left as it is.
            return match place::is_directory(process, path)? {
                true => Ok(()),
                false => Failure::error(format_args!(
                    "\"{path}\" already exists and is not a directory."
                )),
            };
        }
        None => {
            let mode = line.mode.map_or(0o755, |mode| mode.bits);
            make(process, path, &located.path, NewNode::Directory, mode)?;
            Made::New
        }
    };
    adjust(process, line, path, made)
}

fn link(process: &mut Process<'_, '_>, line: &Line) -> Step<()> {
    let path = &line.path;
    let factory = || BString::from([FACTORY.as_bytes(), path].concat());
    let target = line.argument.clone().unwrap_or_else(factory);
    make_above(process, path)?;
    let located = said(process.locate(path, Last::Kept), || failed(path))?;
    if let Some(stat) = located.stat {
        let is_same = matches!(&stat.kind, FileKind::Symlink(old) if *old == target);
        if is_same || !line.is_forced {
            return Ok(());
        }
        let removed = process.machine.files.remove_all(&located.path);
        said(removed, || format!("Failed to remove {path}"))?;
    }
    make(process, path, &located.path, NewNode::Symlink(target.to_vec()), 0o777)?;
    owned(process, line, &located.path, Made::New)
}

fn copy(process: &mut Process<'_, '_>, line: &Line) -> Step<()> {
    let path = &line.path;
    let factory = || BString::from([FACTORY.as_bytes(), path].concat());
    let source = line.argument.clone().unwrap_or_else(factory);
    let Ok((_, stat)) = errno(process.find(&source, Last::Kept))? else { return Ok(()) };
    let Some(data) = stat.data().cloned() else {
        return Err(refused(process, format!("copies {source}, which is no file")).into());
    };
    make_above(process, path)?;
    let located = said(process.locate(path, Last::Kept), || failed(path))?;
    if located.stat.is_some() {
        return adjust(process, line, path, Made::Before);
    }
    let put = process.machine.files.put_whole(&located.path, stat.attributes, NewNode::File(data));
    said(put, || format!("Failed to copy files to {path}"))?;
    adjust(process, line, path, Made::New)
}

fn fifo(process: &mut Process<'_, '_>, line: &Line) -> Step<()> {
    let path = &line.path;
    make_above(process, path)?;
    let located = said(process.locate(path, Last::Kept), || failed(path))?;
    let made = match located.stat {
        Some(stat) if stat.kind == FileKind::Fifo => Made::Before,
        Some(_) => return Ok(()),
        None => {
            let mode = line.mode.map_or(0o644, |mode| mode.bits);
            make(process, path, &located.path, NewNode::Fifo, mode)?;
            Made::New
        }
    };
    adjust(process, line, path, made)
}

/// Gives what is at a path the owner and mode of a line.
fn adjust(process: &mut Process<'_, '_>, line: &Line, path: &BString, made: Made) -> Step<()> {
    let Ok((real, stat)) = errno(process.find(path, Last::Kept))? else { return Ok(()) };
    owned(process, line, &real, made)?;
    let Some(mode) = line.mode.filter(|mode| made == Made::New || !mode.is_for_new) else {
        return Ok(());
    };
    if matches!(stat.kind, FileKind::Symlink(_)) {
        return Ok(());
    }
    let bits = applied(mode, &stat);
    let set = process.machine.files.set_mode(&real, bits);
    said(set, || format!("Failed to set mode of {path}"))
}

fn owned(process: &mut Process<'_, '_>, line: &Line, real: &ImagePath, made: Made) -> Step<()> {
    let applies = |owner: Option<Owner>| {
        owner.filter(|owner| made == Made::New || !owner.is_for_new).map(|owner| owner.id)
    };
    let (user, group) = (applies(line.user), applies(line.group));
    if user.is_none() && group.is_none() {
        return Ok(());
    }
    let set = process.machine.files.set_owner(real, user, group);
    said(set, || format!("Failed to set owner of /{real}"))
}

fn applied(mode: Mode, stat: &Stat) -> u32 {
    let mut bits = mode.bits;
    if mode.is_masked {
        for class in [0o222, 0o444, 0o111] {
            if stat.attributes.mode & class == 0 {
                bits &= !class;
            }
        }
        if !stat.is_directory() {
            bits &= !0o7000;
        }
    }
    bits
}
