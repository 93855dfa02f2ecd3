//! A solution carried out: packages fetched, asked, unpacked, configured and removed, in apt's order
//! and with the commands that the configuration has run around that.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use shell::{Reason, Stop};

use super::change::{allows, shown};
use super::hooks;
use super::session::{Done, FAILED, Session};
use super::states::Mark;
use super::summary::size;
use crate::apt::archive::Archive;
use crate::apt::problem::{Failure, Problem};
use crate::apt::resolver::{Change, ChangeKind, Place, Solution, Work};
use crate::deb::Deb;
use crate::dpkg;
use crate::dpkg::database::Database;
use crate::dpkg::engine::{Deconfigure, Engine, Options, Removal, Triggers};
use crate::dpkg::settings::Force;
use crate::dpkg::status::PackageId;
use crate::outside::{DebSource, Fetch};
use crate::programs::debconf;

/// Packages whose maintainer scripts are left out: a setting of ours, which apt itself passes over.
const SKIPPED_SCRIPTS: &str = "Plywood::Skip-Scripts";
/// How apt's configuration calls debconf.
const PRECONFIGURE: &str = "dpkg-preconfigure";

/// What was decided, and where it comes from.
pub(in crate::apt) struct Chosen<'a> {
    pub(in crate::apt) archives: &'a [Archive],
    /// Packages that were given as files.
    pub(in crate::apt) files: &'a [Arc<Deb>],
    pub(in crate::apt) solution: &'a Solution,
}

/// Does what was decided. `asked` is how many packages were named.
pub(super) fn carry_out(
    session: &mut Session<'_, '_, '_>,
    chosen: &Chosen<'_>,
    asked: usize,
) -> Done {
    let solution = chosen.solution;
    if solution.changes.is_empty() && solution.summary.unfinished == 0 {
        return mark(session, solution).map(|()| 0);
    }
    if let Some(status) = may_go_on(session, solution, asked)? {
        return Ok(status);
    }
    if session.is_set("APT::Get::Simulate") {
        return simulate(session, solution);
    }
    if !Database::is_there(session.process)? {
        return Err(Problem::NoDatabase.into());
    }
    // Both are asked for before either is waited for.
    let expected = dpkg::expect_files(session.process);
    let debs = fetch(session, chosen);
    expected?;
    let debs = debs?;
    if session.is_set("APT::Get::Download-Only") {
        let why = "leaves packages in apt's cache, which is kept empty".to_owned();
        return Err(session.process.refuse(Reason::Use(why)).into());
    }
    preconfigure(session, solution, &debs)?;
    hooks::run(session, "DPkg::Pre-Invoke")?;
    let status = run_dpkg(session, solution, &debs)?;
    mark(session, solution)?;
    hooks::run(session, "DPkg::Post-Invoke")?;
    if status != 0 {
        let program = "/usr/bin/dpkg";
        let line = format!("E: Sub-process {program} returned an error code ({status})");
        session.complain(line)?;
        return Ok(FAILED);
    }
    Ok(0)
}

/// Whether nothing speaks against it: what has to be allowed, and what is asked of who sits there.
fn may_go_on(
    session: &mut Session<'_, '_, '_>,
    solution: &Solution,
    asked: usize,
) -> Result<Option<u8>, Failure> {
    let lists = &solution.summary;
    let is_yes = session.is_set("APT::Get::Assume-Yes") || session.quiet() >= 2;
    for (names, option, words) in [
        (&lists.essential, "allow-remove-essential", "Essential packages were removed"),
        (&lists.downgraded, "allow-downgrades", "Packages were downgraded"),
        (&lists.held, "allow-change-held-packages", "Held packages were changed"),
    ] {
        let setting = format!("APT::Get::{option}");
        if is_yes && !names.is_empty() && !allows(&session.configuration, &setting) {
            let line = format!("E: {words} and -y was used without --{option}.");
            session.complain(line)?;
            return Ok(Some(FAILED));
        }
    }
    session.mention(format!("Need to get {} of archives.", size(lists.download)))?;
    let (growth, verb) =
        (lists.growth.unsigned_abs(), if lists.growth < 0 { "freed" } else { "used" });
    let space = match verb {
        "used" => "of additional disk space will be used",
        _ => "disk space will be freed",
    };
    session.mention(format!("After this operation, {} {space}.", size(growth)))?;
    let is_all_asked = solution.changes.len() == asked && lists.removed.is_empty();
    if is_yes || is_all_asked {
        return Ok(None);
    }
    session.process.write("Do you want to continue? [Y/n] ")?;
    let line = session.process.read_line()?;
    let agrees = line.is_some_and(|line| {
        let answer = line.trim_ascii();
        answer.is_empty() || answer.first().is_some_and(|letter| b"yY".contains(letter))
    });
    if agrees && !session.is_set("APT::Get::Assume-No") {
        return Ok(None);
    }
    session.say("Abort.")?;
    Ok(Some(1))
}

