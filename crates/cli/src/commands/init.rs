//! `init`: the first recipe of a project.

use std::fs::{self, File};
use std::io::{ErrorKind, Read, Write};
use std::path::Path;

use recipe::ProjectFiles;

use crate::error::Error;
use crate::flags::{InitArguments, InitTarget};
use crate::session::Session;

/// The recipe's name.
const NAME: &str = "plywood.toml";
/// A directory with more names than this is not looked at to its end.
const MAX_PATHS: usize = 10_000;
/// No larger text is looked at.
const MAX_TEXT_BYTES: u64 = 4 << 20;
/// What belongs to tools, and is no part of the project.
const NOT_LOOKED_INTO: [&str; 4] = ["node_modules", "__pycache__", "venv", "env"];

/// Writes a `plywood.toml` for what is found in a directory.
pub(super) fn init(arguments: &InitArguments, session: &Session) -> Result<(), Error> {
    let directory = &arguments.directory;
    let found = ProjectFiles {
        paths: paths(directory)?,
        pyproject: text(&directory.join("pyproject.toml")),
        python_version: text(&directory.join(".python-version")),
        commit: context::git_state(directory).map(|state| state.revision),
    };
    let toml = recipe::initial_toml(&found);
    let path = directory.join(NAME);
    let mut options = File::options();
    match arguments.target {
        InitTarget::StandardOutput => return session.answer(toml.as_bytes()),
        InitTarget::NewFile => options.write(true).create_new(true),
        InitTarget::AnyFile => options.write(true).create(true).truncate(true),
    };
    let written = options.open(&path).and_then(|mut file| file.write_all(toml.as_bytes()));
    match written {
        Ok(()) => session.answer(format!("{}\n", path.display()).as_bytes()),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(Error::Exists(path)),
        Err(error) => Err(Error::writing(&path)(error)),
    }
}

/// The files of a directory, down to the second level, by name.
fn paths(directory: &Path) -> Result<Vec<String>, Error> {
    let mut paths = Vec::new();
    for (name, is_directory) in entries(directory)? {
        if !is_directory {
            paths.push(name);
        } else if !name.starts_with('.') && !NOT_LOOKED_INTO.contains(&name.as_str()) {
            let below = entries(&directory.join(&name)).unwrap_or_default();
            let files = below.into_iter().filter(|(_, is_directory)| !is_directory);
            paths.extend(files.map(|(file, _)| format!("{name}/{file}")));
        }
        if paths.len() > MAX_PATHS {
            break;
        }
    }
    Ok(paths)
}

/// The names in a directory, sorted, and whether each is a directory's. Names that are no text are
/// nobody's module.
fn entries(directory: &Path) -> Result<Vec<(String, bool)>, Error> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(directory).map_err(Error::reading(directory))? {
        let entry = entry.map_err(Error::reading(directory))?;
        if let Ok(name) = entry.file_name().into_string() {
            entries.push((name, entry.file_type().is_ok_and(|kind| kind.is_dir())));
        }
    }
    entries.sort();
    Ok(entries)
}

/// The text of a file, if there is one; one that cannot be read says nothing.
fn text(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(MAX_TEXT_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}
