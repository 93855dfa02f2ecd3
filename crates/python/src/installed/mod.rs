//! Distributions that are installed already.

use std::collections::HashSet;

use oci::ImagePath;

use crate::view::{Known, both, each_once, together};
use crate::{Interpreter, Missing, View};

mod metadata;
mod record;
mod removal;

use metadata::{Form, Place};

/// A distribution in one of an interpreter's directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// Its name, normalized (PEP 503).
    pub name: String,
    /// Its version.
    pub version: String,
    /// The `.dist-info` or `.egg-info`.
    pub metadata: ImagePath,
    /// The text of `METADATA` or `PKG-INFO`.
    pub text: String,
    /// What an uninstaller would remove: the files that `RECORD` names, where they really are, and
    /// their bytecode, as far as they are there. `None` if it says nothing, and so cannot be
    /// uninstalled, or if nothing is removed from its directory, as for what Debian's packages
    /// brought.
    pub files: Option<Vec<ImagePath>>,
}

/// Lists what is installed for an interpreter; of two of one name, the one that would be imported.
///
/// As for pip that is what is in a directory of `sys.path` and has metadata there: a `.dist-info`,
/// an `.egg-info` (a file or a directory), an `.egg`, or an `.egg-link` to where a project is
/// developed. Directories that a `.pth` file adds are not looked into.
///
/// # Errors
/// All that has to be read first.
pub fn find_distributions(
    view: View<'_>,
    interpreter: &Interpreter,
) -> Result<Vec<Distribution>, Vec<Missing>> {
    view.whole()?;
    let directories = interpreter.search_path.iter().map(|directory| {
        let places = metadata::places(view, directory)?;
        together(places.iter().map(|place| read(view, interpreter, directory, place)))
    });
    let found = together(directories).map_err(each_once)?;
    let mut seen = HashSet::new();
    let found = found.into_iter().flatten().flatten();
    Ok(found.filter(|distribution| seen.insert(distribution.name.clone())).collect())
}

fn read(
    view: View<'_>,
    interpreter: &Interpreter,
    directory: &ImagePath,
    place: &Place,
) -> Known<Option<Distribution>> {
    let Some(place) = metadata::follow_egg_link(view, place)? else { return Ok(None) };
    let is_foreign = interpreter.foreign.contains(directory);
    let files = match place.form {
        _ if is_foreign => Ok(None),
        Form::Directory => record::files(view, interpreter, directory, &place.path),
        // Who installed these listed no files.
        Form::File | Form::Egg | Form::EggLink => Ok(None),
    };
    let (text, files) = both(metadata::text(view, &place), files)?;
    let Some(identity) = metadata::identity(&place, &text) else { return Ok(None) };
    let (name, version) = identity;
    Ok(Some(Distribution { name, version, metadata: place.path, text, files }))
}

#[cfg(test)]
mod tests;
