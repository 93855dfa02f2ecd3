//! BusyBox's `adduser` and `addgroup` (its `loginutils/adduser.c`, `loginutils/addgroup.c` and
//! `libbb/update_passwd.c`, in which nothing that counts changed from 1.30 to 1.37).
//!
//! What they take for what nobody says differs between builds, so the program itself is asked.

use std::collections::BTreeSet;

use bstr::{BStr, BString, ByteSlice};
use layer::Attributes;
use oci::ImagePath;

use super::database::File;
use super::home::{self, Owner, Times, done};
use super::{fail, lookup, refused, require_root};
use crate::data::Data;
use crate::files::{Errno, Kind, Last, NewNode};
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run, errno};
use crate::stop::Stop;

const ADDUSER: &[Known] = &[
    flag("-D", 'D', &["disabled-password", "empty-password"]),
    value("-G", 'G', &["ingroup"]),
    value("-g", 'g', &["gecos"]),
    flag("-H", 'H', &["no-create-home"]),
    value("-h", 'h', &["home"]),
    flag("-S", 'S', &["system"]),
    value("-s", 's', &["shell"]),
    value("-u", 'u', &["uid"]),
];
const ADDGROUP: &[Known] = &[value("-g", 'g', &["gid"]), flag("-S", 'S', &["system"])];

/// The numbers that builds give away. The highest one is larger in some.
const SYSTEM: (u32, u32) = (100, 999);
const PEOPLE: (u32, u32) = (1000, 60_000);

pub(super) fn adduser(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, ADDUSER, Order::Anywhere)?;
    let name = match &options.operands[..] {
        [user, group] if options.given.is_empty() => {
            return join(process, user.as_bstr(), group.as_bstr());
        }
        [name] => name.as_bstr(),
        _ => return Err(refused(process, "is given no single name")),
    };
    require_plain(process, name)?;
    if !options.has("-D") && !options.has("-S") {
        return Err(refused(process, "asks for a password"));
    }
    let group = options.value("-G").or(options.has("-S").then_some(b"nogroup".as_bstr()));
    let group = match group {
        None => None,
        Some(group) => match lookup::group_named(process, group)? {
            Some(group) => Some(group),
            None => return fail(process, 1, format!("unknown group {group}")),
        },
    };
    if lookup::user_named(process, name)?.is_some() {
        return fail(process, 1, format!("user '{name}' in use"));
    }
    let gid = group.as_ref().map(|group| group.gid);
    let owner = match find_owner(process, &options, gid)? {
        Ok(owner) => owner,
        Err(status) => return Ok(status),
    };
    if group.is_none() && lookup::group_named(process, name)?.is_some() {
        return fail(process, 1, format!("group '{name}' in use"));
    }
    write_user(process, &options, name, owner)?;
    match group {
        Some(group) => join(process, name, group.name.as_bstr())?,
        None => write_group(process, name, owner.gid).map(|()| 0)?,
    };
    if !options.has("-H") {
        make_home(process, home_of(&options, name).as_bstr(), owner)?;
    }
    Ok(0)
}

pub(super) fn addgroup(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, ADDGROUP, Order::Anywhere)?;
    let name = match &options.operands[..] {
        [user, group] if !options.has("-g") => {
            return join(process, user.as_bstr(), group.as_bstr());
        }
        [name] => name.as_bstr(),
        _ => return Err(refused(process, "is given no single name")),
    };
    require_plain(process, name)?;
    let given = number(process, &options, "-g")?;
    let groups = lookup::groups(process)?;
    if groups.iter().any(|group| group.name == name) {
        return fail(process, 1, format!("group '{name}' in use"));
    }
    let used: BTreeSet<u32> = groups.iter().map(|group| group.gid).collect();
    let gid = match given {
        Some(gid) if used.contains(&gid) => {
            return fail(process, 1, format!("gid '{gid}' in use"));
        }
        Some(gid) => gid,
        None => free(process, &options, |id| used.contains(&id))?,
    };
    write_group(process, name, gid)?;
    Ok(0)
}

/// Names that every build takes.
fn require_plain(process: &Process<'_, '_>, name: &BStr) -> Result<(), Stop> {
    let is_start = |byte: &u8| byte.is_ascii_lowercase() || *byte == b'_';
    let is_inner = |byte: &u8| is_start(byte) || byte.is_ascii_digit() || *byte == b'-';
    let is_plain = name.first().is_some_and(is_start) && name.iter().all(is_inner);
    match is_plain && name.len() <= lookup::LONGEST_NAME {
        true => Ok(()),
        false => Err(refused(process, format!("is given the name {name}"))),
    }
}

fn number(process: &Process<'_, '_>, options: &Options, id: &str) -> Result<Option<u32>, Stop> {
    let Some(text) = options.value(id) else { return Ok(None) };
    match lookup::number(text).filter(|number| *number <= PEOPLE.1) {
        Some(number) => Ok(Some(number)),
        None => Err(refused(process, format!("is given {id} {text}"))),
    }
}

