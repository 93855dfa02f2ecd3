//! Every request as it went over the wire, for whoever looks for a fault. No secret is in it: of a
//! credential there is its kind, of a query what is known to be harmless.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, LOCATION};
use reqwest::{Method, StatusCode};
use url::Url;

use crate::PublicUrl;
use crate::answers::printable;

/// A request and what became of it, up to the head of its answer. Requests to token services,
/// mirrors and clouds are told like those to registries, each redirect and each try by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// The method.
    pub method: Method,
    /// The URL; in its query what could grant access is left out.
    pub url: String,
    /// What was shown in order to be let in.
    pub shown: Shown,
    /// Headers of the request that say what was asked for.
    pub asked: Vec<(HeaderName, String)>,
    /// Bytes of body that were sent.
    pub sent: u64,
    /// What came.
    pub came: Came,
    /// From the request's first byte to the answer's head.
    pub took: Duration,
}

/// What was shown in order to be let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Nothing.
    Nothing,
    /// A name and a password.
    Basic,
    /// A token.
    Bearer,
    /// Something else, such as a signature.
    Other,
}

/// What came in answer to a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Came {
    /// An answer.
    Answer {
        /// Its status.
        status: StatusCode,
        /// Headers that say something about the transfer.
        headers: Vec<(HeaderName, String)>,
    },
    /// The connection failed, and why.
    Failure(String),
}

/// Receives exchanges; called on the engine's threads, so it must be quick.
#[derive(Clone)]
pub struct Trace(Arc<dyn Fn(&Exchange) + Send + Sync>);

impl Trace {
    /// A trace that calls `receive`.
    pub fn new(receive: impl Fn(&Exchange) + Send + Sync + 'static) -> Self {
        Trace(Arc::new(receive))
    }

    pub(crate) fn tell(&self, exchange: &Exchange) {
        (self.0)(exchange);
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Trace(..)")
    }
}

/// Headers of requests that are shown.
const ASKED: [&str; 3] = ["content-type", "content-range", "range"];
/// Headers of answers that are shown. None of them carries a credential; `Location` is shown
/// without its query.
const CAME: [&str; 13] = [
    "content-length",
    "content-range",
    "content-type",
    "docker-content-digest",
    "link",
    "oci-chunk-min-length",
    "oci-filters-applied",
    "oci-subject",
    "range",
    "ratelimit-limit",
    "ratelimit-remaining",
    "retry-after",
    "www-authenticate",
];
/// Parameters of queries whose values are shown.
const PARAMETERS: [&str; 9] =
    ["artifactType", "digest", "from", "last", "mount", "n", "ns", "scope", "service"];

/// The URL as it may be shown.
pub(crate) fn shown_url(url: &Url) -> String {
    let mut text = PublicUrl::from(url).to_string();
    for (position, (name, value)) in url.query_pairs().enumerate() {
        let value =
            if PARAMETERS.contains(&name.as_ref()) { printable(&value) } else { "…".into() };
        text.push(if position == 0 { '?' } else { '&' });
        text.push_str(&format!("{}={value}", printable(&name)));
    }
    text
}

/// What a request's headers show, and which of them are told.
pub(crate) fn request_headers(headers: &HeaderMap) -> (Shown, Vec<(HeaderName, String)>) {
    let shown = match headers.get(AUTHORIZATION).map(|value| value.as_bytes()) {
        None => Shown::Nothing,
        Some(value) if value.starts_with(b"Basic ") => Shown::Basic,
        Some(value) if value.starts_with(b"Bearer ") => Shown::Bearer,
        Some(_) => Shown::Other,
    };
    (shown, told(headers, &ASKED))
}

/// The headers of an answer that are told.
pub(crate) fn answer_headers(headers: &HeaderMap) -> Vec<(HeaderName, String)> {
    let mut told = told(headers, &CAME);
    let location = headers.get(LOCATION).and_then(|value| value.to_str().ok());
    if let Some(location) = location {
        let bare = location.split(['?', '#']).next().unwrap_or_default();
        let bare = Url::parse(bare).map_or_else(|_| bare.to_owned(), |url| shown_url(&url));
        told.push((LOCATION, printable(&bare)));
    }
    told
}

fn told(headers: &HeaderMap, names: &[&'static str]) -> Vec<(HeaderName, String)> {
    let mut told = Vec::new();
    for name in names {
        for value in headers.get_all(*name) {
            let text = String::from_utf8_lossy(value.as_bytes());
            told.push((HeaderName::from_static(name), printable(&text)));
        }
    }
    told
}

impl fmt::Display for Exchange {
    /// `GET https://… (token), range: … -> 206 Partial Content in 3 ms, content-length: …`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method, self.url)?;
        match self.shown {
            Shown::Nothing => {}
            Shown::Basic => f.write_str(" (password)")?,
            Shown::Bearer => f.write_str(" (token)")?,
            Shown::Other => f.write_str(" (signed)")?,
        }
        if self.sent > 0 {
            write!(f, ", {} bytes", self.sent)?;
        }
        list(f, &self.asked)?;
        let milliseconds = self.took.as_millis();
        match &self.came {
            Came::Answer { status, headers } => {
                write!(f, " -> {status} in {milliseconds} ms")?;
                list(f, headers)
            }
            Came::Failure(cause) => write!(f, " -> {cause} after {milliseconds} ms"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, headers: &[(HeaderName, String)]) -> fmt::Result {
    headers.iter().try_for_each(|(name, value)| write!(f, ", {name}: {value}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_tells_what_was_asked_and_no_secret() {
        let url =
            "https://u:SECRET@r.example/v2/a/blobs/uploads/?mount=sha256:00&from=b&_state=SECRET";
        let mut headers = HeaderMap::new();
        headers.insert(AUTHORIZATION, "Bearer SECRET".parse().unwrap());
        headers.insert("content-range", "0-9".parse().unwrap());
        headers.insert("x-amz-security-token", "SECRET".parse().unwrap());
        let mut answered = HeaderMap::new();
        answered.insert(LOCATION, "https://u:SECRET@cdn.example/x?X-Sig=SECRET".parse().unwrap());
        answered.insert("set-cookie", "SECRET".parse().unwrap());
        answered.insert("range", "0-9".parse().unwrap());
        let (shown, asked) = request_headers(&headers);
        let exchange = Exchange {
            method: Method::POST,
            url: shown_url(&Url::parse(url).unwrap()),
            shown,
            asked,
            sent: 10,
            came: Came::Answer { status: StatusCode::ACCEPTED, headers: answer_headers(&answered) },
            took: Duration::from_millis(3),
        };
        insta::assert_snapshot!(exchange, @"POST https://r.example/v2/a/blobs/uploads/?mount=sha256:00&from=b&_state=… (token), 10 bytes, content-range: 0-9 -> 202 Accepted in 3 ms, range: 0-9, location: https://cdn.example/x");
        let failed = Exchange { came: Came::Failure("connection refused".into()), ..exchange };
        insta::assert_snapshot!(failed, @"POST https://r.example/v2/a/blobs/uploads/?mount=sha256:00&from=b&_state=… (token), 10 bytes, content-range: 0-9 -> connection refused after 3 ms");
        answered.insert(LOCATION, "/v2/a?_state=SECRET".parse().unwrap());
        assert_eq!(answer_headers(&answered).last().unwrap().1, "/v2/a");
    }
}
