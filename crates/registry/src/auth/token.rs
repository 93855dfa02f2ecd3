//! Tokens: how one is had from a token service, and how long it is good
//! (distribution `docs/spec/auth/token.md` and `oauth.md`).

use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, StatusCode};
use serde::Deserialize;
use tokio::time::{Instant, sleep};
use url::Url;
use url::form_urlencoded::Serializer;

use crate::auth::challenge::TokenService;
use crate::auth::scope::ScopeSet;
use crate::auth::{basic, bearer};
use crate::credentials::Credential;
use crate::retry::{Backoff, RetryPolicy, is_passing, retry_after};
use crate::wire::{Payload, Reply, Wire};
use crate::{AnswerProblem, Error, PublicUrl, Result, Secret};

/// How long a token is good whose service does not say it (token.md, "expires_in").
const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);
/// The most that a token service's answer may have.
const MAX_ANSWER_BYTES: u64 = 1024 * 1024;

/// An access token, as the header that carries it.
pub(super) struct Token {
    pub(super) header: HeaderValue,
    good_until: Instant,
}

impl Token {
    pub(super) fn is_good(&self) -> bool {
        Instant::now() < self.good_until
    }
}

/// What a service gave.
pub(super) struct Fetched {
    pub(super) token: Token,
    /// An identity token for the next time.
    pub(super) identity_token: Option<Secret>,
}

/// Asks the service for a token with these scopes.
pub(super) async fn fetch(
    wire: &Wire,
    policy: RetryPolicy,
    service: &TokenService,
    scopes: &ScopeSet,
    credential: Option<&Credential>,
) -> Result<Fetched> {
    if credential.is_some() && !wire.may_carry_credentials(&service.realm) {
        return Err(Error::PlainCredential { url: PublicUrl::from(&service.realm) });
    }
    let mut wish = match credential {
        Some(Credential::IdentityToken(token)) => refresh(service, scopes, token),
        Some(Credential::Password { user, password }) => {
            ask(service, scopes, Some((user, password)))
        }
        // Whoever holds an access token needs none.
        Some(Credential::AccessToken(_)) | None => ask(service, scopes, None),
    };
    let mut backoff = Backoff::new(policy);
    loop {
        // A token's life starts when it is asked for: what the way takes is lost.
        let asked = Instant::now();
        let sent =
            wire.exchange(&wish.method, &wish.url, wish.headers.clone(), &wish.payload).await;
        let (failure, pause) = match sent {
            Ok(reply) if reply.status() == StatusCode::OK => return read(reply, asked).await,
            Ok(reply) if is_passing(reply.status()) => {
                let pause = retry_after(reply.headers());
                (reply.refusal().await, pause)
            }
            // Some services know the way of OAuth2 only.
            Ok(reply) if wish.method == Method::GET && knows_no_way(reply.status()) => {
                let Some(Credential::Password { user, password }) = credential else {
                    return Err(reply.refusal().await);
                };
                wish = log_in(service, scopes, user, password);
                continue;
            }
            Ok(reply) => return Err(reply.refusal().await),
            Err(error) => (error, None),
        };
        match backoff.next_wait(pause) {
            Some(wait) => sleep(wait).await,
            None => return Err(failure),
        }
    }
}

struct Wish {
    method: Method,
    url: Url,
    headers: HeaderMap,
    payload: Payload,
}

/// token.md: GET, the user's name and password as Basic, a `scope` for each scope.
fn ask(service: &TokenService, scopes: &ScopeSet, user: Option<(&String, &Secret)>) -> Wish {
    let mut url = service.realm.clone();
    {
        let mut query = url.query_pairs_mut();
        if let Some(name) = &service.service {
            query.append_pair("service", name);
        }
        for scope in scopes.texts() {
            query.append_pair("scope", &scope);
        }
        if let Some((user, _)) = user {
            query.append_pair("account", user);
        }
    }
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    if let Some((user, password)) = user {
        headers.insert(AUTHORIZATION, basic(user, password));
    }
    Wish { method: Method::GET, url, headers, payload: Payload::Empty }
}

/// Whether an answer says that nothing is asked by this method here.
fn knows_no_way(status: StatusCode) -> bool {
    matches!(status, StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED)
}

/// oauth.md, "grant_type": for the holder of an identity token.
fn refresh(service: &TokenService, scopes: &ScopeSet, token: &Secret) -> Wish {
    let grant = [("grant_type", "refresh_token"), ("refresh_token", token.expose())];
    form(service, scopes, &grant)
}

/// oauth.md, "grant_type": for a user.
fn log_in(service: &TokenService, scopes: &ScopeSet, user: &str, password: &Secret) -> Wish {
    let grant = [("grant_type", "password"), ("username", user), ("password", password.expose())];
    form(service, scopes, &grant)
}

/// oauth.md: POST of a form, the scopes in one field, apart by blanks.
fn form(service: &TokenService, scopes: &ScopeSet, grant: &[(&str, &str)]) -> Wish {
    let mut form = Serializer::new(String::new());
    form.extend_pairs(grant)
        .append_pair("service", service.service.as_deref().unwrap_or_default())
        .append_pair("client_id", "plywood")
        .append_pair("scope", &scopes.to_string());
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
    headers.insert(CONTENT_TYPE, form_type);
    let payload = Payload::Bytes(Bytes::from(form.finish()));
    Wish { method: Method::POST, url: service.realm.clone(), headers, payload }
}

async fn read(mut reply: Reply, asked: Instant) -> Result<Fetched> {
    #[derive(Deserialize)]
    struct Answer {
        token: Option<Secret>,
        access_token: Option<Secret>,
        refresh_token: Option<Secret>,
        expires_in: Option<f64>,
    }
    let Some(body) = reply.body(MAX_ANSWER_BYTES).await? else {
        return Err(reply.bad(AnswerProblem::TooLarge(MAX_ANSWER_BYTES)));
    };
    // serde's message could quote the token; its place says enough.
    let answer: Answer = serde_json::from_slice(&body).map_err(|error| {
        let place = format!("line {} column {}", error.line(), error.column());
        reply.bad(AnswerProblem::Json(place))
    })?;
    let filled = |secret: &Secret| !secret.expose().is_empty();
    let token = answer.token.filter(filled).or(answer.access_token.filter(filled));
    let header = token.as_ref().and_then(bearer);
    let header = header.ok_or_else(|| reply.bad(AnswerProblem::NoToken))?;
    let told = answer.expires_in.filter(|seconds| (1.0..1e9).contains(seconds));
    let lifetime = told.map_or(DEFAULT_LIFETIME, Duration::from_secs_f64);
    // Renewed a little early, so that it does not run out on its way.
    let margin = (lifetime / 10).min(Duration::from_secs(15));
    let token = Token { header, good_until: asked + lifetime - margin };
    Ok(Fetched { token, identity_token: answer.refresh_token.filter(filled) })
}
