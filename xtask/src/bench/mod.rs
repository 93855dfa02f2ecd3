//! `cargo xtask bench`: plywood beside other ways to build and push the same files, in one run.
//!
//! Everybody pushes to a registry on loopback that has seen nothing but the base image, with an
//! empty store. The runs are interleaved (A B C, A B C, …), so that a busy minute of the machine
//! hits all alike; times are medians, and peers' sizes stand beside their times because they
//! compress at different levels. A target that is missed is printed, and is no failure: what the
//! machine does decides about it too.

mod contenders;
mod debian;
mod fresh;
mod image;
mod measure;
mod python;
mod report;
mod run;
mod transfer;
mod workload;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use testbed::{Failure, Result, program};

use crate::{Outcome, cargo};
use contenders::{Contender, Place, Run};
use measure::{Measured, measure};
use report::{Report, Target};
use workload::{BIG, LARGE, MANY, Workload};

pub fn run(arguments: &[String]) -> Outcome {
    let options = Options::parse(arguments)?;
    let plywood = options.binary()?;
    let mut report = Report::default();
    if options.wants(Part::Big) {
        big(&options, &plywood, &mut report)?;
    }
    if options.wants(Part::Many) {
        many(&options, &plywood, &mut report)?;
    }
    if options.wants(Part::Rebuild) {
        rebuild(BIG, RebuildLimit::Seconds(0.1), &plywood, &mut report)?;
        rebuild(MANY, RebuildLimit::OfFirst(10.0), &plywood, &mut report)?;
    }
    if options.wants(Part::Copy) {
        transfer::copy(options.rounds, &plywood, &mut report)?;
    }
    if options.wants(Part::Small) {
        transfer::small(options.rounds, &plywood, &mut report)?;
    }
    if options.wants(Part::Run) {
        run::run(&plywood, &mut report)?;
    }
    if options.wants(Part::Python) {
        python::python(options.rounds, &plywood, &mut report)?;
    }
    if options.wants(Part::Debian) {
        debian::run(options.rounds, &plywood, &mut report)?;
    }
    if options.wants(Part::Fresh) {
        fresh::run(options.rounds, &plywood, &mut report)?;
    }
    if options.wants(Part::Torch) {
        python::torch(&plywood, &mut report)?;
    }
    if options.wants(Part::Large) {
        large(&plywood, &mut report)?;
    }
    report.print_targets();
    Ok(())
}

/// The parts of the benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Big,
    Many,
    Rebuild,
    Copy,
    Small,
    Run,
    Python,
    Debian,
    Fresh,
    Torch,
    Large,
}

impl Part {
    /// What is run where nothing is named.
    const USUAL: [Part; 9] = [
        Part::Big,
        Part::Many,
        Part::Rebuild,
        Part::Copy,
        Part::Small,
        Part::Run,
        Part::Python,
        Part::Debian,
        Part::Fresh,
    ];
}

struct Options {
    parts: Vec<Part>,
    rounds: usize,
    /// A binary that is there already, such as an older one to compare with.
    plywood: Option<PathBuf>,
}

impl Options {
    fn parse(arguments: &[String]) -> Result<Self> {
        let mut options = Options { parts: Vec::new(), rounds: 3, plywood: None };
        let mut large = false;
        let mut words = arguments.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word {
                "big" => options.parts.push(Part::Big),
                "many" => options.parts.push(Part::Many),
                "rebuild" => options.parts.push(Part::Rebuild),
                "copy" => options.parts.push(Part::Copy),
                "small" => options.parts.push(Part::Small),
                "run" => options.parts.push(Part::Run),
                "python" => options.parts.push(Part::Python),
                "debian" => options.parts.push(Part::Debian),
                "fresh" => options.parts.push(Part::Fresh),
                "torch" => options.parts.push(Part::Torch),
                "--large" => large = true,
                "--rounds" => {
                    let value = words.next().and_then(|value| value.parse().ok());
                    options.rounds = value
                        .filter(|rounds| *rounds > 0)
                        .ok_or_else(|| Failure::new("--rounds wants a number above zero"))?;
                }
                "--plywood" => options.plywood = words.next().map(PathBuf::from),
                _ => return Err(Failure::new(format!("bench does not know `{word}`"))),
            }
        }
        if options.parts.is_empty() {
            options.parts = Part::USUAL.to_vec();
        }
        options.parts.extend(large.then_some(Part::Large));
        Ok(options)
    }

    fn wants(&self, part: Part) -> bool {
        self.parts.contains(&part)
    }

    /// The release build of this checkout, unless another binary was named.
    fn binary(&self) -> Result<PathBuf> {
        if let Some(plywood) = &self.plywood {
            return fs::canonicalize(plywood)
                .map_err(Failure::doing(format!("find {}", plywood.display())));
        }
        let mut build = cargo::cargo("build");
        build.args(["--release", "--locked", "--package", "plywood"]);
        let status = build.status().map_err(Failure::doing("run cargo build"))?;
        if !status.success() {
            return Err(Failure::new("plywood does not build"));
        }
        Ok(cargo::target_directory()?.join("release/plywood"))
    }
}

