//! `pip install`: what is asked for is resolved, what it replaces is removed, and the wheels' files
//! are put there.

use std::sync::Arc;

use python::{
    Distribution, Interpreter, Package, Resolution, ResolutionRequest, ScriptTemplate,
    SourceBuilds, Target, Upgrade,
};
use shell::{Process, Stop as ShellStop};

use super::super::outside::{Network, RunOutside};
use super::asked::{Asked, Destination, Standing};
use super::gather::{Ended, Written, written};
use super::interpreter::Python;
use super::layout::{Placement, PlacementKind};
use super::place::{Replaced, place};
use super::scene::Scene;
use super::uninstall::Voice;
use super::{Said, stopped, uninstall};
use crate::facts::InstalledWheel;
use crate::wheels;

/// Installs, and gives the exit status.
pub(super) fn install(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    scene: &Scene,
    python: &Python,
    asked: &Asked,
) -> Result<u8, Ended> {
    let goes_elsewhere =
        matches!(asked.destination, Destination::Target(_) | Destination::Prefix(_));
    if !asked.breaks_system_packages && !goes_elsewhere {
        uninstall::refuse_externally_managed(process, python)?;
    }
    if asked.requirements.is_empty() && asked.files.is_empty() {
        let message = "You must give at least one requirement to install (see \"pip help \
                       install\")";
        return Err(Said(process).error(message));
    }
    let placement = Placement::of(process, python, &asked.destination, asked.verbosity)?;
    let written = written(run, process, asked)?;
    warn_of_trusted_hosts(run, &written);
    if written.gathered.requirements.is_empty() {
        return Ok(0);
    }
    let pip = python.distribution("pip");
    let scripts = pip.map(|pip| ScriptTemplate::of_pip(&pip.version)).unwrap_or_default();
    install_written(run, process, scene, python, asked, (written, placement), scripts)
}

/// Installs what is read already, with scripts as a pip of some version makes them.
pub(super) fn install_written(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    scene: &Scene,
    python: &Python,
    asked: &Asked,
    (written, placement): (Written, Placement),
    scripts: ScriptTemplate,
) -> Result<u8, Ended> {
    let answer = Answer::to(run, python, asked, written, &placement, scripts)?;
    say_what_stays(process, python, asked, &answer)?;
    if answer.packages.is_empty() {
        return Ok(0);
    }
    let old = answer.replaced(python, asked, &placement);
    say(process, asked, "Installing collected packages: ", &answer.names())?;
    for distribution in old {
        let (place, voice) = ((scene, python.interpreter()), Voice::of(asked.verbosity));
        let because = uninstall::Because::Replaced;
        uninstall::remove(run, process, place, distribution, because, voice)?;
    }
    let replaced = if asked.upgrade == Upgrade::Nothing { Replaced::Stays } else { Replaced::Goes };
    place(run, process, &answer.packages, &answer.wheels, &placement, replaced)?;
    say(process, asked, "Successfully installed ", &answer.pins())?;
    Ok(0)
}

/// What came of a question.
struct Answer {
    request: ResolutionRequest,
    resolution: Arc<Resolution>,
    /// What is to be installed.
    packages: Vec<Package>,
    wheels: Vec<Arc<InstalledWheel>>,
}

impl Answer {
    fn to(
        run: &RunOutside<'_, '_, '_>,
        python: &Python,
        asked: &Asked,
        written: Written,
        placement: &Placement,
        scripts: ScriptTemplate,
    ) -> Result<Answer, ShellStop> {
        let Written { gathered, given, sources } = written;
        let mut request = request(python, asked, gathered, placement);
        request.given = given;
        request.indexes.no_index |= run.network == Network::None;
        let mut planner = run.planner.borrow_mut();
        let planner = &mut **planner;
        let resolution = wheels::resolve(planner, &request, sources, run.span);
        let resolution = stopped(run, resolution)?;
        let is_new = |package: &&Package| {
            let same = |old: &Distribution| {
                old.name == package.name && python::is_same_version(&old.version, &package.version)
            };
            asked.standing != Standing::Kept || !request.installed.iter().any(same)
        };
        let packages: Vec<Package> = resolution.packages.iter().filter(is_new).cloned().collect();
        let wheels = wheels::wheels(planner, &request, &packages, scripts, run.span);
        let wheels = stopped(run, wheels)?;
        Ok(Answer { request, resolution, packages, wheels })
    }

