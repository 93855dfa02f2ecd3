//! Deleting what nothing needs any more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use oci::{Descriptor, DiffId, Digest, ImageConfig};

use crate::builds::{BUILD_FACT, BUILDS};
use crate::images::name_of;
use crate::reach::Presence;
use crate::records::{LAYER, LAYER_INDEX, SOURCES, key_of, record_files};
use crate::store::subdirectories;
use crate::{Store, StoreError};

/// What [`Store::prune`] may delete.
///
/// What is spared is never touched, nor what it consists of. The rest is: other images, blobs that
/// no image has, records, what servers answered, and downloads that broke off. With neither limit,
/// all of it goes.
#[derive(Debug, Clone)]
pub struct PrunePolicy {
    /// What stays in any case.
    pub spared: Spared,
    /// Keep what was used within this time.
    pub older_than: Option<Duration>,
    /// Keep the most recently used of what may go, up to this many bytes. The record of a layer by
    /// its key goes and stays with the layer, and does not count.
    pub keep_bytes: Option<u64>,
    /// The time at which ages are measured.
    pub now: SystemTime,
    /// Only say what would be deleted.
    pub dry_run: bool,
}

/// What stays, however old it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spared {
    /// Images with a name.
    NamedImages,
    /// All images, and what is remembered of how they were built: only what can be found out or
    /// made again goes.
    AllImages,
}

/// What was deleted, or would have been.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Images without a name.
    pub images: Vec<Descriptor>,
    /// Blobs and their sizes in bytes.
    pub blobs: Vec<(Digest, u64)>,
    /// How many records: layer keys, layer indexes, facts, sources.
    pub records: usize,
    /// How many downloads that broke off.
    pub partials: usize,
    /// The bytes of all files together.
    pub freed: u64,
}

impl Store {
    /// Deletes what no named image needs, as far as `policy` allows.
    ///
    /// # Errors
    /// [`StoreError::Busy`] if another process has the store open: it may be about to name what
    /// would be deleted.
    pub fn prune(&mut self, policy: &PrunePolicy) -> Result<Pruned, StoreError> {
        self.alone(|store| store.prune_alone(policy))
    }

    fn prune_alone(&self, policy: &PrunePolicy) -> Result<Pruned, StoreError> {
        let (kept, dropped) = self.split_images(policy)?;
        let reached = self.reached_by(&kept)?;
        let mut waste = self.unreached_blobs(&reached)?;
        waste.extend(self.unneeded_records(&reached, policy.spared)?);
        waste.extend(self.partials()?);
        waste.extend(self.kept_answers()?.into_iter().map(|file| (Waste::Answer, file)));
        let mut doomed = policy.chosen(waste);
        doomed.extend(self.pointless_layer_records(&doomed)?);
        if !policy.dry_run {
            // First the names, then what they stood for.
            self.change_index(&[], |index| {
                index.manifests.retain(|entry| !dropped.contains(entry));
            })?;
            for (_, file) in &doomed {
                remove(&file.path)?;
            }
        }
        let mut pruned = Pruned { images: dropped, ..Pruned::default() };
        for (what, file) in doomed {
            pruned.freed += file.size;
            match what {
                Waste::Blob(digest) => pruned.blobs.push((digest, file.size)),
                Waste::Record => pruned.records += 1,
                Waste::Partial => pruned.partials += 1,
                Waste::Answer => {}
            }
        }
        pruned.blobs.sort_unstable();
        Ok(pruned)
    }

    /// The images that stay, and those without a name that do not.
    fn split_images(
        &self,
        policy: &PrunePolicy,
    ) -> Result<(Vec<Descriptor>, Vec<Descriptor>), StoreError> {
        let images = self.read_index()?.manifests;
        Ok(images.into_iter().partition(|image| {
            let recent = policy.older_than.is_some()
                && Aged::read(self.inner.blob_path(&image.digest))
                    .is_some_and(|file| !policy.is_old(&file));
            policy.spared == Spared::AllImages || name_of(image).is_some() || recent
        }))
    }

