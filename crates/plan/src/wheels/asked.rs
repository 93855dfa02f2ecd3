//! What a recipe asks of Python, with the files read that it names.

use std::collections::BTreeSet;

use python::{
    Dependencies, Distribution, FileProblem, Gathered, Gathering, GivenFile, IndexUrl, Indexes,
    Lock, LockKind, Origin, Prereleases, Problem, ProjectIndex, Reading, Requirement,
    ResolutionRequest, Role, Settings, SourceBuilds, Target, Upgrade,
};
use recipe::{FindLinks, PythonLockKind, PythonPackages, Span, Spanned};

use super::files;
use crate::error::{PlanError, Step, Stop};
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
    let requirements = requirements(planner, asked);
    let overrides = overrides(planner, asked);
    let project = project(planner, asked);
    let lock = lock(planner, asked);
    let mut gathered = requirements?;
    let (project, mut overrides, lock) = (project?, overrides?, lock?);
    if let Some(project) = project {
        gathered.requirements.extend(project.requirements);
        gathered.constraints.extend(project.constraints);
        overrides.extend(project.overrides);
        take_indexes(&mut gathered.settings.indexes, project.indexes);
    }
    settle(&mut gathered.settings, asked);
    let given = given(planner, asked, &gathered)?;
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
    /// The requirements that more than one version satisfies.
    pub(super) fn unpinned(&self) -> &[Requirement] {
        &self.gathered.unpinned
    }
}

/// What a project says of its dependencies.
struct ProjectPart {
    requirements: Vec<Requirement>,
    constraints: Vec<Requirement>,
    overrides: Vec<Requirement>,
    indexes: Vec<ProjectIndex>,
}

/// An index that only single packages are looked for in is none that all are looked for in.
fn take_indexes(indexes: &mut Indexes, more: Vec<ProjectIndex>) {
    for index in more {
        match index {
            ProjectIndex { is_explicit: true, .. } => {}
            ProjectIndex { is_flat: true, url, .. } => indexes.find_links.push(url),
            ProjectIndex { is_default: true, url, .. } => indexes.index_url = Some(url),
            ProjectIndex { url, .. } => indexes.extra_index_urls.push(url),
        }
    }
}

/// The recipe's own settings come after those of the files, as options of a command line would.
fn settle(settings: &mut Settings, asked: &PythonPackages) {
    if let Some(url) = &asked.index_url {
        settings.indexes.index_url = Some(IndexUrl::new(&url.node));
    }
    let extra = asked.extra_index_urls.iter().map(|url| IndexUrl::new(&url.node));
    settings.indexes.extra_index_urls.extend(extra);
    settings.indexes.no_index |= asked.no_index;
    for place in &asked.find_links {
        if let FindLinks::Url(url) = &place.node {
            settings.indexes.find_links.push(IndexUrl::new(url));
        }
    }
    match asked.prereleases {
        recipe::Prereleases::IfNecessary => {}
        recipe::Prereleases::Allow => settings.prereleases = Prereleases::Allow,
        recipe::Prereleases::Disallow => settings.prereleases = Prereleases::Disallow,
    }
    settings.no_binary.extend(asked.no_binary.iter().map(|name| name.node.clone()));
    settings.only_binary.extend(asked.only_binary.iter().map(|name| name.node.clone()));
    settings.require_hashes |= asked.require_hashes;
}

/// Inline requirements and constraints, and the files of both.
fn requirements(planner: &mut StagePlanner<'_, '_>, asked: &PythonPackages) -> Step<Gathered> {
    let files = asked.requirements_files.iter().map(|file| (Role::Requirements, file));
    let files = files.chain(asked.constraint_files.iter().map(|file| (Role::Constraints, file)));
    let mut gathered = gather(planner, &files.collect::<Vec<_>>())?;
    let inline = inline(planner, &asked.requirements)?;
    gathered.requirements.splice(0..0, inline.requirements);
    gathered.unpinned.splice(0..0, inline.unpinned);
    gathered.paths.extend(inline.paths);
    gathered.constraints.extend(self::inline(planner, &asked.constraints)?.requirements);
    Ok(gathered)
}

