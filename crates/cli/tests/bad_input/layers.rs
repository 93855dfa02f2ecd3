//! Layers of other people's images that lie, lead out of the image, or have no end.
//!
//! What is refused is refused by name; what is only odd is read as runtimes read it, and then
//! nothing of it may get outside of where it belongs.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use oci::{Compression, DiffId, Digest, MediaType};

use crate::attempt::Attempt;
use crate::base::Blob;

/// One member of a tar.
pub(crate) struct Member {
    kind: u8,
    mode: &'static str,
    name: Vec<u8>,
    link: Vec<u8>,
    /// The size that the header says, if that is not the content's.
    stated: Option<u64>,
    content: Vec<u8>,
}

impl Member {
    fn new(kind: u8, name: &str, link: &str, content: &[u8]) -> Self {
        let bytes = |text: &str| text.as_bytes().to_vec();
        Member {
            kind,
            mode: "0000644",
            name: bytes(name),
            link: bytes(link),
            stated: None,
            content: content.to_vec(),
        }
    }

    /// Its header (POSIX.1-1988, "ustar Interchange Format") and its content in whole blocks.
    fn to_bytes(&self) -> Vec<u8> {
        let mut block = vec![0; 512];
        let mut put = |at: usize, field: &[u8]| block[at..at + field.len()].copy_from_slice(field);
        put(0, &self.name);
        put(100, self.mode.as_bytes());
        let size = self.stated.unwrap_or(self.content.len() as u64);
        put(124, format!("{size:011o}").as_bytes());
        put(148, b"        ");
        put(156, &[self.kind]);
        put(157, &self.link);
        put(257, b"ustar\x0000");
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..154].copy_from_slice(format!("{sum:06o}").as_bytes());
        block.extend_from_slice(&self.content);
        block.resize(block.len().next_multiple_of(512), 0);
        block
    }
}

pub(crate) fn file(name: &str, content: &[u8]) -> Member {
    Member::new(b'0', name, "", content)
}

/// A file that can be executed.
pub(crate) fn program(name: &str, content: &[u8]) -> Member {
    Member { mode: "0000755", ..file(name, content) }
}

fn hard_link(name: &str, target: &str) -> Member {
    Member::new(b'1', name, target, b"")
}

pub(crate) fn symlink(name: &str, target: &str) -> Member {
    Member::new(b'2', name, target, b"")
}

fn directory(name: &str) -> Member {
    Member::new(b'5', name, "", b"")
}

/// A tar of these members, with its end.
pub(crate) fn tar(members: &[Member]) -> Vec<u8> {
    let mut bytes: Vec<u8> = members.iter().flat_map(Member::to_bytes).collect();
    bytes.extend_from_slice(&[0; 1024]);
    bytes
}

/// A build that needs to know what is in the layer of its base.
fn attempt(layer: Blob) -> Attempt {
    let attempt = Attempt::of("FROM REGISTRY/base:1\nCOPY --from=REGISTRY/base:1 /x /y\n");
    attempt.publish("1", &[layer]);
    attempt
}

/// What is said of a base with this layer.
#[track_caller]
fn refused(members: &[Member]) -> String {
    attempt(Blob::plain(tar(members))).refused(&[])
}

/// The files of an image of this layer and nothing else, as they come to lie in a directory; what
/// is beside the directory stays as it was.
#[track_caller]
fn unpacked(members: &[Member]) -> String {
    let attempt = Attempt::of("FROM REGISTRY/base:1\n");
    attempt.publish("1", &[Blob::plain(tar(members))]);
    fs::write(attempt.scene.path("victim"), "untouched\n").unwrap();
    // The lock is written beside the Dockerfile; what is in it is not at stake here.
    attempt.built(&[]);
    let before = outside(&attempt);
    attempt.built(&["--output=type=local,dest=out/files"]);
    assert_eq!(outside(&attempt), before, "something was written outside");
    assert_eq!(fs::read_to_string(attempt.scene.path("victim")).unwrap(), "untouched\n");
    let shown = |path: &PathBuf| {
        let name = path.strip_prefix(attempt.scene.path("out/files")).unwrap().display();
        match fs::read_link(path) {
            Ok(target) => format!("{name} -> {}", target.display()),
            Err(_) => format!("{name}: {}", fs::read_to_string(path).unwrap_or_default()),
        }
    };
    leaves(&attempt.scene.path("out/files")).iter().map(shown).collect::<Vec<_>>().join("\n")
}

/// What is below a directory and is none itself, sorted; links are not followed.
fn leaves(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => found.extend(leaves(&entry.path())),
            false => found.push(entry.path()),
        }
    }
    found.sort();
    found
}

/// Everything in the scene but the output and the store.
fn outside(attempt: &Attempt) -> Vec<PathBuf> {
    let within = ["out/files", "store"].map(|name| attempt.scene.path(name));
    let mut all = leaves(attempt.scene.directory.path());
    all.retain(|path| !within.iter().any(|directory| path.starts_with(directory)));
    all
}

