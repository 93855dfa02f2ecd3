//! URLs that an `ADD` or a `RUN` names: fetched into the store, under their digest.

use std::io::Write;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use debian::Proxy;
use layer::Content;
use oci::{Digest, Digester};
use plan::Download;
use reqwest::StatusCode;
use reqwest::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use store::{Scratch, Store};

use super::error::BuildError;
use super::gather::Gatherer;
use crate::error::Error;
use crate::flags::{CacheUse, NetworkUse};
use crate::progress::Outcome;
use crate::session::Session;

/// What was learned about a URL, by the digest of its text.
const KIND: &str = "download";

/// What a URL gave when it was last asked, and by what it can tell that this is still so (RFC 9110,
/// section 8.8).
#[derive(Debug, Default, Serialize, Deserialize)]
struct Known {
    content: Option<Content>,
    etag: Option<String>,
    last_modified: Option<String>,
}

/// What is fetched, and how.
#[derive(Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) url: &'a str,
    /// What the address is called in everything that is said.
    pub(super) shown: &'a str,
    /// The digest that the bytes must have.
    pub(super) checksum: Option<Digest>,
    /// The most bytes that may come.
    pub(super) most: u64,
    /// For the address's own host.
    pub(super) login: Option<&'a debian::outside::Login>,
    pub(super) proxy: &'a Proxy,
}

/// Who fetches URLs: one client for each way to them, since making one reads this machine's
/// certificates.
#[derive(Debug, Default)]
pub(super) struct Clients(Mutex<Vec<(Proxy, reqwest::Client)>>);

impl Clients {
    /// The client that goes this way.
    pub(super) fn by(&self, session: &Session, proxy: &Proxy) -> Result<reqwest::Client, Error> {
        let mut clients = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = clients.iter().find(|(known, _)| known == proxy) {
            return Ok(client.clone());
        }
        let client = client(session, proxy)?;
        clients.push((proxy.clone(), client.clone()));
        Ok(client)
    }
}

/// Fetches a URL that a recipe names; see [`fetch_if_there`]. One without a checksum is pinned.
pub(super) fn fetch(
    gatherer: &Gatherer<'_>,
    url: &str,
    shown: &str,
    checksum: Option<Digest>,
) -> Result<Download, Error> {
    let wanted = by_recipe(url, shown, checksum);
    let pin = match checksum {
        None => gatherer.pins.download(shown)?,
        Some(_) => None,
    };
    match fetch_pinned(gatherer, &wanted, pin)? {
        Fetched::Content(content) => {
            if checksum.is_none() {
                gatherer.pins.found_download(url, shown, content);
            }
            Ok(Download { content })
        }
        Fetched::Other(digest) => {
            let (url, wanted) = (shown.to_owned(), checksum.unwrap_or(digest));
            Err(BuildError::Checksum { url, wanted, found: digest }.into())
        }
        Fetched::Nothing(error) => Err(failed(shown, error.into())),
    }
}

fn by_recipe<'a>(url: &'a str, shown: &'a str, checksum: Option<Digest>) -> Wanted<'a> {
    Wanted { url, shown, checksum, most: u64::MAX, login: None, proxy: &Proxy::Environment }
}

/// What a URL gives now, whatever is pinned; nothing if it has nothing.
pub(super) fn fetch_anew(
    gatherer: &Gatherer<'_>,
    url: &str,
    shown: &str,
) -> Result<Option<Content>, Error> {
    let Gatherer { session, clients, .. } = gatherer;
    match fetch_if_there(session, clients, &by_recipe(url, shown, None), CacheUse::Use)? {
        Fetched::Content(content) => Ok(Some(content)),
        Fetched::Other(_) | Fetched::Nothing(_) => Ok(None),
    }
}

