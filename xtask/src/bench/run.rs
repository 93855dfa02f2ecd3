//! `RUN` lines: what one of twenty file operations adds to a build, over a base of 30,000 files,
//! beside `buildah run`, which mounts the base and starts a container for it.
//!
//! The base's files are known to both before the clock runs: plywood has its index, buildah has
//! unpacked it.

use std::fs;
use std::path::Path;
use std::process::Command;

use testbed::buildah::Driver;
use testbed::{Buildah, Failure, Registry, Result, Skopeo, base};

use super::measure::{Measured, interleaved, measure};
use super::report::{Report, Target};
use crate::Outcome;

/// Files of the base, beside those of Debian itself.
const FILES: usize = 25_000;
const ROUNDS: usize = 9;

/// What a Dockerfile's author writes: twenty commands, each of which changes or looks at files.
const LINE: &str = "RUN set -eu; mkdir -p /srv/app/data /srv/app/log; touch /srv/app/log/a; \
    echo one > /srv/app/a; echo two >> /srv/app/a; cp /etc/passwd /srv/app/users; \
    cp -r /opt/many/d00 /srv/app/copy; mv /srv/app/copy /srv/app/kept; ln -s kept /srv/app/link; \
    ln /srv/app/a /srv/app/b; chmod 640 /srv/app/a; chmod -R g+w /srv/app/data; \
    chown -R 33:33 /srv/app/data; rm /opt/many/d01/f001; rm -rf /opt/many/d02; \
    test -d /srv/app/kept; [ ! -e /opt/many/d02 ]; cat /etc/debian_version > /srv/app/version; \
    find /srv/app -name 'f00*' -type f > /srv/app/list; rmdir /srv/app/log 2>/dev/null || true";

/// Who runs the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runner {
    /// plywood, without the line.
    Nothing,
    /// plywood, with it.
    Plywood,
    /// `buildah run`.
    Buildah,
}

impl Runner {
    fn name(self) -> &'static str {
        match self {
            Runner::Nothing => "plywood, without the line",
            Runner::Plywood => "plywood, with it",
            Runner::Buildah => "buildah run, the line",
        }
    }
}

/// A registry with the base in it, and everybody's storage.
struct Scene {
    registry: Registry,
    directory: tempfile::TempDir,
    plywood: std::path::PathBuf,
    buildah: Buildah,
}

pub fn run(plywood: &Path, report: &mut Report) -> Outcome {
    let scene = Scene::new(plywood)?;
    let everybody = [Runner::Nothing, Runner::Plywood, Runner::Buildah];
    for runner in everybody {
        scene.measured(runner, 0)?;
    }
    let runs = interleaved(&everybody, ROUNDS, |runner, round| scene.measured(runner, round + 1))?;
    let typical: Vec<Measured> = runs.iter().map(|runs| Measured::typical(runs)).collect();
    report.heading("RUN: 20 file operations over a base of 30,000 files");
    for (runner, measured) in everybody.iter().zip(&typical) {
        report.rebuild(runner.name(), *measured, typical[0]);
    }
    let seconds = |at: usize| typical[at].wall.as_secs_f64();
    let added = seconds(1) - seconds(0);
    report.target(Target::at_most("a RUN line adds, ms", added * 1e3, 50.0));
    let ratio = seconds(2) / added.max(1e-3);
    report.target(Target::at_least("a RUN line, faster than buildah run", ratio, 5.0));
    Ok(())
}

const DEBIAN: &str = "base/debian:1";
const BASE: &str = "base/many:1";

impl Scene {
    fn new(plywood: &Path) -> Result<Self> {
        let registry = Registry::start()?;
        let source = format!("oci:{}:{}", base::debian()?.display(), base::TAG);
        Skopeo::copy(&source, &registry.place(DEBIAN))?;
        let directory = tempfile::Builder::new()
            .prefix("bench-run-")
            .tempdir()
            .map_err(Failure::doing("make a directory for the benchmark"))?;
        let buildah = Buildah::new(Driver::Overlay)?;
        let plywood = plywood.to_owned();
        let scene = Scene { registry, directory, plywood, buildah };
        scene.make_base()?;
        Ok(scene)
    }

    /// Debian with many small files, in the registry, and unpacked by buildah.
    fn make_base(&self) -> Outcome {
        let context = self.directory.path().join("files");
        for at in 0..FILES {
            let directory = context.join(format!("many/d{:02}", at / 250));
            fs::create_dir_all(&directory).map_err(Failure::doing("make a directory"))?;
            let file = directory.join(format!("f{:03}", at % 250));
            fs::write(file, format!("file {at}\n")).map_err(Failure::doing("write a file"))?;
        }
        let from = self.registry.reference(DEBIAN);
        let text = format!("FROM {from}\nCOPY many /opt/many\n");
        let mut build = self.build(&context, "base", &text)?;
        build.args(["--push", "--tag", &self.registry.reference(BASE)]);
        testbed::run(&mut build)?;
        let image = format!("docker://{}", self.registry.reference(BASE));
        let mut from = self.buildah.command("from");
        testbed::run(from.args(["--tls-verify=false", "--quiet", "--name", "work", &image]))
    }

    fn measured(&self, runner: Runner, round: usize) -> Result<Measured> {
        let context = self.directory.path().join("empty");
        fs::create_dir_all(&context).map_err(Failure::doing("make a directory"))?;
        let from = self.registry.reference(BASE);
        // Each round another build, so that nothing of it was made before.
        let file = format!("FROM {from}\nCOPY <<ROUND /srv/round\n{round}\nROUND\n");
        match runner {
            Runner::Nothing => measure(&mut self.build(&context, "without", &file)?),
            Runner::Plywood => {
                let file = format!("{file}{LINE} && echo {round} > /srv/app/round\n");
                measure(&mut self.build(&context, "with", &file)?)
            }
            Runner::Buildah => {
                // What it changed goes again, outside of the measured time.
                let clean = "rm -rf /srv/app; mkdir -p /opt/many/d02; touch /opt/many/d01/f001";
                testbed::run(&mut self.in_container(clean))?;
                let line = LINE.trim_start_matches("RUN ");
                measure(&mut self.in_container(line))
            }
        }
    }

    fn in_container(&self, line: &str) -> Command {
        let mut run = self.buildah.command("run");
        run.args(["--isolation", "chroot", "work", "--", "/bin/sh", "-c", line]);
        run
    }

    fn build(&self, context: &Path, name: &str, text: &str) -> Result<Command> {
        let file = self.directory.path().join(format!("Dockerfile.{name}"));
        fs::write(&file, text).map_err(Failure::doing("write a Dockerfile"))?;
        let directory = self.directory.path();
        let mut command = Command::new(&self.plywood);
        command.env("HOME", directory.join("home"));
        command.env("PLYWOOD_STORE", directory.join("store"));
        command.args(["build", "--quiet", "--file"]).arg(file).arg(context);
        Ok(command)
    }
}
