//! What `apt-cache` and `apt-config` answer (apt-cache(8), apt-config(8)).

use std::collections::BTreeSet;

use super::session::{Done, Session};
use crate::apt::lists;
use crate::apt::resolver::default_priority;
use crate::dpkg::database::Database;
use crate::version::Version;

/// A version of a package, and where it is to be had.
struct Known {
    version: Version,
    is_installed: bool,
    /// Priority, and the archive in words.
    places: Vec<(i32, String)>,
}

/// `apt-cache policy PACKAGE…`: which versions there are, and which one would be taken.
pub(super) fn policy(session: &mut Session<'_, '_, '_>) -> Done {
    let archives = lists::read_archives(session.process, session.outside, &session.configuration)?;
    let database = Database::read(session.process)?;
    let native = database.architectures.native;
    for name in session.operands.clone() {
        let mut known: Vec<Known> = Vec::new();
        let installed = database.find(&name).and_then(|id| database.status.get(id));
        let installed = installed.filter(|package| package.is_unpacked());
        if let Some(package) = installed {
            let places = vec![(100, "/var/lib/dpkg/status".to_owned())];
            known.push(Known { version: package.version(), is_installed: true, places });
        }
        for archive in &archives {
            let offers = archive.index.named(&name);
            for offer in offers.filter(|it| [native, "all"].contains(&it.architecture())) {
                let version = Version::new(offer.version());
                let place = (default_priority(&archive.release), place(archive, native));
                match known.iter_mut().find(|it| it.version.order(&version).is_eq()) {
                    Some(found) => {
                        let at = found.places.len() - usize::from(found.is_installed);
                        found.places.insert(at, place);
                    }
                    None => known.push(Known { version, is_installed: false, places: vec![place] }),
                }
            }
        }
        known.sort_by(|one, other| other.version.order(&one.version));
        if !known.is_empty() {
            say_policy(session, &name, &known)?;
        }
    }
    Ok(0)
}

fn place(archive: &crate::apt::archive::Archive, native: &str) -> String {
    let suite = match archive.release.codename.as_str() {
        "" => &archive.release.suite,
        codename => codename,
    };
    format!("{} {suite}/{} {native} Packages", archive.base, archive.component)
}

fn say_policy(
    session: &mut Session<'_, '_, '_>,
    name: &str,
    known: &[Known],
) -> Result<(), shell::Stop> {
    let shown = |version: Option<&Known>| {
        version.map_or("(none)".to_owned(), |known| known.version.to_string())
    };
    let installed = known.iter().find(|known| known.is_installed);
    session.say(format!("{name}:"))?;
    session.say(format!("  Installed: {}", shown(installed)))?;
    session.say(format!("  Candidate: {}", shown(known.first())))?;
    session.say("  Version table:")?;
    for known in known {
        let (sign, best) = (
            if known.is_installed { "***" } else { "   " },
            known.places.iter().map(|it| it.0).max(),
        );
        session.say(format!(" {sign} {} {}", known.version, best.unwrap_or(0)))?;
        for (priority, place) in &known.places {
            session.say(format!("       {priority:>4} {place}"))?;
        }
    }
    Ok(())
}

/// `apt-cache pkgnames`.
pub(super) fn names(session: &mut Session<'_, '_, '_>) -> Done {
    let archives = lists::read_archives(session.process, session.outside, &session.configuration)?;
    let beginning = session.operands.first().cloned().unwrap_or_default();
    let offers = archives.iter().flat_map(|archive| archive.index.offers());
    let names: BTreeSet<&str> =
        offers.map(|offer| offer.name()).filter(|name| name.starts_with(&beginning)).collect();
    for name in names {
        session.say(name)?;
    }
    Ok(0)
}

/// `apt-config shell VARIABLE NAME[/TYPE]…`: settings as assignments of a shell.
pub(super) fn shell(session: &mut Session<'_, '_, '_>) -> Done {
    for pair in session.operands.clone().chunks(2) {
        let [variable, name] = pair else { continue };
        let (name, kind) = name.split_once('/').unwrap_or((name, ""));
        let value = match kind {
            "d" | "f" => session
                .configuration
                .path(name)
                .map(|path| format!("/{path}{}", if kind == "d" { "/" } else { "" })),
            "b" => session.configuration.switch(name).map(|is_on| is_on.to_string()),
            _ => session.configuration.value(name).map(str::to_owned),
        };
        if let Some(value) = value {
            session.say(format!("{variable}='{}'", value.replace('\'', "'\"'\"'")))?;
        }
    }
    Ok(0)
}
