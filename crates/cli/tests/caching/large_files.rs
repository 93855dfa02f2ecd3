//! Files that are several layers, of which one has moved.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;
use serve::testing::{Effect, Fault};

use crate::poisoned::records;
use crate::setting::Setting;
use crate::traffic::Traffic;

/// What everyone builds.
const PUSH: &[&str] = &["--push", "-t", "REGISTRY/team/app:1"];

/// A context with two large files and a small one.
fn setting() -> Setting {
    setting_of("COPY src /app")
}

fn setting_of(lines: &str) -> Setting {
    let setting = Setting::new();
    setting.dockerfile(lines);
    large(&setting, "one.bin", 1);
    large(&setting, "two.bin", 2);
    setting.forget();
    setting
}

fn large(setting: &Setting, name: &str, byte: u8) {
    fs::write(setting.path("src").join(name), vec![byte; 33 << 20]).unwrap();
}

/// The blobs of the layers that the last records of their kinds name.
fn layers(setting: &Setting) -> BTreeSet<String> {
    let last = records(setting).into_iter().filter(|(tag, _)| tag.starts_with("plywood-last-"));
    let layers = last.flat_map(|(_, record)| record["layers"].as_array().unwrap().clone());
    let is_layer = |layer: &Value| layer["mediaType"].as_str().unwrap().contains("image.layer");
    let layers = layers.filter(is_layer);
    layers.map(|layer| layer["digest"].as_str().unwrap().to_owned()).collect()
}

/// Builds on another machine, and says how many layers were made there, and what moved.
fn made(setting: &Setting) -> (usize, Traffic) {
    let before = layers(setting);
    setting.forget();
    let digest = setting.build_elsewhere("two", PUSH);
    let traffic = Traffic::of(setting);
    let after = layers(setting);
    let is_here = |layer: &&String| {
        let name = layer.strip_prefix("sha256:").unwrap();
        setting.scene.path("two/blobs/sha256").join(name).exists()
    };
    let made: BTreeSet<&String> = after.iter().filter(is_here).collect();
    assert_eq!(made, after.difference(&before).collect());
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), digest, "as if made anew");
    (made.len(), traffic)
}

/// The same, of one instruction.
fn moved(setting: &Setting) -> usize {
    let (made, traffic) = made(setting);
    // What the base holds.
    assert!(traffic.blobs_down() <= 1, "{}", traffic.blobs_down());
    // The step by its key, and as the last of its kind.
    assert_eq!(traffic.records_up(), 2);
    // The config, and the record's document and what the layers hold.
    assert_eq!(traffic.blobs_up(), made + 3);
    made
}

#[test]
fn a_small_file_moves_the_layer_of_the_small() {
    let setting = setting();
    setting.build_elsewhere("one", PUSH);
    setting.file("src/main.py", "2\n");
    assert_eq!(moved(&setting), 1);
}

#[test]
fn a_large_file_moves_its_own() {
    let setting = setting();
    setting.build_elsewhere("one", PUSH);
    large(&setting, "two.bin", 3);
    large(&setting, "three.bin", 4);
    assert_eq!(moved(&setting), 2);
}

#[test]
fn what_another_stage_copied_is_no_other() {
    let setting = setting_of("COPY src /app\nFROM scratch\nCOPY --from=0 /app /app");
    setting.build_elsewhere("one", PUSH);
    setting.file("src/main.py", "2\n");
    assert_eq!(made(&setting).0, 1);
}

#[test]
fn layers_that_are_gone_are_made_anew() {
    let setting = setting();
    setting.build_elsewhere("one", PUSH);
    setting.file("src/main.py", "2\n");
    setting.forget();
    let gone = Fault::always("HEAD", "/v2/team/app/blobs/", Effect::status(404));
    setting.scene.registry.fault(gone);
    let digest = setting.build_elsewhere("two", PUSH);
    assert!(Traffic::of(&setting).blobs_up() >= 4, "three layers and the config");
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), digest, "as if made anew");
}
