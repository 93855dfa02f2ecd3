//! Images between registries, within one, and into one: plywood beside `skopeo copy`.
//!
//! Each run has a target that knows nothing of the image, an empty home and an empty store, so that
//! nobody profits from what an earlier run remembered; the source has been read once before. What
//! was asked of the target is counted by its log.
//!
//! skopeo writes down where it put each blob, and waits for the disk each time: of many small layers
//! that is most of its time. `TMPDIR=/dev/shm` takes the disk out of the comparison for both.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;
use testbed::{Failure, Registry, Request, Result, Skopeo, program, run};

use super::image::{BIG, Image, SMALL, TAG};
use super::measure::{Measured, interleaved, measure};
use super::report::{Report, Target};
use crate::Outcome;

/// Who moves an image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mover {
    Plywood,
    /// From the store, into which the image was brought before.
    PlywoodPush,
    Skopeo,
}

/// What one run, or the typical run, took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// Time and memory.
    pub measured: Measured,
    /// How much the target's registry was asked.
    pub requests: usize,
    /// How many blobs were sent to it or, in a copy within it, read from it.
    pub blobs: usize,
}

impl Moved {
    pub fn seconds(&self) -> f64 {
        self.measured.wall.as_secs_f64()
    }

    fn typical(runs: &[Moved]) -> Moved {
        let measured = runs.iter().map(|run| run.measured).collect::<Vec<_>>();
        let most = |of: fn(&Moved) -> usize| runs.iter().map(of).max().unwrap_or_default();
        Moved {
            measured: Measured::typical(&measured),
            requests: most(|run| run.requests),
            blobs: most(|run| run.blobs),
        }
    }
}

/// Where an image comes from, in the words of both programs.
struct Source {
    plywood: String,
    skopeo: String,
}

impl Source {
    fn registry(registry: &Registry, name: &str) -> Self {
        Source { plywood: registry.reference(name), skopeo: registry.place(name) }
    }

    fn layout(directory: &Path) -> Self {
        let place = format!("oci:{}:{TAG}", directory.display());
        Source { plywood: place.clone(), skopeo: place }
    }
}

const IMAGE: &str = "bench/image:1";

/// A registry that has `image`, and has read all of it once.
fn filled(image: Image) -> Result<Registry> {
    let registry = Registry::start()?;
    let layout = format!("oci:{}:{TAG}", image.layout()?.display());
    let place = registry.place(IMAGE);
    Skopeo::copy(&layout, &place)?;
    let directory = tempdir()?;
    Skopeo::copy(&place, &format!("dir:{}", directory.path().display()))?;
    Ok(registry)
}

/// A big image to a second registry, and to another repository of the same.
pub fn copy(rounds: usize, plywood: &Path, report: &mut Report) -> Outcome {
    let source = filled(BIG)?;
    let from = Source::registry(&source, IMAGE);
    let movers = [Mover::Plywood, Mover::Skopeo];

    let across = typical_of_each(&movers, rounds, |mover, _| {
        let target = Registry::start()?;
        mover.run(&from, &target, IMAGE, plywood)
    })?;
    show(&format!("{}: to a second registry", BIG.name), &movers, &across, report);
    if let [ours, skopeo] = across[..] {
        let ratio = skopeo.seconds() / ours.seconds();
        let peak = ours.measured.peak as f64 / 1e6;
        report.target(Target::at_least("faster than skopeo, to a second registry", ratio, 1.3));
        report.target(Target::at_most("peak memory of a copy, MB", peak, 64.0));
    }

    let within = typical_of_each(&movers, rounds, |mover, round| {
        let name = format!("bench/{}-{round}:1", mover.name());
        mover.run(&from, &source, &name, plywood)
    })?;
    show(&format!("{}: within a registry", BIG.name), &movers, &within, report);
    if let [ours, skopeo] = within[..] {
        let ratio = skopeo.seconds() / ours.seconds();
        report.target(Target::at_most("blobs moved within a registry", ours.blobs as f64, 0.0));
        report.target(Target::at_least("faster than skopeo, within a registry", ratio, 10.0));
    }
    Ok(())
}

