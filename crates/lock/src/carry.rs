//! From a lock and what a build found to the next lock.

use std::collections::BTreeMap;

use oci::{Digest, Platform};

use crate::{Lock, Release};

/// How much of a recipe a build went through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All that its last stage needs: what it did not ask for, nobody does.
    Whole,
    /// Another stage: what it did not ask for may be for others.
    Part,
}

impl Lock {
    /// The lock after a build for `platforms` that `found` these pins. What the build did not ask
    /// for is dropped where nobody else may: pins of other platforms stay.
    ///
    /// Layers that nothing is known of (`found` has no list for the platform) stay, too, unless
    /// they are void.
    #[must_use]
    pub fn renewed(&self, found: Lock, platforms: &[Platform], extent: Extent) -> Lock {
        let is_built = |platform: &Platform| platforms.contains(platform);
        let is_own = |platform: &Platform| extent == Extent::Whole && is_built(platform);
        // What has no platform is dropped by a build for all of them.
        let is_for_all = self.platforms().into_iter().all(is_own);
        let stays = extent == Extent::Part || !is_for_all;
        let renewed = Lock {
            epoch: found.epoch,
            bases: merged(&self.bases, found.bases, |(_, platform)| !is_own(platform)),
            downloads: merged(&self.downloads, found.downloads, |_| stays),
            commits: merged(&self.commits, found.commits, |_| stays),
            archives: merged(&self.archives, found.archives, |_| stays),
            releases: releases(&self.releases, found.releases, stays),
            stanzas: merged(&self.stanzas, found.stanzas, |_| true),
            resolutions: merged(&self.resolutions, found.resolutions, |(platform, _)| {
                !is_own(platform)
            }),
            debs: self.debs.iter().filter(|_| stays).cloned().chain(found.debs).collect(),
            layers: match self.epoch == found.epoch && self.compression == found.compression {
                true => merged(&self.layers, found.layers, |_| true),
                false => found.layers,
            },
            compression: found.compression,
        };
        renewed.without_leftovers()
    }
}

/// What stays of the `old` entries, and all of the new ones.
fn merged<K: Ord + Clone, V: Clone>(
    old: &BTreeMap<K, V>,
    new: BTreeMap<K, V>,
    stays: impl Fn(&K) -> bool,
) -> BTreeMap<K, V> {
    let kept = old.iter().filter(|(key, _)| stays(key));
    kept.map(|(key, value)| (key.clone(), value.clone())).chain(new).collect()
}

/// What files of archives said. Lists that were not read now, and what was not asked of them, may be
/// for others.
fn releases(
    old: &BTreeMap<Digest, Release>,
    mut new: BTreeMap<Digest, Release>,
    stays: bool,
) -> BTreeMap<Digest, Release> {
    for (digest, known) in old {
        let Some(said) = new.get_mut(digest) else {
            new.insert(*digest, known.clone());
            continue;
        };
        for (name, list) in known.lists.iter().filter(|_| stays) {
            match said.lists.get_mut(name) {
                Some(now) => now.join(list),
                None => drop(said.lists.insert(name.clone(), list.clone())),
            }
        }
    }
    new
}
