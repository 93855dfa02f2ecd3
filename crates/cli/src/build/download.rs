//! URLs that an `ADD` names: fetched into the store, under their digest.

use std::io::Write;
use std::time::Duration;

use layer::Content;
use oci::{Digest, Digester};
use plan::Download;

use super::error::BuildError;
use crate::error::Error;
use crate::progress::Outcome;
use crate::session::Session;

/// Fetches a URL. One with a checksum that the store has is not asked for.
pub(super) fn fetch(
    session: &Session,
    url: &str,
    checksum: Option<Digest>,
) -> Result<Download, Error> {
    let store = session.store()?;
    if let Some(digest) = checksum
        && let Some(size) = store.contains(&digest)?
    {
        session.progress.at_once(format!("fetch {url}"), Outcome::Cached);
        return Ok(Download { content: Content { digest, size } });
    }
    let step = session.progress.step(format!("fetch {url}"), None);
    let mut scratch = store.scratch()?;
    let mut digester = Digester::sha256();
    let mut size = 0;
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| -> Error {
        BuildError::Fetch { url: url.to_owned(), source }.into()
    };
    session.block_on(async {
        let client = client(session)?;
        let reply = client.get(url).send().await.and_then(reqwest::Response::error_for_status);
        let mut reply = reply.map_err(|error| failed(error.without_url().into()))?;
        if let Some(total) = reply.content_length() {
            step.expect(total);
        }
        loop {
            let chunk = reply.chunk().await.map_err(|e| failed(e.without_url().into()))?;
            let Some(chunk) = chunk else { return Ok(()) };
            digester.update(&chunk);
            size += chunk.len() as u64;
            step.add(chunk.len() as u64);
            scratch.write_all(&chunk).map_err(|source| BuildError::Write {
                path: "the store's scratch space".into(),
                source,
            })?;
        }
    })?;
    let digest = digester.finish();
    if let Some(wanted) = checksum.filter(|wanted| *wanted != digest) {
        return Err(BuildError::Checksum { url: url.to_owned(), wanted, found: digest }.into());
    }
    scratch.commit_hashed(digest, size)?;
    step.finish(Outcome::Done);
    Ok(Download { content: Content { digest, size } })
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
