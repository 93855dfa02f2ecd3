//! From a request to an answer: the distribution specification's endpoints.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::header::{
    CONTENT_RANGE, CONTENT_TYPE, HeaderMap, HeaderName, LOCATION, RANGE, RETRY_AFTER,
    TRANSFER_ENCODING,
};
use hyper::{Method, Request, Response, StatusCode};
use oci::{Digest, Manifest, MediaType};

use crate::testing::answers::{Answer, Body, oversized};
use crate::testing::behaviour::{BadManifest, Downloads, Effect, HeadAnswers, TagRule};
use crate::testing::log::Recorded;
use crate::testing::{Shared, doors, uploads};

const CONTENT_DIGEST: HeaderName = HeaderName::from_static("docker-content-digest");

/// A request whose body has been read, as far as it came.
pub(super) struct Asked {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Asked {
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn header(&self, name: HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    fn is_head(&self) -> bool {
        self.method == Method::HEAD
    }
}

/// Where a path leads.
enum Route<'a> {
    Base,
    Token,
    Uploads(&'a str),
    Session(&'a str, &'a str),
    Blob(&'a str, &'a str),
    Manifest(&'a str, &'a str),
    Tags(&'a str),
    Referrers(&'a str, &'a str),
    Unknown,
}

/// Answers, or closes the connection by an error.
pub(super) async fn answer(
    shared: &Shared,
    request: Request<Incoming>,
) -> Result<Response<Body>, io::Error> {
    let (head, body) = request.into_parts();
    let target = head.uri.to_string();
    let fault = shared.state().fault(head.method.as_str(), &target).map(|fault| fault.effect);
    let query_text = head.uri.query().unwrap_or_default().to_owned();
    let query = url::form_urlencoded::parse(query_text.as_bytes()).into_owned().collect();
    let limit = match &fault {
        Some(Effect::ResetUpload { after }) => *after,
        _ => u64::MAX,
    };
    let body = read(body, limit).await;
    let path = head.uri.path().to_owned();
    let asked = Asked { method: head.method, path, query, headers: head.headers, body };
    let answered = respond(shared, &asked, &query_text, fault.as_ref()).await;
    record(shared, &asked, query_text, answered.as_ref().ok().map(|answer| answer.status()));
    answered
}

async fn respond(
    shared: &Shared,
    asked: &Asked,
    query: &str,
    fault: Option<&Effect>,
) -> Result<Response<Body>, io::Error> {
    let closed = || Err(io::Error::from(io::ErrorKind::ConnectionReset));
    match fault {
        Some(Effect::Status { code, retry_after }) => {
            let mut answer = Answer::error(*code, "UNAVAILABLE", "as the test wants it");
            if let Some(text) = retry_after {
                answer = answer.with(RETRY_AFTER, text);
            }
            return Ok(answer.finish(&asked.method, None));
        }
        Some(Effect::Reset) => return closed(),
        Some(Effect::ResetUpload { .. }) => {
            if let Route::Session(_, id) = route(&asked.path) {
                uploads::keep(shared, id, &asked.body);
            }
            return closed();
        }
        Some(Effect::Stall(time)) => tokio::time::sleep(*time).await,
        _ => {}
    }
    if let Route::Token = route(&asked.path) {
        let answer = doors::token(shared, &asked.method, &asked.headers, query, &asked.body).await;
        return Ok(answer.finish(&asked.method, fault));
    }
    if let Some(refusal) = doors::refuse(shared, &asked.headers, &scopes(asked)) {
        return Ok(refusal.finish(&asked.method, None));
    }
    if let Some(response) = oversized_manifest(shared, asked) {
        return Ok(response);
    }
    Ok(route_on(shared, asked).finish(&asked.method, fault))
}

fn route_on(shared: &Shared, asked: &Asked) -> Answer {
    match route(&asked.path) {
        Route::Base => Answer::json(StatusCode::OK, &serde_json::json!({})),
        Route::Uploads(name) => uploads::open(shared, name, asked),
        Route::Session(name, id) => uploads::proceed(shared, name, id, asked),
        Route::Blob(name, digest) => blob(shared, name, digest, asked),
        Route::Manifest(name, reference) if asked.method == Method::PUT => {
            put_manifest(shared, name, reference, asked)
        }
        Route::Manifest(name, reference) => manifest(shared, name, reference, asked),
        Route::Tags(name) => tags(shared, name, asked),
        Route::Referrers(name, digest) => referrers(shared, name, digest),
        Route::Token | Route::Unknown => Answer::empty(StatusCode::NOT_FOUND),
    }
}

fn route(path: &str) -> Route<'_> {
    if path == "/token" {
        return Route::Token;
    }
    let Some(rest) = path.strip_prefix("/v2/") else { return Route::Unknown };
    if rest.is_empty() {
        return Route::Base;
    }
    if let Some((name, id)) = rest.rsplit_once("/blobs/uploads/") {
        return if id.is_empty() { Route::Uploads(name) } else { Route::Session(name, id) };
    }
    if let Some((name, digest)) = rest.rsplit_once("/blobs/") {
        return Route::Blob(name, digest);
    }
    if let Some((name, reference)) = rest.rsplit_once("/manifests/") {
        return Route::Manifest(name, reference);
    }
    if let Some((name, digest)) = rest.rsplit_once("/referrers/") {
        return Route::Referrers(name, digest);
    }
    rest.strip_suffix("/tags/list").map_or(Route::Unknown, Route::Tags)
}

/// What a request needs: reading for all, writing for what changes something, and reading of the
/// other repository for a mount.
fn scopes(asked: &Asked) -> Vec<String> {
    let name = match route(&asked.path) {
        Route::Uploads(name)
        | Route::Session(name, _)
        | Route::Blob(name, _)
        | Route::Manifest(name, _)
        | Route::Tags(name)
        | Route::Referrers(name, _) => name,
        Route::Base | Route::Token | Route::Unknown => return Vec::new(),
    };
    let mut scopes = vec![format!("repository:{name}:pull")];
    match asked.method.as_str() {
        "GET" | "HEAD" => {}
        "DELETE" if !asked.path.contains("/uploads/") => {
            scopes.push(format!("repository:{name}:delete"));
        }
        _ => scopes.push(format!("repository:{name}:push")),
    }
    if let Some(from) = asked.parameter("from") {
        scopes.push(format!("repository:{from}:pull"));
    }
    scopes
}

fn blob(shared: &Shared, name: &str, digest: &str, asked: &Asked) -> Answer {
    let state = shared.state();
    let unknown = || Answer::error(404, "BLOB_UNKNOWN", "blob unknown to registry");
    let Ok(digest) = digest.parse::<Digest>() else { return unknown() };
    if asked.is_head() && state.behaviour.heads == HeadAnswers::Refused {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let found = state.repositories.get(name).and_then(|repository| repository.blobs.get(&digest));
    let Some(bytes) = found else {
        let lies = asked.is_head() && state.behaviour.heads == HeadAnswers::EveryBlobExists;
        return if lies { Answer::empty(StatusCode::OK) } else { unknown() };
    };
    if let Downloads::RedirectTo(base) = &state.behaviour.downloads
        && !asked.is_head()
    {
        let to = format!("{base}{}?signature=SECRET-SIGNATURE", asked.path);
        return Answer::empty(StatusCode::TEMPORARY_REDIRECT).with(LOCATION, to);
    }
    let answer = Answer { status: StatusCode::OK, headers: Vec::new(), body: bytes.clone() }
        .with(CONTENT_TYPE, "application/octet-stream")
        .with(CONTENT_DIGEST, digest.to_string());
    match asked.header(RANGE) {
        Some(range) if state.behaviour.downloads != Downloads::WholeOnly => part(answer, range),
        _ => answer,
    }
}

/// `bytes=FIRST-` (RFC 9110, 14.1.2), which is all that is asked for here.
fn part(mut answer: Answer, range: &str) -> Answer {
    let first = range.strip_prefix("bytes=").and_then(|rest| rest.strip_suffix('-'));
    let first = first.and_then(|first| first.parse::<usize>().ok());
    let size = answer.body.len();
    match first {
        Some(first) if first < size => {
            answer.body = answer.body.slice(first..);
            answer.status = StatusCode::PARTIAL_CONTENT;
            answer.with(CONTENT_RANGE, format!("bytes {first}-{}/{size}", size - 1))
        }
        _ => Answer::empty(StatusCode::RANGE_NOT_SATISFIABLE),
    }
}

fn manifest(shared: &Shared, name: &str, reference: &str, asked: &Asked) -> Answer {
    let mut state = shared.state();
    let heads = state.behaviour.heads;
    if asked.is_head() && heads == HeadAnswers::Refused {
        return Answer::empty(StatusCode::METHOD_NOT_ALLOWED);
    }
    let corrupt = state.behaviour.manifests == BadManifest::Corrupt;
    let repository = state.repository(name);
    let Some((digest, stored)) = repository.manifest(reference) else {
        return Answer::error(404, "MANIFEST_UNKNOWN", "manifest unknown");
    };
    if asked.method == Method::DELETE {
        repository.manifests.remove(&digest);
        repository.tags.retain(|_, named| *named != digest);
        return Answer::empty(StatusCode::ACCEPTED);
    }
    let mut body = stored.bytes;
    if corrupt {
        // Still a manifest, so that only its digest tells.
        body = Bytes::from([b" ", body.as_ref()].concat());
    }
    let answer = Answer { status: StatusCode::OK, headers: Vec::new(), body };
    let answer = answer.with(CONTENT_TYPE, stored.media_type);
    match heads {
        HeadAnswers::NoDigest => answer,
        _ => answer.with(CONTENT_DIGEST, digest.to_string()),
    }
}

fn oversized_manifest(shared: &Shared, asked: &Asked) -> Option<Response<Body>> {
    let Route::Manifest(name, reference) = route(&asked.path) else { return None };
    let mut state = shared.state();
    let meant = state.behaviour.manifests == BadManifest::Oversized && asked.method == Method::GET;
    let (_, stored) = meant.then(|| state.repository(name).manifest(reference)).flatten()?;
    Some(oversized(&stored.bytes, &stored.media_type))
}

fn put_manifest(shared: &Shared, name: &str, reference: &str, asked: &Asked) -> Answer {
    let mut state = shared.state();
    let immutable = state.behaviour.tags == TagRule::Immutable;
    let repository = state.repository(name);
    let invalid = |message: &str| Answer::error(400, "MANIFEST_INVALID", message);
    let stated = MediaType::from(asked.header(CONTENT_TYPE).unwrap_or_default());
    let manifest = match Manifest::parse(asked.body.to_vec(), Some(&stated)) {
        Ok(manifest) => manifest,
        Err(error) => return invalid(&error.to_string()),
    };
    let digest = manifest.digest();
    let tag = match reference.parse::<Digest>() {
        Ok(wanted) if wanted != digest => return invalid("the digest is another"),
        Ok(_) => None,
        Err(_) => Some(reference),
    };
    if let Some(missing) = missing_part(repository, &manifest) {
        let errors = serde_json::json!({"errors": [{
            "code": "MANIFEST_BLOB_UNKNOWN",
            "message": "blob unknown to registry",
            "detail": {"digest": missing.to_string()},
        }]});
        return Answer::json(StatusCode::BAD_REQUEST, &errors);
    }
    if immutable && tag.is_some_and(|tag| repository.tags.contains_key(tag)) {
        return Answer::error(400, "TAG_INVALID", "the tag exists already and is immutable");
    }
    repository.put_manifest(digest, stated.to_string(), asked.body.clone(), tag);
    Answer::empty(StatusCode::CREATED)
        .with(LOCATION, asked.path.clone())
        .with(CONTENT_DIGEST, digest.to_string())
}

fn missing_part(
    repository: &crate::testing::state::Repository,
    manifest: &Manifest,
) -> Option<Digest> {
    match manifest {
        Manifest::Image(image) => {
            let mut blobs = std::iter::once(image.config()).chain(image.layers());
            let missing = blobs.find(|blob| !repository.blobs.contains_key(&blob.digest));
            missing.map(|blob| blob.digest)
        }
        Manifest::Index(index) => {
            let mut entries = index.manifests().iter();
            let missing = entries.find(|entry| !repository.manifests.contains_key(&entry.digest));
            missing.map(|entry| entry.digest)
        }
    }
}

/// A few tags a page, so that whoever lists them has to turn pages.
fn tags(shared: &Shared, name: &str, asked: &Asked) -> Answer {
    const PAGE: usize = 3;
    let state = shared.state();
    let Some(repository) = state.repositories.get(name) else {
        return Answer::error(404, "NAME_UNKNOWN", "repository name not known to registry");
    };
    let last = asked.parameter("last").unwrap_or_default();
    let mut rest = repository.tags.keys().filter(|tag| tag.as_str() > last);
    let page: Vec<&String> = rest.by_ref().take(PAGE).collect();
    let answer = Answer::json(StatusCode::OK, &serde_json::json!({"name": name, "tags": page}));
    match (page.last(), rest.next()) {
        (Some(last), Some(_)) => {
            let next = format!("</v2/{name}/tags/list?last={last}>; rel=\"next\"");
            answer.with(hyper::header::LINK, next)
        }
        _ => answer,
    }
}

fn referrers(shared: &Shared, name: &str, digest: &str) -> Answer {
    let state = shared.state();
    let mut found = Vec::new();
    if let Some(repository) = state.repositories.get(name) {
        for stored in repository.manifests.values() {
            let media_type = MediaType::from(stored.media_type.as_str());
            let Ok(manifest) = Manifest::parse(stored.bytes.to_vec(), Some(&media_type)) else {
                continue;
            };
            let Manifest::Image(image) = &manifest else { continue };
            if image.subject().is_some_and(|subject| subject.digest.to_string() == digest) {
                found.push(manifest.descriptor());
            }
        }
    }
    let index = oci::ImageIndex::new(found, std::collections::BTreeMap::new());
    let answer = Answer {
        status: StatusCode::OK,
        headers: Vec::new(),
        body: Bytes::copy_from_slice(index.bytes()),
    };
    answer.with(CONTENT_TYPE, index.media_type().to_string())
}

async fn read(mut body: Incoming, limit: u64) -> Bytes {
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < limit {
        let next = tokio::time::timeout(Duration::from_secs(30), body.frame()).await;
        let Ok(Some(Ok(frame))) = next else { break };
        if let Ok(data) = frame.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    bytes.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Bytes::from(bytes)
}

fn record(shared: &Shared, asked: &Asked, query: String, status: Option<StatusCode>) {
    let range = asked.header(RANGE).or(asked.header(CONTENT_RANGE)).map(str::to_owned);
    shared.state().log.push(Recorded {
        method: asked.method.to_string(),
        path: asked.path.clone(),
        query,
        status: status.map(|status| status.as_u16()),
        received: asked.body.len() as u64,
        presented: doors::presented(&asked.headers),
        range,
        chunked: asked.headers.contains_key(TRANSFER_ENCODING),
    });
}
