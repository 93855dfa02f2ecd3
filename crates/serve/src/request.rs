//! Requests: what is known of one before its body, and how the body is taken.

use std::io;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::Method;
use hyper::header::{AsHeaderName, HeaderMap};
use hyper::http::request::Parts;

use crate::answer::Body;
use crate::refusal::Refusal;
use crate::route::Route;

/// How long a body may stand still before it counts as broken off.
const PATIENCE: Duration = Duration::from_secs(60);

/// A request without its body.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
}

/// Why there is no answer of the kind that was hoped for.
#[derive(Debug)]
pub(crate) enum Stop {
    /// There is another.
    Refused(Refusal),
    /// There is none: the body broke off.
    BrokenBody,
}

impl<E: Into<Refusal>> From<E> for Stop {
    fn from(error: E) -> Self {
        Stop::Refused(error.into())
    }
}

impl Asked {
    pub(crate) fn new(head: Parts) -> Self {
        let query = head.uri.query().unwrap_or_default();
        let query = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let path = head.uri.path().to_owned();
        Asked { method: head.method, path, query, headers: head.headers }
    }

    pub(crate) fn route(&self) -> Route<'_> {
        Route::of(&self.path)
    }

    /// A parameter of the query, the first of its name.
    pub(crate) fn parameter(&self, name: &'static str) -> Option<&str> {
        self.parameters(name).next()
    }

    pub(crate) fn parameters(&self, name: &'static str) -> impl Iterator<Item = &str> {
        let meant = move |(key, _): &&(String, String)| key == name;
        self.query.iter().filter(meant).map(|(_, value)| value.as_str())
    }

    pub(crate) fn header(&self, name: impl AsHeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok().map(str::trim)
    }
}

/// The next bytes of a body; `None` at its end.
pub(crate) async fn next_bytes(body: &mut Body) -> Result<Option<Bytes>, Stop> {
    loop {
        let next = tokio::time::timeout(PATIENCE, body.frame()).await;
        match next.map_err(|_| Stop::BrokenBody)? {
            None => return Ok(None),
            Some(Err(_)) => return Err(Stop::BrokenBody),
            // What follows a chunked body is of no interest.
            Some(Ok(frame)) => match frame.into_data() {
                Ok(bytes) if !bytes.is_empty() => return Ok(Some(bytes)),
                _ => {}
            },
        }
    }
}

/// The whole body, or `None` if it is larger than `limit`.
pub(crate) async fn bounded(body: &mut Body, limit: u64) -> Result<Option<Bytes>, Stop> {
    let mut all = Vec::new();
    while let Some(bytes) = next_bytes(body).await? {
        if (all.len() + bytes.len()) as u64 > limit {
            return Ok(None);
        }
        all.extend_from_slice(&bytes);
    }
    Ok(Some(Bytes::from(all)))
}

/// Reads what is left of a body: who is still sending does not see an answer, and sees the
/// connection break if it is closed.
pub(crate) async fn drain(body: &mut Body) -> io::Result<()> {
    while next_bytes(body).await.map_err(|_| io::ErrorKind::UnexpectedEof)?.is_some() {}
    Ok(())
}
