//! The image config (image-spec `config.md`), read and edited without losing what others wrote.
//!
//! Docker's extensions (`Healthcheck`, `OnBuild`, `Shell`, `ArgsEscaped`) are typed here; fields
//! that nobody has heard of stay where they are.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::{DiffId, Platform};

/// An image's config, as a JSON document with typed access.
#[derive(Debug, Clone, PartialEq)]
pub struct ImageConfig(Map<String, Value>);

/// Why a document is not an image config.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// Not JSON, or not an object.
    #[error("not an image config: {0}")]
    Json(#[from] serde_json::Error),
    /// A field of another type than the specification gives it.
    #[error("not an image config: `{field}` is not {wanted}")]
    Field {
        /// The field's path, such as `config.Env`.
        field: &'static str,
        /// What it should be.
        wanted: &'static str,
    },
}

/// One entry of an image's history (image-spec `config.md`, "history").
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// When, as RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created: Option<String>,
    /// The instruction.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub created_by: Option<String>,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// Anything to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// Whether the instruction made no layer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub empty_layer: bool,
}

/// Docker's health check; durations are nanoseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", …]` or `["CMD-SHELL", text]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub test: Vec<String>,
    /// Time between two checks.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub interval: i64,
    /// Time after which a check has failed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub timeout: i64,
    /// Time after the start in which failures do not count.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub start_period: i64,
    /// Time between two checks in the start period.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub start_interval: i64,
    /// Failures in a row that make the container unhealthy.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub retries: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // serde hands a reference over
fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// What a field that is accessed here must be, if it is there.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    Texts,
    Object,
}

const FIELDS: &[(&str, Shape)] = &[
    ("architecture", Shape::Text),
    ("os", Shape::Text),
    ("variant", Shape::Text),
    ("created", Shape::Text),
    ("config", Shape::Object),
    ("config.Env", Shape::Texts),
    ("config.Cmd", Shape::Texts),
    ("config.Entrypoint", Shape::Texts),
    ("config.Shell", Shape::Texts),
    ("config.OnBuild", Shape::Texts),
    ("config.User", Shape::Text),
    ("config.WorkingDir", Shape::Text),
    ("config.StopSignal", Shape::Text),
    ("config.Labels", Shape::Object),
    ("config.ExposedPorts", Shape::Object),
    ("config.Volumes", Shape::Object),
];

impl Shape {
    fn fits(self, value: &Value) -> bool {
        match self {
            Shape::Text => value.is_string(),
            Shape::Texts => value.as_array().is_some_and(|list| list.iter().all(Value::is_string)),
            Shape::Object => value.is_object(),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Shape::Text => "a string",
            Shape::Texts => "a list of strings",
            Shape::Object => "an object",
        }
    }
}

impl ImageConfig {
    /// The config of an image of no layers for `platform`.
    pub fn new(platform: &Platform) -> Self {
        let mut fields = Map::new();
        fields.insert("architecture".into(), json!(platform.architecture));
        if let Some(variant) = &platform.variant {
            fields.insert("variant".into(), json!(variant));
        }
        fields.insert("os".into(), json!(platform.os));
        fields.insert("config".into(), json!({}));
        fields.insert("rootfs".into(), json!({ "type": "layers", "diff_ids": [] }));
        fields.insert("history".into(), json!([]));
        ImageConfig(fields)
    }

    /// Reads a config, checking the type of every field that is accessed here.
    pub fn parse(bytes: &[u8]) -> Result<Self, ConfigError> {
        let mut config = ImageConfig(serde_json::from_slice(bytes)?);
        config.check()?;
        // Go writes `null` for absent collections: take the keys out once, here.
        for key in ["config", "history"] {
            if config.0.get(key).is_some_and(Value::is_null) {
                config.0.remove(key);
            }
        }
        Ok(config)
    }

