//! `update-alternatives` (update-alternatives(1) of dpkg 1.21).
//!
//! Links, files and messages are dpkg's. `/var/log/alternatives.log` is not written: it says when
//! somebody ran it. Groups that were changed past the program, which it mends in its own ways, are
//! refused.

mod group;
mod links;
#[cfg(test)]
mod tests;

use bstr::{BStr, BString, ByteSlice};

use crate::files::Last;
use crate::process::{Process, Run, errno};
use crate::stop::{Reason, Stop};
use group::{Choice, DATABASE, Group, Mode};

/// The program's exit status for all errors.
const ERROR: u8 = 2;

/// Whether it says what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    Aloud,
    Quiet,
}

/// A link that is to be made.
struct Slave {
    link: BString,
    name: BString,
    file: BString,
}

pub(super) fn update_alternatives(process: &mut Process<'_, '_>) -> Run {
    let words = process.arguments().to_vec();
    let mut words: Vec<&BStr> = words.iter().map(|word| word.as_bstr()).collect();
    let before = words.len();
    // With these, more is overwritten and less is said, wherever they stand.
    words.retain(|word| *word != "--quiet");
    let talk = if words.len() < before { Talk::Quiet } else { Talk::Aloud };
    let text: Vec<&str> = words.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    match text[..] {
        ["--install", _, _, _, priority, ..] => install(process, &words, priority, talk),
        ["--set", _, _] => set(process, words[1], words[2], talk),
        ["--auto", _] => automatic(process, words[1], talk),
        ["--remove", _, _] => remove(process, words[1], words[2], talk),
        ["--remove-all", _] => remove_all(process, words[1]),
        ["--display", _] => display(process, words[1]),
        ["--query", _] => query(process, words[1]),
        ["--list", _] => list(process, words[1]),
        [option, ..] => Err(process.refuse(Reason::Option(option.to_owned()))),
        [] => Err(refused(process, "is given nothing to do")),
    }
}

fn refused(process: &Process<'_, '_>, why: impl Into<String>) -> Stop {
    process.refuse(Reason::Use(why.into()))
}

fn fail(process: &mut Process<'_, '_>, message: String) -> Run {
    process.complain(format!("error: {message}"))?;
    Ok(ERROR)
}

/// A group that has to be there, and is as the program left it; or the exit status.
fn load(process: &mut Process<'_, '_>, name: &BStr) -> Result<Result<Group, u8>, Stop> {
    match load_sound(process, name)? {
        Some(group) => Ok(Ok(group)),
        None => fail(process, format!("no alternatives for {name}")).map(Err),
    }
}

fn load_sound(process: &mut Process<'_, '_>, name: &BStr) -> Result<Option<Group>, Stop> {
    let Some(group) = Group::load(process, name)? else { return Ok(None) };
    let current = links::current(process, &group)?;
    let is_known = current.is_some_and(|current| group.choices.contains_key(&current));
    if !is_known || !links::is_whole(process, &group)? {
        return Err(refused(process, format!("finds that {name} was changed by somebody else")));
    }
    for path in group.choices.keys() {
        if errno(process.find(path, Last::Followed))?.is_err() {
            return Err(refused(process, format!("finds that {path} is gone")));
        }
    }
    Ok(Some(group))
}

fn install(process: &mut Process<'_, '_>, words: &[&BStr], priority: &str, talk: Talk) -> Run {
    let (link, name, path) = (words[1], words[2], words[3]);
    let Ok(priority) = priority.parse::<i32>() else {
        return Err(refused(process, format!("is given the priority {priority}")));
    };
    let slaves = read_slaves(process, &words[5..])?;
    let mut all = vec![(link, name, path)];
    all.extend(
        slaves
            .iter()
            .map(|slave| (slave.link.as_bstr(), slave.name.as_bstr(), slave.file.as_bstr())),
    );
    for (link, name, path) in all {
        if !link.starts_with(b"/") {
            return fail(
                process,
                format!("alternative link is not absolute as it should be: {link}"),
            );
        }
        if !path.starts_with(b"/") {
            return fail(
                process,
                format!("alternative path is not absolute as it should be: {path}"),
            );
        }
        if name.is_empty() || name.iter().any(|byte| *byte == b'/' || byte.is_ascii_whitespace()) {
            return Err(refused(process, format!("is given the name {name}")));
        }
    }
    if errno(process.find(path, Last::Followed))?.is_err() {
        return fail(process, format!("alternative path {path} doesn't exist"));
    }
    let old = load_sound(process, name)?;
    let mut group = old.unwrap_or_else(|| Group::new(name, link));
    check_conflicts(process, &group, link, &slaves)?;
    for Slave { link, name, .. } in &slaves {
        group.slaves.insert(name.clone(), link.clone());
    }
    let files = slaves.into_iter().map(|slave| (slave.name, slave.file));
    let choice = Choice { priority, slaves: files.collect() };
    let before = group.choices.insert(path.into(), choice.clone());
    let newest = before.is_none().then(|| BString::from(path));
    let is_other = before.is_some_and(|before| before.slaves != choice.slaves);
    if is_other && links::current(process, &group)?.is_some_and(|current| current == path) {
        return Err(refused(process, format!("changes links of {path}, which is in use")));
    }
    settle(process, &group, newest.as_ref(), talk)
}

