//! Small images for tests, each a real one that other programs read.

#![allow(dead_code, reason = "each test file uses its own part")]

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use flate2::Compression as Level;
use flate2::write::GzEncoder;
use oci::{
    Compression, Descriptor, DiffId, Digest, ImageConfig, ImageIndex, ImageManifest, MediaType,
    Platform, Reference,
};
use store::Store;

pub(crate) fn open() -> (tempfile::TempDir, Store) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(&directory.path().join("store")).unwrap();
    (directory, store)
}

pub(crate) fn reference(text: &str) -> Reference {
    text.parse().unwrap()
}

/// A tar of one file, `hello`, that holds `text`.
pub(crate) fn tar_of(text: &str) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_ustar();
    header.set_size(text.len() as u64);
    header.set_mode(0o644);
    builder.append_data(&mut header, "hello", text.as_bytes()).unwrap();
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Level::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The config of an image over `tars`.
pub(crate) fn config(platform: &str, tars: &[Vec<u8>]) -> Vec<u8> {
    let mut config = ImageConfig::new(&platform.parse().unwrap());
    let diff_ids: Vec<DiffId> = tars.iter().map(|tar| DiffId(Digest::of(tar))).collect();
    config.set_diff_ids(&diff_ids);
    config.set_created("2020-01-01T00:00:00Z");
    config.to_bytes()
}

pub(crate) fn put(store: &Store, media_type: MediaType, bytes: &[u8]) -> Descriptor {
    store.put(bytes).unwrap();
    Descriptor::of(media_type, bytes)
}

/// An image of two layers, one that says `text` and one that all images share.
pub(crate) fn image(store: &Store, text: &str) -> Descriptor {
    image_for(store, text, "linux/amd64")
}

pub(crate) fn image_for(store: &Store, text: &str, platform: &str) -> Descriptor {
    let tars = [tar_of("shared"), tar_of(text)];
    let gzipped = MediaType::OciLayer(Compression::Gzip);
    let layers = tars.iter().map(|tar| put(store, gzipped.clone(), &gzip(tar))).collect();
    let config = put(store, MediaType::OciConfig, &config(platform, &tars));
    let manifest = ImageManifest::new(config, layers, BTreeMap::new());
    put(store, MediaType::OciManifest, manifest.bytes())
}

/// An index of an image for each platform.
pub(crate) fn index(store: &Store, text: &str, platforms: &[&str]) -> Descriptor {
    let entries = platforms.iter().map(|platform| Descriptor {
        platform: Some(platform.parse::<Platform>().unwrap()),
        ..image_for(store, text, platform)
    });
    let index = ImageIndex::new(entries.collect(), BTreeMap::new());
    put(store, MediaType::OciIndex, index.bytes())
}

/// Every file below `root`, relative and sorted, directories left out.
pub(crate) fn files(root: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut pending = vec![root.to_owned()];
    while let Some(directory) = pending.pop() {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        for entry in entries {
            let entry = entry.unwrap();
            if entry.file_type().unwrap().is_dir() {
                pending.push(entry.path());
            } else {
                let path = entry.path().strip_prefix(root).unwrap().display().to_string();
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

pub(crate) fn blobs(store: &Store) -> usize {
    files(&store.root().join("blobs")).len()
}
