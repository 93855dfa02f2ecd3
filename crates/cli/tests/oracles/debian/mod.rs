//! Debian packages: what plywood makes of `apt-get install`, beside what apt itself makes of it in a
//! root of the same base, with the same archive.

mod afterwards;
mod excuses;
mod nothing;
mod programs;
mod projects;
mod sets;

use std::path::PathBuf;
use std::process::{Command, Output};

use tempfile::TempDir;
use testbed::debian::{Archive, Base};
use testbed::{Context, Failure, Plywood, Result, output, umoci};

/// What images are called here.
const NAME: &str = "localhost/made-of-debs:1";

/// Both sides are told the same time.
const DATE: &str = "ENV SOURCE_DATE_EPOCH=315619200";

/// A `plywood build` of this context with the base as `base` and the archive for its sources.
fn build(plywood: &Plywood, base: &Base, archive: &Archive, context: &Context) -> Command {
    let mut build = plywood.command(["build", "--quiet", "--tag", NAME]);
    let layout = base.layout.display();
    build.args(["--build-context", &format!("base=oci-layout://{layout}:{}", testbed::base::TAG)]);
    build.envs(archive.environment()).arg(context.path());
    build
}

/// An image of a `RUN` line, unpacked.
struct Made {
    directory: TempDir,
}

impl Made {
    /// Builds it, unless plywood refuses, with what it says.
    fn by(plywood: &Plywood, base: &Base, archive: &Archive, line: &str) -> Result<Self> {
        let context = Context::with_dockerfile(&format!("FROM base\n{DATE}\nRUN {line}\n"))?;
        let Output { status, stderr, .. } = output(&mut build(plywood, base, archive, &context))?;
        if !status.success() {
            let said = String::from_utf8_lossy(&stderr).into_owned();
            return Err(Failure::new(format!("plywood answered {status}\n{said}")));
        }
        let directory = tempfile::Builder::new().prefix("unpacked-").tempdir().unwrap();
        let made = Made { directory };
        umoci::unpack(&plywood.store(), NAME, &made.directory.path().join("bundle"))?;
        Ok(made)
    }

    fn root(&self) -> PathBuf {
        self.directory.path().join("bundle/rootfs")
    }
}
