//! `groupmod` (groupmod(8)).

use bstr::{BString, ByteSlice};

use super::database::{self, Database, File};
use super::lookup;
use super::{fail, refused, require_root};
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run};

const KNOWN: &[Known] = &[
    value("-g", 'g', &["gid"]),
    value("-n", 'n', &["new-name"]),
    flag("-o", 'o', &["non-unique"]),
];

pub(super) fn groupmod(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let [name] = &options.operands[..] else {
        return Err(refused(process, "is called in a way that it explains"));
    };
    let gid = match options.value("-g") {
        None => None,
        Some(text) => match lookup::number(text).filter(|gid| *gid != u32::MAX) {
            Some(gid) => Some(gid),
            None => return fail(process, 3, format!("invalid group ID '{text}'")),
        },
    };
    let groups = lookup::groups(process)?;
    let Some(group) = groups.iter().find(|group| group.name == *name) else {
        return fail(process, 6, format!("group '{name}' does not exist"));
    };
    let gid = gid.unwrap_or(group.gid);
    let is_taken = groups.iter().any(|other| other.gid == gid);
    if gid != group.gid && is_taken && !options.has("-o") {
        return fail(process, 4, format!("GID '{gid}' already exists"));
    }
    let new_name = options.value("-n").unwrap_or(name.as_bstr());
    if new_name != name {
        if !lookup::is_valid_name(new_name) || new_name.len() > lookup::LONGEST_NAME {
            return fail(process, 3, format!("invalid group name '{new_name}'"));
        }
        if groups.iter().any(|other| other.name == new_name) {
            return fail(process, 9, format!("group '{new_name}' already exists"));
        }
    }
    database::lock(process)?;
    let (old_gid, mut fields) = (group.gid, group.fields.clone());
    fields[0] = new_name.into();
    fields[2] = gid.to_string().into();
    let mut group = Database::required(process, File::Group)?;
    group.replace(name.as_bstr(), &fields);
    group.save(process)?;
    if options.has("-n") {
        rename_shadow(process, name, new_name.into())?;
    }
    if options.has("-g") && gid != old_gid {
        change_users(process, old_gid, gid)?;
    }
    Ok(0)
}

fn rename_shadow(process: &mut Process<'_, '_>, name: &BString, new: BString) -> Run {
    let Some(mut gshadow) = Database::open(process, File::Gshadow)? else { return Ok(0) };
    if let Some(mut fields) = gshadow.find(name.as_bstr()) {
        fields[0] = new;
        gshadow.replace(name.as_bstr(), &fields);
    }
    gshadow.save(process)?;
    Ok(0)
}

/// The users whose group it is keep it.
fn change_users(process: &mut Process<'_, '_>, old: u32, new: u32) -> Run {
    let mut passwd = Database::required(process, File::Passwd)?;
    passwd.change(|fields| {
        let is_own = lookup::number(fields[3].as_bstr()) == Some(old);
        if is_own {
            fields[3] = new.to_string().into();
        }
        is_own
    });
    passwd.save(process)?;
    Ok(0)
}
