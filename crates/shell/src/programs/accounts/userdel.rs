//! `userdel` (userdel(8)).

use bstr::{BStr, ByteSlice};

use super::database::{self, Database, File};
use super::home;
use super::lookup::{self, Account};
use super::settings::Settings;
use super::{fail, refused, require_root};
use crate::options::{Known, Options, Order, flag};
use crate::process::{Process, Run};
use crate::stop::Stop;

const KNOWN: &[Known] = &[flag("-f", 'f', &["force"]), flag("-r", 'r', &["remove"])];

pub(super) fn userdel(process: &mut Process<'_, '_>) -> Run {
    require_root(process)?;
    let options = Options::of(process, KNOWN, Order::Anywhere)?;
    let [name] = &options.operands[..] else {
        return Err(refused(process, "is called in a way that it explains"));
    };
    let Some(user) = lookup::user_named(process, name.as_bstr())? else {
        return fail(process, 6, format!("user '{name}' does not exist"));
    };
    if user.uid == 0 {
        return Err(refused(process, "removes the user who runs it"));
    }
    if options.has("-r") && options.has("-f") {
        return Err(refused(process, "removes a home by force"));
    }
    let users = lookup::users(process)?;
    let settings = Settings::of_login(process)?;
    database::lock(process)?;
    remove_from_groups(process, &user, &users, settings.is_yes("USERGROUPS_ENAB"))?;
    for file in [File::Passwd, File::Shadow, File::Subuid, File::Subgid] {
        if let Some(mut database) = Database::open(process, file)? {
            database.remove(name.as_bstr());
            database.save(process)?;
        }
    }
    match options.has("-r") {
        true => remove_home(process, &user, &users, settings.text("MAIL_DIR")),
        false => Ok(0),
    }
}

fn remove_from_groups(
    process: &mut Process<'_, '_>,
    user: &Account,
    users: &[Account],
    own_groups: bool,
) -> Result<(), Stop> {
    let name = user.name.as_bstr();
    let group = lookup::group_named(process, name)?.filter(|_| own_groups);
    let mut is_own_removed = false;
    if let Some(group) = group {
        let shares = |other: &&Account| other.gid == group.gid && other.name != name;
        let others = group.members.iter().any(|member| member != name);
        if group.gid != user.gid {
            process.complain(format!(
                "group {name} not removed because it is not the primary group of user {name}."
            ))?;
        } else if others {
            process.complain(format!("group {name} not removed because it has other members."))?;
        } else if users.iter().any(|other| shares(&other)) {
            process.complain(format!(
                "group {name} is the primary group of another user and is not removed."
            ))?;
        } else {
            is_own_removed = true;
        }
    }
    for file in [File::Group, File::Gshadow] {
        let Some(mut database) = Database::open(process, file)? else { continue };
        database.change(|fields| {
            let was_member =
                database::members(fields[3].as_bstr()).iter().any(|member| member == name);
            if was_member {
                fields[3] = database::without_member(fields[3].as_bstr(), name);
            }
            was_member
        });
        if is_own_removed {
            database.remove(name);
        }
        database.save(process)?;
    }
    Ok(())
}

fn remove_home(
    process: &mut Process<'_, '_>,
    user: &Account,
    users: &[Account],
    mail: Option<&BStr>,
) -> Run {
    let (name, home) = (&user.name, &user.home);
    let spool = format!("{}/{name}", mail.unwrap_or(b"/var/mail".as_bstr()));
    match home::look(process, spool.as_bytes().as_bstr())? {
        Some(_) => return Err(refused(process, "removes mail")),
        None => process.complain(format!("{name} mail spool ({spool}) not found"))?,
    }
    let Some((path, stat)) = home::look(process, home.as_bstr())? else {
        process.complain(format!("{name} home directory ({home}) not found"))?;
        return Ok(0);
    };
    if stat.attributes.uid != user.uid {
        return fail(process, 12, format!("{home} not owned by {name}, not removing"));
    }
    let is_shared = users.iter().any(|other| other.name != *name && other.home.starts_with(home));
    if is_shared {
        return Err(refused(process, "removes a home that holds somebody else's"));
    }
    let removed = process.machine.files.remove_all(&path);
    home::done(process, home.as_bstr(), removed)?;
    Ok(0)
}
