//! Paths that more than one installation has.

use std::collections::BTreeMap;

use oci::ImagePath;

use super::install::{Installation, InstalledFile};

/// A path that two wheels want, each in its own way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Collision {
    /// Both have a file there, and the files are not the same. As with pip, the later one stays.
    Overwritten {
        /// Where.
        path: ImagePath,
        /// The wheel whose file is lost.
        loser: String,
        /// The wheel whose file stays.
        winner: String,
    },
    /// One has a file where the other needs a directory, at which pip fails.
    InTheWay {
        /// The file.
        path: ImagePath,
        /// The wheel that has it.
        wheel: String,
        /// A file below it.
        below: ImagePath,
        /// The wheel that has that.
        other: String,
    },
}

/// Compares installations, in the order in which they are made, for what one does to another.
///
/// Files that are the same in every way may be in as many as they like.
pub fn collisions(installations: &[&Installation]) -> Vec<Collision> {
    let mut owners: BTreeMap<&ImagePath, Vec<(&Installation, &InstalledFile)>> = BTreeMap::new();
    for installation in installations {
        for file in &installation.files {
            owners.entry(&file.path).or_default().push((installation, file));
        }
    }
    let mut collisions = Vec::new();
    let mut above: Option<(&ImagePath, &Installation)> = None;
    for (path, owners) in &owners {
        let Some(((winner, kept), losers)) = owners.split_last() else { continue };
        let differs = |file: &InstalledFile| (file.content, file.mode) != (kept.content, kept.mode);
        for (loser, _) in losers.iter().filter(|(_, file)| differs(file)) {
            collisions.push(Collision::Overwritten {
                path: (*path).clone(),
                loser: loser.wheel.clone(),
                winner: winner.wheel.clone(),
            });
        }
        // What is below a path follows it directly, and is below that and nothing else.
        match above {
            Some((file, wheel)) if path.starts_with(file) => {
                collisions.push(Collision::InTheWay {
                    path: file.clone(),
                    wheel: wheel.wheel.clone(),
                    below: (*path).clone(),
                    other: winner.wheel.clone(),
                });
            }
            _ => above = Some((path, winner)),
        }
    }
    collisions
}

impl std::fmt::Display for Collision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Collision::Overwritten { path, loser, winner } => {
                write!(
                    f,
                    "`{winner}` and `{loser}` both have `/{path}`: that of `{winner}` is kept"
                )
            }
            Collision::InTheWay { path, wheel, below, other } => write!(
                f,
                "`{wheel}` has a file `/{path}`, where `{other}` needs a directory for `/{below}`"
            ),
        }
    }
}
