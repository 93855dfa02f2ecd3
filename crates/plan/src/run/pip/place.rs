//! Files of wheels, put into the file system.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use layer::Attributes;
use oci::ImagePath;
use python::{FileOrigin, InstalledFile, Package};
use shell::files::{EXECUTE, Errno, FileError, FileResult, Last, NewNode, WRITE};
use shell::{Data, Origin, Process, Stored};

use super::super::outside::RunOutside;
use super::gather::{Ended, number};
use super::layout::{Placement, PlacementKind};
use super::{Install, PlacedFile, Said};
use crate::facts::InstalledWheel;
use crate::wheels;

const SET_GROUP: u32 = 0o2000;
/// What a new directory gets, but for the mask.
const DIRECTORY_MODE: u32 = 0o777;

/// Puts wheels there, in their order, and remembers what was put.
pub(super) fn place(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    packages: &[Package],
    wheels: &[Arc<InstalledWheel>],
    placement: &Placement,
    replaced: Replaced,
) -> Result<(), Ended> {
    let skipped = make_room(process, wheels, placement, replaced)?;
    let mut directories = HashMap::new();
    for (package, wheel) in packages.iter().zip(wheels) {
        let mut files = Vec::with_capacity(wheel.installation.files.len());
        for (at, file) in wheel.installation.files.iter().enumerate() {
            let path = placement.path_of(file);
            if skipped.iter().any(|item| path.starts_with(item)) {
                continue;
            }
            let placed = put(process, &mut directories, &path, file);
            let (path, attributes) = match placed {
                Ok(placed) => placed,
                Err(FileError::Stop(stop)) => return Err(stop.into()),
                Err(FileError::Errno(errno)) => return Err(refused(process, &path, errno)),
            };
            let source = wheels::source(wheel, file);
            run.planner.borrow_mut().shared.sources.insert(file.content.digest, source);
            files.push(PlacedFile { at, path, attributes });
        }
        let install = Install { package: package.clone(), wheel: Arc::clone(wheel), files };
        run.installs.borrow_mut().push(install);
    }
    Ok(())
}

/// What becomes of what is in a target directory already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Replaced {
    /// It goes: `--upgrade`.
    Goes,
    /// It stays, and what would take its place is left out.
    Stays,
}

/// What pip says of files that it cannot write.
fn refused(process: &mut Process<'_, '_>, path: &ImagePath, errno: Errno) -> Ended {
    let advice = match errno {
        Errno::PermissionDenied => "Consider using the `--user` option or check the permissions.\n",
        _ => "",
    };
    let number = number(errno);
    Said(process).error(&format!(
        "Could not install packages due to an OSError: [Errno {number}] {errno}: '/{path}'\n{advice}"
    ))
}

/// Compares what would be moved to a target with what is there (`_handle_target_dir`): item by
/// item, packages and directories alike. What is not to be moved is returned.
fn make_room(
    process: &mut Process<'_, '_>,
    wheels: &[Arc<InstalledWheel>],
    placement: &Placement,
    replaced: Replaced,
) -> Result<Vec<ImagePath>, Ended> {
    let PlacementKind::Target(target) = &placement.kind else { return Ok(Vec::new()) };
    let files = wheels.iter().flat_map(|wheel| &wheel.installation.files);
    let items: BTreeSet<ImagePath> = files
        .filter_map(|file| {
            let path = placement.path_of(file);
            let first = path.strip_prefix(target)?.split(|byte| *byte == b'/').next()?;
            Some(target.join(first))
        })
        .collect();
    let mut skipped = Vec::new();
    for item in items {
        let located = process.machine.files.locate(
            &ImagePath::root(),
            absolute(&item).as_slice(),
            Last::Kept,
        );
        let (real, stat) = match located {
            Ok(located) => (located.path, located.stat),
            Err(FileError::Errno(_)) => continue,
            Err(FileError::Stop(stop)) => return Err(stop.into()),
        };
        let Some(stat) = stat else { continue };
        let is_link = matches!(stat.kind, shell::files::Kind::Symlink(_));
        let warning = match replaced {
            Replaced::Stays => format!(
                "WARNING: Target directory /{item} already exists. Specify --upgrade to force \
                 replacement.\n"
            ),
            Replaced::Goes if is_link => format!(
                "WARNING: Target directory /{item} already exists and is a link. pip will not \
                 automatically replace links, please remove if replacement is desired.\n"
            ),
            Replaced::Goes => {
                let removed = process.machine.files.remove_all(&real);
                super::settled(removed, "pip install")?;
                continue;
            }
        };
        process.write_to(2, warning.as_bytes())?;
        skipped.push(item);
    }
    Ok(skipped)
}

