#![no_main]
//! Layer indexes and lists of blocks as a store keeps them, and the file system that several
//! layers make together.
//!
//! The input is any number of indexes, lowest first, each after its length in two bytes, and each
//! without its checksum, which is put right first.

use std::sync::Arc;

use layer::{BlockList, LayerIndex, NotLoaded, RootFs};
use libfuzzer_sys::fuzz_target;
use oci::ImagePath;

fuzz_target!(|bytes: &[u8]| {
    let _ = LayerIndex::from_bytes(bytes);
    if let Ok(list) = BlockList::from_bytes(&with_checksum(bytes)) {
        assert_eq!(BlockList::from_bytes(&list.to_bytes()).expect("a list's own bytes"), list);
    }
    let mut layers = Vec::new();
    let mut rest = bytes;
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(behind.len());
        let (index, behind) = behind.split_at(length);
        rest = behind;
        // A layer of no bytes is one that is not loaded.
        layers.push(if index.is_empty() { None } else { read(index) });
    }
    let merged = RootFs::new(layers.clone());
    let _ = merged.walk(&ImagePath::root()).map(|all| look_around(&merged, &all));
    for index in layers.into_iter().flatten() {
        let alone = RootFs::new(vec![Some(Arc::clone(&index))]);
        let all = alone.walk(&ImagePath::root()).expect("it is loaded");
        look_around(&alone, &all);
        for entry in index.entries().iter().filter(|entry| !entry.is_marker()) {
            assert_eq!(index.entry(&entry.path), Some(entry));
            let _ = (merged.resolve(&entry.path), merged.resolve_parent(&entry.path));
        }
    }
});

fn with_checksum(bytes: &[u8]) -> Vec<u8> {
    [bytes, &crc32fast::hash(bytes).to_le_bytes()].concat()
}

fn read(index: &[u8]) -> Option<Arc<LayerIndex>> {
    let index = LayerIndex::from_bytes(&with_checksum(index)).ok()?;
    let read = LayerIndex::from_bytes(&index.to_bytes()).expect("an index's own bytes");
    assert_eq!(read, index);
    assert_eq!(read.to_bytes(), index.to_bytes());
    Some(Arc::new(index))
}

fn look_around(root_fs: &RootFs, all: &[(ImagePath, layer::Found<'_>)]) {
    for (path, found) in all {
        assert_eq!(root_fs.lookup(path), Ok::<_, NotLoaded>(Some(*found)), "{path}");
        let _ = root_fs.behind_hardlink(*found);
        let _ = root_fs.resolve(path);
    }
}
