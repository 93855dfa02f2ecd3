//! Layers as others read them, and archives that others made: GNU tar and Python's tarfile.
//!
//! Needs: tar, python3, gzip, pigz, bzip2, xz, zstd, root.
//!
//! Only root can unpack owners and devices. `cargo xtask oracles` sees to all of it.

#![allow(clippy::unwrap_used)] // A test may.

mod entries;

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};

use entries::{every_kind, wheel, write, write_deflated};
use layer::{ArchiveCompression, Content, Entry, LayerIndex, Limits, Node, Packing};
use oci::ImagePath;

/// Runs a tool and gives what it printed; says what to do if it is not there.
fn run(tool: &str, command: &mut Command) -> String {
    let Output { status, stdout, stderr } =
        command.env("LC_ALL", "C.UTF-8").env("TZ", "UTC").output().unwrap_or_else(|error| {
            panic!("cannot run {tool} ({error}): install it and try again")
        });
    assert!(status.success(), "{tool}: {}", String::from_utf8_lossy(&stderr));
    String::from_utf8_lossy(&stdout).into_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The name that an entry has in the tar.
fn name(entry: &Entry) -> ImagePath {
    let parent = || entry.path.parent().unwrap();
    match entry.node {
        Node::Whiteout => parent().join([b".wh.", entry.path.file_name().unwrap()].concat()),
        Node::Opaque => entry.path.join(".wh..wh..opq"),
        _ => entry.path.clone(),
    }
}

const LIST: &str = r#"
import os, sys, tarfile
for m in tarfile.open(sys.argv[1]):
    name = os.fsencode(m.name.removeprefix('.')).hex()
    link = os.fsencode(m.linkname).hex() if m.type in b'12' else ''
    device = f'{m.devmajor}:{m.devminor}' if m.type in b'34' else ''
    xattrs = ','.join(sorted(f"{os.fsencode(k[13:]).hex()}={os.fsencode(v).hex()}"
        for k, v in m.pax_headers.items() if k.startswith('SCHILY.xattr.')))
    print(m.type.decode(), name, link, device, oct(m.mode), m.uid, m.gid, m.size, int(m.mtime), xattrs, sep='|')
"#;

fn as_python_lists(entry: &Entry) -> String {
    let (kind, link, device, size) = match &entry.node {
        Node::File(content) => (0, String::new(), String::new(), content.size),
        Node::Hardlink(target) => (1, hex(target.as_bytes()), String::new(), 0),
        Node::Symlink(target) => (2, hex(target), String::new(), 0),
        Node::CharDevice { major, minor } => (3, String::new(), format!("{major}:{minor}"), 0),
        Node::BlockDevice { major, minor } => (4, String::new(), format!("{major}:{minor}"), 0),
        Node::Directory => (5, String::new(), String::new(), 0),
        Node::Fifo => (6, String::new(), String::new(), 0),
        Node::Whiteout | Node::Opaque => (0, String::new(), String::new(), 0),
    };
    let attributes = &entry.attributes;
    let xattrs: Vec<String> = attributes
        .xattrs
        .iter()
        .map(|(name, value)| format!("{}={}", hex(name), hex(value)))
        .collect();
    format!(
        "{kind}|{}|{link}|{device}|0o{:o}|{}|{}|{size}|{}|{}",
        hex(name(entry).as_bytes()),
        attributes.mode,
        attributes.uid,
        attributes.gid,
        attributes.mtime,
        xattrs.join(",")
    )
}

#[test]
fn python_lists_every_kind_of_entry() {
    let folder = tempfile::tempdir().unwrap();
    for (packing, file) in [(Packing::None, "layer.tar"), (Packing::default(), "layer.tar.gz")] {
        let path = folder.path().join(file);
        let entries = every_kind();
        std::fs::write(&path, write(&entries, packing, 2).1).unwrap();
        let listed =
            run("python3", Command::new("python3").args(["-X", "utf8", "-c", LIST]).arg(&path));
        let expected: Vec<String> =
            entries.iter().map(|(entry, _)| as_python_lists(entry)).collect();
        assert_eq!(listed.lines().collect::<Vec<_>>(), expected);
    }
}

const XATTRS: &str = r#"
import os, sys
for name in sorted(os.listxattr(sys.argv[1])):
    print(name, os.getxattr(sys.argv[1], name).hex())
"#;

#[test]
fn gnu_tar_unpacks_every_kind_of_entry() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        folder.path().metadata().unwrap().uid(),
        0,
        "run this test as root: it unpacks owners and devices"
    );
    let (blob, tree) = (folder.path().join("layer.tar.gz"), folder.path().join("tree"));
    let entries = every_kind();
    std::fs::write(&blob, write(&entries, Packing::default(), 2).1).unwrap();
    std::fs::create_dir(&tree).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--same-owner", "--numeric-owner", "--same-permissions"]);
    tar.args(["--xattrs", "--xattrs-include=*", "--file"]).arg(&blob).arg("--directory").arg(&tree);
    run("tar", &mut tar);
    for (entry, content) in &entries {
        check_unpacked(&tree, entry, content);
    }
}

