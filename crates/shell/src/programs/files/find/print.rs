//! What `find -printf` writes.

use bstr::{BString, ByteSlice};

use super::Place;
use super::expression::type_letter;
use crate::files::Kind;
use crate::process::{Process, errno};
use crate::programs::files::destination::without_slashes;
use crate::programs::files::modes::permissions;
use crate::programs::files::owners::Owners;
use crate::programs::files::report::refuse_use;
use crate::programs::files::stat::letter;
use crate::stop::Stop;

/// The last name of a path; a slash at its end counts for nothing.
pub(super) fn base(path: &[u8]) -> &[u8] {
    match without_slashes(path) {
        b"/" => b"/",
        path => path.rsplit(|byte| *byte == b'/').next().unwrap_or_default(),
    }
}

/// A format, filled in.
pub(super) fn printed(
    process: &Process<'_, '_>,
    format: &[u8],
    place: &Place,
    owners: &Owners,
) -> Result<Vec<u8>, Stop> {
    let mut text = Vec::new();
    let mut bytes = format.iter().copied();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => match escaped(bytes.next()) {
                Some(byte) => text.push(byte),
                None => {
                    return Err(refuse_use(process, "has an escape in -printf that is unclear"));
                }
            },
            b'%' => match bytes.next() {
                Some(b'%') => text.push(b'%'),
                Some(directive) => match value(process, directive, place, owners)? {
                    Some(value) => text.extend_from_slice(&value),
                    None => {
                        let directive = directive.escape_ascii();
                        let why = format!("has `%{directive}` in -printf, which is not known here");
                        return Err(refuse_use(process, why));
                    }
                },
                None => return Err(refuse_use(process, "has a `%` at the end of -printf")),
            },
            byte => text.push(byte),
        }
    }
    Ok(text)
}

fn escaped(byte: Option<u8>) -> Option<u8> {
    Some(match byte? {
        b'n' => b'\n',
        b't' => b'\t',
        b'r' => b'\r',
        b'a' => 7,
        b'0' => 0,
        b'\\' => b'\\',
        _ => return None,
    })
}

fn value(
    process: &Process<'_, '_>,
    directive: u8,
    place: &Place,
    owners: &Owners,
) -> Result<Option<BString>, Stop> {
    let (stat, path) = (&place.stat, &place.path);
    let attributes = &stat.attributes;
    Ok(Some(match directive {
        b'p' => path.clone(),
        // Slashes at the end stay here.
        b'f' => match without_slashes(path) {
            b"/" => BString::from("/"),
            trimmed => [base(trimmed), &path[trimmed.len()..]].concat().into(),
        },
        b'h' => directory(path).into(),
        b'H' => place.operand.clone(),
        b'P' => {
            let below = path.strip_prefix(&place.operand[..]).unwrap_or_default();
            below.strip_prefix(b"/").unwrap_or(below).into()
        }
        b'd' => place.depth.to_string().into(),
        b'y' => [type_letter(&stat.kind)].as_bstr().to_owned(),
        b'm' => format!("{:o}", attributes.mode).into(),
        b'M' => format!("{}{}", letter(&stat.kind), permissions(attributes.mode)).into(),
        b'u' => owners.user(attributes.uid).into(),
        b'g' => owners.group(attributes.gid).into(),
        b'U' => attributes.uid.to_string().into(),
        b'G' => attributes.gid.to_string().into(),
        b's' if !stat.is_directory() => stat.size().to_string().into(),
        b'n' if !stat.is_directory() => {
            errno(process.machine.files.links(stat))?.unwrap_or(1).to_string().into()
        }
        b'l' => match &stat.kind {
            Kind::Symlink(target) => target.as_bstr().to_owned(),
            _ => BString::default(),
        },
        _ => return Ok(None),
    }))
}

/// The directory that a path is in, as it is written; `.` if that is not.
fn directory(path: &[u8]) -> &[u8] {
    let trimmed = path.trim_end_with(|letter| letter == '/').as_bytes();
    match (trimmed.rfind_byte(b'/'), trimmed.len() == path.len()) {
        (Some(end), true) => &path[..end],
        (None, true) => b".",
        (_, false) => trimmed,
    }
}
