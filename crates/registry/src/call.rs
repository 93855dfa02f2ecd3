//! One request as a registry deserves it: in the host's queue, with the right credential, through
//! redirects, and again if the failure may pass.

use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue, WARNING};
use reqwest::{Method, StatusCode};
use tokio::time::sleep;
use url::Url;

use crate::answers::printable;
use crate::auth::{Refused, ScopeSet, Visit};
use crate::client::{Client, Host};
use crate::error::{RedirectProblem, RequestLine};
use crate::event::TransferEvent;
use crate::retry::{Backoff, is_passing, retry_after};
use crate::wire::{Payload, Reply};
use crate::{Error, PublicUrl, Quota, Result};

/// The most redirects in a row.
const MAX_REDIRECTS: u32 = 8;
/// The most credentials shown for one request: none, a token, one with wider scopes.
const MAX_RENEWALS: u32 = 3;

/// A request to come.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
    pub(crate) path: String,
    pub(crate) scopes: ScopeSet,
    pub(crate) admission: Admission,
}

/// Whether a request takes a place in its host's queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Admission {
    /// It waits for its turn.
    Queued,
    /// It feeds an upload that has a place already: if both wanted one, uploads that hold all of
    /// them would wait for each other's downloads without an end.
    Feeding,
}

/// Who tries again after a failure that may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Persistence {
    /// This module, from the start.
    Retry,
    /// The caller, who knows how to go on from where it broke.
    Once,
}

impl Call {
    pub(crate) fn new(method: Method, url: Url, path: &str, scopes: ScopeSet) -> Self {
        Call {
            method,
            url,
            headers: HeaderMap::new(),
            payload: Payload::Empty,
            path: path.to_owned(),
            scopes,
            admission: Admission::Queued,
        }
    }

    pub(crate) fn get(url: Url, path: &str, scopes: ScopeSet) -> Self {
        Call::new(Method::GET, url, path, scopes)
    }

    pub(crate) fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    pub(crate) fn request_line(&self) -> RequestLine {
        RequestLine::new(&self.method, &self.url)
    }

    pub(crate) fn payload(mut self, payload: Payload) -> Self {
        self.payload = payload;
        self
    }
}

impl Client {
    /// Sends the request until it has an answer that will not change by itself, whatever its
    /// status.
    pub(crate) async fn call(
        &self,
        host: &Host,
        call: Call,
        persistence: Persistence,
    ) -> Result<Reply> {
        let mut backoff = Backoff::new(host.retry);
        loop {
            let attempt = self.admitted(host, &call).await;
            let (pause, cause) = match &attempt {
                Ok(reply) if is_passing(reply.status()) => {
                    (retry_after(reply.headers()), reply.status().to_string())
                }
                Err(error @ (Error::Connection { .. } | Error::TimedOut { .. })) => {
                    (None, error.to_string())
                }
                _ => return attempt,
            };
            if persistence == Persistence::Once {
                return attempt;
            }
            let Some(wait) = backoff.next_wait(pause) else { return attempt };
            if pause.is_some() {
                host.rest(wait);
            }
            // The place in the queue is free while nothing is asked.
            drop(attempt);
            let request = call.request_line();
            self.tell(TransferEvent::Retrying { request, cause, wait });
            sleep(wait).await;
        }
    }

