//! Images of the store by what people type: a name, a digest, or the first digits of an id.

use std::collections::BTreeMap;

use oci::{Descriptor, Digest, Manifest, Reference};
use store::{Listed, Store, StoreError};

use crate::error::Error;

/// An image of the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stored {
    /// Its manifest or index.
    pub(super) image: Descriptor,
    /// The name that was typed, if it was one.
    pub(super) name: Option<Reference>,
    /// All of its names.
    pub(super) names: Vec<Reference>,
}

/// Finds the image that `text` means: a name before an id, since names are chosen and ids are not.
pub(super) fn find(store: &Store, text: &str) -> Result<Stored, Error> {
    let reference = text.parse::<Reference>();
    if let Ok(reference) = &reference
        && let Some(image) = store.resolve(reference)?
    {
        let names = names_of(&store.images()?, &image.digest);
        let name = reference.clone().or_latest();
        return Ok(Stored { image, name: Some(name), names });
    }
    let listed = store.images()?;
    if let Some(prefix) = id_prefix(text) {
        let matches = matching(store, &listed, prefix);
        let mut images = matches.into_values();
        match (images.next(), images.next()) {
            (Some(image), None) => {
                let names = names_of(&listed, &image.digest);
                return Ok(Stored { image, name: None, names });
            }
            (Some(first), Some(second)) => {
                let others = images.map(|image| image.digest);
                let candidates = [first.digest, second.digest].into_iter().chain(others);
                return Err(Error::AmbiguousId {
                    prefix: text.to_owned(),
                    candidates: candidates.map(|digest| digest.short()).collect(),
                });
            }
            (None, _) => {}
        }
    }
    let available = listed.iter().filter_map(|listed| listed.name.clone()).collect();
    let wanted = reference.map_err(Error::from)?.or_latest().familiar();
    Err(StoreError::UnknownImage { wanted, place: store.root().to_owned(), available }.into())
}

/// The hex digits of an id, or of its beginning.
fn id_prefix(text: &str) -> Option<&str> {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    let good = !digits.is_empty() && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    good.then_some(digits)
}

/// The images whose own digest, config's digest or image of an index begins with `prefix`.
fn matching(store: &Store, listed: &[Listed], prefix: &str) -> BTreeMap<Digest, Descriptor> {
    let mut found = BTreeMap::new();
    let mut consider = |image: &Descriptor| {
        // Other programs call an image by its config's digest.
        let config = match store.read_manifest(image) {
            Ok(Manifest::Image(manifest)) => Some(manifest.config().digest),
            Ok(Manifest::Index(_)) | Err(_) => None,
        };
        let ids = std::iter::once(image.digest).chain(config);
        if ids.into_iter().any(|id| id.hex().starts_with(prefix)) {
            found.insert(image.digest, image.clone());
        }
    };
    for listed in listed {
        consider(&listed.descriptor);
        if let Ok(Manifest::Index(index)) = store.read_manifest(&listed.descriptor) {
            index.manifests().iter().for_each(&mut consider);
        }
    }
    found
}

/// The names that an image has.
pub(super) fn names_of(listed: &[Listed], digest: &Digest) -> Vec<Reference> {
    let same = listed.iter().filter(|listed| listed.descriptor.digest == *digest);
    same.filter_map(Listed::reference).collect()
}
