//! `systemd-sysusers` (systemd-sysusers(8) of systemd 252).

mod files;
mod item;
mod numbers;

use bstr::{BString, ByteSlice};
use shell::Process;
use shell::options::{Options, Order};
use shell::process::Run;

use super::failure::{Failure, Step, refused};
use super::{Program, configuration};
use crate::outside::Outside;
use item::{Item, Line};
use numbers::Numbers;

/// By name.
pub(super) const PROGRAMS: &[(&str, Program)] = &[("systemd-sysusers", systemd_sysusers)];

const KIND: &str = "sysusers.d";

/// All that shall be.
#[derive(Debug, Default)]
struct Wanted {
    users: Vec<Item>,
    groups: Vec<Item>,
    /// Groups, and who shall be in them.
    members: Vec<(BString, Vec<BString>)>,
}

fn systemd_sysusers(process: &mut Process<'_, '_>, _: &dyn Outside) -> Run {
    match run(process) {
        Ok(()) => Ok(0),
        Err(Failure::Stop(stop)) => Err(stop),
        Err(Failure::Error(message) | Failure::Usage(message)) => {
            process.write_to(2, format!("{message}\n").as_bytes())?;
            Ok(1)
        }
    }
}

fn run(process: &mut Process<'_, '_>) -> Step<()> {
    let options = Options::of(process, &[], Order::Anywhere)?;
    let paths = match options.operands.is_empty() {
        true => configuration::all(process, KIND)?,
        false => named(process, &options.operands)?,
    };
    let mut wanted = Wanted::default();
    for path in &paths {
        for line in configuration::lines(process, path)? {
            wanted.add(process, item::parse(process, path, &line)?)?;
        }
    }
    wanted.add_implicit();
    let mut numbers = Numbers::read(process)?;
    for group in &mut wanted.groups {
        // What cannot be is said, and the others are made all the same.
        let step = numbers.add_group(process, group);
        said(process, step)?;
    }
    for at in 0..wanted.users.len() {
        let step = add_user(process, &mut numbers, &mut wanted, at);
        said(process, step)?;
    }
    files::write(process, &wanted, &numbers)
}

fn said(process: &mut Process<'_, '_>, step: Step<()>) -> Step<()> {
    match step {
        Err(Failure::Error(message)) => {
            process.write_to(2, format!("{message}\n").as_bytes())?;
            Ok(())
        }
        step => step,
    }
}

fn named(process: &Process<'_, '_>, names: &[BString]) -> Step<Vec<BString>> {
    let mut paths = Vec::new();
    for name in names {
        match configuration::find(process, KIND, name)? {
            Some(path) => paths.push(path),
            None => {
                return Failure::error(format_args!(
                    "Failed to open '{name}', ignoring: No such file or directory"
                ));
            }
        }
    }
    Ok(paths)
}

fn add_user(
    process: &mut Process<'_, '_>,
    numbers: &mut Numbers,
    wanted: &mut Wanted,
    at: usize,
) -> Step<()> {
    let mut user = wanted.users[at].clone();
    let own = user.group.clone().unwrap_or_else(|| user.name.clone());
    let by_name = |items: &[Item]| items.iter().find(|item| item.name == own).cloned();
    let mut beside = None;
    if user.gid.is_none() {
        beside = by_name(&wanted.groups);
        if beside.is_none() && user.group.is_some() {
            beside = by_name(&wanted.users);
        }
    }
    match (beside.filter(|beside| beside.makes_group), &user.group) {
        (Some(beside), _) => {
            user.gid = beside.gid;
            user.is_strict = true;
        }
        (None, Some(group)) => match numbers.group(group) {
            Some(gid) => {
                user.gid = Some(gid);
                user.is_strict = true;
            }
            None => return Failure::error(format_args!("Group {group} not found.")),
        },
        (None, None) => {
            let step = numbers.add_group(process, &mut user);
            wanted.users[at] = user.clone();
            step?;
        }
    }
    let step = numbers.add_user(process, &mut user);
    wanted.users[at] = user;
    step
}

impl Wanted {
    fn add(&mut self, process: &Process<'_, '_>, line: Line) -> Step<()> {
        let (items, item) = match line {
            Line::User(item) => (&mut self.users, item),
            Line::Group(item) => (&mut self.groups, item),
            Line::Member { user, group } => {
                match self.members.iter_mut().find(|(known, _)| *known == group) {
                    Some((_, members)) if members.contains(&user) => {}
                    Some((_, members)) => members.push(user),
                    None => self.members.push((group, vec![user])),
                }
                return Ok(());
            }
        };
        match items.iter().find(|known| known.name == item.name) {
            None => items.push(item),
            Some(known) if *known == item => {}
            Some(_) => {
                let name = &item.name;
                return Err(refused(process, format!("finds two entries for {name}")).into());
            }
        }
        Ok(())
    }

    /// Users and groups that only lines of type `m` speak of.
    fn add_implicit(&mut self) {
        for (group, members) in &self.members {
            for user in members {
                if !self.users.iter().any(|known| known.name == *user) {
                    self.users.push(Item::named(user.as_bstr()));
                }
            }
            let has = |items: &[Item]| items.iter().any(|known| known.name == *group);
            if !has(&self.users) && !has(&self.groups) {
                self.groups.push(Item::named(group.as_bstr()));
            }
        }
    }
}
