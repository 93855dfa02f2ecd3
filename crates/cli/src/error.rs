//! Everything that a command can fail with, of what kind it is, and the way out.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use oci::{Digest, Platform, RepositoryName};
use store::StoreError;

use crate::build::BuildError;
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
    #[error("{} has errors", .0.recipe())]
    Recipe(Box<Findings>),
    /// A `--format` that is not a template, or does not fit what is shown.
    #[error(transparent)]
    Template(#[from] TemplateError),
    /// A file, not of the store.
    #[error("{access} `{}`", .path.display())]
    File {
        /// What was tried.
        access: Access,
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is there and would be written over.
    #[error("write `{}`: it is there already", .0.display())]
    Exists(PathBuf),
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
    /// Something that would have to be fetched, and is not to be.
    #[error("fetch {0}: the store does not have it, and `--offline` asks nobody else")]
    Offline(String),
    /// Pins that are not of today.
    #[error("{} since `{}` was written", moved(*.count), .lock.display())]
    Outdated {
        /// The lock.
        lock: PathBuf,
        /// How many pins have moved.
        count: usize,
    },
    /// A reference without a meaning in this place.
    #[error(transparent)]
    Reference(#[from] oci::ReferenceError),
    /// The local store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A registry, or the way to it.
    #[error(transparent)]
    Registry(#[from] registry::Error),
    /// The registry that `serve` is.
    #[error(transparent)]
    Serve(#[from] serve::Error),
    /// A blob's bytes on their way into the store.
    #[error("keep blob {digest}")]
    Blob {
        /// The blob.
        digest: Digest,
        /// Why.
        source: std::io::Error,
    },
    /// A manifest or an index that is none.
    #[error("read {place}")]
    Manifest {
        /// Where it is.
        place: String,
        /// What is wrong with it.
        source: oci::ManifestError,
    },
    /// A config that is none.
    #[error("read the config of `{image}`")]
    Config {
        /// The image.
        image: String,
        /// What is wrong with it.
        source: oci::ConfigError,
    },
    /// An index without the platform that is wanted.
    #[error("find {wanted} in `{image}`")]
    NoMatchingPlatform {
        /// The image.
        image: String,
        /// What was looked for.
        wanted: Platform,
        /// What there is.
        available: Vec<Platform>,
    },
    /// An index in an index, which the specification allows and nobody reads.
    #[error("read `{image}`: it is an index of indexes")]
    NestedIndex {
        /// The image.
        image: String,
    },
    /// An id that several images have in common.
    #[error("tell which image `{prefix}` is")]
    AmbiguousId {
        /// What was typed.
        prefix: String,
        /// What begins with it.
        candidates: Vec<String>,
    },
    /// An image that has more names than the one that would go.
    #[error("remove `{image}` by its id: it has several names")]
    SeveralNames {
        /// What was typed.
        image: String,
        /// Its names.
        names: Vec<String>,
    },
    /// No build is known that came before.
    #[error("find an earlier build of {of}")]
    NoEarlierBuild {
        /// What was built.
        of: String,
    },
    /// Records of a repository that cannot be deleted.
    #[error("remove records from `{repository}`")]
    RecordsStay {
        /// The repository.
        repository: RepositoryName,
        /// Why.
        source: Box<registry::Error>,
    },
    /// What is kept of builds is not what it says.
    #[error("{}", damaged(*.count))]
    DamagedCache {
        /// How much of it.
        count: usize,
        /// What becomes of it, or can be done.
        way_out: &'static str,
    },
    /// The runtime for the network did not start.
    #[error("start the network's threads")]
    Runtime {
        /// Why.
        source: std::io::Error,
    },
    /// Somebody ended the program.
    #[error("interrupted")]
    Interrupted,
    /// Between a recipe and an image.
    #[error(transparent)]
    Build(Box<BuildError>),
    /// The recipe asks for what cannot be.
    #[error("the recipe cannot be built")]
    Plan(Box<Findings>, plan::PlanErrorKind),
    /// Something that an instruction needs is not to be had.
    #[error("an instruction of the recipe failed")]
    At {
        /// Which, and why.
        findings: Box<Findings>,
        /// What went wrong.
        source: Box<Error>,
    },
    /// `# check=error=true`, and there are findings.
    #[error("the recipe's checks found something ({0}), and it says that this is an error")]
    ChecksFailed(usize),
    /// Files of several platforms at once.
    #[error("several platforms have no files in common: {}", list(.0))]
    SeveralPlatforms(Vec<Platform>),
    /// An archive that would be written to a terminal.
    #[error("write an archive to the terminal")]
    ArchiveToTerminal,
}

/// What is done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Write,
}

impl std::fmt::Display for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Access::Read => "read",
            Access::Write => "write",
        })
    }
}

