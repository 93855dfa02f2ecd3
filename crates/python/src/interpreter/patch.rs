//! Which patch of its series an interpreter is, from what lies around it.

use std::collections::BTreeMap;

use oci::ImagePath;

use super::databases::Databases;
use super::executables::{Executable, standard_library};
use super::version::Series;
use super::{Version, virtual_environment};
use crate::View;
use crate::view::Known;

/// Finds the version of `executable`, whose series is known. The first source counts that is there
/// and agrees with the series:
///
/// 1. Python's own header `patchlevel.h`;
/// 2. `PYTHON_VERSION`, which the official images set, for what is in `/usr/local`;
/// 3. the package database, for what is in `/usr`;
/// 4. the name of the prefix: pyenv's `3.11.7`, uv's `cpython-3.12.4-linux-x86_64-gnu`;
/// 5. the directory in which it was built, which is in `_sysconfigdata_…` (Red Hat's);
/// 6. what it was when the virtual environment was made.
///
/// If there is none, the patch stays unknown.
pub(super) fn find(
    view: View<'_>,
    executable: &Executable,
    databases: &Databases,
    variables: &BTreeMap<String, String>,
) -> Known<Version> {
    let Executable { series, prefix, .. } = executable;
    let is_it = |version: &Version| series.is_of(version) && version.patch.is_some();
    let header = header(view, prefix, *series)?.filter(is_it);
    let near = || {
        let variable = || of_official_image(prefix, variables).filter(is_it);
        let packaged = || of_package(prefix, *series, databases).filter(is_it);
        variable().or_else(packaged).or_else(|| of_directory(prefix).filter(is_it))
    };
    if let Some(version) = header.or_else(near) {
        return Ok(version);
    }
    if let Some(version) = of_build(view, prefix, *series)?.filter(is_it) {
        return Ok(version);
    }
    let made = match &executable.environment {
        Some(root) => virtual_environment::configuration(view, root)?.version.filter(is_it),
        None => None,
    };
    Ok(made.unwrap_or_else(|| series.version()))
}

/// What `patchlevel.h` says.
pub(super) fn header(view: View<'_>, prefix: &ImagePath, series: Series) -> Known<Option<Version>> {
    let plain = series.directory();
    for directory in [plain.clone(), format!("{plain}m")] {
        let header = prefix.join("include").join(directory).join("patchlevel.h");
        if let Some(text) = view.text(&header)? {
            return Ok(text.lines().find_map(defined_version));
        }
    }
    Ok(None)
}

/// `#define PY_VERSION "3.11.7"`
fn defined_version(line: &str) -> Option<Version> {
    let mut words = line.split_whitespace();
    let is_it = words.next() == Some("#define") && words.next() == Some("PY_VERSION");
    let value = words.next().filter(|_| is_it)?;
    Version::parse(value.strip_prefix('"')?.strip_suffix('"')?)
}

fn of_official_image(prefix: &ImagePath, variables: &BTreeMap<String, String>) -> Option<Version> {
    let is_official = *prefix == ImagePath::lexical("usr/local");
    variables.get("PYTHON_VERSION").filter(|_| is_official).and_then(|set| Version::parse(set))
}

fn of_package(prefix: &ImagePath, series: Series, databases: &Databases) -> Option<Version> {
    if *prefix != ImagePath::lexical("usr") {
        return None;
    }
    let Series { major, minor, .. } = series;
    let packages = [
        format!("python{major}.{minor}-minimal"),
        format!("libpython{major}.{minor}-minimal"),
        format!("python{major}.{minor}"),
        format!("python{major}.{minor}-nogil"),
        format!("python-{major}.{minor}"),
        "python3".to_owned(),
    ];
    let versions = packages.iter().filter_map(|package| databases.version(package));
    versions.filter_map(|version| Version::parse(&version)).find(|version| series.is_of(version))
}

fn of_directory(prefix: &ImagePath) -> Option<Version> {
    let name = std::str::from_utf8(prefix.file_name()?).ok()?;
    let without_build = name.strip_prefix("cpython-").unwrap_or(name).split(['-', '+']).next()?;
    Version::parse(without_build)
}

/// Where the sources lay is in the flags that Python was compiled with.
fn of_build(view: View<'_>, prefix: &ImagePath, series: Series) -> Known<Option<Version>> {
    let Some(library) = standard_library(view, prefix, series)? else { return Ok(None) };
    let names = view.names(&library)?;
    let is_data = |name: &&Vec<u8>| name.starts_with(b"_sysconfigdata") && name.ends_with(b".py");
    let Some(name) = names.keys().find(is_data) else { return Ok(None) };
    let text = view.text(&library.join(name))?.unwrap_or_default();
    let versions = text.match_indices("/Python-").map(|(at, found)| {
        let rest = &text[at + found.len()..];
        let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(rest.len());
        Version::parse(&rest[..end])
    });
    Ok(versions.flatten().find(|version| series.is_of(version)))
}