    /// The distributions that make room (`get_dist_to_uninstall`). What is installed for a user
    /// takes the place of the user's own only: it is found before the system's.
    fn replaced<'a>(
        &self,
        python: &'a Python,
        asked: &Asked,
        placement: &Placement,
    ) -> Vec<&'a Distribution> {
        if asked.standing == Standing::Ignored {
            return Vec::new();
        }
        let site = python.user_site().filter(|_| placement.kind == PlacementKind::User);
        let makes_room = |old: &&Distribution| {
            let is_named = self.packages.iter().any(|package| package.name == old.name);
            is_named && site.as_ref().is_none_or(|site| old.metadata.starts_with(site))
        };
        python.installed.iter().filter(makes_room).collect()
    }

    fn names(&self) -> String {
        let names = self.packages.iter().map(|package| package.name.as_str());
        names.collect::<Vec<_>>().join(", ")
    }

    fn pins(&self) -> String {
        let pins = self.packages.iter();
        let pins = pins.map(|package| format!("{}-{}", package.name, package.version));
        pins.collect::<Vec<_>>().join(" ")
    }
}

fn request(
    python: &Python,
    asked: &Asked,
    gathered: python::Gathered,
    placement: &Placement,
) -> ResolutionRequest {
    let Python { target, installed, .. } = python;
    let interpreter =
        Interpreter { layout: placement.layout.clone(), ..target.interpreter.clone() };
    let settings = gathered.settings;
    ResolutionRequest {
        target: Target { interpreter, ..target.clone() },
        requirements: gathered.requirements,
        constraints: gathered.constraints,
        overrides: Vec::new(),
        lock: None,
        indexes: settings.indexes,
        given: Vec::new(),
        exclude_newer: asked.exclude_newer.clone(),
        prereleases: settings.prereleases,
        no_binary: settings.no_binary,
        only_binary: settings.only_binary,
        installed: match asked.standing {
            Standing::Kept => installed.clone(),
            Standing::Replaced | Standing::Ignored => Vec::new(),
        },
        upgrade: asked.upgrade.clone(),
        dependencies: asked.dependencies,
        require_hashes: settings.require_hashes,
        builds: SourceBuilds::Refuse,
    }
}

/// Says of each requirement that is satisfied by what it is.
fn say_what_stays(
    process: &mut Process<'_, '_>,
    python: &Python,
    asked: &Asked,
    answer: &Answer,
) -> Result<(), ShellStop> {
    if asked.verbosity < 0 {
        return Ok(());
    }
    let new = |name: &str| answer.packages.iter().any(|package| package.name == name);
    for requirement in &answer.request.requirements {
        let Ok(shape) = python::check_requirement(&requirement.text) else { continue };
        let Some(name) = shape.name.map(python::normalized_name) else { continue };
        let kept = answer.resolution.kept.iter().any(|(kept, _)| *kept == name)
            || answer.resolution.packages.iter().any(|package| package.name == name);
        if !kept || new(&name) {
            continue;
        }
        let Some(own) = python.distribution(&name) else { continue };
        let place = own.metadata.parent().map(|place| place.to_string()).unwrap_or_default();
        let text = requirement.shown();
        let line = format!("Requirement already satisfied: {text} in /{place} ({})\n", own.version);
        process.write(line)?;
    }
    Ok(())
}

fn say(
    process: &mut Process<'_, '_>,
    asked: &Asked,
    what: &str,
    names: &str,
) -> Result<(), ShellStop> {
    match asked.verbosity < 0 {
        true => Ok(()),
        false => process.write(format!("{what}{names}\n")),
    }
}

/// A host is trusted by its certificate alone.
fn warn_of_trusted_hosts(run: &RunOutside<'_, '_, '_>, written: &Written) {
    let hosts = &written.gathered.settings.trusted_hosts;
    let Some(host) = hosts.first() else { return };
    let message =
        format!("`--trusted-host` does not hold here: the certificate counts of `{host}`");
    let hint = "trust the authority that signed it, in the system's store".to_owned();
    wheels::warn(&mut run.planner.borrow_mut(), run.span, message, Some(hint));
}
