//! Google's registries: an access token, as the password of `oauth2accesstoken` (Artifact Registry
//! documentation, "Configure authentication"; Google AIP-4110, "Application Default
//! Credentials").

mod federated;
mod key;

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use reqwest::StatusCode;
use serde::Deserialize;
use serde_json::json;
use tokio::time::Instant;
use url::Url;

use crate::Secret;
use crate::credentials::Credential;
use crate::credentials::cloud::environment::{read, read_if_there};
use crate::credentials::cloud::exchange::{Answered, Ask, Reach};
use crate::credentials::cloud::{CloudProblem, CloudSource, Found, Lent, Means, lasting, until};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const TOKEN_SERVICE: &str = "https://oauth2.googleapis.com/token";
const METADATA_HOST: &str = "metadata.google.internal";

pub(super) fn is_host(registry: &str) -> bool {
    let label = |text: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !text.is_empty() && text.bytes().all(allowed)
    };
    registry == "gcr.io"
        || registry.strip_suffix(".gcr.io").is_some_and(label)
        || registry.strip_suffix("-docker.pkg.dev").is_some_and(label)
}

/// An access token, and until when it is good.
#[derive(Debug)]
struct Token {
    access: Secret,
    good_until: Instant,
}

/// From the file that a variable names, from gcloud's own, or from the metadata server.
pub(super) async fn log_in(means: &Means<'_>) -> Found<Lent> {
    let environment = means.environment;
    let (token, by) = if let Some(path) = environment.path("GOOGLE_APPLICATION_CREDENTIALS") {
        let by = CloudSource::GoogleFile(path.clone());
        let token = async { by_file(means, &path, &read(&path)?).await };
        (Some(token.await.map_err(|problem| by.failed(problem))?), by)
    } else if let Some((path, text)) = gcloud_file(means)? {
        let by = CloudSource::GoogleFile(path.clone());
        let token = by_file(means, &path, &text).await;
        (Some(token.map_err(|problem| by.failed(problem))?), by)
    } else {
        let by = CloudSource::GoogleMetadata;
        (by_metadata(means).await.map_err(|problem| by.failed(problem))?, by)
    };
    let lent = |token: Token| {
        let user = "oauth2accesstoken".to_owned();
        let credential = Credential::Password { user, password: token.access };
        Lent { credential, good_until: Some(token.good_until), by }
    };
    Ok(token.map(lent))
}

/// What `gcloud auth application-default login` leaves behind.
fn gcloud_file(means: &Means<'_>) -> Found<(PathBuf, Secret)> {
    let environment = means.environment;
    let folder = environment.path("CLOUDSDK_CONFIG");
    let folder = folder.or_else(|| environment.in_home(".config/gcloud"));
    let Some(folder) = folder else { return Ok(None) };
    let path = folder.join("application_default_credentials.json");
    match read_if_there(&path) {
        Ok(text) => Ok(text.map(|text| (path, text))),
        Err(problem) => Err((CloudSource::GoogleFile(path), problem)),
    }
}

/// The kinds of files; what else is in them does not matter here.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum KeyFile {
    ServiceAccount(key::ServiceAccount),
    AuthorizedUser(User),
    ExternalAccount(federated::ExternalAccount),
    ImpersonatedServiceAccount(Impersonation),
}

#[derive(Deserialize)]
struct User {
    client_id: String,
    client_secret: Secret,
    refresh_token: Secret,
    token_uri: Option<String>,
}

#[derive(Deserialize)]
struct Impersonation {
    service_account_impersonation_url: String,
    #[serde(default)]
    delegates: Vec<String>,
    source_credentials: Box<KeyFile>,
}

/// A key file that is being used: its path is for messages.
struct Place<'a> {
    means: &'a Means<'a>,
    path: &'a Path,
}

impl Place<'_> {
    fn malformed(&self, problem: &str) -> CloudProblem {
        CloudProblem::Malformed { path: self.path.to_owned(), problem: problem.to_owned() }
    }

    fn url(&self, text: &str) -> Result<Url, CloudProblem> {
        Url::parse(text).map_err(|_| self.malformed("it names a service that is not a URL"))
    }
}

async fn by_file(means: &Means<'_>, path: &Path, text: &Secret) -> Result<Token, CloudProblem> {
    let place = Place { means, path };
    let file: KeyFile = serde_json::from_str(text.expose())
        .map_err(|_| place.malformed("it is not a credential of Google's"))?;
    let (file, impersonation) = match file {
        KeyFile::ImpersonatedServiceAccount(who) => (*who.source_credentials, {
            Some((who.service_account_impersonation_url, who.delegates))
        }),
        file => (file, None),
    };
    let token = match &file {
        KeyFile::ServiceAccount(account) => key::token(&place, account).await?,
        KeyFile::AuthorizedUser(user) => refresh(&place, user).await?,
        KeyFile::ExternalAccount(account) => federated::token(&place, account).await?,
        KeyFile::ImpersonatedServiceAccount(_) => {
            let what = "an impersonation of an impersonated account".to_owned();
            return Err(CloudProblem::NotBuiltIn { what });
        }
    };
    match impersonation {
        Some((url, delegates)) => impersonate(&place, &url, &delegates, &token).await,
        None => Ok(token),
    }
}

