//! Numbers for users and groups, as systemd finds them: of the system's range, from the top down, one
//! counter for both.

use std::collections::{BTreeMap, BTreeSet};

use bstr::{BString, ByteSlice};
use shell::Process;
use shell::files::Last;
use shell::process::errno;

use super::item::Item;
use crate::programs::failure::{Failure, Step};
use crate::programs::place;

/// systemd's own highest number of a system user, as Debian builds it.
const HIGHEST: u32 = 999;
/// The lowest that it gives where login.defs(5) says nothing.
const LOWEST: u32 = 1;

/// What numbers are used, and by whom.
#[derive(Debug)]
pub(super) struct Numbers {
    users: BTreeMap<BString, u32>,
    groups: BTreeMap<BString, u32>,
    uids: BTreeSet<u32>,
    gids: BTreeMap<u32, BString>,
    /// The users and groups that are to be written, by number.
    new_uids: BTreeSet<u32>,
    new_gids: BTreeMap<u32, BString>,
    lowest: u32,
    /// The number below which the next free one is.
    next: u32,
}

impl Numbers {
    pub(super) fn read(process: &mut Process<'_, '_>) -> Step<Self> {
        let setting = settings(process)?;
        let highest = [HIGHEST, setting("SYS_UID_MAX", HIGHEST), setting("SYS_GID_MAX", HIGHEST)];
        let mut numbers = Numbers {
            users: BTreeMap::new(),
            groups: BTreeMap::new(),
            uids: BTreeSet::new(),
            gids: BTreeMap::new(),
            new_uids: BTreeSet::new(),
            new_gids: BTreeMap::new(),
            lowest: setting("SYS_UID_MIN", LOWEST),
            next: highest.into_iter().min().unwrap_or(HIGHEST) + 1,
        };
        for (name, uid) in pairs(process, b"/etc/passwd")? {
            numbers.uids.insert(uid);
            numbers.users.entry(name).or_insert(uid);
        }
        for (name, gid) in pairs(process, b"/etc/group")? {
            numbers.gids.entry(gid).or_insert_with(|| name.clone());
            numbers.groups.entry(name).or_insert(gid);
        }
        Ok(numbers)
    }

    /// The number of a group that is there.
    pub(super) fn group(&self, name: &BString) -> Option<u32> {
        self.groups.get(name).copied()
    }

    fn is_gid_free(&self, gid: u32) -> bool {
        !self.new_gids.contains_key(&gid) && !self.gids.contains_key(&gid)
    }

    fn is_gid_free_of_users(&self, gid: u32) -> bool {
        self.is_gid_free(gid) && !self.new_uids.contains(&gid) && !self.uids.contains(&gid)
    }

    fn is_uid_free(&self, uid: u32) -> bool {
        !self.new_uids.contains(&uid) && !self.uids.contains(&uid)
    }

    /// Free, and not the number of another one's group.
    fn is_uid_free_of_groups(&self, uid: u32, name: &BString) -> bool {
        let is_other = |group: Option<&BString>| group.is_some_and(|group| group != name);
        self.is_uid_free(uid)
            && !is_other(self.new_gids.get(&uid))
            && !is_other(self.gids.get(&uid))
    }

    /// Gives the item's group a number, unless it has one.
    pub(super) fn add_group(&mut self, process: &mut Process<'_, '_>, item: &mut Item) -> Step<()> {
        let name = item.name.clone();
        if let Some(gid) = self.group(&name) {
            item.gid = Some(gid);
            return Ok(());
        }
        if let Some(gid) = item.gid {
            let is_free = self.is_gid_free(gid);
            if item.is_strict {
                return match is_free {
                    true => Failure::error(format_args!(
                        "Failed to create {name}: please create GID {gid}"
                    )),
                    false => Ok(()),
                };
            }
            if !is_free {
                say(process, format!("Suggested group ID {gid} for {name} already used."))?;
                item.gid = None;
            }
        }
        if item.gid.is_none() {
            item.gid = item.uid.filter(|uid| self.is_gid_free_of_users(*uid));
        }
        if item.gid.is_none() {
            let own = owner(process, item)?.map(|(_, gid)| gid);
            item.gid = own.filter(|gid| self.is_in_range(*gid) && self.is_gid_free_of_users(*gid));
        }
        let gid = match item.gid {
            Some(gid) => gid,
            None => self.find(|numbers, id| numbers.is_gid_free_of_users(id)).map_or_else(
                || Failure::error(format_args!("No free group ID available for {name}.")),
                Ok,
            )?,
        };
        item.gid = Some(gid);
        item.makes_group = true;
        self.new_gids.insert(gid, name.clone());
        say(process, format!("Creating group '{name}' with GID {gid}."))
    }