impl Error {
    /// An error about a file that is read.
    pub(crate) fn reading(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { access: Access::Read, path, source }
    }

    /// An error about a file or directory that is made or written.
    pub(crate) fn writing(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::File { access: Access::Write, path, source }
    }

    /// An error about the bytes of a blob.
    pub(crate) fn blob(digest: Digest) -> impl FnOnce(std::io::Error) -> Error {
        move |source| Error::Blob { digest, source }
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
            Error::File { access: Access::Read, .. } | Error::Exists(_) => Exit::Input,
            Error::File { access: Access::Write, .. } => Exit::Storage,
            Error::Stream { .. } | Error::NoStore => Exit::Storage,
            Error::Offline(_) => Exit::Network,
            Error::Outdated { .. } => Exit::Drift,
            Error::Store(error) => store_exit(error),
            Error::Registry(error) => registry_exit(error),
            Error::Serve(error) => match error {
                serve::Error::Document { .. } => Exit::Corrupt,
                serve::Error::Listen { .. } => Exit::Network,
                serve::Error::File { .. } | serve::Error::InUse { .. } => Exit::Storage,
            },
            Error::Blob { .. } => Exit::Storage,
            Error::Manifest { .. } | Error::Config { .. } | Error::NestedIndex { .. } => {
                Exit::Corrupt
            }
            Error::NoMatchingPlatform { .. } | Error::NoEarlierBuild { .. } => Exit::NotFound,
            Error::AmbiguousId { .. } | Error::SeveralNames { .. } | Error::ArchiveToTerminal => {
                Exit::Usage
            }
            Error::RecordsStay { source, .. } => registry_exit(source),
            Error::DamagedCache { .. } => Exit::Corrupt,
            Error::Runtime { .. } => Exit::Other,
            Error::Interrupted => Exit::Interrupted,
            Error::Build(error) => error.exit(),
            Error::Plan(_, kind) => match kind {
                plan::PlanErrorKind::Recipe => Exit::Recipe,
                plan::PlanErrorKind::Files => Exit::Input,
                plan::PlanErrorKind::Base => Exit::NotFound,
                plan::PlanErrorKind::Command => Exit::Command,
            },
            Error::At { source, .. } => source.exit(),
            Error::ChecksFailed(_) => Exit::Recipe,
            Error::SeveralPlatforms(_) => Exit::Usage,
        }
    }

    /// The kind of an error of a registry.
    pub(crate) fn exit_of(error: &registry::Error) -> Exit {
        registry_exit(error)
    }

    /// Whether the message is what could not be done, to be read after "failed to".
    pub(crate) fn is_action(&self) -> bool {
        matches!(
            self,
            Error::File { .. }
                | Error::Exists(_)
                | Error::Offline(_)
                | Error::Store(_)
                | Error::Registry(_)
                | Error::Serve(_)
                | Error::Blob { .. }
                | Error::Manifest { .. }
                | Error::Config { .. }
                | Error::NoMatchingPlatform { .. }
                | Error::NestedIndex { .. }
                | Error::AmbiguousId { .. }
                | Error::SeveralNames { .. }
                | Error::NoEarlierBuild { .. }
                | Error::RecordsStay { .. }
                | Error::Runtime { .. }
                | Error::ArchiveToTerminal
                | Error::Build(_)
        )
    }

    /// Whether the message has lines of its own, none of which are somebody else's.
    pub(crate) fn is_list(&self) -> bool {
        match self {
            Error::While { source, .. } => source.is_list(),
            Error::Build(error) => {
                matches!(&**error, BuildError::Resolution(error) if error.is_list())
            }
            _ => false,
        }
    }

    /// The line of a file, counted from 1, where the cause stands, if it is in a file.
    pub(crate) fn origin(&self) -> Option<(&str, usize)> {
        match self {
            Error::While { source, .. } => source.origin(),
            Error::Build(error) => match &**error {
                BuildError::Resolution(error) => {
                    error.origin().map(|origin| (origin.file.as_str(), origin.line))
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// The way out, if there is one to offer.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            Error::While { source, .. } => source.hint(),
            Error::Usage(error) => error.hint(),
            Error::Template(error) => error.hint(),
            Error::Reference(error) => error.hint(),
            Error::Offline(_) => {
                Some("run it once without `--offline`, so that the store has it".to_owned())
            }
            Error::Outdated { .. } => Some("`plywood lock --upgrade` takes what is new".to_owned()),
            Error::NoStore => Some("set PLYWOOD_STORE, or give `--store DIR`".to_owned()),
            Error::Store(error) => error.hint(),
            Error::Registry(error) => error.hint(),
            Error::Serve(error) => error.hint(),
            Error::NoMatchingPlatform { available, .. } => {
                let names: Vec<String> = available.iter().map(Platform::to_string).collect();
                Some(match names.as_slice() {
                    [] => "it lists no platforms".to_owned(),
                    names => format!("there is {}", names.join(", ")),
                })
            }
            Error::AmbiguousId { candidates, .. } => {
                Some(format!("it could be {}", candidates.join(", ")))
            }
            Error::SeveralNames { names, .. } => Some(format!(
                "remove the names one by one ({}), or all with `--force`",
                names.join(", ")
            )),
            Error::NoEarlierBuild { .. } => {
                Some("name two images: `plywood why OLD NEW`".to_owned())
            }
            Error::RecordsStay { .. } => Some(
                "let the registry's own cleanup policy remove tags that begin with `plywood-`, by \
                 age; or let the registry's owner allow deletion"
                    .to_owned(),
            ),
            Error::DamagedCache { way_out, .. } => Some((*way_out).to_owned()),
            Error::Exists(_) => Some("write over it with `--force`, or to `--stdout`".to_owned()),
            Error::ArchiveToTerminal => Some("give a file with `--output`, or a pipe".to_owned()),
            Error::Build(error) => error.hint(),
            Error::At { source, .. } => source.hint(),
            Error::SeveralPlatforms(_) => Some("name one with `--platform`".to_owned()),
            Error::File { access: Access::Read, source, .. } => {
                let denied = source.kind() == ErrorKind::PermissionDenied;
                denied.then(|| "make it readable for the user who builds".to_owned())
            }
            Error::File { path, source, .. } => match source.kind() {
                ErrorKind::NotFound => path
                    .parent()
                    .map(|directory| format!("make the directory `{}` first", directory.display())),
                _ => storage_hint(source.kind()),
            },
            Error::Stream { source, .. } | Error::Blob { source, .. } => {
                storage_hint(source.kind())
            }
            Error::Recipe(_)
            | Error::Plan(..)
            | Error::ChecksFailed(_)
            | Error::Manifest { .. }
            | Error::Config { .. }
            | Error::NestedIndex { .. }
            | Error::Interrupted
            | Error::Runtime { .. } => None,
        }
    }

    /// Whether it is only that nobody reads standard output any more, as in `plywood images |
    /// head -1`. That is no failure.
    pub(crate) fn is_broken_pipe(&self) -> bool {
        match self {
            Error::While { source, .. } => source.is_broken_pipe(),
            Error::Stream { source, .. } => source.kind() == ErrorKind::BrokenPipe,
            // An archive that is saved to standard output.
            Error::Store(StoreError::Io { source, .. }) => source.kind() == ErrorKind::BrokenPipe,
            _ => false,
        }
    }

    /// What a recipe's errors are, if that is what this is.
    pub(crate) fn findings(&self) -> Option<&Findings> {
        match self {
            Error::While { source, .. } => source.findings(),
            Error::Recipe(findings) | Error::Plan(findings, _) => Some(findings),
            Error::At { findings, .. } => Some(findings),
            Error::Build(error) => error.findings(),
            _ => None,
        }
    }
}

impl From<BuildError> for Error {
    fn from(error: BuildError) -> Self {
        Error::Build(Box::new(error))
    }
}

impl From<registry::CredentialError> for Error {
    fn from(error: registry::CredentialError) -> Self {
        Error::Registry(error.into())
    }
}

impl From<registry::HostFileError> for Error {
    fn from(error: registry::HostFileError) -> Self {
        Error::Registry(error.into())
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

/// The way out where bytes could not be put down.
pub(crate) fn storage_hint(kind: ErrorKind) -> Option<String> {
    let hint = match kind {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "free some space, or run `plywood prune`"
        }
        ErrorKind::FileTooLarge => "raise the limit on the size of files (`ulimit -f`)",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "choose a directory that you may write to"
        }
        _ => return None,
    };
    Some(hint.to_owned())
}

fn store_exit(error: &StoreError) -> Exit {
    match error {
        StoreError::MissingBlob { .. } | StoreError::UnknownImage { .. } => Exit::NotFound,
        StoreError::Document { .. }
        | StoreError::DigestMismatch { .. }
        | StoreError::SizeMismatch { .. }
        | StoreError::TooLarge { .. }
        | StoreError::Manifest { .. }
        | StoreError::TooDeep { .. }
        | StoreError::Config { .. }
        | StoreError::BadArchive { .. }
        | StoreError::DiffIdMismatch { .. }
        | StoreError::Damaged { .. } => Exit::Corrupt,
        StoreError::SeveralPlatforms { .. } => Exit::Usage,
        // What the store itself consists of is there, or is made: this was named by the user.
        StoreError::Io { source, .. } if source.kind() == ErrorKind::NotFound => Exit::Input,
        _ => Exit::Storage,
    }
}

fn registry_exit(error: &registry::Error) -> Exit {
    use registry::Error as Wire;
    match error {
        Wire::BadSetting { .. } | Wire::BadHost { .. } | Wire::SharedManifest { .. } => Exit::Usage,
        Wire::HostFile(_) => Exit::Input,
        Wire::AfterMirrors { error, .. } | Wire::DamagedMirror { error, .. } => {
            registry_exit(error)
        }
        Wire::Unauthorized { .. }
        | Wire::Denied { .. }
        | Wire::Blocked { .. }
        | Wire::PlainCredential { .. }
        | Wire::NotDeletable { .. }
        | Wire::Credential(_) => Exit::Denied,
        Wire::ManifestNotFound { .. }
        | Wire::RepositoryNotFound { .. }
        | Wire::BlobNotFound { .. }
        | Wire::NotProvided { .. } => Exit::NotFound,
        Wire::ManifestTooLarge { .. }
        | Wire::Manifest { .. }
        | Wire::DigestMismatch { .. }
        | Wire::SizeMismatch { .. }
        | Wire::Truncated { .. }
        | Wire::BodySize { .. } => Exit::Corrupt,
        Wire::Body { .. } | Wire::Sink { .. } => Exit::Storage,
        _ => Exit::Network,
    }
}

/// Reads a file whole.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Error> {
    std::fs::read(path).map_err(Error::reading(path))
}

