//! The wheels and archives in the context: those that are named, and those that lie where others are
//! looked for.

use std::collections::BTreeSet;

use layer::Content;
use oci::ImagePath;
use python::{Gathered, GivenFile, LinkDirectory};
use recipe::{FindLinks, PythonPackages};

use super::files;
use crate::ContextName;
use crate::error::{Step, Stop, both, together};
use crate::facts::FileReference;
use crate::outcome::Source;
use crate::stage::StagePlanner;

/// Where the bytes of these are: in the context.
pub(super) fn sources(given: &[GivenFile]) -> Vec<FileReference> {
    let source = |file: &GivenFile| {
        let (context, path) = (ContextName::Main, ImagePath::lexical(&file.path));
        FileReference { content: file.content, source: Source::Context { context, path } }
    };
    given.iter().map(source).collect()
}

/// Those in the directories that the recipe itself names.
pub(super) fn own_links(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
) -> Step<Vec<GivenFile>> {
    let directories = asked.find_links.iter().filter_map(|place| match &place.node {
        FindLinks::Directory(path) => {
            Some(files::distributions(planner, path, &place.span).map(links))
        }
        FindLinks::Url(_) => None,
    });
    Ok(together(directories)?.concat())
}

/// All, beside the `links` that are known already. Each is there once.
pub(super) fn all(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    gathered: &Gathered,
    links: Vec<GivenFile>,
) -> Step<Vec<GivenFile>> {
    let named = gathered.paths.iter().map(|path| named(planner, asked, gathered, path));
    let named = together(named);
    let directories = gathered.settings.directories.iter();
    let found = together(directories.map(|directory| linked(planner, asked, directory)));
    let (mut given, found) = both(named, found)?;
    given.extend(links);
    given.extend(found.concat());
    let mut seen = BTreeSet::new();
    given.retain(|file| seen.insert((file.path.clone(), file.is_link)));
    Ok(given)
}

/// A file that a requirement names by its path.
fn named(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    gathered: &Gathered,
    path: &str,
) -> Step<GivenFile> {
    match files::content(planner, path, &asked.span) {
        Ok((_, content)) => Ok(GivenFile { path: path.to_owned(), content, is_link: false }),
        Err(stop) => {
            let names_it = |text: &str| text.contains(path);
            let mut all = gathered.requirements.iter().chain(&gathered.constraints);
            let by = all.find(|requirement| names_it(&requirement.text));
            Err(named_by(stop, by.map(|requirement| requirement.origin.to_string())))
        }
    }
}

/// What is in a directory that a file names: beside that file, or, as pip has it, from where the
/// build runs.
fn linked(
    planner: &mut StagePlanner<'_, '_>,
    asked: &PythonPackages,
    directory: &LinkDirectory,
) -> Step<Vec<GivenFile>> {
    let is_beside = files::is_directory(planner, &directory.beside);
    let path = if is_beside { &directory.beside } else { &directory.path };
    let found = files::distributions(planner, path, &asked.span);
    found.map(links).map_err(|stop| named_by(stop, Some(directory.origin.file.clone())))
}

fn links(found: Vec<(String, Content)>) -> Vec<GivenFile> {
    found.into_iter().map(|(path, content)| GivenFile { path, content, is_link: true }).collect()
}

/// The same error with the place in front that names what is not there.
fn named_by(stop: Stop, place: Option<String>) -> Stop {
    match (stop, place) {
        (Stop::Error(mut error), Some(place)) => {
            error.diagnostic.message = format!("{place}: {}", error.diagnostic.message);
            Stop::Error(error)
        }
        (stop, _) => stop,
    }
}
