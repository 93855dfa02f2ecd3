//! What the test registry holds.

use std::collections::{BTreeMap, HashMap};
use std::time::Instant;

use bytes::Bytes;
use oci::Digest;

use crate::testing::behaviour::{Behaviour, Fault};
use crate::testing::log::Recorded;

#[derive(Default)]
pub(crate) struct State {
    pub(crate) behaviour: Behaviour,
    pub(crate) faults: Vec<Fault>,
    pub(crate) repositories: BTreeMap<String, Repository>,
    pub(crate) sessions: HashMap<String, Session>,
    pub(crate) tokens: HashMap<String, Granted>,
    pub(crate) log: Vec<Recorded>,
    serial: u64,
}

#[derive(Default)]
pub(crate) struct Repository {
    pub(crate) blobs: HashMap<Digest, Bytes>,
    pub(crate) manifests: HashMap<Digest, Stored>,
    pub(crate) tags: BTreeMap<String, Digest>,
}

#[derive(Clone)]
pub(crate) struct Stored {
    pub(crate) media_type: String,
    pub(crate) bytes: Bytes,
}

/// An upload that has begun.
pub(crate) struct Session {
    pub(crate) repository: String,
    pub(crate) bytes: Vec<u8>,
}

/// A token that was given out.
pub(crate) struct Granted {
    /// `repository:a:pull` and the like, one action each.
    pub(crate) scopes: Vec<String>,
    pub(crate) good_until: Option<Instant>,
    pub(crate) uses_left: Option<u32>,
}

impl State {
    pub(crate) fn new(behaviour: Behaviour) -> Self {
        State { behaviour, ..State::default() }
    }

    pub(crate) fn repository(&mut self, path: &str) -> &mut Repository {
        self.repositories.entry(path.to_owned()).or_default()
    }

    /// A name that was not given out before.
    pub(crate) fn fresh_name(&mut self, kind: &str) -> String {
        self.serial += 1;
        format!("{kind}-{}", self.serial)
    }

    /// The fault that this request meets, which is then spent by one.
    pub(crate) fn fault(&mut self, method: &str, target: &str) -> Option<Fault> {
        for fault in &mut self.faults {
            let meant = (fault.method.is_empty() || fault.method == method)
                && target.contains(&fault.path)
                && fault.times > 0;
            if !meant {
                continue;
            }
            if fault.after > 0 {
                fault.after -= 1;
                continue;
            }
            fault.times -= 1;
            return Some(fault.clone());
        }
        None
    }
}

impl Repository {
    pub(crate) fn put_manifest(
        &mut self,
        digest: Digest,
        media_type: String,
        bytes: Bytes,
        tag: Option<&str>,
    ) {
        self.manifests.insert(digest, Stored { media_type, bytes });
        if let Some(tag) = tag {
            self.tags.insert(tag.to_owned(), digest);
        }
    }

    /// The manifest that a tag or a digest names.
    pub(crate) fn manifest(&self, reference: &str) -> Option<(Digest, Stored)> {
        let digest = match reference.parse::<Digest>() {
            Ok(digest) => digest,
            Err(_) => *self.tags.get(reference)?,
        };
        Some((digest, self.manifests.get(&digest)?.clone()))
    }
}