/// Many small layers, from an OCI layout and from the store.
pub fn small(rounds: usize, plywood: &Path, report: &mut Report) -> Outcome {
    let from = Source::layout(&SMALL.layout()?);
    let movers = [Mover::Plywood, Mover::PlywoodPush, Mover::Skopeo];
    let moved = typical_of_each(&movers, rounds, |mover, _| {
        let target = Registry::start()?;
        let moved = mover.run(&from, &target, IMAGE, plywood)?;
        match moved.blobs as u64 == SMALL.blobs() {
            true => Ok(moved),
            false => Err(Failure::new(format!("{} sent {} blobs", mover.name(), moved.blobs))),
        }
    })?;
    show(&format!("{}: to a registry", SMALL.name), &movers, &moved, report);
    if let [copy, push, skopeo] = moved[..] {
        let requests = push.requests.max(copy.requests) as f64 / skopeo.requests as f64;
        report.target(Target::at_most("requests for small layers, to skopeo's", requests, 0.99));
        for (words, ours) in [("copying", copy), ("pushing", push)] {
            let name = format!("faster than skopeo, {words} small layers");
            report.target(Target::at_least(name, skopeo.seconds() / ours.seconds(), 1.0));
        }
    }
    Ok(())
}

/// Runs everybody in turn; the typical run of each.
fn typical_of_each(
    movers: &[Mover],
    rounds: usize,
    run_once: impl Fn(Mover, usize) -> Result<Moved>,
) -> Result<Vec<Moved>> {
    let runs = interleaved(movers, rounds, |mover, round| {
        // What an earlier run left to be written must not be written at this one's cost.
        run(&mut program("sync"))?;
        let moved = run_once(mover, round)?;
        let (name, seconds) = (mover.name(), moved.seconds());
        eprintln!("round {round}: {name:<24} {seconds:>7.3} s, {} requests", moved.requests);
        Ok(moved)
    })?;
    Ok(runs.iter().map(|runs| Moved::typical(runs)).collect())
}

fn show(workload: &str, movers: &[Mover], moved: &[Moved], report: &Report) {
    report.transfer_heading(workload);
    for (position, (mover, summary)) in movers.iter().zip(moved).enumerate() {
        let first = moved.first().filter(|_| position > 0);
        report.transfer(mover.name(), summary, first);
    }
}

impl Mover {
    fn name(self) -> &'static str {
        match self {
            Mover::Plywood => "plywood-copy",
            Mover::PlywoodPush => "plywood-push",
            Mover::Skopeo => "skopeo-copy",
        }
    }

    /// Brings the image at `from` to `name` in `target`, as somebody who has just come.
    fn run(self, from: &Source, target: &Registry, name: &str, plywood: &Path) -> Result<Moved> {
        let home = tempdir()?;
        let reference = target.reference(name);
        let ours = |words: &[&str]| {
            let mut command = Command::new(plywood);
            command.env("HOME", home.path()).env("PLYWOOD_STORE", home.path().join("store"));
            command.args(words);
            command
        };
        let mut command = match self {
            Mover::Plywood => ours(&["copy", "--quiet", &from.plywood, &reference]),
            Mover::PlywoodPush => {
                let stored = format!("store:{reference}");
                run(&mut ours(&["copy", "--quiet", &from.plywood, &stored]))?;
                ours(&["push", "--quiet", &reference])
            }
            Mover::Skopeo => skopeo(from, &target.place(name), home.path()),
        };
        target.forget()?;
        let measured = measure(&mut command)?;
        let requests = target.requests()?;
        let moves =
            |request: &&Request| request.uploaded().is_some() || request.downloaded().is_some();
        let blobs = requests.iter().filter(moves).count();
        Ok(Moved { measured, requests: requests.len(), blobs })
    }
}

/// skopeo remembers where blobs are, for root in a place for all of the system. It takes that of a
/// user, which is in the home, when it believes to be in a user's namespace.
fn skopeo(from: &Source, place: &str, home: &Path) -> Command {
    let mut command = program("skopeo");
    command.env("HOME", home).env("XDG_DATA_HOME", home).env("_CONTAINERS_ROOTLESS_UID", "1000");
    command.args(["copy", "--quiet", "--src-tls-verify=false", "--dest-tls-verify=false"]);
    command.args([&from.skopeo, place]);
    command
}

fn tempdir() -> Result<TempDir> {
    let made = tempfile::Builder::new().prefix("bench-").tempdir();
    made.map_err(Failure::doing("make a directory for the benchmark"))
}
