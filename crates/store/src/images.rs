//! Images by name: the layout's `index.json`.

use std::collections::BTreeMap;
use std::io::{self, Read};

use oci::{Descriptor, Digest, ImageConfig, Manifest, MediaType, Platform, Reference};
use serde::{Deserialize, Serialize};

use crate::reach::{Presence, runnable};
use crate::scratch::{self, BeforeNaming};
use crate::{Store, StoreError};

/// The annotation that holds an image's name (image-spec `annotations.md`, and `image-layout.md`,
/// "index.json file").
pub const REF_NAME: &str = "org.opencontainers.image.ref.name";

/// The largest `index.json` that is read: room for some 100,000 images.
pub(crate) const MAX_INDEX_BYTES: u64 = 64 * 1024 * 1024;

/// An image that the store lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// The name as it stands in `index.json`; none for an image that lost its name or never had
    /// one.
    pub name: Option<String>,
    /// Its manifest or index.
    pub descriptor: Descriptor,
    /// When it was made, as RFC 3339; for an index, its first image's.
    pub created: Option<String>,
    /// What it runs on.
    pub platforms: Vec<Platform>,
    /// Config and layers of all platforms, in bytes as they are stored and sent.
    pub size: u64,
}

impl Listed {
    /// The name as a reference. Other programs give names that are none, such as `latest`.
    pub fn reference(&self) -> Option<Reference> {
        let name = self.name.as_deref()?;
        name.parse().ok().filter(|reference: &Reference| reference.to_string() == name)
    }
}

/// What became of an image that was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removed {
    /// The image that lost its name.
    pub descriptor: Descriptor,
    /// The blobs that went with it and their sizes.
    pub deleted: Vec<(Digest, u64)>,
}

/// A layout's `index.json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct IndexFile {
    schema_version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    media_type: Option<MediaType>,
    #[serde(default)]
    pub(crate) manifests: Vec<Descriptor>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    annotations: BTreeMap<String, String>,
}

impl Default for IndexFile {
    fn default() -> Self {
        IndexFile {
            schema_version: 2,
            media_type: Some(MediaType::OciIndex),
            manifests: Vec::new(),
            annotations: BTreeMap::new(),
        }
    }
}

/// The name that an entry of `index.json` has.
pub(crate) fn name_of(entry: &Descriptor) -> Option<&str> {
    entry.annotations.get(REF_NAME).map(String::as_str).filter(|name| !name.is_empty())
}

impl Store {
    /// Gives the image the name `reference` (`latest` where it has no tag), which it may take from
    /// another; that one then stays as an image without a name.
    ///
    /// Every blob of the image has to be here, or be known to be
    /// [elsewhere](Store::record_remote).
    pub fn tag(&self, reference: &Reference, image: &Descriptor) -> Result<(), StoreError> {
        if let Some(expected) = reference.digest().filter(|digest| *digest != image.digest) {
            return Err(StoreError::DigestMismatch { expected, actual: Box::new(image.digest) });
        }
        self.record(Some(stored_name(reference)), image)
    }

    /// Lists the image without a name. Nothing changes if it has one.
    pub fn add(&self, image: &Descriptor) -> Result<(), StoreError> {
        self.record(None, image)
    }

    /// The image that has this name, or, for a reference with a digest, the image with it.
    ///
    /// A digest is also looked for among the manifests of listed indexes.
    pub fn resolve(&self, reference: &Reference) -> Result<Option<Descriptor>, StoreError> {
        let index = self.read_index()?;
        let Some(digest) = reference.digest() else {
            let name = stored_name(reference);
            return Ok(index.find(&name).map(without_name));
        };
        self.find_digest(&index, &digest)
    }

    /// The image with this digest, listed itself or through an index.
    pub fn image(&self, digest: &Digest) -> Result<Option<Descriptor>, StoreError> {
        self.find_digest(&self.read_index()?, digest)
    }