fn moved(count: usize) -> String {
    if count == 1 { "1 pin has moved".to_owned() } else { format!("{count} pins have moved") }
}

fn damaged(count: usize) -> String {
    match count {
        1 => "1 thing that is kept of builds is not what it says".to_owned(),
        _ => format!("{count} things that are kept of builds are not what they say"),
    }
}

fn list(platforms: &[Platform]) -> String {
    platforms.iter().map(Platform::to_string).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[track_caller]
    fn check(error: impl Into<Error>, exit: Exit, hint: Option<&str>) {
        let error = error.into();
        assert_eq!(error.exit(), exit, "{error}");
        assert_eq!(error.hint().as_deref(), hint, "{error}");
        let wrapped = Err::<(), _>(error).doing(|| "do it".to_owned()).unwrap_err();
        assert_eq!(wrapped.exit(), exit, "what was being done does not change the kind");
        assert_eq!(wrapped.hint().as_deref(), hint);
    }

    #[test]
    fn kinds_and_ways_out() {
        let read = |kind: ErrorKind| Error::reading("a.tar")(kind.into());
        check(read(ErrorKind::NotFound), Exit::Input, None);
        let readable = Some("make it readable for the user who builds");
        check(read(ErrorKind::PermissionDenied), Exit::Input, readable);
        let write = |kind: ErrorKind| Error::writing("out/a.tar")(kind.into());
        check(write(ErrorKind::NotFound), Exit::Storage, Some("make the directory `out` first"));
        let writable = Some("choose a directory that you may write to");
        check(write(ErrorKind::PermissionDenied), Exit::Storage, writable);
        let limit = Some("raise the limit on the size of files (`ulimit -f`)");
        check(write(ErrorKind::FileTooLarge), Exit::Storage, limit);
        let blob = || Error::blob(Digest::of(b""));
        let way_out = Some("free some space, or run `plywood prune`");
        check(blob()(ErrorKind::StorageFull.into()), Exit::Storage, way_out);
        check(Error::NoStore, Exit::Storage, Some("set PLYWOOD_STORE, or give `--store DIR`"));
        let path = PathBuf::from("store");
        let busy = StoreError::Busy { path: path.clone() };
        let wait = "wait until the other plywood processes are done, and try again";
        check(busy, Exit::Storage, Some(wait));
        let (wanted, available) = ("a:1".to_owned(), vec!["a:2".to_owned()]);
        let unknown = StoreError::UnknownImage { wanted, place: path, available };
        check(unknown, Exit::NotFound, Some("there is a:2"));
        let platform = Error::NoMatchingPlatform {
            image: "a".into(),
            wanted: Platform::linux("arm64"),
            available: vec![Platform::linux("amd64")],
        };
        check(platform, Exit::NotFound, Some("there is linux/amd64"));
        let registry = "localhost:5000".to_owned();
        check(registry::Error::BadHost { registry }, Exit::Usage, None);
        check(registry::CredentialError::NoFile, Exit::Denied, None);
    }

    #[test]
    fn only_standard_output_can_be_left_by_its_reader() {
        let broken = || io::Error::from(ErrorKind::BrokenPipe);
        assert!(Error::stdout(broken()).is_broken_pipe());
        assert!(!Error::writing("a.tar")(broken()).is_broken_pipe());
    }
}
