//! `useradd` (useradd(8) of shadow 4.13, as Debian has it).

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};

use super::database::{self, Database, File};
use super::home::{self, Owner, Times};
use super::identifiers::{self, Id, Purpose};
use super::lookup::{self, Group, LONGEST_NAME};
use super::settings::Settings;
use super::{fail, refused, require_root};
use crate::files::{EXECUTE, Last};
use crate::options::{Known, Options, Order, Takes, flag, long, value};
use crate::process::{Process, Run, errno};
use crate::programs::system::calendar::days_since_epoch;
use crate::stop::{Reason, Stop};

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

/// The files that a new user is written into.
struct Files {
    passwd: Database,
    group: Database,
    shadow: Option<Database>,
    gshadow: Option<Database>,
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
                    warn_of_shell(process, text)?;
                }
                continue;
            }
        };
        return Ok(Some(format!("invalid {what} '{text}'")));
    }
    Ok(None)
}

fn warn_of_shell(process: &mut Process<'_, '_>, shell: &BStr) -> Result<(), Stop> {
    if !shell.starts_with(b"/") || shell == "/sbin/nologin" {
        return Ok(());
    }
    let is_program = match errno(process.find(shell, Last::Followed))? {
        Ok((_, stat)) => !stat.is_directory() && process.machine.files.may(&stat, EXECUTE),
        Err(_) => false,
    };
    match is_program {
        true => Ok(()),
        false => process.complain(format!("Warning: missing or non-executable shell '{shell}'")),
    }
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
    write(process, wanted, owner, has_own_group)?;
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

/// Adds to all files.
fn write(
    process: &mut Process<'_, '_>,
    wanted: &Wanted,
    owner: Owner,
    has_own_group: bool,
) -> Result<(), Stop> {
    let mut files = Files {
        passwd: Database::required(process, File::Passwd)?,
        group: Database::required(process, File::Group)?,
        shadow: Database::open(process, File::Shadow)?,
        gshadow: Database::open(process, File::Gshadow)?,
    };
    add_user(process, wanted, owner, &mut files)?;
    join_groups(wanted, &mut files);
    if has_own_group {
        add_group(wanted.name.as_bstr(), owner.gid, &mut files.group, files.gshadow.as_mut());
    }
    let (least, most) = identifiers::range(&wanted.settings, Id::User, wanted.purpose);
    let is_usual = owner.uid == 0 || (least..=most).contains(&owner.uid);
    if wanted.purpose == Purpose::Person && is_usual {
        add_subordinates(process, wanted, File::Subuid, Id::User)?;
        add_subordinates(process, wanted, File::Subgid, Id::Group)?;
    }
    if !wanted.options.has("-l") && lookup::user_numbered(process, owner.uid)?.is_none() {
        require_no_log(process)?;
    }
    files.passwd.save(process)?;
    files.group.save(process)?;
    for file in [files.shadow, files.gshadow].into_iter().flatten() {
        file.save(process)?;
    }
    Ok(())
}

fn add_user(
    process: &Process<'_, '_>,
    wanted: &Wanted,
    owner: Owner,
    files: &mut Files,
) -> Result<(), Stop> {
    let Wanted { name, options, settings, defaults, .. } = wanted;
    let password = BString::from(options.value("-p").unwrap_or(b"!".as_bstr()));
    let default_shell = defaults.text("SHELL").unwrap_or_default();
    let shell = BString::from(options.value("-s").unwrap_or(default_shell));
    let shown = if files.shadow.is_some() { "x".into() } else { password.clone() };
    let comment = BString::from(options.value("-c").unwrap_or_default());
    let (uid, gid) = (owner.uid.to_string().into(), owner.gid.to_string().into());
    let home = home_of(wanted);
    files.passwd.add(&[name.clone(), shown, uid, gid, comment, home, shell]);
    let inactive = options.value("-f").or(defaults.text("INACTIVE")).unwrap_or_default();
    let expires = options.value("-e").or(defaults.text("EXPIRE")).unwrap_or_default();
    let (Some(inactive), Some(expires)) = (days(inactive), date(expires)) else {
        return Err(refused(process, "is given days that are not plain"));
    };
    let day = process.machine.files.clock().div_euclid(86_400).to_string();
    let aging = match wanted.purpose {
        Purpose::System => Default::default(),
        Purpose::Person => [
            settings.number("PASS_MIN_DAYS", 0).to_string(),
            settings.number("PASS_MAX_DAYS", 99_999).to_string(),
            settings.number("PASS_WARN_AGE", 7).to_string(),
        ],
    };
    let [least, most, warning] = aging.map(BString::from);
    if let Some(shadow) = &mut files.shadow {
        let none = BString::default();
        let fields =
            [name.clone(), password, day.into(), least, most, warning, inactive, expires, none];
        shadow.add(&fields);
    }
    Ok(())
}

/// Days; none if there is no number, or -1.
fn days(text: &BStr) -> Option<BString> {
    match lookup::number(text) {
        Some(days) => Some(days.to_string().into()),
        None => (text.is_empty() || text == "-1").then(BString::default),
    }
}

/// Days since the epoch to a date, `2030-01-01`.
fn date(text: &BStr) -> Option<BString> {
    if text.is_empty() || text == "-1" {
        return Some(BString::default());
    }
    let mut numbers = text.split_str("-").map(|part| lookup::number(part.as_bstr()));
    let (year, month, day) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let is_plain = text.len() == 10 && (1970..=9999).contains(&year) && numbers.next().is_none();
    if !is_plain || !(1..=12).contains(&month) || !(1..=28).contains(&day) {
        return None;
    }
    Some(days_since_epoch(i64::from(year), i64::from(month), i64::from(day)).to_string().into())
}

fn home_of(wanted: &Wanted) -> BString {
    if let Some(home) = wanted.options.value("-d") {
        return home.into();
    }
    let base = wanted.options.value("-b").or(wanted.defaults.text("HOME"));
    format!("{}/{}", base.unwrap_or(b"/home".as_bstr()), wanted.name).into()
}

fn join_groups(wanted: &Wanted, files: &mut Files) {
    let mut joined = Vec::new();
    let groups = supplementary(&wanted.options);
    let is_meant = |fields: &[BString]| {
        groups.iter().any(|group| match lookup::number(group.as_bstr()) {
            Some(gid) => lookup::number(fields[2].as_bstr()) == Some(gid),
            None => fields[0] == *group,
        })
    };
    files.group.change(|fields| {
        if !is_meant(fields) {
            return false;
        }
        joined.push(fields[0].clone());
        fields[3] = database::with_member(fields[3].as_bstr(), wanted.name.as_bstr());
        true
    });
    if let Some(gshadow) = &mut files.gshadow {
        gshadow.change(|fields| {
            if !joined.contains(&fields[0]) {
                return false;
            }
            fields[3] = database::with_member(fields[3].as_bstr(), wanted.name.as_bstr());
            true
        });
    }
}

/// A new group.
pub(super) fn add_group(
    name: &BStr,
    gid: u32,
    group: &mut Database,
    gshadow: Option<&mut Database>,
) {
    let name = BString::from(name);
    let (lock, none) = (BString::from("!"), BString::default());
    let shown = if gshadow.is_some() { BString::from("x") } else { lock.clone() };
    group.add(&[name.clone(), shown, gid.to_string().into(), none.clone()]);
    if let Some(gshadow) = gshadow {
        gshadow.add(&[name, lock, none.clone(), none]);
    }
}

fn add_subordinates(
    process: &mut Process<'_, '_>,
    wanted: &Wanted,
    file: File,
    id: Id,
) -> Result<(), Stop> {
    let Some(mut database) = Database::open(process, file)? else { return Ok(()) };
    if database.find(wanted.name.as_bstr()).is_some() {
        return Ok(());
    }
    let Some((start, count)) = identifiers::free_subordinate(&database, &wanted.settings, id)
    else {
        return Err(refused(process, "finds no subordinate numbers that are free"));
    };
    let (start, count) = (start.to_string().into(), count.to_string().into());
    database.add(&[wanted.name.clone(), start, count]);
    database.save(process)
}

/// Logs of logins are records by number, in the machine's own layout. While they are empty, nothing
/// is written into them.
pub(super) fn require_no_log(process: &Process<'_, '_>) -> Result<(), Stop> {
    for path in ["/var/log/lastlog", "/var/log/faillog", "/var/log/tallylog"] {
        if let Ok((_, stat)) = errno(process.find(path.as_bytes(), Last::Followed))?
            && stat.size() > 0
        {
            return Err(refused(process, format!("writes into {path}")));
        }
    }
    Ok(())
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
