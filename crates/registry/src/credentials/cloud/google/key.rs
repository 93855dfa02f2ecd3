//! A service account's key signs for a token (RFC 7523; Google Identity documentation, "Using
//! OAuth 2.0 for Server to Server Applications").

use std::time::SystemTime;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeyPair;
use aws_lc_rs::signature::RSA_PKCS1_SHA256;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::json;

use crate::Secret;
use crate::credentials::cloud::CloudProblem;
use crate::credentials::cloud::exchange::Ask;
use crate::credentials::cloud::google::{Place, SCOPE, TOKEN_SERVICE, Token, granted};

const GRANT: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

#[derive(Deserialize)]
pub(super) struct ServiceAccount {
    client_email: String,
    private_key: Secret,
    private_key_id: Option<String>,
    token_uri: Option<String>,
}

pub(super) async fn token(
    place: &Place<'_>,
    account: &ServiceAccount,
) -> Result<Token, CloudProblem> {
    let service = account.token_uri.as_deref().unwrap_or(TOKEN_SERVICE);
    let assertion = assertion(place, account, service)?;
    let fields = [("grant_type", GRANT), ("assertion", assertion.expose())];
    let ask = Ask::form(place.url(service)?, &fields).hiding(&assertion);
    granted(place.means, ask).await
}

/// A statement that the key's holder makes for the next hour (RFC 7519).
fn assertion(
    place: &Place<'_>,
    account: &ServiceAccount,
    service: &str,
) -> Result<Secret, CloudProblem> {
    let now = place.means.environment.now().duration_since(SystemTime::UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    let mut header = json!({ "alg": "RS256", "typ": "JWT" });
    if let Some(id) = &account.private_key_id {
        header["kid"] = json!(id);
    }
    let claims = json!({
        "iss": account.client_email,
        "scope": SCOPE,
        "aud": service,
        "iat": now,
        "exp": now + 3600,
    });
    let part = |value: &serde_json::Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let statement = format!("{}.{}", part(&header), part(&claims));
    let no_key = || place.malformed("its `private_key` is not an RSA key");
    let key = private_key(account.private_key.expose()).ok_or_else(no_key)?;
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), statement.as_bytes(), &mut signature)
        .map_err(|_| no_key())?;
    Ok(Secret::new(format!("{statement}.{}", URL_SAFE_NO_PAD.encode(signature))))
}

/// Reads PEM, of PKCS#8 or of PKCS#1 (RFC 7468, RFC 8017).
fn private_key(pem: &str) -> Option<KeyPair> {
    let (_, rest) = pem.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, _) = rest.split_once("-----END ")?;
    let text: String = body.chars().filter(|c| !c.is_whitespace()).collect();
    let der = STANDARD.decode(text).ok()?;
    match label {
        "PRIVATE KEY" => KeyPair::from_pkcs8(&der).ok(),
        "RSA PRIVATE KEY" => KeyPair::from_der(&der).ok(),
        _ => None,
    }
}
