//! Debian packages: compilers installed on a base, the layer built and pushed, beside buildah with
//! `RUN apt-get install`, and beside apt alone in a root, which packs and pushes nothing.
//!
//! Packages come from an archive on loopback, which has them all in the page cache. Everybody has the
//! base before the clock runs (plywood its index, buildah its unpacked storage, apt a copy of its
//! tree), and nobody a list or a package. The registry has the base and nothing else of the image:
//! each round has a label and a repository of its own.

use std::path::{Path, PathBuf};

use testbed::buildah::Driver;
use testbed::debian::{self, Archive, Base, Workshop};
use testbed::{Buildah, Context, Failure, Plywood, Registry, Result, Skopeo, base};

use super::measure::{Measured, interleaved, measure};
use super::report::{Report, Target};
use crate::Outcome;

const LINE: &str = "apt-get update && apt-get install -y --no-install-recommends gfortran \
    build-essential && rm -rf /var/lib/apt/lists/*";

/// Who installs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Installer {
    /// plywood, on a store that has the base and nothing else.
    Plywood,
    /// plywood, another image with the same packages.
    PlywoodAgain,
    /// buildah, by a Dockerfile with the same line.
    Buildah,
    /// The line in a root, and no image.
    Apt,
}

impl Installer {
    fn name(self) -> &'static str {
        match self {
            Installer::Plywood => "plywood",
            Installer::PlywoodAgain => "plywood, a second image",
            Installer::Buildah => "buildah",
            Installer::Apt => "apt in a root, no image",
        }
    }
}

struct Scene {
    archive: Archive,
    registry: Registry,
    base: Base,
    buildah: Buildah,
    plywood: PathBuf,
}

const BASE: &str = "base/debian:12";

pub fn run(rounds: usize, plywood: &Path, report: &mut Report) -> Outcome {
    let scene = Scene::new(plywood)?;
    let everybody =
        [Installer::Plywood, Installer::PlywoodAgain, Installer::Buildah, Installer::Apt];
    // Once, so that all packages are on this machine.
    scene.measured(Installer::Apt, 0)?;
    let runs = interleaved(&everybody, rounds, |who, round| {
        let measured = scene.measured(who, round)?;
        let seconds = measured.wall.as_secs_f64();
        eprintln!("round {round}: {:<24} {seconds:>7.2} s", who.name());
        Ok(measured)
    })?;
    let typical: Vec<Measured> = runs.iter().map(|runs| Measured::typical(runs)).collect();
    report.heading("apt-get install gfortran build-essential");
    for (who, measured) in everybody.iter().zip(&typical) {
        report.rebuild(who.name(), *measured, typical[0]);
    }
    let seconds = |at: usize| typical[at].wall.as_secs_f64();
    let [first, again, buildah, apt] = [0, 1, 2, 3].map(seconds);
    report.target(Target::at_least("packages, faster than buildah", buildah / first, 3.0));
    report.target(Target::at_least("packages, faster than apt alone", apt / first, 1.0));
    report.target(Target::at_most("packages, a second image, to the first", again / first, 0.1));
    let megabytes = typical[0].peak as f64 / 1e6;
    report.target(Target::at_most("peak memory with Debian packages, MB", megabytes, 200.0));
    Ok(())
}

impl Scene {
    fn new(plywood: &Path) -> Result<Self> {
        let archive = Archive::start()?;
        let base = debian::fresh(&archive)?;
        let registry = Registry::start()?;
        let source = format!("oci:{}:{}", base.layout.display(), base::TAG);
        Skopeo::copy(&source, &registry.place(BASE))?;
        let buildah = Buildah::new(Driver::Overlay)?;
        let image = format!("docker://{}", registry.reference(BASE));
        testbed::run(buildah.command("pull").args(["--quiet", "--tls-verify=false", &image]))?;
        Ok(Scene { archive, registry, base, buildah, plywood: plywood.to_owned() })
    }

    fn measured(&self, who: Installer, round: usize) -> Result<Measured> {
        match who {
            Installer::Plywood => {
                self.build(&self.prepared()?, &self.context("", round)?, &format!("{round}-cold"))
            }
            Installer::PlywoodAgain => {
                let plywood = self.prepared()?;
                self.build(&plywood, &self.context("", round)?, &format!("{round}-first"))?;
                let other = self.context("RUN mkdir /srv/second\n", round)?;
                self.build(&plywood, &other, &format!("{round}-second"))
            }
            Installer::Buildah => self.buildah(&self.context("", round)?, round),
            Installer::Apt => {
                let workshop = Workshop::copy_of(&self.base.root, &self.archive)?;
                measure(&mut workshop.command(LINE))
            }
        }
    }

    /// A plywood that has the base, and knows what is in it.
    fn prepared(&self) -> Result<Plywood> {
        let plywood = Plywood::new(&self.plywood)?;
        let from = self.registry.reference(BASE);
        let context = Context::with_dockerfile(&format!("FROM {from}\nRUN test -d /srv\n"))?;
        testbed::run(plywood.command(["build", "--quiet"]).arg(context.path()))?;
        Ok(plywood)
    }

    fn context(&self, before: &str, round: usize) -> Result<Context> {
        let from = self.registry.reference(BASE);
        let label = format!("LABEL round={round}");
        Context::with_dockerfile(&format!("FROM {from}\n{label}\n{before}RUN {LINE}\n"))
    }

    fn build(&self, plywood: &Plywood, context: &Context, name: &str) -> Result<Measured> {
        let name = self.registry.reference(&format!("made/plywood-{name}:1"));
        let mut build = plywood.command(["build", "--quiet", "--push", "--tag", &name]);
        measure(build.envs(self.archive.environment()).arg(context.path()))
    }

    fn buildah(&self, context: &Context, round: usize) -> Result<Measured> {
        let name = self.registry.reference(&format!("made/buildah-{round}:1"));
        let mut build = self.buildah.command("bud");
        build.args(["--isolation", "chroot", "--tls-verify=false", "--pull=false", "--quiet"]);
        build.envs(self.archive.environment()).args(["--tag", &name]).arg(context.path());
        let mut push = self.buildah.command("push");
        push.args(["--quiet", "--tls-verify=false", &name]);
        let both = measure(&mut build)?.and(measure(&mut push)?);
        let mut remove = self.buildah.command("rmi");
        testbed::run(remove.arg(&name)).map_err(Failure::doing("forget an image"))?;
        Ok(both)
    }
}
