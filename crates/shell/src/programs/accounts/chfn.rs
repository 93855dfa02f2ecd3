//! `chfn` (chfn(1)): the parts of a user's comment.

use bstr::{BString, ByteSlice};

use super::database::{self, Database, File};
use super::lookup;
use super::{fail, refused, require_root};
use crate::options::{Known, Options, Order, value};
use crate::process::{Process, Run};

/// In the order of the comment's parts.
const KNOWN: &[Known] = &[
    value("-f", 'f', &["full-name"]),
    value("-r", 'r', &["room"]),
    value("-w", 'w', &["work-phone"]),
    value("-h", 'h', &["home-phone"]),
    value("-o", 'o', &["other"]),
];

pub(super) fn chfn(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let [name] = &options.operands[..] else {
        return Err(refused(process, "asks for a comment"));
    };
    if options.given.is_empty() {
        return Err(refused(process, "asks for a comment"));
    }
    let name = name.as_bstr();
    let Some(user) = lookup::user_named(process, name)? else {
        return fail(process, 1, format!("user '{name}' does not exist"));
    };
    let mut parts: Vec<BString> = user.fields[4].splitn_str(5, ",").map(BString::from).collect();
    parts.resize(5, BString::default());
    for (part, known) in parts.iter_mut().zip(KNOWN) {
        let Some(text) = options.value(known.id) else { continue };
        let is_plain =
            |byte: &u8| (b' '..=b'~').contains(byte) && !matches!(byte, b':' | b',' | b'=');
        let is_free = known.id == "-o";
        if !text.iter().all(|byte| is_plain(byte) || (is_free && matches!(byte, b',' | b'='))) {
            return Err(refused(process, format!("is given the comment {text}")));
        }
        *part = text.into();
    }
    // What is behind the four parts is there only if it holds something.
    if parts.last().is_some_and(|other| other.is_empty()) {
        parts.pop();
    }
    database::lock(process)?;
    let mut passwd = Database::required(process, File::Passwd)?;
    let mut fields = user.fields;
    fields[4] = bstr::join(",", &parts).into();
    passwd.replace(name, &fields);
    passwd.save(process)?;
    Ok(0)
}