fn read_slaves(process: &Process<'_, '_>, words: &[&BStr]) -> Result<Vec<Slave>, Stop> {
    let mut slaves = Vec::new();
    for slave in words.chunks(4) {
        match slave {
            [option, link, name, file] if *option == "--slave" => slaves.push(Slave {
                link: (*link).into(),
                name: (*name).into(),
                file: (*file).into(),
            }),
            [option, ..] => return Err(process.refuse(Reason::Option(option.to_string()))),
            [] => {}
        }
    }
    Ok(slaves)
}

/// Refuses what other groups have, and to rename links.
fn check_conflicts(
    process: &mut Process<'_, '_>,
    group: &Group,
    link: &BStr,
    slaves: &[Slave],
) -> Result<(), Stop> {
    let is_renamed =
        |slave: &Slave| group.slaves.get(&slave.name).is_some_and(|link| *link != slave.link);
    if group.link != link || slaves.iter().any(is_renamed) {
        return Err(refused(process, format!("renames links of {}", group.name)));
    }
    let located = process.find(DATABASE.as_bytes(), Last::Followed);
    let listed = located.and_then(|(path, _)| process.machine.files.read_dir(&path));
    let others = errno(listed)?
        .map_err(|errno| refused(process, format!("cannot list {DATABASE}: {errno}")))?;
    for other in others.keys().filter(|other| **other != group.name) {
        let Some(other) = Group::load(process, other.as_bstr())? else { continue };
        let has_link =
            |link: &BStr| other.link == link || other.slaves.values().any(|own| own == link);
        let has_name = |name: &BString| other.name == *name || other.slaves.contains_key(name);
        let own =
            slaves.iter().any(|slave| has_link(slave.link.as_bstr()) || has_name(&slave.name));
        if has_link(link) || has_name(&group.name) || own {
            return Err(refused(
                process,
                format!("finds links of {} in {}", group.name, other.name),
            ));
        }
    }
    Ok(())
}

/// Writes a group and makes its links lead where they should: in automatic mode to the best choice.
fn settle(
    process: &mut Process<'_, '_>,
    group: &Group,
    newest: Option<&BString>,
    talk: Talk,
) -> Run {
    let current = links::current(process, group)?;
    let wanted = match group.mode {
        Mode::Automatic => group.best(newest).cloned(),
        Mode::Manual => current.clone(),
    };
    lead(process, group, current.as_ref(), wanted, talk)
}

fn lead(
    process: &mut Process<'_, '_>,
    group: &Group,
    current: Option<&BString>,
    wanted: Option<BString>,
    talk: Talk,
) -> Run {
    let Some(wanted) = wanted else { return Err(refused(process, "finds nothing to lead to")) };
    if current != Some(&wanted) && talk == Talk::Aloud {
        let (link, name, mode) = (&group.link, &group.name, group.mode.name());
        let line = format!(
            "update-alternatives: using {wanted} to provide {link} ({name}) in {mode} mode\n"
        );
        process.write(line)?;
    }
    if current != Some(&wanted) {
        links::install(process, group, wanted.as_bstr())?;
    }
    save(process, group)?;
    Ok(0)
}

/// Writes the group's file, if it says something new.
fn save(process: &mut Process<'_, '_>, group: &Group) -> Result<(), Stop> {
    let path = format!("/{}", group.path());
    if errno(process.open_bytes(path.as_bytes()))?.is_ok_and(|old| old[..] == group.text()[..]) {
        return Ok(());
    }
    let saved = group.save(process);
    errno(saved)?.map_err(|errno| refused(process, format!("cannot write {path}: {errno}")))
}

