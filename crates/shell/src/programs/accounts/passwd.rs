//! `passwd` (passwd(1)), as far as it asks for no password.

use bstr::{BString, ByteSlice};

use super::database::{self, Database, File};
use super::lookup;
use super::{fail, refused, require_root};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run};

const KNOWN: &[Known] = &[
    flag("-d", 'd', &["delete"]),
    flag("-e", 'e', &["expire"]),
    flag("-l", 'l', &["lock"]),
    flag("-q", 'q', &["quiet"]),
    flag("-u", 'u', &["unlock"]),
];

pub(super) fn passwd(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let actions: Vec<&str> =
        options.given.iter().map(|(id, _)| *id).filter(|id| *id != "-q").collect();
    let ([name], [action]) = (&options.operands[..], &actions[..]) else {
        return Err(refused(process, "asks for a password"));
    };
    let name = name.as_bstr();
    if lookup::user_named(process, name)?.is_none() {
        return fail(process, 1, format!("user '{name}' does not exist"));
    }
    let shadow = Database::open(process, File::Shadow)?;
    let Some((mut shadow, mut fields)) =
        shadow.and_then(|shadow| shadow.find(name).map(|fields| (shadow, fields)))
    else {
        return Err(refused(process, "finds no line of the user in /etc/shadow"));
    };
    let old = fields[1].clone();
    match *action {
        "-d" => fields[1] = BString::default(),
        "-e" => fields[2] = "0".into(),
        "-l" if !old.starts_with(b"!") => fields[1] = [b"!", &old[..]].concat().into(),
        "-u" if old.starts_with(b"!") => {
            let rest = old.strip_prefix(b"!").unwrap_or_default();
            if rest.is_empty() {
                return Err(refused(process, "unlocks a user who has no password"));
            }
            fields[1] = rest.into();
        }
        _ => {}
    }
    database::lock(process)?;
    shadow.replace(name, &fields);
    shadow.save(process)?;
    if !options.has("-q") {
        let line = format!("{}: password changed.\n", process.name());
        process.write(line)?;
    }
    Ok(0)
}