/// The first number that is free.
fn free(
    process: &Process<'_, '_>,
    options: &Options,
    is_used: impl Fn(u32) -> bool,
) -> Result<u32, Stop> {
    let (least, most) = if options.has("-S") { SYSTEM } else { PEOPLE };
    let found = (least..=most).find(|id| !is_used(*id));
    found.ok_or_else(|| refused(process, "finds no number that is free"))
}

/// The numbers of a new user; the exit status if there are none. A group of the user's own has the
/// user's number.
fn find_owner(
    process: &mut Process<'_, '_>,
    options: &Options,
    gid: Option<u32>,
) -> Result<Result<Owner, u8>, Stop> {
    let mut used: BTreeSet<u32> = lookup::users(process)?.iter().map(|user| user.uid).collect();
    if gid.is_none() {
        used.extend(lookup::groups(process)?.iter().map(|group| group.gid));
    }
    let uid = match number(process, options, "-u")? {
        Some(uid) if used.contains(&uid) => {
            return fail(process, 1, format!("uid '{uid}' in use")).map(Err);
        }
        Some(uid) => uid,
        None => free(process, options, |id| used.contains(&id))?,
    };
    Ok(Ok(Owner { uid, gid: gid.unwrap_or(uid) }))
}

fn home_of(options: &Options, name: &BStr) -> BString {
    options.value("-h").map_or_else(|| format!("/home/{name}").into(), BString::from)
}

fn write_user(
    process: &mut Process<'_, '_>,
    options: &Options,
    name: &BStr,
    Owner { uid, gid }: Owner,
) -> Result<(), Stop> {
    let comment = match options.value("-g") {
        Some(comment) => comment.into(),
        None => usual(process, &["Linux User,,,"])?,
    };
    let shell = match options.value("-s") {
        Some(shell) => shell.into(),
        None if options.has("-S") => usual(process, &["/bin/false", "/sbin/nologin"])?,
        None => shell_of_caller(process)?,
    };
    let home = home_of(options, name);
    if [&comment, &home, &shell]
        .iter()
        .any(|field| field.contains_str(":") || field.contains(&b'\n'))
    {
        return Err(refused(process, "is given what is no field of /etc/passwd"));
    }
    let line = format!("{name}:x:{uid}:{gid}:{comment}:{home}:{shell}");
    update(process, File::Passwd, name, Change::Line(line))?;
    let day = process.machine.files.clock().div_euclid(86_400);
    update(process, File::Shadow, name, Change::Line(format!("{name}:!:{day}:0:99999:7:::")))
}

/// The one of these texts that is in the program.
fn usual(process: &mut Process<'_, '_>, texts: &[&str]) -> Result<BString, Stop> {
    let program = process.program.clone();
    let bytes = match errno(process.machine.files.data(&program))? {
        Ok(data) => process.bytes(&data)?,
        Err(_) => return Err(refused(process, "cannot be read")),
    };
    let mut found = texts.iter().filter(|text| bytes.contains_str(format!("{text}\0")));
    match (found.next(), found.next()) {
        (Some(text), None) => Ok(BString::from(*text)),
        _ => Err(refused(process, format!("has something else than {}", texts.join(" or ")))),
    }
}

fn shell_of_caller(process: &mut Process<'_, '_>) -> Result<BString, Stop> {
    let named = process.environment.get(&BString::from("SHELL")).cloned();
    if let Some(shell) = named.filter(|shell| !shell.is_empty()) {
        return Ok(shell);
    }
    let caller = lookup::user_numbered(process, 0)?;
    let own = caller.map(|caller| caller.fields[6].clone()).filter(|shell| !shell.is_empty());
    Ok(own.unwrap_or_else(|| "/bin/sh".into()))
}

fn write_group(process: &mut Process<'_, '_>, name: &BStr, gid: u32) -> Result<(), Stop> {
    update(process, File::Group, name, Change::Line(format!("{name}:x:{gid}:")))?;
    update(process, File::Gshadow, name, Change::Line(format!("{name}:!::")))
}

/// Makes a user a member of a group.
fn join(process: &mut Process<'_, '_>, user: &BStr, group: &BStr) -> Run {
    if lookup::user_named(process, user)?.is_none() {
        return unknown(process, format!("unknown user {user}"));
    }
    let Some(found) = lookup::group_named(process, group)? else {
        return unknown(process, format!("unknown group {group}"));
    };
    if !found.members.iter().any(|member| member == user) {
        update(process, File::Group, group, Change::Member(user))?;
        update(process, File::Gshadow, group, Change::Member(user))?;
    }
    Ok(0)
}

/// It is `addgroup` that says so, whoever was called.
fn unknown(process: &mut Process<'_, '_>, message: String) -> Run {
    process.write_to(2, format!("addgroup: {message}\n").as_bytes())?;
    Ok(1)
}

