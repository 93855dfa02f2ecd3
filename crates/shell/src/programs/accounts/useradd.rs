//! `useradd` (useradd(8) of shadow 4.13, as Debian has it).

mod files;

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};

use super::database;
use super::home::{self, Owner, Times};
use super::identifiers::{self, Id, Purpose};
use super::lookup::{self, Group, LONGEST_NAME};
use super::settings::Settings;
use super::{fail, refused, require_root};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run};
use crate::stop::{Reason, Stop};
pub(super) use files::{add_group, require_no_log};

const KNOWN: &[Known] = &[
    long("--badname", &["badname"], Takes::Nothing),
    value("-b", 'b', &["base-dir"]),
    value("-c", 'c', &["comment"]),
    value("-d", 'd', &["home-dir", "home"]),
    flag("-D", 'D', &["defaults"]),
    value("-e", 'e', &["expiredate"]),
    value("-f", 'f', &["inactive"]),
    value("-g", 'g', &["gid"]),
    value("-G", 'G', &["groups"]),
    value("-k", 'k', &["skel"]),
    value("-K", 'K', &["key"]),
    flag("-l", 'l', &["no-log-init"]),
    flag("-m", 'm', &["create-home"]),
    flag("-M", 'M', &["no-create-home"]),
    flag("-N", 'N', &["no-user-group"]),
    flag("-o", 'o', &["non-unique"]),
    value("-p", 'p', &["password"]),
    flag("-r", 'r', &["system"]),
    value("-s", 's', &["shell"]),
    value("-u", 'u', &["uid"]),
    flag("-U", 'U', &["user-group"]),
];

/// Keys of login.defs(5) that `-K` may set.
const KEYS: &[&str] = &[
    "GID_MAX",
    "GID_MIN",
    "HOME_MODE",
    "PASS_MAX_DAYS",
    "PASS_MIN_DAYS",
    "PASS_WARN_AGE",
    "SUB_GID_COUNT",
    "SUB_GID_MAX",
    "SUB_GID_MIN",
    "SUB_UID_COUNT",
    "SUB_UID_MAX",
    "SUB_UID_MIN",
    "SYS_GID_MAX",
    "SYS_GID_MIN",
    "SYS_UID_MAX",
    "SYS_UID_MIN",
    "UID_MAX",
    "UID_MIN",
    "UMASK",
    "USERGROUPS_ENAB",
];

/// Shadow's exit statuses.
const BAD_ARGUMENT: u8 = 3;
const ID_IN_USE: u8 = 4;
const NOT_FOUND: u8 = 6;
const NAME_IN_USE: u8 = 9;

/// What is asked for.
struct Wanted {
    name: BString,
    options: Options,
    settings: Settings,
    defaults: Settings,
    purpose: Purpose,
    primary: Option<Group>,
}

pub(super) fn useradd(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    if options.has("-D") {
        return Err(process.refuse(Reason::Option("-D".to_owned())));
    }
    let [name] = &options.operands[..] else {
        return Err(refused(process, "is called in a way that it explains"));
    };
    let name = name.clone();
    let Some(defaults) = Settings::of_useradd(process)? else {
        return Err(refused(process, "finds no /etc/default/useradd"));
    };
    let mut settings = Settings::of_login(process)?;
    override_settings(process, &options, &mut settings)?;
    if let Some(message) = check_values(process, &options)? {
        return fail(process, BAD_ARGUMENT, message);
    }
    let mut primary = None;
    if let Some(text) = options.value("-g") {
        primary = lookup::group_meant(process, text)?;
        if primary.is_none() {
            return fail(process, NOT_FOUND, format!("group '{text}' does not exist"));
        }
    }
    let purpose = if options.has("-r") { Purpose::System } else { Purpose::Person };
    let wanted = Wanted { name, options, settings, defaults, purpose, primary };
    add(process, &wanted)
}

