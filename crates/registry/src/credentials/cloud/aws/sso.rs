//! Keys for a login in the browser that `aws sso login` has left behind (IAM Identity Center portal
//! API reference, "GetRoleCredentials").

use std::time::SystemTime;

use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use serde::Deserialize;

use crate::Secret;
use crate::credentials::cloud::aws::profile::Profile;
use crate::credentials::cloud::aws::signature::hex;
use crate::credentials::cloud::aws::{Keys, endpoint};
use crate::credentials::cloud::environment::read_if_there;
use crate::credentials::cloud::exchange::{Ask, Reach};
use crate::credentials::cloud::{CloudProblem, Means};

/// The keys of a profile's role; `session` has the region, and `login` is what the login is kept
/// under: the session's name, or the address at which it was begun.
pub(super) async fn keys(
    means: &Means<'_>,
    name: &str,
    profile: &Profile,
    session: &Profile,
    login: &str,
) -> Result<Keys, CloudProblem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Answer {
        role_credentials: Role,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Role {
        access_key_id: String,
        secret_access_key: Secret,
        session_token: Secret,
    }
    let needed = |settings: &Profile, key: &'static str| {
        let what = format!("`{key}` of profile `{name}`");
        let found = settings.get(key).map(|value| value.expose().to_owned());
        found.ok_or(CloudProblem::Setting { what, wrong: "not there" })
    };
    let region = needed(session, "sso_region")?;
    let token = kept_token(means, name, login)?;
    let usual = format!("https://portal.sso.{region}.amazonaws.com/");
    let base = endpoint(means, "AWS_ENDPOINT_URL_SSO", &usual)?;
    let what = "AWS_ENDPOINT_URL_SSO".to_owned();
    let bad = |_| CloudProblem::Setting { what, wrong: "not a URL" };
    let mut url = base.join("federation/credentials").map_err(bad)?;
    url.query_pairs_mut()
        .append_pair("role_name", &needed(profile, "sso_role_name")?)
        .append_pair("account_id", &needed(profile, "sso_account_id")?);
    let ask = Ask::get(url, Reach::Usual).secret_header("x-amz-sso_bearer_token", &token)?;
    let answered = ask.send(means).await?.success()?;
    let role = answered.json::<Answer>("roleCredentials")?.role_credentials;
    Ok(Keys {
        id: role.access_key_id,
        secret: role.secret_access_key,
        token: Some(role.session_token),
    })
}

fn kept_token(means: &Means<'_>, name: &str, login: &str) -> Result<Secret, CloudProblem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Kept {
        access_token: Secret,
        expires_at: String,
    }
    let expired = || CloudProblem::Expired { renew: format!("aws sso login --profile {name}") };
    let file = hex(digest(&SHA1_FOR_LEGACY_USE_ONLY, login.as_bytes()).as_ref());
    let path = means.environment.in_home(&format!(".aws/sso/cache/{file}.json"));
    let path = path.ok_or_else(expired)?;
    let text = read_if_there(&path)?.ok_or_else(expired)?;
    let malformed = || CloudProblem::Malformed {
        path: path.clone(),
        problem: "it is not a login of `aws sso login`".to_owned(),
    };
    let kept: Kept = serde_json::from_str(text.expose()).map_err(|_| malformed())?;
    let end: jiff::Timestamp = kept.expires_at.parse().map_err(|_| malformed())?;
    if SystemTime::from(end) <= means.environment.now() {
        return Err(expired());
    }
    Ok(kept.access_token)
}
