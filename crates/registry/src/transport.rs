//! Connections: one pool for each set of TLS settings, each made when the first host wants it.
//!
//! Proxies and limits of time are the same for all. Which certificates a host has to show, and
//! which it is shown, is the host's own matter, wherever the way to it began: a registry's redirect
//! leads to a host that has settings of its own.

use std::collections::HashMap;
use std::error::Error as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, NoProxy, Proxy};
use tokio::sync::OnceCell;
use tokio::time::timeout;
use url::{Host, Url};

use crate::greeting;
use crate::hosts::{Trust, Verification};
use crate::settings::{Scheme, Settings};
use crate::wire::{SpokenScheme, UrlScheme};
use crate::{Error, Result, Secret};

/// How long a host has to show whether it speaks TLS.
pub(crate) const HELLO_LIMIT: Duration = Duration::from_secs(5);

/// Docker Hub's registry has another address than name (distribution `reference/normalize.go` has
/// the one, Docker's daemon the other).
pub(crate) const DOCKER_HUB: &str = "docker.io";
pub(crate) const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

type Pool = Arc<OnceCell<reqwest::Client>>;

/// All pools of connections.
pub(crate) struct Transport {
    /// For URLs that are not encrypted.
    plain: reqwest::Client,
    /// For all others. Made when the first one is asked for, because reading the system's roots of
    /// trust takes longer than a whole push to a registry nearby.
    encrypted: Mutex<HashMap<Trust, Pool>>,
    settings: Settings,
}

impl Transport {
    pub(crate) fn new(settings: &Settings) -> Result<Self> {
        // What is wrong with the roots is to be said now, not when they are needed.
        roots(settings)?;
        let plain = build(builder(settings)?.tls_certs_only([]))?;
        Ok(Transport { plain, encrypted: Mutex::default(), settings: settings.clone() })
    }

    /// The pool that reaches this URL's host as is set for it.
    pub(crate) async fn client(&self, url: &Url) -> Result<reqwest::Client> {
        let proxy = self.settings.proxies.http.as_ref();
        let proxy_is_encrypted = proxy.is_some_and(|url| url.expose().starts_with("https:"));
        if url.scheme() == "http" && !proxy_is_encrypted {
            return Ok(self.plain.clone());
        }
        let names = names(url);
        let mut trust = self.settings.hosts.trust(&names)?;
        let insecure = |name| self.settings.schemes.get(name) == Some(&Scheme::Insecure);
        if names.iter().any(insecure) {
            trust.verification = Verification::None;
        }
        self.pool(trust).await
    }

    async fn pool(&self, trust: Trust) -> Result<reqwest::Client> {
        let pool = {
            let mut pools = self.encrypted.lock().unwrap_or_else(PoisonError::into_inner);
            pools.entry(trust.clone()).or_default().clone()
        };
        let make = || async {
            let settings = self.settings.clone();
            let made = tokio::task::spawn_blocking(move || encrypted(&settings, &trust));
            let ended = |error: tokio::task::JoinError| Error::BadSetting {
                what: "transport settings",
                cause: error.to_string(),
            };
            made.await.map_err(ended)?
        };
        pool.get_or_try_init(make).await.cloned()
    }

    /// Whether a host that may speak plainly speaks TLS. Nothing but `GET /v2/` is said to it, on
    /// loopback nothing but a greeting, and no certificate is looked at: only whether there is one.
    pub(crate) async fn ask_scheme(&self, url: &Url) -> Result<SpokenScheme> {
        if url.host().is_some_and(is_loopback) {
            return Ok(greeting::ask(url).await);
        }
        let bare = Trust { verification: Verification::None, ..Trust::default() };
        let answer = self.pool(bare).await?.get(url.clone()).send();
        let sure = |scheme| SpokenScheme { scheme, lasts: true };
        Ok(match timeout(HELLO_LIMIT, answer).await {
            Ok(Ok(_)) => sure(UrlScheme::Https),
            Ok(Err(error)) => match cause(error) {
                // Some servers hang up on what they do not understand.
                text if text.contains("handshake eof") => sure(UrlScheme::Http),
                text if let Some(scheme) = said(&text) => sure(scheme),
                // Nobody is there, or not at the port that is TLS's own.
                _ => SpokenScheme { scheme: UrlScheme::Http, lasts: false },
            },
            // Whoever speaks TLS answers a greeting at once.
            Err(_) => sure(UrlScheme::Http),
        })
    }
}

