//! How the network is reached.
//!
//! Nothing of this is taken from the environment. What uv's crates would read there by themselves
//! is kept out: the client is made here, so proxies, `SSL_CERT_FILE`, `SSL_CERT_DIR` and
//! `SSL_CLIENT_CERT` do not count, and credentials are put in by [`crate::credentials`], so `NETRC`,
//! `~/.netrc`, uv's own store of credentials, tokens for single hosters and keyrings do not either.
//! What is left are variables for uv's own tests (`UV_TEST_…`, `UV_INTERNAL__…`) and, for the size
//! of stacks, `UV_STACK_SIZE` and `RUST_MIN_STACK`.

use std::fmt;
use std::time::Duration;

use python::IndexUrl;
use reqwest::{Certificate, ClientBuilder, NoProxy, Proxy};

use crate::ResolutionError;

/// How the network is reached, and as whom.
#[derive(Debug, Clone)]
pub struct Network {
    /// Proxies; none by default.
    pub proxies: Proxies,
    /// More roots of trust beside the system's: PEM, each with one or more certificates.
    pub root_certificates: Vec<Vec<u8>>,
    /// Whether only what is in the cache counts.
    pub offline: bool,
    /// The text of a netrc file.
    pub netrc: Option<Secret>,
    /// Credentials beside those in URLs: addresses that hold them, which count for everything
    /// below their path. Those of an index count for the rest of its host, too.
    pub credentials: Vec<IndexUrl>,
    /// How often a request is tried again that failed for a reason that may pass.
    pub retries: u32,
    /// Whether there is a pause before that, longer each time. Tests have none.
    pub backoff: bool,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long silence is borne.
    pub read_timeout: Duration,
    /// Sent with every request.
    pub user_agent: String,
}

impl Default for Network {
    fn default() -> Self {
        Network {
            proxies: Proxies::default(),
            root_certificates: Vec::new(),
            offline: false,
            netrc: None,
            credentials: Vec::new(),
            retries: 3,
            backoff: true,
            connect_timeout: Duration::from_secs(10),
            read_timeout: Duration::from_secs(30),
            user_agent: concat!("plywood/", env!("CARGO_PKG_VERSION")).to_owned(),
        }
    }
}

/// Proxies by the scheme of the URL that is asked for. They may hold credentials.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    /// For http URLs.
    pub http: Option<Secret>,
    /// For https URLs.
    pub https: Option<Secret>,
    /// Hosts that are asked directly: the syntax of `NO_PROXY`.
    pub none_for: String,
}

/// A text that does not print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text.
    pub fn new(text: impl Into<String>) -> Self {
        Secret(text.into())
    }

    /// The text.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

/// The client below everything that asks.
pub(crate) fn client(network: &Network) -> Result<reqwest::Client, ResolutionError> {
    let bad = |what| move |error: reqwest::Error| bad_setting(what, &error);
    let mut builder = reqwest::Client::builder()
        .user_agent(&network.user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .referer(false)
        .connect_timeout(network.connect_timeout)
        .read_timeout(network.read_timeout)
        .no_proxy();
    for proxy in proxies(&network.proxies)? {
        builder = builder.proxy(proxy);
    }
    let mut roots = Vec::new();
    for pem in &network.root_certificates {
        roots.extend(Certificate::from_pem_bundle(pem).map_err(bad("root certificate"))?);
    }
    trust(builder, roots).build().map_err(bad("TLS settings"))
}

/// The system's roots, and these.
fn trust(builder: ClientBuilder, roots: Vec<Certificate>) -> ClientBuilder {
    if roots.is_empty() { builder } else { builder.tls_certs_merge(roots) }
}

fn proxies(proxies: &Proxies) -> Result<Vec<Proxy>, ResolutionError> {
    let none_for = NoProxy::from_string(&proxies.none_for);
    let made = |url: &Option<Secret>, make: fn(&str) -> reqwest::Result<Proxy>| {
        let proxy = url.as_ref().map(|url| make(url.expose())).transpose();
        let proxy = proxy.map_err(|error| bad_setting("proxy", &error))?;
        Ok::<_, ResolutionError>(proxy.map(|proxy| proxy.no_proxy(none_for.clone())))
    };
    let http = made(&proxies.http, |url| Proxy::http(url))?;
    let https = made(&proxies.https, |url| Proxy::https(url))?;
    Ok(http.into_iter().chain(https).collect())
}

fn bad_setting(what: &'static str, error: &reqwest::Error) -> ResolutionError {
    ResolutionError::Setting { what, cause: innermost(error) }
}

/// The innermost cause, which is the one that tells something ("connection refused") and holds no
/// URL.
pub(crate) fn innermost(error: &(dyn std::error::Error + 'static)) -> String {
    let mut error = error;
    while let Some(inner) = error.source() {
        error = inner;
    }
    match error.downcast_ref::<reqwest::Error>() {
        Some(bare) if bare.is_timeout() => "no answer in time".to_owned(),
        Some(bare) if bare.is_decode() => "the answer cannot be decoded".to_owned(),
        Some(bare) if bare.is_body() => "the answer broke off".to_owned(),
        Some(bare) => match bare.status() {
            Some(status) => format!("it answers {status}"),
            None => "the request failed".to_owned(),
        },
        None => error.to_string(),
    }
}
