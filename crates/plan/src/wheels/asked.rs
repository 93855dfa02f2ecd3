//! What a recipe asks of Python, with the files read that it names.

use std::collections::BTreeSet;

use python::{
    Dependencies, Distribution, Gathered, GivenFile, IndexUrl, Lock, LockKind, Origin, Prereleases,
    Project, Requirement, ResolutionRequest, Setting, Settings, SourceBuilds, Target, Upgrade,
    Wanted,
};
use recipe::{FindLinks, PythonLockKind, PythonPackages, Span, Spanned};

use super::{files, given, lists};
use crate::error::{Step, both};
use crate::stage::StagePlanner;

/// All that is written, whatever image it is for.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    gathered: Gathered,
    overrides: Vec<Requirement>,
    lock: Option<Lock>,
    given: Vec<GivenFile>,
}

/// Reads what `asked` names. What is to be read for it is asked for together.
pub(super) fn read(planner: &mut StagePlanner<'_, '_>, asked: &PythonPackages) -> Step<Written> {
    let requirements = lists::requirements(planner, asked);
    let overrides = lists::overrides(planner, asked);
    let project = project(planner, asked);
    let lock = lock(planner, asked);
    let links = given::own_links(planner, asked);
    let (lists, files) = (both(requirements, overrides), both(both(project, lock), links));
    let ((mut gathered, mut overrides), ((project, mut lock), links)) = both(lists, files)?;
    gathered.paths.append(&mut overrides.paths);
    let mut overrides = overrides.requirements;
    if let Some((project, name)) = &project {
        take_indexes(project, name, &mut gathered.settings);
        match &mut lock {
            // Which of the projects in a workspace's lock it is.
            Some(lock) if lock.kind == LockKind::Uv => lock.project.clone_from(&project.name),
            Some(_) => {}
            None => take_lists(project, name, asked, &mut gathered, &mut overrides)?,
        }
    }
    settle(&mut gathered.settings, asked, &origin(planner, &asked.span));
    let given = given::all(planner, asked, &gathered, links)?;
    Ok(Written { gathered, overrides, lock, given })
}

/// The question to the resolver.
pub(super) fn request(
    written: Written,
    asked: &PythonPackages,
    target: &Target,
    installed: Vec<Distribution>,
) -> ResolutionRequest {
    let Written { gathered, overrides, lock, given } = written;
    let Gathered { requirements, constraints, settings, .. } = gathered;
    ResolutionRequest {
        target: target.clone(),
        requirements,
        constraints,
        overrides,
        lock,
        indexes: settings.indexes,
        given,
        exclude_newer: asked.exclude_newer.as_ref().map(|time| time.node.clone()),
        prereleases: settings.prereleases,
        no_binary: settings.no_binary,
        only_binary: settings.only_binary,
        installed,
        upgrade: match asked.upgrade {
            recipe::Upgrade::Nothing => Upgrade::Nothing,
            recipe::Upgrade::Requested => Upgrade::Requested,
            recipe::Upgrade::Everything => Upgrade::Everything,
        },
        dependencies: match asked.no_dependencies {
            true => Dependencies::Ignore,
            false => Dependencies::Follow,
        },
        require_hashes: settings.require_hashes,
        builds: match asked.build {
            recipe::SourceBuilds::Refuse => SourceBuilds::Refuse,
            recipe::SourceBuilds::Host => SourceBuilds::Host,
        },
    }
}

impl Written {
    /// Whether nothing is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.gathered.requirements.is_empty() && self.lock.is_none()
    }

    /// The requirements that more than one version satisfies, whatever else is said of them.
    pub(super) fn unpinned(&self) -> impl Iterator<Item = &Requirement> {
        let others = self.gathered.constraints.iter().chain(&self.overrides);
        let pinned: BTreeSet<String> = others.filter(|it| is_pinned(it)).filter_map(name).collect();
        let is_open = move |it: &&Requirement| name(it).is_none_or(|name| !pinned.contains(&name));
        self.gathered.unpinned.iter().filter(is_open)
    }

    /// Hosts whose certificates are not to be looked at.
    pub(super) fn trusted_hosts(&self) -> &[String] {
        &self.gathered.settings.trusted_hosts
    }
}

fn is_pinned(requirement: &Requirement) -> bool {
    let shape = python::check_requirement(&requirement.text);
    shape.is_ok_and(|shape| shape.is_pinned(&requirement.hashes))
}

/// The name of the distribution, if it is written.
fn name(requirement: &Requirement) -> Option<String> {
    let shape = python::check_requirement(&requirement.text).ok()?;
    shape.name.map(python::normalized_name)
}

