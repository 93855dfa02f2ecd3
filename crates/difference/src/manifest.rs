//! In what two manifests differ beside config and layers: annotations, media types, and form.

use oci::{ImageIndex, ImageManifest};
use serde_json::{Value, json};

use crate::config::{FORM, KeyChange};

/// The keys in which two manifests of the same content can differ.
pub(crate) fn differences(old: &ImageManifest, new: &ImageManifest) -> Vec<KeyChange> {
    let mut changes = Vec::new();
    let mut note = |key: &str, item: Option<String>, old: Option<Value>, new: Option<Value>| {
        if old != new {
            changes.push(KeyChange { key: key.to_owned(), item, old, new });
        }
    };
    let text = |text: &str| Some(json!(text));
    note("mediaType", None, text(old.media_type().as_str()), text(new.media_type().as_str()));
    let configs = (old.config().media_type.as_str(), new.config().media_type.as_str());
    note("config.mediaType", None, text(configs.0), text(configs.1));
    let types = |manifest: &ImageManifest| -> Vec<String> {
        manifest.layers().iter().map(|layer| layer.media_type.as_str().to_owned()).collect()
    };
    let (a, b) = (types(old), types(new));
    if a.len() == b.len() {
        for (at, (a, b)) in a.iter().zip(&b).enumerate() {
            note("layers.mediaType", Some(at.to_string()), text(a), text(b));
        }
    }
    let artifact = |manifest: &ImageManifest| manifest.artifact_type().map(|it| json!(it.as_str()));
    note("artifactType", None, artifact(old), artifact(new));
    let subject = |manifest: &ImageManifest| manifest.subject().map(|it| json!(it.digest));
    note("subject", None, subject(old), subject(new));
    let (a, b) = (old.annotations(), new.annotations());
    for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
        let value = |value: Option<&String>| value.map(|value| json!(value));
        note("annotations", Some(key.clone()), value(a.get(key)), value(b.get(key)));
    }
    let same_blobs = old.config().digest == new.config().digest
        && old.layers().iter().map(|l| l.digest).eq(new.layers().iter().map(|l| l.digest));
    if changes.is_empty() && same_blobs && old.bytes() != new.bytes() {
        changes.push(KeyChange { key: FORM.to_owned(), item: None, old: None, new: None });
    }
    changes
}

/// The keys in which two indexes differ, beside the images that they list.
pub fn index_differences(old: &ImageIndex, new: &ImageIndex) -> Vec<KeyChange> {
    let mut changes = Vec::new();
    let mut note = |key: &str, item: Option<String>, old: Option<Value>, new: Option<Value>| {
        if old != new {
            changes.push(KeyChange { key: key.to_owned(), item, old, new });
        }
    };
    let types = (old.media_type().as_str(), new.media_type().as_str());
    note("mediaType", None, Some(json!(types.0)), Some(json!(types.1)));
    let (a, b) = (old.annotations(), new.annotations());
    for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
        let value = |value: Option<&String>| value.map(|value| json!(value));
        note("annotations", Some(key.clone()), value(a.get(key)), value(b.get(key)));
    }
    for entry in old.manifests() {
        let other = new.manifests().iter().find(|other| other.digest == entry.digest);
        let Some(other) = other else { continue };
        let item = Some(entry.digest.to_string());
        let annotations = (json!(entry.annotations), json!(other.annotations));
        note("manifests.annotations", item, Some(annotations.0), Some(annotations.1));
    }
    if changes.is_empty() && old.manifests() == new.manifests() && old.bytes() != new.bytes() {
        changes.push(KeyChange { key: FORM.to_owned(), item: None, old: None, new: None });
    }
    changes
}
