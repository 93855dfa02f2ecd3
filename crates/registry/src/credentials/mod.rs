//! Who one is at a registry: Docker's `config.json`, podman's `auth.json`, credential helpers.
//!
//! The paths of the files are the caller's to know. Nothing here speaks to a registry.

mod file;
mod helper;
mod store;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::Secret;
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

impl Credentials {
    /// The credential for a repository's path at a registry, if there is one; an empty path asks
    /// for the registry's own.
    pub async fn find(
        &self,
        registry: &str,
        path: &str,
    ) -> Result<Option<Credential>, CredentialError> {
        match self {
            Credentials::Anonymous => Ok(None),
            Credentials::Fixed(known) => Ok(known.get(registry).cloned()),
            Credentials::Store(store) => store.find(registry, path).await,
        }
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
            CredentialError::Malformed { .. } => {
                Some("repair the file, or move it away and log in again".to_owned())
            }
            _ => None,
        }
    }
}
