//! What becomes of work on the network when somebody ends the program: it is dropped, what was begun
//! at a registry is undone, and then the program ends. At any other time a signal ends it at once,
//! as if nobody handled it; so does a second one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use registry::Client;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::Notify;

use crate::error::Error;
use crate::exit::Exit;

/// How long a registry has to delete what was begun. Supervisors wait some ten seconds before they
/// kill.
const UNDOING_LIMIT: Duration = Duration::from_secs(5);

/// Whether somebody has ended the program.
pub(crate) struct Interruption(Arc<State>);

#[derive(Default)]
struct State {
    /// Whether there is work that wants to know.
    working: AtomicBool,
    told: Notify,
}

impl Interruption {
    /// Handles the signals from now on.
    pub(crate) fn watch(runtime: &Runtime) -> Result<Self, Error> {
        let state = Arc::new(State::default());
        let watching = state.clone();
        let _entered = runtime.enter();
        let mut signals = Signals::new()?;
        runtime.spawn(async move {
            signals.next().await;
            if watching.working.load(Ordering::SeqCst) {
                watching.told.notify_one();
                signals.next().await;
            }
            // Nothing is waited for, and half-written files have no name yet.
            std::process::exit(Exit::Interrupted.code().into());
        });
        Ok(Interruption(state))
    }

    /// Does `work`, or gives it up. Uploads that `client` had begun are deleted then.
    pub(crate) async fn or<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
        client: impl FnOnce() -> Option<Client>,
    ) -> Result<T, Error> {
        self.0.working.store(true, Ordering::SeqCst);
        let done = tokio::select! {
            done = work => Some(done),
            () = self.0.told.notified() => None,
        };
        self.0.working.store(false, Ordering::SeqCst);
        if let Some(done) = done {
            return done;
        }
        if let Some(client) = client() {
            let _ = tokio::time::timeout(UNDOING_LIMIT, client.settle()).await;
        }
        Err(Error::Interrupted)
    }
}

/// The signals that end a program in a terminal and under a supervisor.
pub(crate) struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    /// Handles them from now on; needs a runtime.
    pub(crate) fn new() -> Result<Self, Error> {
        let on = |kind| signal(kind).map_err(|source| Error::Runtime { source });
        let (interrupt, terminate) = (SignalKind::interrupt(), SignalKind::terminate());
        Ok(Signals { interrupt: on(interrupt)?, terminate: on(terminate)? })
    }

    /// Waits for the next.
    pub(crate) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}
