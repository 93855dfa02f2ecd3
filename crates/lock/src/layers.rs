//! Layers that are not what a lock says.

use oci::{Digest, Platform};

use crate::{Layer, Lock};

/// A layer that is not what the lock says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moved {
    /// The same was to be laid, and other bytes came of it.
    Bytes {
        /// What it comes from.
        title: String,
        /// The blob by the lock.
        locked: Digest,
        /// The blob that was laid.
        laid: Digest,
    },
    /// What it comes from is called the same, and makes another layer.
    Key {
        /// What it comes from.
        title: String,
        /// The layer's key by the lock.
        locked: Digest,
        /// Its key now.
        planned: Digest,
    },
}

impl Lock {
    /// The layer that `key` stands for.
    pub fn layer(&self, key: &Digest) -> Option<&Layer> {
        self.layers.values().flatten().find(|layer| layer.key == *key)
    }

    /// How the layers of an image differ from those that the lock has for its platform. One that
    /// the lock does not know is none of them.
    pub fn moved_bytes(&self, laid: &[Layer]) -> Vec<Moved> {
        let moved = laid.iter().filter_map(|layer| {
            let locked = self.layer(&layer.key)?;
            let is_same = locked.descriptor.digest == layer.descriptor.digest
                && locked.diff_id == layer.diff_id;
            (!is_same).then(|| Moved::Bytes {
                title: layer.title.clone(),
                locked: locked.descriptor.digest,
                laid: layer.descriptor.digest,
            })
        });
        moved.collect()
    }

    /// Which of the `planned` layers, by title and key, have another key in the lock. A title that
    /// several layers share says nothing.
    pub fn moved_keys(&self, platform: &Platform, planned: &[(String, Digest)]) -> Vec<Moved> {
        let Some(locked) = self.layers.get(platform) else { return Vec::new() };
        let moved = planned.iter().filter_map(|(title, key)| {
            let mut named = locked.iter().filter(|layer| layer.title == *title);
            let (Some(layer), None) = (named.next(), named.next()) else { return None };
            let is_one = planned.iter().filter(|(other, _)| other == title).count() == 1;
            let (title, locked, planned) = (title.clone(), layer.key, *key);
            (is_one && locked != planned).then_some(Moved::Key { title, locked, planned })
        });
        moved.collect()
    }
}