fn override_settings(
    process: &Process<'_, '_>,
    options: &Options,
    settings: &mut Settings,
) -> Result<(), Stop> {
    for pair in options.values("-K") {
        match pair.split_once_str("=") {
            Some((key, value)) if KEYS.iter().any(|known| known.as_bytes() == key) => {
                settings.set(key.as_bstr(), value.as_bstr());
            }
            _ => return Err(process.refuse(Reason::Option(format!("-K {pair}")))),
        }
    }
    Ok(())
}

/// The first value that is wrong, in the program's words; warnings are said.
fn check_values(process: &mut Process<'_, '_>, options: &Options) -> Result<Option<String>, Stop> {
    let is_text = |text: &BStr| !text.iter().any(|byte| matches!(byte, b':' | b'\n'));
    for (option, given) in &options.given {
        let text = given.as_ref().map(|given| given.as_bstr()).unwrap_or_default();
        let is_path = is_text(text) && text.starts_with(b"/");
        let what = match *option {
            "-b" if !is_path => "base directory",
            "-c" if !is_text(text) => "comment",
            "-d" if !is_path => "home directory",
            "-s" if !(is_path || text.is_empty() || (is_text(text) && text.starts_with(b"*"))) => {
                "shell"
            }
            "-u" if lookup::number(text).is_none_or(|uid| uid == u32::MAX) => "user ID",
            "-p" if !is_text(text) => "field",
            _ => {
                if *option == "-s" {
                    lookup::warn_of_shell(process, text)?;
                }
                continue;
            }
        };
        return Ok(Some(format!("invalid {what} '{text}'")));
    }
    Ok(None)
}

fn add(process: &mut Process<'_, '_>, wanted: &Wanted) -> Run {
    let Wanted { name, options, settings, .. } = wanted;
    if name.len() > LONGEST_NAME {
        return Err(refused(process, "is given a name of more than 32 bytes"));
    }
    if !options.has("--badname") && !lookup::is_valid_name(name.as_bstr()) {
        let message = format!("invalid user name '{name}': use --badname to ignore");
        return fail(process, BAD_ARGUMENT, message);
    }
    let has_own_group = match options.last_of(&["-U", "-N"]) {
        _ if wanted.primary.is_some() => {
            if options.has("-U") {
                return Err(refused(process, "is called in a way that it explains"));
            }
            false
        }
        Some(option) => option == "-U",
        None => settings.is_yes("USERGROUPS_ENAB"),
    };
    if lookup::user_named(process, name.as_bstr())?.is_some() {
        return fail(process, NAME_IN_USE, format!("user '{name}' already exists"));
    }
    if has_own_group && lookup::group_named(process, name.as_bstr())?.is_some() {
        let rest = "exists - if you want to add this user to that group, use -g.";
        return fail(process, NAME_IN_USE, format!("group {name} {rest}"));
    }
    database::lock(process)?;
    if !have_groups(process, options)? {
        return Ok(NOT_FOUND);
    }
    let used: BTreeSet<u32> = lookup::users(process)?.iter().map(|user| user.uid).collect();
    let (least, most) = identifiers::range(settings, Id::User, wanted.purpose);
    let uid = match options.value("-u").and_then(lookup::number) {
        Some(uid) if used.contains(&uid) && !options.has("-o") => {
            return fail(process, ID_IN_USE, format!("UID {uid} is not unique"));
        }
        Some(uid) => Some(uid),
        None => identifiers::free(&used, (least, most), wanted.purpose),
    };
    let Some(uid) = uid else {
        return Err(refused(process, "finds no number that is free"));
    };
    warn_of_range(process, wanted, uid)?;
    let gid = match &wanted.primary {
        Some(group) => group.gid,
        None if has_own_group => own_group_number(process, wanted, uid)?,
        None => default_group(process, wanted)?,
    };
    let owner = Owner { uid, gid };
    files::write(process, wanted, owner, has_own_group)?;
    make_home(process, wanted, owner)?;
    Ok(0)
}

