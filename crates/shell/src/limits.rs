//! What evaluation may use up.

use crate::stop::{Limit, Stop};

/// Bounds of one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Commands, iterations and expansions, each counted as it is begun.
    pub steps: u64,
    /// Bytes that are held: written to files and pipes, read from files, assigned to variables.
    pub bytes: u64,
    /// Functions, subshells, substitutions and programs inside of each other.
    pub depth: u64,
    /// Files, directories and links that are made or changed.
    pub files: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { steps: 2_000_000, bytes: 256 << 20, depth: 200, files: 500_000 }
    }
}

/// What is left of [`Limits`].
#[derive(Debug, Clone)]
pub struct Budget {
    limits: Limits,
    steps: u64,
    bytes: u64,
    depth: u64,
}

impl Budget {
    /// Nothing used up yet.
    pub fn new(limits: Limits) -> Self {
        Budget { limits, steps: 0, bytes: 0, depth: 0 }
    }

    /// One more command, iteration or expansion.
    pub fn step(&mut self) -> Result<(), Stop> {
        self.steps += 1;
        within("the number of commands", self.steps, self.limits.steps)
    }

    /// So many more bytes are held.
    pub fn hold(&mut self, bytes: usize) -> Result<(), Stop> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        within("the number of bytes read and written", self.bytes, self.limits.bytes)
    }

    /// One level deeper; [`Budget::leave`] comes back.
    pub fn enter(&mut self) -> Result<(), Stop> {
        self.depth += 1;
        within("the depth of calls", self.depth, self.limits.depth)
    }

    /// One level up.
    pub fn leave(&mut self) {
        self.depth = self.depth.saturating_sub(1);
    }
}

pub(crate) fn within(what: &'static str, used: u64, most: u64) -> Result<(), Stop> {
    if used <= most { Ok(()) } else { Err(Stop::Limit(Limit { what, most, line: None })) }
}
