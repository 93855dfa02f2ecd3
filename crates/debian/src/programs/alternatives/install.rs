//! `--install`: a choice for a group, which is made if there is none.

use bstr::{BString, ByteSlice};
use shell::Process;

use super::arguments::{check_link, check_name, check_path};
use super::group::{Choice, Group, Mode, Slave};
use super::{Failure, Place, Reading, Step, Work, links, place, said};

/// Puts a choice into a group, and makes its links lead where they should.
pub(super) fn install(
    process: &mut Process<'_, '_>,
    work: &Work,
    new: Group,
    choice: Choice,
) -> Step<()> {
    check_install(process, work, &new, &choice)?;
    let old = work.load(process, new.name.as_bstr(), Reading::Strict)?;
    let current = links::current(process, work, new.name.as_bstr())?;
    let mut group = match old {
        Some(mut group) => {
            work.settle_mode(process, &mut group, current.as_ref())?;
            evolve(process, work, &mut group, new, current.as_ref(), &choice)?;
            group
        }
        None => {
            // The mode that is settled here is forgotten with the group that was not there.
            work.settle_mode(
                process,
                &mut Group::new(new.name.as_bstr(), b"".into()),
                current.as_ref(),
            )?;
            new
        }
    };
    group.add_choice(choice);
    let wanted = match group.mode {
        Mode::Automatic => group.best(current.as_ref()).map(|best| best.path.clone()),
        Mode::Manual => {
            let (links, name) = (&work.settings.links, &group.name);
            let rest = "are disabled; leaving it alone";
            work.explain(process, format_args!("automatic updates of {links}/{name} {rest}"))?;
            let rest = format!("'update-alternatives --auto {name}'");
            work.explain(process, format_args!("to return to automatic updates use {rest}"))?;
            None
        }
    };
    work.update(process, &mut group, current, wanted)
}

/// Everything that is the same link, name or file as another group's is a mistake.
fn check_install(
    process: &mut Process<'_, '_>,
    work: &Work,
    new: &Group,
    choice: &Choice,
) -> Step<()> {
    check_name(&new.name)?;
    check_link(&new.link)?;
    check_path(&choice.path)?;
    let mut all = Vec::new();
    for name in work.names(process)? {
        all.extend(work.load(process, name.as_bstr(), Reading::Lax)?);
    }
    let with_name = |name: &BString| {
        all.iter().find(|group| group.name == *name || group.slave(name.as_bstr()).is_some())
    };
    let with_link = |link: &BString| {
        let has = |slave: &Slave| slave.link == *link;
        all.iter().find(|group| group.link == *link || group.slaves.iter().any(has))
    };
    let (name, link) = (&new.name, &new.link);
    if let Some(found) = with_name(name).filter(|found| found.name != *name) {
        let found = &found.name;
        return Failure::error(format_args!(
            "alternative {name} can't be master: it is a slave of {found}"
        ));
    }
    if let Some(found) = with_link(link).filter(|found| found.name != *name) {
        let found = &found.name;
        return Failure::error(format_args!(
            "alternative link {link} is already managed by {found}"
        ));
    }
    if links::is_missing(process, &choice.path)? {
        return Failure::error(format_args!("alternative path {} doesn't exist", choice.path));
    }
    for slave in &new.slaves {
        check_slave(new, choice, slave, with_name(&slave.name), with_link(&slave.link))?;
    }
    Ok(())
}

fn check_slave(
    new: &Group,
    choice: &Choice,
    slave: &Slave,
    with_name: Option<&Group>,
    with_link: Option<&Group>,
) -> Step<()> {
    let (name, Slave { name: slave_name, link, .. }) = (&new.name, slave);
    check_name(slave_name)?;
    check_link(link)?;
    check_path(choice.slave(slave_name.as_bstr()).map_or(&b""[..], |file| file))?;
    if let Some(found) = with_name.filter(|found| found.name != *name) {
        let what = match found.name == *slave_name {
            true => "master alternative".to_owned(),
            false => format!("slave of {}", found.name),
        };
        return Failure::error(format_args!(
            "alternative {slave_name} can't be slave of {name}: it is a {what}"
        ));
    }
    let Some(found) = with_link else { return Ok(()) };
    if found.name != *name {
        let found = &found.name;
        return Failure::error(format_args!(
            "alternative link {link} is already managed by {found}"
        ));
    }
    let other = found.slaves.iter().find(|other| other.link == *link);
    if let Some(other) = other.filter(|other| other.name != *slave_name) {
        let (other, found) = (&other.name, &found.name);
        return Failure::error(format_args!(
            "alternative link {link} is already managed by {other} (slave of {found})"
        ));
    }
    Ok(())
}

/// Takes over what is new of links that a group has already.
fn evolve(
    process: &mut Process<'_, '_>,
    work: &Work,
    group: &mut Group,
    new: Group,
    current: Option<&BString>,
    choice: &Choice,
) -> Step<()> {
    let is_link = matches!(links::classify(process, &group.link)?, Place::Link(_));
    if group.link != new.link {
        if is_link {
            let (old, name, link) = (&group.link, &group.name, &new.link);
            work.say(process, format_args!("renaming {name} link from {old} to {link}"))?;
            links::rename(process, old, link)?;
        }
        group.is_modified = true;
        group.link = new.link;
    }
    for mut slave in new.slaves {
        slave.is_updated = match group.slave(slave.name.as_bstr()).cloned() {
            Some(old) => move_slave(process, work, &old, &slave, current, choice)?,
            None => true,
        };
        group.add_slave(slave);
    }
    Ok(())
}

/// Moves a slave's link to where it shall be, and says whether there was something to move.
fn move_slave(
    process: &mut Process<'_, '_>,
    work: &Work,
    old: &Slave,
    new: &Slave,
    current: Option<&BString>,
    choice: &Choice,
) -> Step<bool> {
    if old.link == new.link || !matches!(links::classify(process, &old.link)?, Place::Link(_)) {
        return Ok(false);
    }
    let file = match current == Some(&choice.path) {
        true => choice.slave(new.name.as_bstr()).cloned(),
        false => place::link_target(process, &work.inner(new.name.as_bstr()))?,
    };
    let stays = match file {
        Some(file) => !links::is_missing(process, &file)?,
        None => false,
    };
    if stays {
        let (name, old, new) = (&new.name, &old.link, &new.link);
        work.say(process, format_args!("renaming {name} slave link from {old} to {new}"))?;
        links::rename(process, old, new)?;
    } else {
        let removed = place::remove(process, &old.link);
        said(removed, || format!("unable to remove '{}'", old.link))?;
    }
    Ok(true)
}
