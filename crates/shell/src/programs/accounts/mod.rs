//! Users and groups: shadow's programs, Debian's adduser, BusyBox's.
//!
//! They work on the image's own files alone, as if nsswitch.conf(5) said `files`. The day of a
//! password's change is the clock's, as shadow takes it from `SOURCE_DATE_EPOCH`.

mod addgroup;
mod adduser;
mod busybox;
mod chfn;
mod chpasswd;
mod chsh;
mod conversion;
mod database;
mod deluser;
mod getent;
mod gpasswd;
mod groupadd;
mod groupdel;
mod groupmod;
mod home;
mod id;
mod identifiers;
mod lookup;
mod passwd;
mod pwck;
mod settings;
#[cfg(test)]
mod tests;
mod useradd;
mod userdel;
mod usermod;

use super::Program;
use crate::process::{Process, Run};
use crate::stop::{Reason, Stop};

/// By name.
pub(crate) const PROGRAMS: &[(&str, Program)] = &[
    ("addgroup", addgroup::addgroup),
    ("adduser", adduser::adduser),
    ("chfn", chfn::chfn),
    ("chpasswd", chpasswd::chpasswd),
    ("chsh", chsh::chsh),
    ("delgroup", deluser::delgroup),
    ("deluser", deluser::deluser),
    ("getent", getent::getent),
    ("gpasswd", gpasswd::gpasswd),
    ("groupadd", groupadd::groupadd),
    ("groupdel", groupdel::groupdel),
    ("groupmod", groupmod::groupmod),
    ("groups", id::groups),
    ("grpck", pwck::grpck),
    ("grpconv", conversion::grpconv),
    ("id", id::id),
    ("logname", logname),
    ("passwd", passwd::passwd),
    ("pwck", pwck::pwck),
    ("pwconv", conversion::pwconv),
    ("useradd", useradd::useradd),
    ("userdel", userdel::userdel),
    ("usermod", usermod::usermod),
    ("whoami", id::whoami),
];

/// Who has logged in.
fn logname(process: &mut Process<'_, '_>) -> Run {
    Err(process.refuse(Reason::Machine("nobody has logged in where a line is run".to_owned())))
}

/// Refuses whoever may not write the files of users and groups.
fn require_root(process: &Process<'_, '_>) -> Result<(), Stop> {
    match process.machine.files.user().uid {
        0 => Ok(()),
        _ => Err(refused(process, "is run by a user who is not root")),
    }
}

fn refused(process: &Process<'_, '_>, why: impl Into<String>) -> Stop {
    process.refuse(Reason::Use(why.into()))
}

/// Says why a program fails, and gives its exit status.
fn fail(process: &mut Process<'_, '_>, status: u8, message: impl std::fmt::Display) -> Run {
    process.complain(message)?;
    Ok(status)
}
