//! The links of a group: from where they are called to `/etc/alternatives`, and from there to the
//! files.

use bstr::{BStr, BString, ByteSlice};

use super::group::Group;
use crate::files::{FileResult, Kind, Last, NewNode};
use crate::process::{Process, errno};
use crate::stop::{Reason, Stop};

const DIRECTORY: &str = "/etc/alternatives";

/// What stands where a link is to be.
enum Place {
    Free,
    Link(BString),
    Other,
}

/// Where the group's link leads now.
pub(super) fn current(process: &Process<'_, '_>, group: &Group) -> Result<Option<BString>, Stop> {
    match look(process, inner(&group.name).as_bstr())? {
        Place::Link(target) => Ok(Some(target)),
        Place::Free => Ok(None),
        Place::Other => {
            Err(refused(process, format!("finds no link in {DIRECTORY}/{}", group.name)))
        }
    }
}

/// Whether the group's link leads to `/etc/alternatives`.
pub(super) fn is_whole(process: &Process<'_, '_>, group: &Group) -> Result<bool, Stop> {
    let inner = inner(&group.name);
    Ok(matches!(look(process, group.link.as_bstr())?, Place::Link(target) if target == inner))
}

/// Makes all links lead to what belongs to a choice.
pub(super) fn install(
    process: &mut Process<'_, '_>,
    group: &Group,
    path: &BStr,
) -> Result<(), Stop> {
    let Some(choice) = group.choices.get(&BString::from(path)) else { return Ok(()) };
    put_both(process, &group.name, &group.link, path)?;
    for (name, link) in &group.slaves {
        match choice.slaves.get(name) {
            Some(file) if errno(process.find(file, Last::Followed))?.is_ok() => {
                put_both(process, name, link, file.as_bstr())?;
            }
            Some(file) => {
                let group = &group.name;
                process.complain(format!(
                    "warning: skip creation of {link} because associated file {file} \
                     (of link group {group}) doesn't exist"
                ))?;
                take_both(process, name, link)?;
            }
            None => take_both(process, name, link)?,
        }
    }
    Ok(())
}

/// Takes all links of a group away.
pub(super) fn remove(process: &mut Process<'_, '_>, group: &Group) -> Result<(), Stop> {
    take_both(process, &group.name, &group.link)?;
    for (name, link) in &group.slaves {
        take_both(process, name, link)?;
    }
    Ok(())
}

fn inner(name: &BString) -> BString {
    format!("{DIRECTORY}/{name}").into()
}

fn look(process: &Process<'_, '_>, path: &BStr) -> Result<Place, Stop> {
    Ok(match errno(process.find(path, Last::Kept))? {
        Err(_) => Place::Free,
        Ok((_, stat)) => match stat.kind {
            Kind::Symlink(target) => Place::Link(target.into()),
            _ => Place::Other,
        },
    })
}

fn put_both(
    process: &mut Process<'_, '_>,
    name: &BString,
    link: &BString,
    file: &BStr,
) -> Result<(), Stop> {
    let inner = inner(name);
    put(process, inner.as_bstr(), file)?;
    match look(process, link.as_bstr())? {
        Place::Other => process.complain(format!("warning: not replacing {link} with a link")),
        Place::Free | Place::Link(_) => put(process, link.as_bstr(), inner.as_bstr()),
    }
}

/// A link in the place of what is no such link.
fn put(process: &mut Process<'_, '_>, link: &BStr, target: &BStr) -> Result<(), Stop> {
    if matches!(look(process, link)?, Place::Link(old) if old == target) {
        return Ok(());
    }
    let made = replace(process, link, target);
    errno(made)?.map_err(|errno| refused(process, format!("cannot make {link}: {errno}")))
}

fn replace(process: &mut Process<'_, '_>, link: &BStr, target: &BStr) -> FileResult<()> {
    let located = process.locate(link, Last::Kept)?;
    if located.stat.is_some() {
        process.machine.files.remove(&located.path)?;
    }
    process.machine.files.make(&located.path, NewNode::Symlink(target.to_vec()), 0o777)?;
    // The link is as old as what it leads to, so that it is the same whenever it is made.
    match process.locate(link, Last::Followed)?.stat {
        Some(stat) => process.machine.files.set_time(&located.path, stat.attributes.mtime),
        None => Ok(()),
    }
}

/// Only links are taken away.
fn take_both(process: &mut Process<'_, '_>, name: &BString, link: &BString) -> Result<(), Stop> {
    for path in [link, &inner(name)] {
        if let Place::Link(_) = look(process, path.as_bstr())? {
            let removed = process
                .find(path, Last::Kept)
                .and_then(|(real, _)| process.machine.files.remove(&real));
            errno(removed)?
                .map_err(|errno| refused(process, format!("cannot remove {path}: {errno}")))?;
        }
    }
    Ok(())
}

fn refused(process: &Process<'_, '_>, why: String) -> Stop {
    process.refuse(Reason::Use(why))
}