/// `-s`: what dpkg would be told.
fn simulate(session: &mut Session<'_, '_, '_>, solution: &Solution) -> Done {
    let changes: HashMap<&PackageId, &Change> =
        solution.changes.iter().map(|change| (&change.package, change)).collect();
    for step in &solution.steps {
        let (name, change) = (&step.package.name, changes.get(&step.package));
        let text =
            |version: Option<&Box<str>>| version.map(|it| &**it).unwrap_or_default().to_owned();
        let (from, to) = change
            .map(|change| (text(change.from.as_ref()), text(change.to.as_ref())))
            .unwrap_or_default();
        let line = match step.work {
            Work::Unpack if from.is_empty() => format!("Inst {name} ({to})"),
            Work::Unpack => format!("Inst {name} [{from}] ({to})"),
            Work::Configure | Work::ConfigureLast => format!("Conf {name} ({to})"),
            Work::Remove => format!("Remv {name} [{from}]"),
            Work::Purge => format!("Purg {name} [{from}]"),
        };
        session.say(line)?;
    }
    Ok(0)
}

/// The packages that are to be unpacked, all fetched.
pub(in crate::apt) type Debs = HashMap<PackageId, Arc<Deb>>;

pub(in crate::apt) fn fetch(
    session: &mut Session<'_, '_, '_>,
    chosen: &Chosen<'_>,
) -> Result<Debs, Failure> {
    let mut debs = Debs::new();
    let (mut wanted, mut listed, mut sources) = (Vec::new(), Vec::new(), Vec::new());
    for change in &chosen.solution.changes {
        match change.places.first() {
            Some(Place::Local(at)) => {
                debs.extend(
                    chosen.files.get(*at).map(|deb| (change.package.clone(), Arc::clone(deb))),
                );
            }
            Some(Place::Archive { archive, at }) => {
                let archive = &chosen.archives[*archive];
                let source = source(session, archive, *at, change)?;
                listed.push(title(change));
                session.mention(got(sources.len() + 1, archive, *at))?;
                wanted.push(change.package.clone());
                sources.push(source);
            }
            None => {}
        }
    }
    let found = session.outside.debs(&sources)?;
    if !found.is_empty() {
        session.mention(format!("Fetched {}", size(chosen.solution.summary.download)))?;
    }
    for (listed, deb) in listed.into_iter().zip(&found) {
        check(listed, deb)?;
    }
    debs.extend(wanted.into_iter().zip(found));
    Ok(debs)
}

/// A package as its archive's lists have it: name, version and architecture.
fn title(change: &Change) -> String {
    let PackageId { name, architecture } = &change.package;
    format!("{name} {} {architecture}", change.to.as_deref().unwrap_or_default())
}

/// That a package is the one that was chosen.
fn check(listed: String, deb: &Deb) -> Result<(), Problem> {
    let field = |name| deb.control.text(name).unwrap_or_default();
    let found = ["Package", "Version", "Architecture"].map(field).join(" ");
    match found == listed {
        true => Ok(()),
        false => {
            let file = deb.filename.to_string();
            Err(Problem::OtherPackage { file, listed, found })
        }
    }
}

/// Where an archive has a package.
fn source(
    session: &Session<'_, '_, '_>,
    archive: &Archive,
    at: usize,
    change: &Change,
) -> Result<DebSource, Failure> {
    let name = &change.package.name;
    let title = title(change);
    let refuse = |why: &str| -> Failure {
        Stop::refuse(session.process.name().to_string(), Reason::Use(format!("{why} `{name}`")))
            .into()
    };
    let offer = archive.index.get(at).ok_or_else(|| refuse("finds no more of"))?;
    let sha256 = offer.sha256();
    if sha256.is_none() {
        return Err(refuse("finds no SHA-256 in the archive's list for"));
    }
    let fetch = Fetch {
        title,
        url: format!("{}/{}", archive.base, offer.filename()),
        sha256,
        size: offer.size(),
        login: archive.login.clone(),
        proxy: archive.proxy.clone(),
    };
    Ok(DebSource::Archive(fetch))
}

