//! The client: what its clones share, and where repositories are found.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use oci::RepositoryName;
use reqwest::header::{HeaderName, HeaderValue};
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;
use url::Url;

use crate::auth::{Doorkeeper, ScopeSet};
use crate::call::{Call, Persistence};
use crate::event::{Observer, TransferEvent};
pub(crate) use crate::host::Host;
use crate::host::{Rest, Role};
use crate::hosts::{Endpoint, Mirror, Serves};
use crate::pace::Pace;
use crate::retry::RetryPolicy;
use crate::settings::Settings;
use crate::transport::{DOCKER_HUB, DOCKER_HUB_HOST};
use crate::upload::manner::Manner;
use crate::wire::Wire;
use crate::{Error, Result};

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
    hosts: tokio::sync::Mutex<HashMap<(Endpoint, Role), Arc<Host>>>,
    /// What the hosts at one address have in common.
    addresses: Mutex<HashMap<String, Address>>,
    cleanups: Mutex<JoinSet<()>>,
    /// Held while a list of referrers is read and written again.
    listing: tokio::sync::Mutex<()>,
}

#[derive(Clone)]
struct Address {
    permits: Arc<Semaphore>,
    doorkeeper: Arc<Doorkeeper>,
    manner: Arc<Manner>,
    pace: Arc<Pace>,
    rest: Arc<Rest>,
}

/// A mirror gets one more try, soon: whoever has another place to ask does not wait.
const MIRROR_ATTEMPTS: u32 = 2;
const MIRROR_BUDGET: Duration = Duration::from_secs(2);

