//! Paths that more than one installation has.

use std::collections::HashMap;

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

/// Whose file is at a path in the end, by the position of the installation.
type Owners<'a> = HashMap<&'a [u8], (usize, &'a InstalledFile)>;

/// Whose file is in the way, and where.
type Obstacle<'a> = (usize, &'a ImagePath);

/// Compares installations, in the order in which they are made, for what one does to another. What
/// is found comes in the order of paths.
///
/// Files that are the same in every way may be in as many as they like.
pub fn collisions(installations: &[&Installation]) -> Vec<Collision> {
    let mut owners = Owners::new();
    for (at, installation) in installations.iter().enumerate() {
        for file in &installation.files {
            owners.insert(file.path.as_bytes(), (at, file));
        }
    }
    let mut collisions = Vec::new();
    for (at, installation) in installations.iter().enumerate() {
        // Most files are in the directory of the one before.
        let mut looked_at: Option<(&[u8], Option<Obstacle<'_>>)> = None;
        for file in &installation.files {
            let path = file.path.as_bytes();
            if let Some((winner, kept)) = owners.get(path).filter(|(winner, _)| *winner != at) {
                let winner = installations[*winner];
                collisions.extend(overwritten((installation, file), (winner, kept)));
                continue;
            }
            let Some(directory) = above(path) else { continue };
            let found = match looked_at {
                Some((known, found)) if known == directory => found,
                _ => obstacle(&owners, directory),
            };
            looked_at = Some((directory, found));
            collisions.extend(found.map(|(wheel, path)| Collision::InTheWay {
                path: path.clone(),
                wheel: installations[wheel].wheel.clone(),
                below: file.path.clone(),
                other: installation.wheel.clone(),
            }));
        }
    }
    collisions.sort_by(|one, other| one.path().cmp(other.path()));
    collisions
}

/// That the first file is lost to the second, unless they are the same.
fn overwritten(
    (loser, lost): (&Installation, &InstalledFile),
    (winner, kept): (&Installation, &InstalledFile),
) -> Option<Collision> {
    let (loser, winner) = (loser.wheel.clone(), winner.wheel.clone());
    let is_other = (lost.content, lost.mode) != (kept.content, kept.mode);
    is_other.then(|| Collision::Overwritten { path: lost.path.clone(), loser, winner })
}

/// The file that is at `directory` or above it, and whose it is.
fn obstacle<'a>(owners: &Owners<'a>, directory: &[u8]) -> Option<Obstacle<'a>> {
    let mut directories = std::iter::successors(Some(directory), |directory| above(directory));
    let (at, file) = directories.find_map(|directory| owners.get(directory))?;
    Some((*at, &file.path))
}

fn above(path: &[u8]) -> Option<&[u8]> {
    path.iter().rposition(|byte| *byte == b'/').map(|slash| &path[..slash])
}

impl Collision {
    /// Where.
    pub fn path(&self) -> &ImagePath {
        match self {
            Collision::Overwritten { path, .. } | Collision::InTheWay { path, .. } => path,
        }
    }
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