    fn check(&self) -> Result<(), ConfigError> {
        let refuse = |field, wanted| Err(ConfigError::Field { field, wanted });
        let rootfs = self.0.get("rootfs").and_then(Value::as_object);
        let Some(rootfs) = rootfs else { return refuse("rootfs", "an object") };
        let diff_ids = rootfs.get("diff_ids").cloned().unwrap_or_default();
        if serde_json::from_value::<Option<Vec<DiffId>>>(diff_ids).is_err() {
            return refuse("rootfs.diff_ids", "a list of digests");
        }
        let history = self.0.get("history").cloned().unwrap_or_default();
        if serde_json::from_value::<Option<Vec<History>>>(history).is_err() {
            return refuse("history", "a list of history entries");
        }
        for (field, shape) in FIELDS {
            let value = match field.split_once('.') {
                Some((outer, inner)) => self.0.get(outer).and_then(|v| v.get(inner)),
                None => self.0.get(*field),
            };
            if value.is_some_and(|value| !value.is_null() && !shape.fits(value)) {
                return refuse(field, shape.name());
            }
        }
        Ok(())
    }

    /// The bytes to hash and send.
    pub fn to_bytes(&self) -> Vec<u8> {
        crate::json::to_bytes(&self.0)
    }

    /// The document, for printing and templates.
    pub fn as_json(&self) -> &Map<String, Value> {
        &self.0
    }

    /// What the image runs on.
    pub fn platform(&self) -> Platform {
        let text = |key: &str| self.0.get(key).and_then(Value::as_str).map(str::to_owned);
        Platform {
            architecture: text("architecture").unwrap_or_default(),
            os: text("os").unwrap_or_default(),
            os_version: text("os.version"),
            os_features: Vec::new(),
            variant: text("variant").filter(|variant| !variant.is_empty()),
        }
    }

    /// The layers' uncompressed digests, lowest first.
    pub fn diff_ids(&self) -> Vec<DiffId> {
        let list = self.0.get("rootfs").and_then(|rootfs| rootfs.get("diff_ids"));
        list.and_then(|list| serde_json::from_value(list.clone()).ok()).unwrap_or_default()
    }

    /// The image's history, oldest first.
    pub fn history(&self) -> Vec<History> {
        let list = self.0.get("history");
        list.and_then(|list| serde_json::from_value(list.clone()).ok()).unwrap_or_default()
    }

    /// When the image was made, as RFC 3339.
    pub fn created(&self) -> Option<&str> {
        self.0.get("created").and_then(Value::as_str)
    }

    /// Replaces the layers' digests.
    pub fn set_diff_ids(&mut self, diff_ids: &[DiffId]) {
        self.0.insert("rootfs".into(), json!({ "type": "layers", "diff_ids": diff_ids }));
    }

    /// Replaces the history.
    pub fn set_history(&mut self, history: &[History]) {
        self.0.insert("history".into(), json!(history));
    }

    /// Says when the image was made, as RFC 3339.
    pub fn set_created(&mut self, created: &str) {
        self.0.insert("created".into(), json!(created));
    }

    /// Says who made the image.
    pub fn set_author(&mut self, author: &str) {
        self.0.insert("author".into(), json!(author));
    }

    /// Forgets what a builder recorded about the base's own build: Docker's `id`, `container`,
    /// `container_config`, `parent`, `docker_version` and BuildKit's cache record describe the
    /// base and not the image made from it.
    pub fn forget_build(&mut self) {
        for key in [
            "id",
            "container",
            "container_config",
            "parent",
            "docker_version",
            "throwaway",
            "moby.buildkit.cache.v0",
            "moby.buildkit.buildinfo.v1",
        ] {
            self.0.shift_remove(key);
        }
    }

    fn run(&self) -> Option<&Map<String, Value>> {
        self.0.get("config").and_then(Value::as_object)
    }

    fn run_mut(&mut self) -> &mut Map<String, Value> {
        let config = self.0.entry("config").or_insert_with(|| json!({}));
        if !config.is_object() {
            *config = json!({});
        }
        config.as_object_mut().expect("made an object above")
    }

