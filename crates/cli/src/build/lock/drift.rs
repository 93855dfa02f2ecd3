//! What is not as a lock says.

use lock::Moved;
use oci::{Digest, Platform};

/// How what there is differs from what a lock says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Drift {
    /// There is no lock.
    #[error("there is none")]
    NoLock,
    /// A recipe that is no file.
    #[error("a recipe that is no file of its own has none")]
    NoPlace,
    /// Something is not pinned.
    #[error("it does not pin {what}")]
    Missing {
        /// What.
        what: String,
    },
    /// Other Python packages are asked for.
    #[error(
        "it has no answer to what is asked of Python packages for {platform} now: {}",
        asked(new, gone)
    )]
    Question {
        /// For what.
        platform: Platform,
        /// What is asked for that was not.
        new: Vec<String>,
        /// What was asked for and is no more.
        gone: Vec<String>,
    },
    /// A package that was built on the spot, and differs.
    #[error("it pins a wheel that was built elsewhere and differs from the one built here: {file}")]
    Built {
        /// The wheel.
        file: String,
    },
    /// Something has other bytes.
    #[error("{what} is {found} by now, and pinned is {locked}")]
    Moved {
        /// What.
        what: String,
        /// What it was.
        locked: Digest,
        /// What it is.
        found: Digest,
    },
    /// Something is nowhere any more.
    #[error("{what}, which it pins, is not there any more")]
    Gone {
        /// What.
        what: String,
    },
    /// What is kept of a list is not enough.
    #[error(
        "it has no answer to what is asked of {what} now, which cannot be had any more as it was: \
         packages, settings, or the packages below are others"
    )]
    Unanswered {
        /// The list.
        what: String,
    },
    /// A list would be in the image, or is read.
    #[error(
        "{what} is needed whole, and cannot be had any more: of an archive's lists it has what was \
         chosen, and no more"
    )]
    NoBytes {
        /// Which.
        what: String,
    },
    /// Layers are others.
    #[error("{}", layers(.0))]
    Layers(Vec<Moved>),
    /// Another plywood.
    #[error("it is of a plywood that lays layers in another way (epoch {locked}, here {own})")]
    Epoch {
        /// The lock's.
        locked: u32,
        /// This plywood's.
        own: u32,
    },
}

impl Drift {
    /// The way out.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Drift::NoPlace => "build without `--locked`, or give the recipe as a file",
            Drift::NoLock | Drift::Missing { .. } | Drift::Question { .. } => {
                "`plywood lock`, or a build without `--locked`, adds what is missing; commit the file \
                 then (where CI is set, `--no-locked` builds without)"
            }
            Drift::Moved { .. } | Drift::Gone { .. } => {
                "have a source that keeps what it had, such as a mirror or a snapshot; or take what \
                 is there now: `plywood lock --upgrade`, for bases only `--upgrade-base`"
            }
            Drift::Unanswered { .. } => {
                "`plywood lock --upgrade`, or a build without `--locked`, takes the archive as it is \
                 now; or have a source that keeps what it had, such as a mirror or a snapshot"
            }
            Drift::NoBytes { .. } => {
                "end the instruction with `rm -rf /var/lib/apt/lists/*`; or have a source that keeps \
                 what it had, such as a mirror or a snapshot; or take what is there now: `plywood \
                 lock --upgrade`"
            }
            Drift::Built { .. } => {
                "builds differ between machines: have an index with a wheel of it"
            }
            Drift::Layers(_) | Drift::Epoch { .. } => {
                "build with the plywood that wrote it, or once without `--locked`, and commit the file"
            }
        }
    }
}

fn asked(new: &[String], gone: &[String]) -> String {
    let lists = [("asked for as well", new), ("asked for no more", gone)];
    let lists = lists.iter().filter(|(_, names)| !names.is_empty());
    let said = lists.map(|(what, names)| format!("{} {what}", names.join(", ")));
    match said.collect::<Vec<_>>().as_slice() {
        [] => {
            "versions, constraints, indexes, files, or the Python and the packages of the base are \
               others"
                .to_owned()
        }
        said => format!("with {}", said.join(", with ")),
    }
}

fn layers(moved: &[Moved]) -> String {
    let each = moved.iter().map(|moved| match moved {
        Moved::Bytes { title, locked, laid } => {
            format!("the layer `{title}` is {laid}, and pinned is {locked}")
        }
        Moved::Key { title, locked, planned } => {
            format!("the layer `{title}` has the key {planned}, and pinned is {locked}")
        }
    });
    each.collect::<Vec<_>>().join("; ")
}
