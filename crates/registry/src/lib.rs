//! The wire: speaks to registries as the OCI distribution specification 1.1 has it.
//!
//! Manifests are resolved, fetched and pushed; blobs are streamed, verified while they pass, mounted
//! where a registry can, and gone on with where they broke off. Credentials go to the host that
//! they are for and nowhere else.
//!
//! This crate does not know recipes or the local store: bytes come from and go to the values that
//! it is given. It does not read the environment and does not print; it tells an [`Observer`].
//! Its functions are async and need a tokio runtime.
//!
//! ```no_run
//! # async fn example() -> registry::Result<()> {
//! use registry::{Client, Settings};
//!
//! let client = Client::new(Settings::default())?;
//! let reference: oci::Reference = "localhost:5000/app:1".parse().unwrap();
//! let descriptor = client.resolve(&reference).await?;
//! let manifest = client.manifest(reference.repository(), descriptor.digest).await?;
//! # Ok(())
//! # }
//! ```

mod answers;
mod auth;
mod call;
mod client;
pub mod credentials;
mod download;
mod error;
mod event;
mod greeting;
mod host;
pub mod hosts;
mod manifest;
mod pace;
mod publish;
mod referrers;
mod removal;
mod retry;
mod secret;
mod settings;
#[cfg(test)]
mod tests;
mod tour;
mod trace;
mod transport;
mod upload;
mod wire;

pub use answers::{Answer, Answers};
pub use client::Client;
pub use credentials::{
    CloudEnvironment, Credential, CredentialError, CredentialStore, Credentials,
};
pub use download::{BlobStream, Progress};
pub use error::{AnswerProblem, Error, Identity, RedirectProblem, RequestLine, Result};
pub use event::{Direction, MirrorProblem, Observer, Outcome, TransferEvent};
pub use hosts::{HostFileError, HostFiles, Hosts};
pub use manifest::TagOrDigest;
pub use pace::Quota;
pub use publish::{BlobSource, Publication, Published};
pub use removal::{Collateral, Removed};
pub use retry::RetryPolicy;
pub use secret::{PublicUrl, Secret};
pub use settings::{Proxies, Scheme, Settings, Timeouts};
pub use trace::{Came, Exchange, Shown, Trace};
pub use upload::{BlobBody, BlobOutcome};
