//! What is written reads back: by this crate, and by the `tar` crate.

#![allow(clippy::unwrap_used)] // A test may.

use std::num::NonZeroUsize;

use layer::{Attributes, Content, Entry, LayerIndex, LayerWriter, Limits, Node, Packed, Packing};
use oci::ImagePath;

/// Writes `entries`, with each file's content from `content`, and gives the blob.
fn write(entries: &[(Entry, Vec<u8>)], packing: Packing, threads: usize) -> (Packed, Vec<u8>) {
    let threads = NonZeroUsize::new(threads).unwrap();
    let mut writer = LayerWriter::new(Vec::new(), packing, threads).unwrap();
    for (entry, content) in entries {
        writer.append(entry, Some(&mut &content[..])).unwrap();
    }
    writer.finish().unwrap()
}

fn read(packed: &Packed, packing: Packing, blob: &[u8]) -> LayerIndex {
    let tar = layer::decompress(blob, packing.compression(), &Limits::default()).unwrap();
    let (index, diff_id) = LayerIndex::read(tar, &Limits::default()).unwrap();
    assert_eq!(diff_id, packed.diff_id);
    index
}

fn entry(path: &str, node: Node) -> (Entry, Vec<u8>) {
    let attributes = match node {
        Node::Whiteout | Node::Opaque => Attributes::root(0, 0),
        _ => Attributes::root(0o640, 1_700_000_000),
    };
    (Entry { path: ImagePath::lexical(path), attributes, node }, Vec::new())
}

fn file(path: &str, content: &[u8]) -> (Entry, Vec<u8>) {
    (entry(path, Node::File(Content::of(content))).0, content.to_vec())
}

fn every_kind() -> Vec<(Entry, Vec<u8>)> {
    let mut entries = vec![
        entry("", Node::Directory),
        entry("dev", Node::Directory),
        entry("dev/null", Node::CharDevice { major: 1, minor: 3 }),
        entry("dev/sda", Node::BlockDevice { major: 8, minor: 1_000_000 }),
        entry("dev/initctl", Node::Fifo),
        file("etc/motd", b"hello\n"),
        file("etc/empty", b""),
        entry("etc/message", Node::Hardlink(ImagePath::lexical("etc/motd"))),
        entry("etc/link", Node::Symlink(b"../../../outside".to_vec())),
        entry("etc/gone", Node::Whiteout),
        entry("var", Node::Opaque),
        entry(&"long/".repeat(60), Node::Directory),
        entry(&format!("{}/{}", "d".repeat(120), "f".repeat(99)), Node::Fifo),
        entry(&format!("{}/{}", "d".repeat(120), "g".repeat(101)), Node::Fifo),
        file("grün", "grün".as_bytes()),
        file("block", &vec![7; 3 << 20]),
    ];
    let raw = ImagePath::lexical(b"raw\xff".as_slice());
    entries.push(entry("x", Node::Symlink(vec![0xff; 200])));
    entries.push((Entry { path: raw, ..entry("x", Node::Fifo).0 }, Vec::new()));
    let mut capable = file("usr/bin/ping", &[1; 5000]);
    capable.0.attributes = Attributes {
        mode: 0o4755,
        uid: 4_000_000_000,
        gid: 3_000_000,
        mtime: -5,
        xattrs: [
            (b"security.capability".to_vec(), vec![1, 0, 0, 2, 0xff, b'\n', 0]),
            (b"user.x".to_vec(), vec![]),
        ]
        .into(),
    };
    entries.push(capable);
    entries.sort_by(|(a, _), (b, _)| a.layer_order(b));
    entries
}

#[test]
fn every_kind_of_entry_reads_back() {
    let entries = every_kind();
    for packing in [Packing::None, Packing::default(), Packing::Zstd(Default::default())] {
        let (packed, blob) = write(&entries, packing, 2);
        let index = read(&packed, packing, &blob);
        let written: Vec<Entry> = entries.iter().map(|(entry, _)| entry.clone()).collect();
        assert_eq!(index.entries(), written);
    }
}

#[test]
fn threads_do_not_change_the_bytes() {
    let mut entries = every_kind();
    let noise: Vec<u8> =
        (0u32..2_000_000).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    entries.push(file("zz", &noise));
    for packing in [Packing::None, Packing::default(), Packing::Zstd(Default::default())] {
        let (packed, blob) = write(&entries, packing, 1);
        for threads in [2, 3, 4] {
            let (again, same) = write(&entries, packing, threads);
            assert_eq!(again, packed);
            assert!(same == blob);
        }
    }
}
