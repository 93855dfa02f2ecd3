//! What a container's runtime puts over the image: `/proc`, `/sys`, `/dev`, and three files in
//! `/etc` (OCI runtime-spec `config-linux.md`, "Default Filesystems" and "Default Devices").

use std::collections::BTreeMap;

use bstr::BString;
use layer::Attributes;
use oci::ImagePath;

use super::{FileResult, Identity, Kind, Stat, VolumeId};
use crate::data::Data;
use crate::stop::{Reason, Stop};

/// Directories of the runtime, by mode.
const DIRECTORIES: [(&str, u32); 3] = [("dev", 0o755), ("proc", 0o555), ("sys", 0o555)];
/// Devices that are the same everywhere, by minor number; the major number is 1 (Linux's
/// `Documentation/admin-guide/devices.txt`).
const DEVICES: [(&str, u32); 3] = [("dev/full", 7), ("dev/null", 3), ("dev/zero", 5)];
/// Names of a process's own descriptors. Opening them is the shell's; here they only exist.
const DESCRIPTORS: [&str; 3] = ["dev/stderr", "dev/stdin", "dev/stdout"];
/// Where BuildKit puts scripts that a recipe holds.
const SCRIPTS: &str = "dev/pipes";
/// Files that the builder mounts while a `RUN` runs: what is in them is the builder's.
const MOUNTED: [&str; 3] = ["etc/hostname", "etc/hosts", "etc/resolv.conf"];

/// What the runtime has at `path`; an error for what depends on the machine.
pub(super) fn lookup(path: &ImagePath) -> FileResult<Option<Stat>> {
    let Some(top) = path.components().next() else { return Ok(None) };
    let Some((_, mode)) = DIRECTORIES.iter().find(|(name, _)| name.as_bytes() == top) else {
        return Ok(None);
    };
    if path.as_bytes() == top {
        return Ok(Some(stat(path, *mode, Kind::Directory)));
    }
    if path.starts_with(&ImagePath::lexical(SCRIPTS)) {
        return Ok(None);
    }
    if let Some((_, minor)) = DEVICES.iter().find(|(name, _)| name.as_bytes() == path.as_bytes()) {
        let device = Kind::CharDevice { major: 1, minor: *minor };
        return Ok(Some(stat(path, 0o666, device)));
    }
    if DESCRIPTORS.iter().any(|name| name.as_bytes() == path.as_bytes()) {
        return Ok(Some(stat(path, 0o666, Kind::Fifo)));
    }
    Err(depends_on_machine(path).into())
}

/// The runtime's directories cannot be listed.
pub(super) fn refuse_listing(path: &ImagePath) -> FileResult<()> {
    match is_directory(path) {
        true => Err(depends_on_machine(path).into()),
        false => Ok(()),
    }
}

/// Whether this is one of the runtime's directories, which cannot be removed.
pub(super) fn is_directory(path: &ImagePath) -> bool {
    DIRECTORIES.iter().any(|(name, _)| name.as_bytes() == path.as_bytes())
}

/// A file that the builder mounts, where the image has none of that name: it is there, and what is in
/// it nobody knows.
pub(super) fn mounted(path: &ImagePath) -> Option<Stat> {
    let is_mounted = MOUNTED.iter().any(|name| name.as_bytes() == path.as_bytes());
    is_mounted.then(|| stat(path, 0o644, Kind::File(Data::empty())))
}

/// Refuses to read or change a file that is not the image's while a command runs.
pub(super) fn refuse_mounted(path: &ImagePath) -> FileResult<()> {
    match MOUNTED.iter().any(|name| name.as_bytes() == path.as_bytes()) {
        true => Err(depends_on_machine(path).into()),
        false => Ok(()),
    }
}

/// Refuses to change what the runtime has.
pub(super) fn refuse_changing(path: &ImagePath) -> FileResult<()> {
    Err(depends_on_machine(path).into())
}

pub(super) fn add_directories(children: &mut BTreeMap<BString, Stat>) {
    for (name, mode) in DIRECTORIES {
        children.insert(name.into(), stat(&ImagePath::lexical(name), mode, Kind::Directory));
    }
}

fn stat(path: &ImagePath, mode: u32, kind: Kind) -> Stat {
    let identity = Identity::Special(path.clone());
    // No volume has this number: `find -xdev` does not go there.
    let volume = VolumeId(usize::MAX);
    Stat { attributes: Attributes::root(mode, 0), kind, identity, volume }
}

/// A device that gives bytes without end, or a pipe that nobody writes to.
pub(super) fn unread(path: &ImagePath) -> Stop {
    Stop::refuse(format!("/{path}"), Reason::Use("is a device or a pipe to be read".to_owned()))
}

fn depends_on_machine(path: &ImagePath) -> Stop {
    Stop::refuse(format!("/{path}"), Reason::Machine("the container's runtime makes it".to_owned()))
}