    /// In the host's queue, with a credential if one is needed.
    async fn admitted(&self, host: &Host, call: &Call) -> Result<Reply> {
        let visit = Visit {
            wire: self.wire(),
            credentials: &self.settings().credentials,
            retry: host.retry,
            path: &host.path(&call.path),
            scopes: &host.scopes(&call.scopes),
        };
        // Before the permit: whoever waits here must not hold what the scout needs.
        let scout = host.doorkeeper.scout().await;
        let permit = match call.admission {
            // The semaphore is never closed.
            Admission::Queued => host.permits.clone().acquire_owned().await.ok(),
            Admission::Feeding => None,
        };
        host.rested().await;
        host.pace.turn().await;
        // After the wait, in which a token may have run out.
        let mut header = host.doorkeeper.header(&visit).await?;
        let mut renewals = 0;
        let mut reply = loop {
            let reply = self.redirected(host, call, header.as_ref()).await?;
            let refusal =
                matches!(reply.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
            if refusal && !host.is_at(reply.url()) {
                // Somebody else wants to know who is asking: a redirect or an upload's location
                // has led there, and the credential is not for them.
                return Err(reply.foreign_refusal().await);
            }
            let refused = Refused { header: header.as_ref(), renewals };
            let again = match reply.status() {
                StatusCode::UNAUTHORIZED => {
                    host.doorkeeper.answer(&visit, reply.headers(), &refused).await?
                }
                StatusCode::FORBIDDEN => {
                    host.doorkeeper.answer_denial(&visit, reply.headers(), &refused).await?
                }
                _ => {
                    if header.is_none() && scout.is_some() {
                        host.doorkeeper.let_in_freely();
                    }
                    break reply;
                }
            };
            renewals += 1;
            match again {
                Some(other) if renewals <= MAX_RENEWALS => header = Some(other),
                _ => break reply,
            }
        };
        drop(scout);
        let refused = matches!(reply.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
        if refused {
            reply.who = host.doorkeeper.identity(&visit).await;
        }
        self.pass_on(host, reply.headers());
        reply.registry.clone_from(&host.name);
        reply.permit = permit;
        Ok(reply)
    }

    /// Tells what a registry says beside its answer.
    fn pass_on(&self, host: &Host, headers: &HeaderMap) {
        let registry = || host.name.clone();
        if let Some(quota) = Quota::of(headers).filter(Quota::runs_low)
            && host.is_news("quota")
        {
            self.tell(TransferEvent::QuotaLow { registry: registry(), quota });
        }
        for text in warnings(headers).filter(|text| host.is_news(text)) {
            self.tell(TransferEvent::Warned { registry: registry(), text });
        }
    }

    /// Through redirects. The credential stays with the host that it is for: blobs are often kept
    /// by another, whose signed URLs even refuse a second credential.
    async fn redirected(
        &self,
        host: &Host,
        call: &Call,
        authorization: Option<&HeaderValue>,
    ) -> Result<Reply> {
        let mut url = call.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let mut headers = call.headers.clone();
            if host.is_at(&url) {
                headers.extend(host.headers.iter().cloned());
            }
            if let Some(value) = authorization
                && host.is_at(&url)
                && self.wire().may_carry_credentials(&url)
            {
                headers.insert(AUTHORIZATION, value.clone());
            }
            let reply = self.wire().exchange(&call.method, &url, headers, &call.payload).await?;
            if !redirects(&call.method, reply.status()) {
                return Ok(reply);
            }
            let text = reply.location()?;
            let to =
                url.join(text).map_err(|_| reply.bad(crate::AnswerProblem::Header("Location")))?;
            if url.scheme() == "https" && to.scheme() != "https" {
                return Err(bad_redirect(call, &to, RedirectProblem::Downgrade));
            }
            url = to;
        }
        Err(bad_redirect(call, &url, RedirectProblem::TooMany))
    }
}

/// 301, 302 and 303 turn other methods into GET (RFC 9110, 15.4), which is never meant here.
fn redirects(method: &Method, status: StatusCode) -> bool {
    match status.as_u16() {
        307 | 308 => true,
        301..=303 => *method == Method::GET || *method == Method::HEAD,
        _ => false,
    }
}

/// `Warning: 299 - "text"` (distribution-spec 1.1, "Warnings"), which is the only form there is.
fn warnings(headers: &HeaderMap) -> impl Iterator<Item = String> + '_ {
    headers.get_all(WARNING).iter().filter_map(|value| {
        let quoted = value.to_str().ok()?.strip_prefix("299 - \"")?.strip_suffix('"')?;
        Some(printable(&quoted.replace("\\\"", "\"").replace("\\\\", "\\")))
    })
}

fn bad_redirect(call: &Call, to: &Url, problem: RedirectProblem) -> Error {
    Error::BadRedirect { request: call.request_line(), to: PublicUrl::from(to), problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_registries_warn_of() {
        let mut headers = HeaderMap::new();
        for value in [
            r#"299 - "this name \"goes\" away""#,
            r#"299 - "a\\b""#,
            r#"199 registry "stale""#,
            "299 - unquoted",
        ] {
            headers.append(WARNING, value.parse().unwrap());
        }
        let found: Vec<String> = warnings(&headers).collect();
        assert_eq!(found, [r#"this name "goes" away"#, r"a\b"]);
    }
}
