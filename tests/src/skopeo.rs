//! skopeo: reads and copies images, and checks every digest that it touches.

use std::ffi::OsString;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::{Failure, Registry, Result, program, run, stdout};

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

/// skopeo at one registry, with what it takes to get in.
#[derive(Debug)]
pub struct Visit<'a> {
    registry: &'a Registry,
    credentials: Option<&'a Path>,
}

impl Registry {
    /// skopeo here, with this registry's certificates if it has some.
    pub fn skopeo(&self) -> Visit<'_> {
        Visit { registry: self, credentials: None }
    }
}

impl<'a> Visit<'a> {
    /// With the credentials in this file, in Docker's or podman's format.
    pub fn with_credentials(self, file: Option<&'a Path>) -> Self {
        Visit { credentials: file, ..self }
    }

    /// The manifest of `name` (with its tag or digest).
    pub fn manifest(&self, name: &str) -> Result<String> {
        let mut inspect = skopeo("inspect");
        inspect.arg("--raw").args(self.options(""));
        stdout(inspect.arg(self.registry.place(name)))
    }

    /// What skopeo says of an image: `Digest`, `Layers`, `RepoTags`, …
    pub fn inspect(&self, name: &str) -> Result<Value> {
        json(&stdout(skopeo("inspect").args(self.options("")).arg(self.registry.place(name)))?)
    }

    /// The tags of a repository, sorted.
    pub fn tags(&self, repository: &str) -> Result<Vec<String>> {
        let mut list = skopeo("list-tags");
        list.args(self.options("")).arg(self.registry.place(repository));
        let listed = json(&stdout(&mut list)?)?;
        let tags = listed["Tags"].as_array().into_iter().flatten();
        let mut tags: Vec<_> = tags.filter_map(|tag| Some(tag.as_str()?.to_owned())).collect();
        tags.sort();
        Ok(tags)
    }

    /// Copies `name` to the image `tag` of the OCI layout at `layout`.
    pub fn copy_to_layout(&self, name: &str, layout: &Path, tag: &str) -> Result {
        let destination = format!("oci:{}:{tag}", layout.display());
        let mut copy = skopeo("copy");
        copy.args(self.options("src-"));
        run(copy.arg(self.registry.place(name)).arg(destination))
    }

    /// Copies from `source`, in skopeo's notation, which nobody guards.
    pub fn copy_from(&self, source: &str, name: &str) -> Result {
        let mut copy = skopeo("copy");
        copy.args(self.options("dest-"));
        run(copy.arg(source).arg(self.registry.place(name)))
    }

    /// skopeo's options for this registry, whose names have `prefix` in a copy.
    fn options(&self, prefix: &str) -> Vec<OsString> {
        let mut options = Vec::new();
        match self.registry.certificates() {
            Some(directory) => {
                options.extend([format!("--{prefix}cert-dir").into(), directory.into()]);
            }
            None => options.push(format!("--{prefix}tls-verify=false").into()),
        }
        if let Some(file) = self.credentials {
            options.extend([format!("--{prefix}authfile").into(), file.into()]);
        }
        options
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
