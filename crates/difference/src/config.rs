//! In which keys two configs differ.

use std::collections::BTreeMap;

use oci::{Digest, ImageConfig};
use serde::Serialize;
use serde_json::{Map, Value, json};

/// A key of the config, or of the manifest, whose value differs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyChange {
    /// The key, such as `config.Env` or `created`.
    pub key: String,
    /// Which of the things below it: a variable, a label, a port.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item: Option<String>,
    /// What it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<Value>,
    /// What it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<Value>,
}

/// The key of the history's lines, and that of their times.
pub(crate) const HISTORY: &str = "history";
pub(crate) const HISTORY_TIMES: &str = "history.created";
/// The key of what is written otherwise and says the same.
pub(crate) const FORM: &str = "form";

/// Keys of which each thing below is looked at by itself.
const BY_ITEM: [&str; 4] = ["Env", "ExposedPorts", "Labels", "Volumes"];

/// The keys in which two configs differ. The layers' diff ids are not among them: they are told as
/// layers.
pub(crate) fn differences(old: &ImageConfig, new: &ImageConfig) -> Vec<KeyChange> {
    let mut changes = Vec::new();
    let (a, b) = (old.as_json(), new.as_json());
    let special = ["config", "history", "rootfs"];
    compare_keys("", &without(a, &special), &without(b, &special), &mut changes);
    let nothing = Map::new();
    let run = |document: &Map<String, Value>| {
        document
            .get("config")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_else(|| nothing.clone())
    };
    let (left, right) = (run(a), run(b));
    compare_keys("config.", &without(&left, &BY_ITEM), &without(&right, &BY_ITEM), &mut changes);
    for key in BY_ITEM {
        let (left, right) = (items(left.get(key)), items(right.get(key)));
        let mut below = Vec::new();
        compare_keys("", &left, &right, &mut below);
        changes.extend(below.into_iter().map(|change| KeyChange {
            key: format!("config.{key}"),
            item: Some(change.key),
            ..change
        }));
    }
    changes.extend(history(old, new));
    changes
}

fn without(document: &Map<String, Value>, keys: &[&str]) -> Map<String, Value> {
    let kept = document.iter().filter(|(key, value)| {
        // Go writes null and empty lists where others leave a key out.
        let is_empty = value.is_null() || **value == json!([]) || **value == json!({});
        !keys.contains(&key.as_str()) && !is_empty
    });
    kept.map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn compare_keys(
    prefix: &str,
    old: &Map<String, Value>,
    new: &Map<String, Value>,
    changes: &mut Vec<KeyChange>,
) {
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort();
    keys.dedup();
    for key in keys {
        let (a, b) = (old.get(key), new.get(key));
        if a != b {
            let (old, new) = (a.cloned(), b.cloned());
            changes.push(KeyChange { key: format!("{prefix}{key}"), item: None, old, new });
        }
    }
}

/// What is below a key: a list of `NAME=VALUE`, or an object.
fn items(value: Option<&Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(object)) => object.clone(),
        Some(Value::Array(list)) => {
            let pairs = list.iter().filter_map(Value::as_str).map(|text| {
                let (name, value) = text.split_once('=').unwrap_or((text, ""));
                (name.to_owned(), json!(value))
            });
            pairs.collect()
        }
        _ => Map::new(),
    }
}

/// A line of the history, without its time.
type Line = (String, bool, String);

/// The lines that only one of the two has, and whether times differ.
fn history(old: &ImageConfig, new: &ImageConfig) -> Vec<KeyChange> {
    let (a, b) = (old.history(), new.history());
    let line = |entry: &oci::History| -> Line {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        (text(&entry.created_by), entry.empty_layer, text(&entry.comment))
    };
    let (left, right): (Vec<Line>, Vec<Line>) =
        (a.iter().map(line).collect(), b.iter().map(line).collect());
    let mut changes = Vec::new();
    if left != right {
        let only = |list: &[Line], other: &[Line]| {
            let mut counts: BTreeMap<&Line, usize> = BTreeMap::new();
            other.iter().for_each(|line| *counts.entry(line).or_default() += 1);
            let mut alone = Vec::new();
            for line in list {
                match counts.get_mut(line) {
                    Some(left) if *left > 0 => *left -= 1,
                    _ => alone.push(json!(line.0)),
                }
            }
            Value::Array(alone)
        };
        let (old, new) = (Some(only(&left, &right)), Some(only(&right, &left)));
        changes.push(KeyChange { key: HISTORY.to_owned(), item: None, old, new });
    }
    let times = |list: &[oci::History]| -> Vec<Option<String>> {
        list.iter().map(|entry| entry.created.clone()).collect()
    };
    if left == right && times(&a) != times(&b) {
        changes.push(KeyChange { key: HISTORY_TIMES.to_owned(), item: None, old: None, new: None });
    }
    changes
}

/// The digests of the lines that a `history` change tells.
pub(crate) fn lines(value: Option<&Value>) -> Vec<(Digest, String)> {
    let list = value.and_then(Value::as_array).into_iter().flatten();
    let texts = list.filter_map(Value::as_str);
    texts.map(|text| (Digest::of(text.as_bytes()), text.to_owned())).collect()
}
