//! `pwck` and `grpck` (pwck(8), grpck(8)) of files in which there is nothing to be found.

use std::collections::BTreeSet;

use bstr::{BString, ByteSlice};

use super::database::{Database, File, Record};
use super::lookup::{self, is_valid_name};
use super::{refused, require_root};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run};
use crate::stop::Stop;

/// `-q` leaves out what is said of directories and shells that are not there.
const OF_USERS: &[Known] = &[flag("-q", 'q', &["quiet"]), flag("-r", 'r', &["read-only"])];
const OF_GROUPS: &[Known] = &[flag("-r", 'r', &["read-only"])];

/// Checks users.
pub(super) fn pwck(process: &mut Process<'_, '_>) -> Run {
    let options = begin(process, OF_USERS)?;
    if !options.has("-q") {
        return Err(refused(process, "looks for homes and shells, which is not built in"));
    }
    let users = well_formed(process, File::Passwd)?.unwrap_or_default();
    let is_user = |fields: &Record| {
        is_valid_name(fields[0].as_bstr())
            && [2, 3].into_iter().all(|at| lookup::number(fields[at].as_bstr()).is_some())
    };
    demand(process, users.iter().all(is_user), File::Passwd)?;
    let shadow = well_formed(process, File::Shadow)?;
    demand_same(process, &users, shadow.as_deref(), File::Shadow)?;
    Ok(0)
}

/// Checks groups.
pub(super) fn grpck(process: &mut Process<'_, '_>) -> Run {
    begin(process, OF_GROUPS)?;
    let users: BTreeSet<BString> =
        lookup::users(process)?.into_iter().map(|user| user.name).collect();
    let groups = well_formed(process, File::Group)?.unwrap_or_default();
    let is_group = |fields: &Record| {
        let members = super::database::members(fields[3].as_bstr());
        is_valid_name(fields[0].as_bstr())
            && lookup::number(fields[2].as_bstr()).is_some()
            && members.iter().all(|member| users.contains(member))
    };
    demand(process, groups.iter().all(is_group), File::Group)?;
    let shadow = well_formed(process, File::Gshadow)?;
    demand_same(process, &groups, shadow.as_deref(), File::Gshadow)?;
    let members = |records: &[Record]| {
        records.iter().map(|fields| (fields[0].clone(), fields[3].clone())).collect::<BTreeSet<_>>()
    };
    let are_same = shadow.is_none_or(|shadow| members(&shadow) == members(&groups));
    demand(process, are_same, File::Gshadow)?;
    Ok(0)
}

fn begin(process: &mut Process<'_, '_>, known: &[Known]) -> Result<Options, Stop> {
    require_root(process)?;
    let options = Options::of(process, known, Order::Anywhere)?;
    if !options.has("-r") {
        return Err(refused(process, "repairs what it finds, which is not built in"));
    }
    if !options.operands.is_empty() {
        return Err(refused(process, "is given files of its own"));
    }
    Ok(options)
}

/// The lines of a file, if each is one, with a name of its own; `None` if it is not there.
fn well_formed(process: &mut Process<'_, '_>, file: File) -> Result<Option<Vec<Record>>, Stop> {
    let Some(database) = Database::open(process, file)? else { return Ok(None) };
    let records: Vec<Record> = database.records().map(|(_, fields)| fields).collect();
    let names: BTreeSet<&BString> = records.iter().map(|fields| &fields[0]).collect();
    let is_well = names.len() == records.len() && records.len() == database.line_count();
    demand(process, is_well, file)?;
    Ok(Some(records))
}

/// Whether the closed file has a line for each of the open one, and that says so.
fn demand_same(
    process: &Process<'_, '_>,
    open: &[Record],
    closed: Option<&[Record]>,
    file: File,
) -> Result<(), Stop> {
    let Some(closed) = closed else { return Ok(()) };
    let names = |records: &[Record]| {
        records.iter().map(|fields| fields[0].clone()).collect::<BTreeSet<_>>()
    };
    let is_well = names(open) == names(closed) && open.iter().all(|fields| fields[1] == "x");
    demand(process, is_well, file)
}

fn demand(process: &Process<'_, '_>, is_well: bool, file: File) -> Result<(), Stop> {
    match is_well {
        true => Ok(()),
        false => Err(refused(process, format!("has something to say of {}", file.path()))),
    }
}

#[cfg(test)]
mod tests {
    use crate::fixture::Image;

    #[test]
    fn what_is_well_formed_passes_without_a_word() {
        let mut image = Image::new();
        assert_eq!(image.sh("pwck -q -r && grpck -r"), "");
        let shown = image.sh("rm /etc/shadow /etc/gshadow; pwck -qr && grpck -r && echo fine");
        assert!(shown.starts_with("fine"), "{shown}");
        for (line, expected) in [
            ("pwck -r", "refused: `pwck` looks for homes and shells, which is not built in"),
            ("grpck", "refused: `grpck` repairs what it finds, which is not built in"),
            ("pwck -q -r /etc/passwd", "refused: `pwck` is given files of its own"),
            (
                "echo x:y >> /etc/passwd; pwck -q -r",
                "refused: `pwck` has something to say of /etc/passwd",
            ),
            (
                "echo x:x:7:nobody-there >> /etc/group; grpck -r",
                "refused: `grpck` has something to say of /etc/group",
            ),
            (
                "echo x:x:7: >> /etc/group; grpck -r",
                "refused: `grpck` has something to say of /etc/gshadow",
            ),
        ] {
            assert_eq!(image.sh(line), expected, "{line}");
        }
        image.user.uid = 1000;
        assert_eq!(image.sh("pwck -q -r"), "refused: `pwck` is run by a user who is not root");
    }
}
