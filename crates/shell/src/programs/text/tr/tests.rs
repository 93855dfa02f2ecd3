//! What `tr` says and does, as the real ones do.

use crate::fixture::Image;
use crate::programs::text::trial::check;

#[test]
fn sets_are_as_gnu_has_them() {
    check(
        &Image::new(),
        None,
        &[
            (&["tr", "a-z", "A-Z"], "abc1", "ABC1"),
            (&["tr", "[:lower:]", "[:upper:]"], "abc1", "ABC1"),
            (&["tr", "-d", "\\n"], "a\nb\n", "ab"),
            (&["tr", "-s", " "], "a  b   c", "a b c"),
            (&["tr", "-cd", "[:alnum:]\\n"], "a-b_c\n", "abc\n"),
            (&["tr", " ", "\\n"], "a b", "a\nb"),
            (&["tr", "-s", "[:space:]", "\\n"], "a \t b", "a\nb"),
            (&["tr", "abc", "x"], "aabbccd", "xxxxxxd"),
            (&["tr", "-t", "abc", "x"], "abc", "xbc"),
            (&["tr", "-c", "a-z", "-"], "a1b", "a-b"),
            (&["tr", "\\012", ","], "a\nb", "a,b"),
            (&["tr", "a-c", "[x*]"], "abcd", "xxxd"),
            (&["tr", "-d", "[:digit:]"], "a1b2", "ab"),
            (&["tr", "\\\\", "/"], "a\\b", "a/b"),
            (&["tr"], "", "!tr: missing operand\nTry 'tr --help' for more information.\n=1"),
            (
                &["tr", "a"],
                "",
                "!tr: missing operand after 'a'\nTwo strings must be given when translating.\nTry 'tr --help' for more information.\n=1",
            ),
            (&["tr", "-d"], "", "!tr: missing operand\nTry 'tr --help' for more information.\n=1"),
            (
                &["tr", "-d", "a", "b"],
                "",
                "!tr: extra operand 'b'\nOnly one string may be given when deleting without squeezing repeats.\nTry 'tr --help' for more information.\n=1",
            ),
            (
                &["tr", "a", "b", "c"],
                "",
                "!tr: extra operand 'c'\nTry 'tr --help' for more information.\n=1",
            ),
            (
                &["tr", "-ds", "a"],
                "",
                "!tr: missing operand after 'a'\nTwo strings must be given when both deleting and squeezing repeats.\nTry 'tr --help' for more information.\n=1",
            ),
        ],
    );
}
