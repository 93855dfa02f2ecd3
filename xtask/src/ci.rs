//! `cargo xtask ci`: everything that must hold before a change goes in.

use std::process::Command;
use std::time::Instant;

use testbed::Failure;

use crate::{Outcome, cargo, test, tidy};

/// A step and how it is run. Lints and tests build the whole workspace with the same features, so
/// that dependencies are compiled once for each.
struct Step {
    name: &'static str,
    run: fn() -> Outcome,
}

const STEPS: &[Step] = &[
    Step { name: "format", run: format },
    Step { name: "tidy", run: || tidy::run(&[]) },
    Step { name: "lints", run: lints },
    Step { name: "documentation", run: documentation },
    Step { name: "tests", run: || test::run(&[]) },
];

/// Runs all steps, also after one that failed: one push should show all that is wrong.
pub fn run(arguments: &[String]) -> Outcome {
    if !arguments.is_empty() {
        return Err(Failure::new("ci takes no arguments"));
    }
    let mut report = Vec::new();
    let mut failed = Vec::new();
    for Step { name, run } in STEPS {
        eprintln!("\n==> {name}");
        let started = Instant::now();
        let outcome = run();
        let seconds = started.elapsed().as_secs_f64();
        let word = if outcome.is_ok() { "ok" } else { "FAILED" };
        if let Err(failure) = outcome {
            eprintln!("error: {failure}");
            failed.push(*name);
        }
        report.push(format!("  {name:<14} {word:<6} {seconds:>7.1} s"));
    }
    eprintln!("\nci:\n{}", report.join("\n"));
    match failed.as_slice() {
        [] => Ok(()),
        failed => Err(Failure::new(format!("failed: {}", failed.join(", ")))),
    }
}

fn format() -> Outcome {
    check(cargo::cargo("fmt").args(["--all", "--check"]))
}

fn lints() -> Outcome {
    let mut clippy = cargo::cargo("clippy");
    clippy.args(["--workspace", "--all-targets", "--locked", "--", "--deny", "warnings"]);
    check(&mut clippy)
}

fn documentation() -> Outcome {
    let mut doc = cargo::cargo("doc");
    doc.args(["--workspace", "--no-deps", "--locked"]).env("RUSTDOCFLAGS", "--deny warnings");
    check(&mut doc)
}

fn check(command: &mut Command) -> Outcome {
    let status = command.status().map_err(Failure::doing("run cargo"))?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("cargo answered {status}"))) }
}
