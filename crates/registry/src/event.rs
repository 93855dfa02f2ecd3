//! What the engine tells while it works, for whoever draws progress or writes a log.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use oci::{Digest, RepositoryName};

use crate::{Quota, RequestLine};

/// One thing that happened. Events of one blob come in order; those of several are mixed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TransferEvent {
    /// Bytes of a blob begin to move.
    Started {
        /// The blob.
        digest: Digest,
        /// Its size in bytes.
        size: u64,
        /// Which way they move.
        direction: Direction,
    },
    /// So many bytes of the blob have moved in all. Goes back where bytes must move again.
    Moved {
        /// The blob.
        digest: Digest,
        /// Bytes from its start.
        position: u64,
    },
    /// The blob, or the manifest, is where it should be.
    Finished {
        /// The blob or manifest.
        digest: Digest,
        /// How it came there.
        outcome: Outcome,
    },
    /// What the registry grants runs low: told once for each registry.
    QuotaLow {
        /// The registry.
        registry: String,
        /// What is left.
        quota: Quota,
    },
    /// A registry has something to say to people, such as that a name will go away
    /// (distribution-spec 1.1, "Warnings"): told once for each text.
    Warned {
        /// The registry.
        registry: String,
        /// What it says.
        text: String,
    },
    /// A request failed and is tried again after a wait.
    Retrying {
        /// What was asked.
        request: RequestLine,
        /// Why it failed.
        cause: String,
        /// How long the wait is.
        wait: Duration,
    },
    /// A mirror did not help, and is left alone for a while: the read goes on elsewhere.
    MirrorLeft {
        /// Its host.
        mirror: String,
        /// What is wrong with it.
        problem: MirrorProblem,
        /// What it said.
        cause: String,
    },
}

/// What is wrong with a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MirrorProblem {
    /// It lacks what was asked for, as a mirror may.
    Missing,
    /// It cannot be reached, refuses, or fails.
    Failed,
    /// It has other bytes than it should.
    Damaged,
}

/// Which way bytes move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// From the registry.
    Download,
    /// To the registry.
    Upload,
}

/// How a blob or a manifest came to be where it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was there.
    Existed,
    /// The registry took it from another of its repositories.
    Mounted {
        /// That repository.
        from: RepositoryName,
    },
    /// It was sent.
    Uploaded {
        /// Bytes that went over the wire, those sent twice counted twice.
        bytes: u64,
    },
    /// It was fetched.
    Downloaded,
}

/// Receives events; called on the engine's threads, so it must be quick.
#[derive(Clone, Default)]
pub struct Observer(Option<Arc<dyn Fn(TransferEvent) + Send + Sync>>);

impl Observer {
    /// An observer that calls `receive`.
    pub fn new(receive: impl Fn(TransferEvent) + Send + Sync + 'static) -> Self {
        Observer(Some(Arc::new(receive)))
    }

    pub(crate) fn tell(&self, event: TransferEvent) {
        if let Some(receive) = &self.0 {
            receive(event);
        }
    }
}

impl fmt::Debug for Observer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Observer(..)" } else { "Observer(none)" })
    }
}