/// RFC 6749, 6.
async fn refresh(place: &Place<'_>, user: &User) -> Result<Token, CloudProblem> {
    let url = place.url(user.token_uri.as_deref().unwrap_or(TOKEN_SERVICE))?;
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", &user.client_id),
        ("client_secret", user.client_secret.expose()),
        ("refresh_token", user.refresh_token.expose()),
    ];
    let ask = Ask::form(url, &fields).hiding(&user.client_secret).hiding(&user.refresh_token);
    granted(place.means, ask).await
}

/// A service account's token for whoever may take its place (IAM credentials API,
/// `generateAccessToken`).
async fn impersonate(
    place: &Place<'_>,
    url: &str,
    delegates: &[String],
    by: &Token,
) -> Result<Token, CloudProblem> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Generated {
        access_token: Secret,
        expire_time: String,
    }
    let body = json!({ "scope": [SCOPE], "delegates": delegates, "lifetime": "3600s" });
    let bearer = Secret::new(format!("Bearer {}", by.access.expose()));
    let ask = Ask::post(place.url(url)?, "application/json", body.to_string())
        .hiding(&by.access)
        .secret_header("authorization", &bearer)?;
    let answered = ask.send(place.means).await?.success()?;
    let generated: Generated = answered.json("accessToken")?;
    let end: jiff::Timestamp =
        generated.expire_time.parse().map_err(|_| answered.lacks("expireTime"))?;
    let good_until = until(place.means.environment.now(), SystemTime::from(end));
    Ok(Token { access: generated.access_token, good_until })
}

/// Asks for a token in any of OAuth2's ways.
async fn granted(means: &Means<'_>, ask: Ask) -> Result<Token, CloudProblem> {
    let asked = Instant::now();
    token_in(&ask.send(means).await?.success()?, asked)
}

fn token_in(answered: &Answered, asked: Instant) -> Result<Token, CloudProblem> {
    #[derive(Deserialize)]
    struct Granted {
        access_token: Secret,
        expires_in: Option<u64>,
    }
    let granted: Granted = answered.json("access_token")?;
    let lifetime = Duration::from_secs(granted.expires_in.unwrap_or(3600));
    Ok(Token { access: granted.access_token, good_until: lasting(asked, lifetime) })
}

/// The token of the account that a machine, a pod or a job runs as (Compute Engine documentation,
/// "Authenticate workloads by service accounts").
async fn by_metadata(means: &Means<'_>) -> Result<Option<Token>, CloudProblem> {
    let environment = means.environment;
    let named = environment.text("GCE_METADATA_HOST");
    // Where services and jobs are run, the machine shows no firmware.
    let is_there = environment.machine_is("product_name", "Google")
        || environment.text("K_SERVICE").is_some()
        || environment.text("CLOUD_RUN_JOB").is_some();
    if named.is_none() && (environment.is_on("NO_GCE_CHECK") || !is_there) {
        return Ok(None);
    }
    let host = named.unwrap_or(METADATA_HOST);
    let url = format!("http://{host}/computeMetadata/v1/instance/service-accounts/default/token");
    let what = "GCE_METADATA_HOST".to_owned();
    let bad = |_| CloudProblem::Setting { what, wrong: "not a host" };
    let ask = Ask::get(Url::parse(&url).map_err(bad)?, Reach::Machine);
    let asked = Instant::now();
    let answered = match ask.header("metadata-flavor", "Google").send(means).await {
        Err(CloudProblem::NoAnswer { .. }) if named.is_none() => return Ok(None),
        answered => answered?,
    };
    if answered.status == StatusCode::NOT_FOUND && named.is_none() {
        // The machine runs as nobody.
        return Ok(None);
    }
    token_in(&answered.success()?, asked).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_by_their_names() {
        for yes in ["gcr.io", "eu.gcr.io", "mirror.gcr.io", "europe-west1-docker.pkg.dev"] {
            assert!(is_host(yes), "{yes}");
        }
        for no in [
            "gcr.io.example",
            "evilgcr.io",
            ".gcr.io",
            "gcr.io:443",
            "a.b.gcr.io",
            "-docker.pkg.dev.example",
            "evil.example-docker.pkg.dev",
            "-docker.pkg.dev",
            "europe-west1-python.pkg.dev",
        ] {
            assert!(!is_host(no), "{no}");
        }
    }
}
