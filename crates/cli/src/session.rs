//! What a run has at hand: settings, the environment, progress, and what is opened only when it is
//! needed.
//!
//! Opening costs time: a runtime's threads, a TLS library's roots. A command that does without is
//! over before they would have started.

use std::io::Write;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use registry::{Client, CredentialStore, Credentials, Hosts, Scheme, Secret, Trace, hosts};
use store::Store;
use tokio::runtime::{Builder, Runtime};

use crate::environment::Environment;
use crate::error::Error;
use crate::flags::{NetworkUse, Requests, Settings};
use crate::interruption::Interruption;
use crate::progress::Progress;
use crate::transfer;

/// What a run has at hand.
pub(crate) struct Session {
    /// What the process was started with.
    pub(crate) environment: Environment,
    /// What holds for every command.
    pub(crate) settings: Settings,
    /// Where events are told.
    pub(crate) progress: Progress,
    store: OnceLock<Store>,
    client: OnceLock<Client>,
    runtime: OnceLock<Runtime>,
    interruption: OnceLock<Interruption>,
}

/// How many threads move bytes: what is computed on them is a hash, and a link is slower than two.
const NETWORK_THREADS: usize = 2;

impl Session {
    /// A session in which nothing is opened yet.
    pub(crate) fn new(environment: Environment, settings: Settings) -> Self {
        let colors = environment.colors(environment.stderr);
        let progress = Progress::to_stderr(settings.progress, colors);
        Session {
            environment,
            settings,
            progress,
            store: OnceLock::new(),
            client: OnceLock::new(),
            runtime: OnceLock::new(),
            interruption: OnceLock::new(),
        }
    }

    /// The local store. While it is open, nothing can be deleted from it.
    pub(crate) fn store(&self) -> Result<&Store, Error> {
        remembered(&self.store, || self.own_store())
    }

    /// The local store for a command that deletes, and that does not call [`Session::store`].
    pub(crate) fn own_store(&self) -> Result<Store, Error> {
        let path = self.settings.store.as_ref().ok_or(Error::NoStore)?;
        Ok(Store::open(path)?)
    }

    /// Who speaks to registries.
    ///
    /// # Errors
    /// Nobody does where the network is not to be used; what was wanted is for the caller to say.
    pub(crate) fn client(&self) -> Result<&Client, Error> {
        self.online("it from its registry")?;
        remembered(&self.client, || {
            let mut credentials = self.credential_files()?;
            // GitLab's runners and others hand a config.json over in a variable.
            const CONTENT: &str = "DOCKER_AUTH_CONFIG";
            if let Some(content) = self.environment.text(CONTENT) {
                let content = content.as_bytes();
                credentials = credentials.with_content(content, CONTENT)?;
            }
            let credentials = credentials.with_cloud(self.environment.cloud());
            self.client_with(Credentials::Store(Arc::new(credentials)))
        })
    }

    /// Whether nobody may be asked.
    pub(crate) fn is_offline(&self) -> bool {
        self.settings.network == NetworkUse::Offline
    }

    /// That somebody may be asked for `what`.
    pub(crate) fn online(&self, what: &str) -> Result<(), Error> {
        match self.settings.network {
            NetworkUse::Online => Ok(()),
            NetworkUse::Offline => Err(Error::Offline(what.to_owned())),
        }
    }

    /// A client of its own, with these credentials.
    pub(crate) fn client_with(&self, credentials: Credentials) -> Result<Client, Error> {
        let insecure = self.settings.insecure.iter();
        let proxies = self.environment.proxies();
        let defaults = registry::Settings::default();
        let load = self.settings.load;
        let ca = self.settings.ca.iter().map(|file| hosts::root_certificate(file));
        let files = self.environment.host_files(self.settings.cert_dir.clone());
        let settings = registry::Settings {
            requests_per_host: load.at_once.map_or(defaults.requests_per_host, |n| n as usize),
            requests_per_second: load.per_second.unwrap_or(defaults.requests_per_second),
            trace: self.trace(),
            credentials,
            schemes: insecure.map(|host| (host.clone(), Scheme::Insecure)).collect(),
            hosts: Hosts::read(files)?,
            system_roots: self.environment.roots(),
            root_certificates: ca.collect::<Result<_, _>>()?,
            proxies: registry::Proxies {
                http: proxies.http.map(Secret::new),
                https: proxies.https.map(Secret::new),
                none_for: proxies.none_for,
            },
            ..defaults
        };
        Ok(Client::new(settings)?.observed(transfer::retries(&self.progress)))
    }

    /// Who is told of each request, if somebody wants to know.
    fn trace(&self) -> Option<Trace> {
        let progress = self.progress.clone();
        match self.settings.requests {
            Requests::Hidden => None,
            Requests::Shown => {
                Some(Trace::new(move |exchange| progress.request(&exchange.to_string())))
            }
        }
    }

    /// The files that hold credentials; the first is the one that `login` writes to.
    pub(crate) fn credential_files(&self) -> Result<CredentialStore, Error> {
        let environment = &self.environment;
        let docker = environment.docker_config().map(|directory| directory.join("config.json"));
        let podman = environment.podman_auth_files();
        let named = environment.path("REGISTRY_AUTH_FILE").is_some();
        // A file that was named for this purpose comes before one that is only usual.
        let files: Vec<PathBuf> = if named {
            podman.into_iter().chain(docker).collect()
        } else {
            let legacy = environment.legacy_docker_file();
            docker.into_iter().chain(podman).chain(legacy).collect()
        };
        Ok(CredentialStore::from_files(files)?)
    }

    /// Waits for work on the network, or for the end of the program, before which what was begun at
    /// registries is undone.
    pub(crate) fn block_on<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let runtime = self.runtime()?;
        let interruption = remembered(&self.interruption, || Interruption::watch(runtime))?;
        runtime.block_on(interruption.or(work, || self.client.get().cloned()))
    }

    /// The threads that move bytes.
    pub(crate) fn runtime(&self) -> Result<&Runtime, Error> {
        remembered(&self.runtime, || {
            let threads = self.settings.jobs.min(NETWORK_THREADS);
            let built = Builder::new_multi_thread().worker_threads(threads).enable_all().build();
            built.map_err(|source| Error::Runtime { source })
        })
    }

    /// Writes what the command answers to standard output.
    pub(crate) fn answer(&self, data: &[u8]) -> Result<(), Error> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(data).and_then(|()| stdout.flush()).map_err(Error::stdout)
    }
}

impl Drop for Session {
    /// Whoever waits on a thread of the runtime's, for another process that is fetching the same
    /// blob, is not waited for.
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// What `cell` holds; made first if it holds nothing.
fn remembered<T>(cell: &OnceLock<T>, make: impl FnOnce() -> Result<T, Error>) -> Result<&T, Error> {
    if let Some(value) = cell.get() {
        return Ok(value);
    }
    let made = make()?;
    Ok(cell.get_or_init(|| made))
}
