//! `cargo xtask test`: the tests that need nothing but Rust, then those that other programs judge.
//!
//! A test target named `oracles` is judged by other programs; a line `//! Needs: skopeo, umoci.` in
//! it says by which, and without one it is by all of them. Where a program is missing, that target
//! is left out and the end of the output says so; with `CI=true` it is a failure.
//!
//! Whatever was said meanwhile, by tests that passed, too, is looked through for secrets.

mod secrets;

use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use serde_json::Value;
use testbed::oracle::{CPYTHON, ORACLES, ROOT, is_root};
use testbed::{Cpython, Failure, Oracle, Result, record, stdout};

use crate::{Outcome, cargo};
use secrets::Evidence;

const ORACLE_TARGET: &str = "oracles";

pub fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err(Failure::new("test takes no arguments; `cargo test` does"));
    }
    let runner = if cargo::has("nextest") { Runner::Nextest } else { Runner::Cargo };
    let targets = Targets::of(&cargo::packages()?)?;
    let (judged, left_out): (Vec<_>, Vec<_>) =
        targets.oracles.iter().partition(|target| target.missing().is_empty());

    let mut evidence = Evidence::new()?;
    let mut phases = vec![
        runner.hermetic(&targets.hermetic, &mut evidence)?,
        documentation_tests(&mut evidence)?,
    ];
    if !judged.is_empty() {
        phases.push(runner.oracles(&judged, &left_out, &mut evidence)?);
    }
    let leaks = evidence.search();
    let left_out_tests = report_left_out(&left_out)?;
    report(&phases, left_out_tests);

    let mut failed: Vec<_> =
        phases.iter().filter(|phase| !phase.succeeded).map(|phase| phase.name).collect();
    match leaks {
        Ok(looked_at) => eprintln!("secrets: none in {looked_at}"),
        Err(leaks) => {
            eprintln!("secrets: {leaks}");
            failed.push("secrets");
        }
    }
    if !failed.is_empty() {
        return Err(Failure::new(format!("failed: {}", failed.join(", "))));
    }
    let in_ci = std::env::var("CI").is_ok_and(|value| value == "true");
    if in_ci && !left_out.is_empty() {
        return Err(Failure::new(format!(
            "{left_out_tests} tests were left out, which CI does not accept"
        )));
    }
    Ok(())
}

/// The workspace's integration tests.
struct Targets {
    /// Names of those that need no other program.
    hermetic: Vec<String>,
    /// Those that do.
    oracles: Vec<OracleTarget>,
}

/// A test target that other programs judge.
struct OracleTarget {
    package: String,
    source: PathBuf,
    /// Names of programs, [`ROOT`] or [`CPYTHON`].
    needs: Vec<String>,
}

impl Targets {
    /// Fails where a target needs what no table knows: it would be left out on every machine.
    fn of(packages: &[Value]) -> Result<Self> {
        let mut targets = Targets { hermetic: Vec::new(), oracles: Vec::new() };
        for package in packages {
            let all = package["targets"].as_array().into_iter().flatten();
            for target in all.filter(|target| target["kind"][0] == "test") {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                if target["name"] != ORACLE_TARGET {
                    targets.hermetic.push(text(&target["name"]));
                    continue;
                }
                let source = PathBuf::from(text(&target["src_path"]));
                let needs = needs(&std::fs::read_to_string(&source).unwrap_or_default());
                let package = text(&package["name"]);
                if let Some(unknown) = needs.iter().find(|need| !is_known(need)) {
                    return Err(Failure::new(format!(
                        "{} needs {unknown}, which is not in the table of oracles",
                        source.display()
                    )));
                }
                targets.oracles.push(OracleTarget { package, source, needs });
            }
        }
        targets.hermetic.sort();
        targets.hermetic.dedup();
        Ok(targets)
    }
}

fn is_known(need: &str) -> bool {
    need == ROOT || need == CPYTHON || Oracle::named(need).is_some()
}

/// Reads the line `//! Needs: a, b.`; without one, everything is needed.
fn needs(source: &str) -> Vec<String> {
    let line = source.lines().find_map(|line| line.strip_prefix("//! Needs: "));
    match line {
        Some(names) => names.trim_end_matches('.').split(", ").map(str::to_owned).collect(),
        None => ORACLES
            .iter()
            .map(|oracle| oracle.program)
            .chain([ROOT, CPYTHON])
            .map(str::to_owned)
            .collect(),
    }
}

impl OracleTarget {
    /// What of its needs this machine does not have.
    fn missing(&self) -> Vec<&str> {
        let has = |need: &str| match need {
            ROOT => is_root(),
            CPYTHON => Cpython::found().is_some(),
            program => Oracle::named(program).is_some_and(Oracle::present),
        };
        self.needs.iter().map(String::as_str).filter(|need| !has(need)).collect()
    }

    fn tests(&self) -> Result<Vec<String>> {
        let mut list = cargo::cargo("test");
        list.args(["--quiet", "--locked", "--package", &self.package, "--test", ORACLE_TARGET]);
        let listed = stdout(list.args(["--", "--list", "--format", "terse"]))?;
        Ok(listed
            .lines()
            .filter_map(|line| line.strip_suffix(": test"))
            .map(str::to_owned)
            .collect())
    }
}

