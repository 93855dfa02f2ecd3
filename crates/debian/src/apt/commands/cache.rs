//! What `apt-cache` and `apt-config` answer (apt-cache(8), apt-config(8)).

use std::collections::BTreeSet;

use shell::Reason;

use super::session::{Done, Session};
use crate::apt::archive::Archive;
use crate::apt::preferences::{INSTALLED, Policy};
use crate::dpkg::database::Database;
use crate::version::Version;

/// From here on a version may be older than what is installed (apt_preferences(5)).
const DOWNGRADES: i32 = 1000;

/// A version of a package, and where it is to be had.
struct Known<'a> {
    version: Version,
    /// The source that it was built from.
    source: String,
    is_installed: bool,
    archives: Vec<&'a Archive>,
}

/// `apt-cache policy PACKAGE…`: which versions there are, and which one would be taken.
pub(super) fn policy(session: &mut Session<'_, '_, '_>) -> Done {
    if session.operands.is_empty() {
        let what = "shows the policy of all sources, which is not built in: name packages";
        return Err(session.process.refuse(Reason::Use(what.to_owned())).into());
    }
    let archives = session.archives(&[])?;
    let preferences = Policy::load(session.process, &session.configuration, &archives)?;
    session.warn(&preferences.warnings)?;
    let database = Database::read(session.process)?;
    let native = database.architectures.native;
    for name in session.operands.clone() {
        let known = known(&name, &database, &archives);
        if !known.is_empty() {
            say_policy(session, (&name, native), &known, &preferences)?;
        }
    }
    Ok(0)
}

/// All versions of a package, the newest first.
fn known<'a>(name: &str, database: &Database, archives: &'a [Archive]) -> Vec<Known<'a>> {
    let native = database.architectures.native;
    let mut known: Vec<Known<'a>> = Vec::new();
    let installed = database.find(name).and_then(|id| database.status.get(id));
    if let Some(package) = installed.filter(|package| package.is_unpacked()) {
        let source = package.stanza.text("Source").and_then(|text| text.split(' ').next());
        let source = source.unwrap_or(name).to_owned();
        let version = package.version();
        known.push(Known { version, source, is_installed: true, archives: Vec::new() });
    }
    for archive in archives {
        let offers = archive.index.named(name);
        for offer in offers.filter(|it| [native, "all"].contains(&it.architecture())) {
            let version = Version::new(offer.version());
            match known.iter_mut().find(|it| it.version.order(&version).is_eq()) {
                Some(found) => found.archives.push(archive),
                None => {
                    let source = offer.source().to_owned();
                    let archives = vec![archive];
                    known.push(Known { version, source, is_installed: false, archives });
                }
            }
        }
    }
    known.sort_by(|one, other| other.version.order(&one.version));
    known
}

impl Known<'_> {
    fn priority(&self, name: &str, preferences: &Policy) -> i32 {
        let version = self.version.to_string();
        if let Some(pin) = preferences.pinned(name, &self.source, &version, &self.archives) {
            return pin;
        }
        let all = self.archives.iter().map(|archive| preferences.of_archive(archive));
        all.chain(self.is_installed.then_some(INSTALLED)).max().unwrap_or(0)
    }
}

/// The version that would be taken.
fn candidate<'k, 'a>(
    name: &str,
    known: &'k [Known<'a>],
    preferences: &Policy,
) -> Option<&'k Known<'a>> {
    let installed = known.iter().position(|known| known.is_installed);
    let (mut best, mut found) = (-1, None);
    for (at, version) in known.iter().enumerate() {
        let priority = version.priority(name, preferences);
        let is_downgrade = installed.is_some_and(|installed| at > installed);
        if priority > 0 && priority > best && (priority >= DOWNGRADES || !is_downgrade) {
            (best, found) = (priority, Some(version));
        }
    }
    found
}

fn say_policy(
    session: &mut Session<'_, '_, '_>,
    (name, native): (&str, &str),
    known: &[Known<'_>],
    preferences: &Policy,
) -> Result<(), shell::Stop> {
    let shown = |version: Option<&Known<'_>>| {
        version.map_or("(none)".to_owned(), |known| known.version.to_string())
    };
    let installed = known.iter().find(|known| known.is_installed);
    session.say(format!("{name}:"))?;
    session.say(format!("  Installed: {}", shown(installed)))?;
    session.say(format!("  Candidate: {}", shown(candidate(name, known, preferences))))?;
    session.say("  Version table:")?;
    for version in known {
        let sign = if version.is_installed { "***" } else { "   " };
        let priority = version.priority(name, preferences);
        session.say(format!(" {sign} {} {priority}", version.version))?;
        for archive in &version.archives {
            let (priority, place) = (preferences.of_archive(archive), place(archive, native));
            session.say(format!("       {priority:>4} {place}"))?;
        }
        if version.is_installed {
            session.say(format!("       {INSTALLED:>4} /var/lib/dpkg/status"))?;
        }
    }
    Ok(())
}

fn place(archive: &Archive, native: &str) -> String {
    let suite = match archive.release.codename.as_str() {
        "" => &archive.release.suite,
        codename => codename,
    };
    format!("{} {suite}/{} {native} Packages", archive.base, archive.component)
}

/// `apt-cache pkgnames`.
pub(super) fn names(session: &mut Session<'_, '_, '_>) -> Done {
    let archives = session.archives(&[])?;
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
