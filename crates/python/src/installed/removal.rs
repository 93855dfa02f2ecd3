//! What vanishes with a distribution.

use std::collections::BTreeSet;

use layer::Node;
use oci::ImagePath;

use super::Distribution;
use crate::{Interpreter, Missing, View};

impl Distribution {
    /// The paths that vanish when this is uninstalled, as few as say it: directories that had files
    /// of it and would have none, and the files outside of these. `None` if it cannot be uninstalled.
    ///
    /// As with pip (`compress_for_rename`), a directory goes if one of the files was in it, and not
    /// for its subdirectories alone: those of namespace packages stay. So do the directories into
    /// which installers put files, and those above them, even if nothing is left in them.
    ///
    /// # Errors
    /// All that has to be read first.
    pub fn removal(
        &self,
        view: View<'_>,
        interpreter: &Interpreter,
    ) -> Result<Option<Vec<ImagePath>>, Vec<Missing>> {
        let Some(files) = &self.files else { return Ok(None) };
        view.whole()?;
        let files: BTreeSet<&ImagePath> = files.iter().collect();
        let stays = directories_that_stay(view, interpreter)?;
        let above = directories_above(&files, &stays);
        let mut emptied: BTreeSet<ImagePath> = BTreeSet::new();
        // What is in a directory comes behind it in the order of paths, and is settled first.
        for directory in above.iter().rev() {
            let vanishes = |child: &ImagePath, is_directory: bool| match is_directory {
                false => Ok(files.contains(child)),
                true if above.contains(child) => Ok(emptied.contains(child)),
                true => holds_no_file(view, child),
            };
            if becomes_empty(view, directory, vanishes)? {
                emptied.insert(directory.clone());
            }
        }
        let had_files = files.iter().filter_map(|file| file.parent());
        let gone: BTreeSet<ImagePath> = had_files.filter(|path| emptied.contains(path)).collect();
        let below_gone = |path: &ImagePath| path.ancestors().any(|above| gone.contains(&above));
        let all = files.into_iter().chain(&gone).filter(|path| !below_gone(path)).cloned();
        Ok(Some(all.collect::<BTreeSet<_>>().into_iter().collect()))
    }
}

/// The directories of the layout and of the search path, without links.
fn directories_that_stay(
    view: View<'_>,
    interpreter: &Interpreter,
) -> Result<Vec<ImagePath>, Vec<Missing>> {
    let layout = &interpreter.layout;
    let of_layout =
        [&layout.purelib, &layout.platlib, &layout.scripts, &layout.headers, &layout.data];
    let mut all = Vec::new();
    for directory in of_layout.into_iter().chain(&interpreter.search_path) {
        all.extend(view.follow(directory)?.map(|(path, _)| path));
    }
    Ok(all)
}

/// The directories above `files` that may vanish.
fn directories_above(files: &BTreeSet<&ImagePath>, stays: &[ImagePath]) -> BTreeSet<ImagePath> {
    let mut all = BTreeSet::new();
    for file in files {
        for directory in file.ancestors() {
            if all.contains(&directory) || stays.iter().any(|kept| kept.starts_with(&directory)) {
                break;
            }
            all.insert(directory);
        }
    }
    all
}

/// Whether all that is in `directory` vanishes; `vanishes` is told whether it is a directory.
fn becomes_empty(
    view: View<'_>,
    directory: &ImagePath,
    vanishes: impl Fn(&ImagePath, bool) -> Result<bool, Vec<Missing>>,
) -> Result<bool, Vec<Missing>> {
    let children = view.root.read_dir(directory).map_err(|missing| vec![missing.into()])?;
    for (name, found) in children {
        if !vanishes(&directory.join(name), found.entry.node == Node::Directory)? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Such directories vanish along, as they do when pip moves the whole directory above away.
fn holds_no_file(view: View<'_>, directory: &ImagePath) -> Result<bool, Vec<Missing>> {
    let all = view.root.walk(directory).map_err(|missing| vec![missing.into()])?;
    Ok(all.iter().all(|(_, found)| found.entry.node == Node::Directory))
}
