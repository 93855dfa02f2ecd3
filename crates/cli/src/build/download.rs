//! URLs that an `ADD` or a `RUN` names: fetched into the store, under their digest.

use std::io::Write;
use std::time::Duration;

use layer::Content;
use oci::{Digest, Digester};
use plan::Download;
use reqwest::StatusCode;
use reqwest::header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use serde::{Deserialize, Serialize};
use store::Store;

use super::error::BuildError;
use crate::error::Error;
use crate::flags::CacheUse;
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

/// Fetches a URL, which is called `shown` in everything that is said. One with a checksum that the
/// store has is not asked for; any other is asked whether it still gives what the store has.
pub(super) fn fetch(
    session: &Session,
    url: &str,
    shown: &str,
    checksum: Option<Digest>,
    cache: CacheUse,
) -> Result<Download, Error> {
    let store = session.store()?;
    if let Some(digest) = checksum
        && let Some(size) = store.contains(&digest)?
    {
        session.progress.at_once(format!("fetch {shown}"), Outcome::Cached);
        return Ok(Download { content: Content { digest, size } });
    }
    let step = session.progress.step(format!("fetch {shown}"), None);
    let key = Digest::of(url.as_bytes());
    let known = match cache {
        CacheUse::Use => known(store, &key)?,
        CacheUse::Ignore => Known::default(),
    };
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| -> Error {
        BuildError::Fetch { url: shown.to_owned(), source }.into()
    };
    let mut scratch = store.scratch()?;
    let mut digester = Digester::sha256();
    let mut size = 0;
    let answered = session.block_on(async {
        let mut request = client(session)?.get(url);
        if let Some(etag) = &known.etag {
            request = request.header(IF_NONE_MATCH, etag);
        } else if let Some(time) = &known.last_modified {
            request = request.header(IF_MODIFIED_SINCE, time);
        }
        let reply = request.send().await.and_then(reqwest::Response::error_for_status);
        let mut reply = reply.map_err(|error| failed(error.without_url().into()))?;
        if let (StatusCode::NOT_MODIFIED, Some(content)) = (reply.status(), known.content) {
            return Ok(Known { content: Some(content), ..Known::default() });
        }
        if let Some(total) = reply.content_length() {
            step.expect(total);
        }
        let text = |name| reply.headers().get(name).and_then(|value| value.to_str().ok());
        let (etag, last_modified) = (text(ETAG), text(LAST_MODIFIED));
        let (etag, last_modified) = (etag.map(str::to_owned), last_modified.map(str::to_owned));
        loop {
            let chunk = reply.chunk().await.map_err(|e| failed(e.without_url().into()))?;
            let Some(chunk) = chunk else { break };
            digester.update(&chunk);
            size += chunk.len() as u64;
            step.add(chunk.len() as u64);
            scratch.write_all(&chunk).map_err(|source| BuildError::Write {
                path: "the store's scratch space".into(),
                source,
            })?;
        }
        Ok(Known { content: None, etag, last_modified })
    })?;
    if let Some(content) = answered.content {
        step.finish(Outcome::Cached);
        return Ok(Download { content });
    }
    let digest = digester.finish();
    if let Some(wanted) = checksum.filter(|wanted| *wanted != digest) {
        return Err(BuildError::Checksum { url: shown.to_owned(), wanted, found: digest }.into());
    }
    scratch.commit_hashed(digest, size)?;
    let content = Content { digest, size };
    let learned = Known { content: Some(content), ..answered };
    let record = serde_json::to_vec(&learned).unwrap_or_default();
    store.record_fact(KIND, &key, &record)?;
    step.finish(Outcome::Done);
    Ok(Download { content })
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

/// Who fetches URLs: without cookies, and with a limit to waiting.
fn client(session: &Session) -> Result<reqwest::Client, Error> {
    let failed = |source: reqwest::Error| BuildError::Fetch {
        url: "a URL".to_owned(),
        source: source.into(),
    };
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("plywood/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .connect_timeout(Duration::from_secs(30))
        .read_timeout(Duration::from_secs(60));
    let proxies = session.environment.proxies();
    let none_for = reqwest::NoProxy::from_string(&proxies.none_for);
    for (proxy, make) in [
        (proxies.http, reqwest::Proxy::http as fn(String) -> reqwest::Result<reqwest::Proxy>),
        (proxies.https, reqwest::Proxy::https),
    ] {
        if let Some(proxy) = proxy {
            let proxy = make(proxy.to_string()).map_err(failed)?;
            builder = builder.proxy(proxy.no_proxy(none_for.clone()));
        }
    }
    Ok(builder.build().map_err(failed)?)
}
