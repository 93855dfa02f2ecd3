//! Everything that a command can fail with, of what kind it is, and the way out.

use std::path::{Path, PathBuf};

use crate::diagnostics::Findings;
use crate::exit::Exit;
use crate::flags::UsageError;
use crate::template::TemplateError;

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// What was being done; the rest of the chain says why it failed.
    #[error("failed to {action}")]
    While {
        /// As in "failed to …".
        action: String,
        /// Why.
        source: Box<Error>,
    },
    /// The command line means nothing.
    #[error(transparent)]
    Usage(#[from] UsageError),
    /// The recipe has errors.
    #[error("the recipe has errors")]
    Recipe(Box<Findings>),
    /// A `--format` that is not a template, or does not fit what is shown.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A file, not of the store.
    #[error("{}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Standard input or output.
    #[error("{stream}")]
    Stream {
        /// Which.
        stream: &'static str,
        /// Why.
        source: std::io::Error,
    },
    /// Where the store is cannot be told.
    #[error("no directory for the store: HOME is not set")]
    NoStore,
    /// A reference without a meaning in this place.
    #[error(transparent)]
    Reference(#[from] oci::ReferenceError),
}

impl Error {
    /// An error about a file.
    pub(crate) fn file(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { path, source }
    }

    /// An error in writing what the command answers.
    pub(crate) fn stdout(source: std::io::Error) -> Error {
        Error::Stream { stream: "standard output", source }
    }

    /// The kind, for the exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Error::While { source, .. } => source.exit(),
            Error::Usage(_) | Error::Template(_) | Error::Reference(_) => Exit::Usage,
            Error::Recipe(_) => Exit::Recipe,
            Error::File { source, .. } => match source.kind() {
                std::io::ErrorKind::NotFound => Exit::Input,
                _ => Exit::Storage,
            },
            Error::Stream { .. } | Error::NoStore => Exit::Storage,
        }
    }

    /// The way out, if there is one to offer.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::While { source, .. } => source.hint(),
            Error::Usage(error) => error.hint(),
            Error::Template(error) => error.hint(),
            Error::Reference(error) => error.hint(),
            Error::NoStore => Some("set PLYWOOD_STORE, or give `--store DIR`".to_owned()),
            Error::Recipe(_) | Error::File { .. } | Error::Stream { .. } => None,
        }
    }

    /// Whether it is only that nobody reads standard output any more, as in `plywood images |
    /// head -1`. That is no failure.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        match self {
            Error::While { source, .. } => source.is_broken_pipe(),
            Error::Stream { source, .. } => source.kind() == std::io::ErrorKind::BrokenPipe,
            _ => false,
        }
    }

    /// What a recipe's errors are, if that is what this is.
    pub(crate) fn findings(&self) -> Option<&Findings> {
        match self {
            Error::While { source, .. } => source.findings(),
            Error::Recipe(findings) => Some(findings),
            _ => None,
        }
    }
}

/// Says what was being done when something failed.
pub(crate) trait Doing<T> {
    /// `action` fits after "failed to".
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, Error>;
}

impl<T, E: Into<Error>> Doing<T> for Result<T, E> {
    fn doing(self, action: impl FnOnce() -> String) -> Result<T, Error> {
        let wrap = |error: E| Error::While { action: action(), source: Box::new(error.into()) };
        self.map_err(wrap)
    }
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::file(path))
}
