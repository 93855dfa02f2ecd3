//! `--locked`: what is not as the lock says is an error that says what it is.

use std::fs;

use crate::setting::Setting;

const LOCKED: &[&str] = &["build", "--locked", "context"];

/// What is said of a lock that is changed after it was written.
#[track_caller]
fn changed(change: impl FnOnce(&str) -> String) -> String {
    let setting = Setting::new();
    setting.build(&[]);
    let lock = change(&setting.lock());
    setting.file("plywood.lock", &lock);
    setting.refused(LOCKED)
}

#[test]
fn without_a_lock_there_is_nothing_to_keep_to() {
    let setting = Setting::new();
    insta::assert_snapshot!(setting.refused(LOCKED), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: there is none
    hint: `plywood lock`, or a build without `--locked`, adds what is missing; commit the file then (where CI is set, `--no-locked` builds without)
    ");
    assert!(!setting.path("plywood.lock").exists());
    let words = ["--progress=quiet", "build", "--locked", "-f", "-", "context"];
    let ended = setting.scene.run_with(&words, b"FROM scratch\nCOPY src /\n");
    assert_eq!(ended.code, 12);
    insta::assert_snapshot!(ended.stderr, @"
    error: failed to keep to `plywood.lock`: a recipe that is no file of its own has none
    hint: build without `--locked`, or give the recipe as a file
    ");
}

#[test]
fn what_is_not_pinned_is_named() {
    let setting = Setting::new();
    setting.build(&[]);
    let lock = setting.lock();
    setting.toml(|toml| toml.replace("base:python", "base:other"));
    insta::assert_snapshot!(setting.refused(LOCKED), @r#"
    exit 12
    error: failed to keep to `context/plywood.lock`: it does not pin the image `127.0.0.1:00000/base:other` for linux/amd64
     --> context/plywood.toml:1:8
      |
    1 | base = "127.0.0.1:00000/base:other"
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: `plywood lock`, or a build without `--locked`, adds what is missing; commit the file then (where CI is set, `--no-locked` builds without)
    "#);
    setting.toml(|toml| toml.replace("\"lib\"", "\"lib>0\""));
    insta::assert_snapshot!(setting.refused(LOCKED), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: it has no answer to what is asked of Python packages for linux/amd64 now: versions, constraints, indexes, files, or the Python and the packages of the base are others
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: `plywood lock`, or a build without `--locked`, adds what is missing; commit the file then (where CI is set, `--no-locked` builds without)
    ");
    setting.toml(|toml| toml.replace("\"lib\"", "\"More.Over>=1\", \"next\""));
    insta::assert_snapshot!(setting.refused(LOCKED), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: it has no answer to what is asked of Python packages for linux/amd64 now: with `more-over`, `next` asked for as well, with `lib` asked for no more
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: `plywood lock`, or a build without `--locked`, adds what is missing; commit the file then (where CI is set, `--no-locked` builds without)
    ");
    assert_eq!(setting.lock(), lock);
    setting.forget();
    setting.toml(|toml| toml.to_owned());
    setting.build(&["--locked"]);
    setting.dockerfile("ADD http://WEB/other.txt /");
    insta::assert_snapshot!(setting.refused(LOCKED), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: it does not pin http://127.0.0.1:11111/other.txt
     --> context/Dockerfile:2:5
      |
    2 | ADD http://127.0.0.1:11111/other.txt /
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: `plywood lock`, or a build without `--locked`, adds what is missing; commit the file then (where CI is set, `--no-locked` builds without)
    ");
    assert_eq!(setting.asked(), [].into());
}

#[test]
fn layers_that_are_others_are_named() {
    let with_other = |line: &'static str| {
        move |lock: &str| {
            let at = lock.find("title = \"PYTHON").unwrap();
            let (before, layer) = lock.split_at(at);
            let start = layer.find(line).unwrap() + line.len();
            let other = "0".repeat(64);
            format!("{before}{}{other}{}", &layer[..start], &layer[start + 64..])
        }
    };
    insta::assert_snapshot!(changed(with_other("key = \"sha256:")), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: the layer `PYTHON app==1.0 dep==1.0 lib==1.0` has the key sha256:e1e859a913ca6c932ee8884668fabbd1fde6445354c805b181d5bf5f8040f7b0, and pinned is sha256:0000000000000000000000000000000000000000000000000000000000000000
    hint: build with the plywood that wrote it, or once without `--locked`, and commit the file
    ");
    insta::assert_snapshot!(changed(with_other("digest = \"sha256:")), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: the layer `PYTHON app==1.0 dep==1.0 lib==1.0` is sha256:d1aee20992de654e9a5b35620d87723a4c579afde243d906541379c5a0c59ea2, and pinned is sha256:0000000000000000000000000000000000000000000000000000000000000000
    hint: build with the plywood that wrote it, or once without `--locked`, and commit the file
    ");
    insta::assert_snapshot!(changed(|lock| lock.replace("epoch = 2", "epoch = 0")), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: it is of a plywood that lays layers in another way (epoch 0, here 2)
    hint: build with the plywood that wrote it, or once without `--locked`, and commit the file
    ");
}

#[test]
fn what_is_no_lock_is_refused() {
    insta::assert_snapshot!(changed(|lock| lock.replace("version = 1\n", "version = 9\n")), @"
    exit 4
    error: failed to read `context/plywood.lock`: its version is 9, and this plywood reads 1
    hint: build with the version of plywood that wrote it, or a later one
    ");
    insta::assert_snapshot!(changed(|lock| format!("<<<<<<< HEAD\n{lock}=======\n")), @"
    exit 4
    error: failed to read `context/plywood.lock`: line 1: it holds an unresolved merge conflict
    hint: take either side whole (`git checkout --theirs FILE`), then `plywood lock` brings it up to date
    ");
    insta::assert_snapshot!(changed(|lock| format!("{lock}what = \n")), @"
    exit 4
    error: failed to read `context/plywood.lock`: line 48: string values must be quoted, expected literal string
    hint: take the file as it was last committed, or delete it to pin everything anew
    ");
    // It is refused without `--locked`, too: it would be lost otherwise.
    let setting = Setting::new();
    setting.file("plywood.lock", "[package]\nname = \"theirs\"\n");
    insta::assert_snapshot!(setting.refused(&["build", "context"]), @"
    exit 4
    error: failed to read `context/plywood.lock`: it has no `version`, so it is not plywood's
    hint: locks are found by the recipe's name: move the file or the recipe away
    ");
    fs::remove_file(setting.path("plywood.lock")).unwrap();
    fs::create_dir(setting.path("plywood.lock")).unwrap();
    insta::assert_snapshot!(setting.refused(&["build", "context"]), @"
    exit 4
    error: failed to read `context/plywood.lock`: it is not a regular file
    ");
}

#[test]
fn a_base_that_is_gone_is_named() {
    let setting = Setting::new();
    setting.build(&[]);
    let lock = setting.lock();
    let digest = lock.lines().find_map(|line| line.strip_prefix("digest = ")).unwrap();
    let other = lock.replace(digest, &format!("\"sha256:{}\"", "0".repeat(64)));
    setting.file("plywood.lock", &other);
    insta::assert_snapshot!(setting.refused(LOCKED), @r#"
    exit 12
    error: failed to keep to `context/plywood.lock`: the image `127.0.0.1:00000/base:python` for linux/amd64, which it pins, is not there any more
     --> context/plywood.toml:1:8
      |
    1 | base = "127.0.0.1:00000/base:python"
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: have a source that keeps what it had, such as a mirror or a snapshot; or take what is there now: `plywood lock --upgrade`, for bases only `--upgrade-base`
    "#);
}
