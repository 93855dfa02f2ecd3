//! How one host lets its clients in: nothing, Basic, or Bearer tokens by scope.
//!
//! What a host wants is learned from its first 401 and kept. Tokens are shared by all requests
//! whose scopes they cover, and fetched once however many wait for one.

mod challenge;
mod scope;
mod token;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{HeaderMap, HeaderValue};
use tokio::sync::OnceCell;

use crate::credentials::{Credential, Credentials};
use crate::error::Identity;
use crate::retry::RetryPolicy;
use crate::wire::Wire;
use crate::{Result, Secret};
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
    credentials: Mutex<HashMap<String, Arc<OnceCell<Option<Credential>>>>>,
}

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

impl Doorkeeper {
    pub(crate) fn new(registry: &str) -> Self {
        Doorkeeper {
            registry: registry.to_owned(),
            door: Mutex::new(Door::Unknown),
            scout: tokio::sync::Mutex::new(()),
            slots: Mutex::default(),
            widened: Mutex::default(),
            credentials: Mutex::default(),
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
            Door::Basic => self.basic(visit).await,
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
        for challenge in challenge::challenges(headers) {
            let header = match challenge {
                Challenge::Basic => self.basic(visit).await?,
                Challenge::Bearer(service) => {
                    let more = self.widen(visit.scopes, &service.scope);
                    // A token fresh from the service was refused: another would be, too, unless
                    // it grants more.
                    if refused.renewals > 0 && !more {
                        continue;
                    }
                    self.set_door(Door::Bearer(service.clone()));
                    return self.bearer(visit, &service, refused.header).await.map(Some);
                }
            };
            if header.is_some() && header.as_ref() != refused.header {
                self.set_door(Door::Basic);
                return Ok(header);
            }
        }
        Ok(None)
    }

    /// Who a request with these values speaks for.
    pub(crate) async fn identity(&self, visit: &Visit<'_>) -> Identity {
        match self.credential(visit).await {
            Ok(Some(Credential::Password { user, .. })) => Identity::User(user),
            Ok(Some(_)) => Identity::Token,
            Ok(None) | Err(_) => Identity::Anonymous,
        }
    }

    fn door(&self) -> Door {
        self.door.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_door(&self, door: Door) {
        *self.door.lock().unwrap_or_else(PoisonError::into_inner) = door;
    }

    async fn basic(&self, visit: &Visit<'_>) -> Result<Option<HeaderValue>> {
        Ok(match self.credential(visit).await? {
            Some(Credential::Password { user, password }) => Some(basic(&user, &password)),
            _ => None,
        })
    }

    /// A token that covers the scopes: one at hand, or a new one. Whoever comes while one is being
    /// fetched waits at the slot's lock and finds it there.
    async fn bearer(
        &self,
        visit: &Visit<'_>,
        service: &TokenService,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue> {
        let credential = self.credential(visit).await?;
        if let Some(Credential::AccessToken(token)) = &credential
            && let Some(header) = bearer(token)
            && refused != Some(&header)
        {
            return Ok(header);
        }
        let (scopes, slot) = self.slot(visit.scopes);
        let mut held = slot.token.lock().await;
        if let Some(token) = &*held
            && token.is_good()
            && refused != Some(&token.header)
        {
            return Ok(token.header.clone());
        }
        *held = None;
        let fetched =
            token::fetch(visit.wire, visit.retry, service, &scopes, credential.as_ref()).await;
        let token = fetched.map_err(|error| self.name_registry(error, credential.as_ref()))?;
        let header = token.header.clone();
        *held = Some(token);
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

    async fn credential(&self, visit: &Visit<'_>) -> Result<Option<Credential>> {
        let cell = {
            let mut cells = self.credentials.lock().unwrap_or_else(PoisonError::into_inner);
            cells.entry(visit.path.to_owned()).or_default().clone()
        };
        // Helpers are programs: each is asked once for a repository.
        let find = || visit.credentials.find(&self.registry, visit.path);
        Ok(cell.get_or_try_init(find).await?.clone())
    }

    /// A token service's refusal is about the registry that sent us there.
    fn name_registry(&self, error: crate::Error, credential: Option<&Credential>) -> crate::Error {
        use crate::Error::{Denied, Unauthorized};
        let who = match credential {
            Some(Credential::Password { user, .. }) => Identity::User(user.clone()),
            Some(_) => Identity::Token,
            None => Identity::Anonymous,
        };
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
