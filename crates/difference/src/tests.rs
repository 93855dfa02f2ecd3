//! The parts by themselves; pairs of real builds are compared in the program's own tests.

use std::collections::{BTreeMap, BTreeSet};

use oci::Digest;

use crate::files::{self, FileState, Files, Node};
use crate::inputs::packages;
use crate::record::{Argument, BuildRecord, ContextEntry, ContextFiles, MOST_FILES, Stage, Step};
use crate::steps::{Alignment, Fate, StepAt};

fn stage(name: Option<&str>, steps: &[&str]) -> Stage {
    let steps = steps.iter().map(|text| Step::of(text)).collect();
    Stage { name: name.map(str::to_owned), from: "scratch".to_owned(), steps, ..Stage::default() }
}

fn record(stages: Vec<Stage>) -> BuildRecord {
    let mut record = BuildRecord::new("1", 1);
    record.stages = stages;
    record
}

/// What became of each instruction of one stage, in the old order.
fn fates(old: &[&str], new: &[&str]) -> String {
    let (old, new) = (record(vec![stage(None, old)]), record(vec![stage(None, new)]));
    let text = |record: &BuildRecord, at: StepAt| record.step(at).unwrap().text.clone();
    let fates = Alignment::of(&old, &new).fates.into_iter().filter_map(|fate| match fate {
        Fate::Same { .. } => None,
        Fate::Edited { old: a, new: b } => Some(format!("{} > {}", text(&old, a), text(&new, b))),
        Fate::Moved { new: at, .. } => Some(format!("~{}", text(&new, at))),
        Fate::Added { new: at } => Some(format!("+{}", text(&new, at))),
        Fate::Removed { old: at } => Some(format!("-{}", text(&old, at))),
    });
    fates.collect::<Vec<_>>().join(", ")
}

#[test]
fn instructions_are_told_apart() {
    assert_eq!(fates(&["A 1", "B 1"], &["A 1", "B 1"]), "");
    assert_eq!(fates(&["A 1", "B 1"], &["A 1", "B 2"]), "B 1 > B 2");
    assert_eq!(fates(&["A 1", "B 1"], &["A 1", "C 1"]), "-B 1, +C 1");
    assert_eq!(fates(&["A 1", "B 1"], &["A 0", "A 1", "B 1"]), "+A 0");
    assert_eq!(fates(&["A 1", "A 1"], &["A 1"]), "-A 1");
    assert_eq!(fates(&["A 1", "R x", "A 2"], &["A 2", "R x", "A 1"]), "~A 1, ~R x");
    assert_eq!(fates(&["A 1", "A 2", "A 3"], &["A 3", "A 1", "A 2"]), "~A 3");
    assert_eq!(fates(&["A 1", "R x"], &["R x", "A 2"]), "-A 1, +A 2");
    assert_eq!(fates(&[], &["A 1"]), "+A 1");
}

#[test]
fn stages_keep_their_names() {
    let aligned = |old: &[Option<&str>], new: &[Option<&str>]| {
        let of = |names: &[Option<&str>]| record(names.iter().map(|it| stage(*it, &[])).collect());
        Alignment::of(&of(old), &of(new)).stages
    };
    assert_eq!(aligned(&[Some("a"), None], &[Some("b"), Some("a"), None]), [(0, 1), (1, 2)]);
    assert_eq!(aligned(&[Some("a")], &[Some("b")]), [(0, 0)], "one that got another name");
    assert_eq!(aligned(&[None], &[None, None]), [(0, 1)]);
}

fn file(text: &str) -> FileState {
    let node = Node::File { digest: Digest::of(text.as_bytes()), size: text.len() as u64 };
    FileState { node, mode: 0o644, uid: 0, gid: 0, mtime: 0, xattrs: None }
}

fn whiteout() -> FileState {
    FileState { node: Node::Whiteout, mode: 0, ..file("") }
}

