//! What is wrong with an index, a hash or a lock.

use std::fmt;

/// What an index did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndexProblem {
    /// It cannot be reached.
    Unreachable {
        /// Why.
        cause: String,
    },
    /// It does not know who asks, or not well enough (401, 403).
    Refused {
        /// The status.
        status: u16,
    },
    /// It answers with another error.
    Status {
        /// The status.
        status: u16,
    },
    /// What it answers is not of an index.
    NotAnIndex {
        /// What it is.
        cause: String,
    },
    /// What it answers cannot be read to the end.
    BrokenAnswer {
        /// Why.
        cause: String,
    },
    /// It is not asked, and the cache does not have the answer.
    Offline,
}

impl fmt::Display for IndexProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            IndexProblem::Unreachable { cause } => write!(f, "cannot be reached: {cause}"),
            IndexProblem::Refused { status } => write!(f, "refuses access ({status})"),
            IndexProblem::Status { status } => write!(f, "answers with an error ({status})"),
            IndexProblem::NotAnIndex { cause } => {
                write!(f, "does not answer as an index does: {cause}")
            }
            IndexProblem::BrokenAnswer { cause } => {
                write!(f, "answers with what cannot be read: {cause}")
            }
            IndexProblem::Offline => f.write_str("is not in the cache, and this is offline"),
        }
    }
}

/// What is wrong about hashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashProblem {
    /// It has none, though all must.
    Missing,
    /// It is not pinned, though all must be.
    Unpinned,
    /// Another package needs it, and it is not listed with a hash.
    NotListed,
    /// Not one that is good for this.
    Unknown {
        /// The hash.
        hash: String,
    },
    /// The file has another than is wanted.
    Mismatch {
        /// The file.
        filename: String,
        /// What it has.
        has: Vec<String>,
    },
}

impl fmt::Display for HashProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            HashProblem::Missing => f.write_str("has no hash, and all must have one"),
            HashProblem::Unpinned => {
                f.write_str("is not pinned with `==`, and all must be, for their hashes")
            }
            HashProblem::NotListed => {
                f.write_str("is needed by another package and not listed with a hash")
            }
            HashProblem::Unknown { hash } => write!(f, "has a hash that is none: `{hash}`"),
            HashProblem::Mismatch { filename, has } => {
                write!(f, "has other hashes than {filename}, which has {}", has.join(", "))
            }
        }
    }
}

/// What is wrong with a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LockProblem {
    /// It cannot be read.
    Malformed {
        /// Why.
        cause: String,
    },
    /// It does not say of which of its projects the packages are wanted.
    Ambiguous {
        /// Those that it has.
        projects: Vec<String>,
    },
    /// It has no such project.
    NoSuchProject {
        /// The one that is wanted.
        name: String,
        /// Those that it has.
        projects: Vec<String>,
    },
    /// The project has no such extra or group.
    NoSuchPart {
        /// `extra` or `group`.
        kind: &'static str,
        /// Its name.
        name: String,
        /// Those that there are.
        available: Vec<String>,
    },
    /// It is for other Pythons or systems.
    OtherTarget {
        /// What it wants.
        wanted: String,
    },
    /// A package in it has nothing that fits, or contradicts another.
    Unfit {
        /// Why.
        cause: String,
    },
    /// A package in it comes from a place that cannot be used.
    Source {
        /// The package.
        package: String,
        /// What its source is.
        what: &'static str,
    },
}

impl fmt::Display for LockProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LockProblem::Malformed { cause } => write!(f, "the lock cannot be read: {cause}"),
            LockProblem::Ambiguous { projects } => {
                write!(f, "the lock has several projects: {}", projects.join(", "))
            }
            LockProblem::NoSuchProject { name, projects } => {
                write!(f, "no project `{name}` is locked; there {}", list(projects))
            }
            LockProblem::NoSuchPart { kind, name, available } => {
                write!(f, "there is no {kind} `{name}`; there {}", list(available))
            }
            LockProblem::Unfit { cause } => f.write_str(cause),
            LockProblem::OtherTarget { wanted } => write!(f, "the lock is for {wanted}"),
            LockProblem::Source { package, what } => {
                write!(f, "`{package}` comes from {what}, which would have to be built")
            }
        }
    }
}

impl LockProblem {
    pub(crate) fn hint(&self) -> Option<String> {
        Some(match self {
            LockProblem::Ambiguous { .. } => "name one of them as the project".to_owned(),
            LockProblem::Source { package, .. } => {
                format!("build a wheel of `{package}` and name it as a requirement instead")
            }
            LockProblem::Malformed { .. } => "lock again".to_owned(),
            LockProblem::OtherTarget { .. } => {
                "take a base image that fits the lock, or lock for this one, too".to_owned()
            }
            _ => return None,
        })
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() { "is none".to_owned() } else { format!("are {}", names.join(", ")) }
}
