//! A registry for tests: on loopback, well-behaved unless told otherwise.
//!
//! It runs on a thread of its own, so that tests without a runtime (those that start a program)
//! can use it, too. It keeps a log of all requests, which is how tests count what moved; the
//! switches in [`Behaviour`] give it the peculiarities of known registries, and [`Fault`]s break
//! single requests. A [`Schedule`] makes both from a number.
//!
//! It answers to any name: a client whose HTTP proxy it is reaches it as `ghcr.io` and can be shown
//! what it knows of that registry.

mod after;
mod before;
mod behaviour;
mod bodies;
mod connection;
mod door;
mod doors;
mod exchange;
mod fault;
mod log;
mod presets;
mod schedule;
mod state;
mod tokens;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use oci::{Descriptor, Digest, Manifest, MediaType, RepositoryName, Tag};
use tokio::sync::oneshot;

pub use behaviour::{
    AcceptRule, Account, BadManifest, Behaviour, Challenges, Chunks, Cookies, Downloads, Drops,
    HeadAnswers, HistoryCheck, Hosts, Locations, ManifestChecks, ManifestTypes, MissingBlobs,
    Mounts, Pages, Puts, Quota, Referrers, Repositories, Resumptions, SinglePosts, TagRule,
    TestDoor, TokenDoor, TokenFlow,
};
pub use fault::{Effect, Fault, http_date};
pub use log::{Presented, Recorded, sent_again};
pub use schedule::Schedule;

use crate::Registry;
use crate::name::RepositoryPath;
use crate::sessions::Sessions;
use state::State;

/// A running registry; dropping it stops it.
pub struct TestRegistry {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the connections share.
pub(crate) struct Shared {
    address: SocketAddr,
    registry: Registry,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestRegistry {
    /// Starts on a free port of 127.0.0.1, in memory.
    pub fn start(behaviour: Behaviour) -> io::Result<Self> {
        TestRegistry::start_over(Registry::in_memory(), behaviour)
    }

    /// Starts on a free port of 127.0.0.1, over a directory.
    pub fn start_in(root: &Path, behaviour: Behaviour) -> io::Result<Self> {
        let registry = Registry::in_directory(root).map_err(io::Error::other)?;
        TestRegistry::start_over(registry, behaviour)
    }

    fn start_over(mut registry: Registry, behaviour: Behaviour) -> io::Result<Self> {
        registry.sessions = Arc::new(Sessions::numbered());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let state = Mutex::new(State::new(behaviour));
        let shared = Arc::new(Shared { address, registry, state });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = shared.clone();
        let thread =
            std::thread::Builder::new().name("test-registry".to_owned()).spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = connection::accept(listener, serving) => {}
                        _ = stopped => {}
                    }
                });
            })?;
        Ok(TestRegistry { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// The registry's name in references: `127.0.0.1:PORT`.
    pub fn name(&self) -> String {
        self.address.to_string()
    }

    /// A repository of this registry.
    ///
    /// # Panics
    ///
    /// If `path` is not a repository's path.
    pub fn repository(&self, path: &str) -> RepositoryName {
        let name = format!("{}/{path}", self.address);
        name.parse().unwrap_or_else(|error| panic!("`{path}`: {error}"))
    }

    /// Changes how it behaves from now on.
    pub fn behave(&self, behaviour: Behaviour) {
        self.shared.state().behaviour = behaviour;
    }

    /// Breaks requests to come.
    pub fn fault(&self, fault: Fault) {
        self.shared.state().faults.push(fault);
    }

    /// Behaves and breaks as a schedule says.
    pub fn follow(&self, schedule: &Schedule) {
        self.behave(schedule.behaviour.clone());
        self.shared.state().faults.clone_from(&schedule.faults);
    }

    /// Puts a blob into a repository, past the protocol.
    pub fn insert_blob(&self, path: &str, media_type: MediaType, bytes: &[u8]) -> Descriptor {
        let blob = Descriptor::of(media_type, bytes);
        let bytes = Bytes::copy_from_slice(bytes);
        expected(self.shared.registry.keep_bytes(&known(path), &blob.digest, &bytes));
        blob
    }

    /// Puts a manifest into a repository, past the protocol and its checks.
    pub fn insert_manifest(&self, path: &str, tag: Option<&str>, manifest: &Manifest) {
        self.insert_document(path, tag, manifest.media_type(), manifest.bytes());
    }

    /// Puts any bytes where a manifest belongs.
    pub fn insert_document(
        &self,
        path: &str,
        tag: Option<&str>,
        media_type: &MediaType,
        bytes: &[u8],
    ) {
        let descriptor = Descriptor::of(media_type.clone(), bytes);
        let tag = tag.map(|tag| expected(tag.parse::<Tag>()));
        let bytes = Bytes::copy_from_slice(bytes);
        let registry = &self.shared.registry;
        expected(registry.list_manifest(&known(path), &descriptor, &bytes, tag.as_slice()));
    }

    /// The bytes of a blob or a manifest, if the repository has it.
    pub fn blob(&self, path: &str, digest: Digest) -> Option<Bytes> {
        let content = expected(self.shared.registry.storage.blob(&path.parse().ok()?, &digest));
        content.map(|mut content| expected(content.read()))
    }

    /// What a tag names.
    pub fn tag(&self, path: &str, tag: &str) -> Option<Digest> {
        let index = expected(self.shared.registry.storage.index(&path.parse().ok()?))?;
        Some(index.tagged(tag)?.digest)
    }

    /// How many upload sessions are open, of those that a client was told of.
    pub fn open_sessions(&self) -> usize {
        let open = self.shared.registry.sessions.ids();
        let state = self.shared.state();
        open.iter().filter(|id| !state.untold.contains(*id)).count()
    }

    /// All requests so far, in the order in which they were answered.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.state().log.iter().map(log::Entry::read).collect()
    }

    /// The requests so far, and forgets them.
    pub fn take_requests(&self) -> Vec<Recorded> {
        let log = std::mem::take(&mut self.shared.state().log);
        log.iter().map(log::Entry::read).collect()
    }
}

impl Drop for TestRegistry {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// A name that a test wrote.
fn known(path: &str) -> RepositoryPath {
    path.parse().unwrap_or_else(|_| panic!("`{path}` is not a repository's path"))
}

/// What works unless a test has it wrong, or the machine has no disk.
fn expected<T, E: std::fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("the test registry failed to {error}"))
}
