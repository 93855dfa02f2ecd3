//! One exchange: a request goes out, an answer's head comes back, its body is read within limits.
//!
//! Nothing is tried again here, no redirect is followed and nobody is authenticated; see `call`.

use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION};
use reqwest::{Method, StatusCode};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::{Instant, timeout};
use url::Url;

use crate::answers::{Answers, tls_answer};
use crate::error::{Identity, RequestLine};
use crate::hosts::Trust;
use crate::settings::{Scheme, Settings};
use crate::trace::{self, Came, Exchange};
use crate::transport::{self, Transport, cause, is_loopback, names};
use crate::upload::body::Upload;
use crate::{AnswerProblem, Error, Result};

/// The most that is read of an error's body.
const MAX_ERROR_BYTES: u64 = 64 * 1024;

/// Connections to all hosts.
pub(crate) struct Wire {
    transport: Transport,
    settings: Settings,
}

/// What goes out in a request's body.
#[derive(Clone)]
pub(crate) enum Payload {
    /// Nothing.
    Empty,
    /// A manifest, a form.
    Bytes(Bytes),
    /// A blob, opened anew for each try.
    Upload(Upload),
}

impl Payload {
    /// Bytes that were handed to the connection.
    fn sent(&self) -> u64 {
        match self {
            Payload::Empty => 0,
            Payload::Bytes(bytes) => bytes.len() as u64,
            Payload::Upload(upload) => upload.sent(),
        }
    }
}

/// The scheme of a host's URLs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum UrlScheme {
    Http,
    Https,
}

impl UrlScheme {
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            UrlScheme::Http => "http",
            UrlScheme::Https => "https",
        }
    }
}

/// A host's scheme, and whether the host itself or a setting said so. Where nobody answered, it is
/// to be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SpokenScheme {
    pub(crate) scheme: UrlScheme,
    pub(crate) lasts: bool,
}

