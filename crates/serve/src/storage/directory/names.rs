//! Names of repositories as paths below the root, and back.
//!
//! A repository's directory lies in that of the repository whose name its own begins with, so
//! `a/blobs` would lie where the blobs of `a` do. A part of a name that a layout has a use for gets
//! a `_` at its end, with which no part can end by the grammar.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{BLOBS, INDEX, LAYOUT};
use crate::name::RepositoryPath;
use crate::{Error, Result};

const TAKEN: [&str; 3] = [LAYOUT, INDEX, BLOBS];

/// Where a repository is.
pub(super) fn place(root: &Path, name: &RepositoryPath) -> PathBuf {
    let mut path = root.to_owned();
    for part in name.as_str().split('/') {
        if TAKEN.contains(&part) {
            path.push(format!("{part}_"));
        } else {
            path.push(part);
        }
    }
    path
}

/// The repositories below `root`: the directories that hold `marker`.
pub(super) fn below(root: &Path, marker: &str) -> Result<Vec<RepositoryPath>> {
    let mut found = Vec::new();
    let mut pending = vec![(root.to_owned(), String::new())];
    while let Some((directory, name)) = pending.pop() {
        let entries = match fs::read_dir(&directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::file("list", &directory)(error)),
        };
        for entry in entries {
            let entry = entry.map_err(Error::file("list", &directory))?;
            let Ok(part) = entry.file_name().into_string() else { continue };
            // A link could lead in circles.
            let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
            if !is_directory || TAKEN.contains(&part.as_str()) {
                continue;
            }
            let part = part.strip_suffix('_').unwrap_or(&part);
            let longer = if name.is_empty() { part.to_owned() } else { format!("{name}/{part}") };
            let Ok(repository) = longer.parse::<RepositoryPath>() else { continue };
            if entry.path().join(marker).exists() {
                found.push(repository);
            }
            pending.push((entry.path(), longer));
        }
    }
    Ok(found)
}
