//! Who the test registry lets in.

use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::Method;
use hyper::header::{AUTHORIZATION, HeaderMap, HeaderValue, WWW_AUTHENTICATE};

use super::before::error;
use super::behaviour::{Account, Challenges, Repositories, TestDoor, TokenDoor};
use super::exchange::Visitor;
use super::log::Presented;
use super::state::State;
use crate::answer::Answer;
use crate::request::Asked;

/// What the request shows.
pub(super) fn presented(headers: &HeaderMap) -> Presented {
    match shown(headers) {
        Some(text) if text.starts_with("Basic ") => Presented::Basic,
        Some(_) => Presented::Bearer,
        None => Presented::Nothing,
    }
}

fn shown(headers: &HeaderMap) -> Option<&str> {
    headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok())
}

/// `None` if the request may go on.
pub(super) fn refuse(state: &mut State, visitor: &Visitor) -> Option<Answer> {
    let name = visitor.asked.route().repository().unwrap_or_default();
    let too_deep =
        state.behaviour.repositories == Repositories::TwoLevels && name.split('/').count() > 2;
    let headers = &visitor.asked.headers;
    match state.behaviour.door.clone() {
        TestDoor::Open if too_deep => Some(unauthorized(&["Basic realm=\"test\"".to_owned()])),
        TestDoor::Open => None,
        TestDoor::Basic { user, password } => {
            let right = is_basic(headers, &user, &password) && !too_deep;
            (!right).then(|| unauthorized(&["Basic realm=\"test\"".to_owned()]))
        }
        TestDoor::Accounts(accounts) => refuse_account(&accounts, headers, name),
        TestDoor::Token(door) => {
            let scopes = scopes(&visitor.asked);
            let problem = if too_deep { Some("") } else { token_problem(state, headers, &scopes) };
            problem.map(|problem| unauthorized(&challenges(&door, visitor, &scopes, problem)))
        }
    }
}

fn refuse_account(accounts: &[Account], headers: &HeaderMap, name: &str) -> Option<Answer> {
    let account = |account: &&Account| is_basic(headers, &account.user, &account.password);
    match accounts.iter().find(account) {
        None => Some(unauthorized(&["Basic realm=\"test\"".to_owned()])),
        Some(account) if name.starts_with(&account.prefix) || name.is_empty() => None,
        Some(_) => Some(error(403, "DENIED", "this user has no part in the repository")),
    }
}

/// Why a token does not do, as a challenge says it.
fn token_problem(
    state: &mut State,
    headers: &HeaderMap,
    scopes: &[String],
) -> Option<&'static str> {
    let token = shown(headers).and_then(|text| text.strip_prefix("Bearer "));
    let Some(granted) = token.and_then(|token| state.tokens.get_mut(token)) else {
        return Some("");
    };
    let spent = granted.uses_left == Some(0)
        || granted.good_until.is_some_and(|until| Instant::now() > until);
    if spent {
        return Some(",error=\"invalid_token\"");
    }
    if !scopes.iter().all(|scope| granted.scopes.contains(scope)) {
        return Some(",error=\"insufficient_scope\"");
    }
    granted.uses_left = granted.uses_left.map(|uses| uses - 1);
    None
}

fn challenges(
    door: &TokenDoor,
    visitor: &Visitor,
    scopes: &[String],
    problem: &str,
) -> Vec<String> {
    let own = || format!("{}{}", visitor.base, door.endpoint);
    let realm = door.realm.clone().unwrap_or_else(own);
    let asked = scopes.join(" ");
    let bearer = format!("Bearer realm=\"{realm}\",service=\"test\",scope=\"{asked}\"{problem}");
    match door.challenges {
        Challenges::Bearer => vec![bearer],
        Challenges::BasicThenBearer => vec![format!("Basic realm=\"{}\"", visitor.base), bearer],
    }
}

fn unauthorized(challenges: &[String]) -> Answer {
    let mut answer = error(401, "UNAUTHORIZED", "authentication required");
    for challenge in challenges {
        if let Ok(value) = HeaderValue::from_str(challenge) {
            answer.headers.append(WWW_AUTHENTICATE, value);
        }
    }
    answer
}

/// Whether a request shows this name and password.
pub(super) fn is_basic(headers: &HeaderMap, user: &str, password: &str) -> bool {
    let wanted = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    shown(headers) == Some(&wanted)
}

/// What a request needs: reading for all, writing for what changes something, and reading of the
/// other repository for a mount.
fn scopes(asked: &Asked) -> Vec<String> {
    let Some(name) = asked.route().repository() else { return Vec::new() };
    let mut scopes = vec![format!("repository:{name}:pull")];
    match asked.method {
        Method::GET | Method::HEAD => {}
        Method::DELETE if !asked.path.contains("/uploads/") => {
            scopes.push(format!("repository:{name}:delete"));
        }
        _ => scopes.push(format!("repository:{name}:push")),
    }
    if let Some(from) = asked.parameter("from") {
        scopes.push(format!("repository:{from}:pull"));
    }
    scopes
}
