//! `update-alternatives` (update-alternatives(1) of dpkg 1.21).
//!
//! Links, files and messages are dpkg's. `/var/log/alternatives.log` is not written: it says when
//! somebody ran it.

mod arguments;
mod group;
mod install;
mod links;
mod select;
mod show;

use std::fmt::Display;

use bstr::{BStr, BString, ByteSlice};
use shell::process::Run;
use shell::{Process, Stop};

use crate::outside::Outside;
use crate::programs::Program;
use crate::programs::failure::{Failure, Step, refused, said};
use crate::programs::place::{self, Place};
use arguments::{Action, Arguments, Settings, Talk};
use group::{Group, Mode, Slave};
use links::{Preparation, Wrong};

/// By name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[("update-alternatives", update_alternatives)];

const HELP: &str = "Use 'update-alternatives --help' for program usage information.";

/// One run of the program.
struct Work {
    settings: Settings,
}

/// Whether an alternative that is gone is spoken of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// It is, and a file that is wrong is an error.
    Strict,
    /// A file that is wrong is no group.
    Lax,
}

fn update_alternatives(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    match run(process) {
        Ok(()) => Ok(0),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Error(message)) => {
            process.complain(format_args!("error: {message}"))?;
            Ok(2)
        }
        Err(Failure::Usage(message)) => {
            process.complain(format_args!("{message}\n\n{HELP}"))?;
            Ok(2)
        }
    }
}

fn run(process: &mut Process<'_, '_>) -> Step<()> {
    let Arguments { action, settings } = arguments::read(process)?;
    let work = Work { settings };
    match action {
        Action::Install { group, choice } => install::install(process, &work, *group, choice),
        Action::Remove { name, path } => remove(process, &work, &name, &path),
        Action::Set { name, path } => {
            work.change(process, &name, |_, _, group, _| group.set_manual(&path).map(Some))
        }
        Action::Auto { name } => work.change(process, &name, |process, work, group, current| {
            work.automatic(process, group, current)
        }),
        Action::RemoveAll { name } => work.change(process, &name, |_, _, group, _| {
            group.choices.clear();
            Ok(None)
        }),
        Action::Config { name } => work.change(process, &name, select::ask),
        Action::All => {
            for name in work.names(process)? {
                if let Some(group) = work.load(process, name.as_bstr(), Reading::Lax)? {
                    work.change_group(process, group, select::ask)?;
                }
            }
            Ok(())
        }
        Action::Display { name } => show::display(process, &work, name.as_bstr()),
        Action::Query { name } => show::query(process, &work, name.as_bstr()),
        Action::List { name } => show::list(process, &work, name.as_bstr()),
        Action::GetSelections => show::selections(process, &work),
        Action::SetSelections => select::set_selections(process, &work),
    }
}

impl Work {
    /// The link of a name in `/etc/alternatives`.
    fn inner(&self, name: &BStr) -> BString {
        place::within(&self.settings.links, name)
    }

    /// The file of a group.
    fn file(&self, name: &BStr) -> BString {
        place::within(&self.settings.database, name)
    }

    /// The names of all groups.
    fn names(&self, process: &Process<'_, '_>) -> Result<Vec<BString>, Stop> {
        let mut names = place::names(process, &self.settings.database)?;
        names.retain(|name| name.len() <= 9 || !name.ends_with(b".dpkg-tmp"));
        Ok(names)
    }

    /// Reads a group; `None` if there is none of the name. Choices that are gone are left out.
    fn load(
        &self,
        process: &mut Process<'_, '_>,
        name: &BStr,
        reading: Reading,
    ) -> Step<Option<Group>> {
        let path = self.file(name);
        let bytes = match links::classify(process, &path)? {
            Place::Free => return Ok(None),
            Place::Directory if reading == Reading::Lax => return Ok(None),
            _ => {
                let read = process.open_bytes(&path);
                said(read, || format!("unable to open file '{path}'"))?
            }
        };
        if bytes.is_empty() {
            return Ok(None);
        }
        let mut group = match (Group::parse(name, &bytes), reading) {
            (Ok(group), _) => group,
            (Err(_), Reading::Lax) => return Ok(None),
            (Err(wrong), Reading::Strict) => {
                return Failure::error(format_args!("{path} corrupt: {wrong}"));
            }
        };
        self.forget_missing(process, &mut group, reading)?;
        Ok(Some(group))
    }

