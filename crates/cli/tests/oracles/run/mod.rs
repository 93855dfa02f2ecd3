//! `RUN` lines: what plywood makes of them, beside what a shell and pip do in a root of the same
//! base.

mod lines;
mod pip;
mod platforms;
mod secrets;
mod workflow;

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;
use testbed::base::{self, PythonBase};
use testbed::{Context, Plywood, Result, run, umoci};

/// What images are called here.
const NAME: &str = "localhost/made-by-run:1";

/// The tree of the image that `context`, whose Dockerfile begins with `FROM base`, becomes on this
/// base, as umoci unpacks it.
fn unpacked(plywood: &Plywood, base: &PythonBase, context: &Context) -> Result<Bundle> {
    run(build(plywood, base, context).args(["--quiet", "--tag", NAME]))?;
    let directory = tempfile::Builder::new().prefix("unpacked-").tempdir().unwrap();
    let bundle = Bundle { directory };
    umoci::unpack(&plywood.store(), NAME, &bundle.path())?;
    Ok(bundle)
}

/// A `plywood build` of this context on this base.
fn build(plywood: &Plywood, base: &PythonBase, context: &Context) -> Command {
    let mut build = plywood.command(["build"]);
    let layout = base.layout.display();
    build.args(["--build-context", &format!("base=oci-layout://{layout}:{}", base::TAG)]);
    build.arg(context.path());
    build
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
}
