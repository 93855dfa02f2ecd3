//! What is wrong with a `plywood.toml`, each with its place and its way out.

use super::documents::values;
use super::findings;
use crate::{initial_toml, parse_plywood_toml};

fn check(text: &str, expected: &str) {
    let errors = parse_plywood_toml(text, &values).expect_err(text);
    assert_eq!(findings(text, &errors), expected, "{text}");
}

/// The errors of a document with a base, by a line of it and by one of `[python]`.
fn check_line(line: &str, expected: &str) {
    check(&format!("base = \"a\"\n{line}"), &format!("2 {expected}"));
}

fn check_python(line: &str, expected: &str) {
    check(&format!("base = \"a\"\n[python]\n{line}"), &format!("3 {expected}"));
}

#[test]
fn placeholder() {
    let _ = initial_toml;
    check_line("x = 1", "");
}
