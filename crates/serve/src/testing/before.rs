//! Peculiarities that show before the registry sees a request: it is refused, or becomes another.

use hyper::header::{CONTENT_LENGTH, CONTENT_RANGE, COOKIE, RANGE, TRANSFER_ENCODING};
use hyper::{Method, StatusCode};
use oci::Digest;
use serde_json::json;

use super::Shared;
use super::behaviour::{
    Chunks, Cookies, Downloads, HeadAnswers, Locations, Mounts, Pages, Puts, Referrers,
    Repositories, Resumptions, SinglePosts, TagRule,
};
use super::state::State;
use crate::answer::Answer;
use crate::request::Asked;
use crate::route::Route;

/// The query that a registry of this kind wants back.
pub(super) const SESSION_STATE: (&str, &str) = ("_state", "SECRET-STATE");

/// What becomes of a request.
pub(super) enum Verdict {
    /// The registry answers it, as it is now.
    Pass,
    /// The registry answers it, and its body is dropped.
    PassWithoutBody,
    /// This is the answer.
    Refuse(Answer),
}

/// An error as the specification writes it.
pub(super) fn error(status: u16, code: &str, message: &str) -> Answer {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    Answer::json(status, &json!({"errors": [{"code": code, "message": message}]}))
}

fn refuse(status: u16, code: &str, message: &str) -> Verdict {
    Verdict::Refuse(error(status, code, message))
}

pub(super) fn before(shared: &Shared, asked: &mut Asked) -> Verdict {
    let mut state = shared.state();
    if let Some(refusal) = general(shared, &mut state, asked) {
        return refusal;
    }
    let path = asked.path.clone();
    match Route::of(&path) {
        Route::Uploads(_) if asked.method == Method::POST => upload(shared, &state, asked),
        Route::Session(_, id) => session(&mut state, id, asked),
        Route::Blob(..) => {
            if state.behaviour.downloads == Downloads::WholeOnly {
                asked.headers.remove(RANGE);
            }
            Verdict::Pass
        }
        Route::Manifest(name, reference) => manifest(shared, &mut state, name, reference, asked),
        Route::Tags(_) => {
            if state.behaviour.pages == Pages::Short {
                shorten(asked);
            }
            Verdict::Pass
        }
        Route::Referrers(..) if state.behaviour.referrers == Referrers::Unknown => {
            Verdict::Refuse(Answer::empty(StatusCode::NOT_FOUND))
        }
        _ => Verdict::Pass,
    }
}

/// What does not depend on the endpoint.
fn general(shared: &Shared, state: &mut State, asked: &Asked) -> Option<Verdict> {
    let reads = matches!(asked.method, Method::GET | Method::HEAD);
    let behaviour = &state.behaviour;
    if behaviour.cookies == Cookies::Held && !reads && asked.headers.contains_key(COOKIE) {
        return Some(refuse(403, "FORBIDDEN", "CSRF token not found in request"));
    }
    if behaviour.heads == HeadAnswers::Refused && asked.method == Method::HEAD {
        return Some(refuse(405, "UNSUPPORTED", "no HEAD here"));
    }
    if let (Repositories::MadeBefore(made), Some(name)) =
        (&behaviour.repositories, asked.route().repository())
        && !reads
        && !made.iter().any(|made| made == name)
        && !exists(shared, name)
    {
        let message = format!("The repository with name '{name}' does not exist in the registry");
        return Some(refuse(404, "NAME_UNKNOWN", &message));
    }
    None
}

fn exists(shared: &Shared, name: &str) -> bool {
    let Ok(name) = name.parse() else { return false };
    shared.registry.storage.index(&name).is_ok_and(|index| index.is_some())
}

/// POST to `blobs/uploads/`.
fn upload(shared: &Shared, state: &State, asked: &mut Asked) -> Verdict {
    if asked.parameter("mount").is_some() {
        let from = asked.parameter("from").map(str::to_owned);
        let mut no_mount = || asked.query.retain(|(name, _)| name != "mount" && name != "from");
        match (state.behaviour.mounts, from) {
            (Mounts::Refused, _) => return refuse(405, "UNSUPPORTED", "no mounts here"),
            (Mounts::OpenSession, _) | (Mounts::NamedOnly, None) => no_mount(),
            (Mounts::NamelessFails, None) => {
                return refuse(400, "BLOB_UPLOAD_INVALID", "`from` is missing");
            }
            (Mounts::ForeignFails(status), Some(from)) if !exists(shared, &from) => {
                return refuse(status, "UNKNOWN", "unknown error");
            }
            _ => {}
        }
    }
    if state.behaviour.posts == SinglePosts::OpenSession && asked.parameter("digest").is_some() {
        asked.query.retain(|(name, _)| name != "digest");
        return Verdict::PassWithoutBody;
    }
    Verdict::Pass
}