    fn texts(&self, key: &str) -> Option<Vec<String>> {
        let list = self.run()?.get(key)?.as_array()?;
        Some(list.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect())
    }

    fn text(&self, key: &str) -> Option<&str> {
        self.run()?.get(key)?.as_str().filter(|text| !text.is_empty())
    }

    fn set_texts(&mut self, key: &str, value: Option<&[String]>) {
        match value {
            Some(value) => self.run_mut().insert(key.into(), json!(value)),
            None => self.run_mut().shift_remove(key),
        };
    }

    /// The environment in order: name and value.
    pub fn env(&self) -> Vec<(String, String)> {
        let split = |entry: String| match entry.split_once('=') {
            Some((name, value)) => (name.to_owned(), value.to_owned()),
            None => (entry, String::new()),
        };
        self.texts("Env").unwrap_or_default().into_iter().map(split).collect()
    }

    /// Sets an environment variable where it stands, or at the end.
    pub fn set_env(&mut self, name: &str, value: &str) {
        let mut env = self.env();
        match env.iter_mut().find(|(known, _)| known == name) {
            Some(entry) => value.clone_into(&mut entry.1),
            None => env.push((name.to_owned(), value.to_owned())),
        }
        let list: Vec<String> =
            env.into_iter().map(|(name, value)| format!("{name}={value}")).collect();
        self.set_texts("Env", Some(&list));
    }

    /// The default command.
    pub fn cmd(&self) -> Option<Vec<String>> {
        self.texts("Cmd")
    }

    /// Replaces the default command.
    pub fn set_cmd(&mut self, cmd: Option<&[String]>) {
        self.set_texts("Cmd", cmd);
    }

    /// The entry point.
    pub fn entrypoint(&self) -> Option<Vec<String>> {
        self.texts("Entrypoint")
    }

    /// Replaces the entry point.
    pub fn set_entrypoint(&mut self, entrypoint: Option<&[String]>) {
        self.set_texts("Entrypoint", entrypoint);
    }

    /// The shell of the shell form.
    pub fn shell(&self) -> Option<Vec<String>> {
        self.texts("Shell")
    }

    /// Replaces the shell of the shell form.
    pub fn set_shell(&mut self, shell: &[String]) {
        self.set_texts("Shell", Some(shell));
    }

    /// The triggers left for an image built on this one.
    pub fn on_build(&self) -> Vec<String> {
        self.texts("OnBuild").unwrap_or_default()
    }

    /// Replaces the triggers.
    pub fn set_on_build(&mut self, triggers: &[String]) {
        self.set_texts("OnBuild", (!triggers.is_empty()).then_some(triggers));
    }

    /// The user to run as.
    pub fn user(&self) -> Option<&str> {
        self.text("User")
    }

    /// The directory to run in.
    pub fn working_dir(&self) -> Option<&str> {
        self.text("WorkingDir")
    }

    /// The signal that stops the program.
    pub fn stop_signal(&self) -> Option<&str> {
        self.text("StopSignal")
    }

    /// Replaces the user.
    pub fn set_user(&mut self, user: &str) {
        self.run_mut().insert("User".into(), json!(user));
    }

    /// Replaces the working directory.
    pub fn set_working_dir(&mut self, directory: &str) {
        self.run_mut().insert("WorkingDir".into(), json!(directory));
    }

    /// Replaces the stop signal.
    pub fn set_stop_signal(&mut self, signal: &str) {
        self.run_mut().insert("StopSignal".into(), json!(signal));
    }

    /// The labels in the document's order.
    pub fn labels(&self) -> Vec<(String, String)> {
        let Some(labels) = self.run().and_then(|run| run.get("Labels")?.as_object()) else {
            return Vec::new();
        };
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        labels.iter().map(|(key, value)| (key.clone(), text(value))).collect()
    }

