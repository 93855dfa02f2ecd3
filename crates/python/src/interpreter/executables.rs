//! The executables of an image that are a Python.

use std::collections::{BTreeMap, HashSet};

use oci::ImagePath;

use super::version::Series;
use super::{pyenv, virtual_environment};
use crate::View;
use crate::view::{File, Known, together};

/// What runs a program if the image's environment says nothing (runc's and containerd's default).
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Where a Python is often found that is not on the `PATH`; `*` is any one name.
const USUAL_PLACES: &[&str] = &[
    "usr/local/bin",
    "usr/bin",
    "bin",
    "venv/bin",
    ".venv/bin",
    "*/venv/bin",
    "*/.venv/bin",
    "opt/*/bin",
    "opt/*/venv/bin",
    "opt/*/.venv/bin",
    "root/.local/share/uv/python/*/bin",
];

/// An executable that is a Python.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Executable {
    /// What to call it to have it run.
    pub(super) path: String,
    /// Where it really is.
    pub(super) real: ImagePath,
    pub(super) series: Series,
    /// The directory above the standard library.
    pub(super) prefix: ImagePath,
    /// The virtual environment that it is of.
    pub(super) environment: Option<ImagePath>,
    /// What tells it from all others: there are several names for the same.
    pub(super) identity: ImagePath,
    pub(super) standing: Standing,
}

/// How near an executable is to who types `python`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Standing {
    /// A bare `python3` or `python` can be it: it is called that in a directory of the `PATH`.
    Bare,
    /// On the `PATH` by a longer name.
    OnPath,
    Elsewhere,
}

/// All Pythons, nearest first, each once.
pub(super) fn find(
    view: View<'_>,
    environment: &BTreeMap<String, String>,
) -> Known<Vec<Executable>> {
    let on_path = directories_on_path(environment);
    let on_path = on_path.into_iter().map(|directory| pythons_in(view, environment, &directory));
    let on_path = together(on_path)?.into_iter().flatten();
    let mut all: Vec<Executable> = on_path.collect();
    // Stable: among equals the order of the `PATH` stays.
    all.sort_by_key(|executable| executable.standing);
    for directory in usual_places(view, environment)? {
        for mut executable in pythons_in(view, environment, &format!("/{directory}"))? {
            executable.standing = Standing::Elsewhere;
            all.push(executable);
        }
    }
    let mut seen = HashSet::new();
    all.retain(|executable| seen.insert(executable.identity.clone()));
    Ok(all)
}

/// The absolute directories of `PATH`, each once. What a relative one is depends on where the
/// program is started.
fn directories_on_path(environment: &BTreeMap<String, String>) -> Vec<String> {
    let path = environment.get("PATH").map_or(DEFAULT_PATH, String::as_str);
    let mut seen = HashSet::new();
    let absolute = path.split(':').filter(|directory| directory.starts_with('/'));
    let directories = absolute.map(|directory| directory.trim_end_matches('/').to_owned());
    directories.filter(|directory| seen.insert(ImagePath::lexical(directory))).collect()
}

/// The Pythons in one directory: `python3`, `python`, then longer names, newest first.
fn pythons_in(
    view: View<'_>,
    environment: &BTreeMap<String, String>,
    directory: &str,
) -> Known<Vec<Executable>> {
    let names = view.names(&ImagePath::lexical(directory))?;
    let bare = ["python3", "python"].into_iter().filter(|name| names.contains_key(name.as_bytes()));
    let mut versioned: Vec<(Series, &str)> = names
        .keys()
        .filter_map(|name| Some((Series::of_executable(name)?, std::str::from_utf8(name).ok()?)))
        .filter(|(_, name)| name.starts_with("python"))
        .collect();
    versioned.sort_by(|a, b| b.cmp(a));
    let bare = bare.map(|name| (name, Standing::Bare));
    let names = bare.chain(versioned.into_iter().map(|(_, name)| (name, Standing::OnPath)));
    let found = names.map(|(name, standing)| {
        let found = look_through_shims(view, environment, &format!("{directory}/{name}"))?;
        Ok(found.map(|executable| Executable { standing, ..executable }))
    });
    Ok(together(found)?.into_iter().flatten().collect())
}

/// [`look`], and where pyenv's script stands in for a Python, the one that it would start.
fn look_through_shims(
    view: View<'_>,
    environment: &BTreeMap<String, String>,
    path: &str,
) -> Known<Option<Executable>> {
    match pyenv::behind_shim(view, environment, path)? {
        pyenv::Shim::None => look(view, path),
        pyenv::Shim::For(path) => look(view, &path),
        pyenv::Shim::ForNothing => Ok(None),
    }
}

