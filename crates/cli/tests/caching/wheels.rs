//! Python packages of which one has moved, on a machine that knows nothing.

use std::collections::BTreeSet;
use std::fs;

use oci::{Digest, MediaType};
use serde_json::{Value, json};
use serve::testing::{Effect, Fault};

use crate::poisoned::{put, records, rewrite};
use crate::setting::Setting;
use crate::traffic::Traffic;
use crate::web::Web;
use crate::wheel::{Wheel, wheel};

/// What everyone builds.
const PUSH: &[&str] = &["--push", "-t", "REGISTRY/team/app:1"];

/// A package that has a layer of its own.
fn large(name: &str, version: &str) -> Wheel {
    wheel(name, version).file(&format!("{name}/data.bin"), vec![0; 9 << 20])
}

/// Two large packages and two small ones, of which one needs the other.
fn wheels() -> [Wheel; 6] {
    [
        large("app", "1.0").requires("small"),
        large("lib", "1.0"),
        large("lib", "1.1"),
        wheel("small", "1.0").requires("other"),
        wheel("other", "1.0"),
        wheel("other", "1.1"),
    ]
}

fn setting() -> Setting {
    let setting = Setting::new();
    setting.web.offer(&wheels());
    setting
}

/// Asks for these packages beside `app`.
fn ask(setting: &Setting, requirements: &str) {
    ask_of(setting, "WEB", requirements);
}

/// The same of another host.
fn ask_of(setting: &Setting, host: &str, requirements: &str) {
    setting.toml(|toml| toml.replace("\"lib\"", requirements).replace("WEB", host));
    setting.forget();
}

/// The wheels that were fetched since the last look.
fn fetched(setting: &Setting) -> BTreeSet<String> {
    fetched_from(&setting.web)
}

fn fetched_from(web: &Web) -> BTreeSet<String> {
    let asked = web.take_asked().into_iter();
    let wheels = asked.filter_map(|path| Some(path.strip_prefix("/files/")?.to_owned()));
    wheels.filter(|file| file.ends_with(".whl")).collect()
}

fn names<const N: usize>(wheels: [&str; N]) -> BTreeSet<String> {
    wheels.map(|wheel| format!("{wheel}-py3-none-any.whl")).into()
}

#[test]
fn a_package_that_moves_brings_its_wheel_and_its_layer() {
    let setting = setting();
    ask(&setting, "\"lib==1.0\", \"other==1.0\"");
    setting.build_elsewhere("one", PUSH);
    assert_eq!(fetched(&setting), names(["app-1.0", "lib-1.0", "other-1.0", "small-1.0"]));
    ask(&setting, "\"lib==1.1\", \"other==1.0\"");
    let digest = setting.build_elsewhere("two", PUSH);
    assert_eq!(fetched(&setting), names(["lib-1.1"]));
    let traffic = Traffic::of(&setting);
    // What the base holds, and what the last step's wheels become.
    assert_eq!(traffic.blobs_down(), 2);
    // The layer and the config; of the step's record its document and its facts, and of that of the
    // files above it the document.
    assert_eq!(traffic.blobs_up(), 5);
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), digest, "as if made anew");
}

#[test]
fn what_shares_a_layer_with_it_is_fetched_for_that() {
    let setting = setting();
    ask(&setting, "\"lib==1.0\", \"other==1.0\"");
    setting.build_elsewhere("one", PUSH);
    fetched(&setting);
    ask(&setting, "\"lib==1.0\", \"other==1.1\"");
    let digest = setting.build_elsewhere("two", PUSH);
    assert_eq!(fetched(&setting), names(["other-1.1", "small-1.0"]));
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), digest, "as if made anew");
}

#[test]
fn a_base_that_moves_brings_no_wheel() {
    let setting = setting();
    ask(&setting, "\"lib==1.0\", \"other==1.0\"");
    let first = setting.build_elsewhere("one", PUSH);
    fetched(&setting);
    setting.base("two");
    fs::remove_file(setting.path("plywood.lock")).unwrap();
    setting.forget();
    let digest = setting.build_elsewhere("two", PUSH);
    assert_ne!(digest, first);
    assert_eq!(fetched(&setting), names([]));
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), digest, "as if made anew");
}

