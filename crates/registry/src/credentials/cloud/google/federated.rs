//! Workload identity federation: the token of another identity provider is exchanged for one of
//! Google's (RFC 8693; Google AIP-4117, "External Account Credentials").

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::json;
use url::form_urlencoded::byte_serialize;

use crate::Secret;
use crate::credentials::cloud::CloudProblem;
use crate::credentials::cloud::aws::{self, signature};
use crate::credentials::cloud::environment::read;
use crate::credentials::cloud::exchange::{Ask, Reach};
use crate::credentials::cloud::google::{Place, SCOPE, Token, granted, impersonate};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";

#[derive(Deserialize)]
pub(super) struct ExternalAccount {
    audience: String,
    subject_token_type: String,
    token_url: String,
    service_account_impersonation_url: Option<String>,
    credential_source: Source,
    client_id: Option<String>,
    client_secret: Option<Secret>,
    workforce_pool_user_project: Option<String>,
}

/// Where the other provider's token is; one of the first four says it.
#[derive(Deserialize)]
struct Source {
    file: Option<String>,
    url: Option<String>,
    environment_id: Option<String>,
    executable: Option<serde_json::Value>,
    #[serde(default)]
    headers: BTreeMap<String, Secret>,
    #[serde(default)]
    format: Format,
    regional_cred_verification_url: Option<String>,
}

#[derive(Default, Deserialize)]
struct Format {
    #[serde(rename = "type")]
    kind: Option<String>,
    subject_token_field_name: Option<String>,
}

pub(super) async fn token(
    place: &Place<'_>,
    account: &ExternalAccount,
) -> Result<Token, CloudProblem> {
    let subject = subject_token(place, account).await?;
    let mut fields = vec![
        ("grant_type", GRANT),
        ("audience", &account.audience),
        ("scope", SCOPE),
        ("requested_token_type", ACCESS_TOKEN),
        ("subject_token", subject.expose()),
        ("subject_token_type", &account.subject_token_type),
    ];
    let project = account.workforce_pool_user_project.as_ref();
    let options = project.map(|project| json!({ "userProject": project }).to_string());
    fields.extend(options.as_deref().map(|options| ("options", options)));
    let mut ask = Ask::form(place.url(&account.token_url)?, &fields).hiding(&subject);
    if let (Some(client), Some(secret)) = (&account.client_id, &account.client_secret) {
        let pair = STANDARD.encode(format!("{client}:{}", secret.expose()));
        let basic = Secret::new(format!("Basic {pair}"));
        ask = ask.secret_header("authorization", &basic)?.hiding(secret);
    }
    let token = granted(place.means, ask).await?;
    match &account.service_account_impersonation_url {
        Some(url) => impersonate(place, url, &[], &token).await,
        None => Ok(token),
    }
}

async fn subject_token(
    place: &Place<'_>,
    account: &ExternalAccount,
) -> Result<Secret, CloudProblem> {
    let source = &account.credential_source;
    if source.environment_id.is_some() {
        return aws_identity(place, account).await;
    }
    if let Some(file) = &source.file {
        let text = read(&place.means.environment.expand(file))?;
        return in_format(place, &source.format, text.expose());
    }
    if let Some(url) = &source.url {
        let mut ask = Ask::get(place.url(url)?, Reach::Usual);
        for (name, value) in &source.headers {
            let bad = "it has a header that is none";
            let name: HeaderName = name.parse().map_err(|_| place.malformed(bad))?;
            let mut text =
                HeaderValue::from_str(value.expose()).map_err(|_| place.malformed(bad))?;
            text.set_sensitive(true);
            ask.headers.insert(name, text);
            ask = ask.hiding(value);
        }
        let answered = ask.send(place.means).await?.success()?;
        return in_format(place, &source.format, &answered.text());
    }
    let what = match source.executable {
        Some(_) => "a token by an executable",
        None => "this kind of `credential_source`",
    };
    Err(CloudProblem::NotBuiltIn { what: what.to_owned() })
}

/// The token is the whole text, or a field of it.
fn in_format(place: &Place<'_>, format: &Format, text: &str) -> Result<Secret, CloudProblem> {
    let missing = || place.malformed("its `credential_source` has no token where it should");
    if format.kind.as_deref() != Some("json") {
        let text = text.trim();
        return if text.is_empty() { Err(missing()) } else { Ok(Secret::new(text)) };
    }
    let name = format.subject_token_field_name.as_deref().ok_or_else(missing)?;
    let mut fields: BTreeMap<String, serde_json::Value> =
        serde_json::from_str(text).map_err(|_| missing())?;
    match fields.remove(name) {
        Some(serde_json::Value::String(token)) if !token.is_empty() => Ok(Secret::new(token)),
        _ => Err(missing()),
    }
}

/// AWS's word for who one is: a signed request, not sent but handed to Google, who sends it.
async fn aws_identity(
    place: &Place<'_>,
    account: &ExternalAccount,
) -> Result<Secret, CloudProblem> {
    let environment = place.means.environment;
    let region = match environment.text("AWS_REGION") {
        Some(region) => region,
        None => environment.needed("AWS_DEFAULT_REGION")?,
    };
    let found = aws::find_keys(place.means, region).await.map_err(|(_, problem)| problem)?;
    let (keys, _) = found.ok_or(CloudProblem::NotSet { name: "AWS_ACCESS_KEY_ID" })?;
    let template = account.credential_source.regional_cred_verification_url.as_deref().unwrap_or(
        "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15",
    );
    let url = place.url(&template.replace("{region}", region))?;
    let mut ask = Ask::new(Method::POST, url, Reach::Usual);
    let audience = HeaderValue::from_str(&account.audience)
        .map_err(|_| place.malformed("its `audience` is not the text of a header"))?;
    ask.headers.insert(HeaderName::from_static("x-goog-cloud-target-resource"), audience);
    let scope = signature::Scope { region, service: "sts", now: environment.now() };
    let ask = signature::sign(ask, &keys, &scope)?;
    let mut headers = vec![json!({ "key": "host", "value": signature::host(&ask.url) })];
    for (name, value) in &ask.headers {
        let value = value.to_str().unwrap_or_default();
        headers.push(json!({ "key": name.as_str(), "value": value }));
    }
    let request = json!({ "url": ask.url.as_str(), "method": "POST", "headers": headers });
    let encoded: String = byte_serialize(request.to_string().as_bytes()).collect();
    // Google reads the URL's encoding, in which a blank is no plus.
    Ok(Secret::new(encoded.replace('+', "%20")))
}
