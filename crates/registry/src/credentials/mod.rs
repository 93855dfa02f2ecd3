//! Who one is at a registry: Docker's `config.json`, podman's `auth.json`, credential helpers, and
//! the logins of clouds that need no helper.
//!
//! The order: in each file the helper that it names, then its own entries, the longest prefix of
//! the repository's name first; after all files the cloud's own login ([`CloudEnvironment`]); else
//! one is anonymous.
//!
//! The paths of the files are the caller's to know.

mod cloud;
mod file;
mod helper;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use crate::Secret;
use crate::retry::RetryPolicy;
use crate::wire::Wire;
pub(crate) use cloud::{Cloud, hint as cloud_hint};
pub use cloud::{CloudEnvironment, CloudError, CloudProblem, CloudSource};
pub use store::CredentialStore;

/// What proves an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A user's name and password (or whatever a registry takes in its place).
    Password {
        /// The name.
        user: String,
        /// The password.
        password: Secret,
    },
    /// An OAuth2 refresh token, which a token service exchanges for access tokens.
    IdentityToken(Secret),
    /// A bearer token that goes to the registry as it is.
    AccessToken(Secret),
}

/// Where credentials come from.
#[derive(Debug, Clone, Default)]
pub enum Credentials {
    /// Nowhere.
    #[default]
    Anonymous,
    /// From the caller, by registry (`docker.io`, `localhost:5000`).
    Fixed(BTreeMap<String, Credential>),
    /// From configuration files and the helpers that they name.
    Store(Arc<CredentialStore>),
}

/// A credential that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Held {
    pub(crate) credential: Credential,
    pub(crate) from: Origin,
    /// When it runs out, where that is known.
    pub(crate) good_until: Option<Instant>,
}

/// Where a credential was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was written down, and is the same the next time.
    Kept,
    /// A helper gave it, and may give another.
    Helper,
    /// A cloud gave it, for a time.
    Cloud(CloudSource),
}

/// What looking for a credential may use.
#[derive(Clone, Copy)]
pub(crate) struct Search<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) retry: RetryPolicy,
    /// The registry, as references name it.
    pub(crate) registry: &'a str,
    /// The repository's path; an empty one asks for the registry's own credential.
    pub(crate) path: &'a str,
    /// A credential that was refused: one that was lent is to be had anew.
    pub(crate) refused: Option<&'a Credential>,
}

impl Credentials {
    /// The credential for a repository, if there is one.
    pub(crate) async fn find(&self, search: Search<'_>) -> Result<Option<Held>, CredentialError> {
        match self {
            Credentials::Anonymous => Ok(None),
            Credentials::Fixed(known) => Ok(known.get(search.registry).cloned().map(Held::kept)),
            Credentials::Store(store) => store.search(search).await,
        }
    }
}

impl Held {
    pub(crate) fn kept(credential: Credential) -> Self {
        Held { credential, from: Origin::Kept, good_until: None }
    }

    pub(crate) fn is_good(&self) -> bool {
        self.good_until.is_none_or(|until| Instant::now() < until)
    }
}

/// Why credentials cannot be had or kept.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// A file that cannot be read.
    #[error("read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that cannot be written.
    #[error("write {}: {source}", .path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file that is not of Docker's or podman's form.
    #[error("read {}: {problem}", .path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong; never a part of the file's content.
        problem: String,
    },
    /// There is no file to keep a credential in.
    #[error("keep the credential: no credential file is configured")]
    NoFile,
    /// A helper's name that could lead elsewhere than to a helper.
    #[error("run credential helper `{name}`: a helper's name has no `/`")]
    BadHelperName {
        /// The name.
        name: String,
    },
    /// A helper that cannot be started.
    #[error("run `{program}`: {source}")]
    HelperMissing {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A helper that did not end in time.
    #[error("run `{program}`: it did not answer within {} s", .limit.as_secs_f32())]
    HelperTimedOut {
        /// The program.
        program: String,
        /// The time that it had.
        limit: Duration,
    },
    /// A helper that says no.
    #[error("run `{program}`: {message}")]
    HelperFailed {
        /// The program.
        program: String,
        /// What it said, or its exit status.
        message: String,
    },
    /// A helper whose answer is not of the protocol.
    #[error("run `{program}`: its answer is not a credential")]
    HelperGarbage {
        /// The program.
        program: String,
    },
    /// A cloud's own login that fails.
    #[error(transparent)]
    Cloud(#[from] Arc<CloudError>),
}

impl CredentialError {
    /// The way out, if there is one to offer.
    pub fn hint(&self) -> Option<String> {
        match self {
            CredentialError::HelperMissing { program, .. } => Some(format!(
                "install `{program}`, or remove it from `credHelpers` and `credsStore`"
            )),
            CredentialError::HelperTimedOut { program, .. }
            | CredentialError::HelperFailed { program, .. }
            | CredentialError::HelperGarbage { program } => {
                Some(format!("try `echo REGISTRY | {program} get` by hand"))
            }
            CredentialError::Cloud(error) => Some(error.hint()),
            CredentialError::Malformed { .. } => {
                Some("repair the file, or move it away and log in again".to_owned())
            }
            _ => None,
        }
    }
}
