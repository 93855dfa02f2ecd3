//! `/var/lib/apt/lists`: what archives offer, fetched and believed, and read again.
//!
//! An `InRelease` and the `Packages` files that it lists are what is fetched: no translations, no
//! contents, no sources. A `Packages` file stays as it came, compressed, under a name that apt finds
//! it by (apt.conf(5), `Acquire::GzipIndexes`): its bytes are named by digest and not held.

mod indexes;
mod judge;
mod names;
mod place;
mod report;
mod targets;
#[cfg(test)]
mod tests;
mod trust;
mod update;

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
use crate::outside::{ListFile, Memory, Outside};
use names::file_name;
use targets::{Target, endings};

/// The archives whose lists are in the image, for the sources that are configured, in their order.
///
/// What is in the lists was verified when it came, and is not again: it is as good as the image.
///
/// # Errors
/// Sources that cannot be read. A source without lists has no archives.
pub fn read_archives(
    process: &mut Process<'_, '_>,
    outside: &dyn Outside,
    configuration: &Configuration,
) -> Result<Vec<Archive>, Failure> {
    let sources = sources::load(process, configuration)?;
    let logins = Logins::load(process, configuration)?;
    let Some(lists) = configuration.path("Dir::State::lists") else { return Ok(Vec::new()) };
    let sources = sources.into_iter().filter(|source| source.kind == Kind::Binary).collect();
    let memory = outside.memory();
    let sources = settle(process, &memory, &lists, sources, configuration)?;
    let releases = read_releases(process, &memory, &lists, &sources)?;
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
    let indexes = outside.indexes(&lists_found)?;
    let archives = found.into_iter().zip(indexes).map(|((route, release, component), index)| {
        let Route { base, login, proxy } = route;
        let base = base.trim_end_matches('/').to_owned();
        Archive { base, login, proxy, release, component, index }
    });
    Ok(archives.collect())
}

/// The sources that are read: of one that is read from a snapshot, that.
fn settle(
    process: &mut Process<'_, '_>,
    memory: &Memory,
    lists: &ImagePath,
    sources: Vec<Source>,
    configuration: &Configuration,
) -> Result<Vec<Source>, Failure> {
    if !sources.iter().any(|source| snapshot::is_wanted(source, configuration)) {
        return Ok(sources);
    }
    let releases = read_releases(process, memory, lists, &sources)?;
    let settled = sources
        .iter()
        .zip(releases)
        .map(|(source, release)| Ok(snapshot::instead(source, release.as_deref(), configuration)?));
    settled.collect()
}

/// What the `Release` files of sources say, as far as they are there.
fn read_releases(
    process: &mut Process<'_, '_>,
    memory: &Memory,
    lists: &ImagePath,
    sources: &[Source],
) -> Result<Vec<Option<Arc<ReleaseFile>>>, Failure> {
    let mut paths = Vec::with_capacity(2 * sources.len());
    for source in sources {
        paths.push(lists.join(file_name(&format!(
            "{}{}",
            source.directory(),
            in_release_name(source)
        ))));
        paths.push(lists.join(file_name(&format!("{}Release", source.directory()))));
    }
    let texts = read(process, &paths)?;
    let mut releases = Vec::with_capacity(sources.len());
    for (pair, names) in texts.chunks(2).zip(paths.chunks(2)) {
        let release = match pair {
            [Some(signed), _] => {
                let text = signature::text_of(signed);
                text.and_then(|text| {
                    ReleaseFile::recall(&format!("/{}", names[0]), &text, memory).ok()
                })
            }
            [None, Some(text)] => ReleaseFile::recall(&format!("/{}", names[1]), text, memory).ok(),
            _ => None,
        };
        releases.push(release);
    }
    Ok(releases)
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
