//! Files and what `grep` says of them, as GNU grep 3.8 does.

use crate::fixture::Image;

fn image() -> Image {
    let mut image = Image::new();
    image.file("work/a", "foo\nbar\nfoo bar\nbaz\n\nend", 0o644);
    image.file("work/b", "x\0foo\nbar\n", 0o644);
    image.file("work/c", "foo", 0o644);
    image.directory("work/d", 0o755);
    image.directory("work/d/e", 0o755);
    image.file("work/d/x.txt", "foo d\nbar\n", 0o644);
    image.file("work/d/e/y.py", "bar\nfoo e\n", 0o644);
    image.file("work/p", "foo\nbaz\n", 0o644);
    image.link("work/d/l", "../a");
    image
}

fn check(cases: &[(&str, &str)]) {
    let image = image();
    for (line, expected) in cases {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(image.show(&words).replace('\n', " / "), *expected, "{line}");
    }
}

#[test]
fn lines_are_selected() {
    check(&[
        ("grep foo a", "foo / foo bar"),
        ("grep -n ^b.[rz]$ a", "2:bar / 4:baz"),
        ("grep -v o a", "bar / baz /  / end"),
        ("grep -in FOO a", "1:foo / 3:foo bar"),
        ("grep -c foo a b c", "a:2 / b:1 / c:1"),
        ("grep -w fo a", "status 1"),
        ("grep -xF foo a", "foo"),
        ("grep -on o a", "1:o / 1:o / 3:o / 3:o"),
        ("grep -ob o a", "1:o / 2:o / 9:o / 10:o"),
        ("grep -e end -f p a", "foo / foo bar / baz / end"),
        ("grep -f /dev/null a", "status 1"),
        ("fgrep o|b a", "status 1"),
        ("egrep o|z a", "foo / foo bar / baz"),
        ("grep -m1 foo a", "foo"),
        ("grep -m0 foo a", "status 1"),
        ("grep -E ^(f|b)(o|a)(o|r)$ a", "foo / bar"),
    ]);
}

#[test]
fn lines_around_are_printed() {
    check(&[
        ("grep -A1 -n foo a", "1:foo / 2-bar / 3:foo bar / 4-baz"),
        ("grep -B1 -n bar a c", "a-1-foo / a:2:bar / a:3:foo bar"),
        ("grep -A0 foo a", "foo / -- / foo bar"),
        ("grep -C1 end a", " / end"),
        ("grep -1 -m1 bar a", "foo / bar / foo bar"),
    ]);
}

#[test]
fn files_are_named() {
    check(&[
        ("grep -l foo a b c", "a / b / c"),
        ("grep -L foo a d", "!grep: d: Is a directory / d / status 2"),
        ("grep -H foo c", "c:foo"),
        ("grep -rl foo d", "d/e/y.py / d/x.txt"),
        ("grep -Rl foo d", "d/e/y.py / d/l / d/x.txt"),
        ("grep -r --include=*.py foo d", "d/e/y.py:foo e"),
        ("grep -r --exclude-dir=e foo d", "d/x.txt:foo d"),
        ("grep -rh foo c", "foo"),
        ("grep -rc end", "a:1 / b:0 / c:0 / d/e/y.py:0 / d/x.txt:0 / p:0"),
        ("grep foo b", "!grep: b: binary file matches"),
        ("grep -a -c foo b", "1"),
        ("grep -I foo b", "status 1"),
    ]);
}

#[test]
fn what_is_wrong_is_said() {
    check(&[
        ("grep foo nothere", "!grep: nothere: No such file or directory / status 2"),
        ("grep -s foo nothere", "status 2"),
        ("grep -q foo nothere a", "!grep: nothere: No such file or directory"),
        (
            "grep foo nothere a -h",
            "!grep: nothere: No such file or directory / foo / foo bar / status 2",
        ),
        ("grep [a a", "!grep: Unmatched [, [^, [:, [., or [= / status 2"),
        ("grep \\(a a", "!grep: Unmatched ( or \\( / status 2"),
        ("grep a\\1 a", "!grep: Invalid back reference / status 2"),
        ("grep -E -F a a", "!grep: conflicting matchers specified / status 2"),
        ("grep -A x foo a", "!grep: x: invalid context length argument / status 2"),
        ("grep -m x foo a", "!grep: invalid max count / status 2"),
        (
            "grep",
            "!Usage: grep [OPTION]... PATTERNS [FILE]... / \
             !Try 'grep --help' for more information. / status 2",
        ),
    ]);
}

#[test]
fn what_is_not_understood_is_refused() {
    check(&[
        ("grep -P \\d a", "refused: `grep` has the option `-P`, which is not built in"),
        ("grep \\(.\\)\\1 a", "refused: `grep` has a regular expression that uses back-references"),
        (
            "grep -E (^a|b)* a",
            "refused: `grep` has a regular expression that uses repeated anchors",
        ),
        (
            "grep --color=always a a",
            "refused: `grep` has the option `--color=always`, which is not built in",
        ),
    ]);
}