enum Change<'a> {
    /// This line at the end, in the place of any of the same name.
    Line(String),
    /// This member at the end of the line.
    Member(&'a BStr),
}

/// Changes a file: the old one stays under its name with a `-`, a new one takes its place.
fn update(
    process: &mut Process<'_, '_>,
    file: File,
    name: &BStr,
    change: Change<'_>,
) -> Result<(), Stop> {
    let shown = file.path().as_bytes().as_bstr();
    let (path, stat) = match errno(process.find(shown, Last::Followed))? {
        Ok(found) => found,
        Err(Errno::NotFound) if matches!(file, File::Shadow | File::Gshadow) => return Ok(()),
        Err(error) => return Err(refused(process, format!("fails at {shown}: {error}"))),
    };
    let old = process.machine.files.data(&path);
    let old = done(process, shown, old)?;
    let Some(new) = changed(&process.bytes(&old)?, name, change) else {
        return Err(refused(process, format!("finds no {name} in {shown}")));
    };
    let beside = |end: &[u8]| ImagePath::lexical([path.as_bytes(), end].concat());
    let (backup, temporary) = (beside(b"-"), beside(b"+"));
    if done(process, shown, process.machine.files.stat(&backup))?.is_some() {
        let removed = process.machine.files.remove(&backup);
        done(process, shown, removed)?;
    }
    let linked = process.machine.files.link(&path, &backup);
    done(process, shown, linked)?;
    let Attributes { mode, uid, gid, .. } = stat.attributes;
    let made = process.machine.files.make(&temporary, NewNode::File(Data::of(new)), mode & 0o777);
    done(process, shown, made)?;
    let owned = process.machine.files.set_owner(&temporary, Some(uid), Some(gid));
    done(process, shown, owned)?;
    let renamed = process.machine.files.rename(&temporary, &path);
    done(process, shown, renamed)
}

/// `None` if there is no line of this name that could have a member.
fn changed(old: &[u8], name: &BStr, change: Change<'_>) -> Option<Vec<u8>> {
    let lines = old.strip_suffix(b"\n").unwrap_or(old);
    let lines = lines.split_str("\n").filter(|_| !old.is_empty());
    let is_own =
        |line: &[u8]| line.strip_prefix(&**name).is_some_and(|rest| rest.starts_with(b":"));
    let mut new = Vec::new();
    let mut has_own = false;
    for line in lines {
        let is_own = is_own(line);
        has_own |= is_own;
        match &change {
            Change::Line(_) if is_own => continue,
            Change::Member(member) if is_own => {
                let comma: &[u8] = if line.ends_with(b":") { b"" } else { b"," };
                new.extend_from_slice(&[line, comma, member].concat());
            }
            _ => new.extend_from_slice(line),
        }
        new.push(b'\n');
    }
    match change {
        Change::Line(line) => {
            new.extend_from_slice(line.as_bytes());
            new.push(b'\n');
            Some(new)
        }
        Change::Member(_) => has_own.then_some(new),
    }
}

fn make_home(process: &mut Process<'_, '_>, path: &BStr, owner: Owner) -> Result<(), Stop> {
    let located = match errno(process.locate(path, Last::Kept))? {
        Ok(located) => located,
        Err(error) => return process.complain(format!("{path}: {error}")),
    };
    let is_new = located.stat.is_none();
    if is_new {
        let made = process.machine.files.make(&located.path, NewNode::Directory, 0o755);
        if let Err(error) = errno(made)? {
            return process.complain(format!("{path}: {error}"));
        }
    }
    let (real, stat) = match errno(process.find(path, Last::Followed))? {
        Ok(found) => found,
        Err(error) => return process.complain(format!("{path}: {error}")),
    };
    if !stat.is_directory() {
        return Err(refused(process, format!("has the home {path}, which is no directory")));
    }
    if is_new {
        require_plain_skeleton(process)?;
        home::fill(process, b"/etc/skel".as_bstr(), &real, owner, Times::New)?;
    }
    let attributes = Attributes { mode: 0o2755, uid: owner.uid, gid: owner.gid, ..stat.attributes };
    let set = process.machine.files.set_attributes(&real, attributes);
    done(process, path, set)
}

/// Links would be followed when owners are set, and other bits would be lost.
fn require_plain_skeleton(process: &mut Process<'_, '_>) -> Result<(), Stop> {
    let skeleton = b"/etc/skel".as_bstr();
    let Ok((path, _)) = errno(process.find(skeleton, Last::Kept))? else { return Ok(()) };
    let walked = process.machine.files.walk(&path);
    let is_plain = done(process, skeleton, walked)?.iter().all(|(_, stat)| {
        matches!(stat.kind, Kind::File(_) | Kind::Directory)
            && stat.attributes.mode & !0o777 == 0
            && stat.attributes.xattrs.is_empty()
    });
    match is_plain {
        true => Ok(()),
        false => Err(refused(process, "copies more than plain files from /etc/skel")),
    }
}

#[cfg(test)]
mod tests;
