//! The links of a group: from where they are called to `/etc/alternatives`, and from there to the
//! files. New ones are made beside the old ones first, and take their places in one go.

use bstr::{BStr, BString, ByteSlice};
use shell::files::{Errno, FileError, Last};
use shell::{Process, Stop};

use super::Work;
use super::arguments::Overwriting;
use super::group::{Choice, Group, Slave};
use crate::programs::failure::{Failure, Step, said};
use crate::programs::place::{self, Place};

/// What is left to be done once all is prepared.
enum Commit {
    Remove(BString),
    Rename(BString, BString),
    /// Gives a link the time of what it leads to, so that it is the same whenever it is made.
    Date {
        link: BString,
        target: BString,
    },
}

/// What is wrong with a group's links.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    Nothing,
    /// Slaves are new or elsewhere.
    SlavesChanged,
    /// Somebody else has changed them.
    Broken,
}

const UNFINISHED: &[u8] = b".dpkg-tmp";

/// What stands at a path; what cannot be looked at is an error.
pub(super) fn classify(process: &Process<'_, '_>, path: &[u8]) -> Step<Place> {
    match place::look(process, path)? {
        Ok(place) => Ok(place),
        Err(errno) => {
            Failure::error(format_args!("cannot stat file '{}': {errno}", path.as_bstr()))
        }
    }
}

/// Whether nothing is at a path, all links followed.
pub(super) fn is_missing(process: &Process<'_, '_>, path: &[u8]) -> Step<bool> {
    match process.find(path, Last::Followed) {
        Ok(_) => Ok(false),
        Err(FileError::Errno(Errno::NotFound)) => Ok(true),
        Err(error) => said(Err(error), || format!("cannot stat file '{}'", path.as_bstr())),
    }
}

/// Where the group's link in `/etc/alternatives` leads now.
pub(super) fn current(
    process: &Process<'_, '_>,
    work: &Work,
    name: &BStr,
) -> Step<Option<BString>> {
    let link = work.inner(name);
    match place::look(process, &link)? {
        Ok(Place::Link(target)) => Ok(Some(target)),
        Ok(Place::Free) => Ok(None),
        Ok(_) => Failure::error(format_args!("cannot stat file '{link}': {}", Errno::Invalid)),
        Err(errno) => Failure::error(format_args!("cannot stat file '{link}': {errno}")),
    }
}

/// The links of a group while they are made to lead to a choice.
pub(super) struct Preparation {
    commits: Vec<Commit>,
}

impl Preparation {
    /// Nothing changes.
    pub(super) fn none() -> Self {
        Preparation { commits: Vec::new() }
    }

    /// Prepares that all links lead to what belongs to a choice.
    pub(super) fn of(
        process: &mut Process<'_, '_>,
        work: &Work,
        group: &Group,
        path: &BStr,
    ) -> Step<Self> {
        let Some(choice) = group.choice(path) else {
            return Failure::error(format_args!("can't install unknown choice {path}"));
        };
        let mut preparation = Preparation::none();
        preparation.put(process, work, [&group.name, &group.link, &choice.path])?;
        for slave in &group.slaves {
            match choice.slave(slave.name.as_bstr()) {
                Some(file) if !is_missing(process, file)? => {
                    preparation.put(process, work, [&slave.name, &slave.link, file])?;
                }
                file => preparation.drop_slave(process, work, group, slave, file)?,
            }
        }
        Ok(preparation)
    }

    fn put(
        &mut self,
        process: &mut Process<'_, '_>,
        work: &Work,
        [name, link, file]: [&BString; 3],
    ) -> Step<()> {
        let directory = &work.settings.links;
        if is_missing(process, directory)? {
            let made = place::make_directories(process, directory, 0o755);
            said(made, || format!("cannot create alternatives directory '{directory}'"))?;
        }
        let inner = work.inner(name.as_bstr());
        self.link(process, &inner, file)?;
        if self.needs_update(process, work, link, &inner)? {
            self.link(process, link, &inner)?;
        }
        Ok(())
    }

    fn link(&mut self, process: &mut Process<'_, '_>, link: &BString, to: &BString) -> Step<()> {
        let unfinished = BString::from([&link[..], UNFINISHED].concat());
        remove(process, &unfinished)?;
        let made = place::make_link(process, &unfinished, to);
        said(made, || format!("error creating symbolic link '{unfinished}'"))?;
        self.commits.push(Commit::Rename(unfinished, link.clone()));
        if is_missing(process, link)? {
            self.commits.push(Commit::Date { link: link.clone(), target: to.clone() });
        }
        Ok(())
    }

    fn needs_update(
        &self,
        process: &mut Process<'_, '_>,
        work: &Work,
        link: &BString,
        target: &BString,
    ) -> Step<bool> {
        if work.settings.overwriting == Overwriting::Everything {
            return Ok(true);
        }
        match classify(process, link)? {
            Place::Link(old) => Ok(old != *target),
            Place::Free => Ok(true),
            _ => {
                work.warn(process, format_args!("not replacing {link} with a link"))?;
                Ok(false)
            }
        }
    }

