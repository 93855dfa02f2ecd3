//! What is installed, upgraded and removed: from a command and its words to a solution.

use std::collections::BTreeSet;
use std::sync::Arc;

use oci::{Digest, Digester};
use shell::Stored;

use super::carry_out::{self, Chosen};
use super::session::{Done, FAILED, Session};
use super::summary;
use crate::apt::archive::Archive;
use crate::apt::configuration::Configuration;
use crate::apt::preferences::{INSTALLED, Policy};
use crate::apt::problem::{Failure, Problem};
use crate::apt::resolver::{
    self, Action, NamePatterns, Phased, Pinned, Request, ResolveError, Rules, Solution, Unselected,
};
use crate::control::Stanza;
use crate::deb::Deb;
use crate::dpkg::database::Database;
use crate::dpkg::status::PackageId;
use crate::outside::{DebSource, Outside};

/// What a command is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::apt) enum Goal {
    Install,
    Reinstall,
    Remove,
    Purge,
    Upgrade,
    FullUpgrade,
    AutoRemove,
    AutoPurge,
    Check,
}

impl Goal {
    /// The settings that the command stands for, beside those of its options.
    fn settings(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Goal::Reinstall => &[("APT::Get::ReInstall", "true")],
            Goal::Purge => &[("APT::Get::Purge", "true")],
            Goal::AutoRemove => &[("APT::Get::AutomaticRemove", "true")],
            Goal::AutoPurge => {
                &[("APT::Get::AutomaticRemove", "true"), ("APT::Get::Purge", "true")]
            }
            Goal::Install | Goal::Remove | Goal::Upgrade | Goal::FullUpgrade | Goal::Check => &[],
        }
    }

    fn action(self) -> Action {
        match self {
            Goal::Install | Goal::Reinstall | Goal::Check => Action::Install,
            Goal::Remove | Goal::Purge | Goal::AutoRemove | Goal::AutoPurge => Action::Remove,
            Goal::Upgrade => Action::Upgrade,
            Goal::FullUpgrade => Action::DistUpgrade,
        }
    }
}

/// What was decided, and what it was decided of.
pub(in crate::apt) struct Decision {
    pub(in crate::apt) archives: Vec<Archive>,
    /// Packages that were given as files.
    pub(in crate::apt) files: Vec<Arc<Deb>>,
    pub(in crate::apt) solution: Arc<Solution>,
}

/// Decides what becomes of packages, says so, and carries it out.
pub(in crate::apt) fn change(session: &mut Session<'_, '_, '_>, goal: Goal) -> Done {
    for (name, value) in goal.settings() {
        session.configuration.set(name, value);
    }
    let asked = session.operands.len();
    let Decision { archives, files, solution } = match decide(session, goal)? {
        Ok(decision) => decision,
        Err(status) => return Ok(status),
    };
    if goal == Goal::Check {
        return Ok(0);
    }
    summary::say(session, &solution)?;
    let chosen = Chosen { archives: &archives, files: &files, solution: &solution };
    carry_out::carry_out(session, &chosen, asked)
}

/// Decides what becomes of packages; the error is the exit status, and apt has said why.
pub(in crate::apt) fn decide(
    session: &mut Session<'_, '_, '_>,
    goal: Goal,
) -> Result<Result<Decision, u8>, Failure> {
    let (files, words) = files(session)?;
    session.mention("Reading package lists...")?;
    let mut asked = vec![format!("{goal:?}")];
    asked.extend(session.operands.iter().cloned());
    asked.extend(files.iter().map(|deb| deb.digest.to_string()));
    let archives = session.archives(&asked)?;
    session.mention("Building dependency tree...")?;
    let database = Database::read(session.process)?;
    session.mention("Reading state information...")?;
    let states = session.states()?;
    let automatic: BTreeSet<PackageId> = states.automatic().collect();
    let stanzas: Vec<Stanza> = files.iter().map(|deb| deb.control.clone()).collect();
    let configuration = session.configuration.clone();
    let preferences = Policy::load(session.process, &configuration, &archives)?;
    session.warn(&preferences.warnings)?;
    let pin = |asked: &Pinned<'_>| {
        let having: Vec<&Archive> = asked.archives.iter().map(|at| &archives[*at]).collect();
        preferences.pinned(asked.name, asked.source, asked.version, &having)
    };
    let policy = resolver::Policy {
        archives: archives.iter().map(|archive| preferences.of_archive(archive)).collect(),
        installed: INSTALLED,
        pin: &pin,
    };
    let foreign = database.architectures.foreign.iter().map(|name| &**name);
    let architectures: Vec<&str> =
        std::iter::once(database.architectures.native).chain(foreign).collect();
    let request = Request {
        archives: &archives,
        status: &database.status,
        automatic: &automatic,
        local: &stanzas,
        architectures: &architectures,
        policy: &policy,
        rules: &rules(session, &configuration, goal)?,
        action: goal.action(),
        words: &words.iter().map(String::as_str).collect::<Vec<_>>(),
    };
    match solved(session.outside, &request, &preferences) {
        Ok(solution) => {
            Ok(Ok(Decision { archives: archives.clone(), files: files.clone(), solution }))
        }
        Err(error) => Ok(Err(refuse(session, &error, &archives)?)),
    }
}

