//! Entries for tests: one of each kind, with everything that a plain ustar header cannot say.

#![allow(dead_code)] // Not every test uses every one.
#![allow(clippy::unwrap_used)] // A test may.

use std::num::NonZeroUsize;

use layer::{
    Attributes, Content, Deflated, DeflatedPart, Entry, LayerWriter, Node, Packed, Packing,
};
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

/// Writes `entries` as [`write`] does; files whose path is `deflated` come as a zip holds them.
pub(crate) fn write_deflated(
    entries: &[(Entry, Vec<u8>)],
    deflated: impl Fn(&ImagePath) -> bool,
    packing: Packing,
    threads: usize,
) -> (Packed, Vec<u8>) {
    let threads = NonZeroUsize::new(threads).unwrap();
    let mut writer = LayerWriter::new(Vec::new(), packing, threads).unwrap();
    append_deflated(&mut writer, entries, deflated);
    writer.finish().unwrap()
}

pub(crate) fn append_deflated(
    writer: &mut LayerWriter<Vec<u8>>,
    entries: &[(Entry, Vec<u8>)],
    deflated: impl Fn(&ImagePath) -> bool,
) {
    for (entry, content) in entries {
        if !deflated(&entry.path) {
            writer.append(entry, Some(&mut &content[..])).unwrap();
            continue;
        }
        let stream = deflate(content);
        let parts = [part(content, &stream)];
        let deflated = Deflated { stream: &mut &stream[..], parts: &parts };
        writer.append_deflated(entry, deflated).unwrap();
    }
}

/// What is to be said of a stream.
pub(crate) fn part(content: &[u8], stream: &[u8]) -> DeflatedPart {
    let (size, packed_size) = (content.len() as u64, stream.len() as u64);
    DeflatedPart { size, packed_size, crc32: libdeflater::crc32(content) }
}

/// A raw deflate stream. The compressor is pinned, so golden digests may depend on it.
pub(crate) fn deflate(content: &[u8]) -> Vec<u8> {
    let mut compressor = libdeflater::Compressor::new(libdeflater::CompressionLvl::default());
    let mut stream = vec![0; compressor.deflate_compress_bound(content.len())];
    let written = compressor.deflate_compress(content, &mut stream).unwrap();
    stream.truncate(written);
    stream
}

/// Text of a small vocabulary, each seed's another.
pub(crate) fn text(seed: u64, length: usize) -> Vec<u8> {
    let words = ["layer ", "entry ", "digest ", "tar ", "\n", "of ", "a ", "whiteout "];
    let mut state = seed;
    let mut text = Vec::with_capacity(length + 10);
    while text.len() < length {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.extend_from_slice(words[(state >> 60) as usize / 2].as_bytes());
    }
    text.truncate(length);
    text
}

/// What a wheel brings: files on both sides of every limit, most of them small.
pub(crate) fn wheel() -> Vec<(Entry, Vec<u8>)> {
    let mut entries: Vec<_> = (0..300u64)
        .map(|number| file(&format!("lib/{number}.py"), &text(number, number as usize * 61)))
        .collect();
    for (number, size) in
        [(32 << 10) - 1, 32 << 10, 100_000, 100_001, 700_000, 6_000_000].into_iter().enumerate()
    {
        entries.push(file(&format!("lib/{number}.so"), &text(size as u64, size)));
    }
    entries.push(entry("lib", Node::Directory));
    entries.push(entry("lib/link", Node::Symlink(b"0.so".to_vec())));
    entries.push(entry("lib/z.so", Node::Hardlink(ImagePath::lexical("lib/4.so"))));
    entries.sort_by(|(a, _), (b, _)| a.layer_order(b));
    entries
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