fn overrides(planner: &mut StagePlanner<'_, '_>, asked: &PythonPackages) -> Step<Vec<Requirement>> {
    let files = asked.override_files.iter().map(|file| (Role::Requirements, file));
    let mut all = inline(planner, &asked.overrides)?.requirements;
    all.extend(gather(planner, &files.collect::<Vec<_>>())?.requirements);
    Ok(all)
}

/// Files with all that they include.
fn gather(
    planner: &mut StagePlanner<'_, '_>,
    files: &[(Role, &Spanned<String>)],
) -> Step<Gathered> {
    let Some((_, first)) = files.first() else { return Ok(Gathered::default()) };
    let span = first.span.clone();
    let environment = planner.shared.facts.environment.clone();
    let roots: Vec<(Role, &str)> =
        files.iter().map(|(role, file)| (*role, file.node.as_str())).collect();
    let mut read = |path: &str| match files::text(planner, path, &span) {
        Ok(text) => Reading::Text(text),
        Err(Stop::Error(error)) => {
            let recipe::Diagnostic { message, hint, .. } = error.diagnostic;
            Reading::Failed { message, hint }
        }
        Err(Stop::Needs | Stop::Execution) => Reading::Unknown,
    };
    let variable = |name: &str| environment.get(name).cloned();
    match python::gather_requirements(&roots, &variable, &mut read) {
        Ok(Gathering::Whole(gathered)) => Ok(gathered),
        Ok(Gathering::Lacks(_)) => Err(Stop::Needs),
        Err(problems) => Err(refused(&problems, files)),
    }
}

/// All that is wrong with files, at the place of the recipe that names the first of them.
fn refused(problems: &[FileProblem], files: &[(Role, &Spanned<String>)]) -> Stop {
    let named = |problem: &&FileProblem| {
        files.iter().find(|(_, file)| file.node == problem.file).map(|(_, file)| file)
    };
    let span = problems.iter().find_map(|problem| named(&problem)).or(files.first().map(|f| &f.1));
    let span = span.map_or(0..0, |file| file.span.clone());
    let line = |found: &FileProblem| {
        format!("{}:{}: {}", found.file, found.problem.line, found.problem.message)
    };
    let error = match problems {
        [one] => PlanError::recipe(span, line(one)),
        several => {
            let lines: Vec<String> = several.iter().map(with_hint(&line)).collect();
            return PlanError::recipe(span, lines.join("\n")).into();
        }
    };
    match problems.first().and_then(|found| found.problem.hint.as_ref()) {
        Some(hint) => error.with_hint(hint).into(),
        None => error.into(),
    }
}

/// Of several problems each has its hint beside it.
fn with_hint<'a>(
    line: &'a impl Fn(&FileProblem) -> String,
) -> impl Fn(&FileProblem) -> String + 'a {
    move |found| match &found.problem.hint {
        Some(hint) => format!("{} ({hint})", line(found)),
        None => line(found),
    }
}

/// Requirements that stand in the recipe itself.
fn inline(planner: &mut StagePlanner<'_, '_>, written: &[Spanned<String>]) -> Step<Gathered> {
    let mut gathered = Gathered::default();
    for requirement in written {
        let variable = |name: &str| planner.shared.facts.environment.get(name).cloned();
        let refused = |problem: &Problem| {
            let error = PlanError::recipe(requirement.span.clone(), problem.message.clone());
            match &problem.hint {
                Some(hint) => Stop::from(error.with_hint(hint)),
                None => error.into(),
            }
        };
        let parsed = python::parse_requirements(&requirement.node, &variable)
            .map_err(|problems| refused(&problems[0]))?;
        for item in parsed.items {
            let python::Statement::Requirement(line) = item.statement else {
                let message = "an option is no requirement; `[python]` has keys for them";
                return Err(PlanError::recipe(requirement.span.clone(), message).into());
            };
            let origin = origin(planner, &requirement.span);
            let parsed = line.requirement(origin);
            if !line.is_pinned {
                gathered.unpinned.push(parsed.clone());
            }
            gathered.paths.extend(line.path);
            gathered.requirements.push(parsed);
        }
    }
    Ok(gathered)
}

