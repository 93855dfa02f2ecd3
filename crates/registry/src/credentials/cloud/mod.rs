//! Logins of the large clouds' registries, with no helper installed.
//!
//! They are asked for last: what a file or a helper knows comes first, and a helper that a file
//! names but that is not installed makes way for them. Each is for its own hosts only, told by
//! their exact names, so that no look-alike is ever shown a token:
//!
//! | hosts | sources, the first that is configured |
//! |---|---|
//! | `ID.dkr.ecr.REGION.amazonaws.com` and its kin, `public.ecr.aws` | `AWS_ACCESS_KEY_ID`, `AWS_WEB_IDENTITY_TOKEN_FILE`, a profile, the container's endpoint, the instance's metadata |
//! | `gcr.io`, `*.gcr.io`, `*-docker.pkg.dev` | `GOOGLE_APPLICATION_CREDENTIALS`, gcloud's application default credentials, the metadata server |
//! | `*.azurecr.io`, `.cn`, `.us` | `AZURE_CLIENT_SECRET`, `AZURE_FEDERATED_TOKEN_FILE`, `IDENTITY_ENDPOINT`, the machine's metadata |
//! | `ghcr.io` | `GITHUB_TOKEN` |
//!
//! A source that is configured and fails is an error with its name. Where none is configured, one
//! is anonymous, and most of these clouds have public images.
//!
//! **Metadata servers** are asked only where they plausibly are: if a variable names one, if the
//! machine's firmware says that the cloud made it (`/sys/class/dmi/id`), or if it is a service or a
//! job of Cloud Run (`K_SERVICE`, `CLOUD_RUN_JOB`). Elsewhere their addresses lead nowhere, and
//! every anonymous pull would wait for them. One that no variable names and that does not answer,
//! or has no identity to give, counts as not configured.

mod aws;
mod azure;
mod environment;
mod error;
mod exchange;
mod github;
mod google;

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use crate::credentials::Credential;
use crate::retry::RetryPolicy;
use crate::wire::Wire;
pub use environment::CloudEnvironment;
pub(crate) use error::hint;
pub use error::{CloudError, CloudProblem, CloudSource};

/// How early a credential counts as run out, at most: a transfer should not begin with one that
/// ends in it.
const LONGEST_MARGIN: Duration = Duration::from_secs(60);

/// What a login has at hand.
pub(super) struct Means<'a> {
    pub(super) wire: &'a Wire,
    pub(super) retry: RetryPolicy,
    pub(super) environment: &'a CloudEnvironment,
}

/// A credential that a cloud gave, and until when it is good.
#[derive(Debug, Clone)]
pub(super) struct Lent {
    pub(super) credential: Credential,
    pub(super) good_until: Option<Instant>,
    pub(super) by: CloudSource,
}

/// What a source has: nothing if it is not configured.
type Found<T> = Result<Option<T>, (CloudSource, CloudProblem)>;

/// Whose a registry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cloud {
    Amazon,
    Google,
    Azure,
    GitHub,
}

impl Cloud {
    /// The cloud that a registry is of, by its exact name.
    pub(crate) fn of(registry: &str) -> Option<Self> {
        if aws::EcrHost::parse(registry).is_some() {
            Some(Cloud::Amazon)
        } else if google::is_host(registry) {
            Some(Cloud::Google)
        } else if azure::is_host(registry) {
            Some(Cloud::Azure)
        } else {
            (registry == github::HOST).then_some(Cloud::GitHub)
        }
    }
}

/// Logs in to a registry of one of these clouds; `None` where nothing is configured for it.
pub(super) async fn log_in(means: &Means<'_>, registry: &str) -> Result<Option<Lent>, CloudError> {
    let found = match Cloud::of(registry) {
        Some(Cloud::Amazon) => aws::log_in(means, registry).await,
        Some(Cloud::Google) => google::log_in(means).await,
        Some(Cloud::Azure) => azure::log_in(means, registry).await,
        Some(Cloud::GitHub) => Ok(github::log_in(means.environment)),
        None => Ok(None),
    };
    found.map_err(|(tried, problem)| CloudError { registry: registry.to_owned(), tried, problem })
}

/// The end of a credential that is good for so long, counted from when it was asked for.
fn lasting(asked: Instant, lifetime: Duration) -> Instant {
    // What a service says is not to be trusted with the clock's arithmetic.
    let lifetime = lifetime.min(Duration::from_secs(365 * 24 * 3600));
    asked + lifetime - (lifetime / 10).min(LONGEST_MARGIN)
}

/// The end of a credential that is good until this time of the day.
fn until(now: SystemTime, end: SystemTime) -> Instant {
    lasting(Instant::now(), end.duration_since(now).unwrap_or_default())
}
