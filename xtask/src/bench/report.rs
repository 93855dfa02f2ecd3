//! The figures as a table, and the targets that they meet or miss.

use super::Summary;
use super::measure::Measured;
use super::python::Run;
use super::transfer::Moved;

/// Targets, to be printed together when everything has run.
#[derive(Default)]
pub struct Report {
    targets: Vec<Target>,
}

/// A figure and what it should be.
pub struct Target {
    name: String,
    figure: f64,
    limit: Limit,
}

enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Target {
    /// More is better.
    pub fn at_least(name: impl Into<String>, figure: f64, limit: f64) -> Self {
        Target { name: name.into(), figure, limit: Limit::AtLeast(limit) }
    }

    /// Less is better.
    pub fn at_most(name: impl Into<String>, figure: f64, limit: f64) -> Self {
        Target { name: name.into(), figure, limit: Limit::AtMost(limit) }
    }

    fn line(&self) -> String {
        let (met, wanted) = match self.limit {
            Limit::AtLeast(limit) => (self.figure >= limit, format!("≥ {limit}")),
            Limit::AtMost(limit) => (self.figure <= limit, format!("≤ {limit}")),
        };
        let word = if met { "PASS" } else { "FAIL" };
        format!("  {word}  {:<52} {:>8.2}  {wanted}", self.name, self.figure)
    }
}

impl Report {
    /// Begins the table of one workload.
    pub fn heading(&self, workload: &str) {
        println!("\n{workload}");
        println!(
            "  {:<24} {:>9} {:>8} {:>8} {:>10} {:>10}",
            "", "seconds", "ratio", "cpu s", "layer MB", "peak MB"
        );
    }

    /// One contender; `first` is the one that it is compared with.
    pub fn line(&self, name: &str, summary: &Summary, first: Option<&Summary>) {
        let ratio = first.map(|first| format!("{:.2}×", summary.seconds() / first.seconds()));
        println!(
            "  {name:<24} {:>9.2} {:>8} {:>8.2} {:>10.1} {:>10.1}",
            summary.seconds(),
            ratio.unwrap_or_default(),
            summary.typical.processor.as_secs_f64(),
            summary.layers as f64 / 1e6,
            summary.megabytes(),
        );
    }

    /// One rebuild; the ratio is how many times faster it was than the first build.
    pub fn rebuild(&self, name: &str, measured: Measured, first: Measured) {
        println!(
            "  {name:<24} {:>9.3} {:>7.1}× {:>8.2} {:>10} {:>10.1}",
            measured.wall.as_secs_f64(),
            first.wall.as_secs_f64() / measured.wall.as_secs_f64(),
            measured.processor.as_secs_f64(),
            "",
            measured.peak as f64 / 1e6,
        );
    }

    /// Begins the table of one way of moving images.
    pub fn transfer_heading(&self, workload: &str) {
        println!("\n{workload}");
        println!(
            "  {:<24} {:>9} {:>8} {:>8} {:>10} {:>10} {:>10}",
            "", "seconds", "ratio", "cpu s", "requests", "blobs", "peak MB"
        );
    }

    /// One who moves them; `first` is the one that it is compared with.
    pub fn transfer(&self, name: &str, moved: &Moved, first: Option<&Moved>) {
        let ratio = first.map(|first| format!("{:.2}×", moved.seconds() / first.seconds()));
        println!(
            "  {name:<24} {:>9.3} {:>8} {:>8.2} {:>10} {:>10} {:>10.1}",
            moved.seconds(),
            ratio.unwrap_or_default(),
            moved.measured.processor.as_secs_f64(),
            moved.requests,
            moved.blobs,
            moved.measured.peak as f64 / 1e6,
        );
    }

    /// Begins the table of one way to packages.
    pub fn installer_heading(&self, workload: &str) {
        println!("\n{workload}");
        println!("  {:<60} {:^16} {:^25}", "", "index", "registry");
        println!(
            "  {:<20} {:>7} {:>7} {:>6} {:>8} {:>7} {:>8} {:>7} {:>8} {:>8} {:>7}",
            "",
            "seconds",
            "ratio",
            "cpu s",
            "made MB",
            "peak MB",
            "requests",
            "down MB",
            "requests",
            "down MB",
            "up MB",
        );
    }

    /// One who installs them; `first` is the one that it is compared with.
    pub fn installer(&self, name: &str, run: &Run, first: Option<&Run>) {
        let ratio = first.map(|first| format!("{:.2}×", run.seconds() / first.seconds()));
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        println!(
            "  {name:<20} {:>7.3} {:>7} {:>6.2} {:>8.1} {:>7.1} {:>8} {:>7.1} {:>8} {:>8.1} {:>7.1}",
            run.seconds(),
            ratio.unwrap_or_default(),
            run.measured.processor.as_secs_f64(),
            megabytes(run.made),
            run.megabytes(),
            run.index.requests,
            megabytes(run.index.down),
            run.registry.requests,
            megabytes(run.registry.down),
            megabytes(run.registry.up),
        );
    }

    /// Remembers a target.
    pub fn target(&mut self, target: Target) {
        self.targets.push(target);
    }

    /// Prints all targets.
    pub fn print_targets(&self) {
        println!("\ntargets");
        for target in &self.targets {
            println!("{}", target.line());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_met_or_missed() {
        let line = Target::at_least("faster", 4.5, 4.0).line();
        assert!(line.contains("PASS") && line.ends_with("4.50  ≥ 4"), "{line}");
        let line = Target::at_most("memory", 101.0, 100.0).line();
        assert!(line.contains("FAIL") && line.ends_with("101.00  ≤ 100"), "{line}");
    }
}
