//! Who one is at which host.
//!
//! Credentials leave URLs before anything else sees them, so no message can hold them. They go to
//! the scheme, host and port that they were written for and to nobody else, wherever a redirect
//! leads; those of a netrc file to their host at any port, as in pip.

use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::{Extensions, HeaderValue, header::AUTHORIZATION};
use python::{IndexUrl, ResolutionRequest};
use reqwest_middleware::{Middleware, Next};
use url::Url;
use uv_netrc::Netrc;

use crate::requirement;
use crate::{Network, ResolutionError};

/// All that is known.
#[derive(Clone, Default)]
pub(crate) struct Credentials {
    written: Vec<Written>,
    netrc: Arc<Netrc>,
    refusals: Refusals,
}

/// What was asked for in vain, with 401 or 403: the resolver passes it over in silence.
#[derive(Clone, Default)]
pub(crate) struct Refusals(Arc<Mutex<BTreeMap<Url, u16>>>);

impl Refusals {
    fn note(&self, url: &Url, status: u16) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(url.clone(), status);
    }

    /// What an index refused, if it did.
    pub(crate) fn below(&self, index: &Url) -> Option<u16> {
        let noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let path = index.path().trim_end_matches('/');
        let is_below = |url: &Url| url.origin() == index.origin() && url.path().starts_with(path);
        noted.iter().find(|(url, _)| is_below(url)).map(|(_, status)| *status)
    }
}

/// What a URL held.
#[derive(Clone)]
struct Written {
    /// Without credentials, query and fragment.
    place: Url,
    header: HeaderValue,
}

impl Credentials {
    /// Of a request: those of its indexes, pages of links and URL requirements, and the network's.
    pub(crate) fn of(
        request: &ResolutionRequest,
        network: &Network,
    ) -> Result<Self, ResolutionError> {
        let indexes = &request.indexes;
        let named = indexes.index_url.iter().chain(&indexes.extra_index_urls);
        let urls = named.chain(&indexes.find_links).chain(&network.credentials);
        let mut credentials = Credentials::default();
        if let Some(text) = &network.netrc {
            credentials.netrc = Arc::new(netrc(text.expose())?);
        }
        for url in urls {
            credentials.learn(url.expose());
        }
        let lists = [&request.requirements, &request.constraints, &request.overrides];
        for requirement in lists.into_iter().flatten() {
            if let Some(url) = requirement::url_in(&requirement.text) {
                credentials.learn(url);
            }
        }
        Ok(credentials)
    }

    pub(crate) fn refusals(&self) -> Refusals {
        self.refusals.clone()
    }

    fn learn(&mut self, url: &str) {
        let Ok(mut url) = Url::parse(url.trim()) else { return };
        if url.username().is_empty() && url.password().is_none() {
            return;
        }
        let user = percent_decoded(url.username());
        let password = percent_decoded(url.password().unwrap_or_default());
        strip(&mut url);
        url.set_query(None);
        url.set_fragment(None);
        if let Some(header) = basic(&user, &password) {
            self.written.push(Written { place: url, header });
        }
    }

    /// What is said to this URL: what was written for the longest path above it, else for its host.
    fn find(&self, url: &Url) -> Option<HeaderValue> {
        // Of several for one path, the first that was written: `max_by_key` takes the last.
        let written = self.written.iter().rev();
        let here = written.filter(|written| written.place.origin() == url.origin());
        let best = here.max_by_key(|written| {
            let path = written.place.path().trim_end_matches('/');
            let below = url.path().strip_prefix(path);
            below.filter(|rest| rest.is_empty() || rest.starts_with('/')).map(|_| path.len())
        });
        best.map(|written| written.header.clone()).or_else(|| self.find_in_netrc(url))
    }

    fn find_in_netrc(&self, url: &Url) -> Option<HeaderValue> {
        let host = url.host_str()?;
        let entry = self.netrc.hosts.get(host).or_else(|| self.netrc.hosts.get("default"))?;
        basic(&entry.login, &entry.password)
    }
}

