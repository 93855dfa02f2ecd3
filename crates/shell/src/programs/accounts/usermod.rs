//! `usermod` (usermod(8)).

use bstr::{BString, ByteSlice};

use super::database::{self, Database, File, Record};
use super::home::{self, Owner};
use super::lookup::{self, Account};
use super::{fail, refused, require_root, useradd};
use crate::files::Last;
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run};
use crate::stop::Stop;

const KNOWN: &[Known] = &[
    flag("-a", 'a', &["append"]),
    value("-c", 'c', &["comment"]),
    value("-d", 'd', &["home"]),
    value("-g", 'g', &["gid"]),
    value("-G", 'G', &["groups"]),
    value("-l", 'l', &["login"]),
    flag("-L", 'L', &["lock"]),
    flag("-m", 'm', &["move-home"]),
    flag("-o", 'o', &["non-unique"]),
    value("-p", 'p', &["password"]),
    value("-s", 's', &["shell"]),
    value("-u", 'u', &["uid"]),
    flag("-U", 'U', &["unlock"]),
];

/// What is to become of a user.
struct Change {
    user: Account,
    name: BString,
    owner: Owner,
    home: BString,
    fields: Record,
}

pub(super) fn usermod(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let [name] = &options.operands[..] else {
        return Err(refused(process, "is called in a way that it explains"));
    };
    let is_odd = (options.has("-a") && !options.has("-G"))
        || (options.has("-m") && !options.has("-d"))
        || (options.has("-o") && !options.has("-u"))
        || [options.has("-L"), options.has("-U"), options.has("-p")]
            .iter()
            .filter(|is| **is)
            .count()
            > 1
        || options.given.is_empty();
    if is_odd {
        return Err(refused(process, "is called in a way that it explains"));
    }
    let Some(user) = lookup::user_named(process, name.as_bstr())? else {
        return fail(process, 6, format!("user '{name}' does not exist"));
    };
    let change = match changed(process, &options, user)? {
        Ok(change) => change,
        Err(status) => return Ok(status),
    };
    if !useradd::have_groups(process, &options)? {
        return Ok(6);
    }
    let is_same = change.fields == change.user.fields;
    if is_same && !["-G", "-L", "-U", "-p"].iter().any(|option| options.has(option)) {
        let line = format!("{}: no changes\n", process.name());
        process.write(line)?;
        return Ok(0);
    }
    if change.owner.uid != change.user.uid {
        let uid = change.owner.uid;
        if !options.has("-o") && lookup::user_numbered(process, uid)?.is_some() {
            return fail(process, 4, format!("UID '{uid}' already exists"));
        }
        useradd::require_no_log(process)?;
    }
    if change.name != change.user.name {
        let name = &change.name;
        if lookup::user_named(process, name.as_bstr())?.is_some() {
            return fail(process, 9, format!("user '{name}' already exists"));
        }
    }
    database::lock(process)?;
    save_user(process, &options, &change)?;
    save_groups(process, &options, &change)?;
    move_or_hand_over(process, &options, &change)
}

/// The line of passwd(5) as it is to be; or the exit status, if something in it is wrong.
fn changed(
    process: &mut Process<'_, '_>,
    options: &Options,
    user: Account,
) -> Result<Result<Change, u8>, Stop> {
    let mut fields = user.fields.clone();
    let mut owner = Owner { uid: user.uid, gid: user.gid };
    for (option, given) in &options.given {
        let text = given.as_ref().map(|given| given.as_bstr()).unwrap_or_default();
        if text.iter().any(|byte| matches!(byte, b':' | b'\n')) {
            return Err(refused(process, "is given a colon"));
        }
        match *option {
            "-c" => fields[4] = text.into(),
            "-d" if text.starts_with(b"/") => fields[5] = text.into(),
            "-l" if lookup::is_valid_name(text) => fields[0] = text.into(),
            "-s" if text.is_empty() || text.starts_with(b"/") => {
                lookup::warn_of_shell(process, text)?;
                fields[6] = text.into();
            }
            "-d" | "-l" | "-s" => {
                return Err(refused(process, format!("is given {option} {text}")));
            }
            "-u" => match lookup::number(text).filter(|uid| *uid != u32::MAX) {
                Some(uid) => {
                    owner.uid = uid;
                    fields[2] = uid.to_string().into();
                }
                None => return Ok(Err(fail(process, 3, format!("invalid user ID '{text}'"))?)),
            },
            "-g" => match lookup::group_meant(process, text)? {
                Some(group) => {
                    owner.gid = group.gid;
                    fields[3] = group.gid.to_string().into();
                }
                None => {
                    return Ok(Err(fail(process, 6, format!("group '{text}' does not exist"))?));
                }
            },
            _ => {}
        }
    }
    // A number may be written in several ways in the file; what counts is what it says.
    let (name, home) = (fields[0].clone(), fields[5].clone());
    Ok(Ok(Change { user, name, owner, home, fields }))
}

