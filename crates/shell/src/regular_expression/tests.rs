//! What matches where, as `grep`, `sed` and `mawk` of Debian 12 say.

use super::*;

/// `[start..end group group …]`, or why not.
fn shown(pattern: &str, dialect: Dialect, options: Options, text: &str) -> String {
    let regex = match Regex::new(pattern.as_bytes(), dialect, options) {
        Ok(regex) => regex,
        Err(error) => return error.to_string(),
    };
    match regex.find_at(text.as_bytes(), 0) {
        Ok(None) => "none".to_owned(),
        Err(error) => error.to_string(),
        Ok(Some(captures)) => {
            let groups = (0..=regex.groups()).map(|number| match captures.group(number) {
                Some(span) => text.get(span).unwrap_or("(part of a character)"),
                None => "-",
            });
            groups.collect::<Vec<_>>().join("|")
        }
    }
}

#[test]
fn the_longest_of_the_leftmost_matches_counts() {
    for (pattern, text, expected) in [
        ("a|ab", "xabc", "ab"),
        ("a?(ab)?", "ab", "ab|ab"),
        ("(a|ab)(c|bcd)(d*)", "abcd", "abcd|a|bcd|"),
        ("((a)|b)*", "ab", "ab|b|a"),
        ("(a|ab)*", "abab", "abab|ab"),
        ("x*", "aaa", ""),
        ("(foo|foobar)(bar|baz)?$", "a foobarbaz", "foobarbaz|foobar|baz"),
        ("b|a{2,3}", "aaaa", "aaa"),
    ] {
        let options = Options::default();
        assert_eq!(shown(pattern, Dialect::Extended, options, text), expected, "{pattern}");
    }
}
