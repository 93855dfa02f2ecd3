//! Time and memory of a program.

use std::process::Command;
use std::time::{Duration, Instant};

use testbed::{Failure, Result, run};

/// What a program took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// From start to end.
    pub wall: Duration,
    /// What processors spent on it: on a busy machine this says more.
    pub processor: Duration,
    /// The most memory that it, or one of its children, held at a time, in bytes.
    pub peak: u64,
}

impl Measured {
    /// The medians of the times, and the highest peak.
    pub fn typical(runs: &[Measured]) -> Measured {
        Measured {
            wall: median(runs.iter().map(|run| run.wall)).unwrap_or_default(),
            processor: median(runs.iter().map(|run| run.processor)).unwrap_or_default(),
            peak: runs.iter().map(|run| run.peak).max().unwrap_or_default(),
        }
    }

    /// This and then that.
    pub fn and(self, next: Measured) -> Measured {
        Measured {
            wall: self.wall + next.wall,
            processor: self.processor + next.processor,
            peak: self.peak.max(next.peak),
        }
    }
}

/// Runs a command under GNU time, which knows the peak of the resident set and the processor time.
pub fn measure(command: &mut Command) -> Result<Measured> {
    let report = tempfile::NamedTempFile::new().map_err(Failure::doing("make a file"))?;
    let mut timed = Command::new("time");
    timed.args(["--format", "%M %U %S", "--output"]).arg(report.path());
    timed.arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        timed.current_dir(directory);
    }
    timed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let started = Instant::now();
    run(&mut timed)?;
    let wall = started.elapsed();
    let doing = "read time's report";
    let text = std::fs::read_to_string(report.path()).map_err(Failure::doing(doing))?;
    let figures: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    let [kibibytes, user, system] = figures[..] else {
        return Err(Failure::new(format!("time reported {text:?}")));
    };
    let processor = Duration::from_secs_f64(user + system);
    Ok(Measured { wall, processor, peak: kibibytes as u64 * 1_024 })
}

/// Runs everybody in turn, so many times, so that a busy minute of the machine hits all alike: the
/// runs of each.
pub fn interleaved<C: Copy, R>(
    contenders: &[C],
    rounds: usize,
    run_once: impl Fn(C, usize) -> Result<R>,
) -> Result<Vec<Vec<R>>> {
    let mut runs: Vec<Vec<R>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 1..=rounds {
        for (contender, runs) in contenders.iter().zip(&mut runs) {
            runs.push(run_once(*contender, round)?);
        }
    }
    Ok(runs)
}

/// The middle of the sorted values; of two in the middle the smaller.
fn median<T: Copy + Ord>(values: impl IntoIterator<Item = T>) -> Option<T> {
    let mut values: Vec<T> = values.into_iter().collect();
    values.sort_unstable();
    values.get(values.len().saturating_sub(1) / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians() {
        assert_eq!(median([3, 1, 2]), Some(2));
        assert_eq!(median([4, 1, 2, 3]), Some(2));
        assert_eq!(median::<u8>([]), None);
    }
}