    /// What all images consist of.
    pub(crate) fn reached_by_all(&self) -> Result<ReachedSet, StoreError> {
        self.reached_by(&self.read_index()?.manifests)
    }

    fn reached_by(&self, images: &[Descriptor]) -> Result<ReachedSet, StoreError> {
        let mut set = ReachedSet::default();
        for image in images {
            for reached in self.reach(image)? {
                if reached.presence == Presence::Here {
                    set.add_diff_ids(self, &reached.descriptor);
                }
                set.digests.insert(reached.descriptor.digest);
            }
        }
        Ok(set)
    }

    fn unreached_blobs(&self, reached: &ReachedSet) -> Result<Vec<(Waste, Aged)>, StoreError> {
        let blobs = self.all_blobs()?.into_iter();
        let unreached = blobs.filter(|(digest, _)| !reached.digests.contains(digest));
        Ok(unreached.map(|(digest, file)| (Waste::Blob(digest), file)).collect())
    }

    pub(crate) fn all_blobs(&self) -> Result<Vec<(Digest, Aged)>, StoreError> {
        let mut blobs = Vec::new();
        for directory in self.inner.blob_directories()? {
            let algorithm =
                directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for path in record_files(&directory)? {
                let hex = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
                // A file that is no blob is not ours to delete.
                let Ok(digest) = format!("{algorithm}:{hex}").parse() else { continue };
                blobs.extend(Aged::read(path).map(|file| (digest, file)));
            }
        }
        Ok(blobs)
    }

    /// Records that speak of nothing that stays. Those of layers are as good as their blobs, and no
    /// better: they are none of these.
    fn unneeded_records(
        &self,
        reached: &ReachedSet,
        spared: Spared,
    ) -> Result<Vec<(Waste, Aged)>, StoreError> {
        let mut unneeded = Vec::new();
        for (kind, key, file) in self.all_records()? {
            let is_needed = match kind.as_str() {
                LAYER => true,
                LAYER_INDEX => reached.diff_ids.contains(&DiffId(key)),
                SOURCES => reached.digests.contains(&key),
                BUILDS | BUILD_FACT => spared == Spared::AllImages,
                _ => false,
            };
            if !is_needed {
                unneeded.push((Waste::Record, file));
            }
        }
        Ok(unneeded)
    }

    /// Every record's kind, key and file.
    pub(crate) fn all_records(&self) -> Result<Vec<(String, Digest, Aged)>, StoreError> {
        let mut records = Vec::new();
        for directory in subdirectories(&self.records())? {
            let kind = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for path in record_files(&directory)? {
                let Some(key) = key_of(&path) else { continue };
                records.extend(Aged::read(path).map(|file| (kind.clone(), key, file)));
            }
        }
        Ok(records)
    }

    /// The records of layers that are not here, or go.
    fn pointless_layer_records(
        &self,
        doomed: &[(Waste, Aged)],
    ) -> Result<Vec<(Waste, Aged)>, StoreError> {
        let gone: BTreeSet<Digest> = doomed
            .iter()
            .filter_map(|(what, _)| match what {
                Waste::Blob(digest) => Some(*digest),
                _ => None,
            })
            .collect();
        let mut pointless = Vec::new();
        for path in record_files(&self.records().join(LAYER))? {
            let Some(key) = key_of(&path) else { continue };
            if !self.leads_to_a_blob(&key, &gone)? {
                pointless.extend(Aged::read(path).map(|file| (Waste::Record, file)));
            }
        }
        Ok(pointless)
    }

    /// Whether the layer that was recorded for `key` will still be here.
    fn leads_to_a_blob(&self, key: &Digest, gone: &BTreeSet<Digest>) -> Result<bool, StoreError> {
        let Some(layer) = self.layer_record(key)? else { return Ok(false) };
        let digest = layer.descriptor.digest;
        Ok(!gone.contains(&digest) && self.contains(&digest)?.is_some())
    }

    fn partials(&self) -> Result<Vec<(Waste, Aged)>, StoreError> {
        let files = record_files(&self.inner.plywood("partial"))?;
        let files = files.into_iter().filter_map(Aged::read);
        Ok(files.map(|file| (Waste::Partial, file)).collect())
    }

