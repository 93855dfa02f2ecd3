//! What can go wrong between a recipe and an image.

use std::io;
use std::path::PathBuf;

use context::ContextError;
use layer::{LayerError, Mismatch, TarError};
use oci::{DiffId, Digest, ImagePath, Reference};
use plan::Holder;
use plan::{LayerSpec, PlannedStep, Stream, Unassembled, WheelMember};

use super::lock::Drift;
use crate::error::storage_hint;
use crate::exit::Exit;

/// The way out where an instruction would have to be executed.
pub(super) const EXECUTION_HINT: &str = "nothing of an image is ever run on this machine; \
     `plywood plan --explain-run` shows how far the line is understood, and files that a RUN makes \
     can be copied in instead";

/// The way out of what is in the way of a step: for a package's script it can be left out.
pub(super) fn execution_hint(step: &PlannedStep, why: &Unassembled) -> String {
    let Some(package) = why.package() else { return EXECUTION_HINT.to_owned() };
    let left_out = match step.text.starts_with("RUN") {
        true => format!("`-o Plywood::Skip-Scripts={package}` behind `apt-get`"),
        false => format!("`scripts = \"skip:{package}\"` in `[debian]`"),
    };
    format!(
        "{left_out} leaves out the scripts of the package, if the image does without what they do; \
         nothing of an image is ever run on this machine"
    )
}

