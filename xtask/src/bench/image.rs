//! What is copied: images whose layers come from a seed, in OCI layouts.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};
use testbed::{Failure, Result, cache, program, run, stdout};

use super::workload::{Random, SEED};

/// An image to be generated.
#[derive(Debug, Clone, Copy)]
pub struct Image {
    /// What it is called in the report.
    pub name: &'static str,
    /// How many layers.
    pub layers: u64,
    /// How many bytes in each, before gzip makes a few more of them.
    pub bytes: u64,
}

/// A big image.
pub const BIG: Image = Image { name: "20 layers of 20 MiB", layers: 20, bytes: 20 << 20 };

/// An image of many parts.
pub const SMALL: Image = Image { name: "200 layers of 1 KiB", layers: 200, bytes: 1 << 10 };

/// The tag under which a layout holds its image.
pub const TAG: &str = "bench";

impl Image {
    /// Config and layers.
    pub fn blobs(&self) -> u64 {
        self.layers + 1
    }

    /// Generates the layout once; later calls find it in the cache.
    pub fn layout(&self) -> Result<PathBuf> {
        let key = format!("bench-image-{}-{}-1", self.layers, self.bytes);
        cache::once(&key, |directory| self.generate(directory))
    }

    fn generate(&self, directory: &Path) -> Result {
        eprintln!("generating {}", self.name);
        let blobs = directory.join("blobs/sha256");
        fs::create_dir_all(&blobs).map_err(Failure::doing("make a layout"))?;
        let mut layers = Vec::new();
        let mut diff_ids = Vec::new();
        for number in 0..self.layers {
            let plain = directory.join("layer");
            write(&plain, &Random(SEED ^ (number << 32)).noise(self.bytes))?;
            diff_ids.push(digest(&plain)?);
            // Who copies images looks at the first bytes, and compresses what is not compressed.
            run(program("gzip").args(["--fast", "--no-name"]).arg(&plain).stdin(Stdio::null()))?;
            layers.push(add(&blobs, &plain.with_extension("gz"), LAYER)?);
        }
        let file = directory.join("document");
        let rootfs = json!({ "type": "layers", "diff_ids": diff_ids });
        let config = json!({ "architecture": "amd64", "os": "linux", "rootfs": rootfs });
        write(&file, config.to_string().as_bytes())?;
        let config = add(&blobs, &file, CONFIG)?;
        let manifest = json!({
            "schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers,
        });
        write(&file, manifest.to_string().as_bytes())?;
        let mut listed = add(&blobs, &file, MANIFEST)?;
        listed["annotations"] = json!({ "org.opencontainers.image.ref.name": TAG });
        let index = json!({ "schemaVersion": 2, "manifests": [listed] });
        write(&directory.join("index.json"), index.to_string().as_bytes())?;
        write(&directory.join("oci-layout"), br#"{"imageLayoutVersion":"1.0.0"}"#)
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

fn write(path: &Path, bytes: &[u8]) -> Result {
    fs::write(path, bytes).map_err(Failure::doing(format!("write {}", path.display())))
}

fn digest(path: &Path) -> Result<String> {
    let printed = stdout(program("sha256sum").arg(path))?;
    let hex = printed.split_whitespace().next().unwrap_or_default();
    Ok(format!("sha256:{hex}"))
}

/// Moves a file among the blobs; its descriptor.
fn add(blobs: &Path, file: &Path, media_type: &str) -> Result<Value> {
    let doing = format!("keep {}", file.display());
    let digest = digest(file)?;
    let size = fs::metadata(file).map_err(Failure::doing(&doing))?.len();
    let name = digest.strip_prefix("sha256:").unwrap_or(&digest);
    fs::rename(file, blobs.join(name)).map_err(Failure::doing(&doing))?;
    Ok(json!({ "mediaType": media_type, "digest": digest, "size": size }))
}
