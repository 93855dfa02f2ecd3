//! The list of programs that users read is the list of programs that there are.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::BTreeSet;

#[test]
fn every_program_is_in_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/run.md");
    let text = std::fs::read_to_string(path).unwrap();
    let section = text.split("## The programs").nth(1).unwrap().split("\n## ").next().unwrap();
    // What the shell does not know itself is told of in one item.
    let own = section.split("- Debian's own:").next().unwrap();
    let refused = section.split("`python -m venv`").nth(1).unwrap();
    let known: BTreeSet<&str> = shell::programs::names().collect();
    let told: BTreeSet<&str> = words(own).chain(words(refused)).collect();
    let missing: Vec<&&str> = known.difference(&told).collect();
    let gone: Vec<&&str> = told.difference(&known).collect();
    assert!(missing.is_empty() && gone.is_empty(), "missing: {missing:?}; not there: {gone:?}");
}

/// What stands in backticks, but for options.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2).filter(|word| !word.starts_with('-'))
}
