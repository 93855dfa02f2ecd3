//! Values that the tests start from.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::{
    BlobBody, BlobSource, Client, Credential, Credentials, Observer, RetryPolicy, Secret, Settings,
    Timeouts, TransferEvent,
};
use bytes::Bytes;
use oci::{Compression, Descriptor, ImageManifest, Manifest, MediaType};
use serve::testing::{Behaviour, TestRegistry};

pub(super) const GZIP: MediaType = MediaType::OciLayer(Compression::Gzip);

pub(super) fn registry() -> TestRegistry {
    TestRegistry::start(Behaviour::default()).unwrap()
}

/// Quick to try again, quick to give up.
pub(super) fn settings() -> Settings {
    let retry = RetryPolicy {
        attempts: 4,
        first_wait: Duration::from_millis(5),
        longest_wait: Duration::from_millis(20),
        budget: Duration::from_secs(3),
    };
    let idle = Duration::from_secs(2);
    let timeouts = Timeouts { idle, ..Timeouts::default() };
    Settings { retry, timeouts, ..Settings::default() }
}

pub(super) fn client() -> Client {
    Client::new(settings()).unwrap()
}

pub(super) fn client_with(registry: &TestRegistry, credential: Credential) -> Client {
    let known = BTreeMap::from([(registry.name(), credential)]);
    let credentials = Credentials::Fixed(known);
    Client::new(Settings { credentials, ..settings() }).unwrap()
}

pub(super) fn password(user: &str, password: &str) -> Credential {
    Credential::Password { user: user.to_owned(), password: Secret::new(password) }
}

/// Bytes that look like nothing, the same each time.
pub(super) fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |_| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    };
    (0..length).map(step).collect()
}

/// An image of blobs that are told apart by `seed`.
pub(super) struct Sample {
    pub(super) manifest: Manifest,
    pub(super) blobs: BTreeMap<oci::Digest, Bytes>,
}

impl Sample {
    pub(super) fn new(seed: u64, layers: usize) -> Self {
        let layer = |at| noise(40_000, seed * 100 + at as u64);
        Self::made(MediaType::OciConfig, seed, (0..layers).map(layer).collect())
    }

    /// An image of these layers.
    pub(super) fn of_layers(layers: Vec<Vec<u8>>) -> Self {
        Self::made(MediaType::OciConfig, 0, layers)
    }

    /// What is no image, by the type of its config.
    pub(super) fn with_config_type(seed: u64, config: &str) -> Self {
        Self::made(MediaType::from(config), seed, vec![noise(100, seed)])
    }

    fn made(config_type: MediaType, seed: u64, layers: Vec<Vec<u8>>) -> Self {
        let mut blobs = BTreeMap::new();
        let mut keep = |media_type: MediaType, bytes: Vec<u8>| {
            let descriptor = Descriptor::of(media_type, &bytes);
            blobs.insert(descriptor.digest, Bytes::from(bytes));
            descriptor
        };
        // As many entries of history as there are layers, which some registries want.
        let history = vec![serde_json::json!({"created_by": "test"}); layers.len()];
        let config = serde_json::json!({"seed": seed, "history": history}).to_string();
        let config = keep(config_type, config.into_bytes());
        let layers = layers.into_iter().map(|layer| keep(GZIP, layer)).collect();
        let manifest = Manifest::Image(ImageManifest::new(config, layers, BTreeMap::new()));
        Sample { manifest, blobs }
    }

    /// All blobs from memory.
    pub(super) fn sources(&self) -> BTreeMap<oci::Digest, BlobSource> {
        let source = |bytes: &Bytes| BlobSource::from(BlobBody::Bytes(bytes.clone()));
        self.blobs.iter().map(|(digest, bytes)| (*digest, source(bytes))).collect()
    }

    /// Puts all of it into a registry, past the protocol.
    pub(super) fn insert(&self, registry: &TestRegistry, path: &str, tag: Option<&str>) {
        for bytes in self.blobs.values() {
            registry.insert_blob(path, GZIP, bytes);
        }
        registry.insert_manifest(path, tag, &self.manifest);
    }
}

/// A client's events, to be looked at afterwards.
pub(super) fn watched(client: &Client) -> (Client, Arc<Mutex<Vec<TransferEvent>>>) {
    let events = Arc::new(Mutex::new(Vec::new()));
    let kept = events.clone();
    (client.observed(Observer::new(move |event| kept.lock().unwrap().push(event))), events)
}

/// The registry's log since it was last asked, a line a request.
pub(super) fn log(registry: &TestRegistry) -> String {
    let lines: Vec<String> = registry.take_requests().iter().map(ToString::to_string).collect();
    // Ports and serial numbers differ from run to run.
    let text = lines.join("\n");
    text.replace(&registry.name(), "HOST")
}