#[test]
fn the_same_bytes_of_a_mirror_are_the_same_wheel() {
    let setting = setting();
    ask(&setting, "\"lib==1.0\", \"other==1.0\"");
    setting.build_elsewhere("one", PUSH);
    fetched(&setting);
    let mirror = Web::start();
    mirror.offer(&wheels());
    ask_of(&setting, &mirror.host, "\"lib==1.1\", \"other==1.0\"");
    setting.build_elsewhere("two", PUSH);
    assert_eq!(fetched(&setting), names([]));
    assert_eq!(fetched_from(&mirror), names(["lib-1.1"]));
}

#[test]
fn a_layer_that_is_gone_is_made_of_wheels_that_are_fetched() {
    let setting = setting();
    ask(&setting, "\"lib==1.0\", \"other==1.0\"");
    setting.build_elsewhere("one", PUSH);
    let gone = Fault::always("HEAD", "/v2/team/app/blobs/", Effect::status(404));
    setting.scene.registry.fault(gone);
    fetched(&setting);
    ask(&setting, "\"lib==1.1\", \"other==1.0\"");
    let digest = setting.build_elsewhere("two", PUSH);
    assert_eq!(fetched(&setting), names(["app-1.0", "lib-1.1", "other-1.0", "small-1.0"]));
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), digest, "as if made anew");
}

/// Changes what is found as the last of its kind, and gives what is said then. The image has to be the
/// same as ever.
fn poisoned(poison: impl Fn(&Setting, &mut Value)) -> String {
    let setting = setting();
    ask(&setting, "\"lib==1.0\", \"other==1.0\"");
    setting.build_elsewhere("one", PUSH);
    let last = |(tag, _): &(String, Value)| tag.starts_with("plywood-last-");
    let (tag, mut record) = records(&setting).into_iter().find(last).unwrap();
    poison(&setting, &mut record);
    put(&setting, &tag, &record);
    ask(&setting, "\"lib==1.1\", \"other==1.0\"");
    let words = ["build", "context", "--store=two", "--push", "-t", "REGISTRY/team/app:1"];
    let ended = setting.ended(&mut setting.command(&words));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), ended.stdout.trim_end());
    ended.stderr.trim_end().replace(&tag, "plywood-last-#")
}

#[test]
fn what_is_of_another_kind_of_step_is_passed_over() {
    let said = poisoned(|_, record| {
        rewrite(record, |document| document["kind"] = json!(Digest::of(b"other")));
    });
    insta::assert_snapshot!(said, @"warning: 127.0.0.1:00000/team/app:plywood-last-# is passed over: it is of something else");
}

#[test]
fn a_layer_that_it_does_not_keep_is_not_taken() {
    let said = poisoned(|_, record| {
        let layers = record["layers"].as_array_mut().unwrap();
        layers.retain(|layer| !layer["mediaType"].as_str().unwrap().contains("image.layer"));
    });
    insta::assert_snapshot!(said, @"warning: 127.0.0.1:00000/team/app:plywood-last-# is passed over: it names a layer that it does not keep");
}

#[test]
fn what_wheels_become_is_looked_at() {
    let said = poisoned(|setting, record| {
        let kind = MediaType::from("application/vnd.plywood.facts.v1+zstd");
        let mut plain = b"w".to_vec();
        plain.extend(Digest::of(b"any").to_string().bytes());
        plain.extend(4_u64.to_le_bytes());
        plain.extend(b"lies");
        let bundle = zstd::encode_all(plain.as_slice(), 3).unwrap();
        let bundle = setting.scene.registry.insert_blob("team/app", kind.clone(), &bundle);
        for layer in record["layers"].as_array_mut().unwrap() {
            if layer["mediaType"] == json!(kind) {
                layer["digest"] = json!(bundle.digest);
                layer["size"] = json!(bundle.size);
            }
        }
    });
    insta::assert_snapshot!(said, @"warning: the facts abdfd75dd65d of 127.0.0.1:00000/team/app cannot be read; what they are about is read instead");
}
