//! What getpwnam(3) and getgrnam(3) find.

use bstr::{BStr, BString, ByteSlice};

use super::database::{Database, File, Record, members};
use crate::files::{EXECUTE, Last};
use crate::process::{Process, errno};
use crate::stop::Stop;

/// A user of passwd(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Account {
    pub(super) name: BString,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) home: BString,
    pub(super) fields: Record,
}

/// A group of group(5).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Group {
    pub(super) name: BString,
    pub(super) gid: u32,
    pub(super) members: Vec<BString>,
    pub(super) fields: Record,
}

/// All users, in order.
pub(super) fn users(process: &mut Process<'_, '_>) -> Result<Vec<Account>, Stop> {
    let database = Database::read(process, File::Passwd)?;
    let records = database.iter().flat_map(Database::records);
    Ok(records.filter_map(|(_, fields)| account(fields)).collect())
}

/// All groups, in order.
pub(super) fn groups(process: &mut Process<'_, '_>) -> Result<Vec<Group>, Stop> {
    let database = Database::read(process, File::Group)?;
    let records = database.iter().flat_map(Database::records);
    Ok(records.filter_map(|(_, fields)| group(fields)).collect())
}

fn account(fields: Record) -> Option<Account> {
    let (uid, gid) = (number(fields[2].as_bstr())?, number(fields[3].as_bstr())?);
    Some(Account { name: fields[0].clone(), uid, gid, home: fields[5].clone(), fields })
}

fn group(fields: Record) -> Option<Group> {
    let gid = number(fields[2].as_bstr())?;
    Some(Group { name: fields[0].clone(), gid, members: members(fields[3].as_bstr()), fields })
}

/// A number without a sign.
pub(super) fn number(text: &BStr) -> Option<u32> {
    let is_number = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    text.to_str().ok().filter(|_| is_number)?.parse().ok()
}

/// The user of this name.
pub(super) fn user_named(
    process: &mut Process<'_, '_>,
    name: &BStr,
) -> Result<Option<Account>, Stop> {
    Ok(users(process)?.into_iter().find(|user| user.name == name))
}

/// The user of this number.
pub(super) fn user_numbered(
    process: &mut Process<'_, '_>,
    uid: u32,
) -> Result<Option<Account>, Stop> {
    Ok(users(process)?.into_iter().find(|user| user.uid == uid))
}

/// The group of this name.
pub(super) fn group_named(
    process: &mut Process<'_, '_>,
    name: &BStr,
) -> Result<Option<Group>, Stop> {
    Ok(groups(process)?.into_iter().find(|group| group.name == name))
}

/// The group of this number.
pub(super) fn group_numbered(
    process: &mut Process<'_, '_>,
    gid: u32,
) -> Result<Option<Group>, Stop> {
    Ok(groups(process)?.into_iter().find(|group| group.gid == gid))
}

/// The group that an option names: a number first, then a name (shadow's `getgr_nam_gid`).
pub(super) fn group_meant(
    process: &mut Process<'_, '_>,
    text: &BStr,
) -> Result<Option<Group>, Stop> {
    match number(text) {
        Some(gid) => group_numbered(process, gid),
        None => group_named(process, text),
    }
}

/// Whether Debian's shadow takes this for the name of a user or group (its patch
/// `506_relaxed_usernames`).
pub(super) fn is_valid_name(name: &BStr) -> bool {
    let is_bad = |byte: &u8| matches!(byte, b':' | b',' | b'\n') || byte.is_ascii_whitespace();
    let is_bad_start = |byte: &u8| matches!(byte, b'-' | b'+' | b'~');
    !name.is_empty() && !name.first().is_some_and(is_bad_start) && !name.iter().any(is_bad)
}

/// Shadow's longest names.
pub(super) const LONGEST_NAME: usize = 32;

/// Warns of a shell that is no program.
pub(super) fn warn_of_shell(process: &mut Process<'_, '_>, shell: &BStr) -> Result<(), Stop> {
    if !shell.starts_with(b"/") || shell == "/sbin/nologin" {
        return Ok(());
    }
    let is_program = errno(process.find(shell, Last::Followed))?
        .is_ok_and(|(_, stat)| !stat.is_directory() && process.machine.files.may(&stat, EXECUTE));
    match is_program {
        true => Ok(()),
        false => process.complain(format!("Warning: missing or non-executable shell '{shell}'")),
    }
}
