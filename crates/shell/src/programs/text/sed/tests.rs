//! Scripts and what they make of files, as GNU sed 4.9 does.

use crate::fixture::Image;

fn image() -> Image {
    let mut image = Image::new();
    image.file("work/a", "foo\nbar\nfoo bar\n", 0o640);
    image.file("work/b", "one\ntwo", 0o644);
    image.file("work/s", "x/y\n", 0o644);
    image.file("work/k", "k\n", 0o644);
    image.file("work/script", "s/o/0/\nk\n", 0o644);
    image.directory("work/d", 0o755);
    image.link("work/l", "b");
    image
}

/// Each line is a script, a space-separated rest of the command line, and what comes of it.
fn check(cases: &[(&str, &str, &str)]) {
    let image = image();
    for (script, rest, expected) in cases {
        let words: Vec<&str> = ["sed", script].into_iter().chain(rest.split(' ')).collect();
        assert_eq!(image.show(&words).replace('\n', " / "), *expected, "{script} {rest}");
    }
}

#[test]
fn text_is_replaced() {
    check(&[
        ("s/o/0/", "a", "f0o / bar / f0o bar"),
        ("s/o/0/2g", "a", "fo0 / bar / fo0 bar"),
        ("s/b*/-/g", "a", "-f-o-o- / -a-r- / -f-o-o- -a-r-"),
        ("s/x*/-/2", "a", "f-oo / b-ar / f-oo bar"),
        ("s/\\(o\\)\\(o\\)/\\2-\\1/", "a", "fo-o / bar / fo-o bar"),
        ("s/(o+)|b/<\\1>/g", "a -E", "f<oo> / <>ar / f<oo> <>ar"),
        ("s/b\\(a\\)r/\\u\\1\\U\\1\\1\\Eq\\l\\0/", "a", "foo / AAAqbar / foo AAAqbar"),
        ("s/foo/\\L\\u&BAR/", "a", "Foobar / bar / Foobar bar"),
        ("s/foo/\\u\\L&BAR/", "a", "foobar / bar / foobar bar"),
        ("s/FOO/\\n/I;s/\\x62/\\x41/", "a", " /  / Aar /  /  Aar"),
        ("s/[/]/x/", "s", "xxy"),
        ("s|x\\|y|X|", "s", "x/y"),
        ("/foo/s//X/", "a", "X / bar / X bar"),
        ("s/o$/X/M;s/a\\|b/\\\n/", "a", "foX /  / ar / foo  / ar"),
        ("y/abc/\\n\\\\\\//", "a", "foo / \\ / r / foo \\ / r"),
        ("s/foo/x/w out", "a -n", "+ /work/out 644 \"x\\nx bar\\n\""),
    ]);
}

#[test]
fn lines_are_addressed() {
    check(&[
        ("2q", "a", "foo / bar"),
        ("$!d", "a b", "two"),
        ("$!d", "-s a b", "foo bar / two"),
        ("0~2d", "a", "foo / foo bar"),
        ("2,1d", "a", "foo / foo bar"),
        ("/foo/,+1d", "a", ""),
        ("2,~2d", "a", "foo"),
        ("0,/foo/d", "a", "bar / foo bar"),
        ("1,/foo/d", "a", ""),
        ("/FOO/I!d", "a", "foo / foo bar"),
        ("\\,oo,d", "a", "bar"),
        ("/foo/{n;d}", "a", "foo / foo bar"),
        ("/bar/,$d", "a", "foo"),
        ("2{h;d};${G}", "a", "foo / foo bar / bar"),
    ]);
}

