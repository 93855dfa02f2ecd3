//! Packages on their way from an archive: several at once, each going on where it broke off.

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use debian::Fetch;
use oci::Digest;
use reqwest::StatusCode;
use reqwest::header::{ACCEPT_ENCODING, CONTENT_RANGE, RANGE};
use store::{Incoming, StoreError};

use crate::build::download::{self, Fetched, Wanted};
use crate::build::error::BuildError;
use crate::build::gather::Gatherer;
use crate::error::Error;
use crate::flags::NetworkUse;
use crate::progress::Step;

/// How many files come side by side.
pub(super) const SIDE_BY_SIDE: usize = 8;
/// How often a download is tried again that makes no progress.
const RETRIES: u32 = 3;
/// The most that a list may have which nobody has announced.
const LARGEST_LIST: u64 = 1 << 30;

fn wanted<'f>(fetch: &'f Fetch, shown: &'f str) -> Wanted<'f> {
    let most = fetch.size.unwrap_or(LARGEST_LIST);
    let Fetch { url, sha256, login, proxy, .. } = fetch;
    Wanted { url, shown, checksum: *sha256, most, login: login.as_ref(), proxy }
}

/// Fetches a file into the store; `None` if there is none. Where the lock says enough of one that
/// cannot be had any more, that is as good.
pub(super) fn fetch(
    gatherer: &Gatherer<'_>,
    fetch: &Fetch,
) -> Result<Option<layer::Content>, Error> {
    let pins = &gatherer.pins;
    let announced = fetch.sha256.zip(fetch.size);
    let (pin, known) = match announced {
        Some((digest, size)) => (None, Some(lock::File { digest, size })),
        None if fetch.sha256.is_some() => (None, None),
        None => match pins.archive(fetch)? {
            Some(Some(taken)) => (Some(taken.file), Some(taken.file)),
            Some(None) => return Ok(None),
            None => (None, None),
        },
    };
    if let Some(file) = known.filter(|file| pins.has_abridged(fetch, &file.digest)) {
        return fetch_or_vouch(gatherer, fetch, file).map(Some);
    }
    let fetched = download::fetch_pinned(gatherer, &wanted(fetch, &fetch.title), pin);
    match fetched.map_err(unreachable)? {
        Fetched::Content(content) => Ok(Some(content)),
        Fetched::Nothing(_) => Ok(None),
        Fetched::Other(found) => Err(other(fetch, &fetch.title, found)),
    }
}

/// Fetches a file that the lock has abridged, if it is still there.
fn fetch_or_vouch(
    gatherer: &Gatherer<'_>,
    fetch: &Fetch,
    file: lock::File,
) -> Result<layer::Content, Error> {
    let Gatherer { session, clients, cache, pins, .. } = gatherer;
    let lock::File { digest, size } = file;
    let is_offline = session.settings.network == NetworkUse::Offline;
    if !is_offline || session.store()?.contains(&digest)?.is_some() {
        let wanted = Wanted { checksum: Some(digest), ..wanted(fetch, &fetch.title) };
        match download::fetch_if_there(session, clients, &wanted, *cache) {
            Ok(Fetched::Content(content)) => return Ok(content),
            Ok(Fetched::Other(_) | Fetched::Nothing(_)) => {}
            Err(error) if is_too_long(&error) => {}
            Err(error) => return Err(unreachable(error)),
        }
    }
    pins.vouch(fetch, digest);
    Ok(layer::Content { digest, size })
}

/// Whether more came than was announced, so that it is something else.
fn is_too_long(error: &Error) -> bool {
    matches!(error, Error::Build(error) if matches!(**error, BuildError::TooLong { .. }))
}

/// What an address gives now, whatever is pinned.
pub(in crate::build) fn fetch_anew(
    gatherer: &Gatherer<'_>,
    fetch: &Fetch,
) -> Result<Option<layer::Content>, Error> {
    let Gatherer { session, clients, cache, .. } = gatherer;
    let fetched = download::fetch_if_there(session, clients, &wanted(fetch, &fetch.title), *cache);
    match fetched.map_err(unreachable)? {
        Fetched::Content(content) => Ok(Some(content)),
        Fetched::Other(_) | Fetched::Nothing(_) => Ok(None),
    }
}

fn other(fetch: &Fetch, shown: &str, found: Digest) -> Error {
    let wanted = fetch.sha256.unwrap_or(found);
    BuildError::FetchedDigest { what: shown.to_owned(), wanted, found }.into()
}

