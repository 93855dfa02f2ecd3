//! Two trees that ought to be one, path by path, with exceptions that are named.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::{Failure, Result, Tree};

/// One of two trees, and what it is called.
#[derive(Debug, Clone)]
pub struct Side {
    name: &'static str,
    root: PathBuf,
    tree: Tree,
}

/// Where two trees differ.
#[derive(Debug, Clone)]
pub struct Comparison {
    differences: BTreeMap<String, String>,
    excused: BTreeMap<&'static str, usize>,
    paths: usize,
}

/// How many paths a report shows.
const SHOWN: usize = 60;

impl Side {
    /// Reads the tree at `root`.
    pub fn read(name: &'static str, root: &Path) -> Result<Self> {
        Ok(Side { name, root: root.to_owned(), tree: Tree::read(root)? })
    }

    /// The tree.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }
}

impl Comparison {
    /// All differences. Of files of text the first line that differs is told, too.
    pub fn of(one: &Side, other: &Side) -> Self {
        let mut differences = one.tree.differences(&other.tree, one.name, other.name);
        for (path, words) in &mut differences {
            if let Some(line) = first_difference(&one.root.join(path), &other.root.join(path)) {
                words.push_str(&line);
            }
        }
        Comparison { differences, excused: BTreeMap::new(), paths: one.tree.0.len() }
    }

    /// Excuses differences at paths that `holds` for; `why` stands in the report.
    pub fn except(mut self, why: &'static str, holds: impl Fn(&str) -> bool) -> Self {
        let before = self.differences.len();
        self.differences.retain(|path, _| !holds(path));
        self.excused.insert(why, before - self.differences.len());
        self
    }

    /// Paths that differ and are not excused, and how.
    pub fn differences(&self) -> &BTreeMap<String, String> {
        &self.differences
    }

    /// Succeeds if nothing differs but what is excused, and every excuse was needed.
    pub fn demand_equal(&self) -> Result {
        let needless = self.excused.values().any(|count| *count == 0);
        if self.differences.is_empty() && !needless {
            return Ok(());
        }
        Err(Failure::new(self.to_string()))
    }
}

/// The first line of text that differs, on both sides.
fn first_difference(one: &Path, other: &Path) -> Option<String> {
    let read = |path: &Path| {
        let is_file = fs::symlink_metadata(path).ok()?.is_file();
        is_file.then(|| fs::read_to_string(path).ok()).flatten()
    };
    let (one, other) = (read(one)?, read(other)?);
    let mut theirs = other.split('\n');
    let mut number = 0;
    for mine in one.split('\n') {
        number += 1;
        let their = theirs.next();
        if Some(mine) != their {
            let their = their.map_or("nothing".to_owned(), shortened);
            return Some(format!("; line {number}: {} and {their}", shortened(mine)));
        }
    }
    theirs.next().map(|their| format!("; line {}: nothing and {}", number + 1, shortened(their)))
}

/// A line with its control characters visible.
fn shortened(line: &str) -> String {
    let start: String = line.chars().take(100).collect();
    format!("{start:?}")
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} of {} paths differ:", self.differences.len(), self.paths)?;
        for (path, words) in self.differences.iter().take(SHOWN) {
            writeln!(f, "  {path}: {words}")?;
        }
        if self.differences.len() > SHOWN {
            let mut below: BTreeMap<&str, usize> = BTreeMap::new();
            for path in self.differences.keys().skip(SHOWN) {
                let end = path.match_indices('/').nth(4).map_or(path.len(), |(at, _)| at);
                *below.entry(&path[..end]).or_default() += 1;
            }
            writeln!(f, "  and {} more:", self.differences.len() - SHOWN)?;
            for (directory, count) in below {
                writeln!(f, "  {directory}: {count}")?;
            }
        }
        for (why, count) in &self.excused {
            writeln!(f, "excused {count}: {why}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn excuses_are_counted_and_needed() {
        let directory = tempfile::tempdir().unwrap();
        let (ours, theirs) = (directory.path().join("ours"), directory.path().join("theirs"));
        for (root, text) in [(&ours, "a\nb\n"), (&theirs, "a\nb\r\n")] {
            fs::create_dir(root).unwrap();
            fs::write(root.join("RECORD"), text).unwrap();
            fs::write(root.join("same"), "same").unwrap();
        }
        fs::write(ours.join("x.pyc"), "").unwrap();
        let read = |name, root: &Path| Side::read(name, root).unwrap();
        let all = Comparison::of(&read("ours", &ours), &read("theirs", &theirs));
        assert_eq!(all.differences().keys().collect::<Vec<_>>(), ["RECORD", "x.pyc"]);
        assert!(all.to_string().contains(r#"; line 2: "b" and "b\r""#), "{all}");
        let bytecode = |path: &str| path.ends_with(".pyc");
        let failure = all.clone().except("bytecode", bytecode).demand_equal().unwrap_err();
        assert!(failure.to_string().starts_with("1 of 3 paths differ"), "{failure}");
        let some = all.except("bytecode", bytecode).except("line ends", |path| path == "RECORD");
        some.demand_equal().unwrap();
        let needless = some.except("nothing like it", |_| true).demand_equal().unwrap_err();
        assert!(needless.to_string().contains("excused 0: nothing like it"), "{needless}");
    }
}
