//! Layers as others read them: GNU tar and Python's tarfile.
//!
//! Needs: tar, python3, root.
//!
//! Only root can unpack owners and devices. `cargo xtask oracles` sees to all of it.

#![allow(clippy::unwrap_used)] // A test may.

mod entries;

use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Output};

use entries::{every_kind, write};
use layer::{Entry, Node, Packing};
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