/// What the executable at an absolute `path` is, if it is a Python.
pub(super) fn look(view: View<'_>, path: &str) -> Known<Option<Executable>> {
    let at = ImagePath::lexical(path);
    let Some((real, file)) = view.file(&at)? else { return Ok(None) };
    let (Some(directory), Some(bin)) = (at.parent(), real.parent()) else { return Ok(None) };
    if !file.is_executable() {
        return Ok(None);
    }
    let environment = virtual_environment::root_of(view, &directory)?;
    let Some(series) = series_of(view, &real, &bin, &file)? else { return Ok(None) };
    let prefix = prefix_of(view, &bin, series)?;
    let identity = environment.clone().unwrap_or_else(|| file.found.entry.path.clone());
    let path = format!("/{}", String::from_utf8_lossy(at.as_bytes()));
    let standing = Standing::Elsewhere;
    Ok(Some(Executable { path, real, series, prefix, environment, identity, standing }))
}

/// Reads the version off the names that the file has, or else off the only standard library, or
/// the only directory of packages, that is where its own would be.
fn series_of(
    view: View<'_>,
    real: &ImagePath,
    bin: &ImagePath,
    file: &File<'_>,
) -> Known<Option<Series>> {
    let names = [real.file_name(), file.found.entry.path.file_name()];
    let Some(series) = names.into_iter().flatten().find_map(Series::of_executable) else {
        let stem = real.file_name().unwrap_or_default();
        let is_python = matches!(stem, b"python" | b"python3");
        return if is_python { only_series_in(view, &bin.join("../lib")) } else { Ok(None) };
    };
    // A free-threaded build installs itself as `python3.13t`, and as `python3.13` by a hard link.
    let flagged = Series { free_threaded: true, ..series };
    let twin = view.file(&bin.join(flagged.directory()))?;
    let is_flagged = twin.is_some_and(|(_, twin)| twin.content == file.content);
    Ok(Some(if is_flagged { flagged } else { series }))
}

fn only_series_in(view: View<'_>, library: &ImagePath) -> Known<Option<Series>> {
    let names = view.names(library)?;
    let mut all = names.keys().filter_map(|name| Series::of_executable(name));
    Ok(all.next().filter(|_| all.next().is_none()))
}

/// Goes up from the executable to where its standard library is, as `getpath` does.
fn prefix_of(view: View<'_>, bin: &ImagePath, series: Series) -> Known<ImagePath> {
    let above = bin.parent().unwrap_or_else(ImagePath::root);
    for prefix in std::iter::once(above.clone()).chain(above.ancestors()) {
        if standard_library(view, &prefix, series)?.is_some() {
            return Ok(prefix);
        }
    }
    Ok(above)
}

/// The standard library of `series` below `prefix`: in `lib64` where the vendor has it there.
pub(super) fn standard_library(
    view: View<'_>,
    prefix: &ImagePath,
    series: Series,
) -> Known<Option<ImagePath>> {
    for library in ["lib", "lib64"] {
        let directory = prefix.join(library).join(series.directory());
        // Virtual environments have such a directory as well, and packages of other owners do.
        if view.file(&directory.join("os.py"))?.is_some() {
            return Ok(Some(directory));
        }
    }
    Ok(None)
}

/// The directories of [`USUAL_PLACES`] and pyenv's that there are.
fn usual_places(view: View<'_>, environment: &BTreeMap<String, String>) -> Known<Vec<ImagePath>> {
    let mut all = Vec::new();
    for place in USUAL_PLACES {
        let mut found = vec![ImagePath::root()];
        for part in place.split('/') {
            let mut below = Vec::new();
            for directory in found {
                below.extend(children(view, &directory, part)?);
            }
            found = below;
        }
        all.extend(found);
    }
    for root in pyenv::roots(environment) {
        all.extend(children(view, &root.join("versions"), "*")?.iter().map(|at| at.join("bin")));
    }
    Ok(all)
}

fn children(view: View<'_>, directory: &ImagePath, name: &str) -> Known<Vec<ImagePath>> {
    if name != "*" {
        let child = directory.join(name);
        return Ok(if view.is_directory(&child)? { vec![child] } else { Vec::new() });
    }
    Ok(view.names(directory)?.into_keys().map(|name| directory.join(name)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_directories_count() {
        let check = |path: Option<&str>| {
            let path = path.map(|path| ("PATH".to_owned(), path.to_owned()));
            directories_on_path(&path.into_iter().collect()).join(" ")
        };
        assert_eq!(check(Some("/venv/bin/:.:bin::/usr/bin:/venv//bin")), "/venv/bin /usr/bin");
        assert_eq!(check(Some("")), "");
        assert_eq!(check(None), DEFAULT_PATH.replace(':', " "));
    }
}
