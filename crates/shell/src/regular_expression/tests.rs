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

#[test]
fn basic_expressions_are_read_as_the_library_does() {
    for (pattern, text, expected) in [
        ("*a", "b*a", "*a"),
        ("\\(*a\\)", "*a", "*a|*a"),
        ("^*a", "*a", "*a"),
        ("x\\|*b", "*b", "*b"),
        ("a^b$c", "a^b$c", "a^b$c"),
        ("\\(^a\\)\\|b$", "cb", "b|-"),
        ("a\\+b\\?", "caab", "aab"),
        ("a\\{2,3\\}", "aaaa", "aaa"),
        ("[]a]*", "a]b", "a]"),
        ("[^]a]", "]ab", "b"),
        ("[a\\]", "\\", "\\"),
        ("[[:digit:][.-.]]*", "1-2x", "1-2"),
        ("[[=a=]b]*", "abc", "ab"),
        ("\\bf\\w*\\>", "a foo!", "foo"),
        ("\\`a\\|b\\'", "cab", "b"),
        ("a\\.b", "axba.b", "a.b"),
        ("a**", "a", "Invalid preceding regular expression"),
        ("\\{1", "{1", "Invalid preceding regular expression"),
        ("a\\{1", "a", "Unmatched \\{"),
        ("a\\{2,1\\}", "a", "Invalid content of \\{\\}"),
        ("a\\{99999\\}", "a", "Regular expression too big"),
        ("\\(a", "a", "Unmatched ( or \\("),
        ("a\\)", "a", "Unmatched ) or \\)"),
        ("[a", "a", "Unmatched [, [^, [:, [., or [="),
        ("[[:foo:]]", "a", "Invalid character class name"),
        ("[b-a]", "a", "Invalid range end"),
        ("[[.space.]]", "a", "Invalid collation character"),
        ("a\\", "a", "Trailing backslash"),
        ("\\1", "a", "Invalid back reference"),
        ("\\(a\\)\\1", "aa", "uses back-references"),
        ("\\(a*\\)*", "a", "uses repeated groups of what may be empty"),
    ] {
        assert_eq!(shown(pattern, Dialect::Basic, Options::default(), text), expected, "{pattern}");
    }
}

#[test]
fn notations_differ() {
    for (dialect, pattern, text, expected) in [
        (Dialect::Extended, "*a", "*a", "Invalid preceding regular expression"),
        (Dialect::Extended, "^*", "*", "Invalid preceding regular expression"),
        (Dialect::Extended, "a{1", "a", "Unmatched \\{"),
        (Dialect::Extended, "a+*", "aa", "aa"),
        (Dialect::Extended, "()|b", "b", "b|-"),
        (Dialect::Extended, "x*^a", "ba", "none"),
        (Dialect::Extended, "(^a|b)*c", "abc", "uses repeated anchors"),
        (Dialect::GrepExtended, "a{1", "a{1", "a{1"),
        (Dialect::GrepExtended, "{1", "{1", "{1"),
        (Dialect::GrepExtended, "a{,2}", "aaa", "aa"),
        (Dialect::GrepExtended, "*a", "a", "uses a repetition of nothing"),
        (Dialect::GrepBasic, "a**", "aa", "aa"),
        (Dialect::Awk, "a{2}", "a{2}", "a{2}"),
        (Dialect::Awk, "[\\]a]+\\.", "a].", "a]."),
        (Dialect::Awk, "\\$|\\/", "a/$", "/"),
        (Dialect::Emacs, "a+\\(b\\|c\\)", "aac", "aac|c"),
        (Dialect::Emacs, "a\\{2\\}", "a{2}", "a{2}"),
    ] {
        assert_eq!(shown(pattern, dialect, Options::default(), text), expected, "{pattern}");
    }
}

#[test]
fn bytes_are_what_the_encoding_says() {
    let utf8 = Options { encoding: Encoding::Utf8, ..Options::default() };
    let folded = Options { case: Case::Folded, ..utf8 };
    for (options, pattern, text, expected) in [
        (utf8, ".", "é", "é"),
        (Options::default(), ".", "é", "(part of a character)"),
        (utf8, "[à-ï]+", "xéï", "éï"),
        (utf8, "[[:space:]]", "a\u{2003}", "\u{2003}"),
        (utf8, "\\w+", "abc", "abc"),
        (utf8, "\\w+", "é", "uses classes of letters beyond ASCII"),
        (folded, "ABC", "éabc", "abc"),
        (folded, "k", "\u{212a}", "uses letters beyond ASCII without regard to case"),
        (folded, "É", "é", "uses letters beyond ASCII without regard to case"),
    ] {
        assert_eq!(shown(pattern, Dialect::Extended, options, text), expected, "{pattern}");
    }
    let regex = Regex::extended(b".b", utf8).expect("the pattern is right");
    assert_eq!(regex.span_at(b"\xff\xc3b\xffb", 0), Ok(None));
}

#[test]
fn nothing_is_without_bound() {
    let options = Options::default();
    let deep = format!("{}a{}", "(".repeat(300), ")".repeat(300));
    for pattern in ["((a{1,999}){1,999}){1,99}", "(((a{300}){300}){300}){300}", &deep] {
        let error = Regex::extended(pattern.as_bytes(), options).expect_err("it is too large");
        assert!(matches!(error, RegexError::NotUnderstood(_)), "{error}");
    }
    let regex = Regex::extended(b"(a|aa)+$", options).expect("the pattern is right");
    let text = [vec![b'a'; 20_000], vec![b'b']].concat();
    assert_eq!(regex.find_at(&text, 0), Ok(None));
}