    /// Gives the user a number, unless it is there.
    pub(super) fn add_user(&mut self, process: &mut Process<'_, '_>, item: &mut Item) -> Step<()> {
        let name = item.name.clone();
        if let Some(uid) = self.users.get(&name) {
            item.uid = Some(*uid);
            return Ok(());
        }
        if let Some(uid) = item.uid {
            let is_free = match item.is_strict {
                true => self.is_uid_free(uid),
                false => self.is_uid_free_of_groups(uid, &name),
            };
            if !is_free {
                say(process, format!("Suggested user ID {uid} for {name} already used."))?;
                item.uid = None;
            }
        }
        if item.uid.is_none() {
            let own = owner(process, item)?.map(|(uid, _)| uid);
            item.uid =
                own.filter(|uid| self.is_in_range(*uid) && self.is_uid_free_of_groups(*uid, &name));
        }
        if item.uid.is_none() {
            item.uid = item.gid.filter(|gid| self.is_uid_free_of_groups(*gid, &name));
        }
        let uid = match item.uid {
            Some(uid) => uid,
            None => self.find(|numbers, id| numbers.is_uid_free_of_groups(id, &name)).map_or_else(
                || Failure::error(format_args!("No free user ID available for {name}.")),
                Ok,
            )?,
        };
        item.uid = Some(uid);
        item.makes_user = true;
        self.new_uids.insert(uid);
        let description = item.description.clone().unwrap_or("n/a".into());
        let gid = item.gid.unwrap_or_default();
        say(
            process,
            format!("Creating user '{name}' ({description}) with UID {uid} and GID {gid}."),
        )
    }

    fn is_in_range(&self, id: u32) -> bool {
        (self.lowest.max(1)..=HIGHEST).contains(&id)
    }

    /// The next number that is free, from the top down.
    fn find(&mut self, is_free: impl Fn(&Self, u32) -> bool) -> Option<u32> {
        while self.next > self.lowest {
            self.next -= 1;
            if is_free(self, self.next) {
                return Some(self.next);
            }
        }
        None
    }
}

fn say(process: &mut Process<'_, '_>, line: String) -> Step<()> {
    process.write_to(2, format!("{line}\n").as_bytes())?;
    Ok(())
}

/// Who has the file that gives an item its number.
fn owner(process: &Process<'_, '_>, item: &Item) -> Step<Option<(u32, u32)>> {
    let Some(path) = &item.path else { return Ok(None) };
    let found = errno(process.find(path, Last::Followed))?;
    Ok(found.ok().map(|(_, stat)| (stat.attributes.uid, stat.attributes.gid)))
}

/// Names and numbers of a file.
fn pairs(process: &mut Process<'_, '_>, path: &[u8]) -> Step<Vec<(BString, u32)>> {
    let bytes = place::read(process, path)?.unwrap_or_default();
    let pair = |line: &[u8]| {
        let mut fields = line.split_str(":");
        let (name, number) = (fields.next()?, fields.nth(1)?);
        Some((name.into(), number.to_str().ok()?.parse().ok()?))
    };
    Ok(bytes.lines().filter_map(pair).collect())
}

/// What login.defs(5) says of numbers.
fn settings(process: &mut Process<'_, '_>) -> Step<impl Fn(&str, u32) -> u32 + use<>> {
    let bytes = place::read(process, b"/etc/login.defs")?.unwrap_or_default();
    Ok(move |key: &str, default: u32| {
        let value = bytes.lines().find_map(|line| {
            let mut fields = line.fields();
            let value = (fields.next()? == key.as_bytes()).then(|| fields.next())??;
            value.to_str().ok()?.parse().ok()
        });
        value.unwrap_or(default)
    })
}
