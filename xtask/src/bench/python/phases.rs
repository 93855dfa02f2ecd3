//! Of what a build's time is made, by the steps that it tells of.

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::Instant;

use serde_json::Value;
use testbed::{Failure, Result};

/// The steps of one build, in the order in which they ended.
pub struct Phases {
    steps: Vec<Step>,
    total: f64,
}

/// From when to when, in seconds since the program was started.
struct Step {
    name: String,
    from: f64,
    to: f64,
}

impl Phases {
    /// Runs a build with `--progress json`, and takes the time of each line.
    pub fn of(build: &mut Command) -> Result<Self> {
        let doing = "run plywood";
        build.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let start = Instant::now();
        let mut child = build.spawn().map_err(Failure::doing(doing))?;
        let mut lines = Vec::new();
        for line in child.stderr.take().map(BufReader::new).into_iter().flat_map(BufRead::lines) {
            lines.push((start.elapsed().as_secs_f64(), line.map_err(Failure::doing(doing))?));
        }
        let status = child.wait().map_err(Failure::doing(doing))?;
        let total = start.elapsed().as_secs_f64();
        if !status.success() {
            let said: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
            return Err(Failure::new(format!("plywood answered {status}\n{}", said.join("\n"))));
        }
        Ok(Phases { steps: steps(&lines), total })
    }

    /// Seconds from start to end.
    pub fn total(&self) -> f64 {
        self.total
    }

    /// Seconds of those steps that lay layers of packages.
    pub fn laying(&self) -> Result<f64> {
        let laying = self.steps.iter().filter(|step| step.name.starts_with(LAYING));
        let seconds: f64 = laying.map(|step| step.to - step.from).sum();
        if seconds > 0.0 { Ok(seconds) } else { Err(Failure::new("no step laid packages")) }
    }

    /// Prints when each step began and how long it took, and how long there was none.
    pub fn print(&self, heading: &str) {
        println!("\n{heading}");
        println!("  {:>9} {:>9}", "from, s", "seconds");
        let mut by_start: Vec<&Step> = self.steps.iter().collect();
        by_start.sort_by(|one, other| one.from.total_cmp(&other.from));
        for Step { name, from, to } in &by_start {
            println!("  {from:>9.3} {:>9.3}  {name}", to - from);
        }
        println!("  {:>9} {:>9.3}  outside of all steps", "", self.total - covered(&by_start));
        println!("  {:>9} {:>9.3}  in all", "", self.total);
    }
}

/// How the names of steps that lay packages begin.
const LAYING: &str = "PYTHON ";

fn steps(lines: &[(f64, String)]) -> Vec<Step> {
    let mut starts: HashMap<u64, (f64, String)> = HashMap::new();
    let mut steps = Vec::new();
    for (at, line) in lines {
        let Ok(event) = serde_json::from_str::<Value>(line) else { continue };
        let Some(number) = event["step"].as_u64() else { continue };
        let name = event["name"].as_str().unwrap_or_default().to_owned();
        match event["event"].as_str() {
            Some("started") => {
                starts.insert(number, (*at, name));
            }
            Some("finished") => {
                let (from, name) = starts.remove(&number).unwrap_or((*at, name));
                steps.push(Step { name, from, to: *at });
            }
            _ => {}
        }
    }
    steps
}

/// How long there was at least one step; they are sorted by their starts.
fn covered(steps: &[&Step]) -> f64 {
    let (mut covered, mut until) = (0.0, 0.0_f64);
    for step in steps {
        covered += (step.to - step.from.max(until)).max(0.0);
        until = until.max(step.to);
    }
    covered
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_overlap() {
        let lines = [
            (0.5, r#"{"event":"started","step":1,"name":"resolve"}"#),
            (0.75, r#"{"event":"started","step":2,"name":"read"}"#),
            (1.0, r#"{"event":"finished","step":1,"name":"resolve","outcome":"done"}"#),
            (1.5, r#"{"event":"finished","step":2,"name":"read","outcome":"done"}"#),
            (2.0, r#"{"event":"finished","step":3,"name":"lay","outcome":"cached"}"#),
            (2.0, "no JSON"),
        ];
        let steps = steps(&lines.map(|(at, line)| (at, line.to_owned())));
        let told: Vec<_> =
            steps.iter().map(|step| (step.name.as_str(), step.from, step.to)).collect();
        assert_eq!(told, [("resolve", 0.5, 1.0), ("read", 0.75, 1.5), ("lay", 2.0, 2.0)]);
        assert_eq!(covered(&steps.iter().collect::<Vec<_>>()), 1.0);
    }
}