impl Wire {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        let (transport, settings) = (Transport::new(settings)?, settings.clone());
        Ok(Wire { transport, settings })
    }

    /// The same wire past all proxies, for services that are on the machine itself.
    pub(crate) fn unproxied(&self) -> Result<Wire> {
        let settings = self.settings.clone();
        Wire::new(&Settings { proxies: crate::Proxies::default(), ..settings })
    }

    /// How the host of `url` is spoken to, whatever scheme the URL has: as was set for it, else
    /// as `stated` where it was found, else encrypted, but plainly on loopback. Where either will
    /// do, the host is asked which it speaks before anything else is said to it. So it is on
    /// loopback where there is a certificate that one there could have: without one, a registry
    /// that speaks TLS there could not be trusted anyway.
    pub(crate) async fn scheme(&self, url: &Url, stated: Option<Scheme>) -> Result<SpokenScheme> {
        let names = names(url);
        let set = names.iter().find_map(|name| self.settings.schemes.get(name).copied());
        let insecure = self.settings.hosts.is_insecure(&names).then_some(Scheme::Insecure);
        let loopback = url.host().is_some_and(is_loopback);
        let sure = |scheme| SpokenScheme { scheme, lasts: true };
        match set.or(insecure).or(stated) {
            Some(Scheme::Http) => Ok(sure(UrlScheme::Http)),
            Some(Scheme::Https) => Ok(sure(UrlScheme::Https)),
            None if !loopback => Ok(sure(UrlScheme::Https)),
            None if !self.may_know_certificate(&names)? => Ok(sure(UrlScheme::Http)),
            Some(Scheme::Insecure) | None => self.transport.ask_scheme(url).await,
        }
    }

    fn may_know_certificate(&self, names: &[String]) -> Result<bool> {
        let settings = &self.settings;
        let own = settings.hosts.trust(names)?;
        Ok(!settings.system_roots.is_empty()
            || !settings.root_certificates.is_empty()
            || own != Trust::default())
    }

    /// Whether a credential may travel to this URL.
    pub(crate) fn may_carry_credentials(&self, url: &Url) -> bool {
        if url.scheme() == "https" {
            return true;
        }
        let names = names(url);
        let plain = [Some(&Scheme::Http), Some(&Scheme::Insecure)];
        url.host().is_some_and(is_loopback)
            || names.iter().any(|name| plain.contains(&self.settings.schemes.get(name)))
            || self.settings.hosts.is_insecure(&names)
    }

    /// Sends a request and waits for the answer's head.
    pub(crate) async fn exchange(
        &self,
        method: &Method,
        url: &Url,
        headers: HeaderMap,
        payload: &Payload,
    ) -> Result<Reply> {
        let Some(trace) = &self.settings.trace else {
            return self.send(method, url, headers, payload).await;
        };
        let (shown, asked) = trace::request_headers(&headers);
        let started = Instant::now();
        let outcome = self.send(method, url, headers, payload).await;
        trace.tell(&Exchange {
            method: method.clone(),
            url: trace::shown_url(url),
            shown,
            asked,
            sent: payload.sent(),
            came: match &outcome {
                Ok(reply) => Came::Answer {
                    status: reply.status(),
                    headers: trace::answer_headers(reply.headers()),
                },
                Err(Error::Connection { cause, .. }) => Came::Failure(cause.clone()),
                Err(error) => Came::Failure(error.to_string()),
            },
            took: started.elapsed(),
        });
        outcome
    }

    async fn send(
        &self,
        method: &Method,
        url: &Url,
        headers: HeaderMap,
        payload: &Payload,
    ) -> Result<Reply> {
        let line = RequestLine::new(method, url);
        let mut request =
            self.transport.client(url).await?.request(method.clone(), url.clone()).headers(headers);
        match payload {
            Payload::Empty if *method == Method::POST || *method == Method::PUT => {
                // Some registries answer 411 without it.
                request = request.header(CONTENT_LENGTH, HeaderValue::from_static("0"));
            }
            Payload::Empty => {}
            Payload::Bytes(bytes) => request = request.body(bytes.clone()),
            Payload::Upload(upload) => {
                // A length known beforehand keeps the body from being sent in chunked coding,
                // which several registries cap or refuse.
                request = request.header(CONTENT_LENGTH, upload.length()).body(upload.open());
            }
        }
        let response = match payload {
            Payload::Upload(upload) => self.wait_for_upload(request, upload, &line).await,
            _ => match timeout(self.settings.timeouts.idle, request.send()).await {
                Ok(answer) => answer.map_err(|error| broken(&line, error)),
                Err(_) => Err(Error::TimedOut {
                    request: line.clone(),
                    after: self.settings.timeouts.idle,
                }),
            },
        }?;
        let who = Identity::Anonymous;
        let idle = self.settings.timeouts.idle;
        let (registry, permit) = (String::new(), None);
        Ok(Reply { response, request: line, idle, who, registry, permit })
    }

    /// An upload may take hours as long as bytes move; after the last one the registry gets the
    /// time that hashing and copying takes.
    async fn wait_for_upload(
        &self,
        request: reqwest::RequestBuilder,
        upload: &Upload,
        line: &RequestLine,
    ) -> Result<reqwest::Response> {
        let mut answer = pin!(request.send());
        loop {
            let before = upload.sent();
            let all = before == upload.length();
            let patience =
                if all { self.settings.timeouts.commit } else { self.settings.timeouts.idle };
            match timeout(patience, &mut answer).await {
                Ok(Ok(response)) => return Ok(response),
                Ok(Err(error)) => {
                    return Err(upload.failure().unwrap_or_else(|| broken(line, error)));
                }
                Err(_) if upload.sent() > before => {}
                Err(_) => return Err(Error::TimedOut { request: line.clone(), after: patience }),
            }
        }
    }
}

fn broken(request: &RequestLine, error: reqwest::Error) -> Error {
    let (request, cause) = (request.clone(), cause(error));
    match transport::said(&cause) {
        Some(_) => Error::Tls { request, cause },
        None => Error::Connection { request, cause },
    }
}

