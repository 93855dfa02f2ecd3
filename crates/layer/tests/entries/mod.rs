//! Entries for tests: one of each kind, with everything that a plain ustar header cannot say.

#![allow(dead_code)] // Not every test uses every one.
#![allow(clippy::unwrap_used)] // A test may.

use std::num::NonZeroUsize;

use layer::{Attributes, Content, Entry, LayerWriter, Node, Packed, Packing};
use oci::ImagePath;

/// Writes `entries`, with each file's content from `content`, and gives the blob.
pub(crate) fn write(
    entries: &[(Entry, Vec<u8>)],
    packing: Packing,
    threads: usize,
) -> (Packed, Vec<u8>) {
    let threads = NonZeroUsize::new(threads).unwrap();
    let mut writer = LayerWriter::new(Vec::new(), packing, threads).unwrap();
    for (entry, content) in entries {
        writer.append(entry, Some(&mut &content[..])).unwrap();
    }
    writer.finish().unwrap()
}

pub(crate) fn entry(path: &str, node: Node) -> (Entry, Vec<u8>) {
    let attributes = match node {
        Node::Whiteout | Node::Opaque => Attributes::root(0, 0),
        _ => Attributes::root(0o640, 1_700_000_000),
    };
    (Entry { path: ImagePath::lexical(path), attributes, node }, Vec::new())
}

pub(crate) fn file(path: &str, content: &[u8]) -> (Entry, Vec<u8>) {
    (entry(path, Node::File(Content::of(content))).0, content.to_vec())
}

pub(crate) fn every_kind() -> Vec<(Entry, Vec<u8>)> {
    let mut entries = vec![
        entry("", Node::Directory),
        entry("dev", Node::Directory),
        entry("dev/null", Node::CharDevice { major: 1, minor: 3 }),
        entry("dev/sda", Node::BlockDevice { major: 8, minor: 1_000_000 }),
        entry("dev/initctl", Node::Fifo),
        file("etc/motd", b"hello\n"),
        file("etc/empty", b""),
        entry("etc/motd.link", Node::Hardlink(ImagePath::lexical("etc/motd"))),
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
            // cap_net_raw, permitted and effective, as linux/capability.h lays it out.
            (b"security.capability".to_vec(), [&[1, 0, 0, 2, 0, 0x20][..], &[0; 14]].concat()),
            (b"user.binary".to_vec(), vec![0xff, b'\n', 0, b'=']),
        ]
        .into(),
    };
    entries.push(capable);
    entries.sort_by(|(a, _), (b, _)| a.layer_order(b));
    entries
}
