//! Images with Python packages, from wheels that an index on loopback serves; pip, in a root of the
//! same base, is the judge of what belongs there.

mod locks;
mod memory;
mod moves;
mod platforms;
mod readers;
mod replaced;
mod same_as_pip;
mod setting;

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use tempfile::TempDir;
use testbed::base::{self, PythonBase};
use testbed::pip::{self, Source};
use testbed::{
    Chroot, Comparison, Context, House, Index, Plywood, Result, Side, Skopeo, demand_same, run,
    umoci,
};

use crate::support::plywood;

/// What is to be installed, and on what.
struct Order {
    base: PythonBase,
    house: House,
    /// A requirements file.
    requirements: String,
    /// The image's command, if anybody is going to run it.
    command: &'static [&'static str],
}

/// What somebody would ask for who wants the list `tests/python/NAME.txt`.
fn asked(name: &str) -> String {
    let path = format!("{}/../../tests/python/{name}.in", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).unwrap()
}

impl Order {
    /// Everything in this house, by its exact version.
    fn pinned(base: PythonBase, house: House) -> Self {
        let requirements = house.pins();
        Order { base, house, requirements, command: &["python3"] }
    }

    /// What has to be resolved to be known.
    fn resolved(base: PythonBase, house: House, requirements: &str) -> Self {
        Order { base, house, requirements: requirements.to_owned(), command: &["python3"] }
    }

    /// An image with this command.
    fn command(self, command: &'static [&'static str]) -> Self {
        Order { command, ..self }
    }

    /// What plywood makes of it.
    fn image(&self) -> Result<Image> {
        self.image_by("", run)
    }

    /// The image, with more lines for `[python]` in its recipe, and with the build run by somebody.
    fn image_by(&self, lines: &str, run: impl FnOnce(&mut Command) -> Result) -> Result<Image> {
        let index = Index::of(&[&self.house])?;
        let recipe = format!(
            "base = \"base\"\ncmd = {:?}\n[python]\nrequirements-files = [\"requirements.txt\"]\n\
             index-url = {:?}\n{lines}\n",
            self.command,
            index.url(),
        );
        let context = Context::new()?
            .file("plywood.toml", recipe)?
            .file("requirements.txt", &self.requirements)?;
        let plywood = plywood()?;
        let mut build = plywood.command(["build", "--quiet", "--tag", NAME, "--build-context"]);
        build.arg(format!("base=oci-layout://{}:{}", self.base.layout.display(), base::TAG));
        run(build.arg(context.path()))?;
        Ok(Image { plywood })
    }

    /// What pip makes of it.
    fn installed_by_pip(&self) -> Result<Chroot> {
        let chroot = Chroot::copy_of(&self.base.root)?;
        pip::install(&chroot, &Source::House(&self.house), &self.requirements, &[])?;
        Ok(chroot)
    }

    /// Demands that an unpacked image is what pip makes of the order.
    fn demand_same_as_pip(&self, bundle: &Bundle) -> Result {
        let ours = Side::read("plywood", &bundle.root())?;
        demand_same(&ours, "pip", &self.input()?, || self.installed_by_pip())
    }

    /// All that pip's tree depends on.
    fn input(&self) -> Result<String> {
        let (base, wheels) = (self.base.identity()?, self.house.pins());
        Ok(format!("{base}\n{wheels}\n{}", self.requirements))
    }
}

/// What the images are called.
const NAME: &str = "localhost/with-python:1";

/// An image in plywood's store, which is an OCI layout that others can read, too.
struct Image {
    plywood: Plywood,
}

impl Image {
    fn layout(&self) -> PathBuf {
        self.plywood.store()
    }

    /// In skopeo's notation.
    fn place(&self) -> String {
        format!("oci:{}:{NAME}", self.layout().display())
    }

    /// The files of its layers, the lowest first.
    fn layers(&self) -> Result<Vec<PathBuf>> {
        let manifest = Skopeo::manifest(&self.place())?;
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        let layers = manifest["layers"].as_array().unwrap().iter();
        let blobs = self.layout().join("blobs/sha256");
        Ok(layers
            .map(|layer| layer["digest"].as_str().unwrap().trim_start_matches("sha256:"))
            .map(|digest| blobs.join(digest))
            .collect())
    }

    /// The digests of its layers' tar archives, as its config has them.
    fn diff_ids(&self) -> Result<Vec<String>> {
        let config = Skopeo::config(&self.place())?;
        let listed = config["rootfs"]["diff_ids"].as_array().unwrap().iter();
        Ok(listed.map(|diff_id| diff_id.as_str().unwrap().to_owned()).collect())
    }

    /// The image's tree and a runtime's `config.json`, as umoci unpacks them.
    fn unpacked(&self) -> Result<Bundle> {
        let directory = tempfile::Builder::new().prefix("unpacked-").tempdir().unwrap();
        let bundle = Bundle { directory };
        umoci::unpack(&self.layout(), NAME, &bundle.path())?;
        Ok(bundle)
    }
}

/// An image unpacked for a runtime.
struct Bundle {
    directory: TempDir,
}

impl Bundle {
    fn path(&self) -> PathBuf {
        self.directory.path().join("bundle")
    }

    fn root(&self) -> PathBuf {
        self.path().join("rootfs")
    }

    fn chroot(&self) -> Chroot {
        Chroot::new(&self.root())
    }
}

/// Demands that the tree is pip's: every path's content, mode, owner and type.
///
/// No difference is excused. With `--no-compile` pip writes nothing that depends on the moment, and
/// what it leaves in `/tmp` and its caches it leaves in a mount of its own.
fn demand_same_as_pip(bundle: &Bundle, by_pip: &Chroot) -> Result {
    let ours = Side::read("plywood", &bundle.root())?;
    let theirs = Side::read("pip", by_pip.root())?;
    Comparison::of(&ours, &theirs).demand_equal()
}