/// That a list does not come, which has a way out of its own.
fn unreachable(error: Error) -> Error {
    match error {
        Error::Build(error) => match *error {
            BuildError::Fetch { url: what, source } => BuildError::Archive { what, source }.into(),
            other => other.into(),
        },
        other => other,
    }
}

/// What a package is called that does not come.
fn shown(fetch: &Fetch) -> String {
    format!("{} from {}", fetch.title, fetch.url)
}

/// Downloads a package whose digest is known, to be read once.
pub(super) fn bring(
    gatherer: &Gatherer<'_>,
    fetch: &Fetch,
    digest: Digest,
    step: &Step,
) -> Result<File, Error> {
    let session = gatherer.session;
    let store = session.store()?;
    // A recipe may have fetched it, too.
    let Some(mut incoming) = store.partial_of(digest).wait()? else {
        return Ok(store.open_blob(&digest)?);
    };
    session.online(&shown(fetch))?;
    if fetch.size.is_some_and(|size| incoming.written() > size) {
        incoming.restart()?;
    }
    step.add(incoming.written());
    let client = gatherer.clients.by(session, &fetch.proxy)?;
    let mut failures = 0;
    loop {
        let before = incoming.written();
        let came = session.block_on(go_on(&client, fetch, &mut incoming, step));
        match came {
            Ok(()) => break,
            Err(error) if !is_passing(&error) => return Err(error),
            // What makes progress is not given up.
            Err(_) if incoming.written() > before => failures = 0,
            Err(error) if failures == RETRIES => return Err(error),
            Err(_) => failures += 1,
        }
        std::thread::sleep(Duration::from_millis(250) * 2u32.pow(failures));
    }
    match incoming.into_file() {
        Err(StoreError::DigestMismatch { actual, .. }) => Err(other(fetch, &shown(fetch), *actual)),
        other => Ok(other?),
    }
}

/// Whether the same question may get an answer a moment later.
fn is_passing(error: &Error) -> bool {
    let Error::Build(error) = error else { return false };
    let BuildError::Archive { source, .. } = &**error else { return false };
    let status = source.downcast_ref::<reqwest::Error>().and_then(reqwest::Error::status);
    status.is_none_or(|status| status.is_server_error() || status.as_u16() == 429)
}

/// Asks for what is missing, and writes it.
async fn go_on(
    client: &reqwest::Client,
    fetch: &Fetch,
    incoming: &mut Incoming,
    step: &Step,
) -> Result<(), Error> {
    let (shown, offset) = (&shown(fetch), incoming.written());
    let failed = |error: reqwest::Error| match error.status() {
        Some(StatusCode::NOT_FOUND) => BuildError::NoPackage(shown.clone()).into(),
        _ => unreachable(download::failed(shown, error.without_url().into())),
    };
    if fetch.size == Some(offset) {
        return Ok(());
    }
    // A range is one of the bytes as they are stored.
    let mut request =
        download::request(client, &wanted(fetch, shown)).header(ACCEPT_ENCODING, "identity");
    if offset > 0 {
        request = request.header(RANGE, format!("bytes={offset}-"));
    }
    let reply = request.send().await.map_err(failed)?;
    let mut skip = match reply.status() {
        StatusCode::PARTIAL_CONTENT if starts_at(&reply) == Some(offset) => 0,
        StatusCode::RANGE_NOT_SATISFIABLE => return Ok(()),
        // Not every host knows ranges.
        StatusCode::OK => offset,
        _ => {
            let refused = reply.error_for_status();
            let odd = || download::failed(shown, "the host answers with another range".into());
            let odd = || unreachable(odd());
            return Err(refused.map_or_else(failed, |_| odd()));
        }
    };
    let mut reply = reply;
    while let Some(chunk) = reply.chunk().await.map_err(failed)? {
        let known = skip.min(chunk.len() as u64);
        skip -= known;
        let fresh = &chunk[usize::try_from(known).unwrap_or(chunk.len())..];
        let most = fetch.size.unwrap_or(u64::MAX);
        if fresh.len() as u64 > most.saturating_sub(incoming.written()) {
            return Err(BuildError::TooLong { what: shown.clone(), most }.into());
        }
        let written = incoming.write_all(fresh);
        written.map_err(|source| BuildError::Keep { what: shown.clone(), source })?;
        step.add(fresh.len() as u64);
    }
    Ok(())
}

/// Where the part begins that came (RFC 9110, section 14.4).
fn starts_at(reply: &reqwest::Response) -> Option<u64> {
    let range = reply.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    range.strip_prefix("bytes ")?.split('-').next()?.parse().ok()
}
