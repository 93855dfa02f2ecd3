//! Requirements, as the command line and the files that it names have them.

use std::sync::Arc;

use oci::ImagePath;
use python::{
    FileProblem, Gathered, Gathering, GivenFile, LinkDirectory, Problem, Reading, Requirement,
    Role, Setting, Statement, Wanted,
};
use shell::files::{Errno, FileError, Kind, Last};
use shell::{Data, Missing, Process, Stop as ShellStop, Stored};

use super::super::outside::{self, RunOutside};
use super::asked::{Asked, origin};
use super::{Said, misused};
use crate::facts::FileReference;
use crate::outcome::Source;

/// All that is asked for, read.
#[derive(Debug, Clone, Default)]
pub(super) struct Written {
    pub(super) gathered: Gathered,
    pub(super) given: Vec<GivenFile>,
    /// Where the bytes of those are.
    pub(super) sources: Vec<FileReference>,
}

/// How a wheel of the image comes to be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Given {
    /// A requirement names it.
    Named,
    /// It is in a directory where wheels are looked for.
    Linked,
}

/// What ends an installation: it has said why, and this is its exit status; or evaluation ends.
#[derive(Debug)]
pub(super) enum Ended {
    Status(u8),
    Stop(ShellStop),
}

impl From<ShellStop> for Ended {
    fn from(stop: ShellStop) -> Self {
        Ended::Stop(stop)
    }
}

const SHOWN: &str = "pip install";
/// What pip unpacks and nothing here builds.
const ARCHIVES: [&str; 3] = [".whl", ".tar.gz", ".zip"];

/// Reads all that `asked` names.
pub(super) fn written(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    asked: &Asked,
) -> Result<Written, Ended> {
    let mut own = Gathered { settings: asked.settings.clone(), ..Gathered::default() };
    for text in &asked.requirements {
        add(process, text, &mut own)?;
    }
    let roots = asked.files.iter().map(|file| (Role::Requirements, file.as_str()));
    let roots =
        roots.chain(asked.constraints.iter().map(|file| (Role::Constraints, file.as_str())));
    let files = files(run, process, &roots.collect::<Vec<_>>())?;
    let mut written = Written { gathered: joined(own, files), ..Written::default() };
    written.give_named(run, process)?;
    written.give_linked(run, process)?;
    Ok(written)
}

/// The requirements alone, for whoever only looks at names.
pub(super) fn requirements(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    asked: &Asked,
) -> Result<Vec<Requirement>, Ended> {
    let mut own = Gathered::default();
    for text in &asked.requirements {
        add(process, text, &mut own)?;
    }
    let roots: Vec<_> =
        asked.files.iter().map(|file| (Role::Requirements, file.as_str())).collect();
    Ok(joined(own, files(run, process, &roots)?).requirements)
}

/// Adds a requirement of the command line.
fn add(process: &Process<'_, '_>, text: &str, gathered: &mut Gathered) -> Result<(), Ended> {
    refuse_project(process, text)?;
    let refused = |problem: Problem| misused(SHOWN, format!("{}: {}", shown(text), said(&problem)));
    if text.contains(['\n', '\r']) {
        return Err(misused(SHOWN, "has a requirement of several lines".to_owned()).into());
    }
    let parsed = python::parse_requirements(text, &|_| None)
        .map_err(|mut problems| refused(problems.remove(0)))?;
    for item in parsed.items {
        match item.statement {
            Statement::Requirement(line) => {
                gathered.add(Role::Requirements, &line, origin()).map_err(refused)?;
            }
            _ => {
                let reason = "has an option in the place of a requirement".to_owned();
                return Err(misused(SHOWN, reason).into());
            }
        }
    }
    Ok(())
}

/// What a message may say of a requirement: an address keeps its credentials to itself.
fn shown(text: &str) -> String {
    let requirement = Requirement { text: text.to_owned(), hashes: Vec::new(), origin: origin() };
    format!("cannot take `{}`", requirement.shown())
}

/// A directory is a project, which would have to be built (`_get_url_from_path`).
fn refuse_project(process: &Process<'_, '_>, text: &str) -> Result<(), ShellStop> {
    let place = text.split(';').next().unwrap_or_default().trim();
    let place = match place.strip_suffix(']').and_then(|open| open.rsplit_once('[')) {
        Some((place, _)) => place,
        None => place,
    };
    let looks_like_path = place.contains('/') && !place.contains("://") || place.starts_with('.');
    if !looks_like_path {
        return Ok(());
    }
    match process.find(place.as_bytes(), Last::Followed) {
        Ok((_, stat)) if stat.is_directory() => {
            let reason = format!(
                "builds the project in `{place}`, and nothing is built here: make a wheel of it, \
                 and install that"
            );
            Err(misused(SHOWN, reason))
        }
        Ok(_) | Err(FileError::Errno(_)) => Ok(()),
        Err(FileError::Stop(stop)) => Err(stop),
    }
}

