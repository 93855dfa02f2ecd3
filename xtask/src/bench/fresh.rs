//! A fresh CI machine: a Python application with Debian packages, whose image somebody has pushed
//! before. Nothing changed, or one source file did; beside `buildah` with `--cache-from` and
//! `--cache-to`, which brings the layers down that it finds.
//!
//! Registry, index and archive are on loopback. Each build has an empty home; the registry has the
//! base, the image of before, and what either of the two keeps there.

use std::path::{Path, PathBuf};
use std::process::Command;

use testbed::buildah::Driver;
use testbed::debian::{self, Archive};
use testbed::{Buildah, Context, Failure, House, Index, Plywood, Registry, Result, Skopeo, base};

use super::measure::{Measured, interleaved, measure};
use super::report::{Report, Target};
use crate::Outcome;

const PACKAGES: &str = "curl tzdata libgomp1";
/// Eighteen wheels with what they need.
const REQUIREMENTS: &str = "flask\nrequests\nrich\npyyaml\npackaging\n";

/// Who builds what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    PlywoodFirst,
    PlywoodSame,
    PlywoodTouched,
    BuildahFirst,
    BuildahSame,
    BuildahTouched,
}

impl Job {
    const ALL: [Job; 6] = [
        Job::PlywoodFirst,
        Job::PlywoodSame,
        Job::PlywoodTouched,
        Job::BuildahFirst,
        Job::BuildahSame,
        Job::BuildahTouched,
    ];

    fn name(self) -> &'static str {
        match self {
            Job::PlywoodFirst => "plywood, the first time",
            Job::PlywoodSame => "plywood, nothing changed",
            Job::PlywoodTouched => "plywood, one file changed",
            Job::BuildahFirst => "buildah, the first time",
            Job::BuildahSame => "buildah, nothing changed",
            Job::BuildahTouched => "buildah, one file changed",
        }
    }
}

struct Scene {
    archive: Archive,
    index: Index,
    registry: Registry,
    plywood: PathBuf,
}

pub fn run(rounds: usize, plywood: &Path, report: &mut Report) -> Outcome {
    let scene = Scene::new(plywood)?;
    // Once, so that all packages are on this machine.
    scene.measured(Job::PlywoodFirst, 0)?;
    let runs = interleaved(&Job::ALL, rounds, |job, round| {
        let measured = scene.measured(job, round + 1)?;
        let seconds = measured.wall.as_secs_f64();
        eprintln!("round {}: {:<26} {seconds:>7.2} s", round + 1, job.name());
        Ok(measured)
    })?;
    let typical: Vec<Measured> = runs.iter().map(|runs| Measured::typical(runs)).collect();
    report.heading("a fresh machine, the registry warm");
    for (job, measured) in Job::ALL.iter().zip(&typical) {
        report.rebuild(job.name(), *measured, typical[0]);
    }
    let seconds = |at: usize| typical[at].wall.as_secs_f64();
    report.target(Target::at_most("a fresh machine, nothing changed, s", seconds(1), 0.2));
    report.target(Target::at_most("a fresh machine, one file changed, s", seconds(2), 0.5));
    let ratio = seconds(5) / seconds(2);
    report.target(Target::at_least("one file changed, faster than buildah", ratio, 10.0));
    Ok(())
}

const BASE: &str = "base/python:12";

impl Scene {
    fn new(plywood: &Path) -> Result<Self> {
        let archive = Archive::start()?;
        let index = Index::of(&[&House::listed("lines")?])?;
        let registry = Registry::start()?;
        let fresh = debian::fresh(&archive)?;
        let source = format!("oci:{}:{}", fresh.layout.display(), base::TAG);
        Skopeo::copy(&source, &registry.place("base/debian:12"))?;
        let scene = Scene { archive, index, registry, plywood: plywood.to_owned() };
        scene.make_base()?;
        Ok(scene)
    }

    /// Debian with Python and pip.
    fn make_base(&self) -> Outcome {
        let from = self.registry.reference("base/debian:12");
        let context = Context::with_dockerfile(&format!(
            "FROM {from}\nRUN apt-get update && apt-get install -y --no-install-recommends \
             python3 python3-pip && rm -rf /var/lib/apt/lists/*\n"
        ))?;
        let plywood = Plywood::new(&self.plywood)?;
        self.build(&plywood, &context, &self.registry.reference(BASE)).map(drop)
    }

    /// The application, as it is in a round.
    fn context(&self, round: usize, main: &str) -> Result<Context> {
        let from = self.registry.reference(BASE);
        let url = self.index.url();
        Context::with_dockerfile(&format!(
            "FROM {from}\nENV ROUND={round}\nRUN apt-get update && apt-get install -y \
             --no-install-recommends {PACKAGES} && rm -rf /var/lib/apt/lists/*\nWORKDIR /app\n\
             COPY requirements.txt ./\nRUN pip install --no-cache-dir --break-system-packages \
             --index-url {url} -r requirements.txt\nCOPY . .\nCMD [\"python3\", \"main.py\"]\n"
        ))?
        .file("requirements.txt", REQUIREMENTS)?
        .file("main.py", main)
    }

    fn measured(&self, job: Job, round: usize) -> Result<Measured> {
        let first = format!("print({round})\n");
        let touched = format!("print({round} + 1)\n");
        let main = match job {
            Job::PlywoodTouched | Job::BuildahTouched => &touched,
            _ => &first,
        };
        let context = self.context(round, main)?;
        match job {
            Job::PlywoodFirst | Job::PlywoodSame | Job::PlywoodTouched => {
                let name = self.registry.reference(&format!("made/plywood-{round}:1"));
                self.build(&Plywood::new(&self.plywood)?, &context, &name)
            }
            Job::BuildahFirst | Job::BuildahSame | Job::BuildahTouched => {
                self.buildah(&context, round)
            }
        }
    }

    fn build(&self, plywood: &Plywood, context: &Context, name: &str) -> Result<Measured> {
        let mut build = plywood.command(["build", "--quiet", "--push", "--tag", name]);
        measure(build.envs(self.archive.environment()).arg(context.path()))
    }

    fn buildah(&self, context: &Context, round: usize) -> Result<Measured> {
        let buildah = Buildah::new(Driver::Overlay)?;
        let name = self.registry.reference(&format!("made/buildah-{round}:1"));
        let cache = self.registry.reference(&format!("made/buildah-cache-{round}"));
        let mut build = buildah.command("bud");
        build.args(["--isolation", "chroot", "--tls-verify=false", "--quiet", "--layers"]);
        build.args(["--cache-from", &cache, "--cache-to", &cache]);
        build.envs(self.archive.environment()).args(["--tag", &name]).arg(context.path());
        let mut push = buildah.command("push");
        push.args(["--quiet", "--tls-verify=false", &name]);
        let both = measure(&mut build)?.and(measure(&mut push)?);
        let remove = |command: &mut Command| {
            testbed::run(command).map_err(Failure::doing("forget an image"))
        };
        remove(buildah.command("rmi").args(["--all", "--force"]))?;
        Ok(both)
    }
}