    fn find_digest(
        &self,
        index: &IndexFile,
        digest: &Digest,
    ) -> Result<Option<Descriptor>, StoreError> {
        if let Some(entry) = index.manifests.iter().find(|entry| entry.digest == *digest) {
            return Ok(Some(without_name(entry)));
        }
        for entry in index.manifests.iter().filter(|entry| entry.media_type.is_index()) {
            // An image that cannot be read is not in the way of those that can.
            let Ok(Manifest::Index(inner)) = self.read_manifest(entry) else { continue };
            let child = inner.manifests().iter().find(|child| child.digest == *digest);
            if let Some(child) = child.filter(|child| child.media_type.is_manifest()) {
                return Ok(Some(child.clone()));
            }
        }
        Ok(None)
    }

    /// All images, the named ones first, by name. What a damaged image would say is left out.
    pub fn images(&self) -> Result<Vec<Listed>, StoreError> {
        let mut images: Vec<Listed> =
            self.read_index()?.manifests.iter().map(|entry| self.describe(entry)).collect();
        images.sort_by(|a, b| {
            let key = |listed: &Listed| (listed.name.is_none(), listed.name.clone());
            key(a).cmp(&key(b)).then_with(|| a.descriptor.digest.cmp(&b.descriptor.digest))
        });
        Ok(images)
    }

    /// Takes the name away and leaves everything else to [`Store::prune`].
    pub fn untag(&self, reference: &Reference) -> Result<Descriptor, StoreError> {
        let name = stored_name(reference);
        let mut removed = None;
        let index = self.change_index(&[], |index| {
            let place = index.manifests.iter().position(|entry| name_of(entry) == Some(&name));
            removed = place.map(|place| index.manifests.remove(place));
        })?;
        match removed {
            Some(entry) => Ok(without_name(&entry)),
            None => Err(self.unknown(name, &index)),
        }
    }

    /// Takes the name away and, as `docker rmi` does, deletes what only this image needed.
    ///
    /// Layers that were built here stay for the next build, until they are pruned. While another
    /// process uses the store nothing is deleted; that, too, is left to [`Store::prune`].
    pub fn remove(&mut self, reference: &Reference) -> Result<Removed, StoreError> {
        let descriptor = self.untag(reference)?;
        self.delete_after(descriptor)
    }

    /// Takes all of an image's names away, if it has any, and deletes as [`Store::remove`] does.
    pub fn remove_image(&mut self, digest: &Digest) -> Result<Removed, StoreError> {
        let mut removed = None;
        let index = self.change_index(&[], |index| {
            removed = index.manifests.iter().find(|entry| entry.digest == *digest).cloned();
            index.manifests.retain(|entry| entry.digest != *digest);
        })?;
        match removed {
            Some(entry) => self.delete_after(without_name(&entry)),
            None => Err(self.unknown(digest.to_string(), &index)),
        }
    }

    fn delete_after(&mut self, descriptor: Descriptor) -> Result<Removed, StoreError> {
        let deleted = match self.alone(|store| store.delete_unshared(&descriptor)) {
            Err(StoreError::Busy { .. }) => Vec::new(),
            other => other?,
        };
        Ok(Removed { descriptor, deleted })
    }

    pub(crate) fn unknown(&self, wanted: String, index: &IndexFile) -> StoreError {
        let available = index.names();
        StoreError::UnknownImage { wanted, place: self.root().to_owned(), available }
    }

    fn describe(&self, entry: &Descriptor) -> Listed {
        let mut listed = Listed {
            name: name_of(entry).map(str::to_owned),
            descriptor: without_name(entry),
            created: None,
            platforms: Vec::new(),
            size: 0,
        };
        let images = match self.read_manifest(entry) {
            Ok(Manifest::Index(index)) => runnable(&index).cloned().collect(),
            Ok(Manifest::Image(_)) => vec![entry.clone()],
            Err(_) => Vec::new(),
        };
        for image in images {
            let Ok(Manifest::Image(manifest)) = self.read_manifest(&image) else { continue };
            // Sizes are what the manifest says; one that lies must not overflow the sum.
            for blob in manifest.layers().iter().chain([manifest.config()]) {
                listed.size = listed.size.saturating_add(blob.size);
            }
            let config = self.read(manifest.config()).ok();
            let Some(config) = config.and_then(|bytes| ImageConfig::parse(&bytes).ok()) else {
                continue;
            };
            listed.created = listed.created.or_else(|| config.created().map(str::to_owned));
            let platform = image.platform.unwrap_or_else(|| config.platform());
            listed.platforms.push(platform);
        }
        listed
    }

