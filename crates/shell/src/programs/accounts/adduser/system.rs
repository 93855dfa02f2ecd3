//! `adduser --system USER`: a user for a program.

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};

use super::{Configuration, Home, Talk, call, find_program, first_free, is_nonexistent, make_home};
use super::{number_of, set_comment, take_lock};
use crate::options::Options;
use crate::process::{Process, Run};
use crate::programs::accounts::home::Owner;
use crate::programs::accounts::lookup::{self, Account, Group};
use crate::programs::accounts::{fail, refused};
use crate::stop::Stop;

/// Where users are put that have no group (the script's own number for `nogroup`).
const NOGROUP: u32 = 65_534;

/// Numbers, and the group's name.
struct Numbers {
    owner: Owner,
    group: BString,
}

pub(super) fn add(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
    configuration: &Configuration,
) -> Run {
    let talk = Talk::of(options.has("-q"));
    take_lock(process)?;
    let wanted = match number_of(process, options, "--uid")? {
        Ok(wanted) => wanted,
        Err(status) => return Ok(status),
    };
    let users = lookup::users(process)?;
    if let Some(user) = users.iter().find(|user| user.name == name) {
        return exists(process, user, wanted, configuration, talk);
    }
    let numbers = match numbers(process, name, options, configuration, wanted, &users)? {
        Ok(numbers) => numbers,
        Err(status) => return Ok(status),
    };
    let home = options.value("--home").filter(|home| !home.is_empty());
    let home = home.unwrap_or(b"/nonexistent".as_bstr());
    let status = add_to_files(process, name, options, configuration, &numbers, home)?;
    if status != 0 {
        return Ok(status);
    }
    if let Some(comment) = options.value("--comment") {
        let status = set_comment(process, name, comment)?;
        if status != 0 {
            return Ok(status);
        }
    }
    let home = Home {
        path: home,
        owner: numbers.owner,
        mode: configuration.mode("sys_dir_mode", 0o755),
        skeleton: None,
        is_wanted: !options.has("--no-create-home") && !is_nonexistent(home),
    };
    make_home(process, &home, talk)?;
    Ok(0)
}

fn exists(
    process: &mut Process<'_, '_>,
    user: &Account,
    wanted: Option<u32>,
    configuration: &Configuration,
    talk: Talk,
) -> Run {
    let name = &user.name;
    let is_system =
        configuration.numbers(["first_system_uid", "last_system_uid"]).contains(&user.uid);
    match wanted {
        Some(uid) if uid != user.uid && is_system => fail(
            process,
            1,
            format!("The user `{name}' already exists with a different UID. Exiting."),
        ),
        Some(uid) if uid != user.uid => {
            fail(process, 1, format!("The user `{name}' already exists, and is not a system user."))
        }
        _ if is_system => {
            let line = format!("The system user `{name}' already exists. Exiting.\n");
            talk.say(process, line).map(|()| 0)
        }
        _ => {
            let message =
                format!("The user `{name}' already exists, but is not a system user. Exiting.");
            fail(process, 1, message)
        }
    }
}

/// The numbers that the user gets; or an exit status.
fn numbers(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
    configuration: &Configuration,
    wanted: Option<u32>,
    users: &[Account],
) -> Result<Result<Numbers, u8>, Stop> {
    let groups = lookup::groups(process)?;
    let uids: BTreeSet<u32> = users.iter().map(|user| user.uid).collect();
    let is_user = |uid: u32| uids.contains(&uid);
    let gids: BTreeSet<u32> = groups.iter().map(|group| group.gid).collect();
    let is_group = |gid: u32| gids.contains(&gid);
    let failed = |process: &mut Process<'_, '_>, message| fail(process, 1, message).map(Err);
    if let Some(uid) = wanted.filter(|uid| is_user(*uid)) {
        return failed(process, format!("The UID {uid} is already in use."));
    }
    let own = options.has("--group");
    let has_own = groups.iter().any(|group| group.name == name);
    if let Some(uid) = wanted.filter(|uid| own && !has_own && is_group(*uid)) {
        return failed(process, format!("The GID {uid} is already in use."));
    }
    let group = match joined(process, options, &groups)? {
        Ok(group) => group,
        Err(status) => return Ok(Err(status)),
    };
    let range = configuration.range(options, ["first_system_uid", "last_system_uid"])?;
    let Some(uid) = wanted.or_else(|| first_free(range, is_user)) else {
        return Err(refused(process, "finds no number that is free"));
    };
    let range = configuration.range(options, ["first_system_gid", "last_system_gid"])?;
    let numbers = match group {
        Some(group) => Numbers { owner: Owner { uid, gid: group.gid }, group: group.name },
        None => {
            let free = wanted.or_else(|| first_free(range, is_group));
            let Some(gid) = free else {
                return Err(refused(process, "finds no number that is free"));
            };
            Numbers { owner: Owner { uid, gid }, group: name.into() }
        }
    };
    Ok(Ok(numbers))
}

/// The group that is there already; `None` with `--group`; or an exit status.
fn joined(
    process: &mut Process<'_, '_>,
    options: &Options,
    groups: &[Group],
) -> Result<Result<Option<Group>, u8>, Stop> {
    if options.has("--group") {
        return Ok(Ok(None));
    }
    if let Some(name) = options.value("--ingroup") {
        return match groups.iter().find(|group| group.name == name) {
            Some(group) => Ok(Ok(Some(group.clone()))),
            None => fail(process, 1, format!("The group `{name}' does not exist.")).map(Err),
        };
    }
    let nogroup =
        groups.iter().find(|group| group.name == "nogroup").map_or(NOGROUP, |group| group.gid);
    let gid = match number_of(process, options, "--gid")? {
        Ok(gid) => gid.unwrap_or(nogroup),
        Err(status) => return Ok(Err(status)),
    };
    match groups.iter().find(|group| group.gid == gid) {
        Some(group) => Ok(Ok(Some(group.clone()))),
        None => fail(process, 1, format!("The GID {gid} does not exist.")).map(Err),
    }
}

/// Calls groupadd and useradd.
fn add_to_files(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
    configuration: &Configuration,
    numbers: &Numbers,
    home: &BStr,
) -> Run {
    let talk = Talk::of(options.has("-q"));
    let Numbers { owner: Owner { uid, gid }, group } = numbers;
    talk.say(process, format!("Adding system user `{name}' (UID {uid}) ...\n"))?;
    if options.has("--group") && lookup::group_named(process, name)?.is_none() {
        talk.say(process, format!("Adding new group `{name}' (GID {gid}) ...\n"))?;
        let program = find_program(process, "groupadd")?;
        let words = vec![program, "-g".into(), gid.to_string().into(), name.into()];
        let status = call(process, words)?;
        if status != 0 {
            return Ok(status);
        }
    }
    talk.say(process, format!("Adding new user `{name}' (UID {uid}) with group `{group}' ...\n"))?;
    let shell = options.value("--shell").filter(|shell| !shell.is_empty());
    let shell = shell.unwrap_or(b"/usr/sbin/nologin".as_bstr());
    let (least, most) = configuration.range(options, ["first_system_uid", "last_system_uid"])?;
    let mut words: Vec<BString> = vec!["/usr/sbin/useradd".into(), "-r".into()];
    words.extend(["-K".into(), format!("SYS_UID_MIN={least}").into()]);
    words.extend(["-K".into(), format!("SYS_UID_MAX={most}").into()]);
    words.extend(["-d".into(), home.into(), "-g".into(), group.clone(), "-s".into(), shell.into()]);
    words.extend(["-u".into(), uid.to_string().into(), name.into()]);
    call(process, words)
}
