//! Deleting what nothing needs any more.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use oci::{Descriptor, DiffId, Digest, ImageConfig};

use crate::images::name_of;
use crate::reach::Presence;
use crate::records::{LAYER, LAYER_INDEX, SOURCES, key_of, record_files};
use crate::store::subdirectories;
use crate::{Store, StoreError};

/// What [`Store::prune`] may delete.
///
/// Named images are never touched, nor what they consist of. The rest is: images without a name,
/// blobs that no image has, records, what servers answered, and downloads that broke off. With neither limit, all of it
/// goes.
#[derive(Debug, Clone)]
pub struct PrunePolicy {
    /// Keep what was used within this time.
    pub older_than: Option<Duration>,
    /// Keep the most recently used blobs that no named image has, up to this many bytes.
    pub keep_bytes: Option<u64>,
    /// The time at which ages are measured.
    pub now: SystemTime,
    /// Only say what would be deleted.
    pub dry_run: bool,
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
        let mut doomed = Vec::new();
        let blobs = self.doomed_blobs(&reached, policy)?;
        let gone: BTreeSet<Digest> = blobs.iter().map(|(digest, _)| *digest).collect();
        doomed.extend(blobs.iter().map(|(_, file)| file.clone()));
        let records = self.doomed_records(&reached, &gone, policy)?;
        doomed.extend(records.iter().cloned());
        let partials = self.doomed_partials(policy)?;
        doomed.extend(partials.iter().cloned());
        doomed.extend(self.doomed_answers(policy)?);
        if !policy.dry_run {
            // First the names, then what they stood for.
            self.change_index(&[], |index| {
                index.manifests.retain(|entry| !dropped.contains(entry));
            })?;
            for file in &doomed {
                remove(&file.path)?;
            }
        }
        Ok(Pruned {
            images: dropped,
            blobs: blobs.into_iter().map(|(digest, file)| (digest, file.size)).collect(),
            records: records.len(),
            partials: partials.len(),
            freed: doomed.iter().map(|file| file.size).sum(),
        })
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
            name_of(image).is_some() || recent
        }))
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

    fn doomed_blobs(
        &self,
        reached: &ReachedSet,
        policy: &PrunePolicy,
    ) -> Result<Vec<(Digest, Aged)>, StoreError> {
        let mut unreached: Vec<(Digest, Aged)> = self
            .all_blobs()?
            .into_iter()
            .filter(|(digest, _)| !reached.digests.contains(digest))
            .collect();
        unreached.sort_by(|(a, left), (b, right)| left.used.cmp(&right.used).then(a.cmp(b)));
        let mut left: u64 = unreached.iter().map(|(_, file)| file.size).sum();
        let mut doomed = Vec::new();
        for (digest, file) in unreached {
            // The oldest come first, so the first that stays is followed by others that do.
            if policy.keep_bytes.is_some_and(|keep| left <= keep) || !policy.is_old(&file) {
                break;
            }
            left -= file.size;
            doomed.push((digest, file));
        }
        doomed.sort_by_key(|(digest, _)| *digest);
        Ok(doomed)
    }

    fn all_blobs(&self) -> Result<Vec<(Digest, Aged)>, StoreError> {
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

    /// Records that were not used lately, and those that speak of blobs that are gone.
    fn doomed_records(
        &self,
        reached: &ReachedSet,
        gone: &BTreeSet<Digest>,
        policy: &PrunePolicy,
    ) -> Result<Vec<Aged>, StoreError> {
        let mut doomed = Vec::new();
        for directory in subdirectories(&self.records())? {
            let kind = directory.file_name().unwrap_or_default().to_string_lossy().into_owned();
            for path in record_files(&directory)? {
                let Some(key) = key_of(&path) else { continue };
                let Some(file) = Aged::read(path) else { continue };
                let doomed_now = match kind.as_str() {
                    // As good as its blob is, and no better.
                    LAYER => !self.leads_to_a_blob(&key, gone)?,
                    LAYER_INDEX => !reached.diff_ids.contains(&DiffId(key)) && policy.is_old(&file),
                    SOURCES => !reached.digests.contains(&key) && policy.is_old(&file),
                    _ => policy.is_old(&file),
                };
                doomed.extend(doomed_now.then_some(file));
            }
        }
        Ok(doomed)
    }

    /// Whether the layer that was recorded for `key` will still be here.
    fn leads_to_a_blob(&self, key: &Digest, gone: &BTreeSet<Digest>) -> Result<bool, StoreError> {
        let Some(layer) = self.layer_record(key)? else { return Ok(false) };
        let digest = layer.descriptor.digest;
        Ok(!gone.contains(&digest) && self.contains(&digest)?.is_some())
    }

    fn doomed_partials(&self, policy: &PrunePolicy) -> Result<Vec<Aged>, StoreError> {
        let files = record_files(&self.inner.plywood("partial"))?;
        Ok(files.into_iter().filter_map(Aged::read).filter(|file| policy.is_old(file)).collect())
    }

    /// What clients keep of what servers answered. Nobody else has the store open.
    fn doomed_answers(&self, policy: &PrunePolicy) -> Result<Vec<Aged>, StoreError> {
        let mut doomed = Vec::new();
        let mut directories = vec![self.inner.plywood("answers")];
        while let Some(directory) = directories.pop() {
            let files = record_files(&directory)?.into_iter().filter_map(Aged::read);
            doomed.extend(files.filter(|file| policy.is_old(file)));
            directories.extend(subdirectories(&directory)?);
        }
        Ok(doomed)
    }

    /// Deletes those blobs of an image that no other image has and no build left as a layer.
    pub(crate) fn delete_unshared(
        &self,
        image: &Descriptor,
    ) -> Result<Vec<(Digest, u64)>, StoreError> {
        // What an image that cannot be read needs is not known, so nothing is deleted.
        let Ok(reached) = self.reached_by(&self.read_index()?.manifests) else {
            return Ok(Vec::new());
        };
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

impl PrunePolicy {
    fn is_old(&self, file: &Aged) -> bool {
        let Some(limit) = self.older_than else { return true };
        // What was used after `now` is as young as can be.
        self.now.duration_since(file.used).is_ok_and(|age| age >= limit)
    }
}

/// What the images that stay consist of.
#[derive(Debug, Default)]
struct ReachedSet {
    digests: BTreeSet<Digest>,
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
struct Aged {
    path: PathBuf,
    size: u64,
    used: SystemTime,
}

impl Aged {
    fn read(path: PathBuf) -> Option<Aged> {
        let file = fs::symlink_metadata(&path).ok().filter(fs::Metadata::is_file)?;
        Some(Aged { path, size: file.len(), used: file.modified().ok()? })
    }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match fs::remove_file(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map_err(StoreError::io("delete", path)),
    }
}