/// What runs tests: nextest where it is installed, for it runs them all in parallel.
#[derive(Clone, Copy)]
enum Runner {
    Nextest,
    Cargo,
}

impl Runner {
    fn hermetic(self, targets: &[String], evidence: &mut Evidence) -> Result<Phase> {
        let mut command = self.command();
        command.arg("--workspace");
        match self {
            Runner::Nextest => {
                command.args(["-E", &format!("not binary(={ORACLE_TARGET})")]);
            }
            Runner::Cargo => {
                command.args(["--lib", "--bins"]);
                command.args(targets.iter().flat_map(|target| ["--test", target]));
                command.args(SHOWING_ALL);
            }
        }
        self.run("hermetic", &mut command, evidence)
    }

    /// Runs `targets`. It is the whole workspace again, and not their packages, so that nothing is
    /// built with other features than before.
    fn oracles(
        self,
        targets: &[&OracleTarget],
        left_out: &[&OracleTarget],
        evidence: &mut Evidence,
    ) -> Result<Phase> {
        let mut command = self.command();
        command.arg("--workspace");
        match self {
            Runner::Nextest => {
                let packages: Vec<_> =
                    targets.iter().map(|target| format!("package(={})", target.package)).collect();
                let filter = format!("binary(={ORACLE_TARGET}) & ({})", packages.join(" | "));
                command.args(["-E", &filter]);
            }
            Runner::Cargo => {
                command.args(left_out.iter().flat_map(|target| ["--exclude", &target.package]));
                command.args(["--test", ORACLE_TARGET]);
                command.args(SHOWING_ALL);
            }
        }
        self.run("oracles", &mut command, evidence)
    }

    fn run(
        self,
        name: &'static str,
        command: &mut Command,
        evidence: &mut Evidence,
    ) -> Result<Phase> {
        match self {
            // Its report has what each test said; on the screen are only those that failed.
            Runner::Nextest => {
                let report = cargo::root().join(NEXTEST_REPORT);
                let _ = std::fs::remove_file(&report);
                let phase = Phase::run(name, command, evidence)?;
                evidence.hear(name, std::fs::read_to_string(&report).unwrap_or_default());
                Ok(phase)
            }
            Runner::Cargo => Phase::run(name, command, evidence),
        }
    }

    fn command(self) -> Command {
        match self {
            Runner::Nextest => {
                let mut command = cargo::cargo("nextest");
                command.args(["run", "--locked", "--no-fail-fast", "--no-tests=pass"]);
                command.args(["--profile", "default"]);
                command
            }
            Runner::Cargo => {
                let mut command = cargo::cargo("test");
                command.args(["--locked", "--no-fail-fast"]);
                command
            }
        }
    }
}

/// Makes libtest show what tests said that passed.
const SHOWING_ALL: [&str; 2] = ["--", "--show-output"];

/// Where nextest puts what tests said, as `.config/nextest.toml` tells it: in the workspace, whatever
/// directory cargo builds in.
const NEXTEST_REPORT: &str = "target/nextest/default/junit.xml";

fn documentation_tests(evidence: &mut Evidence) -> Result<Phase> {
    let mut command = cargo::cargo("test");
    command.args(["--workspace", "--locked", "--no-fail-fast", "--doc"]).args(SHOWING_ALL);
    Phase::run("documentation", &mut command, evidence)
}

/// One run of a test runner, and what it counted.
struct Phase {
    name: &'static str,
    succeeded: bool,
    counts: Counts,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
struct Counts {
    passed: u64,
    failed: u64,
    ignored: u64,
}

impl Phase {
    /// Runs `command`, shows what it writes as it comes, and counts by its summaries.
    fn run(name: &'static str, command: &mut Command, evidence: &mut Evidence) -> Result<Phase> {
        eprintln!("\n--> {name} tests");
        if std::io::stderr().is_terminal() {
            command.env("CARGO_TERM_COLOR", "always");
        }
        let doing = "run cargo";
        let mut child = command
            .env(record::VARIABLE, evidence.record())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(Failure::doing(doing))?;
        let counts = Mutex::new(Counts::default());
        let (out, err) = (child.stdout.take(), child.stderr.take());
        let heard = std::thread::scope(|scope| {
            let streams = [
                scope.spawn(|| show(out, std::io::stdout(), &counts)),
                scope.spawn(|| show(err, std::io::stderr(), &counts)),
            ];
            streams.map(|stream| stream.join().unwrap_or_default())
        });
        let status = child.wait().map_err(Failure::doing(doing))?;
        evidence.hear(name, heard.concat());
        let counts = counts.into_inner().unwrap_or_default();
        Ok(Phase { name, succeeded: status.success(), counts })
    }
}

/// Shows what comes, and returns all of it.
fn show(from: Option<impl Read>, mut to: impl Write, counts: &Mutex<Counts>) -> String {
    let mut all = String::new();
    let Some(from) = from else { return all };
    for line in BufReader::new(from).split(b'\n').map_while(|line| line.ok()) {
        let line = String::from_utf8_lossy(&line);
        let _ = writeln!(to, "{line}");
        if let (Some(found), Ok(mut counts)) = (Counts::in_line(&line), counts.lock()) {
            counts.add(found);
        }
        all.push_str(&without_colour(&line));
        all.push('\n');
    }
    all
}

impl Counts {
    fn add(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.ignored += other.ignored;
    }

