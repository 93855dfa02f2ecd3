//! `id`, `whoami`, `groups` (GNU manual, "User information").

use bstr::{BStr, BString, ByteSlice};

use super::lookup::{self, Group};
use super::{fail, refused};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run};
use crate::programs::Flavour;
use crate::programs::system::quoting::quoted;
use crate::stop::Stop;

const KNOWN: &[Known] = &[
    flag("-a", 'a', &[]),
    flag("-g", 'g', &["group"]),
    flag("-G", 'G', &["groups"]),
    flag("-n", 'n', &["name"]),
    flag("-r", 'r', &["real"]),
    flag("-u", 'u', &["user"]),
    flag("-z", 'z', &["zero"]),
];

/// A user's numbers: the user's, the group's, and all groups, the own one first.
struct Identity {
    uid: u32,
    gid: u32,
    groups: Vec<u32>,
}

pub(super) fn id(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let choices = options.given.iter().filter(|(id, _)| ["-u", "-g", "-G"].contains(id)).count();
    if choices > 1 {
        return fail(process, 1, "cannot print \"only\" of more than one choice");
    }
    let choice = options.last_of(&["-u", "-g", "-G"]);
    if choice.is_none() && (options.has("-n") || options.has("-r")) {
        return fail(process, 1, "cannot print only names or real IDs in default format");
    }
    if choice.is_none() && options.has("-z") {
        return fail(process, 1, "option --zero not permitted in default format");
    }
    let own = [BString::default()];
    let users = if options.operands.is_empty() { &own[..] } else { &options.operands };
    let mut status = 0;
    for user in users {
        let identity = match options.operands.is_empty() {
            true => Some(current(process)),
            false => named(process, user.as_bstr())?,
        };
        let Some(identity) = identity else {
            let message = format!("{}: no such user", quoted(process, user.as_bstr()));
            process.complain(message)?;
            status = 1;
            continue;
        };
        print(process, &identity, choice, &options)?;
    }
    Ok(status)
}

fn print(
    process: &mut Process<'_, '_>,
    identity: &Identity,
    choice: Option<&str>,
    options: &Options,
) -> Result<(), Stop> {
    let end = if options.has("-z") { "\0" } else { "\n" };
    let Some(choice) = choice else { return print_all(process, identity) };
    let numbers = match choice {
        "-u" => vec![identity.uid],
        "-g" => vec![identity.gid],
        _ => identity.groups.clone(),
    };
    let mut shown = Vec::new();
    for number in numbers {
        let name = match (options.has("-n"), choice) {
            (false, _) => None,
            (true, "-u") => lookup::user_numbered(process, number)?.map(|user| user.name),
            (true, _) => lookup::group_numbered(process, number)?.map(|group| group.name),
        };
        if options.has("-n") && name.is_none() {
            return Err(refused(process, format!("finds no name for {number}")));
        }
        shown.push(name.unwrap_or_else(|| number.to_string().into()));
    }
    let is_terminated = options.has("-z") && choice == "-G" && options.operands.len() > 1;
    let between = if options.has("-z") { "\0" } else { " " };
    let all = bstr::join(between, &shown);
    process.write([&all[..], end.as_bytes(), if is_terminated { b"\0" } else { b"" }].concat())
}

fn print_all(process: &mut Process<'_, '_>, identity: &Identity) -> Result<(), Stop> {
    let user = lookup::user_numbered(process, identity.uid)?.map(|user| user.name);
    let groups = lookup::groups(process)?;
    let known = |gid: u32| groups.iter().find(|group| group.gid == gid);
    let group = |gid: u32| with_name(gid, known(gid).map(|group: &Group| group.name.as_bstr()));
    let all: Vec<String> = identity.groups.iter().map(|gid| group(*gid)).collect();
    let line = format!(
        "uid={} gid={} groups={}\n",
        with_name(identity.uid, user.as_ref().map(|name| name.as_bstr())),
        group(identity.gid),
        all.join(",")
    );
    process.write(line)
}

fn with_name(id: u32, name: Option<&BStr>) -> String {
    name.map_or_else(|| id.to_string(), |name| format!("{id}({name})"))
}

/// Whoever runs the command.
fn current(process: &Process<'_, '_>) -> Identity {
    let user = process.machine.files.user();
    let others = user.groups.iter().copied().filter(|gid| *gid != user.gid);
    Identity {
        uid: user.uid,
        gid: user.gid,
        groups: std::iter::once(user.gid).chain(others).collect(),
    }
}

/// A user by name, or by number.
fn named(process: &mut Process<'_, '_>, text: &BStr) -> Result<Option<Identity>, Stop> {
    let by_name = lookup::user_named(process, text)?;
    let found = match (by_name, lookup::number(text)) {
        (None, Some(uid)) => lookup::user_numbered(process, uid)?,
        (found, _) => found,
    };
    let Some(user) = found else { return Ok(None) };
    let mut groups = vec![user.gid];
    for group in lookup::groups(process)? {
        if group.members.contains(&user.name) && !groups.contains(&group.gid) {
            groups.push(group.gid);
        }
    }
    Ok(Some(Identity { uid: user.uid, gid: user.gid, groups }))
}

pub(super) fn whoami(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, &[], Order::Anywhere)?;
    if let Some(extra) = options.operands.first() {
        return Err(refused(process, format!("is given {extra}")));
    }
    let uid = process.machine.files.user().uid;
    match lookup::user_numbered(process, uid)? {
        Some(user) => {
            process.write([&user.name[..], b"\n"].concat())?;
            Ok(0)
        }
        None if process.flavour == Flavour::BusyBox => {
            fail(process, 1, format!("unknown uid {uid}"))
        }
        None => fail(process, 1, format!("cannot find name for user ID {uid}")),
    }
}

pub(super) fn groups(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, &[], Order::Anywhere)?;
    if options.operands.is_empty() {
        let identity = current(process);
        let line = group_names(process, &identity)?;
        process.write(line)?;
        return Ok(0);
    }
    let mut status = 0;
    for name in &options.operands {
        let Some(identity) = named(process, name.as_bstr())? else {
            let message = format!("{}: no such user", quoted(process, name.as_bstr()));
            process.complain(message)?;
            status = 1;
            continue;
        };
        let line = group_names(process, &identity)?;
        process.write([&name[..], b" : ", &line].concat())?;
    }
    Ok(status)
}

fn group_names(process: &mut Process<'_, '_>, identity: &Identity) -> Result<Vec<u8>, Stop> {
    let mut names = Vec::new();
    for gid in &identity.groups {
        match lookup::group_numbered(process, *gid)? {
            Some(group) => names.push(group.name),
            None => return Err(refused(process, format!("finds no name for {gid}"))),
        }
    }
    let mut line = bstr::join(" ", &names);
    line.push(b'\n');
    Ok(line)
}