/// An answer whose body is still to be read. It holds its place in the host's queue until dropped.
pub(crate) struct Reply {
    response: reqwest::Response,
    pub(crate) request: RequestLine,
    idle: Duration,
    pub(crate) who: Identity,
    pub(crate) registry: String,
    pub(crate) permit: Option<OwnedSemaphorePermit>,
}

impl Reply {
    pub(crate) fn status(&self) -> StatusCode {
        self.response.status()
    }

    pub(crate) fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// Whose answer it is.
    pub(crate) fn url(&self) -> &Url {
        self.response.url()
    }

    /// A header's text, if it is there and is text.
    pub(crate) fn header(&self, name: impl AsRef<str>) -> Option<&str> {
        self.headers().get(name.as_ref())?.to_str().ok().map(str::trim)
    }

    /// Where the answer points to, which it must.
    pub(crate) fn location(&self) -> Result<&str> {
        self.header(LOCATION).ok_or_else(|| self.bad(AnswerProblem::Header("Location")))
    }

    /// The `Content-Length` of the head, which for HEAD is not that of the body.
    pub(crate) fn content_length(&self) -> Option<u64> {
        self.header(CONTENT_LENGTH)?.parse().ok()
    }

    pub(crate) fn bad(&self, problem: AnswerProblem) -> Error {
        Error::BadAnswer { request: self.request.clone(), problem }
    }

    /// The next bytes of the body, `None` at its end.
    pub(crate) async fn chunk(&mut self) -> Result<Option<Bytes>> {
        match timeout(self.idle, self.response.chunk()).await {
            Ok(chunk) => chunk.map_err(|error| broken(&self.request, error)),
            Err(_) => Err(Error::TimedOut { request: self.request.clone(), after: self.idle }),
        }
    }

    /// The whole body, or `None` if it is larger than `limit`.
    pub(crate) async fn body(&mut self, limit: u64) -> Result<Option<Vec<u8>>> {
        // HEAD's length is of the body that it does not have.
        let announced = self.content_length().filter(|_| self.request.method != Method::HEAD);
        if announced.is_some_and(|length| length > limit) {
            return Ok(None);
        }
        let mut body = Vec::new();
        while let Some(chunk) = self.chunk().await? {
            if body.len() as u64 + chunk.len() as u64 > limit {
                return Ok(None);
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Some(body))
    }

    /// Itself if the status is a success, else the error that it is.
    pub(crate) async fn success(self) -> Result<Reply> {
        if self.status().is_success() { Ok(self) } else { Err(self.refusal().await) }
    }

    /// The error that this answer is where it comes from another host than the registry: nobody
    /// has logged in there.
    pub(crate) async fn foreign_refusal(mut self) -> Error {
        let (status, answers) = (self.status(), self.answers().await);
        Error::Refused { request: self.request, status, answers }
    }

    async fn answers(&mut self) -> Answers {
        let body = self.body(MAX_ERROR_BYTES).await.ok().flatten().unwrap_or_default();
        match Answers::parse(&body) {
            answers if answers.0.is_empty() && self.status() == StatusCode::BAD_REQUEST => {
                tls_answer(&body).unwrap_or_default()
            }
            answers => answers,
        }
    }

    /// The error that this answer is, with what its body says.
    pub(crate) async fn refusal(mut self) -> Error {
        let answers = self.answers().await;
        let status = self.status();
        let retry_after = crate::retry::retry_after(self.headers());
        let Reply { request, who: identity, registry, .. } = self;
        match status {
            StatusCode::UNAUTHORIZED => {
                Error::Unauthorized { request, identity, answers, registry }
            }
            StatusCode::FORBIDDEN => Error::Denied { request, identity, answers, registry },
            StatusCode::TOO_MANY_REQUESTS => Error::RateLimited { request, retry_after, answers },
            status => Error::Refused { request, status, answers },
        }
    }
}
