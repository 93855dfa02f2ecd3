//! Why a context cannot be read, each with the path that it is about.

use std::io;
use std::path::PathBuf;

use layer::TarError;
use oci::{ImagePath, PathError};

use crate::listing::Special;

/// Why a context, or a file of it, cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// There is nothing at the path that was given as context.
    #[error("find the build context `{}`", .path.display())]
    NoContext {
        /// The path as given.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A directory was wanted, and the path is something else.
    #[error("use `{}` as the build context: it is not a directory", .path.display())]
    NotDirectory {
        /// The path as given.
        path: PathBuf,
    },
    /// The system does not let this user read a path.
    #[error("read `{}`: permission denied", .path.display())]
    Denied {
        /// The path on this machine.
        path: PathBuf,
        /// The path in the context, if a build could do without it.
        ignore: Option<ImagePath>,
    },
    /// Any other error of the system.
    #[error("{action} `{}`", .path.display())]
    Io {
        /// What was being done: `read`, `list`, `write`.
        action: &'static str,
        /// The path on this machine.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A name that no layer can hold.
    #[error("list `{}`: {source}", .directory.display())]
    Name {
        /// The directory that holds the name.
        directory: PathBuf,
        /// What is wrong with it.
        source: PathError,
    },
    /// A file is not what it was when the context was listed.
    #[error("read `{}`: it changed while it was read", .path.display())]
    Changed {
        /// The path on this machine.
        path: PathBuf,
    },
    /// Something that a layer cannot take from a context.
    #[error("copy `{path}`: it is a {special}")]
    Special {
        /// The path in the context.
        path: ImagePath,
        /// What it is.
        special: Special,
    },
    /// A file is no tarball, compressed or not.
    #[error("use `{}` as the build context: it is not a tar archive", .path.display())]
    NotArchive {
        /// The path as given; `-` is standard input.
        path: PathBuf,
    },
    /// A tarball is broken, or hostile.
    #[error("read the build context `{}`", .path.display())]
    Archive {
        /// The path as given; `-` is standard input.
        path: PathBuf,
        /// What is wrong with it.
        source: TarError,
    },
    /// A path of a tarball goes on below a file, or through a link.
    #[error("accept `{path}` in `{}`: `{file}` is not a directory", .archive.display())]
    BelowFile {
        /// The tarball.
        archive: PathBuf,
        /// The path in it.
        path: ImagePath,
        /// What stands in the way.
        file: ImagePath,
    },
    /// A hard link of a tarball to what is not in it, to a directory, or to itself.
    #[error("accept the hard link `{path}` in `{}`: no file in it is its target", .archive.display())]
    BadLink {
        /// The tarball.
        archive: PathBuf,
        /// The link.
        path: ImagePath,
    },
    /// A path leads nowhere.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// A file that is read into memory is larger than such a file ever is.
    #[error("read `{path}`: it has more than {allowed} bytes")]
    TooLarge {
        /// The path in the context.
        path: ImagePath,
        /// How many it may have.
        allowed: u64,
    },
    /// A file's content was asked of what is not a file.
    #[error("read `{path}`: it is not a file")]
    NotFile {
        /// The path in the context.
        path: ImagePath,
    },
}

impl ContextError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            ContextError::NoContext { .. } => {
                "the last argument is the directory, or the tarball, that COPY reads from".into()
            }
            ContextError::NotDirectory { .. } | ContextError::NotArchive { .. } => {
                "give a directory, a tarball, or `-` for a tar on standard input".into()
            }
            ContextError::Denied { ignore: Some(path), .. } if !path.is_root() => format!(
                "make it readable, or leave it out of the build: add `{path}` to .dockerignore"
            ),
            ContextError::Denied { .. } => "make it readable for the user who builds".into(),
            ContextError::Io { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space there".into()
            }
            ContextError::Changed { .. } => {
                "build again when nothing writes to the context any more".into()
            }
            ContextError::Special { special, .. } => {
                format!("a layer cannot hold a {special} of this machine: add it to .dockerignore")
            }
            ContextError::Archive { source, .. } => return source.hint(),
            ContextError::Link(error) => return error.hint(),
            ContextError::BelowFile { .. } | ContextError::BadLink { .. } => {
                "the archive is hostile or broken: do not use it".into()
            }
            ContextError::Io { .. }
            | ContextError::Name { .. }
            | ContextError::TooLarge { .. }
            | ContextError::NotFile { .. } => return None,
        };
        Some(hint)
    }

    /// An error of the system while `action` was done to `path`.
    pub(crate) fn io(action: &'static str, path: PathBuf, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied => ContextError::Denied { path, ignore: None },
            _ => ContextError::Io { action, path, source },
        }
    }

    /// What [`into_io`](Self::into_io) had made an error of a reader, or else what it says of `path`.
    pub(crate) fn from_io(error: io::Error, path: &ImagePath) -> Self {
        error.downcast::<ContextError>().unwrap_or_else(|source| {
            ContextError::io("read", PathBuf::from(path.to_string()), source)
        })
    }

    /// This error as one of `std::io`, for readers.
    pub(crate) fn into_io(self) -> io::Error {
        let kind = match &self {
            ContextError::Denied { .. } => io::ErrorKind::PermissionDenied,
            ContextError::Io { source, .. } => source.kind(),
            _ => io::ErrorKind::InvalidData,
        };
        io::Error::new(kind, self)
    }
}