/// GET, PATCH, PUT and DELETE of an upload session.
fn session(state: &mut State, id: &str, asked: &mut Asked) -> Verdict {
    let behaviour = &state.behaviour;
    let unknown = || refuse(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    let (name, value) = SESSION_STATE;
    let queried = behaviour.locations != Locations::Relative;
    if queried && asked.parameter(name) != Some(value) {
        return unknown();
    }
    let ranged = asked.headers.contains_key(CONTENT_RANGE);
    match asked.method {
        Method::GET if behaviour.resumptions == Resumptions::Untold => unknown(),
        Method::PATCH => chunk(state, id, asked),
        Method::PUT => match behaviour.puts {
            Puts::BodyWithoutRange if ranged => {
                refuse(416, "BLOB_UPLOAD_INVALID", "a whole upload has no content range")
            }
            Puts::Nothing if has_body(asked) => {
                refuse(405, "UNSUPPORTED", "the bytes have to come by PATCH")
            }
            _ => Verdict::Pass,
        },
        _ => Verdict::Pass,
    }
}

fn has_body(asked: &Asked) -> bool {
    asked.headers.contains_key(TRANSFER_ENCODING) || length(asked).is_some_and(|length| length > 0)
}

pub(super) fn length(asked: &Asked) -> Option<u64> {
    asked.header(CONTENT_LENGTH)?.parse().ok()
}

fn chunk(state: &mut State, id: &str, asked: &mut Asked) -> Verdict {
    let seen = state.patches.entry(id.to_owned()).or_default();
    *seen += 1;
    let is_first = *seen == 1;
    match state.behaviour.chunks {
        Chunks::Refused => refuse(405, "UNSUPPORTED", "no chunks here"),
        Chunks::FirstOnly if !is_first => {
            asked.headers.remove(CONTENT_RANGE);
            Verdict::PassWithoutBody
        }
        Chunks::OneStream if !is_first || asked.headers.contains_key(CONTENT_RANGE) => {
            refuse(400, "UNSUPPORTED", "chunked uploads are not supported")
        }
        Chunks::AtLeast(least) => {
            if state.short.contains(id) {
                return refuse(416, "BLOB_UPLOAD_INVALID", "an earlier chunk was too small");
            }
            if length(asked).is_some_and(|length| length < least) {
                state.short.insert(id.to_owned());
            }
            Verdict::Pass
        }
        _ => Verdict::Pass,
    }
}

fn manifest(
    shared: &Shared,
    state: &mut State,
    name: &str,
    reference: &str,
    asked: &Asked,
) -> Verdict {
    let is_tag = reference.parse::<Digest>().is_err();
    if asked.method == Method::PUT && is_tag && state.behaviour.tags == TagRule::Immutable {
        let index = name.parse().ok().and_then(|name| shared.registry.storage.index(&name).ok());
        if index.flatten().is_some_and(|index| index.tagged(reference).is_some()) {
            let message = format!(
                "The image tag '{reference}' already exists in the '{name}' repository and cannot \
                 be overwritten because the tag is immutable."
            );
            return refuse(400, "TAG_INVALID", &message);
        }
    }
    let spent = state.behaviour.quota.is_some_and(|quota| state.pulls >= quota.pulls);
    if asked.method == Method::GET && spent {
        let message = "You have reached your pull rate limit.";
        return refuse(429, "TOOMANYREQUESTS", message);
    }
    Verdict::Pass
}

/// Three tags a page, at most.
fn shorten(asked: &mut Asked) {
    const SHORT: usize = 3;
    let wanted = asked.parameter("n").map(|text| text.parse::<usize>());
    let Ok(wanted) = wanted.transpose() else { return };
    let most = wanted.unwrap_or(SHORT).min(SHORT);
    asked.query.retain(|(name, _)| name != "n");
    asked.query.push(("n".to_owned(), most.to_string()));
}