fn set(process: &mut Process<'_, '_>, name: &BStr, path: &BStr, talk: Talk) -> Run {
    let mut group = match load(process, name)? {
        Ok(group) => group,
        Err(status) => return Ok(status),
    };
    let path = BString::from(path);
    if !group.choices.contains_key(&path) {
        return fail(process, format!("alternative {path} for {name} not registered; not setting"));
    }
    let current = links::current(process, &group)?;
    group.mode = Mode::Manual;
    lead(process, &group, current.as_ref(), Some(path), talk)
}

fn automatic(process: &mut Process<'_, '_>, name: &BStr, talk: Talk) -> Run {
    match load(process, name)? {
        Ok(group) => settle(process, &Group { mode: Mode::Automatic, ..group }, None, talk),
        Err(status) => Ok(status),
    }
}

fn remove(process: &mut Process<'_, '_>, name: &BStr, path: &BStr, talk: Talk) -> Run {
    let Some(mut group) = load_sound(process, name)? else { return Ok(0) };
    let path = BString::from(path);
    if group.choices.remove(&path).is_none() {
        return Ok(0);
    }
    let current = links::current(process, &group)?;
    if group.choices.is_empty() {
        return forget(process, &group);
    }
    if current.as_ref() == Some(&path) && group.mode == Mode::Manual {
        group.mode = Mode::Automatic;
        if talk == Talk::Aloud {
            let rest = format!("switching {name} to auto mode");
            process.write(format!(
                "update-alternatives: removing manually selected alternative - {rest}\n"
            ))?;
        }
    }
    settle(process, &group, None, talk)
}

fn remove_all(process: &mut Process<'_, '_>, name: &BStr) -> Run {
    match load(process, name)? {
        Ok(group) => forget(process, &group),
        Err(status) => Ok(status),
    }
}

/// Takes a whole group away.
fn forget(process: &mut Process<'_, '_>, group: &Group) -> Run {
    links::remove(process, group)?;
    let removed = process.machine.files.remove(&group.path());
    errno(removed)?
        .map_err(|errno| refused(process, format!("cannot remove {}: {errno}", group.path())))?;
    Ok(0)
}

fn list(process: &mut Process<'_, '_>, name: &BStr) -> Run {
    let group = match load(process, name)? {
        Ok(group) => group,
        Err(status) => return Ok(status),
    };
    for path in group.choices.keys() {
        process.write([&path[..], b"\n"].concat())?;
    }
    Ok(0)
}

fn display(process: &mut Process<'_, '_>, name: &BStr) -> Run {
    let group = match load(process, name)? {
        Ok(group) => group,
        Err(status) => return Ok(status),
    };
    let (best, current) =
        (group.best(None).cloned().unwrap_or_default(), links::current(process, &group)?);
    let current = current.unwrap_or_default();
    let mut lines = vec![
        format!("{name} - {} mode", group.mode.name()),
        format!("  link best version is {best}"),
        format!("  link currently points to {current}"),
        format!("  link {name} is {}", group.link),
    ];
    lines.extend(group.slaves.iter().map(|(name, link)| format!("  slave {name} is {link}")));
    for (path, choice) in &group.choices {
        lines.push(format!("{path} - priority {}", choice.priority));
        lines.extend(choice.slaves.iter().map(|(name, file)| format!("  slave {name}: {file}")));
    }
    process.write(lines.join("\n") + "\n")?;
    Ok(0)
}

fn query(process: &mut Process<'_, '_>, name: &BStr) -> Run {
    let group = match load(process, name)? {
        Ok(group) => group,
        Err(status) => return Ok(status),
    };
    let (best, current) =
        (group.best(None).cloned().unwrap_or_default(), links::current(process, &group)?);
    let mut lines = vec![format!("Name: {name}"), format!("Link: {}", group.link)];
    if !group.slaves.is_empty() {
        lines.push("Slaves:".to_owned());
        lines.extend(group.slaves.iter().map(|(name, link)| format!(" {name} {link}")));
    }
    lines.push(format!("Status: {}", group.mode.name()));
    lines.push(format!("Best: {best}"));
    lines.push(format!("Value: {}", current.unwrap_or_default()));
    for (path, choice) in &group.choices {
        lines.extend([
            String::new(),
            format!("Alternative: {path}"),
            format!("Priority: {}", choice.priority),
        ]);
        if !group.slaves.is_empty() {
            lines.push("Slaves:".to_owned());
            lines.extend(choice.slaves.iter().map(|(name, file)| format!(" {name} {file}")));
        }
    }
    process.write(lines.join("\n") + "\n")?;
    Ok(0)
}
