//! An in-process registry for tests: in memory, on loopback, well-behaved unless told otherwise.
//!
//! It runs on a thread of its own, so that tests without a runtime (those that start a program)
//! can use it, too. It keeps a log of all requests, which is how tests count what moved; the
//! switches in [`Behaviour`] give it the peculiarities of known registries, and [`Fault`]s break
//! single requests. It is no registry to keep anything in.

mod answers;
mod behaviour;
mod doors;
mod log;
mod routes;
mod state;
mod uploads;

use std::io;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use oci::{Descriptor, Digest, Manifest, MediaType, RepositoryName};
use tokio::sync::oneshot;

pub use behaviour::{
    BadManifest, Behaviour, Downloads, Effect, Fault, HeadAnswers, Locations, Mounts, Resumptions,
    TagRule, TestDoor, TokenDoor,
};
pub use log::{Presented, Recorded};
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
    pub(crate) address: SocketAddr,
    state: Mutex<State>,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl TestRegistry {
    /// Starts on a free port of 127.0.0.1.
    pub fn start(behaviour: Behaviour) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { address, state: Mutex::new(State::new(behaviour)) });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let serving = shared.clone();
        let thread =
            std::thread::Builder::new().name("test-registry".to_owned()).spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        () = accept(listener, serving) => {}
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

    /// Puts a blob into a repository, past the protocol.
    pub fn insert_blob(&self, path: &str, media_type: MediaType, bytes: &[u8]) -> Descriptor {
        let digest = Digest::of(bytes);
        let mut state = self.shared.state();
        state.repository(path).blobs.insert(digest, Bytes::copy_from_slice(bytes));
        Descriptor::of(media_type, bytes)
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
        let mut state = self.shared.state();
        let (digest, bytes) = (Digest::of(bytes), Bytes::copy_from_slice(bytes));
        state.repository(path).put_manifest(digest, media_type.to_string(), bytes, tag);
    }

    /// The bytes of a blob, if the repository has it.
    pub fn blob(&self, path: &str, digest: Digest) -> Option<Bytes> {
        self.shared.state().repositories.get(path)?.blobs.get(&digest).cloned()
    }

    /// What a tag names.
    pub fn tag(&self, path: &str, tag: &str) -> Option<Digest> {
        self.shared.state().repositories.get(path)?.tags.get(tag).copied()
    }

    /// How many upload sessions are open.
    pub fn open_sessions(&self) -> usize {
        self.shared.state().sessions.len()
    }

    /// All requests so far, in the order in which they were answered.
    pub fn requests(&self) -> Vec<Recorded> {
        self.shared.state().log.clone()
    }

    /// The requests so far, and forgets them.
    pub fn take_requests(&self) -> Vec<Recorded> {
        std::mem::take(&mut self.shared.state().log)
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

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    loop {
        let Ok((stream, _)) = listener.accept().await else { continue };
        let shared = shared.clone();
        tokio::spawn(async move {
            let service = service_fn(move |request| {
                let shared = shared.clone();
                async move { routes::answer(&shared, request).await }
            });
            // A connection that breaks off is what half of the tests are about.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