    fn forget_missing(
        &self,
        process: &mut Process<'_, '_>,
        group: &mut Group,
        reading: Reading,
    ) -> Step<()> {
        for choice in std::mem::take(&mut group.choices) {
            if !links::is_missing(process, &choice.path)? {
                group.choices.push(choice);
                continue;
            }
            group.is_modified = true;
            if reading == Reading::Strict {
                let (path, name) = (&choice.path, &group.name);
                let rest = "doesn't exist; removing from list of alternatives";
                let message = format_args!("alternative {path} (part of link group {name}) {rest}");
                self.warn(process, message)?;
            }
        }
        Ok(())
    }

    /// Changes a group that has to be there.
    fn change(
        &self,
        process: &mut Process<'_, '_>,
        name: &BString,
        change: impl FnOnce(&mut Process<'_, '_>, &Work, &mut Group, Option<&BString>) -> Step<Wanted>,
    ) -> Step<()> {
        match self.load(process, name.as_bstr(), Reading::Strict)? {
            Some(group) => self.change_group(process, group, change),
            None => Failure::error(format_args!("no alternatives for {name}")),
        }
    }

    fn change_group(
        &self,
        process: &mut Process<'_, '_>,
        mut group: Group,
        change: impl FnOnce(&mut Process<'_, '_>, &Work, &mut Group, Option<&BString>) -> Step<Wanted>,
    ) -> Step<()> {
        let current = links::current(process, self, group.name.as_bstr())?;
        self.settle_mode(process, &mut group, current.as_ref())?;
        let wanted = change(process, self, &mut group, current.as_ref())?;
        self.update(process, &mut group, current, wanted)
    }

    /// Sees whether somebody else has chosen.
    fn settle_mode(
        &self,
        process: &mut Process<'_, '_>,
        group: &mut Group,
        current: Option<&BString>,
    ) -> Step<()> {
        let link = self.inner(group.name.as_bstr());
        let Some(current) = current else {
            self.explain(
                process,
                format_args!("setting up automatic selection of {}", group.name),
            )?;
            group.set_mode(Mode::Automatic);
            return Ok(());
        };
        if group.choice(current.as_bstr()).is_some() {
            return Ok(());
        }
        if links::is_missing(process, current)? {
            let rest = "is dangling; it will be updated with best choice";
            self.warn(process, format_args!("{link} {rest}"))?;
            group.set_mode(Mode::Automatic);
        } else if group.mode != Mode::Manual {
            let rest =
                "has been changed (manually or by a script); switching to manual updates only";
            self.warn(process, format_args!("{link} {rest}"))?;
            group.set_mode(Mode::Manual);
        }
        Ok(())
    }

    fn automatic(
        &self,
        process: &mut Process<'_, '_>,
        group: &mut Group,
        current: Option<&BString>,
    ) -> Step<Wanted> {
        group.set_mode(Mode::Automatic);
        let best = group.best(current).map(|best| best.path.clone());
        if best.is_none() {
            let message = format_args!("there is no program which provides {}", group.name);
            self.say(process, message)?;
        }
        Ok(best)
    }

    /// Makes the links lead where they should, and writes the group.
    fn update(
        &self,
        process: &mut Process<'_, '_>,
        group: &mut Group,
        current: Option<BString>,
        wanted: Wanted,
    ) -> Step<()> {
        if group.choices.is_empty() {
            return links::remove_all(process, self, group);
        }
        let preparation = match wanted {
            Some(wanted) if current.as_ref() != Some(&wanted) => {
                let (link, name, mode) = (&group.link, &group.name, group.mode.name());
                let rest = format!("to provide {link} ({name}) in {mode} mode");
                self.say(process, format_args!("using {wanted} {rest}"))?;
                Preparation::of(process, self, group, wanted.as_bstr())?
            }
            _ => self.repair(process, group, current)?,
        };
        if group.is_modified {
            self.save(process, group)?;
        }
        preparation.commit(process)
    }

