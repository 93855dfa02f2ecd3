//! Records that somebody else wrote, or that were damaged: they cost a rebuild, and never make a wrong
//! image.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use oci::{Digest, Manifest, MediaType};
use serde_json::{Value, json};

use crate::fresh::setting;
use crate::setting::Setting;
use crate::traffic::Traffic;

const PUSH: &[&str] = &["--push", "-t", "REGISTRY/team/app:1"];

/// The records in the repository, by tag.
pub(crate) fn records(setting: &Setting) -> BTreeMap<String, Value> {
    let tags = setting.answer(&["ls-tags", "REGISTRY/team/app"]);
    let tags = tags.lines().filter(|tag| tag.starts_with("plywood-"));
    let read = |tag: &str| {
        let digest = setting.scene.registry.tag("team/app", tag).unwrap();
        let text = setting.scene.registry.blob("team/app", digest).unwrap();
        (tag.to_owned(), serde_json::from_slice(&text).unwrap())
    };
    tags.map(read).collect()
}

/// Changes all records, builds on another machine, and gives what was said. The image has to be the
/// same as ever.
fn poisoned(poison: impl Fn(&mut Value)) -> String {
    let setting = setting();
    let digest = setting.build_elsewhere("one", PUSH);
    for (tag, mut record) in records(&setting) {
        poison(&mut record);
        put(&setting, &tag, &record);
    }
    std::fs::remove_file(setting.path("plywood.lock")).unwrap();
    let words = ["build", "context", "--store=two", "--push", "-t", "REGISTRY/team/app:1"];
    let ended = setting.ended(&mut setting.command(&words));
    assert_eq!((ended.code, ended.stdout.trim_end()), (0, digest.as_str()), "{}", ended.stderr);
    // The next one finds them whole again.
    setting.forget();
    assert_eq!(setting.build_elsewhere("three", PUSH), digest);
    assert_eq!(Traffic::of(&setting).records_up(), 0);
    let tags = ended.stderr.lines().map(|line| match line.split_once("plywood-") {
        Some((before, after)) => {
            let kind = after.split('-').next().unwrap_or_default();
            let rest = after.split_once(' ').map_or("", |(_, rest)| rest);
            format!("{before}plywood-{kind}-… {rest}")
        }
        None => line.to_owned(),
    });
    let mut lines: Vec<String> = tags.collect();
    lines.dedup();
    lines.join("\n")
}

pub(crate) fn put(setting: &Setting, tag: &str, record: &Value) {
    let manifest = Manifest::parse(record.to_string().into_bytes(), Some(&MediaType::OciManifest));
    setting.scene.registry.insert_manifest("team/app", Some(tag), &manifest.unwrap());
}

/// Changes the document of a record, and what says what it hashes to.
pub(crate) fn rewrite(record: &mut Value, change: impl Fn(&mut Value)) {
    let described = &mut record["layers"][0];
    let text = decoded(described["data"].as_str().unwrap());
    let mut document: Value = serde_json::from_slice(&text).unwrap();
    change(&mut document);
    let text = document.to_string();
    described["data"] = json!(STANDARD.encode(&text));
    described["digest"] = json!(Digest::of(text.as_bytes()));
    described["size"] = json!(text.len());
}

/// An embedded document.
pub(crate) fn decoded(data: &str) -> Vec<u8> {
    STANDARD.decode(data).unwrap()
}

