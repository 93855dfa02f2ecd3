//! Home directories: how they come to be, move, and change hands.

use bstr::{BStr, ByteSlice};
use layer::Attributes;
use oci::ImagePath;

use super::refused;
use crate::files::{FileResult, Kind, Last, NewNode, Stat};
use crate::process::{Process, errno};
use crate::stop::Stop;

/// What becomes of a skeleton's files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Times {
    /// As in the skeleton.
    Kept,
    /// As of everything that is new.
    New,
}

/// Whom a home is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// What stands at a path.
pub(super) fn look(
    process: &Process<'_, '_>,
    path: &BStr,
) -> Result<Option<(ImagePath, Stat)>, Stop> {
    Ok(errno(process.find(path, Last::Followed))?.ok())
}

/// Makes a directory, with root's directories above it where there are none.
pub(super) fn make(
    process: &mut Process<'_, '_>,
    path: &BStr,
    mode: u32,
    owner: Owner,
) -> Result<ImagePath, Stop> {
    let mut written = Vec::new();
    for name in path.split_str("/").filter(|name| !name.is_empty()) {
        written.extend_from_slice(b"/");
        written.extend_from_slice(name);
        let made = make_directory(process, &written);
        done(process, path, made)?;
    }
    let located = process.find(path, Last::Followed);
    let (real, stat) = done(process, path, located)?;
    let attributes = Attributes { mode, uid: owner.uid, gid: owner.gid, ..stat.attributes };
    let set = process.machine.files.set_attributes(&real, attributes);
    done(process, path, set)?;
    Ok(real)
}

fn make_directory(process: &mut Process<'_, '_>, path: &[u8]) -> FileResult<()> {
    let located = process.locate(path, Last::Followed)?;
    match located.stat {
        Some(_) => Ok(()),
        None => process.machine.files.make(&located.path, NewNode::Directory, 0o755),
    }
}

/// Copies what is in a skeleton into a new home.
pub(super) fn fill(
    process: &mut Process<'_, '_>,
    skeleton: &BStr,
    home: &ImagePath,
    owner: Owner,
    times: Times,
) -> Result<(), Stop> {
    let Some((from, stat)) = look(process, skeleton)? else { return Ok(()) };
    if !stat.is_directory() {
        return Ok(());
    }
    let walked = process.machine.files.walk(&from);
    let all = done(process, skeleton, walked)?;
    for (path, stat) in all.into_iter().skip(1) {
        let rest = path.strip_prefix(&from).unwrap_or_default();
        let copied = copy(process, stat, &home.join(rest), owner, times);
        match copied {
            Some(copied) => done(process, skeleton, copied)?,
            None => return Err(refused(process, format!("copies /{path}, which is a device"))),
        }
    }
    Ok(())
}

/// `None` for what a skeleton should not hold.
fn copy(
    process: &mut Process<'_, '_>,
    stat: Stat,
    to: &ImagePath,
    owner: Owner,
    times: Times,
) -> Option<FileResult<()>> {
    let node = match stat.kind {
        Kind::File(data) => NewNode::File(data),
        Kind::Directory => NewNode::Directory,
        Kind::Symlink(target) => NewNode::Symlink(target),
        Kind::CharDevice { .. } | Kind::BlockDevice { .. } | Kind::Fifo => return None,
    };
    let mut attributes = Attributes { uid: owner.uid, gid: owner.gid, ..stat.attributes };
    if times == Times::New {
        attributes.mtime = process.machine.files.clock();
    }
    Some(process.machine.files.put_whole(to, attributes, node))
}

/// Gives everything of one owner at and below a directory to another (shadow's `chown_tree`).
pub(super) fn hand_over(
    process: &mut Process<'_, '_>,
    home: &ImagePath,
    from: Owner,
    to: Owner,
) -> Result<(), Stop> {
    let shown = home.to_string();
    let walked = process.machine.files.walk(home);
    for (path, stat) in done(process, shown.as_bytes().as_bstr(), walked)? {
        let uid = (stat.attributes.uid == from.uid && from.uid != to.uid).then_some(to.uid);
        let gid = (stat.attributes.gid == from.gid && from.gid != to.gid).then_some(to.gid);
        if uid.is_some() || gid.is_some() {
            let set = process.machine.files.set_owner(&path, uid, gid);
            done(process, shown.as_bytes().as_bstr(), set)?;
        }
    }
    Ok(())
}

/// What the programs have own words for, one for each system call: not gone into.
pub(super) fn done<T>(
    process: &Process<'_, '_>,
    path: &BStr,
    result: FileResult<T>,
) -> Result<T, Stop> {
    errno(result)?.map_err(|errno| refused(process, format!("fails at {path}: {errno}")))
}