/// Why a path leads nowhere in a context.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LinkError {
    /// Nothing is there, or nothing that the filter let through.
    #[error("find `{path}` in the build context")]
    Missing {
        /// The path that was asked for.
        path: ImagePath,
    },
    /// A link on the way leads to nothing inside.
    #[error("find `{path}` in the build context: a link leads to `{target}`, which is not in it")]
    Dangling {
        /// The path that was asked for.
        path: ImagePath,
        /// Where links lead, as far as they could be followed, with the context as root.
        target: ImagePath,
    },
    /// Links that lead to each other.
    #[error("follow `{path}` in the build context: too many symbolic links")]
    Loop {
        /// The path that was asked for.
        path: ImagePath,
    },
    /// A path that goes on below something that is not a directory.
    #[error("find `{path}` in the build context: `{file}` is not a directory")]
    NotDirectory {
        /// The path that was asked for.
        path: ImagePath,
        /// What stands in the way.
        file: ImagePath,
    },
}

impl LinkError {
    /// The way out, where there is one.
    pub fn hint(&self) -> Option<String> {
        match self {
            LinkError::Dangling { .. } => Some(
                "links are followed inside the context only: copy what this one leads to into it"
                    .into(),
            ),
            LinkError::Missing { .. } | LinkError::Loop { .. } | LinkError::NotDirectory { .. } => {
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The errors as they are printed, hints and all.
    fn check(errors: &[ContextError]) -> String {
        let printed = |error: &ContextError| {
            let hint = error.hint().map(|hint| format!("hint: {hint}\n")).unwrap_or_default();
            format!("failed to {error}\n{hint}")
        };
        errors.iter().map(printed).collect()
    }

    #[test]
    fn messages_say_the_way_out() {
        let path = || PathBuf::from("/src/app");
        let dangling = LinkError::Dangling {
            path: ImagePath::lexical("app/key"),
            target: ImagePath::lexical("root/.ssh"),
        };
        let errors = [
            ContextError::Denied { path: path(), ignore: Some(ImagePath::lexical("a/key")) },
            ContextError::io("read", path(), io::ErrorKind::PermissionDenied.into()),
            ContextError::io("write a file in", path(), io::ErrorKind::StorageFull.into()),
            ContextError::NotArchive { path: "-".into() },
            ContextError::NotDirectory { path: path() },
            ContextError::NoContext { path: path(), source: io::ErrorKind::NotFound.into() },
            dangling.into(),
        ];
        insta::assert_snapshot!(check(&errors), @r"
        failed to read `/src/app`: permission denied
        hint: make it readable, or leave it out of the build: add `a/key` to .dockerignore
        failed to read `/src/app`: permission denied
        hint: make it readable for the user who builds
        failed to write a file in `/src/app`
        hint: free some space there
        failed to use `-` as the build context: it is not a tar archive
        hint: give a directory, a tarball, or `-` for a tar on standard input
        failed to use `/src/app` as the build context: it is not a directory
        hint: give a directory, a tarball, or `-` for a tar on standard input
        failed to find the build context `/src/app`
        hint: the last argument is the directory, or the tarball, that COPY reads from
        failed to find `app/key` in the build context: a link leads to `root/.ssh`, which is not in it
        hint: links are followed inside the context only: copy what this one leads to into it
        ");
    }
}
