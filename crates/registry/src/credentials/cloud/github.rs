//! GitHub's registry, which takes a workflow's own token.

use crate::Secret;
use crate::credentials::Credential;
use crate::credentials::cloud::{CloudEnvironment, CloudSource, Lent};

pub(super) const HOST: &str = "ghcr.io";

/// `GITHUB_TOKEN`, for `GITHUB_ACTOR` where that is known. The registry looks at the token alone,
/// but a name must be there.
pub(super) fn log_in(environment: &CloudEnvironment) -> Option<Lent> {
    let password: &Secret = environment.secret("GITHUB_TOKEN")?;
    let user = environment.text("GITHUB_ACTOR").unwrap_or("token").to_owned();
    let credential = Credential::Password { user, password: password.clone() };
    Some(Lent { credential, good_until: None, by: CloudSource::GithubToken })
}
