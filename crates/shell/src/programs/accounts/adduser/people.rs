//! `adduser USER`: a user who may log in.

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};

use super::{Configuration, Home, Talk, call, find_program, first_free, make_home, number_of};
use super::{set_comment, take_lock};
use crate::files::Last;
use crate::options::Options;
use crate::process::{Process, Run, errno};
use crate::programs::accounts::home::Owner;
use crate::programs::accounts::{fail, lookup, refused};
use crate::stop::Stop;

pub(super) fn add(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
    configuration: &Configuration,
) -> Run {
    if !options.has("--disabled-password") && !options.has("--disabled-login") {
        return Err(refused(process, "asks for a password"));
    }
    let Some(comment) = options.value("--comment") else {
        return Err(refused(process, "asks for a comment"));
    };
    if errno(process.find(b"/usr/local/sbin/adduser.local", Last::Followed))?.is_ok() {
        return Err(refused(process, "calls /usr/local/sbin/adduser.local"));
    }
    let talk = Talk::of(options.has("-q"));
    take_lock(process)?;
    let owner = match numbers(process, name, options, configuration, talk)? {
        Ok(owner) => owner,
        Err(status) => return Ok(status),
    };
    let status = add_to_files(process, name, options, configuration, owner)?;
    if status != 0 {
        return Ok(status);
    }
    let path = home_of(name, options, configuration);
    let home = Home {
        path: path.as_bstr(),
        owner,
        mode: configuration.mode("dir_mode", 0o700),
        skeleton: Some(configuration.text("skel")).filter(|skeleton| !skeleton.is_empty()),
        is_wanted: !options.has("--no-create-home"),
    };
    make_home(process, &home, talk)?;
    match set_comment(process, name, comment)? {
        0 => join_groups(process, name, options, configuration, talk),
        status => Ok(status),
    }
}

/// The numbers of the user and of the group, which need not be there yet; or an exit status.
fn numbers(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
    configuration: &Configuration,
    talk: Talk,
) -> Result<Result<Owner, u8>, Stop> {
    let (users, groups) = (lookup::users(process)?, lookup::groups(process)?);
    let uids: BTreeSet<u32> = users.iter().map(|user| user.uid).collect();
    let is_user = |uid: u32| uids.contains(&uid);
    let gids: BTreeSet<u32> = groups.iter().map(|group| group.gid).collect();
    let is_group = |gid: u32| gids.contains(&gid);
    let failed = |process: &mut Process<'_, '_>, message| fail(process, 1, message).map(Err);
    if users.iter().any(|user| user.name == name) {
        return failed(process, format!("The user `{name}' already exists."));
    }
    let uid = match number_of(process, options, "--uid")? {
        Ok(uid) => uid,
        Err(status) => return Ok(Err(status)),
    };
    if let Some(uid) = uid.filter(|uid| is_user(*uid)) {
        return failed(process, format!("The UID {uid} is already in use."));
    }
    let gid = if let Some(group) = options.value("--ingroup") {
        let Some(found) = groups.iter().find(|known| known.name == group) else {
            return failed(process, format!("The group `{group}' does not exist."));
        };
        Some(found.gid)
    } else if let Ok(Some(gid)) = number_of(process, options, "--gid")? {
        if !is_group(gid) {
            return failed(process, format!("The GID {gid} does not exist."));
        }
        Some(gid)
    } else {
        if groups.iter().any(|group| group.name == name) {
            return failed(process, format!("The group `{name}' already exists."));
        }
        if let Some(uid) = uid.filter(|uid| is_group(*uid)) {
            return failed(process, format!("The GID {uid} is already in use."));
        }
        None
    };
    talk.say(process, format!("Adding user `{name}' ...\n"))?;
    let range = configuration.range(options, ["first_uid", "last_uid"])?;
    let free = match options.has("--ingroup") {
        true => first_free(range, is_user),
        false => first_free(range, |id| is_user(id) || is_group(id)),
    };
    let Some(uid) = uid.or(free) else {
        return Err(refused(process, "finds no number that is free"));
    };
    Ok(Ok(Owner { uid, gid: gid.unwrap_or(uid) }))
}

/// Calls groupadd and useradd.
fn add_to_files(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
    configuration: &Configuration,
    owner: Owner,
) -> Run {
    let talk = Talk::of(options.has("-q"));
    let Owner { uid, gid } = owner;
    let gid_text = BString::from(gid.to_string());
    if !options.has("--ingroup") && !options.has("--gid") {
        talk.say(process, format!("Adding new group `{name}' ({gid}) ...\n"))?;
        let program = find_program(process, "groupadd")?;
        let status = call(process, vec![program, "-g".into(), gid_text.clone(), name.into()])?;
        if status != 0 {
            return Ok(status);
        }
    }
    let group = lookup::group_numbered(process, gid)?.map(|group| group.name).unwrap_or_default();
    talk.say(
        process,
        format!("Adding new user `{name}' ({uid}) with group `{group} ({gid})' ...\n"),
    )?;
    let shell = match options.value("--shell").filter(|shell| !shell.is_empty()) {
        Some(shell) => shell,
        None if options.has("--disabled-login") => b"/usr/sbin/nologin".as_bstr(),
        None => configuration.text("dshell"),
    };
    let home = home_of(name, options, configuration);
    let program = find_program(process, "useradd")?;
    let mut words = vec![program, "-d".into(), home, "-g".into(), gid_text];
    words.extend(["-s".into(), shell.into(), "-u".into(), uid.to_string().into(), name.into()]);
    call(process, words)
}

fn home_of(name: &BStr, options: &Options, configuration: &Configuration) -> BString {
    match options.value("--home").filter(|home| !home.is_empty()) {
        Some(home) => home.into(),
        None => format!("{}/{name}", configuration.text("dhome")).into(),
    }
}

/// Everybody is in `users`, if there is such a group.
fn join_groups(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
    configuration: &Configuration,
    talk: Talk,
) -> Run {
    let mut groups = vec![BString::from("users")];
    let is_more = !["", "0"].iter().any(|no| configuration.text("add_extra_groups") == *no);
    if options.has("--add-extra-groups") || is_more {
        let extra = configuration.text("extra_groups").fields().map(BString::from);
        groups.extend(extra);
    }
    let shown = bstr::join(", ", &groups);
    let shown = shown.as_bstr();
    talk.say(
        process,
        format!("Adding new user `{name}' to supplemental / extra groups `{shown}' ...\n"),
    )?;
    for group in &groups {
        let Some(found) = lookup::group_named(process, group.as_bstr())? else {
            process.complain(format!("The group `{group}' does not exist."))?;
            continue;
        };
        if found.members.iter().any(|member| member == name) {
            talk.warn(process, format!("The user `{name}' is already a member of `{group}'."))?;
            continue;
        }
        talk.say(process, format!("Adding user `{name}' to group `{group}' ...\n"))?;
        let mut members = Vec::new();
        for member in found.members {
            if lookup::user_named(process, member.as_bstr())?.is_some() {
                members.push(member);
            }
        }
        members.push(name.into());
        let list = BString::from(bstr::join(",", &members));
        let program = find_program(process, "gpasswd")?;
        let status = call(process, vec![program, "-M".into(), list, group.clone()])?;
        if status != 0 {
            return Ok(status);
        }
    }
    Ok(0)
}
