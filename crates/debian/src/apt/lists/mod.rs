//! `/var/lib/apt/lists`: what archives offer, fetched and believed, and read again.
//!
//! An `InRelease` and the `Packages` files that it lists are what is fetched: no translations, no
//! contents, no sources. A `Packages` file stays as it came, compressed, under a name that apt finds
//! it by (apt.conf(5), `Acquire::GzipIndexes`): its bytes are named by digest and not held.

mod indexes;
mod judge;
mod names;
mod place;
mod question;
mod report;
mod targets;
#[cfg(test)]
mod tests;
mod trust;
mod update;

use std::collections::BTreeMap;
use std::sync::Arc;

use oci::ImagePath;
use shell::{Data, Process, Reason, Stored};

pub use update::update;

use super::archive::Archive;
use super::configuration::Configuration;
use super::login::Logins;
use super::problem::Failure;
use super::reading::{data, read};
use super::release::ReleaseFile;
use super::signature;
use super::snapshot;
use super::sources::{self, Kind, Source};
use super::transport::Route;
use crate::outside::{ListFile, Outside};
use names::file_name;
use targets::{Target, endings};

/// The archives whose lists are in the image, for the sources that are configured, in their order.
///
/// What is in the lists was verified when it came, and is not again: it is as good as the image.
/// `asked` is what the program wants of them, as far as its command line does not say that.
///
/// # Errors
/// Sources that cannot be read. A source without lists has no archives.
pub fn read_archives(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    configuration: &Configuration,
    asked: &[String],
) -> Result<Vec<Archive>, Failure> {
    let sources = sources::load(process, configuration)?;
    let logins = Logins::load(process, configuration)?;
    let Some(lists) = configuration.path("Dir::State::lists") else { return Ok(Vec::new()) };
    let sources = sources.into_iter().filter(|source| source.kind == Kind::Binary).collect();
    let sources = settle(process, outside, &lists, sources, configuration)?;
    let releases = read_releases(process, outside, &lists, &sources)?;
    let (mut found, mut lists_found) = (Vec::new(), Vec::new());
    for (source, release) in sources.iter().zip(releases) {
        let release = release.map(|file| Arc::clone(&file.release)).unwrap_or_default();
        for target in Target::all_of(source, configuration) {
            let url = format!("{}{}", source.directory(), target.name);
            let Some(stored) = find_list(process, &lists, &url)? else { continue };
            let route = Route::of(process, source, &logins, configuration)?;
            let base = route.base.trim_end_matches('/');
            lists_found
                .push(ListFile { title: format!("{base} {}", target.title(source)), stored });
            found.push((route, release.clone(), target.component));
        }
    }
    let question = question::name(process, configuration, asked)?;
    let indexes = outside.indexes(&question, &lists_found)?;
    let archives = found.into_iter().zip(lists_found.iter().zip(indexes));
    let archives = archives.map(|((route, release, component), (file, index))| {
        let Route { base, login, proxy } = route;
        let base = base.trim_end_matches('/').to_owned();
        let list = (!index.is_abridged()).then_some(file.stored.content.digest);
        Archive { base, login, proxy, release, component, list, index }
    });
    Ok(archives.collect())
}

/// The sources that are read: of one that is read from a snapshot, that.
fn settle(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    lists: &ImagePath,
    sources: Vec<Source>,
    configuration: &Configuration,
) -> Result<Vec<Source>, Failure> {
    if !sources.iter().any(|source| snapshot::is_wanted(source, configuration)) {
        return Ok(sources);
    }
    let releases = read_releases(process, outside, lists, &sources)?;
    let settled = sources
        .iter()
        .zip(releases)
        .map(|(source, release)| Ok(snapshot::instead(source, release.as_deref(), configuration)?));
    settled.collect()
}

/// What the `Release` files of sources say, as far as they are there.
fn read_releases(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    lists: &ImagePath,
    sources: &[Source],
) -> Result<Vec<Option<Arc<ReleaseFile>>>, Failure> {
    let mut paths = Vec::with_capacity(2 * sources.len());
    for source in sources {
        let file = |name: &str| lists.join(file_name(&format!("{}{name}", source.directory())));
        paths.extend([file(in_release_name(source)), file("Release")]);
    }
    let mut vouched = Vec::with_capacity(paths.len());
    for path in &paths {
        vouched.push(match data(process, path)? {
            Some(Data::Stored(stored)) => outside.vouched(&stored),
            _ => None,
        });
    }
    let is_left = |path: &ImagePath| match paths.iter().position(|known| known == path) {
        Some(at) => vouched[at].is_none(),
        None => true,
    };
    let left: Vec<ImagePath> = paths.iter().filter(|path| is_left(path)).cloned().collect();
    let texts = read(process, &left)?;
    let texts: BTreeMap<&ImagePath, Option<Arc<[u8]>>> = left.iter().zip(texts).collect();
    let memory = outside.memory();
    let release = |path: &ImagePath, text: &[u8]| {
        ReleaseFile::recall(&format!("/{path}"), text, &memory).ok()
    };
    let known = |at: usize| {
        let path = &paths[at];
        match (&vouched[at], texts.get(path)) {
            (Some(text), _) => Some(release(path, text)),
            // The first of the two is signed.
            (None, Some(Some(bytes))) if at.is_multiple_of(2) => {
                Some(signature::text_of(bytes).and_then(|text| release(path, &text)))
            }
            (None, Some(Some(text))) => Some(release(path, text)),
            (None, _) => None,
        }
    };
    let releases = (0..sources.len()).map(|at| {
        let found = known(2 * at).or_else(|| known(2 * at + 1));
        found.flatten()
    });
    Ok(releases.collect())
}

/// The list that was fetched from a URL, compressed or not.
fn find_list(
    process: &Process<'_, '_>,
    lists: &ImagePath,
    url: &str,
) -> Result<Option<Stored>, Failure> {
    for ending in endings() {
        let path = lists.join(file_name(&format!("{url}{ending}")));
        match data(process, &path)? {
            Some(Data::Stored(stored)) => return Ok(Some(stored)),
            Some(Data::Inline(bytes)) if !bytes.is_empty() => {
                let what = format!("reads /{path}, which the command line itself has written");
                return Err(process.refuse(Reason::Use(what)).into());
            }
            // An empty list is one that offers nothing.
            Some(Data::Inline(_)) => return Ok(None),
            None => {}
        }
    }
    Ok(None)
}

/// What a source's `InRelease` is called.
fn in_release_name(source: &Source) -> &str {
    source.options.inrelease_path.as_deref().unwrap_or("InRelease")
}