/// What a failed greeting says of the host: that it does not know TLS, that it does and is not
/// content, or nothing. The words are rustls's.
pub(crate) fn said(cause: &str) -> Option<UrlScheme> {
    let has = |words: &[&str]| words.iter().any(|word| cause.contains(word));
    if has(&["InvalidContentType", "received corrupt message"]) {
        Some(UrlScheme::Http)
    } else if has(&["received fatal alert", "invalid peer certificate"]) {
        Some(UrlScheme::Https)
    } else {
        None
    }
}

/// A host as settings may name it: with its port, and without where the port is the scheme's own.
pub(crate) fn names(url: &Url) -> Vec<String> {
    let Some(host) = url.host_str() else { return Vec::new() };
    let mut names = Vec::new();
    if host == DOCKER_HUB_HOST {
        names.push(DOCKER_HUB.to_owned());
    }
    // A URL does not keep the port that is its scheme's own.
    if let Some(port) = url.port_or_known_default() {
        names.push(format!("{host}:{port}"));
    }
    if url.port().is_none() {
        names.push(host.to_owned());
    }
    names
}

/// 127.0.0.0/8, ::1 and `localhost` (RFC 6761, 6.3).
pub(crate) fn is_loopback(host: Host<&str>) -> bool {
    match host {
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
        Host::Domain(name) => name == "localhost" || name.ends_with(".localhost"),
    }
}

fn builder(settings: &Settings) -> Result<ClientBuilder> {
    let builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .connect_timeout(settings.timeouts.connect)
        // A window that fits a fast line: the protocol's 64 KiB would halve it.
        .http2_adaptive_window(true)
        .tcp_nodelay(true)
        .no_proxy();
    Ok(proxies(settings)?.into_iter().fold(builder, ClientBuilder::proxy))
}

fn build(builder: ClientBuilder) -> Result<reqwest::Client> {
    let bad = |error| Error::BadSetting { what: "transport settings", cause: cause(error) };
    builder.build().map_err(bad)
}

fn encrypted(settings: &Settings, trust: &Trust) -> Result<reqwest::Client> {
    let mut builder = builder(settings)?;
    if let Some(identity) = &trust.identity {
        builder = builder.identity(identity.parse()?);
    }
    let own = trust.roots.iter().map(|root| certificates(root)).collect::<Result<Vec<_>>>()?;
    let more = roots(settings)?.into_iter().chain(own.into_iter().flatten());
    build(match trust.verification {
        Verification::None => builder.tls_certs_only([]).tls_danger_accept_invalid_certs(true),
        Verification::Full if settings.system_roots.is_empty() => builder.tls_certs_merge(more),
        Verification::Full => {
            builder.tls_certs_only(settings.system_roots.read()?.into_iter().chain(more))
        }
    })
}

/// The roots that count at every host, beside the system's or what stands in for these.
fn roots(settings: &Settings) -> Result<Vec<Certificate>> {
    let bundles = settings.root_certificates.iter();
    let read = bundles.map(|pem| certificates(pem)).collect::<Result<Vec<_>>>()?;
    Ok(read.into_iter().flatten().collect())
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>> {
    let bad = |error| Error::BadSetting { what: "root certificate", cause: cause(error) };
    Certificate::from_pem_bundle(pem).map_err(bad)
}

fn proxies(settings: &Settings) -> Result<Vec<Proxy>> {
    let none_for = NoProxy::from_string(&settings.proxies.none_for);
    let bad = |error| Error::BadSetting { what: "proxy", cause: cause(error) };
    let made = |secret: &Option<Secret>, make: fn(&str) -> reqwest::Result<Proxy>| {
        let proxy = secret.as_ref().map(|url| make(url.expose())).transpose().map_err(bad)?;
        Ok::<_, Error>(proxy.map(|proxy| proxy.no_proxy(none_for.clone())))
    };
    let http = made(&settings.proxies.http, |url| Proxy::http(url))?;
    let https = made(&settings.proxies.https, |url| Proxy::https(url))?;
    Ok(http.into_iter().chain(https).collect())
}

/// The innermost cause, which is the one that tells something ("connection refused"), without the
/// URL: it may be a signed one.
pub(crate) fn cause(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut inner = error.source();
    while let Some(error) = inner {
        text = error.to_string();
        inner = error.source();
    }
    text
}
