//! Azure's registries: a token of the directory is exchanged for a refresh token of the registry
//! (`Azure/acr`, "AAD-OAuth"; Microsoft identity platform, "client credentials flow").

use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use tokio::time::Instant;
use url::Url;

use crate::Secret;
use crate::credentials::Credential;
use crate::credentials::cloud::environment::read;
use crate::credentials::cloud::exchange::{Answered, Ask, Reach};
use crate::credentials::cloud::{CloudProblem, CloudSource, Found, Lent, Means, lasting};
use crate::wire::UrlScheme;

/// The public cloud and the sovereign ones: the suffix of registries, and who knows identities.
const CLOUDS: [(&str, &str); 3] = [
    (".azurecr.io", "https://login.microsoftonline.com/"),
    (".azurecr.cn", "https://login.chinacloudapi.cn/"),
    (".azurecr.us", "https://login.microsoftonline.us/"),
];

/// For whom tokens of the directory are.
const AUDIENCE: &str = "https://containerregistry.azure.net";

/// How long the registry's refresh token is good, which its answer does not say.
const REFRESH_LIFETIME: Duration = Duration::from_secs(3 * 3600);

/// Where a machine's metadata service is.
const METADATA: &str = "http://169.254.169.254";

/// What Azure's firmware says of each of its machines.
const AZURE_MACHINE: &str = "7783-7084-3265-9085-8269-3286-77";

pub(super) fn is_host(registry: &str) -> bool {
    authority(registry).is_some()
}

/// Who knows the identities that a registry takes. One label and the suffix, nothing else: a
/// look-alike would be shown a token.
fn authority(registry: &str) -> Option<&'static str> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let (_, authority) = CLOUDS.iter().find(|(suffix, _)| {
        let name = registry.strip_suffix(suffix);
        name.is_some_and(|name| !name.is_empty() && name.bytes().all(allowed))
    })?;
    Some(authority)
}

/// An identity from the first source that is configured, as the registry's refresh token.
pub(super) async fn log_in(means: &Means<'_>, registry: &str) -> Found<Lent> {
    let Some((token, by)) = directory_token(means, registry).await? else { return Ok(None) };
    let asked = Instant::now();
    let exchanged =
        exchange(means, registry, &token).await.map_err(|problem| by.failed(problem))?;
    let good_until = Some(lasting(asked, REFRESH_LIFETIME));
    Ok(Some(Lent { credential: Credential::IdentityToken(exchanged), good_until, by }))
}

async fn directory_token(means: &Means<'_>, registry: &str) -> Found<(Secret, CloudSource)> {
    let environment = means.environment;
    let by = CloudSource::AzureSecret;
    if let Some(secret) = environment.secret("AZURE_CLIENT_SECRET") {
        let proof = [("client_secret", secret.expose())];
        let token = ask_directory(means, registry, &proof, secret).await;
        return token.map(|token| Some((token, by.clone()))).map_err(|problem| by.failed(problem));
    }
    let by = CloudSource::AzureFederation;
    if let Some(file) = environment.path("AZURE_FEDERATED_TOKEN_FILE") {
        let token = async {
            let assertion = Secret::new(read(&file)?.expose().trim());
            let proof = [
                ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                ("client_assertion", assertion.expose()),
            ];
            ask_directory(means, registry, &proof, &assertion).await
        };
        let token = token.await.map_err(|problem| by.failed(problem))?;
        return Ok(Some((token, by)));
    }
    let by = CloudSource::AzureManaged;
    let token = managed(means).await.map_err(|problem| by.failed(problem))?;
    Ok(token.map(|token| (token, by)))
}

/// An application's token, for a proof that it is the one.
async fn ask_directory(
    means: &Means<'_>,
    registry: &str,
    proof: &[(&str, &str)],
    hidden: &Secret,
) -> Result<Secret, CloudProblem> {
    let environment = means.environment;
    let name = "AZURE_AUTHORITY_HOST";
    let usual = authority(registry).unwrap_or(CLOUDS[0].1);
    let base = environment.text(name).unwrap_or(usual).trim_end_matches('/');
    let tenant = environment.needed("AZURE_TENANT_ID")?;
    let url = parse(name, &format!("{base}/{tenant}/oauth2/v2.0/token"))?;
    let scope = format!("{AUDIENCE}/.default");
    let mut fields = vec![
        ("grant_type", "client_credentials"),
        ("client_id", environment.needed("AZURE_CLIENT_ID")?),
        ("scope", &scope),
    ];
    fields.extend(proof);
    access_token(&Ask::form(url, &fields).hiding(hidden).send(means).await?.success()?)
}

