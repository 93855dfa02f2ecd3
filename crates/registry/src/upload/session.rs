//! One upload session: where its bytes go, how far it has come, and its end.

use oci::{Descriptor, RepositoryName};
use reqwest::header::{CONTENT_RANGE, CONTENT_TYPE, HeaderName, HeaderValue, RANGE};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::auth::ScopeSet;
use crate::call::{Admission, Call, Persistence};
use crate::client::{Client, Host};
use crate::error::RequestLine;
use crate::upload::body::Upload;
use crate::wire::{Payload, Reply};
use crate::{AnswerProblem, Result};

/// An upload that a registry has opened. Dropped before it was closed, it is deleted at the
/// registry in the background, so that no residue is left there.
pub(super) struct Session {
    client: Client,
    repository: RepositoryName,
    location: Url,
    state: State,
    /// The smallest chunk that the registry wants, the last one excepted.
    pub(super) least_chunk: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Open,
    Closed,
}

/// From where a broken upload can go on.
pub(super) enum Resumption {
    /// From this offset.
    At(u64),
    /// The registry does not say, so from the start in a new session.
    Lost,
}

impl Session {
    /// The session that an answer to POST has opened.
    pub(super) fn new(
        client: &Client,
        host: &Host,
        repository: &RepositoryName,
        reply: &Reply,
    ) -> Result<Self> {
        let location = location(host, reply, &host.base)?;
        let (client, repository) = (client.clone(), repository.clone());
        let least_chunk = reply.header(CHUNK_MIN_LENGTH).and_then(|text| text.parse().ok());
        let least_chunk = least_chunk.unwrap_or(0);
        Ok(Session { client, repository, location, state: State::Open, least_chunk })
    }

    /// Closes the session with a body that is the whole blob: a PUT with a length and without a
    /// `Content-Range`, which some registries refuse on it.
    pub(super) async fn put(
        &self,
        host: &Host,
        descriptor: &Descriptor,
        upload: &Upload,
    ) -> Result<Reply> {
        let call = self.closing(descriptor).payload(Payload::Upload(upload.clone()));
        self.client.call(host, call, Persistence::Once).await
    }

    /// Closes the session with nothing more to send.
    pub(super) async fn finish(&self, host: &Host, descriptor: &Descriptor) -> Result<Reply> {
        self.client.call(host, self.closing(descriptor), Persistence::Once).await
    }

    /// Sends a piece (distribution-spec 1.1, "Pushing a blob in chunks"), or with `range` absent a
    /// stream that is all there is. An answer that is a success tells where the next one goes.
    pub(super) async fn patch(
        &mut self,
        host: &Host,
        upload: &Upload,
        range: Option<std::ops::Range<u64>>,
    ) -> Result<Reply> {
        let mut call = self
            .call(Method::PATCH, self.location.clone())
            .header(CONTENT_TYPE, OCTETS)
            .payload(Payload::Upload(upload.clone()));
        if let Some(range) = range.filter(|range| !range.is_empty()) {
            // Both ends inclusive and no unit, unlike HTTP's own header.
            let text = format!("{}-{}", range.start, range.end - 1);
            let value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
            call = call.header(CONTENT_RANGE, value);
        }
        let reply = self.client.call(host, call, Persistence::Once).await?;
        if reply.status().is_success()
            && let Ok(next) = location(host, &reply, &self.location)
        {
            self.location = next;
        }
        Ok(reply)
    }

    /// Where the session stands (distribution-spec 1.1, "Get the upload status"): `Range` names
    /// the last byte that is there. A 404 does not mean that there is nothing left to be deleted:
    /// some registries know a session and do not tell of it.
    pub(super) async fn resumption(&mut self, host: &Host) -> Resumption {
        let call = self.call(Method::GET, self.location.clone());
        let Ok(reply) = self.client.call(host, call, Persistence::Retry).await else {
            return Resumption::Lost;
        };
        if !matches!(reply.status(), StatusCode::NO_CONTENT | StatusCode::ACCEPTED) {
            return Resumption::Lost;
        }
        if let Ok(next) = location(host, &reply, &self.location) {
            self.location = next;
        }
        match stand(&reply) {
            Some(position) if position > 0 => Resumption::At(position),
            _ => Resumption::Lost,
        }
    }

    /// The session has come to its end at the registry.
    pub(super) fn close(&mut self) {
        self.state = State::Closed;
    }

    pub(super) fn request_line(&self) -> RequestLine {
        RequestLine::new(&Method::PUT, &self.location)
    }

    /// The request that names the digest. The rest of the location's query is the registry's, and
    /// stays as it wrote it.
    fn closing(&self, descriptor: &Descriptor) -> Call {
        let mut url = self.location.clone();
        let digest = format!("digest={}", descriptor.digest);
        let query = match url.query().filter(|query| !query.is_empty()) {
            Some(query) => format!("{query}&{digest}"),
            None => digest,
        };
        url.set_query(Some(&query));
        self.call(Method::PUT, url).header(CONTENT_TYPE, OCTETS)
    }

    fn call(&self, method: Method, url: Url) -> Call {
        let scopes = ScopeSet::push(&self.repository);
        Call::new(method, url, self.repository.path(), scopes)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if self.state == State::Closed {
            return;
        }
        let mut call = self.call(Method::DELETE, self.location.clone());
        // The place in the queue may never come free: whoever gives up must not wait for others.
        call.admission = Admission::Feeding;
        let (client, repository) = (self.client.clone(), self.repository.clone());
        let limit = client.settings().timeouts.connect;
        self.client.clean_up(async move {
            let Ok(host) = client.host(&repository).await else { return };
            // Whatever comes of it, there is nothing else to be done.
            let call = client.call(&host, call, Persistence::Retry);
            let _ = tokio::time::timeout(limit, call).await;
        });
    }
}

/// How many bytes an answer says are there, if it says so.
///
/// `Range: 0-0` is what registries say of an empty session, and of one with a single byte, which is
/// not worth telling apart; `0--1` has been seen, too.
pub(super) fn stand(reply: &Reply) -> Option<u64> {
    let range = reply.header(RANGE)?;
    let range = range.strip_prefix("bytes=").unwrap_or(range);
    let last = range.strip_prefix("0-")?.parse::<u64>().unwrap_or(0);
    Some(if last == 0 { 0 } else { last.saturating_add(1) })
}

/// distribution-spec 1.1, "Pushing a blob in chunks".
const CHUNK_MIN_LENGTH: HeaderName = HeaderName::from_static("oci-chunk-min-length");

pub(super) const OCTETS: HeaderValue = HeaderValue::from_static("application/octet-stream");

/// `Location`: absolute or relative, with whatever query (distribution-spec 1.1, "POST then PUT").
/// Where a proxy ends TLS, registries are known to write `http://` for their own host: the scheme
/// that was spoken so far is kept then.
fn location(host: &Host, reply: &Reply, current: &Url) -> Result<Url> {
    let malformed = || reply.bad(AnswerProblem::Header("Location"));
    let text = reply.location()?;
    let mut url = current.join(text).map_err(|_| malformed())?;
    let plain = url.scheme() == "http" && host.base.scheme() == "https";
    if plain && url.host() == host.base.host() && matches!(url.port(), None | Some(443)) {
        url.set_scheme("https").map_err(|()| malformed())?;
        let port = host.base.port();
        url.set_port(port).map_err(|()| malformed())?;
    }
    match url.scheme() {
        "https" | "http" => Ok(url),
        _ => Err(malformed()),
    }
}