/// What apt would choose, or chose before of the same. What an abridged list leads to is good for
/// this process only: it goes by what was left out.
fn solved(
    outside: &dyn Outside,
    request: &Request<'_>,
    preferences: &Policy,
) -> Result<Arc<Solution>, ResolveError> {
    let key = fingerprint(request, preferences);
    let memory = outside.memory();
    match request.archives.iter().all(|archive| archive.list.is_some()) {
        true => memory.recall_lasting(key, || resolver::resolve(request)),
        false => memory.recall(key, || resolver::resolve(request)),
    }
}

/// A digest of all that a solution depends on. An index that is not all of a list is named by where
/// it is in memory: it is a fact, and stays there.
fn fingerprint(request: &Request<'_>, preferences: &Policy) -> Digest {
    let Request { archives, status, automatic, local, architectures, rules, action, words, .. } =
        request;
    let mut digester = Digester::sha256();
    digester.update(concat!("apt solution ", env!("CARGO_PKG_VERSION"), "\n").as_bytes());
    for archive in *archives {
        let Archive { base, release, component, index, list, .. } = archive;
        let index = match list {
            Some(list) => list.to_string(),
            None => (Arc::as_ptr(index) as usize).to_string(),
        };
        digester.update(format!("{index} {base} {component} {release:?}\n").as_bytes());
    }
    for (id, package) in status.packages() {
        digester.update(format!("{id} {:?} {:?}\n", package.want, package.state).as_bytes());
        for (name, value) in package.stanza.fields() {
            digester.update(name);
            digester.update(b"\0");
            digester.update(value);
            digester.update(b"\0");
        }
    }
    let rest = format!(
        "{automatic:?} {local:?} {architectures:?} {preferences:?} {rules:?} {action:?} {words:?}"
    );
    digester.update(rest.as_bytes());
    digester.finish()
}

/// The packages among the operands that are files, and the words that are none (apt-get(8),
/// "install": a path has a slash in it).
fn files(session: &mut Session<'_, '_, '_>) -> Result<(Vec<Arc<Deb>>, Vec<String>), Failure> {
    let is_file = |word: &&String| word.contains('/') && word.ends_with(".deb");
    let (paths, words): (Vec<String>, Vec<String>) =
        session.operands.clone().into_iter().partition(|word| is_file(&word));
    let mut sources = Vec::new();
    for path in paths {
        let found = session.process.find(path.as_bytes(), shell::files::Last::Followed);
        let found = match found {
            Ok((real, stat)) => stat.data().cloned().map(|data| (real, data)),
            Err(shell::files::FileError::Errno(_)) => None,
            Err(shell::files::FileError::Stop(stop)) => return Err(stop.into()),
        };
        let Some((real, data)) = found else {
            return Err(Problem::NoPackageFile { path }.into());
        };
        let shell::Data::Stored(stored) = data else {
            return Err(Problem::NoPackageFile { path }.into());
        };
        sources.push(DebSource::File { path: real, stored: Stored::clone(&stored) });
    }
    Ok((session.outside.debs(&sources)?, words))
}

/// What the configuration says about choosing.
fn rules<'c>(
    session: &mut Session<'_, '_, '_>,
    configuration: &'c Configuration,
    goal: Goal,
) -> Result<Rules<'c>, Failure> {
    let switch = |name: &str, otherwise| configuration.switch(name).unwrap_or(otherwise);
    let default = Rules::default();
    let never = configuration.list("APT::NeverAutoRemove");
    let (never_removed, bad) = NamePatterns::new(never.into_iter().filter(|it| !it.is_empty()));
    for pattern in bad {
        session.complain(format!("W: `{pattern}` of APT::NeverAutoRemove is no pattern"))?;
    }
    Ok(Rules {
        recommends: switch("APT::Install-Recommends", default.recommends),
        suggests: switch("APT::Install-Suggests", default.suggests),
        recommends_sections: configuration.list("APT::Install-Recommends-Sections"),
        never_automatic_sections: configuration.list("APT::Never-MarkAuto-Sections"),
        moving_sections: configuration.list("APT::Move-Autobit-Sections"),
        never_removed,
        recommends_keep: switch("APT::AutoRemove::RecommendsImportant", default.recommends_keep),
        suggests_keep: switch("APT::AutoRemove::SuggestsImportant", default.suggests_keep),
        ignores_holds: switch("APT::Ignore-Hold", default.ignores_holds),
        upgrades_by_source: switch("APT::Get::Upgrade-By-Source-Package", true),
        marks_automatic: switch("APT::Get::Mark-Auto", default.marks_automatic),
        reinstalls: switch("APT::Get::ReInstall", default.reinstalls),
        upgrades: switch("APT::Get::Upgrade", default.upgrades),
        only_upgrades: switch("APT::Get::Only-Upgrade", default.only_upgrades),
        only_downloads: switch("APT::Get::Download-Only", default.only_downloads),
        fixes: switch("APT::Get::Fix-Broken", default.fixes),
        fixes_recommends: switch("APT::Get::Fix-Policy-Broken", default.fixes_recommends),
        purges: switch("APT::Get::Purge", default.purges),
        removes_unused: switch("APT::Get::AutomaticRemove", default.removes_unused),
        removes: switch("APT::Get::Remove", default.removes),
        hides_unused: switch("APT::Get::HideAutoRemove", default.hides_unused),
        upgrades_with_new: switch("APT::Get::Upgrade-Allow-New", default.upgrades_with_new),
        allows_downgrades: allows(configuration, "APT::Get::allow-downgrades"),
        allows_essential_removal: allows(configuration, "APT::Get::allow-remove-essential"),
        allows_held_changes: goal == Goal::FullUpgrade
            || allows(configuration, "APT::Get::allow-change-held-packages"),
        configures_essential_at_once: switch("APT::Immediate-Configure", true),
        phased: match switch("APT::Get::Never-Include-Phased-Updates", false) {
            true => Phased::Never,
            false => Phased::Taken,
        },
    })
}