    fn repair(
        &self,
        process: &mut Process<'_, '_>,
        group: &mut Group,
        current: Option<BString>,
    ) -> Step<Preparation> {
        // printf(3) of the GNU C library, given no text.
        let shown = current.clone().unwrap_or("(null)".into());
        let name = group.name.clone();
        match links::examine(process, self, group, current.as_ref())? {
            Wrong::Nothing => return Ok(Preparation::none()),
            Wrong::SlavesChanged => {
                let rest = format!("because link group {name} has changed slave links");
                self.say(process, format_args!("updating alternative {shown} {rest}"))?;
            }
            Wrong::Broken => {
                let rest = format!("because link group {name} is broken");
                let message = format_args!("forcing reinstallation of alternative {shown} {rest}");
                self.warn(process, message)?;
            }
        }
        let Some(mut current) = current else { return Ok(Preparation::none()) };
        if group.choice(current.as_bstr()).is_none()
            && let Some(best) = group.best(Some(&current))
        {
            let best = best.path.clone();
            let rest = format!("is unknown, switching to {best} for link group {name}");
            self.warn(process, format_args!("current alternative {current} {rest}"))?;
            current = best;
            group.set_mode(Mode::Automatic);
        }
        Preparation::of(process, self, group, current.as_bstr())
    }

    fn save(&self, process: &mut Process<'_, '_>, group: &mut Group) -> Step<()> {
        let before = group.slaves.clone();
        group.tidy();
        for Slave { name, link, .. } in &before {
            if group.slave(name.as_bstr()).is_none() {
                let message = format_args!("discarding obsolete slave link {name} ({link})");
                self.explain(process, message)?;
            }
        }
        let directory = &self.settings.database;
        if links::is_missing(process, directory)? {
            let made = place::make_directories(process, directory, 0o755);
            said(made, || format!("cannot create administrative directory '{directory}'"))?;
        }
        let text = group.text();
        if text.iter().filter(|byte| **byte == b'\n').count() > group.lines() {
            let why = "is given a name with a newline";
            return Err(refused(process, why).into());
        }
        let path = self.file(group.name.as_bstr());
        let written = place::replace(process, &path, text, 0o644);
        said(written, || format!("unable to create file '{path}.dpkg-tmp'"))
    }

    /// Says what is done.
    fn say(&self, process: &mut Process<'_, '_>, message: impl Display) -> Result<(), Stop> {
        match self.settings.talk >= Talk::Normal {
            true => process.write(format!("update-alternatives: {message}\n")),
            false => Ok(()),
        }
    }

    /// Says what is of interest to those who want to hear all.
    fn explain(&self, process: &mut Process<'_, '_>, message: impl Display) -> Result<(), Stop> {
        match self.settings.talk >= Talk::Verbose {
            true => self.say(process, message),
            false => Ok(()),
        }
    }

    fn warn(&self, process: &mut Process<'_, '_>, message: impl Display) -> Result<(), Stop> {
        match self.settings.talk >= Talk::Normal {
            true => process.complain(format_args!("warning: {message}")),
            false => Ok(()),
        }
    }
}

/// Where the links shall lead, if a change wants them to lead somewhere.
type Wanted = Option<BString>;

impl Group {
    fn set_manual(&mut self, path: &BString) -> Step<BString> {
        if self.choice(path.as_bstr()).is_none() {
            let name = &self.name;
            return Failure::error(format_args!(
                "alternative {path} for {name} not registered; not setting"
            ));
        }
        self.set_mode(Mode::Manual);
        Ok(path.clone())
    }

    /// How many lines its file has.
    fn lines(&self) -> usize {
        4 + 2 * self.slaves.len() + self.choices.len() * (2 + self.slaves.len())
    }
}

fn remove(process: &mut Process<'_, '_>, work: &Work, name: &BString, path: &BString) -> Step<()> {
    let Some(group) = work.load(process, name.as_bstr(), Reading::Strict)? else {
        work.explain(process, format_args!("no alternatives for {name}"))?;
        return Ok(());
    };
    work.change_group(process, group, |process, work, group, current| {
        let before = group.choices.len();
        group.choices.retain(|choice| choice.path != *path);
        if group.choices.len() == before {
            let rest = "not registered; not removing";
            work.explain(process, format_args!("alternative {path} for {name} {rest}"))?;
        } else {
            group.is_modified = true;
        }
        if current != Some(path) {
            return Ok(None);
        }
        if group.mode == Mode::Manual {
            let rest = format!("switching {name} to auto mode");
            work.say(process, format_args!("removing manually selected alternative - {rest}"))?;
            group.set_mode(Mode::Automatic);
        }
        Ok(group.best(current).map(|best| best.path.clone()))
    })
}