#[test]
fn names_that_climb() {
    insta::assert_snapshot!(refused(&[file("a/../../etc/passwd", b"")]), @"
    exit 9
    error: failed to use layer sha256:f4dee1303f6d457fa042f2d994c8d7a04bc906c1dfe12cd31afbaff44d1b2006 of `127.0.0.1:00000/base:1`: accept an entry of the archive: path `a/../../etc/passwd` has a `..` in it
    hint: the archive is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(refused(&[file("../victim", b"")]), @"
    exit 9
    error: failed to use layer sha256:46faf6d6054ca75f3cf47834ea4ff2ed45c29c291e8e83c073920424fd722ec0 of `127.0.0.1:00000/base:1`: accept an entry of the archive: path `../victim` has a `..` in it
    hint: the archive is hostile or broken: do not use it
    ");
}

#[test]
fn absolute_names_are_the_image_s() {
    insta::assert_snapshot!(unpacked(&[file("/victim", b"mine")]), @"victim: mine");
}

#[test]
fn hard_links_that_lead_out() {
    insta::assert_snapshot!(refused(&[hard_link("x", "../victim")]), @"
    exit 9
    error: failed to use layer sha256:d2ead6a6906b2d6de077f149c7d4835e4d27767a8c485b9977a67f649a236ed8 of `127.0.0.1:00000/base:1`: accept the link `/x`: its target `../victim` is outside the image or malformed
    hint: the archive is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(refused(&[hard_link("x", "a/../../victim")]), @"
    exit 9
    error: failed to use layer sha256:2a2bfe0eb97fa80612a74c7696f25d6bd12b675241c8bb77cb4780b07289084d of `127.0.0.1:00000/base:1`: accept the link `/x`: its target `a/../../victim` is outside the image or malformed
    hint: the archive is hostile or broken: do not use it
    ");
}

/// An absolute target is the image's, and this one is not in it.
#[test]
fn hard_links_to_nothing() {
    let attempt = Attempt::of("FROM REGISTRY/base:1\n");
    attempt.publish("1", &[Blob::plain(tar(&[hard_link("x", "/etc/passwd")]))]);
    let output = "--output=type=tar,dest=out/files.tar";
    let refusal = attempt.scene.refusal(&["build", output, "context"]);
    insta::assert_snapshot!(refusal, @"
    exit 9
    error: failed to write `/x`: it is a hard link to nothing
    hint: the image is hostile or broken: do not use it
    ");
    attempt.assert_nothing_left();
    insta::assert_snapshot!(refused(&[hard_link("x", "/etc/passwd")]), @"
    exit 5
    error: `/x` is a hard link to nothing
     --> context/Dockerfile:2:36
      |
    2 | COPY --from=127.0.0.1:00000/base:1 /x /y
      |                                    ^^
      |
      = hint: the image is hostile or broken: do not use it
    ");
}

#[test]
fn links_that_lead_out_are_followed_inside() {
    let victim = "../../../../../../victim";
    insta::assert_snapshot!(unpacked(&[symlink("link", victim), file("x", b"1")]), @"
    link -> ../../../../../../victim
    x: 1
    ");
    // A file below a link that leads out, and one in its place.
    insta::assert_snapshot!(unpacked(&[symlink("up", "../.."), file("up/victim", b"mine")]), @"
    up -> ../..
    victim: mine
    ");
    insta::assert_snapshot!(unpacked(&[symlink("a", "../../victim"), file("a", b"mine")]), @"a: mine");
    insta::assert_snapshot!(unpacked(&[symlink("a", "../../victim"), hard_link("b", "a")]), @"a -> ../../victim");
    insta::assert_snapshot!(refused(&[symlink("x", victim)]), @"
    exit 4
    error: `/x` is a link to `../../../../../../victim`, which leads nowhere in `127.0.0.1:00000/base:1`
     --> context/Dockerfile:2:36
      |
    2 | COPY --from=127.0.0.1:00000/base:1 /x /y
      |                                    ^^
    ");
    insta::assert_snapshot!(refused(&[symlink("x", "x")]), @"
    exit 4
    error: `/x` is a link to `x`, which leads nowhere in `127.0.0.1:00000/base:1`
     --> context/Dockerfile:2:36
      |
    2 | COPY --from=127.0.0.1:00000/base:1 /x /y
      |                                    ^^
    ");
}

#[test]
fn device_nodes_are_not_made() {
    insta::assert_snapshot!(unpacked(&[
        Member::new(b'3', "dev/null", "", b""),
        Member::new(b'4', "dev/sda", "", b""),
        Member::new(b'6', "dev/pipe", "", b""),
        file("dev/x", b"1"),
    ]), @"dev/x: 1");
    let attempt = attempt(Blob::plain(tar(&[Member::new(b'3', "x", "", b"")])));
    let built = attempt.scene.run(&["build", "--tag=REGISTRY/app:1", "context"]);
    insta::assert_snapshot!(crate::attempt::shown(&built), @"exit 0");
}

#[test]
fn of_duplicate_names_the_last_counts() {
    insta::assert_snapshot!(unpacked(&[
        file("a", b"first"), file("b", b"first"), file("./a", b"last"), symlink("b", "a"),
        directory("c"), file("c", b"last"),
    ]), @"
    a: last
    b -> a
    c: last
    ");
}

#[test]
fn sizes_that_lie() {
    let large = Member { stated: Some(1 << 20), ..file("x", b"small") };
    insta::assert_snapshot!(refused(&[large]), @"
    exit 9
    error: failed to use layer sha256:3eb53941c0ad6431133150fbb4960b74ac127dd74dfa90c358c8495ae12411b1 of `127.0.0.1:00000/base:1`: read the archive: it is cut off after 2048 bytes, in `x`
    hint: the archive is incomplete or damaged: make or fetch it again
    ");
    let small = Member { stated: Some(3), ..file("x", &[7; 2000]) };
    insta::assert_snapshot!(refused(&[small]), @"
    exit 9
    error: failed to use layer sha256:846f3be1636ee09ded61bfa82bf451d9b9f4a9cd49282bdb06988c87a4dca428 of `127.0.0.1:00000/base:1`: read the archive: no tar header at 1024 (its checksum is wrong)
    hint: the archive is incomplete or damaged: make or fetch it again
    ");
}

#[test]
fn kinds_that_no_layer_has() {
    insta::assert_snapshot!(refused(&[Member::new(b'S', "x", "", b"")]), @"
    exit 9
    error: failed to use layer sha256:b284477c79dbfae0b94b35067dbe034cc94f4496364c9863f5960e1dc6feb618 of `127.0.0.1:00000/base:1`: accept `x`: entries of type `GNU sparse file` are not supported in layers
    hint: pack it again without `--sparse`
    ");
}

#[test]
fn a_layer_that_is_no_archive() {
    insta::assert_snapshot!(attempt(Blob::plain(b"hello\n".to_vec())).refused(&[]), @"
    exit 9
    error: failed to use layer sha256:5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03 of `127.0.0.1:00000/base:1`: read the archive: it is cut off after 6 bytes, in `a header`
    hint: the archive is incomplete or damaged: make or fetch it again
    ");
    let gzip = MediaType::OciLayer(Compression::Gzip);
    let claimed = Blob { media_type: gzip, ..Blob::plain(tar(&[file("x", b"1")])) };
    insta::assert_snapshot!(attempt(claimed).refused(&[]), @"
    exit 9
    error: failed to use layer sha256:984fe94c69c02a8fe465298a40a192e5477f6953f59964194abedec06caac721 of `127.0.0.1:00000/base:1`: read the archive after 0 bytes: invalid gzip header
    ");
}

/// 5 MiB that would be 5 GiB.
#[test]
fn a_gzip_bomb() {
    let compress = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let endless = Member { stated: Some(5 << 30), ..file("x", b"") };
    let zeros = compress(&vec![0; 64 << 20]);
    let bytes = [compress(&endless.to_bytes()), zeros.repeat(80)].concat();
    let media_type = MediaType::OciLayer(Compression::Gzip);
    let bomb = Blob { bytes, media_type, diff_id: DiffId(Digest::of(b"never reached")) };
    insta::assert_snapshot!(attempt(bomb).refused(&[]), @"
    exit 9
    error: failed to use layer sha256:2a56e59b976b9d60cc9a24e92efc32d3daa6dcc8207a9e9ad352461b270546c5 of `127.0.0.1:00000/base:1`: read the archive: more than 500 bytes from each compressed byte
    hint: the archive is hostile or broken: do not use it
    ");
}

/// The same archives are no better in a context, where `ADD` unpacks them.
#[test]
fn archives_that_are_added() {
    let added = |members: &[Member]| {
        Attempt::of("FROM scratch\nADD files.tar /\n").file("files.tar", tar(members)).refused(&[])
    };
    insta::assert_snapshot!(added(&[file("../victim", b"")]), @"
    exit 9
    error: failed to use archive `files.tar`: accept an entry of the archive: path `../victim` has a `..` in it
     --> context/Dockerfile:2:5
      |
    2 | ADD files.tar /
      |     ^^^^^^^^^
      |
      = hint: the archive is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(added(&[hard_link("x", "../victim")]), @"
    exit 9
    error: failed to use archive `files.tar`: accept the link `/x`: its target `../victim` is outside the image or malformed
     --> context/Dockerfile:2:5
      |
    2 | ADD files.tar /
      |     ^^^^^^^^^
      |
      = hint: the archive is hostile or broken: do not use it
    ");
    insta::assert_snapshot!(added(&[Member { stated: Some(1 << 20), ..file("x", b"small") }]), @"
    exit 9
    error: failed to use archive `files.tar`: read the archive: it is cut off after 2048 bytes, in `x`
     --> context/Dockerfile:2:5
      |
    2 | ADD files.tar /
      |     ^^^^^^^^^
      |
      = hint: the archive is incomplete or damaged: make or fetch it again
    ");
}