fn check_unpacked(tree: &Path, entry: &Entry, content: &[u8]) {
    let path = tree.join(std::ffi::OsStr::from_bytes(name(entry).as_bytes()));
    let found = path.symlink_metadata().unwrap();
    let kind = match &entry.node {
        Node::File(_) | Node::Whiteout | Node::Opaque => {
            assert!(std::fs::read(&path).unwrap() == content, "{}", entry.path);
            0o100_000
        }
        Node::Hardlink(target) => {
            let target = tree.join(std::ffi::OsStr::from_bytes(target.as_bytes()));
            assert_eq!(found.ino(), target.metadata().unwrap().ino());
            0o100_000
        }
        Node::Symlink(target) => {
            assert_eq!(std::fs::read_link(&path).unwrap().as_os_str().as_bytes(), target);
            assert_eq!(found.mtime(), entry.attributes.mtime);
            return;
        }
        Node::CharDevice { major, minor } => {
            assert_eq!(device(found.rdev()), (*major, *minor));
            0o020_000
        }
        Node::BlockDevice { major, minor } => {
            assert_eq!(device(found.rdev()), (*major, *minor));
            0o060_000
        }
        Node::Directory => 0o040_000,
        Node::Fifo => 0o010_000,
    };
    let attributes = &entry.attributes;
    assert_eq!(
        format!("{:o}", found.mode()),
        format!("{:o}", kind | attributes.mode),
        "{}",
        entry.path
    );
    assert_eq!((found.uid(), found.gid()), (attributes.uid, attributes.gid), "{}", entry.path);
    assert_eq!(found.mtime(), attributes.mtime, "{}", entry.path);
    if !attributes.xattrs.is_empty() {
        let listed = run("python3", Command::new("python3").args(["-c", XATTRS]).arg(&path));
        let shown = |(name, value): (&Vec<u8>, &Vec<u8>)| {
            format!("{} {}\n", String::from_utf8_lossy(name), hex(value))
        };
        assert_eq!(listed, attributes.xattrs.iter().map(shown).collect::<String>());
    }
}

/// How Linux packs a device number (makedev(3)).
fn device(rdev: u64) -> (u32, u32) {
    let major = (rdev >> 8 & 0xfff) | (rdev >> 32 & !0xfff);
    let minor = (rdev & 0xff) | (rdev >> 12 & !0xff);
    (major as u32, minor as u32)
}

const DIGESTS: &str = r#"
import hashlib, sys, tarfile
layer = tarfile.open(sys.argv[1])
for m in layer:
    if m.isfile():
        print(hashlib.sha256(layer.extractfile(m).read()).hexdigest(), m.size, m.name)
"#;

/// What `gzip`, `pigz`, Python and GNU tar make of members that are a zip's streams.
#[test]
fn others_read_what_came_deflated() {
    let folder = tempfile::tempdir().unwrap();
    let (blob, tree) = (folder.path().join("layer.tar.gz"), folder.path().join("tree"));
    let entries = wheel();
    let (packed, bytes) = write_deflated(&entries, |_| true, Packing::default(), 2);
    std::fs::write(&blob, bytes).unwrap();
    let diff_id = packed.diff_id.0.hex();
    for tool in ["gzip", "pigz"] {
        run(tool, Command::new(tool).arg("--test").arg(&blob));
        let command = format!("{tool} -dc \"$1\" | sha256sum");
        let summed = run(tool, Command::new("sh").args(["-c", &command, "sh"]).arg(&blob));
        assert_eq!(summed, format!("{diff_id}  -\n"), "{tool}");
    }
    let listed = run("python3", Command::new("python3").args(["-c", DIGESTS]).arg(&blob));
    let line = |(entry, content): &(Entry, Vec<u8>)| match entry.node {
        Node::File(_) => {
            let digest = oci::Digest::of(content).hex();
            Some(format!("{digest} {} {}\n", content.len(), entry.path))
        }
        _ => None,
    };
    assert_eq!(listed, entries.iter().filter_map(line).collect::<String>());
    std::fs::create_dir(&tree).unwrap();
    let mut tar = Command::new("tar");
    tar.args(["--extract", "--gzip", "--numeric-owner", "--same-permissions", "--file"]);
    run("tar", tar.arg(&blob).arg("--directory").arg(&tree));
    for (entry, content) in &entries {
        check_unpacked(&tree, entry, content);
    }
}

/// A directory with what tars differ in: long names and targets, links, a large owner, an old time.
const MAKE: &str = r#"
import os, sys
os.chdir(sys.argv[1])
os.makedirs('d' * 90 + '/' + 'e' * 90)
deep = 'd' * 90 + '/' + 'e' * 90 + '/' + 'f' * 150
open(deep, 'w').write('deep')
open('gr\u00fcn', 'w').write('green')
os.chown('gr\u00fcn', 3000000, 4000000)
os.utime('gr\u00fcn', (5, 5))
os.link('gr\u00fcn', 'z-link')
os.symlink('../' * 60 + 'x', 'long-link')
os.mkfifo('pipe')
os.mknod('null', 0o20666, os.makedev(1, 3))
os.setxattr('z-link', 'user.note', b'a\nb\x00=')
"#;

