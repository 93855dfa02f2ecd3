//! How one host lets its clients in: nothing, Basic, or Bearer tokens by scope.
//!
//! What a host wants is learned from its first 401 and kept. Tokens are shared by all requests
//! whose scopes they cover, and fetched once however many wait for one.

mod challenge;
mod scope;
mod token;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::credentials::{Credential, Credentials, Held, Origin, Search};
use crate::error::Identity;
use crate::retry::RetryPolicy;
use crate::wire::Wire;
use crate::{Error, Result, Secret};
use challenge::{Challenge, TokenService};
pub(crate) use scope::ScopeSet;
use token::Token;

/// What is known of how a host lets one in.
#[derive(Debug, Clone)]
enum Door {
    /// Nothing was asked of it yet.
    Unknown,
    /// It let a request in that carried nothing.
    Open,
    /// Name and password with each request.
    Basic,
    /// A token with each request.
    Bearer(TokenService),
}

/// Lets requests into one host.
pub(crate) struct Doorkeeper {
    registry: String,
    door: Mutex<Door>,
    /// Held by the first request of all, so that not all of them learn the same from a 401.
    scout: tokio::sync::Mutex<()>,
    slots: Mutex<BTreeMap<ScopeSet, Arc<Slot>>>,
    /// Scopes that turned out to need others beside them.
    widened: Mutex<BTreeMap<ScopeSet, ScopeSet>>,
    /// By the repository's path.
    credentials: Mutex<HashMap<String, Arc<tokio::sync::Mutex<Option<Looked>>>>>,
    /// Identity tokens in whose place their service has given others.
    rotated: Mutex<HashMap<Secret, Secret>>,
}

/// What came of looking for a credential.
struct Looked {
    held: Option<Held>,
    /// It was refused, and looking again at this time found the same one.
    fruitless: Option<Instant>,
}

/// How long nobody is asked for another credential who has just given the same one again.
const FRUITLESS: Duration = Duration::from_secs(60);

#[derive(Default)]
struct Slot {
    token: tokio::sync::Mutex<Option<Token>>,
}

/// What a request needs in order to be let in.
pub(crate) struct Visit<'a> {
    pub(crate) wire: &'a Wire,
    pub(crate) credentials: &'a Credentials,
    pub(crate) retry: RetryPolicy,
    /// The repository's path, for credentials that are kept by path.
    pub(crate) path: &'a str,
    pub(crate) scopes: &'a ScopeSet,
}

/// A header that was refused, and how many were tried before it for the same request.
pub(crate) struct Refused<'a> {
    pub(crate) header: Option<&'a HeaderValue>,
    pub(crate) renewals: u32,
}

impl Refused<'_> {
    fn is_token(&self) -> bool {
        self.header.is_some_and(|header| header.as_bytes().starts_with(b"Bearer "))
    }
}

impl Doorkeeper {
    pub(crate) fn new(registry: &str) -> Self {
        Doorkeeper {
            registry: registry.to_owned(),
            door: Mutex::new(Door::Unknown),
            scout: tokio::sync::Mutex::new(()),
            slots: Mutex::default(),
            widened: Mutex::default(),
            credentials: Mutex::default(),
            rotated: Mutex::default(),
        }
    }

