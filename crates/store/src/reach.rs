//! What an image consists of: the blobs that its manifest or index leads to.

use std::collections::BTreeSet;

use oci::{Descriptor, Digest, ImageIndex, Manifest, MediaType};

use crate::{Store, StoreError};

/// How deep indexes may hold indexes. Real ones do not; the limit bounds the recursion.
pub(crate) const MAX_DEPTH: usize = 16;

/// A blob that an image leads to.
#[derive(Debug, Clone)]
pub(crate) struct Reached {
    pub(crate) descriptor: Descriptor,
    pub(crate) presence: Presence,
}

/// Whether a blob is in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Presence {
    Here,
    Absent,
}

impl Store {
    /// Every blob of an image, each once, and each after all those that it names: layers and
    /// config, then the manifest, then the index. `root` itself comes last.
    ///
    /// Blobs that are not here are listed; what an absent manifest leads to is not known.
    pub fn blobs_of(&self, root: &Descriptor) -> Result<Vec<Descriptor>, StoreError> {
        Ok(self.reach(root)?.into_iter().map(|reached| reached.descriptor).collect())
    }

    /// Those blobs of an image that are not in the store: what to fetch before it can be saved.
    pub fn missing(&self, root: &Descriptor) -> Result<Vec<Descriptor>, StoreError> {
        let reached = self.reach(root)?.into_iter();
        let absent = reached.filter(|reached| reached.presence == Presence::Absent);
        Ok(absent.map(|reached| reached.descriptor).collect())
    }

    pub(crate) fn reach(&self, root: &Descriptor) -> Result<Vec<Reached>, StoreError> {
        let mut walk = Walk { store: self, seen: BTreeSet::new(), found: Vec::new() };
        walk.visit(root, 0)?;
        Ok(walk.found)
    }
}

struct Walk<'a> {
    store: &'a Store,
    seen: BTreeSet<Digest>,
    found: Vec<Reached>,
}

impl Walk<'_> {
    fn visit(&mut self, descriptor: &Descriptor, depth: usize) -> Result<(), StoreError> {
        if !self.seen.insert(descriptor.digest) {
            return Ok(());
        }
        // A file of the wrong size is not the blob; fetching it again replaces it.
        let here = self.store.contains(&descriptor.digest)? == Some(descriptor.size);
        let presence = if here { Presence::Here } else { Presence::Absent };
        if here && is_document(&descriptor.media_type) {
            if depth == MAX_DEPTH {
                return Err(StoreError::TooDeep { digest: descriptor.digest });
            }
            for child in children(&self.store.read_manifest(descriptor)?) {
                self.visit(&child, depth + 1)?;
            }
        }
        self.found.push(Reached { descriptor: descriptor.clone(), presence });
        Ok(())
    }
}

/// Whether a blob of this type names others.
pub(crate) fn is_document(media_type: &MediaType) -> bool {
    media_type.is_manifest() || media_type.is_index()
}

/// The images of an index, without BuildKit's attestations: those are listed beside the images
/// that they are about, for the platform `unknown/unknown`.
pub(crate) fn runnable(index: &ImageIndex) -> impl Iterator<Item = &Descriptor> {
    index.manifests().iter().filter(|entry| {
        entry.media_type.is_manifest()
            && entry.platform.as_ref().is_none_or(|platform| platform.os != "unknown")
    })
}

/// What a manifest or an index names.
pub(crate) fn children(manifest: &Manifest) -> Vec<Descriptor> {
    match manifest {
        Manifest::Image(manifest) => {
            manifest.layers().iter().chain([manifest.config()]).cloned().collect()
        }
        Manifest::Index(index) => index.manifests().to_vec(),
    }
}

impl Store {
    /// Reads and verifies a manifest or an index.
    pub fn read_manifest(&self, descriptor: &Descriptor) -> Result<Manifest, StoreError> {
        let bytes = self.read(descriptor)?;
        let digest = descriptor.digest;
        Manifest::parse(bytes, Some(&descriptor.media_type))
            .map_err(|source| StoreError::Manifest { digest, source })
    }
}
