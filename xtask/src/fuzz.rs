//! `cargo xtask fuzz`: runs every fuzz target of `fuzz/` for a while.

use std::process::Command;

use testbed::{Failure, Result, stdout};

use crate::{Outcome, cargo};

pub fn run(arguments: &[String]) -> Outcome {
    let (seconds, wanted) = match arguments {
        [] => (60, None),
        [seconds] => (parse_seconds(seconds)?, None),
        [seconds, target] => (parse_seconds(seconds)?, Some(target.as_str())),
        _ => return Err(Failure::new("fuzz takes the seconds for each target, and one target")),
    };
    let listed = stdout(fuzz("list").current_dir(cargo::root()))?;
    let targets: Vec<_> =
        listed.lines().filter(|target| wanted.is_none_or(|wanted| wanted == *target)).collect();
    if targets.is_empty() {
        return Err(Failure::new(format!("there is no such fuzz target; these are:\n{listed}")));
    }
    let mut crashed = Vec::new();
    for target in &targets {
        println!("fuzzing {target} for {seconds} s");
        let limit = format!("-max_total_time={seconds}");
        let status = fuzz("run")
            .current_dir(cargo::root())
            .args([target, "--", &limit, "-timeout=10", "-rss_limit_mb=2048"])
            .status()
            .map_err(Failure::doing("run cargo fuzz"))?;
        if !status.success() {
            crashed.push(*target);
        }
    }
    if crashed.is_empty() {
        println!("{} targets, {seconds} s each, no crash", targets.len());
        return Ok(());
    }
    Err(Failure::new(format!("crashed: {} (inputs are in fuzz/artifacts)", crashed.join(", "))))
}

/// libFuzzer's instrumentation is only in nightly compilers; rustup's `cargo` chooses one.
fn fuzz(subcommand: &str) -> Command {
    let mut command = Command::new("cargo");
    for set_by_stable in ["CARGO", "RUSTC", "RUSTUP_TOOLCHAIN"] {
        command.env_remove(set_by_stable);
    }
    command.args(["+nightly", "fuzz", subcommand]);
    command
}

fn parse_seconds(text: &str) -> Result<u32> {
    text.parse().map_err(|_| Failure::new(format!("`{text}` is no number of seconds")))
}