/// The token of an identity that Azure manages: from the endpoint that hosted services have, or
/// from the machine's metadata.
async fn managed(means: &Means<'_>) -> Result<Option<Secret>, CloudProblem> {
    let environment = means.environment;
    let client = environment.text("AZURE_CLIENT_ID");
    let name = "IDENTITY_ENDPOINT";
    if let Some(endpoint) = environment.text(name) {
        environment.needed("IDENTITY_HEADER")?;
        let url = with_resource(parse(name, endpoint)?, "2019-08-01", client);
        let mut ask = Ask::get(url, Reach::Machine);
        if let Some(header) = environment.secret("IDENTITY_HEADER") {
            ask = ask.secret_header("x-identity-header", header)?;
        }
        return access_token(&ask.send(means).await?.success()?).map(Some);
    }
    let name = "AZURE_POD_IDENTITY_AUTHORITY_HOST";
    let named = environment.text(name);
    if named.is_none() && !environment.machine_is("chassis_asset_tag", AZURE_MACHINE) {
        return Ok(None);
    }
    let base = named.unwrap_or(METADATA).trim_end_matches('/');
    let url = parse(name, &format!("{base}/metadata/identity/oauth2/token"))?;
    let url = with_resource(url, "2018-02-01", client);
    let ask = Ask::get(url, Reach::Machine).header("metadata", "true");
    let answered = match ask.send(means).await {
        Err(CloudProblem::NoAnswer { .. }) if named.is_none() => return Ok(None),
        answered => answered?,
    };
    if answered.status == StatusCode::BAD_REQUEST && named.is_none() && client.is_none() {
        // The machine has no identity.
        return Ok(None);
    }
    access_token(&answered.success()?).map(Some)
}

fn with_resource(mut url: Url, version: &str, client: Option<&str>) -> Url {
    url.query_pairs_mut().append_pair("api-version", version).append_pair("resource", AUDIENCE);
    if let Some(client) = client {
        url.query_pairs_mut().append_pair("client_id", client);
    }
    url
}

fn access_token(answered: &Answered) -> Result<Secret, CloudProblem> {
    #[derive(Deserialize)]
    struct Token {
        access_token: Secret,
    }
    Ok(answered.json::<Token>("access_token")?.access_token)
}

/// The registry's own service, at the registry's own host.
async fn exchange(
    means: &Means<'_>,
    registry: &str,
    token: &Secret,
) -> Result<Secret, CloudProblem> {
    #[derive(Deserialize)]
    struct Exchanged {
        refresh_token: Secret,
    }
    let mut url = parse("the registry", &format!("https://{registry}/oauth2/exchange"))?;
    let spoken = means.wire.scheme(&url, None).await;
    let spoken = spoken.map_err(|error| CloudProblem::NoAnswer { cause: error.to_string() })?;
    if spoken.scheme == UrlScheme::Http {
        url = parse("the registry", &format!("http://{registry}/oauth2/exchange"))?;
    }
    let mut fields = vec![
        ("grant_type", "access_token"),
        ("service", registry),
        ("access_token", token.expose()),
    ];
    fields.extend(means.environment.text("AZURE_TENANT_ID").map(|tenant| ("tenant", tenant)));
    let answered = Ask::form(url, &fields).hiding(token).send(means).await?.success()?;
    Ok(answered.json::<Exchanged>("refresh_token")?.refresh_token)
}

fn parse(name: &str, text: &str) -> Result<Url, CloudProblem> {
    let bad = |_| CloudProblem::Setting { what: name.to_owned(), wrong: "not a URL" };
    Url::parse(text).map_err(bad)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_by_their_names() {
        for (registry, expected) in [
            ("team.azurecr.io", Some("https://login.microsoftonline.com/")),
            ("team-a1b2.azurecr.io", Some("https://login.microsoftonline.com/")),
            ("team.azurecr.cn", Some("https://login.chinacloudapi.cn/")),
            ("team.azurecr.us", Some("https://login.microsoftonline.us/")),
            ("team.azurecr.io.example", None),
            ("evilazurecr.io", None),
            (".azurecr.io", None),
            ("azurecr.io", None),
            ("team.azurecr.io:443", None),
            ("evil.example/.azurecr.io", None),
            ("a.b.azurecr.io", None),
            ("team.azurecr.de", None),
        ] {
            assert_eq!(authority(registry), expected, "{registry}");
        }
    }
}
