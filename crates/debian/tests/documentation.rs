//! The calls that users read are passed over are those that are.

#![allow(clippy::unwrap_used, reason = "a test may panic")]

use debian::programs::skipped::RULES;

#[test]
fn every_rule_is_in_the_documentation() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/skipped-calls.md");
    let text = std::fs::read_to_string(path).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with("| `")).collect();
    let row = |rule: &debian::programs::skipped::SkipRule| {
        format!("| `{}` | {} | {} |", rule.call.join(" "), rule.makes, rule.reason)
    };
    let expected: Vec<String> = RULES.iter().map(row).collect();
    assert_eq!(rows, expected, "\n{}", expected.join("\n"));
}
