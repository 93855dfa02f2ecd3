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

use crate::support::plywood;

/// What images are called here.
const NAME: &str = "localhost/made-by-run:1";

/// An image in plywood's store.
struct Built {
    plywood: Plywood,
}

impl Built {
    /// Builds `context`, whose Dockerfile begins with `FROM base`, on this base.
    fn on(base: &PythonBase, context: &Context) -> Result<Self> {
        let plywood = plywood()?;
        run(build(&plywood, base, context).args(["--quiet", "--tag", NAME]))?;
        Ok(Built { plywood })
    }

    /// The image's tree, as umoci unpacks it.
    fn unpacked(&self) -> Result<Bundle> {
        let directory = tempfile::Builder::new().prefix("unpacked-").tempdir().unwrap();
        let bundle = Bundle { directory };
        umoci::unpack(&self.plywood.store(), NAME, &bundle.path())?;
        Ok(bundle)
    }
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