    /// A slave that the choice does not have, or whose file is not there.
    fn drop_slave(
        &mut self,
        process: &mut Process<'_, '_>,
        work: &Work,
        group: &Group,
        slave: &Slave,
        file: Option<&BString>,
    ) -> Step<()> {
        let link = &slave.link;
        if let Some(file) = file {
            let rest = format!("file {file} (of link group {}) doesn't exist", group.name);
            work.warn(process, format_args!("skip creation of {link} because associated {rest}"))?;
        }
        if can_remove(process, work, link)? {
            self.commits.push(Commit::Remove(link.clone()));
        } else {
            work.warn(process, format_args!("not removing {link} since it's not a symlink"))?;
        }
        self.commits.push(Commit::Remove(work.inner(slave.name.as_bstr())));
        Ok(())
    }

    /// Puts everything in its place.
    pub(super) fn commit(self, process: &mut Process<'_, '_>) -> Step<()> {
        for commit in self.commits {
            match commit {
                Commit::Remove(path) => remove(process, &path)?,
                Commit::Rename(from, to) => rename(process, &from, &to)?,
                Commit::Date { link, target } => date(process, &link, &target)?,
            }
        }
        Ok(())
    }
}

fn remove(process: &mut Process<'_, '_>, path: &BString) -> Step<()> {
    let removed = place::remove(process, path);
    said(removed, || format!("unable to remove '{path}'"))
}

pub(super) fn rename(process: &mut Process<'_, '_>, from: &BString, to: &BString) -> Step<()> {
    let renamed = place::rename(process, from, to);
    said(renamed, || format!("unable to install '{from}' as '{to}'"))
}

fn date(process: &mut Process<'_, '_>, link: &BString, target: &BString) -> Step<()> {
    let Ok((_, stat)) = process.find(target, Last::Kept) else { return Ok(()) };
    let dated = process
        .find(link, Last::Kept)
        .and_then(|(real, _)| process.machine.files.set_time(&real, stat.attributes.mtime));
    said(dated, || format!("cannot set symlink '{link}' timestamp"))
}

fn can_remove(process: &Process<'_, '_>, work: &Work, link: &BString) -> Step<bool> {
    let is_link = matches!(classify(process, link)?, Place::Free | Place::Link(_));
    Ok(is_link || work.settings.overwriting == Overwriting::Everything)
}

/// Takes away all links of a group, and its file.
pub(super) fn remove_all(process: &mut Process<'_, '_>, work: &Work, group: &Group) -> Step<()> {
    let own = std::iter::once((&group.name, &group.link));
    for (name, link) in own.chain(group.slaves.iter().map(|slave| (&slave.name, &slave.link))) {
        remove(process, &[&link[..], UNFINISHED].concat().into())?;
        if can_remove(process, work, link)? {
            remove(process, link)?;
        }
        let inner = work.inner(name.as_bstr());
        remove(process, &[&inner[..], UNFINISHED].concat().into())?;
        remove(process, &inner)?;
    }
    remove(process, &work.file(group.name.as_bstr()))
}

/// Whether the links are as the program would have left them.
pub(super) fn examine(
    process: &Process<'_, '_>,
    work: &Work,
    group: &Group,
    current: Option<&BString>,
) -> Step<Wrong> {
    if leads_elsewhere(process, &group.link, &work.inner(group.name.as_bstr()))? {
        return Ok(Wrong::Broken);
    }
    let Some(current) = current else { return Ok(Wrong::Broken) };
    let Some(choice) = group.choice(current.as_bstr()) else { return Ok(Wrong::Nothing) };
    let mut wrong = Wrong::Nothing;
    for slave in &group.slaves {
        if is_slave_broken(process, work, slave, choice)? {
            if !slave.is_updated {
                return Ok(Wrong::Broken);
            }
            wrong = Wrong::SlavesChanged;
        }
    }
    Ok(wrong)
}

fn leads_elsewhere(process: &Process<'_, '_>, link: &[u8], target: &[u8]) -> Result<bool, Stop> {
    Ok(place::link_target(process, link)?.is_none_or(|old| old != target))
}

fn is_slave_broken(
    process: &Process<'_, '_>,
    work: &Work,
    slave: &Slave,
    choice: &Choice,
) -> Step<bool> {
    let inner = work.inner(slave.name.as_bstr());
    match choice.slave(slave.name.as_bstr()) {
        Some(file) if !is_missing(process, file)? => {
            Ok(leads_elsewhere(process, &slave.link, &inner)?
                || leads_elsewhere(process, &inner, file)?)
        }
        _ => Ok(classify(process, &slave.link)? != Place::Free
            || classify(process, &inner)? != Place::Free),
    }
}
