//! Debian's `deluser` and `delgroup` (deluser(8) of adduser 3.134).

use bstr::{BStr, BString, ByteSlice};

use super::adduser::{Talk, call, find_program, require_debian, take_lock};
use super::lookup;
use super::{fail, refused, require_root};
use crate::files::Last;
use crate::options::{Known, Options, Order, Takes, flag, long};
use crate::process::{Process, Run, errno};

const KNOWN: &[Known] = &[long("--group", &["group"], Takes::Nothing), flag("-q", 'q', &["quiet"])];

/// The program's exit statuses.
const NO_USER: u8 = 2;
const NO_GROUP: u8 = 3;
const NO_MEMBER: u8 = 6;
const PRIMARY_GROUP: u8 = 7;

pub(super) fn deluser(process: &mut Process<'_, '_>) -> Run {
    let options = read(process)?;
    let talk = Talk::of(options.has("-q"));
    match &options.operands[..] {
        [group] if options.has("--group") => remove_group(process, group.as_bstr(), talk),
        [user] => remove_user(process, user.as_bstr(), talk),
        [user, group] => remove_member(process, user.as_bstr(), group.as_bstr(), talk),
        _ => Err(refused(process, "asks for a name")),
    }
}

pub(super) fn delgroup(process: &mut Process<'_, '_>) -> Run {
    let options = read(process)?;
    let talk = Talk::of(options.has("-q"));
    match &options.operands[..] {
        [group] => remove_group(process, group.as_bstr(), talk),
        [user, group] => remove_member(process, user.as_bstr(), group.as_bstr(), talk),
        _ => Err(refused(process, "asks for a name")),
    }
}

fn read(process: &mut Process<'_, '_>) -> Result<Options, crate::Stop> {
    require_root(process)?;
    require_debian(process)?;
    Options::of(process, KNOWN, Order::Anywhere)
}

fn remove_user(process: &mut Process<'_, '_>, name: &BStr, talk: Talk) -> Run {
    let Some(user) = lookup::user_named(process, name)? else {
        return fail(process, NO_USER, format!("The user `{name}' does not exist."));
    };
    if user.uid == 0 {
        return Err(refused(process, "removes root"));
    }
    if errno(process.find(b"/usr/bin/crontab", Last::Followed))?.is_ok() {
        return Err(refused(process, "calls crontab"));
    }
    let rest = "not executed. Skipping crontab removal. Package `cron' required.";
    process.complain(format!("`/usr/bin/crontab' {rest}"))?;
    talk.say(process, format!("Removing user `{name}' ...\n"))?;
    take_lock(process)?;
    let program = find_program(process, "userdel")?;
    match call(process, vec![program, name.into()])? {
        0 => talk.say(process, "Done.\n".to_owned()).map(|()| 0),
        status => Ok(status),
    }
}

fn remove_group(process: &mut Process<'_, '_>, name: &BStr, talk: Talk) -> Run {
    if lookup::group_named(process, name)?.is_none() {
        return fail(process, NO_GROUP, format!("The group `{name}' does not exist."));
    }
    talk.say(process, format!("Removing group `{name}' ...\n"))?;
    take_lock(process)?;
    let program = find_program(process, "groupdel")?;
    match call(process, vec![program, name.into()])? {
        0 => talk.say(process, "Done.\n".to_owned()).map(|()| 0),
        status => Ok(status),
    }
}

fn remove_member(process: &mut Process<'_, '_>, name: &BStr, group: &BStr, talk: Talk) -> Run {
    let Some(user) = lookup::user_named(process, name)? else {
        return fail(process, NO_USER, format!("The user `{name}' does not exist."));
    };
    let Some(found) = lookup::group_named(process, group)? else {
        return fail(process, NO_GROUP, format!("The group `{group}' does not exist."));
    };
    if found.gid == user.gid {
        let message = "You may not remove the user from their primary group.";
        return fail(process, PRIMARY_GROUP, message);
    }
    if !found.members.iter().any(|member| member == name) {
        let message = format!("The user `{name}' is not a member of group `{group}'.");
        return fail(process, NO_MEMBER, message);
    }
    let mut left = Vec::new();
    for member in found.members.iter().filter(|member| *member != name) {
        if lookup::user_named(process, member.as_bstr())?.is_some() {
            left.push(member.clone());
        }
    }
    talk.say(process, format!("Removing user `{name}' from group `{group}' ...\n"))?;
    take_lock(process)?;
    let list = BString::from(bstr::join(",", &left));
    match call(process, vec!["/usr/bin/gpasswd".into(), "-M".into(), list, group.into()])? {
        0 => talk.say(process, "Done.\n".to_owned()).map(|()| 0),
        status => Ok(status),
    }
}