fn netrc(text: &str) -> Result<Netrc, ResolutionError> {
    // The parser's message may hold a word of the file.
    let bad = |_| ResolutionError::Setting { what: "netrc", cause: "it is malformed".to_owned() };
    Netrc::from_str(text).map_err(bad)
}

/// RFC 7617.
fn basic(user: &str, password: &str) -> Option<HeaderValue> {
    let text = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    let mut header = HeaderValue::try_from(text).ok()?;
    header.set_sensitive(true);
    Some(header)
}

fn percent_decoded(text: &str) -> String {
    let pair = format!("a={}", text.replace('+', "%2B"));
    let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
    pairs.next().map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// Takes credentials out of a URL.
pub(crate) fn strip(url: &mut Url) {
    // Neither can fail where there is a host, and without one there is nothing to take.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

/// An address without credentials.
pub(crate) fn bare(url: &IndexUrl) -> Result<Url, ResolutionError> {
    let bad = |error: url::ParseError| ResolutionError::BadIndexUrl {
        url: url.redacted(),
        cause: error.to_string(),
    };
    let mut parsed = Url::parse(url.expose().trim()).map_err(bad)?;
    if !matches!(parsed.scheme(), "http" | "https") {
        let cause = format!("{}: is not http or https", parsed.scheme());
        return Err(ResolutionError::BadIndexUrl { url: url.redacted(), cause });
    }
    strip(&mut parsed);
    Ok(parsed)
}

/// A URL for messages: a query may be a signature, and a fragment says nothing.
pub(crate) fn shown(url: &Url) -> String {
    let mut url = url.clone();
    strip(&mut url);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

#[async_trait::async_trait]
impl Middleware for Credentials {
    async fn handle(
        &self,
        mut request: reqwest::Request,
        extensions: &mut Extensions,
        next: Next<'_>,
    ) -> reqwest_middleware::Result<reqwest::Response> {
        if let Some(header) = self.find(request.url()) {
            request.headers_mut().insert(AUTHORIZATION, header);
        } else {
            // What was put in for the host before a redirect.
            request.headers_mut().remove(AUTHORIZATION);
        }
        let url = request.url().clone();
        let response = next.run(request, extensions).await?;
        if let status @ (401 | 403) = response.status().as_u16() {
            self.refusals.note(&url, status);
        }
        Ok(response)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(credentials: &Credentials, url: &str) -> Option<String> {
        let header = credentials.find(&Url::parse(url).unwrap())?;
        let encoded = header.to_str().unwrap().strip_prefix("Basic ").unwrap().to_owned();
        Some(String::from_utf8(STANDARD.decode(encoded).unwrap()).unwrap())
    }

    #[test]
    fn credentials_go_to_their_own_host() {
        let mut known = Credentials::default();
        known.learn("https://a:SECRET1@host/one/simple/");
        known.learn("https://b:SECRET%202@host/two/simple/");
        let at = |url| said(&known, url);
        assert_eq!(at("https://host/one/simple/x/").as_deref(), Some("a:SECRET1"));
        assert_eq!(at("https://host/two/simple").as_deref(), Some("b:SECRET 2"));
        assert!(at("https://host/files/x.whl").is_some());
        for other in ["http://host/one/simple/x/", "https://host:8443/one/", "https://other/one/"] {
            assert_eq!(at(other), None, "{other}");
        }
    }

    #[test]
    fn netrc_comes_after_what_is_written() {
        let text = "machine host login a password SECRET1\ndefault login b password SECRET2\n";
        let netrc = Arc::new(netrc(text).unwrap());
        let mut known = Credentials { netrc, ..Credentials::default() };
        assert_eq!(said(&known, "http://host:81/").as_deref(), Some("a:SECRET1"));
        assert_eq!(said(&known, "https://other/").as_deref(), Some("b:SECRET2"));
        known.learn("https://c:SECRET3@host/");
        assert_eq!(said(&known, "https://host/").as_deref(), Some("c:SECRET3"));
    }
}