fn absolute(path: &ImagePath) -> Vec<u8> {
    [b"/", path.as_bytes()].concat()
}

/// Puts one file, and gives the path without links and what it got.
fn put(
    process: &mut Process<'_, '_>,
    directories: &mut HashMap<ImagePath, ImagePath>,
    path: &ImagePath,
    file: &InstalledFile,
) -> FileResult<(ImagePath, Attributes)> {
    let (above, name) =
        (path.parent().unwrap_or_else(ImagePath::root), path.file_name().unwrap_or_default());
    let above = directory(process, directories, &above)?;
    let (umask, files) = (process.umask, &mut process.machine.files);
    let Some(stat) = files.stat(&above)? else { return Err(Errno::NotFound.into()) };
    if !files.may(&stat, WRITE | EXECUTE) {
        return Err(Errno::PermissionDenied.into());
    }
    let user = files.user();
    let is_shared = stat.attributes.mode & SET_GROUP != 0;
    let gid = if is_shared { stat.attributes.gid } else { user.gid };
    let mode = mode(file, umask);
    let attributes = Attributes { uid: user.uid, gid, ..Attributes::root(mode, files.clock()) };
    let data = match &file.origin {
        FileOrigin::Inline(bytes) => Data::of(bytes.to_vec()),
        FileOrigin::Member(_) => {
            Data::Stored(Stored { content: file.content, origin: Arc::new(Origin::Given) })
        }
    };
    let path = above.join(name);
    files.put_whole(&path, attributes.clone(), NewNode::File(data))?;
    Ok((path, attributes))
}

/// A file's mode under a mask. pip keeps of a wheel's whether a file is executable
/// (`set_extracted_file_to_default_mode_plus_executable`), and makes scripts so for everybody
/// (distlib's `set_executable_mode`).
fn mode(file: &InstalledFile, umask: u32) -> u32 {
    let is_executable = file.mode & 0o111 != 0;
    match file.origin {
        FileOrigin::Inline(_) if is_executable => (0o666 & !umask) | 0o555,
        FileOrigin::Member(_) if is_executable => (0o777 & !umask) | 0o111,
        _ => 0o666 & !umask,
    }
}

/// The directory at a path, all links followed, with what is missing of it made.
fn directory(
    process: &mut Process<'_, '_>,
    known: &mut HashMap<ImagePath, ImagePath>,
    path: &ImagePath,
) -> FileResult<ImagePath> {
    if let Some(known) = known.get(path) {
        return Ok(known.clone());
    }
    let root = ImagePath::root();
    let located = match path.parent() {
        None => process.machine.files.locate(&root, b"/", Last::Followed)?,
        Some(above) => {
            let above = directory(process, known, &above)?;
            let name = path.file_name().unwrap_or_default();
            let path = absolute(&above.join(name));
            process.machine.files.locate(&root, &path, Last::Followed)?
        }
    };
    match &located.stat {
        Some(stat) if !stat.is_directory() => return Err(Errno::NotADirectory.into()),
        Some(_) => {}
        None => {
            let mode = DIRECTORY_MODE & !process.umask;
            process.machine.files.make(&located.path, NewNode::Directory, mode)?;
        }
    }
    known.insert(path.clone(), located.path.clone());
    Ok(located.path)
}

/// Makes a directory that pip needs for a file of its own.
pub(super) fn make_directory(
    process: &mut Process<'_, '_>,
    path: &ImagePath,
) -> FileResult<ImagePath> {
    directory(process, &mut HashMap::new(), path)
}
