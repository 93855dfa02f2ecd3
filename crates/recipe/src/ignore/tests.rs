//! Ignore files against tables of paths.

use super::IgnorePatterns;

/// Cases of `moby/patternmatcher` (`patternmatcher_test.go`): one pattern, a path, the verdict.
#[test]
fn one_pattern() {
    for (pattern, path, expected) in [
        ("**", "file", true),
        ("**", "file/", true),
        ("**/", "file", true),
        ("**", "dir/file", true),
        ("**/**", "dir/file", true),
        ("dir/**", "dir/file", true),
        ("dir/**", "dir/dir2/file", true),
        ("**/dir", "dir/file", true),
        ("**/dir2/*", "dir/dir2/file", true),
        ("**/dir2/*", "dir/dir2/dir2/file", true),
        ("**/dir2/**", "dir/dir2/dir2/file", true),
        ("**file", "dir/dir2/file", true),
        ("**/file*txt", "dir/dir/file.txt", true),
        ("**/**/*.txt", "dir/dir/file.txt", true),
        ("**/**/*.txt2", "dir/dir/file.txt", false),
        ("**/*.txt", "file.txt", true),
        ("a**/*.txt", "a/file.txt", true),
        ("a**/*.txt", "a/dir/dir/file.txt", true),
        ("a/*.txt", "a/dir/file.txt", false),
        ("a/*.txt", "a/file.txt", true),
        ("a/*.txt**", "a/file.txt", true),
        ("a[b-d]e", "ae", false),
        ("a[b-d]e", "ace", true),
        ("a[^b-d]e", "aze", true),
        (".*", ".foo", true),
        (".*", "foo", false),
        ("abc.def", "abcZdef", false),
        ("abc?def", "abcZdef", true),
        ("abc?def", "abcdef", false),
        ("a\\\\", "a\\", true),
        ("**/foo/bar", "foo/bar", true),
        ("**/foo/bar", "dir/dir2/foo/bar", true),
        ("abc/**", "abc", false),
        ("abc/**", "abc/def/ghi", true),
        ("**/.foo", ".foo", true),
        ("**/.foo", "bar.foo", false),
        ("a(b)c/def", "a(b)c/def", true),
        ("a(b)c/def", "a(b)c/xyz", false),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", true),
        ("dist/*.whl", "dist/proxy.py-2.4.0rc3.dev36+g08acad9-py3-none-any.whl", true),
        ("a\\*b", "a*b", true),
        // A directory takes along what is in it.
        ("node_modules", "node_modules/a/b", true),
        ("node_modules", "app/node_modules", false),
        ("node_modules/", "node_modules/a", true),
        ("*/temp*", "a/temporary/x", true),
        ("*/temp*", "a/b/temp", false),
        ("[[]a", "[a", true),
    ] {
        let ignore = IgnorePatterns::parse(pattern).unwrap();
        assert_eq!(ignore.matches(path.trim_end_matches('/')), expected, "{pattern} and {path}");
    }
}

#[test]
fn files() {
    let check = |text: &str, excluded: &[&str], included: &[&str]| {
        let ignore = IgnorePatterns::parse(text).unwrap();
        for path in excluded {
            assert!(ignore.matches(path), "{text:?} should exclude {path}");
        }
        for path in included {
            assert!(!ignore.matches(path), "{text:?} should include {path}");
        }
    };
    check("\u{feff}# comment\r\n\r\n  /a/./b/../c/  \r\n", &["a/c", "a/c/d"], &["a/b", "c"]);
    check(" # not a comment", &["# not a comment"], &[]);
    check("*\n!src\n!Cargo.*\n", &["x", "target/y"], &["src/lib.rs", "Cargo.toml", "src"]);
    check(
        "**\n!util/docker/web\nutil/docker/web/foo",
        &["util/docker/web/foo"],
        &["util/docker/web", "util/docker/web/bar"],
    );
    check("*.md\n!README*.md\nREADME-secret.md", &["a.md", "README-secret.md"], &["README.md"]);
    check("!  /keep \nx", &["x"], &["keep"]);
    check("docs\n!docs/README.md", &["docs", "docs/a"], &["docs/README.md"]);
    check("docs/**\n!docs/README.md", &["docs/a"], &["docs", "docs/README.md"]);
    check(".\n/\n..", &[], &["a", "b/c"]);
    check("", &[], &["a"]);
    check("#!include:other", &[], &["a"]);
    // A pattern that a directory's verdict did not need does not count for what is in it.
    check("*\n!a/b\na", &["a", "a/c"], &["a/b"]);
}

#[test]
fn reentering() {
    let check = |text: &str, directory: &str, expected: bool| {
        let ignore = IgnorePatterns::parse(text).unwrap();
        assert_eq!(ignore.may_reenter(directory), expected, "{text:?} and {directory}");
    };
    check("node_modules", "node_modules", false);
    check("*\n!src/main.rs", "src", true);
    check("*\n!src/main.rs", "sr", false);
    check("*\n!src/main.rs", "target", false);
    check("*\n!src", "src/deep", false);
    check("*\n!src/**", "src/deep", true);
    check("*\n!**/*.md", "anything/below", true);
    check("*\n!docs/*/x.md", "docs/a", true);
    check("*\n!docs/*/x.md", "target", false);
    check("*\n!a*", "abc", true);
}

#[test]
fn errors() {
    let check = |text: &str, expected: &str| {
        let include = |file: &str| match file {
            "good" => Ok("b\n!c\n".to_owned()),
            "bad" => Ok("x\n[\n".to_owned()),
            "nested" => Ok("#!include: good".to_owned()),
            _ => Err("there is no such file"),
        };
        let shown = match IgnorePatterns::parse_with_includes(text, &include) {
            Ok(ignore) => format!("{:?}", ["a", "b", "c"].map(|path| ignore.matches(path))),
            Err(error) => format!("{error}; {}", error.hint().unwrap_or_default()),
        };
        assert_eq!(shown, expected, "{text:?}");
    };
    check("*\n#!include:good\n", "[true, true, false]");
    check("#!include: good \na\n", "[true, true, false]");
    check("#!include:missing", "line 1: `missing` cannot be included: there is no such file; ");
    check(
        "a\n#!include:bad",
        "line 2 of bad: `[` is not a pattern: `[` is not closed by `]`; to mean the character \
         itself, put `\\` in front of it",
    );
    check(
        "#!include:nested",
        "line 1 of nested: `good` cannot be included from a file that is itself included; include \
         `good` from the first file",
    );
    check(
        "a\n\n!",
        "line 3: `!` is followed by nothing; write the pattern behind it, or take the line out",
    );
    check(
        "! /",
        "line 1: `!` is followed by nothing; write the pattern behind it, or take the line out",
    );
    check(
        "a\\",
        "line 1: `a\\` is not a pattern: it ends in `\\`; to mean the character itself, put `\\` \
         in front of it",
    );
}

#[test]
fn walking_and_asking_agree() {
    let ignore = IgnorePatterns::parse("**/target\n!a/target/keep*\n*.log\n!b").unwrap();
    let parent = ignore.verdict(None, "a");
    let target = ignore.verdict(Some(&parent), "a/target");
    let keep = ignore.verdict(Some(&target), "a/target/keep.txt");
    assert!(!parent.is_excluded() && target.is_excluded() && !keep.is_excluded());
    assert!(ignore.matches("a/target") && !ignore.matches("a/target/keep.txt"));
    assert!(IgnorePatterns::new(["*.txt", "!a.txt"]).unwrap().matches("b.txt"));
}