    /// Waits until the host's ways are known, or is the one who finds out while it holds the
    /// guard.
    pub(crate) async fn scout(&self) -> Option<tokio::sync::MutexGuard<'_, ()>> {
        if !matches!(self.door(), Door::Unknown) {
            return None;
        }
        let guard = self.scout.lock().await;
        matches!(self.door(), Door::Unknown).then_some(guard)
    }

    /// Notes that a request was let in with nothing to show.
    pub(crate) fn let_in_freely(&self) {
        let mut door = self.door.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*door, Door::Unknown) {
            *door = Door::Open;
        }
    }

    /// The `Authorization` that a request should carry, as far as is known.
    pub(crate) async fn header(&self, visit: &Visit<'_>) -> Result<Option<HeaderValue>> {
        match self.door() {
            Door::Unknown | Door::Open => Ok(None),
            Door::Basic => self.basic(visit, None).await,
            Door::Bearer(service) => self.bearer(visit, &service, None).await.map(Some),
        }
    }

    /// Another `Authorization` after a 401, or `None` if there is nothing else to show.
    pub(crate) async fn answer(
        &self,
        visit: &Visit<'_>,
        headers: &HeaderMap,
        refused: &Refused<'_>,
    ) -> Result<Option<HeaderValue>> {
        let mut failure = None;
        for challenge in challenge::challenges(headers) {
            let header = match challenge {
                // What was had for this very request and refused would be again.
                Challenge::Basic if refused.renewals > 0 => self.basic(visit, None).await?,
                Challenge::Basic => self.basic(visit, refused.header).await?,
                Challenge::Bearer(service) => {
                    let more = self.widen(visit.scopes, &service.scope);
                    // A token fresh from the service was refused: another would be, too, unless
                    // it grants more.
                    let was_fresh = refused.renewals > 0 && refused.is_token();
                    if was_fresh && !more {
                        continue;
                    }
                    match self.bearer(visit, &service, refused.header).await {
                        Ok(header) => {
                            self.set_door(Door::Bearer(service));
                            return Ok(Some(header));
                        }
                        // The registry itself may still take what its token service does not.
                        Err(error @ Error::Unauthorized { .. }) => failure = Some(error),
                        Err(error) => return Err(error),
                    }
                    continue;
                }
            };
            if header.is_some() && header.as_ref() != refused.header {
                self.set_door(Door::Basic);
                return Ok(header);
            }
        }
        failure.map_or(Ok(None), Err)
    }

    /// Another `Authorization` after a 403 that asks for wider scopes (RFC 6750, 3.1). Whatever
    /// else a 403 says is the end of it.
    pub(crate) async fn answer_denial(
        &self,
        visit: &Visit<'_>,
        headers: &HeaderMap,
        refused: &Refused<'_>,
    ) -> Result<Option<HeaderValue>> {
        for challenge in challenge::challenges(headers) {
            let Challenge::Bearer(service) = challenge else { continue };
            if service.wants_more && self.widen(visit.scopes, &service.scope) {
                return self.bearer(visit, &service, refused.header).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Who a request with these values speaks for.
    pub(crate) async fn identity(&self, visit: &Visit<'_>) -> Identity {
        self.held(visit, None).await.map_or(Identity::Anonymous, |held| identity(held.as_ref()))
    }

    fn door(&self) -> Door {
        self.door.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_door(&self, door: Door) {
        *self.door.lock().unwrap_or_else(PoisonError::into_inner) = door;
    }

    /// A credential's header; another one than was refused, if there is one to be had.
    async fn basic(
        &self,
        visit: &Visit<'_>,
        refused: Option<&HeaderValue>,
    ) -> Result<Option<HeaderValue>> {
        let header = |held: &Option<Held>| match held.as_ref()?.credential {
            Credential::Password { ref user, ref password } => Some(basic(user, password)),
            _ => None,
        };
        let held = self.held(visit, None).await?;
        let shown = header(&held);
        if shown.is_none() || shown.as_ref() != refused {
            return Ok(shown);
        }
        let again = self.held(visit, held.as_ref().map(|held| &held.credential)).await?;
        Ok(header(&again))
    }

    /// A token that covers the scopes: one at hand, or a new one. Whoever comes while one is being
    /// fetched waits at the slot's lock and finds it there.
    async fn bearer(
        &self,
        visit: &Visit<'_>,
        service: &TokenService,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue> {
        let mut held = self.held(visit, None).await?;
        if let Some(Held { credential: Credential::AccessToken(token), .. }) = &held
            && let Some(header) = bearer(token)
            && refused != Some(&header)
        {
            return Ok(header);
        }
        let (scopes, slot) = self.slot(visit.scopes);
        let mut token = slot.token.lock().await;
        if let Some(token) = &*token
            && token.is_good()
            && refused != Some(&token.header)
        {
            return Ok(token.header.clone());
        }
        *token = None;
        let fetch = async |held: Option<&Held>| {
            let credential = held.map(|held| &held.credential);
            token::fetch(visit.wire, visit.retry, service, &scopes, credential).await
        };
        let mut fetched = fetch(held.as_ref()).await;
        if let (Err(error), Some(before)) = (&fetched, &held)
            && refuses_credential(error)
        {
            let again = self.held(visit, Some(&before.credential)).await?;
            if again.as_ref().is_some_and(|again| again.credential != before.credential) {
                fetched = fetch(again.as_ref()).await;
                held = again;
            }
        }
        let fetched = fetched.map_err(|error| self.name_registry(error, held.as_ref()))?;
        if let (Some(fresh), Some(held)) = (fetched.identity_token, &held) {
            self.rotate(&held.credential, fresh);
        }
        let header = fetched.token.header.clone();
        *token = Some(fetched.token);
        Ok(header)
    }

    /// The slot whose scopes cover these, or a new one.
    fn slot(&self, asked: &ScopeSet) -> (ScopeSet, Arc<Slot>) {
        let widened = self.widened.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = widened.get(asked).unwrap_or(asked);
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(wanted) {
            return (wanted.clone(), slot.clone());
        }
        if let Some((scopes, slot)) = slots.iter().find(|(scopes, _)| scopes.covers(wanted)) {
            return (scopes.clone(), slot.clone());
        }
        let slot = slots.entry(wanted.clone()).or_default().clone();
        (wanted.clone(), slot)
    }

    /// Notes that a request needs `demanded` beside what was asked; says whether that is news.
    fn widen(&self, asked: &ScopeSet, demanded: &ScopeSet) -> bool {
        let mut widened = self.widened.lock().unwrap_or_else(PoisonError::into_inner);
        let known = widened.get(asked).unwrap_or(asked);
        if known.covers(demanded) {
            return false;
        }
        let wider = known.clone().and(demanded);
        widened.insert(asked.clone(), wider);
        true
    }

    /// The credential at hand: looked for if it is the first time, if it has run out, or if it is
    /// the one that was `refused` and another may be lent. Whoever comes meanwhile waits.
    async fn held(&self, visit: &Visit<'_>, refused: Option<&Credential>) -> Result<Option<Held>> {
        let slot = {
            let mut slots = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
            slots.entry(visit.path.to_owned()).or_default().clone()
        };
        let mut looked = slot.lock().await;
        let mut refused_source = None;
        if let Some(Looked { held, fruitless }) = &*looked {
            let now = held.clone().map(|held| self.current(held));
            let is_refused = now.as_ref().is_some_and(|now| refused == Some(&now.credential));
            let lent = held.as_ref().is_some_and(|held| held.from != Origin::Kept);
            let good = held.as_ref().is_none_or(Held::is_good);
            let fruitless = fruitless.is_some_and(|at| at.elapsed() < FRUITLESS);
            if good && !(is_refused && lent && !fruitless) {
                return Ok(now);
            }
            refused_source = held.as_ref().filter(|_| is_refused).map(|held| &held.credential);
        }
        let search = Search {
            wire: visit.wire,
            retry: visit.retry,
            registry: &self.registry,
            path: visit.path,
            refused: refused_source,
        };
        // Helpers are programs: each is asked once for a repository.
        let held = visit.credentials.find(search).await?;
        let found = held.as_ref().map(|held| &held.credential);
        let same = refused_source.is_some() && found == refused_source;
        *looked = Some(Looked { held: held.clone(), fruitless: same.then(Instant::now) });
        Ok(held.map(|held| self.current(held)))
    }

    /// The credential with the identity token that has come into its place.
    fn current(&self, mut held: Held) -> Held {
        let rotated = self.rotated.lock().unwrap_or_else(PoisonError::into_inner);
        while let Credential::IdentityToken(token) = &held.credential
            && let Some(fresh) = rotated.get(token)
        {
            held.credential = Credential::IdentityToken(fresh.clone());
        }
        held
    }

    /// RFC 6749, 6: "The authorization server MAY issue a new refresh token, in which case the
    /// client MUST discard the old refresh token and replace it with the new refresh token."
    fn rotate(&self, used: &Credential, fresh: Secret) {
        let Credential::IdentityToken(old) = used else { return };
        if *old != fresh {
            let mut rotated = self.rotated.lock().unwrap_or_else(PoisonError::into_inner);
            // One that comes back ends the chain: it must not become a circle.
            rotated.remove(&fresh);
            rotated.insert(old.clone(), fresh);
        }
    }

    /// A token service's refusal is about the registry that sent us there.
    fn name_registry(&self, error: Error, held: Option<&Held>) -> Error {
        use crate::Error::{Denied, Unauthorized};
        let who = identity(held);
        let here = self.registry.clone();
        match error {
            Unauthorized { request, answers, .. } => {
                Unauthorized { request, identity: who, answers, registry: here }
            }
            Denied { request, answers, .. } => {
                Denied { request, identity: who, answers, registry: here }
            }
            other => other,
        }
    }
}

fn identity(held: Option<&Held>) -> Identity {
    match held {
        None => Identity::Anonymous,
        Some(Held { from: Origin::Cloud(source), .. }) => Identity::Cloud(source.clone()),
        Some(Held { credential: Credential::Password { user, .. }, .. }) => {
            Identity::User(user.clone())
        }
        Some(_) => Identity::Token,
    }
}

/// Whether a token service's answer is about who asks: 401, or OAuth2's 400 `invalid_grant`
/// (RFC 6749, 5.2).
fn refuses_credential(error: &Error) -> bool {
    match error {
        Error::Unauthorized { .. } => true,
        Error::Refused { status, .. } => *status == StatusCode::BAD_REQUEST,
        _ => false,
    }
}

/// RFC 7617: `user:password` in base64.
fn basic(user: &str, password: &Secret) -> HeaderValue {
    let text = format!("Basic {}", STANDARD.encode(format!("{user}:{}", password.expose())));
    // Base64 is always a header's text.
    let mut value = HeaderValue::from_str(&text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// RFC 6750, 2.1; `None` if the token has characters that no header can carry.
fn bearer(token: &Secret) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", token.expose())).ok()?;
    value.set_sensitive(true);
    Some(value)
}
