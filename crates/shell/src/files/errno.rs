//! What goes wrong with files, as Linux and the GNU C library call it.

use layer::{NotLoaded, ResolveError};

use crate::stop::Stop;

/// The errors of system calls that can happen here, with the GNU C library's words for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the messages say it")]
pub enum Errno {
    #[error("No such file or directory")]
    NotFound,
    #[error("Not a directory")]
    NotADirectory,
    #[error("Is a directory")]
    IsADirectory,
    #[error("File exists")]
    Exists,
    #[error("Directory not empty")]
    NotEmpty,
    #[error("Too many levels of symbolic links")]
    Loop,
    #[error("Permission denied")]
    PermissionDenied,
    #[error("Operation not permitted")]
    NotPermitted,
    #[error("Read-only file system")]
    ReadOnly,
    #[error("Device or resource busy")]
    Busy,
    #[error("Invalid argument")]
    Invalid,
    #[error("Invalid cross-device link")]
    OtherDevice,
    #[error("File name too long")]
    NameTooLong,
    #[error("Bad file descriptor")]
    BadDescriptor,
    #[error("No space left on device")]
    NoSpace,
}

/// A file operation that did not come about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileError {
    /// The system call would have said so; a command can go on.
    Errno(Errno),
    /// The evaluation ends.
    Stop(Stop),
}

/// What a file operation gives.
pub type FileResult<T> = Result<T, FileError>;

impl From<Errno> for FileError {
    fn from(errno: Errno) -> Self {
        FileError::Errno(errno)
    }
}

impl From<Stop> for FileError {
    fn from(stop: Stop) -> Self {
        FileError::Stop(stop)
    }
}

impl FileError {
    /// A layer's entries are missing.
    pub(super) fn not_loaded(volume: super::VolumeId, layer: NotLoaded) -> Self {
        FileError::Stop(Stop::Missing(crate::stop::Missing::Layer { volume, layer }))
    }

    /// What following a hard link in a layer ran into.
    pub(super) fn of_layers(volume: super::VolumeId, error: ResolveError) -> Self {
        match error {
            ResolveError::NotLoaded(layer) => FileError::not_loaded(volume, layer),
            ResolveError::Loop(_) => Errno::Loop.into(),
            ResolveError::NotADirectory { .. } => Errno::NotADirectory.into(),
        }
    }
}