/// Everything of a tree of files that a tar of it can say, by path.
fn listed(index: &LayerIndex) -> Vec<String> {
    let shown = |entry: &Entry| {
        let attributes = &entry.attributes;
        let node = match &entry.node {
            Node::File(content) => content.digest.short(),
            Node::Symlink(target) => format!("->{}", target.len()),
            Node::Hardlink(target) => format!("={target}"),
            node => format!("{node:?}"),
        };
        let (name, parts) =
            (entry.path.file_name().unwrap_or_default(), entry.path.components().count());
        let name = &name[..name.len().min(10)];
        let name = String::from_utf8_lossy(name);
        format!("{parts} {name} {}:{} {node}", attributes.uid, attributes.gid)
    };
    index.entries().iter().map(shown).collect()
}

#[test]
fn tars_of_every_format_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let tree = folder.path().join("tree");
    std::fs::create_dir(&tree).unwrap();
    run("python3", Command::new("python3").args(["-X", "utf8", "-c", MAKE]).arg(&tree));
    let mut lists = Vec::new();
    for format in ["gnu", "oldgnu", "posix"] {
        let tar = folder.path().join(format);
        let mut command = Command::new("tar");
        command.args(["--create", "--numeric-owner", "--sort=name", "--format", format]);
        if format == "posix" {
            command.arg("--xattrs");
        }
        run("tar", command.arg("--file").arg(&tar).arg("--directory").arg(&tree).arg("."));
        let file = std::fs::File::open(&tar).unwrap();
        let (index, diff_id) = LayerIndex::read(file, &Limits::default()).unwrap();
        assert_eq!(diff_id.0, oci::Digest::of(&std::fs::read(&tar).unwrap()));
        let green = index.entry(&ImagePath::lexical("grün")).unwrap();
        assert_eq!(green.node, Node::File(Content::of(b"green")));
        assert_eq!(green.attributes.mtime, 5);
        if format == "posix" {
            let xattr = green.attributes.xattrs.get(&b"user.note"[..]);
            assert_eq!(xattr.map(|value| &value[..]), Some(&b"a\nb\0="[..]));
        }
        lists.push(listed(&index));
    }
    insta::assert_snapshot!(lists[0].join("\n"), @r"
    0  0:0 Directory
    1 dddddddddd 0:0 Directory
    2 eeeeeeeeee 0:0 Directory
    3 ffffffffff 0:0 74611c1d6455
    1 grün 3000000:4000000 ba4788b226aa
    1 long-link 0:0 ->181
    1 null 0:0 CharDevice { major: 1, minor: 3 }
    1 pipe 0:0 Fifo
    1 z-link 3000000:4000000 =grün
    ");
    assert_eq!(lists[0], lists[1]);
    assert_eq!(lists[0], lists[2]);
}

#[test]
fn archives_of_every_compression_are_told_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let entries = every_kind();
    let tar = write(&entries, Packing::None, 1).1;
    let plain = folder.path().join("layer.tar");
    std::fs::write(&plain, &tar).unwrap();
    let detect = |bytes: &[u8]| layer::detect_archive(bytes).unwrap();
    assert_eq!(detect(&tar), Some(ArchiveCompression::None));
    for (tool, compression) in [
        ("gzip", ArchiveCompression::Gzip),
        ("bzip2", ArchiveCompression::Bzip2),
        ("xz", ArchiveCompression::Xz),
        ("zstd", ArchiveCompression::Zstd),
    ] {
        let pack = |path: &Path| {
            let packed = Command::new(tool).arg("-c").arg(path).output();
            packed.unwrap_or_else(|error| panic!("cannot run {tool} ({error}): install it")).stdout
        };
        let packed = pack(&plain);
        assert_eq!(detect(&packed), Some(compression), "{tool}");
        // Streams one after the other are one archive.
        let (head, tail) = tar.split_at(tar.len() / 2);
        let halves = [head, tail].map(|half| {
            let path = folder.path().join("half");
            std::fs::write(&path, half).unwrap();
            pack(&path)
        });
        for archive in [packed, halves.concat()] {
            let limits = Limits::default();
            let opened = layer::open_archive(&archive[..], compression, &limits).unwrap();
            let (index, _) = LayerIndex::read(opened, &limits).unwrap();
            assert!(index.entries().iter().eq(entries.iter().map(|(entry, _)| entry)), "{tool}");
        }
        // A compressed file that holds no tar is a file.
        let other = folder.path().join("other");
        std::fs::write(&other, vec![b'x'; 5000]).unwrap();
        assert_eq!(detect(&pack(&other)), None, "{tool}");
    }
    assert_eq!(detect(b""), None);
    assert_eq!(detect(&[0x1f, 0x8b, 8, 0]), None);
    assert_eq!(detect(&[0; 2048]), None);
}
