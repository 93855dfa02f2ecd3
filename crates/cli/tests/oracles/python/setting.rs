//! An index on loopback, a context with a `plywood.toml`, and what plywood makes of them.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use testbed::plywood::printed_digest;
use testbed::{Context, House, Index, Plywood, Result};

use crate::support::plywood;

/// Where packages are installed from, and into which store.
pub(super) struct Setting {
    pub(super) index: Index,
    pub(super) plywood: Plywood,
}

/// An image's manifest, or an index, as the store has it.
pub(super) struct Made {
    pub(super) digest: String,
    store: PathBuf,
}

/// A layer, and what the history says of it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Layer {
    pub(super) title: String,
    pub(super) digest: String,
}

impl Setting {
    pub(super) fn of(houses: &[&House]) -> Result<Self> {
        Ok(Setting { index: Index::of(houses)?, plywood: plywood()? })
    }

    /// A context of a recipe with this `[python]` table.
    pub(super) fn context(&self, base: &str, table: &str) -> Result<Context> {
        Context::new()?.file(
            "plywood.toml",
            format!(
                "base = \"{base}\"\n\n[python]\nindex-url = \"{}\"\n{table}\n",
                self.index.url()
            ),
        )
    }

    /// The build of a context, to which arguments can be added.
    pub(super) fn build(&self, context: &Context) -> Command {
        let mut command = self.plywood.command(["build", "--tag", "localhost/app:1"]);
        command.arg(context.path());
        command
    }

    /// Runs a build, which has to succeed.
    pub(super) fn made(&self, build: &mut Command) -> Result<Made> {
        Ok(Made { digest: printed_digest(build)?, store: self.plywood.store() })
    }
}

impl Made {
    /// Where a blob is.
    pub(super) fn blob(&self, digest: &str) -> PathBuf {
        self.store.join("blobs/sha256").join(digest.trim_start_matches("sha256:"))
    }

    /// The document that a digest names.
    fn document(&self, digest: &str) -> Value {
        serde_json::from_slice(&fs::read(self.blob(digest)).unwrap()).unwrap()
    }

    /// The image of an index that is for this architecture.
    pub(super) fn of(&self, architecture: &str) -> Made {
        let index = self.document(&self.digest);
        let mut images = index["manifests"].as_array().unwrap().iter();
        let image = images.find(|image| image["platform"]["architecture"] == architecture);
        let digest = image.unwrap()["digest"].as_str().unwrap().to_owned();
        Made { digest, store: self.store.clone() }
    }

    /// The layers of packages, the lowest first.
    pub(super) fn packages(&self) -> Vec<Layer> {
        let manifest = self.document(&self.digest);
        let config = self.document(manifest["config"]["digest"].as_str().unwrap());
        let history = config["history"].as_array().unwrap().iter();
        let laid = history.filter(|entry| entry["empty_layer"] != true);
        let layers = manifest["layers"].as_array().unwrap().iter();
        let layer = |(entry, layer): (&Value, &Value)| Layer {
            title: entry["created_by"].as_str().unwrap_or_default().to_owned(),
            digest: layer["digest"].as_str().unwrap().to_owned(),
        };
        let mut all: Vec<Layer> = laid.zip(layers).map(layer).collect();
        all.retain(|layer| layer.title.starts_with("PYTHON "));
        all
    }
}

/// The value of `--build-context` that makes a layout the image `base`.
pub(super) fn as_base(layout: &std::path::Path) -> String {
    format!("--build-context=base=oci-layout://{}:{}", layout.display(), testbed::base::TAG)
}