/// Fetches what may be pinned. Where something else stands at the address by now, that is told and
/// taken, or it is an error.
pub(super) fn fetch_pinned(
    gatherer: &Gatherer<'_>,
    wanted: &Wanted<'_>,
    pin: Option<lock::File>,
) -> Result<Fetched, Error> {
    let Gatherer { session, clients, cache, pins, .. } = gatherer;
    let Some(pin) = pin else { return fetch_if_there(session, clients, wanted, *cache) };
    let pinned = Wanted { checksum: Some(pin.digest), ..*wanted };
    match fetch_if_there(session, clients, &pinned, *cache)? {
        Fetched::Other(found) => {
            pins.moved(session, wanted.shown, pin.digest, found)?;
            fetch_if_there(session, clients, wanted, *cache)
        }
        Fetched::Nothing(error) => {
            pins.gone(wanted.shown)?;
            Ok(Fetched::Nothing(error))
        }
        content => Ok(content),
    }
}

/// What a URL gave.
pub(super) enum Fetched {
    /// The store has it.
    Content(Content),
    /// Other bytes than those that were wanted, which are gone.
    Other(Digest),
    /// Nothing is there (RFC 9110, section 15.5.5).
    Nothing(reqwest::Error),
}

/// Fetches a URL. One with a checksum that the store has is not asked for; any other is asked
/// whether it still gives what the store has.
pub(super) fn fetch_if_there(
    session: &Session,
    clients: &Clients,
    wanted: &Wanted<'_>,
    cache: CacheUse,
) -> Result<Fetched, Error> {
    let store = session.store()?;
    let shown = wanted.shown;
    if let Some(digest) = wanted.checksum
        && let Some(size) = store.contains(&digest)?
    {
        session.progress.at_once(format!("fetch {shown}"), Outcome::Cached);
        return Ok(Fetched::Content(Content { digest, size }));
    }
    let key = Digest::of(wanted.url.as_bytes());
    let known = match (cache, wanted.checksum) {
        (CacheUse::Use, None) => known(store, &key)?,
        _ => Known::default(),
    };
    if let (NetworkUse::Offline, Some(content)) = (session.settings.network, known.content) {
        session.progress.at_once(format!("fetch {shown}"), Outcome::Cached);
        return Ok(Fetched::Content(content));
    }
    session.online(shown)?;
    let step = session.progress.step(format!("fetch {shown}"), None);
    let mut arriving = Arriving::new(store.scratch()?, wanted);
    let client = clients.by(session, wanted.proxy)?;
    let answered = session.block_on(async {
        match ask(&client, wanted, &known).await? {
            Answer::Nothing(error) => Ok(Err(Fetched::Nothing(error))),
            Answer::Unchanged(content) => Ok(Err(Fetched::Content(content))),
            Answer::New(mut reply, known) => {
                if let Some(total) = reply.content_length() {
                    step.expect(total);
                }
                while let Some(chunk) =
                    reply.chunk().await.map_err(|e| failed(shown, e.without_url().into()))?
                {
                    arriving.write(&chunk)?;
                    step.add(chunk.len() as u64);
                }
                Ok(Ok(known))
            }
        }
    })?;
    let known = match answered {
        Ok(known) => known,
        Err(settled) => {
            step.finish(Outcome::Cached);
            return Ok(settled);
        }
    };
    let content = match arriving.finish()? {
        Fetched::Content(content) => content,
        other => return Ok(other),
    };
    let learned = Known { content: Some(content), ..known };
    let record = serde_json::to_vec(&learned).unwrap_or_default();
    store.record_fact(KIND, &key, &record)?;
    step.finish(Outcome::Done);
    Ok(Fetched::Content(content))
}

/// What a host says.
enum Answer {
    Nothing(reqwest::Error),
    Unchanged(Content),
    /// New bytes, and by what it can tell later that they are the same.
    New(reqwest::Response, Known),
}

async fn ask(
    client: &reqwest::Client,
    wanted: &Wanted<'_>,
    known: &Known,
) -> Result<Answer, Error> {
    let mut request = request(client, wanted);
    if let Some(etag) = &known.etag {
        request = request.header(IF_NONE_MATCH, etag);
    } else if let Some(time) = &known.last_modified {
        request = request.header(IF_MODIFIED_SINCE, time);
    }
    let reply = request.send().await.and_then(reqwest::Response::error_for_status);
    let reply = match reply {
        Err(error) if error.status() == Some(StatusCode::NOT_FOUND) => {
            return Ok(Answer::Nothing(error.without_url()));
        }
        other => other.map_err(|error| failed(wanted.shown, error.without_url().into()))?,
    };
    if let (StatusCode::NOT_MODIFIED, Some(content)) = (reply.status(), known.content) {
        return Ok(Answer::Unchanged(content));
    }
    let text = |name| reply.headers().get(name).and_then(|value| value.to_str().ok());
    let (etag, last_modified) = (text(ETAG), text(LAST_MODIFIED));
    let (etag, last_modified) = (etag.map(str::to_owned), last_modified.map(str::to_owned));
    Ok(Answer::New(reply, Known { content: None, etag, last_modified }))
}

