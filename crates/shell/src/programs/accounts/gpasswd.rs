//! `gpasswd` (gpasswd(1)): members of groups; passwords of groups are not built in.

use bstr::{BStr, ByteSlice};

use super::database::{self, Database, File};
use super::lookup;
use super::{fail, refused, require_root};
use crate::options::{Known, Options, Order, value};
use crate::process::{Process, Run};
use crate::stop::Stop;

const KNOWN: &[Known] =
    &[value("-a", 'a', &["add"]), value("-d", 'd', &["delete"]), value("-M", 'M', &["members"])];

pub(super) fn gpasswd(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let ([group], [(action, Some(given))]) = (&options.operands[..], &options.given[..]) else {
        return Err(refused(process, "is called in a way that is not built in"));
    };
    let (group, given) = (group.as_bstr(), given.as_bstr());
    for user in given.split_str(",").filter(|name| *action != "-M" || !name.is_empty()) {
        let user = if *action == "-M" { user.as_bstr() } else { given };
        // A member that is to go need not be a user.
        if *action != "-d" && lookup::user_named(process, user)?.is_none() {
            return fail(process, 3, format!("user '{user}' does not exist"));
        }
    }
    let Some(found) = lookup::group_named(process, group)? else {
        return fail(process, 3, format!("group '{group}' does not exist in /etc/group"));
    };
    match *action {
        "-a" => process.write(format!("Adding user {given} to group {group}\n"))?,
        "-d" => {
            process.write(format!("Removing user {given} from group {group}\n"))?;
            if !found.members.iter().any(|member| member == given) {
                return fail(process, 3, format!("user '{given}' is not a member of '{group}'"));
            }
        }
        _ => {}
    }
    update(process, group, action, given)?;
    Ok(0)
}

fn update(
    process: &mut Process<'_, '_>,
    group: &BStr,
    action: &str,
    given: &BStr,
) -> Result<(), Stop> {
    database::lock(process)?;
    for file in [File::Group, File::Gshadow] {
        let Some(mut database) = Database::open(process, file)? else { continue };
        if let Some(mut fields) = database.find(group) {
            fields[3] = match action {
                "-a" => database::with_member(fields[3].as_bstr(), given),
                "-d" => database::without_member(fields[3].as_bstr(), given),
                _ => given.into(),
            };
            database.replace(group, &fields);
        }
        database.save(process)?;
    }
    Ok(())
}