/// Whether something is allowed, by its own name or by `--force-yes`.
pub(super) fn allows(configuration: &Configuration, name: &str) -> bool {
    let is_on = |name| configuration.switch(name).unwrap_or(false);
    is_on(name) || is_on("APT::Get::force-yes")
}

/// Says why there is no solution, as apt does.
fn refuse(session: &mut Session<'_, '_, '_>, error: &ResolveError, archives: &[Archive]) -> Done {
    match error {
        ResolveError::Unselected { problems, notes } => {
            for note in notes {
                session.mention(note)?;
            }
            for problem in problems {
                session.process.write(problem.explanation())?;
            }
            for problem in problems {
                session.complain(format!("E: {problem}"))?;
                if let Some(hint) = hint(problem, &session.configuration, archives) {
                    session.complain(format!("N: {hint}"))?;
                }
            }
            return Ok(FAILED);
        }
        ResolveError::Broken(unmets) | ResolveError::Unfixable(unmets) => {
            session.process.write(unmets.to_string())?;
        }
        ResolveError::Unsatisfiable { unmets, .. } => {
            session.say(
                "Some packages could not be installed. This may mean that you have\n\
                 requested an impossible situation or if you are using the unstable\n\
                 distribution that some required packages have not yet been created\n\
                 or been moved out of Incoming.\n\
                 The following information may help to resolve the situation:\n",
            )?;
            session.process.write(unmets.to_string())?;
        }
        _ => {}
    }
    session.complain(format!("E: {error}"))?;
    Ok(FAILED)
}

/// So many versions of a package are named that are there instead.
const MOST_VERSIONS: usize = 5;

/// The way out where a word stands for no package.
fn hint(
    problem: &Unselected,
    configuration: &Configuration,
    archives: &[Archive],
) -> Option<String> {
    match problem {
        Unselected::Unknown { .. } if archives.is_empty() => {
            let native = configuration.value("APT::Architecture").unwrap_or_default();
            Some(format!(
                "there is no list of packages for {native}: `apt-get update` has to come before, in \
                 the same line, and a source has to have some"
            ))
        }
        Unselected::Unknown { name, closest } => {
            let foreign = name.rsplit_once(':').map(|(_, architecture)| architecture);
            let foreign = foreign.filter(|it| !configuration.architectures().contains(it));
            match (foreign, &closest[..]) {
                (Some(foreign), _) => Some(format!(
                    "{foreign} is no architecture of this image: `dpkg --add-architecture {foreign} \
                     && apt-get update` has to come before"
                )),
                (None, []) => None,
                (None, closest) => Some(format!("did you mean {}?", closest.join(" or "))),
            }
        }
        Unselected::NoVersion { name, .. } => {
            let offers = archives.iter().flat_map(|archive| archive.index.named(name));
            let versions: BTreeSet<&str> = offers.map(|offer| offer.version()).collect();
            let shown: Vec<&str> = versions.into_iter().take(MOST_VERSIONS).collect();
            (!shown.is_empty()).then(|| format!("there is {}", shown.join(", ")))
        }
        Unselected::NoRelease { .. } => {
            let releases = archives.iter().map(|archive| &*archive.release);
            let names = releases.flat_map(|release| [&*release.suite, &*release.codename]);
            let names: BTreeSet<&str> = names.filter(|name| !name.is_empty()).collect();
            let names: Vec<&str> = names.into_iter().collect();
            (!names.is_empty()).then(|| format!("the sources have {}", names.join(", ")))
        }
        _ => None,
    }
}

/// What an archive is called in messages: `http://host/debian bookworm/main`.
pub(super) fn shown(archive: &Archive) -> String {
    let suite = match archive.release.codename.as_str() {
        "" => &archive.release.suite,
        codename => codename,
    };
    format!("{} {suite}/{}", archive.base, archive.component)
}
