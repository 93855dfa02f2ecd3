//! Stores that cannot be used, disks that are full, and processes that are killed.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use oci::Digest;
use store::Store;
use testbed::files;

use crate::attempt::Attempt;

/// Bytes that no compressor makes smaller.
pub(crate) fn noise(size: usize) -> Vec<u8> {
    let block =
        |number: usize| *Digest::of(&number.to_le_bytes()).as_bytes().first_chunk::<32>().unwrap();
    (0..size.div_ceil(32)).flat_map(block).take(size).collect()
}

fn with_noise() -> Attempt {
    Attempt::of("FROM scratch\nCOPY . /app/\n").file("noise", noise(6 << 20))
}

/// The build as a shell starts it after `setup`.
pub(crate) fn after(setup: &str, attempt: &Attempt) -> Command {
    let build = attempt.command(&[]);
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{setup} && exec \"$0\" \"$@\"")]);
    shell.arg(build.get_program()).args(build.get_args()).env_clear();
    shell.envs(build.get_envs().filter_map(|(name, value)| Some((name, value?))));
    shell.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    shell.current_dir(attempt.scene.directory.path());
    shell
}

#[test]
fn files_that_may_not_grow() {
    let attempt = with_noise();
    // 1 or 2 MiB, as the shell counts blocks; ignored, the signal leaves the error to be seen.
    let refusal = attempt.refusal_of(&mut after("trap '' XFSZ && ulimit -f 2048", &attempt));
    insta::assert_snapshot!(without_scratch(&refusal), @"
    exit 8
    error: failed to lay `COPY . /app/`: write the layer's blob: write `HOME/store/plywood/scratch/N`: File too large (os error 27)
    hint: raise the limit on the size of files (`ulimit -f`)
    ");
    // Once there is room, the same build goes through.
    attempt.scene.answer(&["build", "--tag=other:1", "context"]);
    // Now the layer is there, and the archive does not fit.
    let refusal = attempt.refusal_of(&mut after("trap '' XFSZ && ulimit -f 2048", &attempt));
    insta::assert_snapshot!(refusal, @"
    exit 8
    error: failed to write `out/oci.tar`: File too large (os error 27)
    hint: raise the limit on the size of files (`ulimit -f`)
    ");
}

/// A message without the name of the process's own scratch file.
fn without_scratch(text: &str) -> String {
    let (before, rest) = text.split_once("scratch/").unwrap_or((text, ""));
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || "-/".contains(c));
    format!("{before}scratch/N{rest}")
}

#[test]
fn stores_that_cannot_be_used() {
    let attempt = Attempt::of("FROM scratch\nCOPY app.txt /\n");
    attempt.built(&[]);
    attempt.scene.answer(&["rmi", "REGISTRY/app:1"]);
    let root = attempt.scene.path("store");
    let before = files(&root);
    fs::write(root.join("plywood/version"), "2\n").unwrap();
    let refused = |words: &[&str]| attempt.scene.refusal(words);
    insta::assert_snapshot!(refused(&["build", "--tag=app", "context"]), @"
    exit 8
    error: failed to use the store `HOME/store`: its format is version 2, and this program knows up to 1
    hint: use a newer plywood, or choose another store; the blobs themselves stay readable as an OCI layout
    ");
    insta::assert_snapshot!(refused(&["images"]), @"
    exit 8
    error: failed to use the store `HOME/store`: its format is version 2, and this program knows up to 1
    hint: use a newer plywood, or choose another store; the blobs themselves stay readable as an OCI layout
    ");
    insta::assert_snapshot!(refused(&["prune", "--all"]), @"
    exit 8
    error: failed to use the store `HOME/store`: its format is version 2, and this program knows up to 1
    hint: use a newer plywood, or choose another store; the blobs themselves stay readable as an OCI layout
    ");
    assert_eq!(files(&root), before, "a store of another version was touched");
    insta::assert_snapshot!(refused(&["--store=context", "build", "--tag=app", "context"]), @"
    exit 8
    error: failed to use `context` as a store: it holds other files
    hint: name an empty or a new directory
    ");
    insta::assert_snapshot!(refused(&["--store=context/app.txt", "build", "--tag=app", "context"]), @"
    exit 8
    error: failed to use `context/app.txt` as a store: it is not a directory
    hint: name an empty or a new directory
    ");
    assert_eq!(files(&attempt.scene.path("context")), ["Dockerfile", "app.txt"]);
}

#[test]
fn a_blob_that_was_changed_in_the_store() {
    let attempt = Attempt::of("FROM scratch\nCOPY app.txt /\n");
    let digest = attempt.built(&[]);
    let name = &digest.trim()["sha256:".len()..];
    let blob = attempt.scene.path("store/blobs/sha256").join(name);
    let mut bytes = fs::read(&blob).unwrap();
    let last = bytes.len() - 1;
    bytes[last] = b' ';
    fs::write(&blob, bytes).unwrap();
    let refused = |words: &[&str]| attempt.scene.refusal(words).replace(name, "HEX");
    insta::assert_snapshot!(refused(&["save", "--output=out/app.tar", "REGISTRY/app:1"]), @"
    exit 9
    error: failed to read blob sha256:HEX: `HOME/store/blobs/sha256/HEX` has other bytes than its name says
    hint: delete `HOME/store/blobs/sha256/HEX`, and pull or build the image again
    ");
    insta::assert_snapshot!(refused(&["push", "REGISTRY/app:1"]), @"
    exit 9
    error: failed to read blob sha256:HEX: `HOME/store/blobs/sha256/HEX` has other bytes than its name says
    hint: delete `HOME/store/blobs/sha256/HEX`, and pull or build the image again
    ");
    assert_eq!(files(&attempt.scene.path("out")), [""; 0]);
    assert_eq!(attempt.scene.changes(), [""; 0], "something damaged was sent");
}

/// They are found out before anything is built for them.
#[test]
fn outputs_that_cannot_be_written() {
    let attempt = Attempt::of("FROM scratch\nCOPY app.txt /\n");
    let build = |more: &str| {
        let refusal = attempt.scene.refusal(&["build", "--tag=REGISTRY/app:1", more, "context"]);
        attempt.assert_nothing_left();
        refusal
    };
    insta::assert_snapshot!(build("--output=type=oci,dest=nope/app.tar"), @"
    exit 8
    error: failed to write `nope/app.tar`: No such file or directory (os error 2)
    hint: make the directory `nope` first
    ");
    insta::assert_snapshot!(build("--output=type=tar,dest=nope/app.tar"), @"
    exit 8
    error: failed to write `nope/app.tar`: No such file or directory (os error 2)
    hint: make the directory `nope` first
    ");
    insta::assert_snapshot!(build("--output=type=docker,dest=context"), @"
    exit 8
    error: failed to write `context`: is a directory
    ");
    insta::assert_snapshot!(build("--output=type=oci,dest=context/app.txt/a.tar"), @"
    exit 8
    error: failed to write `context/app.txt/a.tar`: not a directory
    ");
    insta::assert_snapshot!(build("--output=type=local,dest=context/app.txt"), @"
    exit 8
    error: failed to write `context/app.txt`: not a directory
    ");
    insta::assert_snapshot!(build("--iidfile=nope/iid"), @"
    exit 8
    error: failed to write `nope/iid`: No such file or directory (os error 2)
    hint: make the directory `nope` first
    ");
    insta::assert_snapshot!(build("--metadata-file=context"), @"
    exit 8
    error: failed to write `context`: is a directory
    ");
    assert_eq!(files(&attempt.scene.path("context")), ["Dockerfile", "app.txt"]);
    assert!(!attempt.scene.path("nope").exists());
}

/// What is there stays as it is.
#[test]
fn a_layout_that_is_none() {
    let attempt = Attempt::of("FROM scratch\nCOPY app.txt /\n");
    let output = "--output=type=oci,tar=false,dest=context";
    insta::assert_snapshot!(attempt.scene.refusal(&["build", output, "context"]), @"
    exit 8
    error: failed to save to `context`: it is not empty, and not an OCI layout
    hint: name an empty or a new directory
    ");
    assert_eq!(files(&attempt.scene.path("context")), ["Dockerfile", "app.txt"]);
}

/// `kill -9` at moments spread over a build: the store is readable, an output is whole or not
/// there, and the next build gives what it always gives.
#[test]
fn killed_at_any_moment() {
    let mut attempt = with_noise();
    for number in 0..100 {
        attempt = attempt.file(&format!("many/{number}"), noise(number * 100));
    }
    let build = |store: &str, archive: &str| {
        let output = format!("type=oci,dest=out/{archive}");
        let words = ["--store", store, "build", "--tag=app:1", "--output", &output, "context"];
        let mut command = attempt.scene.command(&words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    };
    let started = Instant::now();
    let whole = build("whole", "whole.tar").output().unwrap();
    let lasted = started.elapsed();
    assert!(whole.status.success(), "{whole:?}");
    let archive = fs::read(attempt.scene.path("out/whole.tar")).unwrap();
    let mut killed = 0;
    for moment in 0..12_u32 {
        let (store, name) = (format!("store-{moment}"), format!("{moment}.tar"));
        let mut child = build(&store, &name).spawn().unwrap();
        std::thread::sleep(lasted * moment / 12 + Duration::from_millis(1));
        child.kill().unwrap();
        killed += u32::from(!child.wait().unwrap().success());
        let images = attempt.scene.run(&["--store", &store, "images"]);
        assert_eq!(images.code, 0, "at moment {moment}: {}", images.stderr);
        assert_whole(&attempt, &store);
        if let Ok(found) = fs::read(attempt.scene.path("out").join(&name)) {
            assert!(found == archive, "half an archive at moment {moment}");
        }
        let again = build(&store, &name).output().unwrap();
        assert_eq!(again.stdout, whole.stdout, "at moment {moment}: {again:?}");
        assert!(fs::read(attempt.scene.path("out").join(&name)).unwrap() == archive);
    }
    assert!(killed >= 6, "most of the builds were done before they were killed");
}

/// That every blob is what its name says, and everything that has a name is whole.
fn assert_whole(attempt: &Attempt, store: &str) {
    let root = attempt.scene.path(store);
    for name in files(&root.join("blobs/sha256")) {
        let bytes = fs::read(root.join("blobs/sha256").join(&name)).unwrap();
        assert_eq!(Digest::of(&bytes).hex(), name);
    }
    assert_eq!(files(&root.join("plywood/scratch")), [""; 0], "the next command clears up");
    let store = Store::open(&root).unwrap();
    for image in store.images().unwrap() {
        assert!(store.missing(&image.descriptor).unwrap().is_empty());
    }
}
