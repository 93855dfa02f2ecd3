//! pyenv: scripts called like programs, which start a program of the version that is set.
//!
//! Of the places where a version can be set, two are looked at: `PYENV_VERSION`, and the file
//! `version` of pyenv's own directory. A `.python-version` counts for whoever stands below it, and
//! an image does not say where that will be.

use std::collections::BTreeMap;

use oci::ImagePath;

use super::Version;
use crate::View;
use crate::view::Known;

/// What a path has to do with pyenv.
pub(super) enum Shim {
    /// It is no script of pyenv's.
    None,
    /// It starts this.
    For(String),
    /// It finds no version that has the program.
    ForNothing,
}

/// Where pyenv usually is.
const ROOTS: [&str; 4] = ["root/.pyenv", "opt/pyenv", "opt/.pyenv", "usr/local/pyenv"];

pub(super) fn roots(environment: &BTreeMap<String, String>) -> Vec<ImagePath> {
    let set = environment.get("PYENV_ROOT").filter(|root| root.starts_with('/'));
    let set = set.map(String::as_str).into_iter();
    set.chain(ROOTS).map(ImagePath::lexical).collect()
}

/// What pyenv would start for the program at `path`.
pub(super) fn behind_shim(
    view: View<'_>,
    environment: &BTreeMap<String, String>,
    path: &str,
) -> Known<Shim> {
    let Some((real, _)) = view.file(&ImagePath::lexical(path))? else { return Ok(Shim::None) };
    let (Some(shims), Some(name)) = (real.parent(), real.file_name()) else {
        return Ok(Shim::None);
    };
    let (Some(b"shims"), Some(root)) = (shims.file_name(), shims.parent()) else {
        return Ok(Shim::None);
    };
    let versions = root.join("versions");
    if !view.is_directory(&versions)? {
        return Ok(Shim::None);
    }
    for set in versions_set(view, environment, &root)? {
        let Some(directory) = matching(view, &versions, &set)? else { continue };
        let program = directory.join("bin").join(name);
        if view.file(&program)?.is_some() {
            return Ok(Shim::For(format!("/{program}")));
        }
    }
    Ok(Shim::ForNothing)
}

/// The versions that are set, in the order in which they are tried.
fn versions_set(
    view: View<'_>,
    environment: &BTreeMap<String, String>,
    root: &ImagePath,
) -> Known<Vec<String>> {
    let words = match environment.get("PYENV_VERSION").filter(|set| !set.is_empty()) {
        Some(set) => set.replace(':', " "),
        None => view.text(&root.join("version"))?.unwrap_or_default(),
    };
    Ok(words.split_whitespace().map(str::to_owned).collect())
}

/// The directory of the version `set`; of a prefix such as `3.11`, of the newest that has it.
fn matching(view: View<'_>, versions: &ImagePath, set: &str) -> Known<Option<ImagePath>> {
    if matches!(set, "." | ".." | "system") || set.contains('/') {
        return Ok(None);
    }
    let names = view.names(versions)?;
    if names.contains_key(set.as_bytes()) {
        return Ok(Some(versions.join(set)));
    }
    let has_prefix = |name: &&str| name.strip_prefix(set).is_some_and(|rest| rest.starts_with('.'));
    let names = names.keys().filter_map(|name| std::str::from_utf8(name).ok()).filter(has_prefix);
    let newest = names.filter_map(|name| Some((Version::parse(name)?, name))).max();
    Ok(newest.map(|(_, name)| versions.join(name)))
}
