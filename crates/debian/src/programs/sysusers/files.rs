//! The four files of users and groups, written with their backups.

use bstr::{BString, ByteSlice};
use layer::Attributes;
use shell::files::{Last, NewNode};
use shell::process::errno;
use shell::{Data, Process, Stop};

use super::Wanted;
use super::item::Item;
use super::numbers::Numbers;
use crate::programs::failure::{Step, refused, said};
use crate::programs::place::{self, Place};

const DAY: i64 = 86_400;

/// Writes everything that is new.
pub(super) fn write(process: &mut Process<'_, '_>, wanted: &Wanted, numbers: &Numbers) -> Step<()> {
    let _ = numbers;
    lock(process)?;
    let items = || wanted.groups.iter().chain(&wanted.users);
    let groups: Vec<&Item> = items().filter(|item| item.makes_group).collect();
    let users: Vec<&Item> = wanted.users.iter().filter(|item| item.makes_user).collect();
    let members_of = |name: &BString| {
        let own = wanted.members.iter().filter(|(group, _)| group == name);
        own.flat_map(|(_, members)| members.clone()).collect::<Vec<_>>()
    };
    let group = |item: &&Item| {
        let (name, gid) = (&item.name, item.gid.unwrap_or_default());
        format!("{name}:x:{gid}:{}", joined(members_of(name)))
    };
    let gshadow = |item: &&Item| format!("{}:!*::{}", item.name, joined(members_of(&item.name)));
    let lines = groups.iter().map(group).collect();
    write_one(process, "/etc/group", 0o644, lines, |line| with_members(line, &members_of))?;
    let lines = groups.iter().map(gshadow).collect();
    write_one(process, "/etc/gshadow", 0, lines, |line| with_members(line, &members_of))?;
    let lines = users.iter().map(|item| passwd(item)).collect();
    write_one(process, "/etc/passwd", 0o644, lines, |_| None)?;
    let day = process.machine.files.clock().div_euclid(DAY);
    write_shadow(process, &users, day)
}

fn passwd(item: &Item) -> String {
    let text = |value: &Option<BString>, default: &str| {
        value.clone().unwrap_or_else(|| default.into()).to_string()
    };
    let (name, uid, gid) = (&item.name, item.uid.unwrap_or_default(), item.gid.unwrap_or_default());
    let shell = if uid == 0 { "/bin/sh" } else { "/usr/sbin/nologin" };
    let (description, home) = (text(&item.description, ""), text(&item.home, "/"));
    format!("{name}:x:{uid}:{gid}:{description}:{home}:{}", text(&item.shell, shell))
}

/// A user's line may be there already, and gets another day.
fn write_shadow(process: &mut Process<'_, '_>, users: &[&Item], day: i64) -> Step<()> {
    if users.is_empty() {
        return Ok(());
    }
    let old = place::read(process, b"/etc/shadow")?.unwrap_or_default();
    let name_of = |line: &[u8]| BString::from(line.split_str(":").next().unwrap_or_default());
    let known: Vec<BString> = old.lines().map(name_of).collect();
    let new = users.iter().filter(|item| !known.contains(&item.name));
    let lines = new.map(|item| format!("{}:!*:{day}::::::", item.name)).collect();
    write_file(process, "/etc/shadow", 0, lines, |line| {
        let mut fields: Vec<&[u8]> = line.split_str(":").collect();
        let is_new = users.iter().any(|item| Some(&item.name[..]) == fields.first().copied());
        let day = day.to_string();
        *fields.get_mut(2).filter(|_| is_new)? = day.as_bytes();
        Some(bstr::join(":", fields).into())
    })
}

/// A group's line with those who shall be in it, if there is somebody new.
fn with_members(line: &[u8], members_of: &impl Fn(&BString) -> Vec<BString>) -> Option<BString> {
    let mut fields: Vec<BString> = line.split_str(":").map(BString::from).collect();
    let wanted = members_of(fields.first()?);
    let last = fields.get_mut(3)?;
    let mut members: Vec<BString> =
        last.split_str(",").filter(|name| !name.is_empty()).map(BString::from).collect();
    let new: Vec<BString> = wanted.into_iter().filter(|member| !members.contains(member)).collect();
    if new.is_empty() {
        return None;
    }
    members.extend(new);
    *last = joined(members).into();
    Some(bstr::join(":", fields).into())
}

fn joined(mut names: Vec<BString>) -> String {
    names.sort();
    names.dedup();
    bstr::join(",", names).to_str_lossy().into_owned()
}

/// Writes a file, if there is something new for it.
fn write_one(
    process: &mut Process<'_, '_>,
    path: &str,
    mode: u32,
    lines: Vec<String>,
    change: impl Fn(&[u8]) -> Option<BString>,
) -> Step<()> {
    let old = place::read(process, path.as_bytes())?.unwrap_or_default();
    if lines.is_empty() && !old.lines().any(|line| change(line).is_some()) {
        return Ok(());
    }
    write_file(process, path, mode, lines, change)
}

fn write_file(
    process: &mut Process<'_, '_>,
    path: &str,
    mode: u32,
    lines: Vec<String>,
    change: impl Fn(&[u8]) -> Option<BString>,
) -> Step<()> {
    let found = errno(process.find(path.as_bytes(), Last::Followed))?;
    let old = place::read(process, path.as_bytes())?.unwrap_or_default();
    let mut text = Vec::new();
    for line in old.lines() {
        if line.starts_with(b"+") || line.starts_with(b"-") {
            return Err(refused(process, format!("finds entries of NIS in {path}")).into());
        }
        match change(line) {
            Some(changed) => text.extend_from_slice(&changed),
            None => text.extend_from_slice(line),
        }
        text.push(b'\n');
    }
    for line in lines {
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
    let mut attributes = Attributes::root(mode, 0);
    if let Ok((_, stat)) = found {
        attributes = stat.attributes.clone();
        if let Some(data) = stat.data() {
            put(process, &format!("{path}-"), attributes.clone(), data.clone())?;
        }
    }
    attributes.mtime = process.machine.files.clock();
    put(process, path, attributes, Data::of(text))
}

fn put(process: &mut Process<'_, '_>, path: &str, attributes: Attributes, data: Data) -> Step<()> {
    let put = process.locate(path.as_bytes(), Last::Kept).and_then(|located| {
        process.machine.files.put_whole(&located.path, attributes, NewNode::File(data))
    });
    said(put, || format!("Failed to write {path}"))
}

/// The file that lckpwdf(3) leaves behind.
fn lock(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    const LOCK: &[u8] = b"/etc/.pwd.lock";
    if place::place(process, LOCK)? == Place::Free {
        let made = place::replace(process, LOCK, "", 0o600);
        errno(made)?.map_err(|error| refused(process, format!("cannot lock: {error}")))?;
    }
    Ok(())
}
