//! Upload sessions of the test registry (distribution-spec 1.1, "Pushing blobs").

use bytes::Bytes;
use hyper::header::{CONTENT_RANGE, HeaderName, LOCATION, RANGE};
use hyper::{Method, StatusCode};
use oci::Digest;

use crate::testing::Shared;
use crate::testing::answers::Answer;
use crate::testing::behaviour::{Locations, Mounts, Resumptions};
use crate::testing::routes::Asked;
use crate::testing::state::{Session, State};

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");
const UPLOAD_ID: HeaderName = HeaderName::from_static("docker-upload-uuid");

/// POST to `blobs/uploads/`: a mount, or a new session.
pub(super) fn open(shared: &Shared, name: &str, asked: &Asked) -> Answer {
    if asked.method != Method::POST {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let mut state = shared.state();
    if let (Some(digest), Some(from)) = (asked.parameter("mount"), asked.parameter("from")) {
        let mounts = state.behaviour.mounts;
        match mounts {
            Mounts::Refused => return Answer::error(405, "UNSUPPORTED", "no mounts here"),
            Mounts::Honoured if let Some(answer) = mount(&mut state, name, from, digest) => {
                return answer;
            }
            Mounts::Honoured | Mounts::OpenSession => {}
        }
    }
    let id = state.fresh_name("session");
    state.repository(name);
    state.sessions.insert(id.clone(), Session { repository: name.to_owned(), bytes: Vec::new() });
    Answer::empty(StatusCode::ACCEPTED)
        .with(LOCATION, location(shared, &state, name, &id))
        .with(UPLOAD_ID, id)
        .with(RANGE, "0-0")
}

fn mount(state: &mut State, name: &str, from: &str, digest: &str) -> Option<Answer> {
    let digest: Digest = digest.parse().ok()?;
    let bytes = state.repositories.get(from)?.blobs.get(&digest)?.clone();
    state.repository(name).blobs.insert(digest, bytes);
    Some(created(name, digest))
}

/// GET, PATCH, PUT and DELETE of a session.
pub(super) fn proceed(shared: &Shared, name: &str, id: &str, asked: &Asked) -> Answer {
    let mut state = shared.state();
    let unknown = || Answer::error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry");
    let queried = state.behaviour.locations == Locations::AbsoluteWithQuery;
    let known = state.sessions.get(id).is_some_and(|session| session.repository == name);
    if !known || (queried && asked.parameter("_state") != Some("SECRET-STATE")) {
        return unknown();
    }
    match asked.method.as_str() {
        "GET" => stand(shared, &state, name, id, StatusCode::NO_CONTENT),
        "DELETE" => {
            state.sessions.remove(id);
            Answer::empty(StatusCode::NO_CONTENT)
        }
        "PATCH" => match append(&mut state, id, asked) {
            Some(refusal) => refusal,
            None => stand(shared, &state, name, id, StatusCode::ACCEPTED),
        },
        "PUT" => match append(&mut state, id, asked) {
            Some(refusal) => refusal,
            None => finish(&mut state, name, id, asked),
        },
        _ => Answer::empty(StatusCode::METHOD_NOT_ALLOWED),
    }
}

/// Keeps what came of a body that broke off, or gives the session up.
pub(super) fn keep(shared: &Shared, id: &str, bytes: &Bytes) {
    let mut state = shared.state();
    if state.behaviour.resumptions == Resumptions::Lost {
        state.sessions.remove(id);
    }
    if let Some(session) = state.sessions.get_mut(id) {
        session.bytes.extend_from_slice(bytes);
    }
}

/// Takes the body in; the answer if it does not follow what is there.
fn append(state: &mut State, id: &str, asked: &Asked) -> Option<Answer> {
    let session = state.sessions.get_mut(id)?;
    if let Some(range) = asked.header(CONTENT_RANGE) {
        let expected = session.bytes.len();
        let first = range.split('-').next().and_then(|first| first.parse::<usize>().ok());
        if first != Some(expected) {
            return Some(Answer::error(416, "BLOB_UPLOAD_INVALID", "out of order"));
        }
    }
    session.bytes.extend_from_slice(&asked.body);
    None
}

fn stand(shared: &Shared, state: &State, name: &str, id: &str, status: StatusCode) -> Answer {
    let size = state.sessions.get(id).map_or(0, |session| session.bytes.len());
    Answer::empty(status)
        .with(LOCATION, location(shared, state, name, id))
        .with(RANGE, format!("0-{}", size.saturating_sub(1)))
}

fn finish(state: &mut State, name: &str, id: &str, asked: &Asked) -> Answer {
    let invalid = || Answer::error(400, "DIGEST_INVALID", "provided digest did not match content");
    let Some(digest) = asked.parameter("digest").and_then(|text| text.parse::<Digest>().ok())
    else {
        return invalid();
    };
    let Some(session) = state.sessions.remove(id) else { return invalid() };
    let mut digester = oci::Digester::new(digest.algorithm());
    digester.update(&session.bytes);
    if digester.finish() != digest {
        return invalid();
    }
    state.repository(name).blobs.insert(digest, Bytes::from(session.bytes));
    created(name, digest)
}

fn created(name: &str, digest: Digest) -> Answer {
    Answer::empty(StatusCode::CREATED)
        .with(LOCATION, format!("/v2/{name}/blobs/{digest}"))
        .with(CONTENT_DIGEST, digest.to_string())
}

fn location(shared: &Shared, state: &State, name: &str, id: &str) -> String {
    let path = format!("/v2/{name}/blobs/uploads/{id}");
    match state.behaviour.locations {
        Locations::AbsoluteWithQuery => {
            format!("http://{}{path}?_state=SECRET-STATE", shared.address)
        }
        Locations::Relative => path,
    }
}
