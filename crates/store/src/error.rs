//! What can go wrong with a store, and the way out.

use std::io;
use std::path::{Path, PathBuf};

use oci::{ConfigError, Digest, ManifestError, Platform, RepositoryName};

/// Why the store could not do what it was asked to.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file system refused.
    #[error("{action} `{path}`: {source}", path = .path.display())]
    Io {
        /// What was tried, such as `write`.
        action: &'static str,
        /// On what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The store's own format is newer than this program.
    #[error(
        "use the store `{path}`: its format is version {found}, and this program knows up to \
         {supported}",
        path = .path.display()
    )]
    NewerFormat {
        /// The store's directory.
        path: PathBuf,
        /// The version that the store is in.
        found: u64,
        /// The newest version that this program can use.
        supported: u64,
    },
    /// A directory that is something else.
    #[error("use `{path}` as a store: {problem}", path = .path.display())]
    NotAStore {
        /// The directory.
        path: PathBuf,
        /// What is in the way.
        problem: &'static str,
    },
    /// An `index.json`, `oci-layout` or `manifest.json` that cannot be read.
    #[error("read `{path}`: {source}", path = .path.display())]
    Document {
        /// The file, or its path in an archive.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A blob that is needed and not here.
    #[error("find blob {digest}: it is not in the store")]
    MissingBlob {
        /// The blob.
        digest: Digest,
        /// Where it is known to be.
        sources: Vec<RepositoryName>,
    },
    /// Bytes that are not what they were said to be.
    #[error("verify blob {expected}: its bytes have the digest {actual}")]
    DigestMismatch {
        /// The digest that was announced.
        expected: Digest,
        /// The digest of what came; boxed, since two digests would make every result large.
        actual: Box<Digest>,
    },
    /// A blob that lay in the store and was changed there.
    #[error("read blob {digest}: `{path}` has other bytes than its name says", path = .path.display())]
    Damaged {
        /// The blob.
        digest: Digest,
        /// Its file.
        path: PathBuf,
    },
    /// More or fewer bytes than were announced.
    #[error("verify blob {digest}: it has {actual} bytes instead of {expected}")]
    SizeMismatch {
        /// The blob.
        digest: Digest,
        /// The size that was announced.
        expected: u64,
        /// How many bytes there are, or came before the rest was refused.
        actual: u64,
    },
    /// A document that is too large to be one.
    #[error("read {what}: it has {size} bytes, and no more than {limit} are allowed")]
    TooLarge {
        /// The blob's digest or the file's name.
        what: String,
        /// Its size in bytes.
        size: u64,
        /// The most that is read.
        limit: u64,
    },
    /// A manifest or an index that cannot be read.
    #[error("read manifest {digest}: {source}")]
    Manifest {
        /// The manifest's digest.
        digest: Digest,
        /// What is wrong with it.
        source: ManifestError,
    },
    /// Indexes in indexes in indexes.
    #[error("read manifest {digest}: indexes are nested too deep")]
    TooDeep {
        /// Where it was given up.
        digest: Digest,
    },
    /// A config that cannot be read.
    #[error("read config {digest}: {source}")]
    Config {
        /// The config's digest.
        digest: Digest,
        /// What is wrong with it.
        source: ConfigError,
    },
    /// No such image in the store, in a layout or in an archive.
    #[error("find the image `{wanted}` in `{place}`", place = .place.display())]
    UnknownImage {
        /// The name or the digest that was asked for.
        wanted: String,
        /// Where it was looked for.
        place: PathBuf,
        /// The names that there are.
        available: Vec<String>,
    },
    /// Others use the store, and what was asked needs it alone.
    #[error("lock the store `{path}`: another process uses it", path = .path.display())]
    Busy {
        /// The store's directory.
        path: PathBuf,
    },
    /// An archive or a layout that breaks its format's rules.
    #[error("read the archive's entry `{entry}`: {problem}")]
    BadArchive {
        /// The entry's name, as far as it can be printed.
        entry: String,
        /// What is wrong with it.
        problem: &'static str,
    },
    /// A layer that is not what its config says.
    #[error("verify layer `{entry}`: its diff id is {actual}, and the config has {expected}")]
    DiffIdMismatch {
        /// The layer's path in the archive.
        entry: String,
        /// What the config lists.
        expected: Digest,
        /// The digest of the uncompressed layer.
        actual: Box<Digest>,
    },
    /// A directory that images cannot be saved in.
    #[error("save to `{path}`: it is not empty, and not an OCI layout", path = .path.display())]
    NotALayout {
        /// The directory.
        path: PathBuf,
    },
    /// Docker's archive has one image a name, not one a platform.
    #[error(
        "save `{image}` as a docker archive: it has {count} platforms, and the format holds one",
        count = .available.len()
    )]
    SeveralPlatforms {
        /// The image's name or digest.
        image: String,
        /// The platforms that there are.
        available: Vec<Platform>,
    },
}

impl StoreError {
    /// An I/O error that names its path; fits `map_err`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
        move |source| StoreError::Io { action, path: path.to_owned(), source }
    }

    /// The way out, if there is one to offer.
    pub fn hint(&self) -> Option<String> {
        match self {
            StoreError::Io { source, .. } => io_hint(source.kind()),
            StoreError::NewerFormat { .. } => Some(
                "use a newer plywood, or choose another store; the blobs themselves stay readable \
                 as an OCI layout"
                    .to_owned(),
            ),
            StoreError::NotAStore { .. } | StoreError::NotALayout { .. } => {
                Some("name an empty or a new directory".to_owned())
            }
            StoreError::MissingBlob { sources, .. } => Some(match sources.first() {
                Some(repository) => format!("pull it from `{repository}`"),
                None => "pull or build the image again".to_owned(),
            }),
            StoreError::Damaged { path, .. } => {
                Some(format!("delete `{}`, and pull or build the image again", path.display()))
            }
            StoreError::DigestMismatch { .. } | StoreError::SizeMismatch { .. } => {
                Some("what came is damaged or was tampered with: nothing of it was kept".to_owned())
            }
            StoreError::UnknownImage { available, .. } if available.is_empty() => {
                Some("there are no named images".to_owned())
            }
            StoreError::UnknownImage { available, .. } => Some(available_hint(available)),
            StoreError::Busy { .. } => {
                Some("wait until the other plywood processes are done, and try again".to_owned())
            }
            StoreError::SeveralPlatforms { available, .. } => {
                let names: Vec<String> = available.iter().map(Platform::to_string).collect();
                Some(format!("choose one platform ({}), or save as oci", names.join(", ")))
            }
            StoreError::Document { .. }
            | StoreError::TooLarge { .. }
            | StoreError::Manifest { .. }
            | StoreError::TooDeep { .. }
            | StoreError::Config { .. }
            | StoreError::BadArchive { .. }
            | StoreError::DiffIdMismatch { .. } => None,
        }
    }
}

fn io_hint(kind: io::ErrorKind) -> Option<String> {
    match kind {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Some("free some space, or run `plywood prune`".to_owned())
        }
        io::ErrorKind::FileTooLarge => {
            Some("raise the limit on the size of files (`ulimit -f`)".to_owned())
        }
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
            Some("choose a directory that you may write to".to_owned())
        }
        _ => None,
    }
}

/// The most names that a hint lists.
const LISTED: usize = 10;

fn available_hint(available: &[String]) -> String {
    let shown = &available[..available.len().min(LISTED)];
    let more = match available.len() - shown.len() {
        0 => String::new(),
        rest => format!(" and {rest} more"),
    };
    format!("there is {}{more}", shown.join(", "))
}