/// Files with all that they include.
fn files(
    run: &RunOutside<'_, '_, '_>,
    process: &mut Process<'_, '_>,
    roots: &[(Role, &str)],
) -> Result<Gathered, Ended> {
    if roots.is_empty() {
        return Ok(Gathered::default());
    }
    if let Some((_, remote)) = roots.iter().find(|(_, path)| path.contains("://")) {
        let reason = format!("reads a file from an address: {}", shown(remote));
        return Err(misused(SHOWN, reason).into());
    }
    let mut unread: Option<(String, Errno)> = None;
    let mut stopped: Option<ShellStop> = None;
    let environment = process.environment.clone();
    let variable = |name: &str| {
        let value = environment.get(&bstr::BString::from(name))?;
        std::str::from_utf8(value).ok().map(str::to_owned)
    };
    let mut read = |path: &str| match process.open_bytes(path.as_bytes()) {
        Ok(bytes) => match python::decode_requirements(&bytes) {
            Ok(text) => Reading::Text(Arc::from(text)),
            Err(Problem { message, hint, .. }) => Reading::Failed { message, hint },
        },
        Err(FileError::Errno(errno)) => {
            unread.get_or_insert_with(|| (path.to_owned(), errno));
            Reading::Failed { message: errno.to_string(), hint: None }
        }
        Err(FileError::Stop(ShellStop::Missing(missing))) => {
            run.need(missing);
            Reading::Unknown
        }
        Err(FileError::Stop(stop)) => {
            stopped.get_or_insert(stop);
            Reading::Unknown
        }
    };
    let gathered = python::gather_requirements(roots, &variable, &mut read);
    match (stopped, gathered) {
        (Some(stop), _) => Err(stop.into()),
        (None, Ok(Gathering::Whole(gathered))) => Ok(gathered),
        (None, Ok(Gathering::Lacks(_))) => Err(ShellStop::Missing(Missing::Told).into()),
        (None, Err(problems)) => match unread {
            Some((path, errno)) => {
                let message = format!(
                    "Could not open requirements file: [Errno {}] {errno}: '{path}'",
                    number(errno)
                );
                Err(Said(process).error(&message))
            }
            None => Err(misused(SHOWN, listed(&problems)).into()),
        },
    }
}

/// A problem with the way out, but for what only `[python]` has.
fn said(problem: &Problem) -> String {
    let is_elsewhere = |hint: &&String| hint.contains("project =") || hint.contains("lock");
    match problem.hint.as_ref().filter(|hint| !is_elsewhere(hint)) {
        Some(hint) => format!("{} ({hint})", problem.message),
        None => problem.message.clone(),
    }
}

fn listed(problems: &[FileProblem]) -> String {
    let line = |FileProblem { file, problem }: &FileProblem| {
        format!("reads `{file}`, line {}: {}", problem.line, said(problem))
    };
    let more = problems.len().saturating_sub(1);
    match problems.first().map(line) {
        Some(first) if more > 0 => format!("{first}; and {more} more"),
        first => first.unwrap_or_default(),
    }
}

/// The numbers of errno(3) on Linux.
pub(super) fn number(errno: Errno) -> u32 {
    match errno {
        Errno::NotPermitted => 1,
        Errno::NotFound => 2,
        Errno::BadDescriptor => 9,
        Errno::PermissionDenied => 13,
        Errno::Busy => 16,
        Errno::Exists => 17,
        Errno::OtherDevice => 18,
        Errno::NotADirectory => 20,
        Errno::IsADirectory => 21,
        Errno::Invalid => 22,
        Errno::NoSpace => 28,
        Errno::ReadOnly => 30,
        Errno::NameTooLong => 36,
        Errno::NotEmpty => 39,
        Errno::Loop => 40,
    }
}

/// The command line's own come first; what files set wins (`handle_option_line`).
fn joined(mut own: Gathered, files: Gathered) -> Gathered {
    let Gathered { requirements, constraints, settings, paths, unpinned } = files;
    let set = &mut own.settings;
    let (indexes, more) = (&mut set.indexes, settings.indexes);
    indexes.index_url = more.index_url.or(indexes.index_url.take());
    indexes.extra_index_urls.extend(more.extra_index_urls);
    indexes.find_links.extend(more.find_links);
    indexes.no_index |= more.no_index;
    set.directories.extend(settings.directories);
    if settings.prereleases != python::Prereleases::default() {
        set.prereleases = settings.prereleases;
    }
    set.require_hashes |= settings.require_hashes;
    set.trusted_hosts.extend(settings.trusted_hosts);
    set.apply(&Setting::NoBinary(settings.no_binary), &origin());
    set.apply(&Setting::OnlyBinary(settings.only_binary), &origin());
    own.requirements.extend(requirements);
    own.constraints.extend(constraints);
    own.paths.extend(paths);
    own.unpinned.extend(unpinned);
    own
}

