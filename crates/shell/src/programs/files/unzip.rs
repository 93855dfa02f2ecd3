//! `unzip` (unzip(1), Info-ZIP 6.00): archives unpacked by their central directory.

mod archive;
mod extract;

use bstr::BString;

use super::report::refuse_use;
use crate::data::Data;
use crate::files::Errno;
use crate::options::{Known, Options, Order, flag, value};
use crate::process::{Process, Run, errno};
use crate::stop::Stop;
use crate::wildcard::{Case, matches};
use archive::{BadArchive, Member};

const OPTIONS: &[Known] = &[
    value("-d", 'd', &[]),
    flag("-j", 'j', &[]),
    flag("-n", 'n', &[]),
    flag("-o", 'o', &[]),
    flag("-p", 'p', &[]),
    flag("-q", 'q', &[]),
    flag("-x", 'x', &[]),
];

/// Unpacks zip archives.
pub(super) fn unzip(process: &mut Process<'_, '_>) -> Run {
    let options = Options::of(process, OPTIONS, Order::Anywhere)?;
    let Some(name) = options.operands.first().cloned() else {
        return Err(refuse_use(process, "shows how it is used"));
    };
    if name.iter().any(|byte| b"*?[".contains(byte)) {
        return Err(refuse_use(process, "has wildcards in the archive's name"));
    }
    let (name, data) = match open(process, &name)? {
        Some(found) => found,
        None => {
            let message =
                format!("unzip:  cannot find or open {name}, {name}.zip or {name}.ZIP.\n");
            process.write_to(2, message.as_bytes())?;
            return Ok(9);
        }
    };
    let bytes = process.bytes(&data)?;
    let is_quiet = options.has("-q") || options.has("-p");
    if !is_quiet {
        process.write(format!("Archive:  {name}\n"))?;
    }
    let members = match archive::members(&bytes) {
        Ok(members) => members,
        Err(BadArchive::None) => return no_archive(process, &name),
        Err(BadArchive::Unusual) => {
            return Err(refuse_use(process, "reads an archive that is broken or unusual"));
        }
    };
    let (wanted, unwanted) = lists(process, &options)?;
    let mut found = vec![false; wanted.len()];
    let mut chosen = Vec::new();
    for member in &members {
        let mut is_wanted = wanted.is_empty();
        for (found, pattern) in found.iter_mut().zip(&wanted) {
            if matches(pattern, &member.name, Case::Counts) {
                *found = true;
                is_wanted = true;
            }
        }
        let is_unwanted = |pattern: &BString| matches(pattern, &member.name, Case::Counts);
        if is_wanted && !unwanted.iter().any(is_unwanted) {
            chosen.push(member);
        }
    }
    let mut status = unpack(process, &options, &bytes, &chosen)?;
    for (pattern, _) in wanted.iter().zip(&found).filter(|(_, found)| !**found) {
        let message = format!("caution: filename not matched:  {pattern}\n");
        process.write_to(2, message.as_bytes())?;
        if status < 2 {
            status = 11;
        }
    }
    Ok(status)
}

fn unpack(
    process: &mut Process<'_, '_>,
    options: &Options,
    bytes: &[u8],
    chosen: &[&Member],
) -> Run {
    if !options.has("-p") {
        return extract::extract(process, options, bytes, chosen);
    }
    for member in chosen {
        let content = archive::content(process, bytes, member)?;
        process.write(content)?;
    }
    Ok(0)
}

/// The archive, by its name or with a suffix.
fn open(process: &mut Process<'_, '_>, name: &BString) -> Result<Option<(BString, Data)>, Stop> {
    for suffix in ["", ".zip", ".ZIP"] {
        let named = BString::from([&name[..], suffix.as_bytes()].concat());
        match errno(process.open(&named))? {
            Ok(data) => return Ok(Some((named, data))),
            Err(Errno::NotFound) => {}
            Err(_) => return Err(refuse_use(process, "has an archive that cannot be read")),
        }
    }
    Ok(None)
}

fn no_archive(process: &mut Process<'_, '_>, name: &BString) -> Run {
    let message = format!(
        "  End-of-central-directory signature not found.  Either this file is not\n  a zipfile, or \
         it constitutes one disk of a multi-part archive.  In the\n  latter case the central \
         directory and zipfile comment will be found on\n  the last disk(s) of this archive.\n\
         unzip:  cannot find zipfile directory in one of {name} or\n        {name}.zip, and cannot \
         find {name}.ZIP, period.\n"
    );
    process.write_to(2, message.as_bytes())?;
    Ok(9)
}

/// What is asked for, and what stands behind `-x`.
fn lists(
    process: &Process<'_, '_>,
    options: &Options,
) -> Result<(Vec<BString>, Vec<BString>), Stop> {
    let names = options.operands[1..].to_vec();
    if !options.has("-x") {
        return Ok((names, Vec::new()));
    }
    let words = process.arguments();
    let at = words.iter().position(|word| word == "-x");
    let Some(at) = at else {
        return Err(refuse_use(process, "has -x among other options"));
    };
    let before = Options::read(&words[..at], OPTIONS, Order::Anywhere);
    let before = before.map_or(0, |before| before.operands.len());
    match before.checked_sub(1) {
        Some(wanted) => Ok((names[..wanted].to_vec(), names[wanted..].to_vec())),
        None => Err(refuse_use(process, "has -x before the archive")),
    }
}
