//! What archives may not do, and what of their oddities is accepted.

#![allow(clippy::unwrap_used)] // A test may.

use std::io;

use layer::{Entry, LayerIndex, Limits, Node, TarError};
use oci::{Compression, DiffId, Digest, ImagePath};

/// A header block as any tar would write it.
fn header(kind: u8, name: &[u8], link: &[u8], size: &str) -> Vec<u8> {
    let mut block = vec![0; 512];
    block[..name.len()].copy_from_slice(name);
    block[100..107].copy_from_slice(b"0000644");
    block[124..124 + size.len()].copy_from_slice(size.as_bytes());
    block[156] = kind;
    block[157..157 + link.len()].copy_from_slice(link);
    block[257..265].copy_from_slice(b"ustar\x0000");
    seal(&mut block);
    block
}

fn seal(block: &mut [u8]) {
    block[148..156].fill(b' ');
    let sum: u32 = block[..512].iter().map(|byte| u32::from(*byte)).sum();
    block[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
}

fn member(kind: u8, name: &str, link: &str, content: &[u8]) -> Vec<u8> {
    let mut out =
        header(kind, name.as_bytes(), link.as_bytes(), &format!("{:011o}", content.len()));
    out.extend_from_slice(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

fn record(key: &str, value: &str) -> String {
    let rest = key.len() + value.len() + 3;
    let length = (rest + 1..).find(|n| *n == rest + n.to_string().len()).unwrap();
    format!("{length} {key}={value}\n")
}

fn read(parts: &[Vec<u8>]) -> Result<LayerIndex, TarError> {
    let mut tar = parts.concat();
    tar.extend_from_slice(&[0; 1024]);
    LayerIndex::read(&tar[..], &Limits::default()).map(|(index, _)| index)
}

fn paths(index: &LayerIndex) -> String {
    let shown = |entry: &Entry| match &entry.node {
        Node::File(content) => format!("{}:{}", entry.path, content.size),
        Node::Hardlink(target) => format!("{}={target}", entry.path),
        Node::Symlink(target) => format!("{}->{}", entry.path, String::from_utf8_lossy(target)),
        Node::Whiteout => format!("-{}", entry.path),
        Node::Opaque => format!("{}!", entry.path),
        _ => format!("{}/", entry.path),
    };
    index.entries().iter().map(shown).collect::<Vec<_>>().join(" ")
}

fn refused(parts: &[Vec<u8>]) -> String {
    let error = read(parts).unwrap_err();
    match std::error::Error::source(&error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

#[test]
fn paths_that_climb_are_refused() {
    insta::assert_snapshot!(refused(&[member(b'0', "a/../../etc/passwd", "", b"")]), @"accept an entry of the archive: path `a/../../etc/passwd` has a `..` in it");
    insta::assert_snapshot!(refused(&[member(b'1', "a", "../etc/passwd", b"")]), @"accept the link `/a`: its target `../etc/passwd` is outside the image or malformed");
    insta::assert_snapshot!(refused(&[member(b'1', "a", "/", b"")]), @"accept the link `/a`: its target `/` is outside the image or malformed");
    insta::assert_snapshot!(refused(&[member(b'2', "a", "", b"")]), @"accept the link `/a`: its target `` is outside the image or malformed");
    insta::assert_snapshot!(refused(&[member(b'0', "a/.wh...", "", b"")]), @"accept the whiteout `a/.wh...`: it names nothing that could be deleted");
    insta::assert_snapshot!(refused(&[member(b'0', ".wh.", "", b"")]), @"accept the whiteout `.wh.`: it names nothing that could be deleted");
    let nul = member(b'x', "x", "", record("path", "a\0b").as_bytes());
    insta::assert_snapshot!(refused(&[nul, member(b'0', "b", "", b"")]).replace('\0', "\\0"), @r"accept an entry of the archive: path `a\0b` has a NUL byte in it");
}

#[test]
fn kinds_that_no_layer_has_are_refused() {
    insta::assert_snapshot!(refused(&[member(b'S', "a", "", b"")]), @"accept `a`: entries of type `GNU sparse file` are not supported in layers");
    insta::assert_snapshot!(refused(&[member(b'V', "a", "", b"")]), @"accept `a`: entries of type `V` are not supported in layers");
    insta::assert_snapshot!(refused(&[member(b'2', "/", "a", b"")]), @"accept `/`: entries of type `2` are not supported in layers");
    let sparse = member(b'x', "x", "", record("GNU.sparse.major", "1").as_bytes());
    insta::assert_snapshot!(refused(&[sparse, member(b'0', "b", "", b"")]), @"accept `b`: entries of type `GNU sparse file` are not supported in layers");
}

#[test]
fn sizes_that_lie_are_noticed() {
    let cut = |tar: &[u8]| LayerIndex::read(tar, &Limits::default()).unwrap_err().to_string();
    insta::assert_snapshot!(cut(&header(b'0', b"a", b"", "00000001000")), @"read the archive: it is cut off after 512 bytes, in `a`");
    insta::assert_snapshot!(cut(&member(b'0', "a", "", &[1; 600])[..1100]), @"read the archive: it is cut off after 1100 bytes, in `a`");
    insta::assert_snapshot!(cut(&member(b'0', "a", "", b"")[..100]), @"read the archive: it is cut off after 100 bytes, in `a header`");
    let mut negative = header(b'0', b"a", b"", "");
    negative[124..136].fill(0xff);
    seal(&mut negative);
    insta::assert_snapshot!(cut(&negative), @"read the archive: no tar header at 0 (its size is malformed)");
    insta::assert_snapshot!(refused(&[member(b'0', "a", "", b""), vec![7; 512]]), @"read the archive: no tar header at 512 (its checksum is wrong)");
    insta::assert_snapshot!(refused(&[vec![0; 512], member(b'0', "a", "", b"")]), @"read the archive: no tar header at 512 (one block of zeros where two end the archive)");
}

#[test]
fn extended_headers_are_checked() {
    let extended = |records: &str| {
        refused(&[member(b'x', "x", "", records.as_bytes()), member(b'0', "a", "", b"")])
    };
    insta::assert_snapshot!(extended("99 path=b\n"), @"read the archive: the extended header at 512 is malformed (a length beyond its end)");
    insta::assert_snapshot!(extended("x path=b\n"), @"read the archive: the extended header at 512 is malformed (no length)");
    insta::assert_snapshot!(extended("8 path\n\n"), @"read the archive: the extended header at 512 is malformed (a record without `=`)");
    insta::assert_snapshot!(extended("9 path=bc"), @"read the archive: the extended header at 512 is malformed (a record without an end)");
    insta::assert_snapshot!(extended(&record("size", "-1")), @"read the archive: the extended header at 1536 is malformed (a malformed size)");
    insta::assert_snapshot!(refused(&[header(b'x', b"x", b"", "77777777777")]), @"read the archive: more than 1048576 bytes in one extended header");
    insta::assert_snapshot!(refused(&[header(b'L', b"x", b"", "77777777777")]), @"read the archive: more than 1048576 bytes in one extended header");
}

/// What global headers say is looked at for each member, so what means nothing is not kept.
#[test]
fn comments_in_global_headers_are_not_kept() {
    let comment = |number: u8| {
        let text = record(&format!("comment.{number}"), &"x".repeat(1_000_000));
        member(b'g', "x", "", text.as_bytes())
    };
    let owner = member(b'g', "x", "", record("uid", "7").as_bytes());
    let index = read(&[comment(1), owner, comment(2), member(b'0', "a", "", b"")]).unwrap();
    assert_eq!(index.entries()[0].attributes.uid, 7);
}

#[test]
fn limits_hold() {
    let tar = [member(b'0', "a/b/c", "", &[1; 2000]), member(b'0', "b", "", b"")].concat();
    let with = |limits: Limits| {
        let bounded = layer::decompress(&tar[..], Compression::None, &limits).unwrap();
        LayerIndex::read(bounded, &limits).unwrap_err().to_string()
    };
    let limits = Limits::default();
    insta::assert_snapshot!(with(Limits { uncompressed: 2000, ..limits }), @"read the archive: more than 2000 uncompressed bytes");
    insta::assert_snapshot!(with(Limits { entries: 1, ..limits }), @"read the archive: more than 1 entries");
    insta::assert_snapshot!(with(Limits { names: 5, ..limits }), @"read the archive: more than 5 bytes of names and attributes");
    insta::assert_snapshot!(with(Limits { depth: 2, ..limits }), @"read the archive: more than 2 directories in one path");
}

/// What an archive's paths become in memory is no more than the archive may hold.
#[test]
fn paths_are_no_bombs() {
    let with = |parts: &[Vec<u8>], limits: Limits| {
        LayerIndex::read(&parts.concat()[..], &limits).unwrap_err().to_string()
    };
    let limits = Limits::default();
    let deep = |top: &str| member(b'0', &format!("{top}{}", "/d".repeat(40)), "", b"");
    insta::assert_snapshot!(with(&[deep("a"), deep("b")], Limits { entries: 80, ..limits }), @"read the archive: more than 80 entries");
    let link = member(b'2', "l", &"long/".repeat(19), b"");
    let linked = [link, member(b'0', "l/x", "", b""), member(b'0', "l/y", "", b"")];
    insta::assert_snapshot!(with(&linked, Limits { names: 150, ..limits }), @"read the archive: more than 150 bytes of names and attributes");
    insta::assert_snapshot!(with(&linked, Limits { entries: 20, ..limits }), @"read the archive: more than 20 entries");
}

#[test]
fn a_bomb_is_defused() {
    let frame = zstd::bulk::compress(&vec![0; 64 << 20], 1).unwrap();
    let bomb = frame.repeat(17);
    let mut tar = layer::decompress(&bomb[..], Compression::Zstd, &Limits::default()).unwrap();
    let error = io::copy(&mut tar, &mut io::sink()).unwrap_err();
    insta::assert_snapshot!(error, @"read the archive: more than 500 bytes from each compressed byte");
}

#[test]
fn oddities_are_read_as_runtimes_do() {
    let check = |parts: &[Vec<u8>]| paths(&read(parts).unwrap());
    // Absolute names, `./`, a directory of the time before POSIX.
    insta::assert_snapshot!(check(&[member(b'0', "/abs", "", b"x"), member(b'5', "./", "", b""), member(0, "old/", "", b"")]), @"/ abs:1 old/");
    // Links have no content, whatever their size says; hard links may be absolute.
    insta::assert_snapshot!(check(&[header(b'1', b"l", b"/a", "00000001000"), member(b'2', "s", "../../x", b"")]), @"l=a s->../../x");
    // The last of two counts.
    insta::assert_snapshot!(check(&[member(b'0', "a", "", b"1"), member(b'5', "b", "", b""), member(b'0', "./a", "", b"22")]), @"a:2 b/");
    // Whiteouts, and what aufs left behind.
    insta::assert_snapshot!(check(&[member(b'0', "d/x", "", b""), member(b'0', "d/.wh..wh..opq", "", b""), member(b'0', "d/.wh.y", "", b""), member(b'0', ".wh..wh.plnk", "", b"")]), @"d! -d/y d/x:0");
    // What is below a link lands where the link leads, inside the image; below a file, nowhere.
    insta::assert_snapshot!(check(&[member(b'2', "bin", "../../usr/bin", b""), member(b'0', "bin/x", "", b"1"), member(b'0', "bin/.wh.y", "", b""), member(b'0', "f", "", b""), member(b'0', "f/x", "", b""), member(b'2', "l", "l", b""), member(b'0', "l/x", "", b"")]), @"bin->../../usr/bin f:0 l->l -usr/bin/y usr/bin/x:1");
    // GNU's long names.
    let long = "n".repeat(300);
    let gnu = [
        member(b'L', "././@LongLink", "", format!("{long}\0").as_bytes()),
        member(b'K', "././@LongLink", "", b"target\0"),
        member(b'2', "short", "short", b""),
    ];
    assert_eq!(check(&gnu), format!("{long}->target"));
    // A global header holds until it is overridden, and an empty value gives the field back.
    insta::assert_snapshot!(check(&[
        member(b'g', "x", "", record("linkpath", "global").as_bytes()),
        member(b'2', "a", "own", b""),
        member(b'x', "x", "", record("linkpath", "local").as_bytes()),
        member(b'2', "b", "own", b""),
        member(b'x', "x", "", record("linkpath", "").as_bytes()),
        member(b'2', "c", "own", b""),
    ]), @"a->global b->local c->own");
}

#[test]
fn an_extended_size_holds_for_the_file_only() {
    // CVE-2026-33055 in other readers: the size must not be taken for the long name's.
    let parts = [
        member(b'x', "x", "", record("size", "3").as_bytes()),
        member(b'L', "././@LongLink", "", b"long-name\0"),
        [header(b'0', b"short", b"", "0"), b"abc".to_vec(), vec![0; 509]].concat(),
        member(b'0', "next", "", b""),
    ];
    insta::assert_snapshot!(paths(&read(&parts).unwrap()), @"long-name:3 next:0");
}

#[test]
fn times_are_rounded_down() {
    let time = |value: &str| {
        let parts =
            [member(b'x', "x", "", record("mtime", value).as_bytes()), member(b'5', "a", "", b"")];
        read(&parts).map(|index| index.entries()[0].attributes.mtime).ok()
    };
    assert_eq!(time("1700000000.75"), Some(1_700_000_000));
    assert_eq!(time("-1.25"), Some(-2));
    assert_eq!(time("-3"), Some(-3));
    assert_eq!(time("99999999999999999999"), None);
    assert_eq!(time("x"), None);
    let mut old = header(b'5', b"a", b"", "");
    old[136..148].fill(0xff);
    seal(&mut old);
    assert_eq!(read(&[old]).unwrap().entries()[0].attributes.mtime, -1);
}

#[test]
fn the_diff_id_covers_what_follows_the_end() {
    let mut tar = member(b'0', "a", "", b"x");
    tar.extend_from_slice(&[0; 10240]);
    tar.extend_from_slice(b"something");
    let (index, diff_id) = LayerIndex::read(&tar[..], &Limits::default()).unwrap();
    assert_eq!(diff_id, DiffId(Digest::of(&tar)));
    assert_eq!(
        index.entry(&ImagePath::lexical("a")).map(|e| &e.node),
        Some(&Node::File(layer::Content::of(b"x")))
    );
}