fn save_user(
    process: &mut Process<'_, '_>,
    options: &Options,
    change: &Change,
) -> Result<(), Stop> {
    let name = change.user.name.as_bstr();
    let is_same = change.fields == change.user.fields;
    let is_secret = ["-L", "-U", "-p"].iter().any(|option| options.has(option));
    if !is_same || is_secret {
        let mut passwd = Database::required(process, File::Passwd)?;
        passwd.replace(name, &change.fields);
        passwd.save(process)?;
    }
    if change.name == change.user.name && !is_secret {
        return Ok(());
    }
    let shadow = Database::open(process, File::Shadow)?;
    let Some(mut shadow) = shadow.filter(|shadow| shadow.find(name).is_some()) else {
        return Err(refused(process, "finds no line of the user in /etc/shadow"));
    };
    let mut secret = shadow.find(name).unwrap_or_default();
    secret[0] = change.name.clone();
    let old = secret[1].clone();
    if options.has("-L") && !old.starts_with(b"!") {
        secret[1] = [b"!", &old[..]].concat().into();
    }
    if options.has("-U")
        && let Some(rest) = old.strip_prefix(b"!")
    {
        if rest.is_empty() {
            return Err(refused(process, "unlocks a user who has no password"));
        }
        secret[1] = rest.into();
    }
    if let Some(password) = options.value("-p") {
        secret[1] = password.into();
        secret[2] = process.machine.files.clock().div_euclid(86_400).to_string().into();
    }
    shadow.replace(name, &secret);
    shadow.save(process)
}

/// The groups that name the user: as `-G` says, and by the new name.
fn save_groups(
    process: &mut Process<'_, '_>,
    options: &Options,
    change: &Change,
) -> Result<(), Stop> {
    if !options.has("-G") && change.name == change.user.name {
        return Ok(());
    }
    let mut wanted = Vec::new();
    for group in options.values("-G").flat_map(|list| list.split_str(",")) {
        if let Some(group) = lookup::group_meant(process, group.as_bstr())? {
            wanted.push(group.name);
        }
    }
    let (old, new) = (change.user.name.as_bstr(), change.name.as_bstr());
    let is_exact = options.has("-G") && !options.has("-a");
    let update = |fields: &mut Record| {
        let mut names = database::members(fields[3].as_bstr());
        let was_member = names.iter().any(|name| name == old);
        let is_wanted = wanted.contains(&fields[0]);
        if !was_member && !is_wanted {
            return false;
        }
        if was_member && is_exact && !is_wanted {
            names.retain(|name| name != old);
        } else if was_member {
            for name in names.iter_mut().filter(|name| *name == old) {
                *name = new.into();
            }
        } else {
            names.push(new.into());
        }
        fields[3] = database::member_list(&names);
        true
    };
    for file in [File::Group, File::Gshadow] {
        if let Some(mut database) = Database::open(process, file)? {
            database.change(update);
            database.save(process)?;
        }
    }
    Ok(())
}

/// What becomes of the home.
fn move_or_hand_over(process: &mut Process<'_, '_>, options: &Options, change: &Change) -> Run {
    let from = Owner { uid: change.user.uid, gid: change.user.gid };
    let old = home::look(process, change.user.home.as_bstr())?;
    if options.has("-m") && change.home != change.user.home {
        let Some((old, stat)) = old.filter(|(_, stat)| stat.is_directory()) else {
            let home = &change.user.home;
            let rest = "does not exist or is inaccessible. Move cannot be completed.";
            process.complain(format!("The previous home directory ({home}) {rest}"))?;
            return Ok(0);
        };
        let located = process.locate(&change.home, Last::Followed);
        let new = home::done(process, change.home.as_bstr(), located)?;
        if new.stat.is_some() {
            return fail(process, 12, format!("directory {} exists", change.home));
        }
        if stat.attributes.uid != from.uid {
            return Err(refused(process, "moves a home that is somebody else's"));
        }
        let moved = process.machine.files.rename(&old, &new.path);
        home::done(process, change.home.as_bstr(), moved)?;
        home::hand_over(process, &new.path, from, change.owner)?;
        return Ok(0);
    }
    if change.owner != from
        && let Some((path, stat)) = home::look(process, change.home.as_bstr())?
        && [from.uid, change.owner.uid].contains(&stat.attributes.uid)
    {
        home::hand_over(process, &path, from, change.owner)?;
    }
    Ok(0)
}