/// A big directory as one layer, against everybody.
fn big(options: &Options, plywood: &Path, report: &mut Report) -> Outcome {
    use Contender::{Buildah, Pigz, Plywood, Umoci};
    let results = side_by_side(BIG, &[Plywood, Pigz, Umoci, Buildah], options, plywood, report)?;
    let of = |contender| results.iter().find(|result| result.contender == contender);
    if let (Some(ours), Some(pigz), Some(umoci)) = (of(Plywood), of(Pigz), of(Umoci)) {
        report.target(Target::at_least("faster than pigz", pigz.seconds() / ours.seconds(), 4.0));
        report.target(Target::at_least("faster than umoci", umoci.seconds() / ours.seconds(), 2.0));
        let size = ours.layers as f64 / pigz.layers as f64;
        report.target(Target::at_most("layer size, to pigz's", size, 1.03));
        report.target(Target::at_most("peak memory at 1 GiB, MB", ours.megabytes(), 100.0));
    }
    Ok(())
}

/// Many small files, against the fastest of the others.
fn many(options: &Options, plywood: &Path, report: &mut Report) -> Outcome {
    use Contender::{Plywood, Umoci};
    let results = side_by_side(MANY, &[Plywood, Umoci], options, plywood, report)?;
    if let [ours, umoci] = results.as_slice() {
        let ratio = umoci.seconds() / ours.seconds();
        report.target(Target::at_least("faster than umoci, small files", ratio, 3.0));
        report.target(Target::at_most("peak memory, small files, MB", ours.megabytes(), 100.0));
    }
    Ok(())
}

/// Memory at four times the size.
fn large(plywood: &Path, report: &mut Report) -> Outcome {
    let context = LARGE.directory()?;
    let run = Contender::Plywood.run(&context, plywood)?;
    let result = Summary::of(Contender::Plywood, &[run]);
    report.heading(LARGE.name);
    report.line(result.contender.name(), &result, None);
    report.target(Target::at_most("peak memory at 4 GiB, MB", result.megabytes(), 100.0));
    Ok(())
}

/// A contender's runs, and what they made.
struct Summary {
    contender: Contender,
    typical: Measured,
    layers: u64,
}

impl Summary {
    fn of(contender: Contender, runs: &[Run]) -> Self {
        Summary {
            contender,
            typical: Measured::typical(&runs.iter().map(|run| run.measured).collect::<Vec<_>>()),
            layers: runs.last().map_or(0, |run| run.layers),
        }
    }

    fn seconds(&self) -> f64 {
        self.typical.wall.as_secs_f64()
    }

    fn megabytes(&self) -> f64 {
        self.typical.peak as f64 / 1e6
    }
}

fn side_by_side(
    workload: Workload,
    contenders: &[Contender],
    options: &Options,
    plywood: &Path,
    report: &mut Report,
) -> Result<Vec<Summary>> {
    let context = workload.directory()?;
    warm_up(&context)?;
    let mut runs: Vec<Vec<Run>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 1..=options.rounds {
        for (contender, runs) in contenders.iter().zip(&mut runs) {
            let run = contender.run(&context, plywood)?;
            let seconds = run.measured.wall.as_secs_f64();
            eprintln!("round {round}: {:<24} {seconds:>7.2} s", contender.name());
            runs.push(run);
        }
    }
    let summaries: Vec<Summary> = contenders
        .iter()
        .zip(&runs)
        .map(|(contender, runs)| Summary::of(*contender, runs))
        .collect();
    report.heading(workload.name);
    for summary in &summaries {
        let first = summaries.first().filter(|first| first.contender != summary.contender);
        report.line(summary.contender.name(), summary, first);
    }
    Ok(summaries)
}

