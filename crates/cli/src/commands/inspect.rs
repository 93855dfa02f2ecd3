//! `inspect`: all there is to know about an image, in the form in which Docker says it.

use std::collections::BTreeSet;

use oci::Manifest;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::documents::{self, Documents, Found};
use crate::error::Error;
use crate::flags::{InspectArguments, InspectReport};
use crate::session::Session;
use crate::template::Template;

/// Shows images.
pub(super) fn inspect(arguments: &InspectArguments, session: &Session) -> Result<(), Error> {
    let mut answer: Vec<u8> = Vec::new();
    let template = match &arguments.report {
        InspectReport::Template(text) => Some(Template::parse(text)?),
        _ => None,
    };
    let mut list = Vec::new();
    for (typed, location) in &arguments.images {
        let found = documents::find(typed, location, session)?;
        let platform = arguments.platform.as_ref();
        match &arguments.report {
            InspectReport::Raw if platform.is_none() => {
                answer.extend_from_slice(found.root.bytes());
            }
            InspectReport::Raw => answer.extend_from_slice(found.image(platform)?.manifest.bytes()),
            InspectReport::RawConfig => answer.extend(found.image(platform)?.config_bytes),
            _ => list.push(describe(&found, &found.image(platform)?)),
        }
    }
    match (&arguments.report, template) {
        (InspectReport::Json, _) => answer.extend(indented(&list)),
        (InspectReport::JsonLines, _) => {
            list.iter().for_each(|image| answer.extend(format!("{image}\n").into_bytes()));
        }
        (_, Some(template)) => {
            for image in &list {
                answer.extend(format!("{}\n", template.render(image)?).into_bytes());
            }
        }
        _ => {}
    }
    session.answer(&answer)
}

/// JSON as Docker lays it out: four spaces a level.
fn indented(list: &[Value]) -> Vec<u8> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut text, formatter);
    // Values serialise, and a vector takes all that is written to it.
    let _ = list.serialize(&mut serializer);
    text.push(b'\n');
    text
}

/// Docker's document about an image (Engine API, `ImageInspect`), without what only a daemon has.
fn describe(found: &Found<'_>, image: &Documents) -> Value {
    let config = image.config.as_json();
    let platform = image.config.platform();
    let text = |key: &str| config.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let layers = image.manifest.layers();
    let size = image.manifest.config().size + layers.iter().map(|layer| layer.size).sum::<u64>();
    let root = found.root.descriptor();
    let listed = |layer: &oci::Descriptor| json!({ "MediaType": layer.media_type, "Digest": layer.digest, "Size": layer.size });
    let platforms: Vec<String> = match &found.root {
        Manifest::Index(index) => index.platforms().iter().map(ToString::to_string).collect(),
        Manifest::Image(_) => vec![platform.to_string()],
    };
    json!({
        "Id": root.digest,
        "RepoTags": tags(found),
        "RepoDigests": digests(found),
        "Comment": text("comment"),
        "Created": text("created"),
        "Author": text("author"),
        "Architecture": platform.architecture,
        "Variant": platform.variant.unwrap_or_default(),
        "Os": platform.os,
        "OsVersion": platform.os_version.unwrap_or_default(),
        "Size": size,
        "Config": run_config(config.get("config")),
        "RootFS": { "Type": "layers", "Layers": image.config.diff_ids() },
        "Descriptor": {
            "mediaType": root.media_type, "digest": root.digest, "size": root.size,
        },
        "Manifest": image.manifest.digest(),
        "ConfigDigest": image.manifest.config().digest,
        "Annotations": image.manifest.annotations(),
        "Layers": layers.iter().map(listed).collect::<Vec<_>>(),
        "Platforms": platforms,
    })
}

fn tags(found: &Found<'_>) -> Vec<String> {
    let tagged = found.names.iter().filter(|name| name.tag().is_some());
    tagged.map(|name| name.familiar()).collect()
}

fn digests(found: &Found<'_>) -> BTreeSet<String> {
    let digest = found.root.digest();
    found.names.iter().map(|name| format!("{}@{digest}", name.repository().familiar())).collect()
}

/// The config for running, with every field that Docker knows, so that a template can ask for one
/// that this image does not set.
fn run_config(config: Option<&Value>) -> Value {
    const FIELDS: &[(&str, Value)] = &[
        ("User", Value::String(String::new())),
        ("ExposedPorts", Value::Null),
        ("Env", Value::Null),
        ("Entrypoint", Value::Null),
        ("Cmd", Value::Null),
        ("Healthcheck", Value::Null),
        ("ArgsEscaped", Value::Bool(false)),
        ("Volumes", Value::Null),
        ("WorkingDir", Value::String(String::new())),
        ("OnBuild", Value::Null),
        ("Labels", Value::Null),
        ("StopSignal", Value::String(String::new())),
        ("Shell", Value::Null),
    ];
    let mut fields: Map<String, Value> =
        FIELDS.iter().map(|(field, value)| ((*field).to_owned(), value.clone())).collect();
    if let Some(Value::Object(config)) = config {
        for (key, value) in config {
            fields.insert(key.clone(), value.clone());
        }
    }
    Value::Object(fields)
}