/// The path of the file, if it is one of the context's.
fn path(requirement: &Requirement) -> Option<String> {
    match python::check_requirement(&requirement.text).ok()?.wanted {
        Wanted::Path(path) => Some(path),
        Wanted::Versions(_) | Wanted::Url(_) => None,
    }
}

/// A place in the recipe itself.
pub(super) fn origin(planner: &StagePlanner<'_, '_>, span: &Span) -> Origin {
    let request = planner.shared.request;
    let before = request.text.as_bytes().get(..span.start).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    Origin { file: request.name.to_owned(), line }
}

/// The project's file, and its name.
fn project(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
) -> Step<Option<(Project, String)>> {
    let Some(directory) = &asked.project else { return Ok(None) };
    let name = oci::ImagePath::lexical(format!("{}/pyproject.toml", directory.node)).to_string();
    let text = files::text(planner, &name, &directory.span)?;
    match python::parse_project(&text) {
        Ok(project) => Ok(Some((project, name))),
        Err(problems) => Err(lists::of_file(problems, &name, &directory.span)),
    }
}

/// Takes what the project needs, but not the project itself.
fn take_lists(
    project: &Project,
    name: &str,
    asked: &PythonPackages,
    gathered: &mut Gathered,
    overrides: &mut Vec<Requirement>,
) -> Step<()> {
    let span = asked.project.as_ref().map_or(&asked.span, |directory| &directory.span);
    let needed = project
        .requirements(name, &texts(&asked.extras), &texts(&asked.groups))
        .map_err(|problem| lists::of_file(vec![problem], name, span))?;
    let (constraints, more) = (project.constraints(name), project.overrides(name));
    let all = needed.iter().chain(&constraints).chain(&more);
    gathered.paths.extend(all.filter_map(path));
    gathered.unpinned.extend(needed.iter().filter(|it| !is_pinned(it)).cloned());
    gathered.requirements.extend(needed);
    gathered.constraints.extend(constraints);
    overrides.extend(more);
    Ok(())
}

fn texts(list: &[Spanned<String>]) -> Vec<String> {
    list.iter().map(|one| one.node.clone()).collect()
}

/// An index that only single packages are looked for in is none that all are looked for in.
fn take_indexes(project: &Project, name: &str, settings: &mut Settings) {
    let origin = Origin { file: name.to_owned(), line: 1 };
    for index in project.indexes.iter().filter(|index| !index.is_explicit) {
        let url = index.url.clone();
        let setting = match (index.is_flat, index.is_default) {
            (true, _) => Setting::FindLinks(url),
            (false, true) => Setting::IndexUrl(url),
            (false, false) => Setting::ExtraIndexUrl(url),
        };
        settings.apply(&setting, &origin);
    }
}

/// The recipe's own settings come after those of the files, as options of a command line would.
fn settle(settings: &mut Settings, asked: &PythonPackages, origin: &Origin) {
    let url = |url: &Spanned<String>| IndexUrl::new(&url.node);
    let mut own: Vec<Setting> = Vec::new();
    own.extend(asked.index_url.iter().map(|it| Setting::IndexUrl(url(it))));
    own.extend(asked.extra_index_urls.iter().map(|it| Setting::ExtraIndexUrl(url(it))));
    own.extend(asked.no_index.then_some(Setting::NoIndex));
    own.extend(asked.find_links.iter().filter_map(|place| match &place.node {
        FindLinks::Url(url) => Some(Setting::FindLinks(IndexUrl::new(url))),
        FindLinks::Directory(_) => None,
    }));
    own.push(Setting::NoBinary(texts(&asked.no_binary)));
    own.push(Setting::OnlyBinary(texts(&asked.only_binary)));
    own.extend(asked.require_hashes.then_some(Setting::RequireHashes));
    own.iter().for_each(|setting| settings.apply(setting, origin));
    match asked.prereleases {
        recipe::Prereleases::IfNecessary => {}
        recipe::Prereleases::Allow => settings.prereleases = Prereleases::Allow,
        recipe::Prereleases::Disallow => settings.prereleases = Prereleases::Disallow,
    }
}

fn lock(planner: &mut StagePlanner<'_, '_>, asked: &PythonPackages) -> Step<Option<Lock>> {
    let Some(lock) = &asked.lock else { return Ok(None) };
    let text = files::text(planner, &lock.node.path, &lock.span)?;
    Ok(Some(Lock {
        kind: match lock.node.kind {
            PythonLockKind::Uv => LockKind::Uv,
            PythonLockKind::Pylock => LockKind::Pylock,
        },
        name: lock.node.path.clone(),
        text,
        project: None,
        extras: texts(&asked.extras),
        groups: texts(&asked.groups),
    }))
}