/// A question for a URL. A login goes no further than to its own host: a redirect elsewhere is
/// followed without.
pub(super) fn request(client: &reqwest::Client, wanted: &Wanted<'_>) -> reqwest::RequestBuilder {
    let request = client.get(wanted.url);
    match wanted.login {
        Some(login) => request.basic_auth(&login.user, Some(&login.password)),
        None => request,
    }
}

pub(super) fn failed(shown: &str, source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    BuildError::Fetch { url: shown.to_owned(), source }.into()
}

/// A file that arrives.
struct Arriving<'a> {
    wanted: &'a Wanted<'a>,
    scratch: Scratch,
    digester: Digester,
    size: u64,
}

impl<'a> Arriving<'a> {
    fn new(scratch: Scratch, wanted: &'a Wanted<'a>) -> Self {
        Arriving { wanted, scratch, digester: Digester::sha256(), size: 0 }
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.size += bytes.len() as u64;
        if self.size > self.wanted.most {
            let (what, most) = (self.wanted.shown.to_owned(), self.wanted.most);
            return Err(BuildError::TooLong { what, most }.into());
        }
        self.digester.update(bytes);
        let what = || self.wanted.shown.to_owned();
        let written = self.scratch.write_all(bytes);
        Ok(written.map_err(|source| BuildError::Keep { what: what(), source })?)
    }

    fn finish(self) -> Result<Fetched, Error> {
        let digest = self.digester.finish();
        if self.wanted.checksum.is_some_and(|wanted| wanted != digest) {
            return Ok(Fetched::Other(digest));
        }
        self.scratch.commit_hashed(digest, self.size)?;
        Ok(Fetched::Content(Content { digest, size: self.size }))
    }
}

/// What the store knows of a URL, if it still has the bytes.
fn known(store: &Store, key: &Digest) -> Result<Known, Error> {
    let Some(record) = store.fact(KIND, key)? else { return Ok(Known::default()) };
    let known: Known = serde_json::from_slice(&record).unwrap_or_default();
    match known.content {
        Some(content) if store.contains(&content.digest)? == Some(content.size) => Ok(known),
        _ => Ok(Known::default()),
    }
}

/// Without cookies, and with a limit to waiting.
fn client(session: &Session, proxy: &Proxy) -> Result<reqwest::Client, Error> {
    let refused = |source: reqwest::Error| failed("a URL", source.without_url().into());
    let builder = reqwest::Client::builder()
        .user_agent(concat!("plywood/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .connect_timeout(Duration::from_secs(30))
        .read_timeout(Duration::from_secs(60));
    let builder = match proxy {
        Proxy::Environment => by_environment(session, builder).map_err(refused)?,
        Proxy::Direct => builder,
        Proxy::Url(url) => {
            builder.proxy(reqwest::Proxy::all(url).map_err(|error| {
                // Its address may hold a password.
                failed("anything through the proxy", error.without_url().into())
            })?)
        }
    };
    builder.build().map_err(refused)
}

fn by_environment(
    session: &Session,
    mut builder: reqwest::ClientBuilder,
) -> reqwest::Result<reqwest::ClientBuilder> {
    let proxies = session.environment.proxies();
    let none_for = reqwest::NoProxy::from_string(&proxies.none_for);
    for (proxy, make) in [
        (proxies.http, reqwest::Proxy::http as fn(String) -> reqwest::Result<reqwest::Proxy>),
        (proxies.https, reqwest::Proxy::https),
    ] {
        if let Some(proxy) = proxy {
            builder = builder.proxy(make(proxy.to_string())?.no_proxy(none_for.clone()));
        }
    }
    Ok(builder)
}