#[test]
fn lines_are_added_and_moved() {
    check(&[
        ("1!G;h;$!d", "a", "foo bar / bar / foo"),
        (":a;N;$!ba;s/\\n/+/g", "a", "foo+bar+foo bar"),
        ("$!N;P;D", "a", "foo / bar / foo bar"),
        ("2i\\  text", "a", "foo /   text / bar / foo bar"),
        ("1a hello\\tworld", "b", "one / hello\tworld / two"),
        ("$a\\\ntwo\\\nthree", "b", "one / two / two / three"),
        ("1,2c changed", "a", "changed / foo bar"),
        ("2r b", "a", "foo / bar / one / twofoo bar"),
        ("R b", "a", "foo / one / bar / twofoo bar"),
        ("$=", "a", "foo / bar / 3 / foo bar"),
        ("l;d", "s", "x/y$"),
        ("F;x;G;z", "s", "s / "),
        (
            "s/a/\\t/;T;l 3",
            "k a",
            "k / foo / b\\ / \\t\\ / r$ / b\tr / fo\\ / o \\ / b\\ / \\t\\ / r$ / foo b\tr",
        ),
    ]);
}

#[test]
fn files_are_edited_in_place() {
    check(&[
        (
            "s/o/0/",
            "-i a b",
            "+ /work/a 640 \"f0o\\nbar\\nf0o bar\\n\" / + /work/b 644 \"0ne\\ntw0\"",
        ),
        ("s/o/0/", "-i.bak b", "+ /work/b 644 \"0ne\\ntw0\" / + /work/b.bak 644 \"one\\ntwo\""),
        ("s/o/0/", "-i l", "+ /work/l 644 \"0ne\\ntw0\""),
        ("s/o/0/", "-i --follow-symlinks l", "+ /work/b 644 \"0ne\\ntw0\""),
        ("2q", "-i a", "+ /work/a 640 \"foo\\nbar\\n\""),
        ("$a\\", "-i b", "+ /work/b 644 \"one\\ntwo\\n\""),
    ]);
}

#[test]
fn what_is_wrong_is_said() {
    check(&[
        (
            "p",
            "nothere k",
            "!sed: can't read nothere: No such file or directory / k / k / status 2",
        ),
        ("p", "d", "!sed: read error on d: Is a directory / status 4"),
        ("p", "-i d", "!sed: couldn't edit d: not a regular file / status 4"),
        ("p", "-i", "!sed: no input files / status 4"),
        ("-f", "script a", "!sed: file script line 2: unknown command: `k' / status 1"),
        ("s/a/b", "a", "!sed: -e expression #1, char 5: unterminated `s' command / status 1"),
        ("s/a/b/k", "a", "!sed: -e expression #1, char 7: unknown option to `s' / status 1"),
        ("{p", "a", "!sed: -e expression #1, char 0: unmatched `{' / status 1"),
        ("p}", "a", "!sed: -e expression #1, char 2: unexpected `}' / status 1"),
        ("1,p", "a", "!sed: -e expression #1, char 3: unexpected `,' / status 1"),
        ("p;p x", "a", "!sed: -e expression #1, char 5: extra characters after command / status 1"),
        ("0p", "a", "!sed: -e expression #1, char 2: invalid usage of line address 0 / status 1"),
        ("bx", "a", "!sed: can't find label for jump to `x' / status 4"),
        (
            "s/a/\\2/;p",
            "a",
            "!sed: -e expression #1, char 8: invalid reference \\2 on `s' command's RHS / status 1",
        ),
        (
            "y/ab/c/",
            "a",
            "!sed: -e expression #1, char 7: strings for `y' command are different lengths / status 1",
        ),
        ("//p", "a", "!sed: -e expression #1, char 0: no previous regular expression / status 1"),
        ("/\\(/p", "a", "!sed: -e expression #1, char 4: Unmatched ( or \\( / status 1"),
    ]);
}

#[test]
fn what_is_not_understood_is_refused() {
    check(&[
        ("s/a/b/e", "a", "refused: `sed` executes what it reads"),
        ("1e date", "a", "refused: `sed` executes what it reads"),
        (
            "s/\\(.\\)\\1/x/",
            "a",
            "refused: `sed` has a regular expression that uses back-references",
        ),
        ("p", "--posix a", "refused: `sed` has the option `--posix`, which is not built in"),
        (":a;ba", "a", "limit: the number of commands reached the limit of 2000000"),
    ]);
}
