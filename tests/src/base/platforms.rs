//! One name for images of several platforms.

use std::fs;
use std::path::{Path, PathBuf};

use oci::Digest;
use serde_json::{Value, json};

use super::{TAG, debian_python, debian_python_arm64};
use crate::{Failure, Result, cache};

/// The layout of [`debian_python`] for x86-64 and for aarch64, under one tag.
///
/// `skopeo copy --all` takes both to a registry.
pub fn of_both_platforms() -> Result<PathBuf> {
    let (amd64, arm64) = (debian_python()?, debian_python_arm64()?);
    let key = Digest::of(format!("{} {}", amd64.place(), arm64.place()).as_bytes());
    cache::once(&format!("debian-python-both-{}", &key.hex()[..12]), |directory| {
        join(directory, &[("amd64", &amd64.layout), ("arm64", &arm64.layout)])
    })
}

/// Makes the layout `directory` of others, each with the architecture of its image.
fn join(directory: &Path, layouts: &[(&str, &Path)]) -> Result {
    let blobs = directory.join("blobs/sha256");
    let doing = "join layouts";
    fs::create_dir_all(&blobs).map_err(Failure::doing(doing))?;
    let mut manifests = Vec::new();
    for (architecture, layout) in layouts {
        let listed = fs::read_dir(layout.join("blobs/sha256")).map_err(Failure::doing(doing))?;
        for blob in listed.flatten() {
            let to = blobs.join(blob.file_name());
            fs::hard_link(blob.path(), to).map_err(Failure::doing(doing))?;
        }
        let index = fs::read(layout.join("index.json")).map_err(Failure::doing(doing))?;
        let index: Value = serde_json::from_slice(&index).map_err(Failure::doing(doing))?;
        let mut manifest = index["manifests"][0].clone();
        manifest["platform"] = json!({ "architecture": architecture, "os": "linux" });
        manifest.as_object_mut().map(|manifest| manifest.remove("annotations"));
        manifests.push(manifest);
    }
    let media_type = "application/vnd.oci.image.index.v1+json";
    let index = |manifests: Value| {
        json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": manifests }).to_string()
    };
    let list = index(Value::Array(manifests));
    let digest = Digest::of(list.as_bytes());
    let descriptor = json!([{
        "mediaType": media_type,
        "digest": digest.to_string(),
        "size": list.len(),
        "annotations": { "org.opencontainers.image.ref.name": TAG },
    }]);
    let files = [
        (blobs.join(digest.hex()), list),
        (directory.join("index.json"), index(descriptor)),
        (directory.join("oci-layout"), json!({ "imageLayoutVersion": "1.0.0" }).to_string()),
    ];
    files.iter().try_for_each(|(path, text)| fs::write(path, text).map_err(Failure::doing(doing)))
}
