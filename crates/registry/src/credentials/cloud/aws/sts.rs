//! Keys of a role, from the security token service (AWS STS API reference, "AssumeRole",
//! "AssumeRoleWithWebIdentity").

use std::path::Path;

use crate::Secret;
use crate::credentials::cloud::aws::signature::{Scope, sign};
use crate::credentials::cloud::aws::{Keys, endpoint};
use crate::credentials::cloud::environment::read;
use crate::credentials::cloud::exchange::{Answered, Ask};
use crate::credentials::cloud::{CloudProblem, Means};

const VERSION: &str = "2011-06-15";

/// A role to be taken on.
#[derive(Debug, Clone)]
pub(super) struct Role {
    pub(super) arn: String,
    pub(super) session: Option<String>,
    pub(super) external_id: Option<String>,
}

impl Role {
    fn session(&self) -> &str {
        self.session.as_deref().unwrap_or("plywood")
    }
}

/// The service of a region.
fn service(means: &Means<'_>, region: &str) -> Result<url::Url, CloudProblem> {
    let suffix = match region.split('-').next() {
        Some("cn") => "amazonaws.com.cn",
        Some("eusc") => "amazonaws.eu",
        _ => "amazonaws.com",
    };
    endpoint(means, "AWS_ENDPOINT_URL_STS", &format!("https://sts.{region}.{suffix}/"))
}

/// A role for whoever the token in the file stands for.
pub(super) async fn assume_by_web_identity(
    means: &Means<'_>,
    region: &str,
    role: &Role,
    file: &Path,
) -> Result<Keys, CloudProblem> {
    // Read each time: whoever put it there renews it.
    let token = Secret::new(read(file)?.expose().trim());
    let fields = [
        ("Action", "AssumeRoleWithWebIdentity"),
        ("Version", VERSION),
        ("RoleArn", &role.arn),
        ("RoleSessionName", role.session()),
        ("WebIdentityToken", token.expose()),
    ];
    let ask = Ask::form(service(means, region)?, &fields).hiding(&token);
    keys(&ask.send(means).await?.success()?)
}

/// A role for whoever holds these keys.
pub(super) async fn assume(
    means: &Means<'_>,
    region: &str,
    role: &Role,
    by: &Keys,
) -> Result<Keys, CloudProblem> {
    let mut fields = vec![
        ("Action", "AssumeRole"),
        ("Version", VERSION),
        ("RoleArn", &role.arn),
        ("RoleSessionName", role.session()),
    ];
    fields.extend(role.external_id.as_deref().map(|id| ("ExternalId", id)));
    let ask = Ask::form(service(means, region)?, &fields).hiding(&by.secret);
    let scope = Scope { region, service: "sts", now: means.environment.now() };
    keys(&sign(ask, by, &scope)?.send(means).await?.success()?)
}

fn keys(answered: &Answered) -> Result<Keys, CloudProblem> {
    Ok(Keys {
        id: answered.element("AccessKeyId")?,
        secret: Secret::new(answered.element("SecretAccessKey")?),
        token: Some(Secret::new(answered.element("SessionToken")?)),
    })
}