#[test]
fn layers_hide_what_is_below() {
    let files = |list: &[(&str, FileState)]| -> Files {
        list.iter().map(|(path, state)| ((*path).to_owned(), state.clone())).collect()
    };
    let lower =
        files(&[("a/b", file("1")), ("a/c", file("1")), ("ab", file("1")), ("d", file("1"))]);
    let shown = |upper: &[(&str, FileState)]| {
        let merged = files::merged([&lower, &files(upper)].into_iter());
        let real = merged.into_iter().filter(|(_, state)| state.node != Node::Whiteout);
        real.map(|(path, _)| path).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(shown(&[("a/.wh.b", whiteout())]), "a/c ab d");
    assert_eq!(shown(&[(".wh.a", whiteout())]), "ab d");
    assert_eq!(shown(&[("a/.wh..wh..opq", whiteout()), ("a/e", file("2"))]), "a/e ab d");
    assert_eq!(shown(&[(".wh..wh..opq", whiteout())]), "");
}

#[test]
fn pins_of_both_kinds() {
    let list = |pins: &[&str]| pins.iter().map(|pin| (*pin).to_owned()).collect::<Vec<_>>();
    let old = list(&["six==1.16", "libc6=2.36-9+deb12u10", "gone==1"]);
    let new = list(&["six==1.17", "libc6=2.36-9+deb12u11", "come=1"]);
    let said: Vec<String> = packages(&old, &new).iter().map(crate::Moved::sentence).collect();
    assert_eq!(
        said,
        [
            "the package `gone` 1 is gone",
            "the package `six` went from 1.16 to 1.17",
            "the package `come` 1 is new",
            "the package `libc6` went from 2.36-9+deb12u10 to 2.36-9+deb12u11",
        ]
    );
}

#[test]
fn values_leave_marks() {
    let mark = |name: &str, value: &str| Argument::of(name, value, None).mark;
    assert_eq!(mark("VERSION", "1").len(), 16);
    assert_ne!(mark("VERSION", "1"), mark("VERSION", "2"));
    assert_ne!(mark("VERSION", "1"), mark("RELEASE", "1"));
    assert_eq!(mark("API_TOKEN", "a-SECRET").len(), 4);
    assert_eq!(Argument::of("A", "1", Some("1")).shown.as_deref(), Some("1"));
    assert_eq!(Argument::of("A", "2", Some("1")).shown, None);
}

#[test]
fn many_files_are_their_directories() {
    let entry = |number: usize| {
        let node = Node::File { digest: Digest::of(&number.to_le_bytes()), size: 8 };
        (format!("a/{}/{}/{number}", number % 3, number % 1000), ContextEntry { mode: 0o644, node })
    };
    let few = ContextFiles::of((0..10).map(entry).collect(), ["z".to_owned()]);
    assert_eq!((few.entries.len(), few.folders.len()), (10, 0));
    assert_eq!(few.unread, BTreeSet::from(["z".to_owned()]));
    let all: BTreeMap<String, ContextEntry> = (0..MOST_FILES + 1).map(entry).collect();
    let many = ContextFiles::of(all.clone(), []);
    assert_eq!((many.entries.len(), many.folders.len()), (0, 3000));
    let mut moved = all;
    let first = moved.values_mut().next().unwrap();
    first.mode = 0o755;
    let other = ContextFiles::of(moved, []);
    let differ = many.folders.iter().filter(|(path, folder)| other.folders[*path] != **folder);
    assert_eq!(differ.count(), 1);
}

#[test]
fn records_come_back() {
    let mut record = record(vec![stage(Some("a"), &["COPY a /", "RUN \u{1b}[2J"])]);
    record.arguments.insert("A".to_owned(), Argument::of("A", "1", Some("1")));
    let bytes = record.to_bytes();
    assert_eq!(BuildRecord::from_bytes(&bytes), Some(record));
    let text = String::from_utf8(bytes).unwrap();
    assert!(!text.contains("u001b"), "{text}");
    for length in 0..text.len() {
        assert_eq!(BuildRecord::from_bytes(&text.as_bytes()[..length]), None);
    }
    let newer = text.replace("\"format\":1", "\"format\":2");
    assert_eq!(BuildRecord::from_bytes(newer.as_bytes()), None);
}
