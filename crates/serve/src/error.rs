//! What can go wrong with the registry itself. What a client does wrong is a
//! [`Refusal`](crate::refusal::Refusal).

use std::io;
use std::path::{Path, PathBuf};

/// Why the registry does not start, or cannot keep what it is given.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file or directory of the registry's.
    #[error("{action} `{}`", .path.display())]
    File {
        /// As in "failed to …".
        action: &'static str,
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// Two processes would write to the same files.
    #[error("serve `{}`: another process serves it already", .root.display())]
    InUse {
        /// The directory.
        root: PathBuf,
    },
    /// A repository's `index.json` that is none.
    #[error("read `{}`", .path.display())]
    Document {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// An address that cannot be listened on.
    #[error("listen on {address}")]
    Listen {
        /// The address.
        address: std::net::SocketAddr,
        /// Why.
        source: io::Error,
    },
}

/// The result of an operation of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of an I/O error at `path`; `action` is as in "failed to …".
    pub(crate) fn file(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Error {
        let path = path.to_owned();
        move |source| Error::File { action, path, source }
    }

    /// The way out, if there is one to offer.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::InUse { .. } => Some("end it, or give another directory with `--root`".into()),
            Error::Listen { source, .. } => match source.kind() {
                io::ErrorKind::AddrInUse => {
                    Some("choose another port with `--listen`; port 0 is any free one".into())
                }
                io::ErrorKind::PermissionDenied => {
                    Some("ports below 1024 are the system's: choose one above".into())
                }
                _ => None,
            },
            Error::File { source, .. } => match source.kind() {
                io::ErrorKind::PermissionDenied => {
                    Some("give a directory that is yours with `--root`".into())
                }
                io::ErrorKind::StorageFull => Some("make room on the disk".into()),
                _ => None,
            },
            Error::Document { .. } => Some(
                "the repository's index is damaged: restore it, or remove the repository".into(),
            ),
        }
    }

    /// Whether the disk has no room left.
    pub(crate) fn is_full(&self) -> bool {
        let full = |source: &io::Error| source.kind() == io::ErrorKind::StorageFull;
        matches!(self, Error::File { source, .. } if full(source))
    }
}
