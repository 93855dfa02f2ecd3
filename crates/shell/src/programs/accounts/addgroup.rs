//! Debian's `addgroup` (addgroup(8) of adduser 3.134).

use std::collections::BTreeSet;

use bstr::{BStr, ByteSlice};

use super::adduser::{self, Configuration, Talk, call, find_program, take_lock};
use super::busybox;
use super::fail;
use super::lookup;
use crate::options::Options;
use crate::process::{Process, Run};
use crate::programs::Flavour;

/// Which groups are meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    People,
    System,
}

pub(super) fn addgroup(process: &mut Process<'_, '_>) -> Run {
    match process.flavour {
        Flavour::Gnu => adduser::run(process, adduser::Mode::Group),
        Flavour::BusyBox => busybox::addgroup(process),
    }
}

/// Adds a group.
pub(super) fn add(
    process: &mut Process<'_, '_>,
    name: &BStr,
    options: &Options,
    configuration: &Configuration,
    of: Of,
) -> Run {
    let talk = Talk::of(options.has("-q"));
    take_lock(process)?;
    let groups = lookup::groups(process)?;
    let given = match adduser::number_of(process, options, "--gid")? {
        Ok(given) => given,
        Err(status) => return Ok(status),
    };
    if let Some(group) = groups.iter().find(|group| group.name == name) {
        return exists(process, group, given, configuration, of, talk);
    }
    let used: BTreeSet<u32> = groups.iter().map(|group| group.gid).collect();
    let gid = match given {
        Some(gid) if used.contains(&gid) => {
            return fail(process, 1, format!("The GID `{gid}' is already in use."));
        }
        Some(gid) => gid,
        None => {
            let range = match of {
                Of::People => configuration.range(options, ["first_gid", "last_gid"])?,
                Of::System => {
                    configuration.range(options, ["first_system_gid", "last_system_gid"])?
                }
            };
            match adduser::first_free(range, |id| used.contains(&id)) {
                Some(gid) => gid,
                None => return Err(super::refused(process, "finds no number that is free")),
            }
        }
    };
    talk.say(process, format!("Adding group `{name}' (GID {gid}) ...\n"))?;
    let program = find_program(process, "groupadd")?;
    match call(process, vec![program, "-g".into(), gid.to_string().into(), name.into()])? {
        0 => talk.say(process, "Done.\n".to_owned()).map(|()| 0),
        status => Ok(status),
    }
}

fn exists(
    process: &mut Process<'_, '_>,
    group: &lookup::Group,
    given: Option<u32>,
    configuration: &Configuration,
    of: Of,
    talk: Talk,
) -> Run {
    let name = group.name.as_bstr();
    if of == Of::People {
        return fail(process, 1, format!("The group `{name}' already exists."));
    }
    let range = configuration.numbers(["first_system_gid", "last_system_gid"]);
    if range.contains(&group.gid) {
        if talk == Talk::Aloud {
            process.complain(format!(
                "The group `{name}' already exists as a system group. Exiting."
            ))?;
        }
        return Ok(0);
    }
    let message = match given {
        Some(gid) if gid != group.gid => "but has a different GID. Exiting.",
        _ => {
            let message =
                format!("The group `{name}' already exists and is not a system group. Exiting.");
            return fail(process, 1, message);
        }
    };
    fail(process, 1, format!("The group `{name}' already exists, {message}"))
}