/// Why a build failed, beside what the recipe, the store and the registry have to say.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    /// The build context.
    #[error(transparent)]
    Context(#[from] ContextError),
    /// A layer could not be written.
    #[error(transparent)]
    Layer(#[from] LayerError),
    /// A layer or an archive could not be read.
    #[error("use {what}")]
    Tar {
        /// Which.
        what: String,
        /// Why.
        source: TarError,
    },
    /// A file of a base's layer or of an archive could not be read.
    #[error("read {what}")]
    Read {
        /// Which.
        what: String,
        /// Why.
        source: io::Error,
    },
    /// A hard link in an image to what is not in it.
    #[error("write `/{0}`: it is a hard link to nothing")]
    DanglingLink(ImagePath),
    /// Image parts that do not fit together.
    #[error(transparent)]
    Assemble(#[from] image::AssembleError),
    /// A base whose config and manifest disagree.
    #[error(
        "use `{}`: its manifest has {layers} layers and its config {diff_ids}",
        .reference.familiar()
    )]
    LayerCount {
        /// Which.
        reference: Reference,
        /// In the manifest.
        layers: usize,
        /// In the config.
        diff_ids: usize,
    },
    /// An artifact that is no image.
    #[error("use `{}`: it is an artifact and no image", .0.familiar())]
    NotAnImage(Reference),
    /// A layer whose tar is not what the config says.
    #[error("use layer {blob} of {holder}: its tar is {found}, and the config says {wanted}")]
    DiffId {
        /// Whose layer.
        holder: Holder,
        /// The blob.
        blob: Digest,
        /// What the config says.
        wanted: DiffId,
        /// What the tar hashes to.
        found: DiffId,
    },
    /// A Dockerfile that is not there.
    #[error("find the Dockerfile `{}`", .path.display())]
    NoRecipe {
        /// Where it was looked for.
        path: PathBuf,
        /// Whether something else in the directory may be meant.
        instead: Option<String>,
    },
    /// A Dockerfile or an ignore file that is not text.
    #[error("read `{0}`: it is not UTF-8 text")]
    NotText(String),
    /// An ignore file with a pattern that is not one.
    #[error("read `{name}`: {problem}")]
    IgnoreFile {
        /// Which.
        name: String,
        /// What is wrong with it, with the line.
        problem: String,
    },
    /// A secret of the command line.
    #[error("take the secret `{id}`: {problem}")]
    Secret {
        /// Which.
        id: String,
        /// What is wrong with it.
        problem: String,
    },
    /// An instruction that would have to be executed.
    #[error("build what needs execution")]
    NeedsExecution(Box<crate::diagnostics::Findings>),
    /// A source that has other bytes than planned.
    #[error("read `/{0}`: it changed while it was read")]
    Changed(ImagePath),
    /// A URL.
    #[error("fetch {url}")]
    Fetch {
        /// Which.
        url: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A URL whose bytes are not those that the recipe names.
    #[error("accept {url}: it has the digest {found}, and the recipe says {wanted}")]
    Checksum {
        /// Which.
        url: String,
        /// What the recipe says.
        wanted: Digest,
        /// What came.
        found: Digest,
    },
    /// A file of an archive whose bytes are not those that the archive's lists name.
    #[error("accept {what}: it has the digest {found}, and the archive's lists say {wanted}")]
    FetchedDigest {
        /// Which.
        what: String,
        /// What the lists say.
        wanted: Digest,
        /// What came.
        found: Digest,
    },
    /// A file that is larger than it should be.
    #[error("accept {what}: it has more than the {most} bytes that were announced")]
    TooLong {
        /// Which.
        what: String,
        /// How many bytes were expected.
        most: u64,
    },
    /// A file of an archive of packages.
    #[error("fetch {what}")]
    Archive {
        /// Which.
        what: String,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A Debian package that its archive does not have any more.
    #[error("fetch {0}: the archive does not have it any more (404 Not Found)")]
    NoPackage(String),
    /// A Debian package that cannot be read.
    #[error("read the package {package}")]
    Deb {
        /// Which.
        package: String,
        /// Why.
        source: debian::deb::DebError,
    },
    /// A list of packages that cannot be read.
    #[error("read {what}")]
    PackageIndex {
        /// Which.
        what: String,
        /// Why.
        source: debian::index::IndexError,
    },
    /// A package whose files are not in the store any more.
    #[error("read the files of the package {0}: the store does not have them any more")]
    NoFragment(Digest),
    /// A git repository.
    #[error("check out {url}: {problem}")]
    Git {
        /// Which.
        url: String,
        /// What git said.
        problem: String,
    },
    /// A wheel that is not what it says.
    #[error("install `{wheel}`: `{member}` is not what the wheel's RECORD says")]
    RecordLies {
        /// Which.
        wheel: String,
        /// The file in it.
        member: String,
    },
    /// A wheel whose files cannot be laid.
    #[error("install `{wheel}`")]
    WheelFile {
        /// Which.
        wheel: String,
        /// Why.
        source: LayerError,
    },
    /// A wheel that cannot be read or installed.
    #[error(transparent)]
    Wheel(#[from] python::WheelError),
    /// A wheel that other bytes came for.
    #[error("accept `{wheel}`: its {algorithm} is {found}, and {wanted} was expected")]
    WheelDigest {
        /// Which.
        wheel: String,
        /// The algorithm of the digests.
        algorithm: &'static str,
        /// What it is.
        found: String,
        /// What it should be.
        wanted: String,
    },
    /// Requirements that cannot be resolved, or wheels that cannot be had.
    #[error(transparent)]
    Resolution(#[from] resolution::ResolutionError),
    /// A wheel that nobody vouches for in a way that is understood.
    #[error("accept `{wheel}`: none of its digests can be checked: {hashes}")]
    UnknownHash {
        /// Which.
        wheel: String,
        /// Its digests.
        hashes: String,
    },
    /// Nothing here can build a wheel.
    #[error("find uv or a Python on this machine's PATH, to build with")]
    NoPythonHere,
    /// A wheel that does not come.
    #[error(transparent)]
    FetchWheel(resolution::FetchError),
    /// A wheel that was to be open.
    #[error("read `{member}` of `{wheel}`: the wheel is not open")]
    NotOpened {
        /// Which.
        wheel: String,
        /// The file in it.
        member: String,
    },
    /// A file or directory that is written.
    #[error("write `{}`", .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// What was fetched or made for the store.
    #[error("keep {what}")]
    Keep {
        /// Which.
        what: String,
        /// Why, with the file.
        source: io::Error,
    },
    /// A named context that is not there.
    #[error("use the build context `{name}`: {problem}")]
    NamedContext {
        /// Its name.
        name: String,
        /// Why.
        problem: String,
    },
    /// A lock that is none.
    #[error("read `{}`", .path.display())]
    Lock {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it.
        source: lock::LockError,
    },
    /// What there is is not what the lock says.
    #[error("keep to `{}`: {drift}", .lock.display())]
    Drift {
        /// The lock.
        lock: PathBuf,
        /// The difference.
        drift: Drift,
    },
    /// A package that is to move, and is not pinned.
    #[error("upgrade `{name}`: `{}` does not pin it", .lock.display())]
    NotPinned {
        /// The lock.
        lock: PathBuf,
        /// The package.
        name: String,
        /// A pinned package whose name is close to that.
        near: Option<String>,
    },
    /// A time that no calendar has.
    #[error("give the image its time: no calendar has {0} seconds after 1970")]
    Timestamp(i64),
}

impl BuildError {
    /// A layer error, about a file of a wheel if that is where it comes from. The writer works
    /// ahead, so it may tell of one file when another is given to it.
    pub(super) fn of_layer(spec: &LayerSpec, error: LayerError) -> Self {
        let path = match &error {
            LayerError::Deflated { path, .. } | LayerError::Content { path, .. } => Some(path),
            _ => None,
        };
        let Some(stream) = path.and_then(|path| spec.streams.get(path)) else {
            return BuildError::Layer(error);
        };
        match (error, stream) {
            (error, Stream::Package { .. }) => BuildError::Layer(error),
            (
                LayerError::Deflated { mismatch: Mismatch::Digest { .. }, .. },
                Stream::Wheel(WheelMember { filename, member, .. }),
            ) => {
                BuildError::RecordLies { wheel: filename.to_string(), member: member.name.clone() }
            }
            (source, Stream::Wheel(WheelMember { filename, .. })) => {
                BuildError::WheelFile { wheel: filename.to_string(), source }
            }
        }
    }

    /// The kind, for the exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            BuildError::Context(_)
            | BuildError::NoRecipe { .. }
            | BuildError::NotText(_)
            | BuildError::IgnoreFile { .. }
            | BuildError::NamedContext { .. }
            | BuildError::Secret { .. }
            | BuildError::NoPythonHere
            | BuildError::Changed(_) => Exit::Input,
            BuildError::Layer(LayerError::Sink(_))
            | BuildError::Write { .. }
            | BuildError::Keep { .. } => Exit::Storage,
            BuildError::Layer(_) => Exit::Input,
            BuildError::Resolution(error) => resolution_exit(error),
            BuildError::FetchWheel(error) => fetch_exit(error),
            BuildError::WheelFile { .. }
            | BuildError::Wheel(_)
            | BuildError::WheelDigest { .. }
            | BuildError::UnknownHash { .. }
            | BuildError::RecordLies { .. }
            | BuildError::NotOpened { .. }
            | BuildError::Tar { .. }
            | BuildError::Read { .. }
            | BuildError::LayerCount { .. }
            | BuildError::DiffId { .. }
            | BuildError::DanglingLink(_)
            | BuildError::Checksum { .. }
            | BuildError::FetchedDigest { .. }
            | BuildError::TooLong { .. }
            | BuildError::NoFragment(_)
            | BuildError::PackageIndex { .. }
            | BuildError::Deb { .. } => Exit::Corrupt,
            BuildError::Assemble(_) => Exit::Recipe,
            BuildError::NotAnImage(_) | BuildError::NoPackage(_) => Exit::NotFound,
            BuildError::NeedsExecution(_) => Exit::NeedsExecution,
            BuildError::Fetch { .. } | BuildError::Archive { .. } | BuildError::Git { .. } => {
                Exit::Network
            }
            BuildError::Lock { .. } => Exit::Input,
            BuildError::Drift { .. } => Exit::Drift,
            BuildError::Timestamp(_) | BuildError::NotPinned { .. } => Exit::Usage,
        }
    }

    /// Where in the recipe the cause is, if that is known.
    pub(crate) fn findings(&self) -> Option<&crate::diagnostics::Findings> {
        match self {
            BuildError::NeedsExecution(findings) => Some(findings),
            _ => None,
        }
    }

    /// The way out, if there is one to offer.
    pub(crate) fn hint(&self) -> Option<String> {
        match self {
            BuildError::Context(error) => error.hint(),
            BuildError::Layer(error) => error.hint(),
            BuildError::Tar { source, .. } => source.hint(),
            BuildError::NoRecipe { instead, .. } => Some(match instead {
                Some(name) => format!("did you mean `-f {name}`?"),
                None => "name the Dockerfile with `-f FILE`, or have `plywood init` write a plywood.toml"
                    .to_owned(),
            }),
            BuildError::NeedsExecution(_) => Some(EXECUTION_HINT.to_owned()),
            BuildError::Write { source, .. } | BuildError::Keep { source, .. } => {
                storage_hint(source.kind())
            }
            BuildError::DanglingLink(_) => {
                Some("the image is hostile or broken: do not use it".to_owned())
            }
            BuildError::NamedContext { name, .. } => {
                Some(format!("give `--build-context {name}=…` a directory, a tarball or an image"))
            }
            BuildError::Changed(_) => {
                Some("build again when nothing else writes to the context".to_owned())
            }
            BuildError::Resolution(error) => error.hint(),
            BuildError::FetchWheel(resolution::FetchError::Host {
                problem: resolution::IndexProblem::Status { status: 404 | 410 },
                ..
            }) => Some(
                "the host does not have it any more: another index may, or, where plywood.lock pins it, \
                 `plywood lock --upgrade-package NAME` takes another version"
                    .to_owned(),
            ),
            BuildError::FetchWheel(error) => error.hint().map(str::to_owned),
            BuildError::Wheel(error) => error.hint(),
            BuildError::WheelFile { .. } | BuildError::RecordLies { .. } => Some(
                "the wheel is damaged, or was made so: take another version or another index"
                    .to_owned(),
            ),
            BuildError::WheelDigest { .. } => Some(
                "somebody replaced the file, or the digest in the lock or in the requirements is \
                 wrong"
                    .to_owned(),
            ),
            BuildError::UnknownHash { .. } => Some("SHA-256 and SHA-512 are understood".to_owned()),
            BuildError::Deb { source, .. } => source.hint(),
            BuildError::Archive { .. } => Some(
                "is the address in the sources of apt right, and is there a proxy to go through \
                 (`http_proxy`, `https_proxy`, or `Acquire::http::Proxy` of the image)?"
                    .to_owned(),
            ),
            BuildError::NoPackage(_) => Some(
                "the lists of packages are older than the archive: have `apt-get update` in the same \
                 line, before what is installed; where plywood.lock pins the lists, `plywood lock \
                 --upgrade` takes those of now"
                    .to_owned(),
            ),
            BuildError::NoFragment(_) => Some("build again: they are fetched anew".to_owned()),
            BuildError::FetchedDigest { .. } | BuildError::TooLong { .. } => Some(
                "the mirror is being updated, or somebody between changes what it gives: try again \
                 later, or another mirror"
                    .to_owned(),
            ),
            BuildError::Lock { source, .. } => Some(source.hint().to_owned()),
            BuildError::Drift { drift, .. } => Some(drift.hint().to_owned()),
            BuildError::NotPinned { near, .. } => {
                near.as_ref().map(|near| format!("did you mean `{near}`?"))
            }
            BuildError::Checksum { found, .. } => {
                Some(format!("if the file is the right one, write --checksum={found}"))
            }
            _ => None,
        }
    }
}

/// What is to blame where there is no resolution.
fn resolution_exit(error: &resolution::ResolutionError) -> Exit {
    use resolution::ResolutionError as E;
    match error {
        E::NoSuchPackage { .. } | E::NoSuchVersion { .. } | E::NoWheel { .. } => Exit::NotFound,
        E::Index { problem, .. } => index_exit(problem),
        E::Hash { problem: resolution::HashProblem::Mismatch { .. }, .. } | E::Metadata { .. } => {
            Exit::Corrupt
        }
        E::Given { .. } | E::UnfitFile { .. } | E::Lock { .. } | E::Setting { .. } => Exit::Input,
        E::Cache { .. } => Exit::Storage,
        _ => Exit::Recipe,
    }
}

fn fetch_exit(error: &resolution::FetchError) -> Exit {
    match error {
        resolution::FetchError::Host { problem, .. } => index_exit(problem),
        resolution::FetchError::Write { .. } => Exit::Storage,
        resolution::FetchError::WrongSize { .. } => Exit::Corrupt,
        resolution::FetchError::Given { .. } => Exit::Input,
    }
}

fn index_exit(problem: &resolution::IndexProblem) -> Exit {
    match problem {
        resolution::IndexProblem::Refused { .. } => Exit::Denied,
        _ => Exit::Network,
    }
}
