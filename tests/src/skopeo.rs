//! skopeo: reads and copies images, and checks every digest that it touches.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{Failure, Result, program, run, stdout};

/// skopeo, talking plain HTTP to registries on loopback.
pub struct Skopeo;

impl Skopeo {
    /// Copies one image; places are skopeo's (`docker://HOST/NAME:TAG`, `oci:DIR:TAG`, `dir:DIR`).
    pub fn copy(source: &str, destination: &str) -> Result {
        let mut command = skopeo("copy");
        command.args(["--src-tls-verify=false", "--dest-tls-verify=false", source, destination]);
        run(&mut command)
    }

    /// Copies one image to the image `tag` of the OCI layout at `layout`.
    pub fn copy_to_layout(source: &str, layout: &Path, tag: &str) -> Result {
        Skopeo::copy(source, &format!("oci:{}:{tag}", layout.display()))
    }

    /// The manifest's bytes as the registry has them.
    pub fn manifest(place: &str) -> Result<String> {
        stdout(skopeo("inspect").args(["--raw", "--tls-verify=false", place]))
    }

    /// The image config.
    pub fn config(place: &str) -> Result<Value> {
        json(&stdout(skopeo("inspect").args(["--config", "--raw", "--tls-verify=false", place]))?)
    }

    /// What skopeo says of an image: `Digest`, `Layers`, `Env`, …
    pub fn inspect(place: &str) -> Result<Value> {
        json(&stdout(skopeo("inspect").args(["--tls-verify=false", place]))?)
    }
}

fn skopeo(command: &str) -> Command {
    let mut skopeo = program("skopeo");
    skopeo.arg(command);
    skopeo
}

fn json(text: &str) -> Result<Value> {
    serde_json::from_str(text).map_err(Failure::doing("read skopeo's JSON"))
}