/// Reads everything once, so that nobody's first run pays for the disk.
fn warm_up(directory: &Path) -> Outcome {
    testbed::run(
        program("tar")
            .args(["--create", "--file", "/dev/null", "--directory"])
            .arg(directory)
            .arg("."),
    )
    .and_then(|()| {
        testbed::run(
            program("sh")
                .args(["-c", "find \"$1\" -type f -exec cat {} + > /dev/null", "sh"])
                .arg(directory),
        )
    })
}

/// What a rebuild without change may take.
enum RebuildLimit {
    Seconds(f64),
    /// This many times less than the first build.
    OfFirst(f64),
}

const REBUILDS: usize = 5;

/// Builds and pushes again: without a change, and with one file changed in two ways.
fn rebuild(
    workload: Workload,
    limit: RebuildLimit,
    plywood: &Path,
    report: &mut Report,
) -> Outcome {
    let copy = tempfile::Builder::new()
        .prefix("bench-context-")
        .tempdir()
        .map_err(Failure::doing("make a directory for a context"))?;
    let source = workload.directory()?.join(".");
    measure(program("cp").args(["--recursive", "--preserve"]).arg(source).arg(copy.path()))?;
    let context = copy.path();
    let place = Place::new(plywood)?;
    let first = place.plywood(context)?;

    let repeat = |change: &dyn Fn(usize) -> Outcome| -> Result<Measured> {
        let mut runs = Vec::new();
        for number in 0..REBUILDS {
            change(number)?;
            // A file that was changed a moment ago is read again on the next build, too: its time
            // cannot tell a later change. The figures are about a file that has been at rest.
            std::thread::sleep(Duration::from_millis(50));
            runs.push(place.plywood(context)?);
        }
        Ok(Measured::typical(&runs))
    };
    let touched = context.join("d007/f00700");
    std::thread::sleep(Duration::from_secs(2));
    let unchanged = repeat(&|_| Ok(()))?;
    let longer = repeat(&|_| append(&touched))?;
    let same_size = repeat(&|number| overwrite(&touched, number as u8))?;

    report.heading(&format!("{}: again", workload.name));
    for (name, measured) in [
        ("first build", first),
        ("without change", unchanged),
        ("one file longer", longer),
        ("one file changed", same_size),
    ] {
        report.rebuild(name, measured, first);
    }
    let ratio = |measured: Measured| first.wall.as_secs_f64() / measured.wall.as_secs_f64();
    let name = workload.name;
    report.target(match limit {
        RebuildLimit::Seconds(seconds) => {
            Target::at_most(format!("rebuild of {name}, s"), unchanged.wall.as_secs_f64(), seconds)
        }
        RebuildLimit::OfFirst(times) => {
            Target::at_least(format!("rebuild of {name}, to the first"), ratio(unchanged), times)
        }
    });
    report.target(Target::at_least(format!("{name}, one file longer"), ratio(longer), 5.0));
    report.target(Target::at_least(format!("{name}, one file changed"), ratio(same_size), 5.0));
    if workload.bytes == BIG.bytes {
        let part = 1.0 / ratio(longer);
        report.target(Target::at_most("1 GiB, one file touched, to the first build", part, 0.15));
    }
    Ok(())
}

fn append(path: &Path) -> Outcome {
    fs::OpenOptions::new()
        .append(true)
        .open(path)
        .and_then(|mut file| file.write_all(b"+"))
        .map_err(Failure::doing(format!("append to {}", path.display())))
}

fn overwrite(path: &Path, byte: u8) -> Outcome {
    fs::OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(&[byte]))
        .map_err(Failure::doing(format!("change {}", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(words: &[&str]) -> Result<Options> {
        Options::parse(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options() {
        assert_eq!(parse(&[]).unwrap().parts, Part::USUAL);
        let options = parse(&["many", "--large", "--rounds", "5"]).unwrap();
        assert_eq!((options.parts, options.rounds), (vec![Part::Many, Part::Large], 5));
        assert!(parse(&["--rounds", "0"]).is_err());
        assert!(parse(&["few"]).is_err());
    }
}
