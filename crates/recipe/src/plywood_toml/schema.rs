//! The table of keys as a JSON schema (draft 2020-12), for editors.

use serde_json::{Map, Value, json};

use super::key::{Key, Kind};
use super::keys::DOCUMENT;

/// The schema of a `plywood.toml`.
///
/// It knows names and types. What goes together and what is in the strings, only
/// [`parse_plywood_toml`](crate::parse_plywood_toml) knows.
pub fn plywood_toml_schema() -> Value {
    let mut schema = table(DOCUMENT);
    schema["required"] = json!(["base"]);
    let head = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "plywood.toml",
        "description": "The recipe of an image that needs no shell.",
    });
    let (Value::Object(mut whole), Value::Object(schema)) = (head, schema) else {
        return Value::Null;
    };
    whole.extend(schema);
    Value::Object(whole)
}

fn table(keys: &[Key]) -> Value {
    let properties: Map<String, Value> =
        keys.iter().map(|key| (key.name.to_owned(), property(key))).collect();
    json!({ "type": "object", "additionalProperties": false, "properties": properties })
}

fn property(key: &Key) -> Value {
    let mut schema = value(&key.kind);
    schema["description"] = plain(key.description).into();
    schema["examples"] = example(key).into();
    schema
}

fn value(kind: &Kind) -> Value {
    let strings = || json!({ "type": "array", "items": { "type": "string" } });
    match kind {
        Kind::Text => json!({ "type": "string" }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Count(most) => json!({ "type": "integer", "minimum": 1, "maximum": most }),
        Kind::Choice(choices) => json!({ "enum": choices }),
        // TOML's own dates are strings to a schema.
        Kind::Moment => json!({ "type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}" }),
        Kind::Texts => strings(),
        Kind::TextOrTexts | Kind::Command => json!({ "anyOf": [{ "type": "string" }, strings()] }),
        Kind::Ports => json!({
            "type": "array",
            "items": { "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": 65535 },
                { "type": "string" },
            ] },
        }),
        Kind::Names => json!({ "type": "object", "additionalProperties": { "type": "string" } }),
        Kind::Table(keys) => table(keys),
        Kind::Tables(keys) => {
            let mut item = table(keys);
            item["required"] = json!(["to"]);
            item["oneOf"] = json!([{ "required": ["from"] }, { "required": ["content"] }]);
            json!({ "type": "array", "items": item })
        }
    }
}

/// The value that the key's example gives it.
fn example(key: &Key) -> Vec<Value> {
    let parsed = toml::from_str::<toml::Table>(key.example).ok();
    parsed.and_then(|mut table| table.remove(key.name)).map(json_of).into_iter().collect()
}

fn json_of(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => text.into(),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(flag) => flag.into(),
        toml::Value::Datetime(moment) => moment.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(json_of).collect(),
        toml::Value::Table(table) => {
            Value::Object(table.into_iter().map(|(key, value)| (key, json_of(value))).collect())
        }
    }
}

/// Markdown as an editor shows it.
fn plain(markdown: &str) -> String {
    markdown.replace("*the base image*", "the base image")
}
