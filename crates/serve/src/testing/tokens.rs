//! The test registry's token service: distribution's GET (its token specification), OAuth2's POST,
//! and Azure's exchange of one token for another.

use std::time::Instant;

use hyper::header::{AUTHORIZATION, HeaderMap};
use hyper::{Method, StatusCode};
use serde_json::json;
use url::form_urlencoded;

use super::Shared;
use super::before::error;
use super::behaviour::{TestDoor, TokenDoor, TokenFlow};
use super::doors::is_basic;
use super::exchange::Visitor;
use super::state::Granted;
use crate::answer::Answer;

/// Where an identity token is to be had for a cloud's.
const EXCHANGE: &str = "/oauth2/exchange";

/// Who asks for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asker {
    User,
    Nobody,
}

type Fields = Vec<(String, String)>;

/// Whether a request is for the token service.
pub(super) fn is_for(door: &TestDoor, path: &str) -> bool {
    let TestDoor::Token(door) = door else { return false };
    path == door.endpoint || (path == EXCHANGE && door.cloud_token.is_some())
}

pub(super) async fn answer(shared: &Shared, visitor: &Visitor, body: &[u8]) -> Answer {
    let TestDoor::Token(door) = shared.state().behaviour.door.clone() else {
        return Answer::empty(StatusCode::NOT_FOUND);
    };
    tokio::time::sleep(door.delay).await;
    if let Some(status) = door.refusal {
        return error(status, "DENIED", "the token service refuses");
    }
    let asked = &visitor.asked;
    let (is_post, flow) = (asked.method == Method::POST, door.flow);
    let wrong_flow = if is_post { flow == TokenFlow::GetOnly } else { flow == TokenFlow::PostOnly };
    if wrong_flow {
        return error(404, "UNSUPPORTED", "this flow is not spoken here");
    }
    let fields: Fields = if is_post {
        form_urlencoded::parse(body).into_owned().collect()
    } else {
        asked.query.clone()
    };
    if asked.path == EXCHANGE {
        return exchange(&door, &fields);
    }
    match who(&door, &asked.headers, is_post, &fields) {
        Some(asker) => grant(shared, &door, asker, &fields),
        None => error(401, "UNAUTHORIZED", "incorrect username or password"),
    }
}

fn exchange(door: &TokenDoor, fields: &Fields) -> Answer {
    let right = field(fields, "grant_type").is_some_and(|kind| kind.starts_with("access_token"))
        && field(fields, "service").is_some()
        && field(fields, "access_token") == door.cloud_token.as_deref();
    if !right {
        return error(401, "UNAUTHORIZED", "the token is not one of the directory's");
    }
    Answer::json(StatusCode::OK, &json!({"refresh_token": door.identity_token}))
}

fn grant(shared: &Shared, door: &TokenDoor, asker: Asker, fields: &Fields) -> Answer {
    let scopes = fields.iter().filter(|(name, _)| name == "scope");
    let mut granted = Vec::new();
    for scope in scopes.flat_map(|(_, text)| text.split(' ')) {
        let Some((resource, actions)) = scope.rsplit_once(':') else { continue };
        let may = |action: &&str| asker == Asker::User || *action == "pull";
        granted.extend(actions.split(',').filter(may).map(|action| format!("{resource}:{action}")));
    }
    let mut state = shared.state();
    let token = state.fresh_token();
    let good_until = door.lifetime.map(|lifetime| Instant::now() + lifetime);
    state
        .tokens
        .insert(token.clone(), Granted { scopes: granted, good_until, uses_left: door.uses });
    let mut answer = json!({ door.field: token });
    if let Some(lifetime) = door.lifetime {
        answer["expires_in"] = json!(lifetime.as_secs());
    }
    let offline = field(fields, "offline_token") == Some("true")
        || field(fields, "access_type") == Some("offline");
    if let Some(identity) = door.identity_token.as_ref().filter(|_| offline) {
        answer["refresh_token"] = json!(identity);
    }
    Answer::json(StatusCode::OK, &answer)
}

/// `None` is someone to be refused.
fn who(door: &TokenDoor, headers: &HeaderMap, is_post: bool, fields: &Fields) -> Option<Asker> {
    if !is_post {
        return match headers.contains_key(AUTHORIZATION) {
            false => Some(Asker::Nobody),
            true => is_basic(headers, &door.user, &door.password).then_some(Asker::User),
        };
    }
    let right = match field(fields, "grant_type") {
        Some("password") => {
            field(fields, "username") == Some(&door.user)
                && field(fields, "password") == Some(&door.password)
        }
        _ => {
            let shown = field(fields, "refresh_token");
            shown.is_some() && shown == door.identity_token.as_deref()
        }
    };
    right.then_some(Asker::User)
}

fn field<'a>(fields: &'a Fields, name: &str) -> Option<&'a str> {
    fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}
