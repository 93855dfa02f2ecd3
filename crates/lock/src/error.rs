//! What can be wrong with a lock's text.

/// Why a text is no lock.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    /// Git left the two sides of a merge in it.
    #[error("line {line}: it holds an unresolved merge conflict")]
    Conflict {
        /// Where the first of them begins, from 1.
        line: usize,
    },
    /// It is not TOML, or not of the form.
    #[error("line {line}: {problem}")]
    Malformed {
        /// Where, from 1.
        line: usize,
        /// What is wrong there.
        problem: String,
    },
    /// It does not say which version it has, so it is somebody else's.
    #[error("it has no `version`, so it is not plywood's")]
    Foreign,
    /// It is of another time.
    #[error("its version is {found}, and this plywood reads {known}")]
    Version {
        /// What it says.
        found: i64,
        /// What can be read.
        known: i64,
    },
    /// Two pins of the same thing, as a merge may leave them.
    #[error("{what} is pinned twice")]
    Twice {
        /// What is pinned.
        what: String,
    },
    /// What no archive says.
    #[error("what {what} says is none of an archive's: `{text}` {problem}")]
    Odd {
        /// Who says it.
        what: String,
        /// What is said.
        text: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A pin that says too little, or too much.
    #[error("{what} has to have {wanted}")]
    Halved {
        /// What is pinned.
        what: String,
        /// The keys that are wanted.
        wanted: &'static str,
    },
}

impl LockError {
    /// The way out.
    pub fn hint(&self) -> &'static str {
        match self {
            LockError::Conflict { .. } => {
                "take either side whole (`git checkout --theirs FILE`), then `plywood lock` brings \
                 it up to date"
            }
            LockError::Malformed { .. } | LockError::Halved { .. } | LockError::Odd { .. } => {
                "take the file as it was last committed, or delete it to pin everything anew"
            }
            LockError::Foreign => {
                "locks are found by the recipe's name: move the file or the recipe away"
            }
            LockError::Version { found, known } if found > known => {
                "build with the version of plywood that wrote it, or a later one"
            }
            LockError::Version { .. } => "delete it to pin everything anew",
            LockError::Twice { .. } => {
                "remove one of the two, then `plywood lock` brings the file up to date"
            }
        }
    }
}
