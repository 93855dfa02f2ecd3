//! Who takes part: each builds one layer from a directory and pushes it as an image.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use testbed::buildah::Driver;
use testbed::{Buildah, Failure, Registry, Result, Skopeo, base};

use super::measure::{Measured, measure};

/// One way from a directory to an image in a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Contender {
    Plywood,
    Pigz,
    Umoci,
    Buildah,
}

/// What one run of a contender gave.
#[derive(Debug, Clone, Copy)]
pub struct Run {
    pub measured: Measured,
    /// Bytes of all layers that the base does not have.
    pub layers: u64,
}

/// Where a contender works: a registry with the base image in it, and a directory for its things.
pub struct Place {
    registry: Registry,
    directory: tempfile::TempDir,
    plywood: PathBuf,
}

const BASE: &str = "base/tiny:1";
const IMAGE: &str = "bench/image:1";

impl Contender {
    pub fn name(self) -> &'static str {
        match self {
            Contender::Plywood => "plywood",
            Contender::Pigz => "tar | pigz -6, skopeo",
            Contender::Umoci => "umoci insert, skopeo",
            Contender::Buildah => "buildah",
        }
    }

    /// Builds and pushes `context` in a fresh place.
    pub fn run(self, context: &Path, plywood: &Path) -> Result<Run> {
        let place = Place::new(plywood)?;
        let measured = match self {
            Contender::Plywood => place.plywood(context),
            Contender::Pigz => place.pigz(context),
            Contender::Umoci => place.umoci(context),
            Contender::Buildah => place.buildah(context),
        }?;
        Ok(Run { measured, layers: new_layer_bytes(&place.registry, BASE, IMAGE)? })
    }
}

impl Place {
    /// A fresh place, for the binary `plywood`.
    pub fn new(plywood: &Path) -> Result<Self> {
        let registry = Registry::start()?;
        let source = format!("oci:{}:{}", base::tiny()?.display(), base::TAG);
        Skopeo::copy(&source, &registry.place(BASE))?;
        let directory = tempfile::Builder::new()
            .prefix("bench-")
            .tempdir()
            .map_err(Failure::doing("make a directory for the benchmark"))?;
        Ok(Place { registry, directory, plywood: plywood.to_owned() })
    }

    /// `plywood build --push`; a second call in the same place finds its store.
    pub fn plywood(&self, context: &Path) -> Result<Measured> {
        let mut command = Command::new(&self.plywood);
        command.env("HOME", self.path("home")).env("PLYWOOD_STORE", self.path("store"));
        command.args(["build", "--quiet", "--push", "--tag", &self.registry.reference(IMAGE)]);
        command.arg("--file").arg(self.dockerfile()?).arg(context);
        measure(&mut command)
    }

    /// What one does with a shell: each stream is digested while it is written.
    fn pigz(&self, context: &Path) -> Result<Measured> {
        let script = format!(
            r#"
            set -eu -o pipefail
            blobs=layout/blobs/sha256
            mkdir -p $blobs
            tar --create --directory "$1" --transform 's,^\.,srv,' . \
                | tee >(sha256sum > diff-id) | pigz -6 | tee layer | sha256sum > digest
            wait
            add() {{ d=$(sha256sum < "$1" | cut -d' ' -f1); mv "$1" $blobs/$d; echo "$d"; }}
            read -r diff_id _ < diff-id
            read -r digest _ < digest
            layer_size=$(stat -c %s layer)
            mv layer $blobs/$digest
            printf '{{"architecture":"amd64","os":"linux","rootfs":{{"type":"layers","diff_ids":["sha256:%s"]}}}}' $diff_id > config
            config_size=$(stat -c %s config)
            config=$(add config)
            printf '{{"schemaVersion":2,"mediaType":"{MANIFEST}","config":{{"mediaType":"{CONFIG}","digest":"sha256:%s","size":%s}},"layers":[{{"mediaType":"{LAYER}","digest":"sha256:%s","size":%s}}]}}' \
                $config $config_size $digest $layer_size > manifest
            size=$(stat -c %s manifest)
            printf '{{"imageLayoutVersion":"1.0.0"}}' > layout/oci-layout
            printf '{{"schemaVersion":2,"manifests":[{{"mediaType":"{MANIFEST}","digest":"sha256:%s","size":%s,"annotations":{{"org.opencontainers.image.ref.name":"t"}}}}]}}' \
                $(add manifest) $size > layout/index.json
            skopeo copy --quiet --dest-tls-verify=false oci:layout:t "$2"
            "#
        );
        measure(&mut self.script(&script, context))
    }

    fn umoci(&self, context: &Path) -> Result<Measured> {
        let script = r#"
            set -eu
            umoci init --layout layout
            umoci new --image layout:t
            umoci insert --image layout:t "$1" /srv
            skopeo copy --quiet --dest-tls-verify=false oci:layout:t "$2"
        "#;
        measure(&mut self.script(script, context))
    }

    fn buildah(&self, context: &Path) -> Result<Measured> {
        let buildah = Buildah::new(Driver::Overlay)?;
        let mut build = buildah.command("bud");
        build.args(["--isolation", "chroot", "--tls-verify=false", "--quiet", "--tag", "built"]);
        build.arg("--file").arg(self.dockerfile()?).arg(context);
        let mut push = buildah.command("push");
        push.args(["--quiet", "--tls-verify=false", "built", &self.registry.place(IMAGE)]);
        Ok(measure(&mut build)?.and(measure(&mut push)?))
    }

    /// The Dockerfile that copies everything, beside the context.
    fn dockerfile(&self) -> Result<PathBuf> {
        let path = self.path("Dockerfile");
        let text = format!("FROM {}\nCOPY . /srv/\n", self.registry.reference(BASE));
        fs::write(&path, text).map_err(Failure::doing(format!("write {}", path.display())))?;
        Ok(path)
    }

    fn script(&self, script: &str, context: &Path) -> Command {
        let mut command = Command::new("bash");
        command.args(["-c", script, "bash"]).arg(context).arg(self.registry.place(IMAGE));
        command.current_dir(self.directory.path()).env("HOME", self.path("home"));
        command
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// The size of an image's layers without those of its base.
pub fn new_layer_bytes(registry: &Registry, base: &str, image: &str) -> Result<u64> {
    let base = layers(registry, base)?;
    let new = layers(registry, image)?.into_iter().filter(|layer| !base.contains(layer));
    Ok(new.map(|(_, size)| size).sum())
}

fn layers(registry: &Registry, name: &str) -> Result<Vec<(String, u64)>> {
    let manifest = Skopeo::manifest(&registry.place(name))?;
    let manifest: Value =
        serde_json::from_str(&manifest).map_err(Failure::doing("read a manifest"))?;
    let layers = manifest["layers"].as_array().into_iter().flatten();
    Ok(layers
        .filter_map(|layer| Some((layer["digest"].as_str()?.to_owned(), layer["size"].as_u64()?)))
        .collect())
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const CONFIG: &str = "application/vnd.oci.image.config.v1+json";
const LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