    /// Sets a label. Labels are written sorted, as Docker writes them.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.set_in("Labels", key, json!(value));
    }

    /// Declares a port, such as `80/tcp`.
    pub fn expose(&mut self, port: &str) {
        self.set_in("ExposedPorts", port, json!({}));
    }

    /// The declared ports, sorted.
    pub fn exposed_ports(&self) -> BTreeSet<String> {
        self.keys("ExposedPorts")
    }

    /// Declares a volume.
    pub fn add_volume(&mut self, path: &str) {
        self.set_in("Volumes", path, json!({}));
    }

    /// The declared volumes, sorted.
    pub fn volumes(&self) -> BTreeSet<String> {
        self.keys("Volumes")
    }

    /// The health check.
    pub fn healthcheck(&self) -> Option<Healthcheck> {
        serde_json::from_value(self.run()?.get("Healthcheck")?.clone()).ok()
    }

    /// Replaces the health check.
    pub fn set_healthcheck(&mut self, healthcheck: &Healthcheck) {
        self.run_mut().insert("Healthcheck".into(), json!(healthcheck));
    }

    fn keys(&self, key: &str) -> BTreeSet<String> {
        let object = self.run().and_then(|run| run.get(key)?.as_object());
        object.map(|object| object.keys().cloned().collect()).unwrap_or_default()
    }

    fn set_in(&mut self, object: &str, key: &str, value: Value) {
        let slot = self.run_mut().entry(object).or_insert_with(|| json!({}));
        if !slot.is_object() {
            *slot = json!({});
        }
        if let Some(slot) = slot.as_object_mut() {
            slot.insert(key.to_owned(), value);
            slot.sort_keys();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_fields_of_a_base_are_kept() {
        let base = br#"{"architecture":"amd64","os":"linux","x-unknown":{"b":1,"a":[2]},"config":{"Env":["PATH=/bin"],"ArgsEscaped":true,"Labels":null},"rootfs":{"type":"layers","diff_ids":[]},"history":null}"#;
        let mut config = ImageConfig::parse(base).unwrap();
        config.set_env("A", "1");
        config.set_env("PATH", "/usr/bin");
        config.set_label("z", "1");
        config.set_label("a", "2");
        insta::assert_snapshot!(String::from_utf8(config.to_bytes()).unwrap(), @r#"{"architecture":"amd64","os":"linux","x-unknown":{"b":1,"a":[2]},"config":{"Env":["PATH=/usr/bin","A=1"],"ArgsEscaped":true,"Labels":{"a":"2","z":"1"}},"rootfs":{"type":"layers","diff_ids":[]}}"#);
    }

    #[test]
    fn unknown_numbers_of_a_base_are_kept() {
        let base = r#"{"x":[31.245270191439438,2.638344616030823e-256],"rootfs":{}}"#;
        let config = ImageConfig::parse(base.as_bytes()).unwrap();
        assert_eq!(String::from_utf8(config.to_bytes()).unwrap(), base);
    }

    #[test]
    fn a_field_of_the_wrong_type_is_named() {
        let message = |text: &str| ImageConfig::parse(text.as_bytes()).unwrap_err().to_string();
        insta::assert_snapshot!(message(r#"{"rootfs":{},"config":{"Env":"A=1"}}"#), @"not an image config: `config.Env` is not a list of strings");
        insta::assert_snapshot!(message(r#"{"rootfs":{"diff_ids":["x"]}}"#), @"not an image config: `rootfs.diff_ids` is not a list of digests");
        insta::assert_snapshot!(message(r#"{}"#), @"not an image config: `rootfs` is not an object");
    }

    #[test]
    fn from_nothing() {
        let mut config = ImageConfig::new(&Platform::linux("arm64"));
        config.set_cmd(Some(&["sh".to_owned()]));
        config.expose("80/tcp");
        assert_eq!(config.platform(), Platform::linux("arm64"));
        assert_eq!(config.cmd().unwrap(), ["sh"]);
        assert_eq!(ImageConfig::parse(&config.to_bytes()).unwrap(), config);
    }
}