/// Whether all groups of `-G` are there; those that are not are named.
pub(super) fn have_groups(process: &mut Process<'_, '_>, options: &Options) -> Result<bool, Stop> {
    let mut have = true;
    for group in supplementary(options) {
        if lookup::group_meant(process, group.as_bstr())?.is_none() {
            process.complain(format!("group '{group}' does not exist"))?;
            have = false;
        }
    }
    Ok(have)
}

pub(super) fn supplementary(options: &Options) -> Vec<BString> {
    let list = options.value("-G").unwrap_or_default();
    if list.is_empty() {
        return Vec::new();
    }
    list.split_str(",").map(BString::from).collect()
}

fn warn_of_range(process: &mut Process<'_, '_>, wanted: &Wanted, uid: u32) -> Result<(), Stop> {
    let (least, most) = identifiers::range(&wanted.settings, Id::User, wanted.purpose);
    let (program, name) = (process.name().to_string(), &wanted.name);
    let warning = match wanted.purpose {
        Purpose::Person if !(least..=most).contains(&uid) => {
            format!("outside of the UID_MIN {least} and UID_MAX {most} range.")
        }
        Purpose::System if uid > most => format!("is greater than SYS_UID_MAX {most}"),
        _ => return Ok(()),
    };
    let line = format!("{program} warning: {name}'s uid {uid} {warning}\n");
    process.write_to(2, line.as_bytes())
}

/// The user's own number, if it can be had.
fn own_group_number(process: &mut Process<'_, '_>, wanted: &Wanted, uid: u32) -> Result<u32, Stop> {
    let used: BTreeSet<u32> = lookup::groups(process)?.iter().map(|group| group.gid).collect();
    let (least, most) = identifiers::range(&wanted.settings, Id::Group, wanted.purpose);
    // Programs may have a number below their range if it is asked for.
    let least_wanted = if wanted.purpose == Purpose::System { 1 } else { least };
    if (least_wanted..=most).contains(&uid) && !used.contains(&uid) {
        return Ok(uid);
    }
    let free = identifiers::free(&used, (least, most), wanted.purpose);
    free.ok_or_else(|| refused(process, "finds no number that is free"))
}

/// Without a group of its own, what the defaults say, or Debian's `users`, whether it is there or
/// not.
fn default_group(process: &mut Process<'_, '_>, wanted: &Wanted) -> Result<u32, Stop> {
    let Some(text) = wanted.defaults.text("GROUP") else { return Ok(100) };
    match lookup::group_meant(process, text)? {
        Some(group) => Ok(group.gid),
        None => Err(refused(process, "has a default group that is not there")),
    }
}

fn home_of(wanted: &Wanted) -> BString {
    if let Some(home) = wanted.options.value("-d") {
        return home.into();
    }
    let base = wanted.options.value("-b").or(wanted.defaults.text("HOME"));
    format!("{}/{}", base.unwrap_or(b"/home".as_bstr()), wanted.name).into()
}

fn make_home(process: &mut Process<'_, '_>, wanted: &Wanted, owner: Owner) -> Result<(), Stop> {
    let Wanted { options, settings, defaults, purpose, .. } = wanted;
    let is_default = settings.is_yes("CREATE_HOME") && *purpose == Purpose::Person;
    let is_wanted = match options.last_of(&["-m", "-M"]) {
        Some(option) => option == "-m",
        None => is_default,
    };
    if defaults.is_yes("CREATE_MAIL_SPOOL") {
        return Err(refused(process, "makes a mail spool"));
    }
    if !is_wanted {
        return Ok(());
    }
    let path = home_of(wanted);
    if home::look(process, path.as_bstr())?.is_some() {
        process.complain(format!("warning: the home directory {path} already exists."))?;
        return process.complain("Not copying any file from skel directory into it.");
    }
    let mode = settings.number("HOME_MODE", 0o777 & !settings.number("UMASK", 0o022));
    let home = home::make(process, path.as_bstr(), mode, owner)?;
    let skeleton = options.value("-k").or(defaults.text("SKEL"));
    let skeleton = skeleton.unwrap_or(b"/etc/skel".as_bstr());
    home::fill(process, skeleton, &home, owner, Times::Kept)
}
