//! The client: hosts, their queues, what was learned of them.

use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oci::RepositoryName;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use tokio::time::Instant;
use url::Url;

use crate::auth::{Doorkeeper, ScopeSet};
use crate::call::{Call, Persistence};
use crate::event::{Observer, TransferEvent};
use crate::pace::Pace;
use crate::settings::{Scheme, Settings};
use crate::upload::manner::Manner;
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
    pub(crate) manner: Manner,
    pub(crate) pace: Pace,
    told_of_quota: AtomicBool,
    rest_until: Mutex<Option<Instant>>,
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
            manner: Manner::of(registry),
            pace: Pace::per_second(self.shared.settings.requests_per_second),
            told_of_quota: AtomicBool::new(false),
            rest_until: Mutex::default(),
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
    /// Sends nothing to the host for so long: it has asked one of us to wait, and means all.
    pub(crate) fn rest(&self, wait: Duration) {
        let until = Instant::now() + wait;
        let mut rest = self.rest_until.lock().unwrap_or_else(PoisonError::into_inner);
        *rest = Some(rest.map_or(until, |earlier| earlier.max(until)));
    }

    /// Waits until the host has had its rest.
    pub(crate) async fn rested(&self) {
        let until = *self.rest_until.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }

    /// Whether a URL is of this host, and not of one that it has sent us to.
    pub(crate) fn is_at(&self, url: &Url) -> bool {
        url.origin() == self.base.origin()
    }

    /// Whether nobody was told yet that the host's quota runs low.
    pub(crate) fn is_news(&self) -> bool {
        !self.told_of_quota.swap(true, Ordering::Relaxed)
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_registry_is() {
        let insecure = [("insecure.example:80".to_owned(), Scheme::Http)];
        let settings = Settings { schemes: insecure.into(), ..Settings::default() };
        let client = Client::new(settings).unwrap();
        let base = |name: &str| match client.host(name) {
            Ok(host) => host.base.to_string(),
            Err(error) => error.to_string(),
        };
        insta::assert_snapshot!(base("docker.io"), @"https://registry-1.docker.io/v2/");
        insta::assert_snapshot!(base("ghcr.io"), @"https://ghcr.io/v2/");
        insta::assert_snapshot!(base("localhost:5000"), @"http://localhost:5000/v2/");
        insta::assert_snapshot!(base("127.1.2.3"), @"http://127.1.2.3/v2/");
        insta::assert_snapshot!(base("[::1]:5000"), @"http://[::1]:5000/v2/");
        insta::assert_snapshot!(base("[2001:db8::1]:5000"), @"https://[2001:db8::1]:5000/v2/");
        insta::assert_snapshot!(base("localhost.example"), @"https://localhost.example/v2/");
        insta::assert_snapshot!(base("insecure.example:80"), @"http://insecure.example/v2/");
        insta::assert_snapshot!(base("user@host"), @"reach `user@host`: it is not a registry's host");
        insta::assert_snapshot!(base("host/path"), @"reach `host/path`: it is not a registry's host");
    }

    #[test]
    fn every_future_may_be_spawned() {
        fn sendable<T: Send>(_: T) {}
        let client = Client::new(Settings::default()).unwrap();
        let repository: RepositoryName = "localhost/a".parse().unwrap();
        let blob = oci::Descriptor::of(oci::MediaType::OciConfig, b"");
        let body = crate::BlobBody::Bytes(Default::default());
        sendable(client.blob(&repository, &blob, &mut Vec::new()));
        sendable(client.push_blob(&repository, &blob, &body, &[]));
        sendable(client.manifest(&repository, blob.digest));
        let root = oci::ImageIndex::new(Vec::new(), Default::default());
        let publication = crate::Publication {
            repository: repository.clone(),
            tags: Vec::new(),
            root: oci::Manifest::Index(root),
            children: Vec::new(),
            referrers: Vec::new(),
            blobs: Default::default(),
        };
        sendable(client.publish(&publication));
    }
}
