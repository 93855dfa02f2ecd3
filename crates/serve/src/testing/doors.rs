//! Who the test registry lets in, and its token service.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::{AUTHORIZATION, HeaderMap, WWW_AUTHENTICATE};
use hyper::{Method, StatusCode};
use url::form_urlencoded;

use crate::testing::Shared;
use crate::testing::answers::Answer;
use crate::testing::behaviour::{TestDoor, TokenDoor};
use crate::testing::log::Presented;
use crate::testing::state::Granted;

/// What the request shows.
pub(super) fn presented(headers: &HeaderMap) -> Presented {
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    match shown {
        Some(text) if text.starts_with("Basic ") => Presented::Basic,
        Some(_) => Presented::Bearer,
        None => Presented::Nothing,
    }
}

/// `None` if the request may do all of `scopes`, each `repository:a:pull` or the like.
pub(super) fn refuse(shared: &Shared, headers: &HeaderMap, scopes: &[String]) -> Option<Answer> {
    let mut state = shared.state();
    let shown = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let unauthorized = |challenge: String| {
        let answer = Answer::error(401, "UNAUTHORIZED", "authentication required");
        Some(answer.with(WWW_AUTHENTICATE, challenge))
    };
    match state.behaviour.door.clone() {
        TestDoor::Open => None,
        TestDoor::Basic { user, password } => {
            let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            if shown == Some(&wanted) {
                return None;
            }
            unauthorized("Basic realm=\"test\"".to_owned())
        }
        TestDoor::Token(door) => {
            let asked = scopes.join(" ");
            let own = || format!("http://{}/token", shared.address);
            let realm = door.realm.unwrap_or_else(own);
            let challenge = |error: &str| {
                format!("Bearer realm=\"{realm}\",service=\"test\",scope=\"{asked}\"{error}")
            };
            let token = shown.and_then(|text| text.strip_prefix("Bearer "));
            let Some(granted) = token.and_then(|token| state.tokens.get_mut(token)) else {
                return unauthorized(challenge(""));
            };
            let spent = granted.uses_left == Some(0)
                || granted.good_until.is_some_and(|until| Instant::now() > until);
            if spent {
                return unauthorized(challenge(",error=\"invalid_token\""));
            }
            if !scopes.iter().all(|scope| granted.scopes.contains(scope)) {
                return unauthorized(challenge(",error=\"insufficient_scope\""));
            }
            granted.uses_left = granted.uses_left.map(|uses| uses - 1);
            None
        }
    }
}

/// Answers at `/token`.
pub(super) async fn token(
    shared: &Shared,
    method: &Method,
    headers: &HeaderMap,
    query: &str,
    body: &[u8],
) -> Answer {
    let TestDoor::Token(door) = shared.state().behaviour.door.clone() else {
        return Answer::empty(StatusCode::NOT_FOUND);
    };
    tokio::time::sleep(door.delay).await;
    let form = if *method == Method::POST { body } else { query.as_bytes() };
    let fields: Vec<(String, String)> = form_urlencoded::parse(form).into_owned().collect();
    let Some(known) = knows(&door, method, headers, &fields) else {
        return Answer::error(401, "UNAUTHORIZED", "incorrect username or password");
    };
    let scopes = fields.iter().filter(|(name, _)| name == "scope");
    let mut granted = Vec::new();
    for scope in scopes.flat_map(|(_, text)| text.split(' ')) {
        let Some((resource, actions)) = scope.rsplit_once(':') else { continue };
        for action in actions.split(',').filter(|action| known || *action == "pull") {
            granted.push(format!("{resource}:{action}"));
        }
    }
    let mut state = shared.state();
    let token = state.fresh_name("SECRET-TOKEN");
    let good_until = door.lifetime.map(|lifetime| Instant::now() + lifetime);
    state
        .tokens
        .insert(token.clone(), Granted { scopes: granted, good_until, uses_left: door.uses });
    let mut answer = serde_json::json!({ door.field: token });
    if let Some(lifetime) = door.lifetime {
        answer["expires_in"] = serde_json::json!(lifetime.as_secs());
    }
    Answer::json(StatusCode::OK, &answer)
}

/// Whether it is the user (`true`), nobody in particular (`false`), or someone to be refused.
fn knows(
    door: &TokenDoor,
    method: &Method,
    headers: &HeaderMap,
    fields: &[(String, String)],
) -> Option<bool> {
    if *method == Method::POST {
        let shown = fields.iter().find(|(name, _)| name == "refresh_token");
        let (_, shown) = shown?;
        return (door.identity_token.as_ref() == Some(shown)).then_some(true);
    }
    let Some(shown) = headers.get(AUTHORIZATION) else { return Some(false) };
    let user = STANDARD.encode(format!("{}:{}", door.user, door.password));
    (shown.to_str().ok()? == format!("Basic {user}")).then_some(true)
}
