#![no_main]
//! Manifests and indexes, as registries send them.
//!
//! The bytes stay exact, and what is written of the parts that were read can be read again.

use libfuzzer_sys::fuzz_target;
use oci::{Descriptor, Digest, ImageIndex, ImageManifest, Manifest, MediaType, Platform, json};

fuzz_target!(|bytes: &[u8]| {
    let Ok(manifest) = Manifest::parse(bytes.to_vec(), None) else {
        for stated in [MediaType::OciIndex, MediaType::DockerManifest] {
            let _ = Manifest::parse(bytes.to_vec(), Some(&stated));
        }
        return;
    };
    assert_eq!(manifest.bytes(), bytes);
    assert_eq!(manifest.digest(), Digest::of(bytes));
    assert_eq!(manifest.descriptor().size, bytes.len() as u64);
    let again = Manifest::parse(bytes.to_vec(), Some(manifest.media_type()));
    assert_eq!(again.expect("the type that it has"), manifest);
    match &manifest {
        Manifest::Image(image) => rewritten_image(image),
        Manifest::Index(index) => rewritten_index(index),
    }
});

fn rewritten_image(image: &ImageManifest) {
    std::iter::once(image.config())
        .chain(image.layers())
        .chain(image.subject())
        .for_each(descriptor);
    let made = ImageManifest::new(
        image.config().clone(),
        image.layers().to_vec(),
        image.annotations().clone(),
    );
    let read = Manifest::parse(made.bytes().to_vec(), None).expect("what was written");
    assert_eq!(read, Manifest::Image(made));
}

fn rewritten_index(index: &ImageIndex) {
    index.manifests().iter().for_each(descriptor);
    for platform in index.platforms() {
        let selected = index.select(&platform).expect("a platform that is listed");
        let has = selected.platform.as_ref().expect("it was selected by its platform");
        assert!(has.satisfies(&platform));
    }
    let _ = index.select(&Platform::linux("arm64"));
    let made = ImageIndex::new(index.manifests().to_vec(), index.annotations().clone());
    let read = Manifest::parse(made.bytes().to_vec(), None).expect("what was written");
    assert_eq!(read, Manifest::Index(made));
}

fn descriptor(descriptor: &Descriptor) {
    let read: Descriptor =
        serde_json::from_slice(&json::to_bytes(descriptor)).expect("what was written");
    assert_eq!(&read, descriptor);
}
