//! Python packages: `plywood build --push` of a `plywood.toml`, beside `uv pip install --target` of
//! the same requirements, which makes no image, and beside `buildah` with `RUN pip install`.
//!
//! Wheels come from an index on loopback, and the base is in the registry that images are pushed to.
//! Each run begins with nothing: an empty store, cache or storage. So plywood's first run has to
//! read the base's layer to know its Python; how long it takes who has read it is a row of its own.

mod installers;
mod phases;

use std::fs;
use std::path::Path;
use std::time::Duration;

use testbed::{Failure, Result};

use super::measure::{Measured, interleaved};
use super::report::{Report, Target};
use crate::Outcome;
pub use installers::Run;
use installers::{APPLICATION_FILE, Installer, Place, Requirements, Scene};
use phases::Phases;

/// All about the list `benchmark`: cold, again, and of what the time is made.
pub fn python(rounds: usize, plywood: &Path, report: &mut Report) -> Outcome {
    let scene = Scene::of_many_wheels(plywood)?;
    let installed = cold(rounds, &scene, report)?;
    again(&scene, report)?;
    phases(&scene)?;
    assembly(&scene, installed, report)
}

/// Everybody on a machine that has never done it. Gives the bytes that the packages have installed.
fn cold(rounds: usize, scene: &Scene, report: &mut Report) -> Result<u64> {
    let everybody = Installer::ALL;
    let runs = interleaved(&everybody, rounds, |installer, round| {
        let run = installer.run(scene)?;
        let (name, seconds) = (installer.name(), run.seconds());
        eprintln!("round {round}: {name:<24} {seconds:>7.3} s");
        Ok(run)
    })?;
    let typical: Vec<Run> = runs.iter().map(|runs| Run::typical(runs)).collect();
    report.installer_heading(&format!("{}: cold", scene.name));
    for (position, (installer, run)) in everybody.iter().zip(&typical).enumerate() {
        let first = typical.first().filter(|_| position > 0);
        report.installer(installer.name(), run, first);
    }
    let of = |wanted| {
        let mut pairs = everybody.iter().zip(&typical);
        let found = pairs.find(|(installer, _)| **installer == wanted);
        found.map(|(_, run)| *run).ok_or_else(|| Failure::new("somebody did not run"))
    };
    let (ours, loose) = (of(Installer::Plywood)?, of(Installer::PlywoodLoose)?);
    let (uv, uv_loose) = (of(Installer::Uv)?, of(Installer::UvLoose)?);
    let buildah = of(Installer::Buildah)?;
    let ratio = |one: Run, other: Run| one.seconds() / other.seconds();
    report.target(Target::at_most("pinned packages, to uv without an image", ratio(ours, uv), 2.0));
    let name = "loose packages, to uv without an image";
    report.target(Target::at_most(name, ratio(loose, uv_loose), 2.0));
    report.target(Target::at_least("faster than buildah and pip", ratio(buildah, ours), 8.0));
    let peak = ours.megabytes().max(loose.megabytes());
    report.target(Target::at_most("peak memory with packages, MB", peak, 150.0));
    Ok(uv.made)
}

const REBUILDS: usize = 7;

/// Builds and pushes again: without a change, and with one file of the application changed.
fn again(scene: &Scene, report: &mut Report) -> Outcome {
    let place = Place::new(scene)?;
    let context = place.context("again", Requirements::Pinned)?;
    let first = place.plywood(&context)?;
    let repeat = |change: &dyn Fn(usize) -> Outcome| -> Result<Measured> {
        let mut runs = Vec::new();
        for number in 0..REBUILDS {
            change(number)?;
            std::thread::sleep(Duration::from_millis(50));
            runs.push(place.plywood(&context)?);
        }
        Ok(Measured::typical(&runs))
    };
    // What was written a moment ago is read again by the next build.
    std::thread::sleep(Duration::from_secs(2));
    let unchanged = repeat(&|_| Ok(()))?;
    let touched = repeat(&|number| {
        let path = context.join(APPLICATION_FILE);
        let text = format!("ANSWER = {number}\n");
        fs::write(&path, text).map_err(Failure::doing(format!("change {}", path.display())))
    })?;
    report.heading(&format!("{}: again", scene.name));
    for (name, measured) in
        [("first build", first), ("without change", unchanged), ("one file changed", touched)]
    {
        report.rebuild(name, measured, first);
    }
    let seconds = |measured: Measured| measured.wall.as_secs_f64();
    report.target(Target::at_most("rebuild of packages, s", seconds(unchanged), 0.1));
    let name = "rebuild of packages, one file changed, s";
    report.target(Target::at_most(name, seconds(touched), 0.15));
    Ok(())
}

/// Of what the time is made, by plywood's own account: of a cold build, then without a change.
fn phases(scene: &Scene) -> Outcome {
    let place = Place::new(scene)?;
    let context = place.context("phases", Requirements::Pinned)?;
    for words in ["phases of a cold build", "phases without change"] {
        let phases = Phases::of(&mut place.build(&context, &["--push", "--progress", "json"]))?;
        phases.print(&format!("{}: {words}", scene.name));
    }
    Ok(())
}

/// Layers out of wheels that are at hand: with `--no-cache` none is taken from an earlier build.
///
/// The figure is about the whole program, which reads wheels' directories, resolves out of its cache
/// and syncs what it writes; the second is about the steps that lay layers.
fn assembly(scene: &Scene, installed: u64, report: &mut Report) -> Outcome {
    let place = Place::new(scene)?;
    let context = place.context("assembly", Requirements::Pinned)?;
    place.plywood(&context)?;
    let (mut whole, mut steps) = (f64::INFINITY, f64::INFINITY);
    for _ in 0..REBUILDS {
        let words = ["--no-cache", "--progress", "json"];
        let phases = Phases::of(&mut place.build(&context, &words))?;
        whole = whole.min(phases.total());
        steps = steps.min(phases.laying()?);
    }
    let speed = |seconds: f64| installed as f64 / 1e6 / seconds;
    let megabytes = installed / 1_000_000;
    println!("\n{}: {megabytes} MB laid again, wheels at hand", scene.name);
    println!("  {:<24} {whole:>9.3} s, {:>7.0} MB/s", "the whole build", speed(whole));
    println!("  {:<24} {steps:>9.3} s, {:>7.0} MB/s", "its layers alone", speed(steps));
    report.target(Target::at_least("layers from wheels, MB/s", speed(steps), 400.0));
    Ok(())
}

/// The largest wheel there is in practice, for another machine than this.
pub fn torch(plywood: &Path, report: &mut Report) -> Outcome {
    let scene = Scene::of_the_largest_wheel(plywood)?;
    let run = Installer::Plywood.run(&scene)?;
    report.installer_heading(&format!("{}: cold", scene.name));
    report.installer(Installer::Plywood.name(), &run, None);
    report.target(Target::at_most("peak memory with torch, MB", run.megabytes(), 150.0));
    Ok(())
}
