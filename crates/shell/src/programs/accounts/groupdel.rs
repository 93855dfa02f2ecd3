//! `groupdel` (groupdel(8)).

use bstr::ByteSlice;

use super::database::{self, Database, File};
use super::lookup;
use super::{fail, refused, require_root};
use crate::options::{Options, Order};
use crate::process::{Process, Run};

pub(super) fn groupdel(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, &[], Order::Anywhere)?;
    let [name] = &options.operands[..] else {
        return Err(refused(process, "is called in a way that it explains"));
    };
    let name = name.as_bstr();
    let Some(group) = lookup::group_named(process, name)? else {
        return fail(process, 6, format!("group '{name}' does not exist"));
    };
    let users = lookup::users(process)?;
    if let Some(user) = users.iter().find(|user| user.gid == group.gid) {
        let user = &user.name;
        return fail(process, 8, format!("cannot remove the primary group of user '{user}'"));
    }
    database::lock(process)?;
    for file in [File::Group, File::Gshadow] {
        if let Some(mut database) = Database::open(process, file)? {
            database.remove(name);
            database.save(process)?;
        }
    }
    Ok(0)
}
