//! One place where repositories are: a registry's own host, or a mirror of it, as this process
//! knows it.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oci::RepositoryName;
use reqwest::header::{HeaderName, HeaderValue};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use url::Url;

use crate::auth::{Doorkeeper, ScopeSet};
use crate::hosts::Rewrite;
use crate::pace::Pace;
use crate::retry::RetryPolicy;
use crate::upload::manner::Manner;
use crate::{Error, Result};

/// A mirror that cannot be reached, or that lacks what is asked for, is passed over for so long.
const MIRROR_REST: Duration = Duration::from_secs(60);
/// How much is passed on of what a host says to people.
const MAX_TOLD: usize = 16;

/// A place where repositories are. Those at one address share their queue, tokens, rest
/// and what was learned of them.
pub(crate) struct Host {
    /// As references name it, and as credentials are kept for it.
    pub(crate) name: String,
    /// Where its API is: `…/v2/`.
    pub(crate) base: Url,
    /// Whose repositories these are.
    pub(crate) role: Role,
    /// What a repository is called there.
    pub(crate) rewrite: Rewrite,
    /// The registry that the mirror is asked to stand in for: containerd's `ns`.
    pub(crate) namespace: Option<String>,
    /// What every request to it carries. The values may be secrets and are marked so.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// How often and how long a request to it is tried again.
    pub(crate) retry: RetryPolicy,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) doorkeeper: Arc<Doorkeeper>,
    pub(crate) manner: Arc<Manner>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) rest: Arc<Rest>,
}

/// Whose repositories a host has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Role {
    /// Its own: what is not there does not exist.
    Origin,
    /// Another's, and perhaps not all of them.
    Mirror,
}

/// When the hosts at an address are to be left alone.
#[derive(Default)]
pub(crate) struct Rest {
    /// All requests wait.
    asked_until: Mutex<Option<Instant>>,
    /// Reads go elsewhere.
    down_until: Mutex<Option<Instant>>,
    /// Reads of these repositories go elsewhere.
    lacking_until: Mutex<HashMap<String, Instant>>,
    /// What was told of it.
    told: Mutex<HashSet<String>>,
}

impl Host {
    /// Sends nothing to the host for so long: it has asked one of us to wait, and means all.
    pub(crate) fn rest(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut rest = self.rest.asked_until.lock().unwrap_or_else(PoisonError::into_inner);
        *rest = Some(rest.map_or(until, |earlier| earlier.max(until)));
    }

    /// Waits until the host has had its rest.
    pub(crate) async fn rested(&self) {
        let until = *self.rest.asked_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Whether nobody was told this of the host yet. It may say a great deal that is new: there is
    /// an end to that.
    pub(crate) fn is_news(&self, text: &str) -> bool {
        let mut told = self.rest.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.len() < MAX_TOLD && told.insert(text.to_owned())
    }

    /// Whether a URL is of this host, and not of one that it has sent us to.
    pub(crate) fn is_at(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Notes that nobody answers there.
    pub(crate) fn is_down(&self) {
        let mut down = self.rest.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        *down = Some(Instant::now() + MIRROR_REST);
    }

    /// Notes that it does not have all of a repository, does not let us in there, or has other
    /// bytes than it should.
    pub(crate) fn is_lacking(&self, repository: &RepositoryName) {
        let mut lacking = self.rest.lacking_until.lock().unwrap_or_else(PoisonError::into_inner);
        lacking.insert(repository.to_string(), Instant::now() + MIRROR_REST);
    }

    /// What a repository's path is at this host.
    pub(crate) fn path(&self, path: &str) -> String {
        self.rewrite.apply(path)
    }

    /// What a token for this host has to allow, where `scopes` say it of the names that are asked
    /// for.
    pub(crate) fn scopes(&self, scopes: &ScopeSet) -> ScopeSet {
        if self.rewrite.changes_nothing() {
            return scopes.clone();
        }
        scopes.renamed(|path| self.path(path))
    }

    /// A URL within a repository: `…/v2/PATH/KIND/NAME`.
    pub(crate) fn url(&self, repository: &RepositoryName, tail: &str) -> Result<Url> {
        let bad = || Error::BadHost { registry: self.name.clone() };
        let path = self.path(repository.path());
        if path.is_empty() {
            return Err(bad());
        }
        // A repository's path and the tails have no character that a URL would change.
        let mut url = self.base.join(&format!("{path}/{tail}")).map_err(|_| bad())?;
        if let Some(registry) = &self.namespace {
            url.query_pairs_mut().append_pair("ns", registry);
        }
        Ok(url)
    }
}

impl Rest {
    /// Whether it is worth asking a mirror for something of a repository.
    pub(crate) fn may_serve(&self, repository: &RepositoryName) -> bool {
        let now = Instant::now();
        let down = *self.down_until.lock().unwrap_or_else(PoisonError::into_inner);
        let lacking = self.lacking_until.lock().unwrap_or_else(PoisonError::into_inner);
        let lacking = lacking.get(&repository.to_string()).copied();
        ![down, lacking].into_iter().flatten().any(|until| now < until)
    }
}