impl Written {
    /// Looks for the wheels that are named by their paths. Those are from where the command runs,
    /// and the resolver is told them from the root.
    fn give_named(
        &mut self,
        run: &RunOutside<'_, '_, '_>,
        process: &mut Process<'_, '_>,
    ) -> Result<(), Ended> {
        for written in std::mem::take(&mut self.gathered.paths) {
            let found = match process.find(written.as_bytes(), Last::Followed) {
                Ok((_, stat)) => stat.data().cloned(),
                Err(FileError::Errno(_)) => None,
                Err(FileError::Stop(stop)) => return Err(stop.into()),
            };
            let Some(data) = found else {
                let message = format!(
                    "Could not install packages due to an OSError: [Errno 2] No such file or \
                     directory: '{written}'\n"
                );
                return Err(Said(process).error(&message));
            };
            let path = process.directory.join(&written).to_string();
            let path = if written.starts_with('/') { clean(&written) } else { path };
            for requirement in
                self.gathered.requirements.iter_mut().chain(&mut self.gathered.constraints)
            {
                rename(requirement, &written, &path);
            }
            self.give(run, path, data, Given::Named);
        }
        Ok(())
    }

    /// Looks into the directories where wheels are to be found.
    fn give_linked(
        &mut self,
        run: &RunOutside<'_, '_, '_>,
        process: &mut Process<'_, '_>,
    ) -> Result<(), Ended> {
        for LinkDirectory { beside, path, .. } in
            std::mem::take(&mut self.gathered.settings.directories)
        {
            let Some(directory) = directory(process, &[&beside, &path])? else {
                let message = format!(
                    "WARNING: Location '{path}' is ignored: it is either a non-existing path or \
                     lacks a specific scheme.\n"
                );
                process.write_to(2, message.as_bytes())?;
                continue;
            };
            let names = process.machine.files.read_dir(&directory);
            let names = super::settled(names, "pip install")?;
            for (name, _) in names {
                let path = directory.join(&name[..]);
                let is_one = path
                    .to_str()
                    .is_some_and(|name| ARCHIVES.iter().any(|ending| name.ends_with(ending)));
                if !is_one {
                    continue;
                }
                let found = process.find(&[b"/", path.as_bytes()].concat(), Last::Followed);
                if let Some(Kind::File(data)) = found.ok().map(|(_, stat)| stat.kind) {
                    self.give(run, path.to_string(), data, Given::Linked);
                }
            }
        }
        Ok(())
    }

    pub(super) fn give(
        &mut self,
        run: &RunOutside<'_, '_, '_>,
        path: String,
        data: Data,
        how: Given,
    ) {
        let content = data.content();
        let source = match data {
            Data::Inline(bytes) => Some(Source::Inline(Arc::from(&bytes[..]))),
            Data::Stored(Stored { content, origin }) => {
                outside::source(&run.planner.borrow(), run.trees, run.redaction, content, &origin)
            }
        };
        self.sources.extend(source.map(|source| FileReference { content, source }));
        let file = GivenFile { path, content, is_link: how == Given::Linked };
        if !self.given.contains(&file) {
            self.given.push(file);
        }
    }
}

fn clean(path: &str) -> String {
    ImagePath::lexical(path).to_string()
}

/// Gives a requirement of the file at `written` the path that the file is given by.
fn rename(requirement: &mut Requirement, written: &str, path: &str) {
    let Ok(mut shape) = python::check_requirement(&requirement.text) else { return };
    if shape.wanted == Wanted::Path(written.to_owned()) {
        shape.wanted = Wanted::Path(path.to_owned());
        requirement.text = shape.text();
    }
}

/// The first of these that is a directory.
fn directory(
    process: &Process<'_, '_>,
    candidates: &[&str],
) -> Result<Option<ImagePath>, ShellStop> {
    for candidate in candidates {
        match process.find(candidate.as_bytes(), Last::Followed) {
            Ok((path, stat)) if stat.is_directory() => return Ok(Some(path)),
            Ok(_) | Err(FileError::Errno(_)) => {}
            Err(FileError::Stop(stop)) => return Err(stop),
        }
    }
    Ok(None)
}