/// A place in the recipe itself.
fn origin(planner: &StagePlanner<'_, '_>, span: &Span) -> Origin {
    let request = planner.shared.request;
    let before = request.text.as_bytes().get(..span.start).unwrap_or_default();
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    Origin { file: request.name.to_owned(), line }
}

/// What the project says, but not the project itself.
fn project(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
) -> Step<Option<ProjectPart>> {
    let Some(directory) = &asked.project else { return Ok(None) };
    let path = format!("{}/pyproject.toml", directory.node);
    let text = files::text(planner, &path, &directory.span)?;
    let name = oci::ImagePath::lexical(&path).to_string();
    let refused = |problem: Problem| {
        let message = format!("{name}:{}: {}", problem.line, problem.message);
        let error = PlanError::recipe(directory.span.clone(), message);
        match problem.hint {
            Some(hint) => Stop::from(error.with_hint(hint)),
            None => error.into(),
        }
    };
    let project = python::parse_project(&text).map_err(|mut all| refused(all.remove(0)))?;
    let names = |list: &[Spanned<String>]| list.iter().map(|one| one.node.clone()).collect();
    let (extras, groups): (Vec<String>, Vec<String>) = (names(&asked.extras), names(&asked.groups));
    let origin = |written: &python::Written| Origin { file: name.clone(), line: written.line };
    let requirement = |written: &python::Written| Requirement {
        text: written.text.clone(),
        hashes: Vec::new(),
        origin: origin(written),
    };
    Ok(Some(ProjectPart {
        requirements: project.requirements(&name, &extras, &groups).map_err(refused)?,
        constraints: project.constraints.iter().map(requirement).collect(),
        overrides: project.overrides.iter().map(requirement).collect(),
        indexes: project.indexes,
    }))
}

fn lock(planner: &mut StagePlanner<'_, '_>, asked: &PythonPackages) -> Step<Option<Lock>> {
    let Some(lock) = &asked.lock else { return Ok(None) };
    let text = files::text(planner, &lock.node.path, &lock.span)?;
    let names = |list: &[Spanned<String>]| list.iter().map(|one| one.node.clone()).collect();
    Ok(Some(Lock {
        kind: match lock.node.kind {
            PythonLockKind::Uv => LockKind::Uv,
            PythonLockKind::Pylock => LockKind::Pylock,
        },
        name: lock.node.path.clone(),
        text,
        project: None,
        extras: names(&asked.extras),
        groups: names(&asked.groups),
    }))
}

/// The wheels and archives in the context that are named, or that lie where others are looked for.
fn given(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    gathered: &Gathered,
) -> Step<Vec<GivenFile>> {
    let span = &asked.span;
    let mut given: Vec<GivenFile> = Vec::new();
    let mut waits = false;
    for path in &gathered.paths {
        match files::content(planner, path, span) {
            Ok((_, content)) => {
                given.push(GivenFile { path: path.clone(), content, is_link: false });
            }
            Err(Stop::Needs) => waits = true,
            Err(stop) => return Err(stop),
        }
    }
    for (directory, span) in link_directories(planner, asked, gathered) {
        match files::distributions(planner, &directory, &span) {
            Ok(found) => given.extend(found.into_iter().map(|(path, content)| GivenFile {
                path,
                content,
                is_link: true,
            })),
            Err(Stop::Needs) => waits = true,
            Err(stop) => return Err(stop),
        }
    }
    let mut seen = BTreeSet::new();
    given.retain(|file| seen.insert((file.path.clone(), file.is_link)));
    if waits { Err(Stop::Needs) } else { Ok(given) }
}

/// The recipe's directories, and those of the files that it names: beside the file, or, as pip
/// has it, from where the build runs.
fn link_directories(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    gathered: &Gathered,
) -> Vec<(String, Span)> {
    let own = asked.find_links.iter().filter_map(|place| match &place.node {
        FindLinks::Directory(path) => Some((path.clone(), place.span.clone())),
        FindLinks::Url(_) => None,
    });
    let mut all: Vec<(String, Span)> = own.collect();
    for directory in &gathered.settings.directories {
        let beside = files::is_directory(planner, &directory.beside);
        let path = if beside { &directory.beside } else { &directory.path };
        all.push((path.clone(), asked.span.clone()));
    }
    all
}
