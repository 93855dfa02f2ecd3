//! Several processes, processes that are killed, and disks that are full.
//!
//! The children are this test binary itself: `child` does what the environment tells it.

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "tests panic and print")]

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use oci::{Descriptor, Digest, Digester};
use sample::{files, image, reference};
use store::{CachedLayer, Store, StoreError};

mod sample;

const WORK: &str = "PLYWOOD_STORE_TEST_WORK";
const ROOT: &str = "PLYWOOD_STORE_TEST_ROOT";
const NAME: &str = "PLYWOOD_STORE_TEST_NAME";

fn spawn(work: &str, root: &Path, name: &str) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .envs([(WORK, work), (NAME, name)])
        .env(ROOT, root)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Not a test of its own: what the other tests' children do.
#[test]
fn child() {
    let Ok(work) = env::var(WORK) else { return };
    let root = env::var(ROOT).unwrap();
    let name = env::var(NAME).unwrap();
    match work.as_str() {
        "tag" => tag_some(Path::new(&root), &name),
        "forever" => build_forever(Path::new(&root), &name),
        "full" => fill_up(Path::new(&root)),
        other => panic!("no such work: {other}"),
    }
}

const TAGS: usize = 25;

fn tag_some(root: &Path, name: &str) {
    let store = Store::open(root).unwrap();
    for number in 0..TAGS {
        let made = image(&store, &format!("{name} {number}"));
        store.tag(&reference(&format!("{name}:{number}")), &made).unwrap();
        store.record_remote(&Digest::of(b"one"), reference(name).repository()).unwrap();
    }
}

#[test]
fn no_tag_is_lost_among_parallel_processes() {
    let directory = tempfile::tempdir().unwrap();
    // Not made before: the children race to make it, too.
    let root = directory.path().join("store");
    let names = ["a", "b", "c", "d"];
    let children: Vec<Child> = names.iter().map(|name| spawn("tag", &root, name)).collect();
    for child in children {
        assert!(child.wait_with_output().unwrap().status.success());
    }
    let store = Store::open(&root).unwrap();
    for name in names {
        for number in 0..TAGS {
            let found = store.resolve(&reference(&format!("{name}:{number}"))).unwrap();
            assert!(found.is_some(), "{name}:{number}");
        }
    }
    assert_eq!(store.images().unwrap().len(), names.len() * TAGS);
    assert_eq!(store.remote_sources(&Digest::of(b"one")).unwrap().len(), names.len());
    assert_eq!(files(&root.join("plywood/scratch")), [""; 0]);
}

fn build_forever(root: &Path, name: &str) {
    let mut store = Store::open(root).unwrap();
    for number in 0.. {
        let text = format!("{name} {number} {}", "x".repeat(100_000));
        let made = image(&store, &text);
        let layer = store.blobs_of(&made).unwrap()[1].clone();
        let cached = CachedLayer { diff_id: oci::DiffId(layer.digest), descriptor: layer };
        store.record_layer(&Digest::of(text.as_bytes()), &cached).unwrap();
        store.tag(&reference(&format!("{name}:{number}")), &made).unwrap();
        // Printed once the store has said that it is recorded: from here on it must not be lost.
        println!("\ntagged {name}:{number}");
        if number % 3 == 0 {
            let gone = image(&store, &format!("{text} for a moment"));
            store.tag(&reference("moment"), &gone).unwrap();
            store.remove(&reference("moment")).unwrap();
        }
    }
}

/// Everything in the store is what it says it is.
fn check_whole(store: &Store) {
    let blobs = store.root().join("blobs/sha256");
    for name in files(&blobs) {
        let mut digester = Digester::sha256();
        std::io::copy(&mut fs::File::open(blobs.join(&name)).unwrap(), &mut digester).unwrap();
        assert_eq!(digester.finish().hex(), name);
    }
    for listed in store.images().unwrap() {
        assert_eq!(store.missing(&listed.descriptor).unwrap(), [], "{:?}", listed.name);
    }
    assert_eq!(files(&store.root().join("plywood/scratch")), [""; 0], "it was cleared up");
}

#[test]
fn killed_at_any_moment_it_stays_readable() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("store");
    let mut tagged = 0;
    for round in 0..20 {
        let mut child = spawn("forever", &root, &format!("round{round}"));
        // Spread over several rounds of building: 10 to 160 ms after the process has come up.
        std::thread::sleep(Duration::from_millis(10 + (round * 37) % 151));
        child.kill().unwrap();
        child.wait().unwrap();
        let store = Store::open(&root).unwrap();
        check_whole(&store);
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            let Some(name) = line.strip_prefix("tagged ") else { continue };
            assert!(store.resolve(&reference(name)).unwrap().is_some(), "{name} was recorded");
            tagged += 1;
        }
    }
    assert!(tagged >= 5, "the children got to work: {tagged} images");
}

/// Runs under a limit on the size of files, which is to a writer what a full disk is.
fn fill_up(root: &Path) {
    let store = Store::open(root).unwrap();
    let content = vec![7; 1 << 20];
    let error = store.put(&content).unwrap_err();
    let StoreError::Io { action, path, .. } = &error else { panic!("{error}") };
    assert_eq!(*action, "write");
    assert!(path.starts_with(root), "{error}");
    println!("\nhint: {}", error.hint().unwrap());
    let expected = Descriptor::of(oci::MediaType::OciEmpty, &content);
    let mut incoming = store.incoming(&expected).unwrap();
    let error = incoming.write_all(&content).unwrap_err();
    assert!(error.to_string().contains("plywood/scratch"), "{error}");
    drop(incoming);
    assert_eq!(files(&root.join("plywood/scratch")), [""; 0]);
    assert_eq!(files(&root.join("blobs")), [""; 0]);
    // What fits still goes in.
    store.put(b"small").unwrap();
}

#[test]
fn a_full_disk_is_named_and_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let root = directory.path().join("store");
    // Ignoring the signal that comes with the limit leaves the error (setrlimit(2), RLIMIT_FSIZE).
    let limited = "trap '' XFSZ; ulimit -f 64; exec \"$0\" --exact child --nocapture";
    let output = Command::new("sh")
        .args(["-c", limited])
        .arg(env::current_exe().unwrap())
        .envs([(WORK, "full"), (NAME, "")])
        .env(ROOT, &root)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("hint: raise the limit on the size of files"), "{text}");
    assert_eq!(files(&root.join("blobs")).len(), 1);
}