    /// What clients keep of what servers answered. Nobody else has the store open.
    pub(crate) fn kept_answers(&self) -> Result<Vec<Aged>, StoreError> {
        let mut answers = Vec::new();
        let mut directories = vec![self.inner.plywood("answers")];
        while let Some(directory) = directories.pop() {
            answers.extend(record_files(&directory)?.into_iter().filter_map(Aged::read));
            directories.extend(subdirectories(&directory)?);
        }
        Ok(answers)
    }

    /// Deletes those blobs of an image that no other image has and no build left as a layer.
    pub(crate) fn delete_unshared(
        &self,
        image: &Descriptor,
    ) -> Result<Vec<(Digest, u64)>, StoreError> {
        // What an image that cannot be read needs is not known, so nothing is deleted.
        let Ok(reached) = self.reached_by_all() else { return Ok(Vec::new()) };
        let mut shared = reached.digests;
        for path in record_files(&self.records().join(LAYER))? {
            let Some(key) = key_of(&path) else { continue };
            shared.extend(self.layer_record(&key)?.map(|layer| layer.descriptor.digest));
        }
        let mut deleted = Vec::new();
        // The manifest first: a blob without a manifest is only waste, and is found by `prune`.
        for reached in self.reach(image).unwrap_or_default().into_iter().rev() {
            let digest = reached.descriptor.digest;
            if reached.presence == Presence::Here && !shared.contains(&digest) {
                remove(&self.inner.blob_path(&digest))?;
                deleted.push((digest, reached.descriptor.size));
            }
        }
        Ok(deleted)
    }
}

/// A file that nothing needs.
#[derive(Debug, Clone, Copy)]
enum Waste {
    Blob(Digest),
    Record,
    Partial,
    Answer,
}

impl PrunePolicy {
    /// What of `waste` goes: the longest unused first.
    fn chosen(&self, mut waste: Vec<(Waste, Aged)>) -> Vec<(Waste, Aged)> {
        waste.sort_by(|(_, a), (_, b)| a.used.cmp(&b.used).then_with(|| a.path.cmp(&b.path)));
        let mut left: u64 = waste.iter().map(|(_, file)| file.size).sum();
        let goes = |(_, file): &(Waste, Aged)| {
            let fits = self.keep_bytes.is_some_and(|keep| left <= keep);
            left -= file.size;
            !fits && self.is_old(file)
        };
        // The first that stays is followed by others that do.
        waste.into_iter().take_while(goes).collect()
    }

    fn is_old(&self, file: &Aged) -> bool {
        let Some(limit) = self.older_than else { return true };
        // What was used after `now` is as young as can be.
        self.now.duration_since(file.used).is_ok_and(|age| age >= limit)
    }
}

/// What the images that stay consist of.
#[derive(Debug, Default)]
pub(crate) struct ReachedSet {
    pub(crate) digests: BTreeSet<Digest>,
    diff_ids: BTreeSet<DiffId>,
}

impl ReachedSet {
    fn add_diff_ids(&mut self, store: &Store, blob: &Descriptor) {
        let is_config =
            matches!(blob.media_type, oci::MediaType::OciConfig | oci::MediaType::DockerConfig);
        if !is_config {
            return;
        }
        // A config that cannot be read has no layers whose indexes could be of use.
        let config = store.read(blob).ok().and_then(|bytes| ImageConfig::parse(&bytes).ok());
        self.diff_ids.extend(config.iter().flat_map(ImageConfig::diff_ids));
    }
}

/// A file and when it was last used.
#[derive(Debug, Clone)]
pub(crate) struct Aged {
    pub(crate) path: PathBuf,
    pub(crate) size: u64,
    pub(crate) used: SystemTime,
}

impl Aged {
    pub(crate) fn read(path: PathBuf) -> Option<Aged> {
        let file = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        Some(Aged { path, size: file.len(), used: file.modified().ok()? })
    }
}

pub(crate) fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(StoreError::io("delete", path)),
    }
}
