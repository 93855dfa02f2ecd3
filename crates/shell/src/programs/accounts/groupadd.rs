//! `groupadd` (groupadd(8)).

use std::collections::BTreeSet;

use bstr::ByteSlice;

use super::database::{self, Database, File};
use super::identifiers::{self, Id, Purpose};
use super::lookup::{self, LONGEST_NAME};
use super::settings::Settings;
use super::{fail, refused, require_root, useradd};
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run};

const KNOWN: &[Known] = &[
    flag("-f", 'f', &["force"]),
    value("-g", 'g', &["gid"]),
    flag("-o", 'o', &["non-unique"]),
    flag("-r", 'r', &["system"]),
];

pub(super) fn groupadd(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let [name] = &options.operands[..] else {
        return Err(refused(process, "is called in a way that it explains"));
    };
    let wanted = match options.value("-g") {
        None => None,
        Some(text) => match lookup::number(text).filter(|gid| *gid != u32::MAX) {
            Some(gid) => Some(gid),
            None => return fail(process, 3, format!("invalid group ID '{text}'")),
        },
    };
    let name = name.as_bstr();
    if !lookup::is_valid_name(name) || name.len() > LONGEST_NAME {
        return fail(process, 3, format!("'{name}' is not a valid group name"));
    }
    let groups = lookup::groups(process)?;
    if groups.iter().any(|group| group.name == name) {
        return match options.has("-f") {
            true => Ok(0),
            false => fail(process, 9, format!("group '{name}' already exists")),
        };
    }
    let used: BTreeSet<u32> = groups.iter().map(|group| group.gid).collect();
    let taken = wanted.filter(|gid| used.contains(gid) && !options.has("-o"));
    if let Some(gid) = taken.filter(|_| !options.has("-f")) {
        return fail(process, 4, format!("GID '{gid}' already exists"));
    }
    let purpose = if options.has("-r") { Purpose::System } else { Purpose::Person };
    let range = identifiers::range(&Settings::of_login(process)?, Id::Group, purpose);
    let free = match wanted.filter(|_| taken.is_none()) {
        Some(gid) => Some(gid),
        None => identifiers::free(&used, range, purpose),
    };
    let gid = free.ok_or_else(|| refused(process, "finds no number that is free"))?;
    database::lock(process)?;
    let mut group = Database::required(process, File::Group)?;
    let mut gshadow = Database::open(process, File::Gshadow)?;
    useradd::add_group(name, gid, &mut group, gshadow.as_mut());
    group.save(process)?;
    gshadow.map_or(Ok(()), |gshadow| gshadow.save(process))?;
    Ok(0)
}
