//! Images that nobody builds, as OCI layouts written by hand.

use std::fs;
use std::path::Path;

use oci::Digest;
use serde_json::{Value, json};

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar";

/// Puts an image of `count` small layers, tagged `x`, into the layout `directory`: its digest.
pub(super) fn many_layers(directory: &Path, count: usize) -> String {
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let layers: Vec<Value> =
        (0..count).map(|number| put(&blobs, LAYER, format!("layer {number}").as_bytes())).collect();
    let ids: Vec<&Value> = layers.iter().map(|layer| &layer["digest"]).collect();
    let config = json!({
        "architecture": "amd64", "os": "linux", "rootfs": { "type": "layers", "diff_ids": ids },
    });
    let config =
        put(&blobs, "application/vnd.oci.image.config.v1+json", config.to_string().as_bytes());
    let manifest = json!({
        "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
    });
    finish(directory, &manifest)
}

/// Puts an artifact about `subject`, tagged `x`, into the layout `directory`: its digest.
pub(super) fn artifact(directory: &Path, subject: (&str, usize), text: &str) -> String {
    let blobs = directory.join("blobs/sha256");
    fs::create_dir_all(&blobs).unwrap();
    let (digest, size) = subject;
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "artifactType": "application/vnd.example.note",
        "config": put(&blobs, "application/vnd.oci.empty.v1+json", b"{}"),
        "layers": [put(&blobs, "text/plain", text.as_bytes())],
        "subject": { "mediaType": MANIFEST, "digest": digest, "size": size },
    });
    finish(directory, &manifest)
}

fn finish(directory: &Path, manifest: &Value) -> String {
    let blobs = directory.join("blobs/sha256");
    let mut listed = put(&blobs, MANIFEST, manifest.to_string().as_bytes());
    let digest = listed["digest"].as_str().unwrap().to_owned();
    listed["annotations"] = json!({ "org.opencontainers.image.ref.name": "x" });
    let index = json!({ "schemaVersion": 2, "manifests": [listed] });
    fs::write(directory.join("index.json"), index.to_string()).unwrap();
    fs::write(directory.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    digest
}

/// Writes a blob; its descriptor.
fn put(blobs: &Path, media_type: &str, bytes: &[u8]) -> Value {
    let digest = Digest::of(bytes);
    fs::write(blobs.join(digest.hex()), bytes).unwrap();
    json!({ "mediaType": media_type, "digest": digest.to_string(), "size": bytes.len() })
}
