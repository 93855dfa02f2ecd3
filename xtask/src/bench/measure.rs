//! Time and memory of a program.

use std::process::Command;
use std::time::{Duration, Instant};

use testbed::{Failure, Result, run};

/// What a program took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measured {
    /// From start to end.
    pub wall: Duration,
    /// The most memory that it, or one of its children, held at a time, in bytes.
    pub peak: u64,
}

impl Measured {
    /// This and then that.
    pub fn and(self, next: Measured) -> Measured {
        Measured { wall: self.wall + next.wall, peak: self.peak.max(next.peak) }
    }
}

/// Runs a command under GNU time, which knows the peak of the resident set.
pub fn measure(command: &mut Command) -> Result<Measured> {
    let report = tempfile::NamedTempFile::new().map_err(Failure::doing("make a file"))?;
    let mut timed = Command::new("time");
    timed.args(["--format", "%M", "--output"]).arg(report.path());
    timed.arg(command.get_program()).args(command.get_args());
    if let Some(directory) = command.get_current_dir() {
        timed.current_dir(directory);
    }
    timed.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let started = Instant::now();
    run(&mut timed)?;
    let wall = started.elapsed();
    let text =
        std::fs::read_to_string(report.path()).map_err(Failure::doing("read time's report"))?;
    let kibibytes: u64 = text.trim().parse().map_err(Failure::doing("read time's report"))?;
    Ok(Measured { wall, peak: kibibytes * 1_024 })
}

/// The middle of the sorted values; of two in the middle the smaller.
pub fn median<T: Copy + Ord>(values: impl IntoIterator<Item = T>) -> Option<T> {
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