#[test]
fn a_document_that_is_not_what_it_hashes_to() {
    let said = poisoned(|record| record["layers"][0]["data"] = json!("e30="));
    insta::assert_snapshot!(said, @r"
    warning: 127.0.0.1:00000/team/app:plywood-base-… is passed over: its document is damaged
    warning: 127.0.0.1:00000/team/app:plywood-step-… is passed over: its document is damaged
    ");
}

#[test]
fn a_document_of_another_step() {
    let other = Digest::of(b"another").to_string();
    let said = poisoned(|record| rewrite(record, |document| document["key"] = json!(other)));
    insta::assert_snapshot!(said, @r"
    warning: 127.0.0.1:00000/team/app:plywood-base-… is passed over: it is of something else
    warning: 127.0.0.1:00000/team/app:plywood-step-… is passed over: it is of something else
    ");
}

#[test]
fn somebody_else_s_artifact() {
    let said = poisoned(|record| record["artifactType"] = json!("application/vnd.example.thing"));
    insta::assert_snapshot!(said, @r"
    warning: 127.0.0.1:00000/team/app:plywood-base-… is passed over: it is of another kind
    warning: 127.0.0.1:00000/team/app:plywood-step-… is passed over: it is of another kind
    ");
}

#[test]
fn a_layer_that_is_not_kept() {
    let said = poisoned(|record| {
        rewrite(record, |document| {
            for layer in document["record"]["layers"].as_array_mut().into_iter().flatten() {
                layer["packed"]["descriptor"]["digest"] = json!(Digest::of(b"gone"));
            }
        });
    });
    insta::assert_snapshot!(said, @r"
    warning: 127.0.0.1:00000/team/app:plywood-step-… is passed over: it names a layer that it does not keep
    ");
}

#[test]
fn a_layer_that_is_nowhere() {
    let gone = json!(Digest::of(b"gone"));
    let said = poisoned(|record| {
        rewrite(record, |document| {
            for layer in document["record"]["layers"].as_array_mut().into_iter().flatten() {
                layer["packed"]["descriptor"]["digest"] = gone.clone();
            }
        });
        for layer in record["layers"].as_array_mut().unwrap() {
            if layer["mediaType"].as_str().unwrap().contains("tar") {
                layer["digest"] = gone.clone();
            }
        }
    });
    insta::assert_snapshot!(said, @"");
}

#[test]
fn a_layer_of_another_size() {
    let said = poisoned(|record| {
        rewrite(record, |document| {
            for layer in document["record"]["layers"].as_array_mut().into_iter().flatten() {
                layer["packed"]["descriptor"]["size"] = json!(7);
            }
        });
        for layer in record["layers"].as_array_mut().unwrap() {
            if layer["mediaType"].as_str().unwrap().contains("tar") {
                layer["size"] = json!(7);
            }
        }
    });
    insta::assert_snapshot!(said, @"");
}

/// Whoever may write to the repository can make all of a record agree. What the lock pins disagrees,
/// and so do the layers, if somebody looks.
#[test]
fn another_diff_id() {
    let other = json!(Digest::of(b"another"));
    let setting = setting();
    let digest = setting.build_elsewhere("one", PUSH);
    let poison = || {
        for (tag, mut record) in records(&setting) {
            rewrite(&mut record, |document| {
                for layer in document["record"]["layers"].as_array_mut().into_iter().flatten() {
                    layer["packed"]["diffId"] = other.clone();
                }
            });
            put(&setting, &tag, &record);
        }
    };
    poison();
    let build = |machine: &str| {
        let store = format!("--store={machine}");
        let words =
            ["build", "context", &store, "--verify-cache", "--push", "-t", "REGISTRY/team/app:1"];
        setting.ended(&mut setting.command(&words))
    };
    std::fs::remove_file(setting.path("plywood.lock")).unwrap();
    let ended = build("two");
    assert_eq!((ended.code, ended.stdout.trim_end()), (0, digest.as_str()), "{}", ended.stderr);
    assert!(ended.stderr.contains("a layer is not what it says"), "{}", ended.stderr);

    // The layer of the first line is pinned: nothing of the context is in it.
    poison();
    let words = ["build", "context", "--store=three", "--push", "-t", "REGISTRY/team/app:1"];
    let ended = setting.ended(&mut setting.command(&words));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("the lock has another layer for it"), "{}", ended.stderr);
}

#[test]
fn titles_for_a_terminal() {
    let said = poisoned(|record| {
        rewrite(record, |document| {
            for layer in document["record"]["layers"].as_array_mut().into_iter().flatten() {
                layer["title"] = json!("RUN \u{1b}[2J");
            }
        });
    });
    insta::assert_snapshot!(said, @"warning: 127.0.0.1:00000/team/app:plywood-step-… is passed over: its document is damaged");
}

#[test]
fn layers_that_would_be_elsewhere() {
    let said = poisoned(|record| {
        let urls = json!(["http://127.0.0.1/elsewhere"]);
        rewrite(record, |document| {
            for layer in document["record"]["layers"].as_array_mut().into_iter().flatten() {
                layer["packed"]["descriptor"]["urls"] = urls.clone();
            }
        });
        for layer in record["layers"].as_array_mut().unwrap() {
            if layer["mediaType"].as_str().unwrap().contains("tar") {
                layer["urls"] = urls.clone();
            }
        }
    });
    insta::assert_snapshot!(said, @"warning: 127.0.0.1:00000/team/app:plywood-step-… is passed over: it names a layer that it does not keep");
}

#[test]
fn a_bundle_that_is_none() {
    let setting = setting();
    let digest = setting.build_elsewhere("one", PUSH);
    for (tag, mut record) in records(&setting) {
        let kind = MediaType::from("application/vnd.plywood.facts.v1+zstd");
        let bundle = setting.scene.registry.insert_blob("team/app", kind.clone(), b"no bundle");
        for layer in record["layers"].as_array_mut().unwrap() {
            if layer["mediaType"] == json!(kind) {
                layer["digest"] = json!(bundle.digest);
                layer["size"] = json!(bundle.size);
            }
        }
        put(&setting, &tag, &record);
    }
    setting.file("src/a.py", "other\n");
    let words = ["build", "context", "--store=two", "--push", "-t", "REGISTRY/team/app:1"];
    let ended = setting.ended(&mut setting.command(&words));
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("what they are about is read instead"), "{}", ended.stderr);
    assert_ne!(ended.stdout.trim_end(), digest);
    assert_eq!(setting.build_elsewhere("three", &["--no-cache"]), ended.stdout.trim_end());
}

#[test]
fn a_document_without_end() {
    let said = poisoned(|record| {
        rewrite(record, |document| {
            document["record"]["layers"] = json!(vec![json!({"key": 1}); 100_000]);
        });
    });
    insta::assert_snapshot!(said, @r"
    warning: 127.0.0.1:00000/team/app:plywood-step-… is passed over: its document is damaged
    ");
}
