//! Why no interpreter is taken.

use crate::Missing;

use super::Candidate;

/// Why there is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpreterError {
    /// All this has to be read first.
    #[error("a part of the image is not known yet")]
    Missing(Vec<Missing>),
    /// There is no Python.
    #[error("the image has no Python")]
    NoPython,
    /// There is none for which wheels are still made.
    #[error("the image has no Python 3, only {}", listed(.available))]
    OnlyPython2 {
        /// What there is.
        available: Vec<Candidate>,
    },
    /// There are several, and a program that is started by name would find none of them.
    #[error("no Python is on the image's PATH; elsewhere there are {}", listed(.available))]
    NotOnPath {
        /// What there is.
        available: Vec<Candidate>,
    },
    /// There is no such Python.
    #[error("the image has no Python `{wanted}`; it has {}", listed(.available))]
    NotThere {
        /// What was asked for.
        wanted: String,
        /// What there is.
        available: Vec<Candidate>,
    },
    /// Which wheels fit cannot be said.
    #[error("{executable} is there, but neither the GNU C library nor musl")]
    NoLibc {
        /// The interpreter.
        executable: String,
    },
    /// The image is for something else than Linux.
    #[error("packages can be installed into images for linux only, and this one is for {os}")]
    OtherSystem {
        /// Its operating system.
        os: String,
    },
}

impl InterpreterError {
    /// What can be done about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            InterpreterError::NoPython | InterpreterError::OnlyPython2 { .. } => {
                Some("take a base image with a Python 3, such as `python:3.13-slim`")
            }
            InterpreterError::NotOnPath { .. } | InterpreterError::NotThere { .. } => {
                Some("name one of them by its path or its version")
            }
            InterpreterError::NoLibc { .. } => Some(
                "compiled wheels need the system's C library: take a base image that has it with \
                 its package database",
            ),
            InterpreterError::Missing(_) | InterpreterError::OtherSystem { .. } => None,
        }
    }
}

fn listed(available: &[Candidate]) -> String {
    let shown = available.iter().map(|one| format!("{} ({})", one.executable, one.version));
    match shown.collect::<Vec<_>>().join(", ") {
        none if none.is_empty() => "none".to_owned(),
        some => some,
    }
}