    /// Reads the summary of libtest (`test result: ok. 3 passed; 0 failed; …`) and of nextest
    /// (`Summary [ 1.2s] 3 tests run: 3 passed (1 slow), 1 skipped`). What nextest skips was not
    /// asked for, or is marked `#[ignore]`: it cannot tell which, so it is not counted.
    fn in_line(line: &str) -> Option<Counts> {
        let plain = without_colour(line);
        let libtest = plain.starts_with("test result: ");
        let nextest = plain.trim_start().starts_with("Summary [");
        if !libtest && !nextest {
            return None;
        }
        let words: Vec<&str> =
            plain.split([' ', ';', ',', ':']).filter(|word| !word.is_empty()).collect();
        let before = |names: &[&str]| {
            let pairs = words.windows(2).filter(|pair| names.contains(&pair[1]));
            pairs.filter_map(|pair| pair[0].parse::<u64>().ok()).sum()
        };
        Some(Counts {
            passed: before(&["passed"]),
            failed: before(&["failed", "timed"]),
            ignored: before(&["ignored"]),
        })
    }
}

/// Takes out the escape sequences `ESC [ … m`.
fn without_colour(line: &str) -> String {
    let mut pieces = line.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |plain, piece| plain + piece.split_once('m').map_or(piece, |(_, rest)| rest))
}

/// Says loudly which tests were not run, and why; gives their number.
fn report_left_out(targets: &[&OracleTarget]) -> Result<usize> {
    let mut number = 0;
    for target in targets {
        let tests = target.tests()?;
        eprintln!(
            "\n*** LEFT OUT: {} tests of {} ({}), because this machine lacks: {}",
            tests.len(),
            target.package,
            target.source.strip_prefix(cargo::root()).unwrap_or(&target.source).display(),
            target.missing().join(", "),
        );
        for test in &tests {
            eprintln!("      {test}");
        }
        number += tests.len();
    }
    if number > 0 {
        eprintln!("*** `cargo xtask oracles`, as root, installs what is missing on Debian.");
    }
    Ok(number)
}

/// The summary of all phases, last on the screen, ending in libtest's own form.
fn report(phases: &[Phase], left_out: usize) {
    eprintln!("\ntests:");
    let mut total = Counts::default();
    for Phase { name, succeeded, counts } in phases {
        let word = if *succeeded { "ok" } else { "FAILED" };
        let Counts { passed, failed, ignored } = counts;
        eprintln!("  {name:<14} {word:<6} {passed} passed; {failed} failed; {ignored} ignored");
        total.add(*counts);
    }
    let succeeded = phases.iter().all(|phase| phase.succeeded);
    eprintln!(
        "test result: {}. {} passed; {} failed; {} ignored; {left_out} left out",
        if succeeded { "ok" } else { "FAILED" },
        total.passed,
        total.failed,
        total.ignored,
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_counted() {
        let check = |line: &str, passed, failed, ignored| {
            assert_eq!(Counts::in_line(line), Some(Counts { passed, failed, ignored }), "{line}");
        };
        check(
            "test result: ok. 12 passed; 0 failed; 2 ignored; 0 measured; 0 filtered out",
            12,
            0,
            2,
        );
        check("test result: \u{1b}[31mFAILED\u{1b}[0m. 1 passed; 3 failed; 0 ignored", 1, 3, 0);
        check("     Summary [   0.013s] 5 tests run: 5 passed, 1 skipped", 5, 0, 0);
        check(
            "     Summary [  61.2s] 9 tests run: 6 passed (2 slow), 2 failed, 1 timed out",
            6,
            3,
            0,
        );
        assert_eq!(Counts::in_line("test a ... ok"), None);
    }

    #[test]
    fn needs_are_read_from_the_source() {
        let source = "//! Judges.\n//!\n//! Needs: skopeo, root.\n\nuse x;\n";
        assert_eq!(needs(source), ["skopeo", "root"]);
        // Every program, root, and the Python.
        assert_eq!(needs("//! Judges.\n").len(), ORACLES.len() + 2);
    }

    #[test]
    fn targets_are_told_apart_by_name() {
        let packages = serde_json::json!([{ "name": "store", "targets": [
            { "kind": ["lib"], "name": "store", "src_path": "/s/src/lib.rs" },
            { "kind": ["test"], "name": "oracles", "src_path": "/s/tests/oracles.rs" },
            { "kind": ["test"], "name": "crash", "src_path": "/s/tests/crash.rs" },
        ]}]);
        let targets = Targets::of(packages.as_array().unwrap()).unwrap();
        assert_eq!(targets.hermetic, ["crash"]);
        assert_eq!(targets.oracles[0].package, "store");
    }
}