    fn record(&self, name: Option<String>, image: &Descriptor) -> Result<(), StoreError> {
        let absent = self.require_complete(image)?;
        let image = without_name(image);
        self.change_index(&absent, |index| index.set(name, image)).map(drop)
    }

    /// The blobs of the image that are known to be elsewhere; one that is nowhere is an error.
    fn require_complete(&self, image: &Descriptor) -> Result<Vec<Digest>, StoreError> {
        let mut elsewhere = Vec::new();
        for reached in self.reach(image)? {
            let descriptor = reached.descriptor;
            if reached.presence == Presence::Here || !descriptor.urls.is_empty() {
                continue;
            }
            if self.remote_sources(&descriptor.digest)?.is_empty() {
                return Err(self.missing_blob(&descriptor.digest));
            }
            elsewhere.push(descriptor.digest);
        }
        Ok(elsewhere)
    }

    pub(crate) fn read_index(&self) -> Result<IndexFile, StoreError> {
        let path = self.root().join("index.json");
        let file = match std::fs::File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(IndexFile::default());
            }
            other => other.map_err(StoreError::io("open", &path))?,
        };
        let bytes = read_limited(file, &path, MAX_INDEX_BYTES)?;
        serde_json::from_slice(&bytes).map_err(|source| StoreError::Document { path, source })
    }

    /// Rewrites `index.json` under its lock, if `change` changes anything, and returns it.
    ///
    /// What it names is made safe first: the directories of the blobs, and the whereabouts of
    /// those that are `elsewhere`.
    pub(crate) fn change_index(
        &self,
        elsewhere: &[Digest],
        change: impl FnOnce(&mut IndexFile),
    ) -> Result<IndexFile, StoreError> {
        let _alone = self.inner.lock_index()?;
        let before = self.read_index()?;
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.sync_sources(elsewhere)?;
            let path = self.root().join("index.json");
            let directories = self.inner.blob_directories()?;
            let bytes = oci::json::to_bytes(&after);
            scratch::replace(&self.inner, &path, &bytes, BeforeNaming::Sync(&directories))?;
        }
        Ok(after)
    }
}

impl IndexFile {
    pub(crate) fn find(&self, name: &str) -> Option<&Descriptor> {
        self.manifests.iter().find(|entry| name_of(entry) == Some(name))
    }

    /// The names that there are, sorted.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.manifests.iter().filter_map(|entry| name_of(entry).map(str::to_owned)).collect();
        names.sort();
        names
    }

    /// Records an image under a name, or without one.
    pub(crate) fn set(&mut self, name: Option<String>, image: Descriptor) {
        let digest = image.digest;
        let Some(name) = name else {
            if self.manifests.iter().all(|entry| entry.digest != digest) {
                self.manifests.push(image);
            }
            return;
        };
        let mut named = image;
        named.annotations.insert(REF_NAME.to_owned(), name.clone());
        self.manifests.retain(|entry| entry.digest != digest || name_of(entry).is_some());
        let place = self.manifests.iter().position(|entry| name_of(entry) == Some(&name));
        match place.map(|place| std::mem::replace(&mut self.manifests[place], named.clone())) {
            Some(former) => self.set(None, without_name(&former)),
            None => self.manifests.push(named),
        }
    }
}

/// How a name is written in `index.json`: in full, the tag `latest` spelt out. A digest stands
/// alone, since it says what a tag would.
pub(crate) fn stored_name(reference: &Reference) -> String {
    let digest = reference.digest();
    let reference = match digest {
        Some(_) => Reference::new(reference.repository().clone(), None, digest),
        None => reference.clone().or_latest(),
    };
    reference.to_string()
}

pub(crate) fn without_name(entry: &Descriptor) -> Descriptor {
    let mut entry = entry.clone();
    entry.annotations.remove(REF_NAME);
    entry
}

/// Reads a file that is expected to be small.
pub(crate) fn read_limited(
    reader: impl io::Read,
    path: &std::path::Path,
    limit: u64,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    reader.take(limit + 1).read_to_end(&mut bytes).map_err(StoreError::io("read", path))?;
    let size = bytes.len() as u64;
    if size > limit {
        return Err(StoreError::TooLarge { what: path.display().to_string(), size, limit });
    }
    Ok(bytes)
}