/// The line that apt has for what it fetches.
fn got(number: usize, archive: &Archive, at: usize) -> String {
    let Some(offer) = archive.index.get(at) else { return String::new() };
    let (name, version, architecture) = (offer.name(), offer.version(), offer.architecture());
    let size = size(offer.size().unwrap_or(0));
    format!(
        "Get:{number} {} {architecture} {name} {architecture} {version} [{size}]",
        shown(archive)
    )
}

/// What the configuration has read the packages before they are unpacked (apt.conf(5),
/// `DPkg::Pre-Install-Pkgs`). Only debconf's program is known.
fn preconfigure(
    session: &mut Session<'_, '_, '_>,
    solution: &Solution,
    debs: &Debs,
) -> Result<(), Failure> {
    let commands = session.configuration.list("DPkg::Pre-Install-Pkgs");
    let commands: Vec<String> = commands.into_iter().map(str::to_owned).collect();
    for command in commands.iter().filter(|command| !command.is_empty()) {
        if !command.contains(PRECONFIGURE) {
            return Err(session
                .process
                .refuse(Reason::Use(format!("is set up to run `{command}`")))
                .into());
        }
        let unpacked = solution.steps.iter().filter(|step| step.work == Work::Unpack);
        let in_order: Vec<Arc<Deb>> =
            unpacked.filter_map(|step| debs.get(&step.package).cloned()).collect();
        debconf::preconfigure(session.process, &in_order)?;
    }
    Ok(())
}

/// Runs dpkg step by step: as many packages at once as are next to each other in their order.
pub(in crate::apt) fn run_dpkg(
    session: &mut Session<'_, '_, '_>,
    solution: &Solution,
    debs: &Debs,
) -> Done {
    let skipped: BTreeSet<String> = session
        .configuration
        .list(SKIPPED_SCRIPTS)
        .into_iter()
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    let options = |triggers| Options {
        skipped_scripts: skipped.clone(),
        forced: [Force::Depends, Force::RemoveEssential].into(),
        triggers,
        deconfigure: Deconfigure::Automatically,
        ..Options::default()
    };
    for steps in solution.steps.chunk_by(|one, next| one.work == next.work) {
        let packages: Vec<PackageId> = steps.iter().map(|step| step.package.clone()).collect();
        let mut engine = Engine::new(session.process, session.outside, options(Triggers::Deferred));
        let status = match steps[0].work {
            Work::Unpack => {
                let debs: Vec<Arc<Deb>> =
                    packages.iter().filter_map(|id| debs.get(id).cloned()).collect();
                engine.unpack(&debs)?
            }
            Work::Configure => engine.configure(&packages)?,
            // All that is left then, below.
            Work::ConfigureLast => continue,
            Work::Remove => engine.remove(&packages, Removal::Remove)?,
            Work::Purge => engine.remove(&packages, Removal::Purge)?,
        };
        if status != 0 {
            return Ok(status);
        }
    }
    let mut engine = Engine::new(session.process, session.outside, options(Triggers::Run));
    Ok(engine.configure_pending()?)
}

/// Notes which packages came because others wanted them.
pub(in crate::apt) fn mark(
    session: &mut Session<'_, '_, '_>,
    solution: &Solution,
) -> Result<(), Failure> {
    let mut marks: BTreeMap<PackageId, Mark> = BTreeMap::new();
    for (id, is_automatic) in &solution.marks {
        let mark = if *is_automatic { Mark::Automatic } else { Mark::Manual };
        marks.insert(id.clone(), mark);
    }
    let native = session.configuration.value("APT::Architecture").unwrap_or_default().to_owned();
    for change in &solution.changes {
        let mut id = change.package.clone();
        if &*id.architecture == "all" {
            id.architecture = native.as_str().into();
        }
        let mark = match change.kind {
            ChangeKind::Remove | ChangeKind::Purge => Mark::Gone,
            _ if change.is_automatic => Mark::Automatic,
            _ => Mark::Manual,
        };
        marks.entry(id).or_insert(mark);
    }
    let mut states = session.states()?;
    let before = states.to_bytes();
    states.mark(&marks, &solution.new_automatic);
    // apt writes the file whenever it has changed packages, and makes it if it is not there.
    if states.to_bytes() != before || !solution.changes.is_empty() {
        session.write_states(&states)?;
    }
    Ok(())
}
