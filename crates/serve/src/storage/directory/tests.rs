//! What stands in the directory, and who may use it.

use oci::{Descriptor, MediaType, Tag};
use testbed::files;

use super::*;

fn name(text: &str) -> RepositoryPath {
    text.parse().unwrap()
}

fn open() -> (tempfile::TempDir, Directory) {
    let root = tempfile::tempdir().unwrap();
    let directory = Directory::open(root.path()).unwrap();
    (root, directory)
}

fn put(directory: &Directory, path: &str, bytes: &[u8]) -> Digest {
    let digest = Digest::of(bytes);
    let mut upload = directory.upload().unwrap();
    upload.append(bytes).unwrap();
    upload.commit(&name(path), &digest).unwrap();
    digest
}

#[test]
fn a_repository_is_a_layout() {
    let (root, directory) = open();
    let digest = put(&directory, "team/app", b"{}");
    let hex = digest.hex();
    assert_eq!(
        files(root.path()),
        [
            ".lock".to_owned(),
            format!("team/app/blobs/sha256/{hex}"),
            "team/app/index.json".to_owned(),
            "team/app/oci-layout".to_owned(),
        ]
    );
    let mut index = directory.index(&name("team/app")).unwrap().unwrap();
    let tag: Tag = "1".parse().unwrap();
    index.set(&Descriptor::of(MediaType::OciManifest, b"{}"), &[tag]);
    directory.set_index(&name("team/app"), &index).unwrap();
    let read = |file: &str| fs::read_to_string(root.path().join("team/app").join(file)).unwrap();
    insta::assert_snapshot!(read("oci-layout"), @r#"{"imageLayoutVersion":"1.0.0"}"#);
    insta::assert_snapshot!(read("index.json"), @r#"{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"annotations":{"org.opencontainers.image.ref.name":"1"}}]}"#);
    assert_eq!(directory.index(&name("team")).unwrap(), None, "`team` is no repository");
}

#[test]
fn names_that_a_layout_has_a_use_for_do_not_collide() {
    let (_root, directory) = open();
    let names = ["a", "a/blobs", "a/blobs/sha256", "a/index.json", "a/oci-layout", "blobs"];
    for path in names {
        put(&directory, path, path.as_bytes());
    }
    let found = directory.repositories().unwrap();
    assert_eq!(found, names.map(name));
    for path in names {
        let digest = Digest::of(path.as_bytes());
        assert!(directory.blob(&name(path), &digest).unwrap().is_some(), "{path}");
        let others = names.iter().filter(|other| **other != path);
        for other in others {
            assert!(directory.blob(&name(other), &digest).unwrap().is_none(), "{path} in {other}");
        }
    }
}

#[test]
fn a_mount_is_the_same_file() {
    use std::os::unix::fs::MetadataExt;
    let (_root, directory) = open();
    let digest = put(&directory, "a", b"layer");
    assert!(directory.link_blob(&name("a"), &name("b"), &digest).unwrap());
    assert!(directory.link_blob(&name("a"), &name("b"), &digest).unwrap(), "again");
    assert!(!directory.link_blob(&name("a"), &name("c"), &Digest::of(b"other")).unwrap());
    assert_eq!(directory.index(&name("c")).unwrap(), None, "what mounts nothing is not made");
    let inode = |path| fs::metadata(directory.0.blob(&name(path), &digest)).unwrap().ino();
    assert_eq!(inode("a"), inode("b"));
    assert!(directory.remove_blob(&name("a"), &digest).unwrap());
    assert!(directory.blob(&name("b"), &digest).unwrap().is_some());
}

#[test]
fn one_process_at_a_time() {
    let (root, directory) = open();
    let path = root.path().canonicalize().unwrap();
    let error = Directory::open(root.path()).err().unwrap();
    assert_eq!(
        error.to_string().replace(&path.display().to_string(), "ROOT"),
        "serve `ROOT`: another process serves it already"
    );
    insta::assert_snapshot!(error.hint().unwrap(), @"end it, or give another directory with `--root`");
    drop(directory);
    Directory::open(root.path()).unwrap();
}

#[test]
fn what_was_never_finished_goes_away() {
    let (root, directory) = open();
    let mut dropped = directory.upload().unwrap();
    dropped.append(b"half").unwrap();
    drop(dropped);
    assert_eq!(files(root.path()), [".lock"]);
    let mut killed = directory.upload().unwrap();
    killed.append(b"half").unwrap();
    // A killed process drops nothing, and its lock goes with it.
    std::mem::forget(killed);
    drop(directory);
    fs::remove_file(root.path().join(".lock")).unwrap();
    assert_eq!(files(root.path()).len(), 1);
    let _directory = Directory::open(root.path()).unwrap();
    assert_eq!(files(root.path()), [".lock"]);
}

#[test]
fn damage_is_named() {
    let (root, directory) = open();
    put(&directory, "a", b"x");
    fs::write(root.path().join("a/index.json"), "{").unwrap();
    let error = directory.index(&name("a")).unwrap_err();
    let path = root.path().canonicalize().unwrap().display().to_string();
    assert_eq!(error.to_string().replace(&path, "ROOT"), "read `ROOT/a/index.json`");
}
