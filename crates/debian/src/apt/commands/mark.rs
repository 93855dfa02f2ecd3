//! `apt-mark`: packages that others wanted, and packages that stay as they are (apt-mark(8)).

use std::collections::BTreeMap;

use bstr::BString;
use shell::descriptor::input;
use shell::{Data, Reason};

use super::session::{Done, FAILED, Session};
use super::states::{ExtendedStates, Mark};
use crate::apt::problem::Failure;
use crate::dpkg::database::Database;
use crate::dpkg::status::{PackageId, Want};

/// Runs one of its commands.
pub(super) fn mark(session: &mut Session<'_, '_, '_>, command: &str) -> Done {
    match command {
        "auto" | "markauto" => automatic(session, Mark::Automatic),
        "manual" | "unmarkauto" => automatic(session, Mark::Manual),
        "hold" => hold(session, Want::Hold),
        "unhold" => hold(session, Want::Install),
        "showauto" | "showmanual" | "showhold" | "showholds" => show(session, command),
        other => Err(session.process.refuse(Reason::Use(format!("is asked to {other}"))).into()),
    }
}

/// The installed packages that the operands name. Those that are none are complained of.
fn named(session: &mut Session<'_, '_, '_>) -> Result<Option<Vec<PackageId>>, Failure> {
    let database = Database::read(session.process)?;
    let mut found = Vec::new();
    for name in session.operands.clone() {
        match database.find(&name).cloned() {
            Some(id) => found.push(id),
            None => {
                session.complain(format!("E: Unable to locate package {name}"))?;
                return Ok(None);
            }
        }
    }
    if found.is_empty() {
        session.complain("E: No packages found")?;
        return Ok(None);
    }
    Ok(Some(found))
}

fn automatic(session: &mut Session<'_, '_, '_>, mark: Mark) -> Done {
    let Some(packages) = named(session)? else { return Ok(FAILED) };
    let mut states = session.states()?;
    let database = Database::read(session.process)?;
    let mut marks = BTreeMap::new();
    for id in packages {
        let is_unpacked = database.status.get(&id).is_some_and(|package| package.is_unpacked());
        let is_automatic = states.is_automatic(&id);
        let name = &id.name;
        let (already, words) = match mark {
            Mark::Automatic => (is_automatic, "automatically"),
            _ => (!is_automatic, "manually"),
        };
        if !is_unpacked {
            session.say(format!("{name} can not be marked as it is not installed."))?;
        } else if already {
            session.say(format!("{name} was already set to {words} installed."))?;
        } else {
            session.say(format!("{name} set to {words} installed."))?;
            marks.insert(id, mark);
        }
    }
    if !marks.is_empty() {
        states.mark(&marks, &[]);
        session.write_states(&states)?;
    }
    Ok(0)
}

fn hold(session: &mut Session<'_, '_, '_>, want: Want) -> Done {
    let Some(packages) = named(session)? else { return Ok(FAILED) };
    let database = Database::read(session.process)?;
    let mut wanted = Vec::new();
    for id in packages {
        let is_held = database.status.get(&id).is_some_and(|package| package.want == Want::Hold);
        let name = &id.name;
        match (want == Want::Hold, is_held) {
            (true, true) => session.say(format!("{name} was already set on hold."))?,
            (false, false) => session.say(format!("{name} was already not on hold."))?,
            (true, false) => {
                session.say(format!("{name} set on hold."))?;
                wanted.push((id, want));
            }
            (false, true) => {
                session.say(format!("Canceled hold on {name}."))?;
                wanted.push((id, want));
            }
        }
    }
    if wanted.is_empty() { Ok(0) } else { select(session, &wanted) }
}

/// Tells dpkg what is wanted, as apt-mark does.
fn select(session: &mut Session<'_, '_, '_>, wanted: &[(PackageId, Want)]) -> Done {
    let lines = wanted.iter().map(|(id, want)| match want {
        Want::Hold => format!("{} hold\n", id.name),
        _ => format!("{} install\n", id.name),
    });
    let text: String = lines.collect();
    let descriptors = session.process.descriptors.with(0, input(Data::of(text.as_bytes())));
    let words = ["dpkg", "--set-selections"].map(BString::from).to_vec();
    match session.process.spawn_with(words, descriptors)? {
        0 => Ok(0),
        _ => Ok(FAILED),
    }
}

fn show(session: &mut Session<'_, '_, '_>, command: &str) -> Done {
    let states: ExtendedStates = session.states()?;
    let database = Database::read(session.process)?;
    let is_named = |name: &str| {
        session.operands.is_empty() || session.operands.iter().any(|wanted| wanted == name)
    };
    let mut names: Vec<String> = Vec::new();
    for (id, package) in database.status.packages() {
        let is_meant = match command {
            "showauto" => package.is_unpacked() && states.is_automatic(id),
            "showmanual" => package.is_unpacked() && !states.is_automatic(id),
            _ => package.want == Want::Hold,
        };
        let name = match database.architectures.is_native(&id.architecture) {
            true => id.name.to_string(),
            false => id.to_string(),
        };
        if is_meant && is_named(&name) {
            names.push(name);
        }
    }
    names.sort_unstable();
    for name in names {
        session.say(name)?;
    }
    Ok(0)
}
