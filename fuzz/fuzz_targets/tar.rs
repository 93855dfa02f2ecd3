#![no_main]
//! Layers' tars, whoever wrote them.
//!
//! The input is the tar without checksums: they are put right first, since no mutation would.
//! What is read comes out again: from the index's bytes, from the tar by the index's offsets, and
//! from a tar that is written of it.

use std::collections::BTreeMap;
use std::io::Read;
use std::num::NonZeroUsize;
use std::sync::Arc;

use layer::{
    Entry, LayerIndex, LayerWriter, Limits, Node, Packing, ResolveError, RootFs, TarError, extract,
};
use libfuzzer_sys::fuzz_target;
use oci::{DiffId, Digest, ImagePath};

const RECORD: usize = 512;
const LIMITS: Limits = Limits {
    uncompressed: 1 << 20,
    ratio: 100,
    entries: 200,
    names: 32 << 10,
    extended_header: 4 << 10,
    depth: 64,
};

fuzz_target!(|bytes: &[u8]| {
    let _ = LayerIndex::read(bytes, &LIMITS);
    let tar = with_checksums(bytes);
    let Ok((index, diff_id)) = LayerIndex::read(&tar[..], &LIMITS) else { return };
    assert_eq!(diff_id, DiffId(Digest::of(&tar)));
    assert!(index.entries().is_sorted_by(|a, b| a.layer_order(b).is_lt()));
    let read = LayerIndex::from_bytes(&index.to_bytes()).expect("an index's own bytes");
    assert_eq!(read, index);

    let files = extracted(&tar, &index);
    let entries = written_again(&index, &files);
    look_around(&RootFs::new(vec![
        Some(Arc::new(LayerIndex::from_entries(entries))),
        Some(Arc::new(index)),
    ]));
});

/// The tar with right checksums in what its reader will take for headers.
fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut tar = bytes.to_vec();
    let mut at = 0;
    while let Some(block) = tar.get_mut(at..at + RECORD) {
        if block.iter().any(|byte| *byte != 0) {
            block[148..156].fill(b' ');
            let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
            block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        }
        let digits = std::str::from_utf8(&block[124..135]).unwrap_or_default();
        let size = usize::from_str_radix(digits, 8).unwrap_or(0);
        let has_content = !matches!(block[156], b'1'..=b'6');
        at += RECORD + if has_content { size.next_multiple_of(RECORD) } else { 0 };
    }
    tar
}

fn extracted(tar: &[u8], index: &LayerIndex) -> BTreeMap<ImagePath, Vec<u8>> {
    let mut files = BTreeMap::new();
    extract(
        tar,
        index,
        |_| true,
        |entry, content| {
            let mut bytes = Vec::new();
            content.read_to_end(&mut bytes).expect("an index points at what there is");
            files.insert(entry.path.clone(), bytes);
            Ok::<_, TarError>(())
        },
    )
    .expect("an index agrees with its tar");
    let entries = index.entries().iter();
    assert_eq!(files.len(), entries.filter(|entry| matches!(entry.node, Node::File(_))).count());
    files
}

/// Those entries that a tar of ours may hold, written and read. What is below a link would be read
/// as being elsewhere, and links can make a path longer than a tar's may be.
fn written_again(index: &LayerIndex, files: &BTreeMap<ImagePath, Vec<u8>>) -> Vec<Entry> {
    let mut writer =
        LayerWriter::new(Vec::new(), Packing::None, NonZeroUsize::MIN).expect("a writer");
    let mut entries = Vec::new();
    let mut above: Option<&ImagePath> = None;
    for entry in index.entries() {
        let below =
            above.is_some_and(|above| entry.path != *above && entry.path.starts_with(above));
        if below || entry.path.components().count() as u64 > LIMITS.depth {
            continue;
        }
        if !entry.is_marker() {
            above = (entry.node != Node::Directory).then_some(&entry.path);
        }
        let mut content = files.get(&entry.path).map(Vec::as_slice);
        let content = content.as_mut().map(|content| content as &mut dyn Read);
        if writer.append(entry, content).is_ok() {
            entries.push(entry.clone());
        }
    }
    let (packed, tar) = writer.finish().expect("a sink that takes all");
    let (read, diff_id) = LayerIndex::read(&tar[..], &Limits::default()).expect("a tar of ours");
    assert_eq!(read.entries(), entries);
    assert_eq!(diff_id, packed.diff_id);
    entries
}

fn look_around(root_fs: &RootFs) {
    for (path, found) in root_fs.walk(&ImagePath::root()).expect("all is loaded") {
        assert_eq!(root_fs.lookup(&path).expect("all is loaded"), Some(found));
        let _ = root_fs.behind_hardlink(found);
        for resolved in [root_fs.resolve(&path), root_fs.resolve_parent(&path)] {
            match resolved {
                Ok(resolved) => assert_eq!(
                    root_fs.lookup(&resolved.path).expect("all is loaded"),
                    resolved.found
                ),
                Err(ResolveError::NotLoaded(_)) => panic!("all is loaded"),
                Err(_) => {}
            }
        }
    }
}
