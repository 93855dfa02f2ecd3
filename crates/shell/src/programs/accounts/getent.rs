//! `getent` (getent(1)) of users and groups.

use bstr::{BString, ByteSlice};

use super::lookup::{self, number};
use super::refused;
use crate::options::{Options, Order};
use crate::process::{Process, Run};

/// A key was not found.
const NOT_FOUND: u8 = 2;

pub(super) fn getent(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, &[], Order::First)?;
    let Some((database, keys)) = options.operands.split_first() else {
        return Err(refused(process, "is called in a way that it explains"));
    };
    let lines: Vec<(BString, u32, BString)> = match &database[..] {
        b"passwd" => {
            let users = lookup::users(process)?.into_iter();
            users.map(|user| (user.name, user.uid, bstr::join(":", &user.fields).into())).collect()
        }
        b"group" => {
            let groups = lookup::groups(process)?.into_iter();
            groups
                .map(|group| (group.name, group.gid, bstr::join(":", &group.fields).into()))
                .collect()
        }
        _ => return Err(refused(process, format!("asks for {database}"))),
    };
    if keys.is_empty() {
        for (_, _, line) in &lines {
            process.write([&line[..], b"\n"].concat())?;
        }
        return Ok(0);
    }
    let mut status = 0;
    for key in keys {
        let found = lines.iter().find(|(name, id, _)| match number(key.as_bstr()) {
            Some(wanted) => *id == wanted,
            None => name == key,
        });
        match found {
            Some((_, _, line)) => process.write([&line[..], b"\n"].concat())?,
            None => status = NOT_FOUND,
        }
    }
    Ok(status)
}