impl Client {
    /// A client that behaves as set.
    pub fn new(settings: Settings) -> Result<Self> {
        let shared = Shared {
            wire: Wire::new(&settings)?,
            settings,
            hosts: tokio::sync::Mutex::default(),
            addresses: Mutex::default(),
            cleanups: Mutex::default(),
            listing: tokio::sync::Mutex::default(),
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
        let host = self.place(&Endpoint::of(registry), Role::Origin).await?;
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

    /// Where a repository is written to, and read from in the end: its registry's own host.
    pub(crate) async fn host(&self, repository: &RepositoryName) -> Result<Arc<Host>> {
        let route = self.settings().hosts.route(repository)?;
        self.place(&route.origin, Role::Origin).await
    }

    /// Where a repository can be read: the mirrors that serve such a name, then its own host.
    pub(crate) async fn places(
        &self,
        repository: &RepositoryName,
        wanted: Serves,
    ) -> Result<Vec<Arc<Host>>> {
        let route = self.settings().hosts.route(repository)?;
        let mut places = Vec::new();
        for Mirror { endpoint, serves } in &route.mirrors {
            // Before it is found out how the mirror is spoken to, which takes a connection.
            if serves.covers(wanted) && self.address(&endpoint.host).rest.may_serve(repository) {
                places.push(self.place(endpoint, Role::Mirror).await?);
            }
        }
        places.push(self.place(&route.origin, Role::Origin).await?);
        Ok(places)
    }

    async fn place(&self, endpoint: &Endpoint, role: Role) -> Result<Arc<Host>> {
        let mut hosts = self.shared.hosts.lock().await;
        let key = (endpoint.clone(), role);
        if let Some(host) = hosts.get(&key) {
            return Ok(host.clone());
        }
        let registry = endpoint.host.as_str();
        let bad = || Error::BadHost { registry: registry.to_owned() };
        let address = if registry == DOCKER_HUB { DOCKER_HUB_HOST } else { registry };
        let url = |scheme: &str| {
            let url = Url::parse(&format!("{scheme}://{address}{}", endpoint.api)).ok();
            url.filter(|url| url.path() == endpoint.api && url.username().is_empty())
                .ok_or_else(bad)
        };
        let found = self.wire().scheme(&url("https")?, endpoint.scheme).await?;
        let Address { permits, doorkeeper, manner, pace, rest } = self.address(registry);
        let host = Arc::new(Host {
            name: registry.to_owned(),
            base: url(found.scheme.as_str())?,
            role,
            rewrite: endpoint.rewrite.clone(),
            namespace: endpoint.namespace.clone(),
            headers: headers(endpoint)?,
            retry: self.patience(role),
            permits,
            doorkeeper,
            manner,
            pace,
            rest,
        });
        if found.lasts {
            hosts.insert(key, host.clone());
        }
        Ok(host)
    }

    fn address(&self, registry: &str) -> Address {
        let limit = self.settings().requests_per_host.max(1);
        let fresh = || Address {
            permits: Arc::new(Semaphore::new(limit)),
            doorkeeper: Arc::new(Doorkeeper::new(registry)),
            manner: Arc::new(Manner::of(registry)),
            pace: Arc::new(Pace::per_second(self.settings().requests_per_second)),
            rest: Arc::default(),
        };
        let mut addresses = self.shared.addresses.lock().unwrap_or_else(PoisonError::into_inner);
        addresses.entry(registry.to_owned()).or_insert_with(fresh).clone()
    }

    fn patience(&self, role: Role) -> RetryPolicy {
        let policy = self.settings().retry;
        match role {
            Role::Origin => policy,
            Role::Mirror => RetryPolicy {
                attempts: policy.attempts.min(MIRROR_ATTEMPTS),
                budget: policy.budget.min(MIRROR_BUDGET),
                ..policy
            },
        }
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

    /// The turn of one who changes a list of referrers.
    pub(crate) async fn listing(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.shared.listing.lock().await
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

fn headers(endpoint: &Endpoint) -> Result<Vec<(HeaderName, HeaderValue)>> {
    let parse = |(name, value): &(String, crate::Secret)| {
        let name: HeaderName = name.parse().ok()?;
        let mut value = HeaderValue::from_str(value.expose()).ok()?;
        value.set_sensitive(true);
        Some((name, value))
    };
    let bad = |name: &str| Error::BadSetting {
        what: "header",
        cause: format!("`{}` for {} is none", name.escape_debug(), endpoint.host),
    };
    let all = endpoint.headers.iter();
    all.map(|header| parse(header).ok_or_else(|| bad(&header.0))).collect()
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
    use crate::Scheme;

    #[tokio::test]
    async fn where_a_registry_is() {
        let schemes = [
            ("insecure.example:80".to_owned(), Scheme::Http),
            ("localhost:5000".to_owned(), Scheme::Https),
        ];
        let settings = Settings { schemes: schemes.into(), ..Settings::default() };
        let client = Client::new(settings).unwrap();
        let base = async |name: &str| match client.place(&Endpoint::of(name), Role::Origin).await {
            Ok(host) => host.base.to_string(),
            Err(error) => error.to_string(),
        };
        insta::assert_snapshot!(base("docker.io").await, @"https://registry-1.docker.io/v2/");
        insta::assert_snapshot!(base("ghcr.io").await, @"https://ghcr.io/v2/");
        insta::assert_snapshot!(base("localhost:5000").await, @"https://localhost:5000/v2/");
        insta::assert_snapshot!(base("127.1.2.3:1").await, @"http://127.1.2.3:1/v2/");
        insta::assert_snapshot!(base("[::1]:1").await, @"http://[::1]:1/v2/");
        insta::assert_snapshot!(base("[2001:db8::1]:5000").await, @"https://[2001:db8::1]:5000/v2/");
        insta::assert_snapshot!(base("localhost.example").await, @"https://localhost.example/v2/");
        insta::assert_snapshot!(base("REGISTRY.Example").await, @"https://registry.example/v2/");
        insta::assert_snapshot!(base("xn--bcher-kva.example").await, @"https://xn--bcher-kva.example/v2/");
        insta::assert_snapshot!(base("insecure.example:80").await, @"http://insecure.example/v2/");
        insta::assert_snapshot!(base("user@host").await, @"reach `user@host`: it is not a registry's host");
        insta::assert_snapshot!(base("host/path").await, @"reach `host/path`: it is not a registry's host");
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
