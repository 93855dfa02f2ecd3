//! The client: hosts, their queues, what was learned of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use oci::RepositoryName;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use url::Url;

use crate::auth::{Doorkeeper, ScopeSet};
use crate::call::{Call, Persistence};
use crate::event::{Observer, TransferEvent};
use crate::settings::{Scheme, Settings};
use crate::wire::Wire;
use crate::{Error, Result};

/// Docker Hub's registry answers at another name than references give (distribution
/// `reference/normalize.go` has the one, Docker's daemon the other).
const DOCKER_HUB: &str = "docker.io";
const DOCKER_HUB_HOST: &str = "registry-1.docker.io";

/// Speaks to registries. Clones share connections, tokens and limits.
///
/// Needs a tokio runtime with I/O and time.
#[derive(Clone)]
pub struct Client {
    shared: Arc<Shared>,
    observer: Observer,
}

struct Shared {
    wire: Wire,
    settings: Settings,
    hosts: Mutex<HashMap<String, Arc<Host>>>,
    cleanups: Mutex<JoinSet<()>>,
}

/// One registry, as this process knows it.
pub(crate) struct Host {
    /// As references name it.
    pub(crate) name: String,
    /// Where its API is: `…/v2/`.
    pub(crate) base: Url,
    pub(crate) permits: Arc<Semaphore>,
    pub(crate) doorkeeper: Doorkeeper,
}

impl Client {
    /// A client that behaves as set.
    pub fn new(settings: Settings) -> Result<Self> {
        let shared = Shared {
            wire: Wire::new(&settings)?,
            settings,
            hosts: Mutex::default(),
            cleanups: Mutex::default(),
        };
        Ok(Client { shared: Arc::new(shared), observer: Observer::default() })
    }

    /// The same client, telling `observer` what it does.
    pub fn observed(&self, observer: Observer) -> Self {
        Client { shared: self.shared.clone(), observer }
    }

    /// Asks whether a registry is there and lets one in: `GET /v2/` (distribution-spec 1.1,
    /// "Determining Support").
    pub async fn ping(&self, registry: &str) -> Result<()> {
        let host = self.host(registry)?;
        let call = Call::get(host.base.clone(), "", ScopeSet::identity());
        let mut reply = self.call(&host, call, Persistence::Retry).await?.success().await?;
        // Read to the end, so that the connection can be used again.
        let _ = reply.body(64 * 1024).await;
        Ok(())
    }

    /// Waits until what was begun in the background is done: abandoned upload sessions are being
    /// deleted there. A program that is about to end calls this after a failed push.
    pub async fn settle(&self) {
        loop {
            let mut cleanups = std::mem::take(&mut *self.cleanups());
            if cleanups.is_empty() {
                return;
            }
            while cleanups.join_next().await.is_some() {}
        }
    }

    pub(crate) fn host(&self, registry: &str) -> Result<Arc<Host>> {
        let mut hosts = self.shared.hosts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(host) = hosts.get(registry) {
            return Ok(host.clone());
        }
        let scheme = match self.shared.wire.scheme(registry) {
            Scheme::Http => "http",
            Scheme::Https => "https",
        };
        let address = if registry == DOCKER_HUB { DOCKER_HUB_HOST } else { registry };
        let base = Url::parse(&format!("{scheme}://{address}/v2/"))
            .ok()
            .filter(|url| url.path() == "/v2/" && url.username().is_empty())
            .ok_or_else(|| Error::BadHost { registry: registry.to_owned() })?;
        let limit = self.shared.settings.requests_per_host.max(1);
        let host = Arc::new(Host {
            name: registry.to_owned(),
            base,
            permits: Arc::new(Semaphore::new(limit)),
            doorkeeper: Doorkeeper::new(registry),
        });
        hosts.insert(registry.to_owned(), host.clone());
        Ok(host)
    }

    /// Does `work` in the background; [`Client::settle`] waits for it.
    pub(crate) fn clean_up(&self, work: impl Future<Output = ()> + Send + 'static) {
        // Without a runtime the process is ending, and nothing more can be done.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let mut cleanups = self.cleanups();
            while cleanups.try_join_next().is_some() {}
            cleanups.spawn_on(work, &runtime);
        }
    }

    /// Does `work` to its end even if whoever waits here gives up: a session that a registry is
    /// about to open must be known, or it cannot be deleted. `None` if the runtime is ending.
    pub(crate) async fn see_through<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = oneshot::channel();
        self.clean_up(async move {
            // What nobody takes is dropped, and cleans up after itself.
            let _ = sender.send(work.await);
        });
        receiver.await.ok()
    }

    pub(crate) fn wire(&self) -> &Wire {
        &self.shared.wire
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    pub(crate) fn tell(&self, event: TransferEvent) {
        self.observer.tell(event);
    }

    fn cleanups(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.shared.cleanups.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Host {
    /// A URL within a repository: `…/v2/PATH/KIND/NAME`.
    pub(crate) fn url(&self, repository: &RepositoryName, tail: &str) -> Result<Url> {
        // A repository's path and the tails have no character that a URL would change.
        self.base
            .join(&format!("{}/{tail}", repository.path()))
            .map_err(|_| Error::BadHost { registry: self.name.clone() })
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("settings", &self.shared.settings)
            .field("observer", &self.observer)
            .finish_non_exhaustive()
    }
}
