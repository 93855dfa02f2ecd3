//! What `printf` says and does, as the real ones do.

use super::*;
use crate::fixture::Image;
use crate::programs::text::trial::check;

#[test]
fn printf_of_dash() {
    check(
        &Image::new(),
        Some(Dialect::Dash),
        &[
            (&["printf", "%s|%d\\n", "a", "1", "b", "2", "c"], "", "a|1\nb|2\nc|0\n"),
            (&["printf", "%d", "x"], "", "0!sh: 1: printf: x: expected numeric value\n=1"),
            (
                &["printf", "%d|", "12x", "08", " 7", "0x1f", "010", "'a", "-5"],
                "",
                "12|0|7|31|8|97|-5|!sh: 1: printf: 12x: not completely converted\nsh: 1: printf: 08: not completely converted\n=1",
            ),
            (
                &[
                    "printf",
                    "%5.2f|%-6d|%06d|%+d|%x|%X|%o|%u",
                    "1.25",
                    "3",
                    "4",
                    "5",
                    "255",
                    "255",
                    "8",
                    "7",
                ],
                "",
                " 1.25|3     |000004|+5|ff|FF|10|7",
            ),
            (&["printf", "%b|", "a\\tb\\0101", "x\\cy", "z"], "", "a\tbA|x"),
            (&["printf", "\\101\\x41\\n%%\\q"], "", "A\\x41\n%\\q"),
            (&["printf", "%y"], "", "!sh: 1: printf: %y: invalid directive\n=2"),
            (&["printf", "%5"], "", "!sh: 1: printf: missing format character\n=2"),
            (&["printf"], "", "!sh: 1: printf: usage: printf format [arg ...]\n=2"),
            (&["printf", "%*d|%.2s", "4", "7", "abc"], "", "   7|ab"),
            (
                &["printf", "%q ", "a b", "", "it's", "$x", "a=b"],
                "",
                "!sh: 1: printf: %q: invalid directive\n=2",
            ),
            (&["printf", "a\\n", "b"], "", "a\n"),
            (&["printf", "--", "%c|%c", "abc", ""], "", "a|\u{0}"),
            (
                &["printf", "%e|%g|%G|%.0f", "12345.678", "0.0001", "1e20", "2.5"],
                "",
                "1.234568e+04|0.0001|1E+20|2",
            ),
            (&["printf", "%d", "3.5"], "", "3!sh: 1: printf: 3.5: not completely converted\n=1"),
            (&["printf", "%i|%s|%f"], "", "0||0.000000"),
        ],
    );
}

#[test]
fn printf_of_bash() {
    check(
        &Image::new(),
        Some(Dialect::Bash),
        &[
            (&["printf", "%s|%d\\n", "a", "1", "b", "2", "c"], "", "a|1\nb|2\nc|0\n"),
            (&["printf", "%d", "x"], "", "0!sh: 1: printf: x: invalid number\n=1"),
            (
                &["printf", "%d|", "12x", "08", " 7", "0x1f", "010", "'a", "-5"],
                "",
                "12|0|7|31|8|97|-5|!sh: 1: printf: 12x: invalid number\nsh: 1: printf: 08: invalid octal number\n=1",
            ),
            (
                &[
                    "printf",
                    "%5.2f|%-6d|%06d|%+d|%x|%X|%o|%u",
                    "1.25",
                    "3",
                    "4",
                    "5",
                    "255",
                    "255",
                    "8",
                    "7",
                ],
                "",
                " 1.25|3     |000004|+5|ff|FF|10|7",
            ),
            (&["printf", "%b|", "a\\tb\\0101", "x\\cy", "z"], "", "a\tbA|x"),
            (&["printf", "\\101\\x41\\n%%\\q"], "", "AA\n%\\q"),
            (&["printf", "%y"], "", "!sh: 1: printf: `y': invalid format character\n=1"),
            (&["printf", "%5"], "", "!sh: 1: printf: `%5': missing format character\n=1"),
            (&["printf"], "", "!printf: usage: printf [-v var] format [arguments]\n=2"),
            (&["printf", "%*d|%.2s", "4", "7", "abc"], "", "   7|ab"),
            (&["printf", "%q ", "a b", "", "it's", "$x", "a=b"], "", "a\\ b '' it\\'s \\$x a=b "),
            (&["printf", "a\\n", "b"], "", "a\n"),
            (&["printf", "--", "%c|%c", "abc", ""], "", "a|\u{0}"),
            (
                &["printf", "%e|%g|%G|%.0f", "12345.678", "0.0001", "1e20", "2.5"],
                "",
                "1.234568e+04|0.0001|1E+20|2",
            ),
            (&["printf", "%d", "3.5"], "", "3!sh: 1: printf: 3.5: invalid number\n=1"),
            (&["printf", "%i|%s|%f"], "", "0||0.000000"),
        ],
    );
}

#[test]
fn printf_of_ash() {
    check(
        &Image::new(),
        Some(Dialect::Ash),
        &[
            (
                &["printf", "%s|%d\\n", "a", "1", "b", "2", "c"],
                "",
                "a|1\nb|2\nc|0\n!sh: 1: printf: invalid number ''\n=1",
            ),
            (&["printf", "%d", "x"], "", "0!sh: 1: printf: invalid number 'x'\n=1"),
            (
                &["printf", "%d|", "12x", "08", " 7", "0x1f", "010", "'a", "-5"],
                "",
                "0|0|7|31|8|97|-5|!sh: 1: printf: invalid number '12x'\nsh: 1: printf: invalid number '08'\n=1",
            ),
            (
                &[
                    "printf",
                    "%5.2f|%-6d|%06d|%+d|%x|%X|%o|%u",
                    "1.25",
                    "3",
                    "4",
                    "5",
                    "255",
                    "255",
                    "8",
                    "7",
                ],
                "",
                " 1.25|3     |000004|+5|ff|FF|10|7",
            ),
            (&["printf", "%b|", "a\\tb\\0101", "x\\cy", "z"], "", "a\tbA|x"),
            (&["printf", "\\101\\x41\\n%%\\q"], "", "AA\n%\\q"),
            (&["printf", "%y"], "", "!sh: 1: printf: %y: invalid format\n=1"),
            (&["printf", "%5"], "", "!sh: 1: printf: %5: invalid format\n=1"),
            (&["printf"], "", "!sh: 1: printf: usage: printf FORMAT [ARGUMENT...]\n=2"),
            (&["printf", "%*d|%.2s", "4", "7", "abc"], "", "   7|ab"),
            (
                &["printf", "%q ", "a b", "", "it's", "$x", "a=b"],
                "",
                "!sh: 1: printf: %q : invalid format\n=1",
            ),
            (&["printf", "a\\n", "b"], "", "a\n"),
            (&["printf", "--", "%c|%c", "abc", ""], "", "a|\u{0}"),
            (
                &["printf", "%e|%g|%G|%.0f", "12345.678", "0.0001", "1e20", "2.5"],
                "",
                "1.234568e+04|0.0001|1E+20|2",
            ),
            (&["printf", "%d", "3.5"], "", "0!sh: 1: printf: invalid number '3.5'\n=1"),
            (&["printf", "%i|%s|%f"], "", "0||0.000000!sh: 1: printf: invalid number ''\n=1"),
        ],
    );
}

#[test]
fn printf_of_gnu() {
    check(
        &Image::new(),
        None,
        &[
            (&["printf", "%s|%d\\n", "a", "1", "b", "2", "c"], "", "a|1\nb|2\nc|0\n"),
            (&["printf", "%d", "x"], "", "0!printf: 'x': expected a numeric value\n=1"),
            (
                &["printf", "%d|", "12x", "08", " 7", "0x1f", "010", "'a", "-5"],
                "",
                "12|0|7|31|8|97|-5|!printf: '12x': value not completely converted\nprintf: '08': value not completely converted\n=1",
            ),
            (
                &[
                    "printf",
                    "%5.2f|%-6d|%06d|%+d|%x|%X|%o|%u",
                    "1.25",
                    "3",
                    "4",
                    "5",
                    "255",
                    "255",
                    "8",
                    "7",
                ],
                "",
                " 1.25|3     |000004|+5|ff|FF|10|7",
            ),
            (&["printf", "%b|", "a\\tb\\0101", "x\\cy", "z"], "", "a\tbA|x"),
            (&["printf", "\\101\\x41\\n%%\\q"], "", "AA\n%\\q"),
            (&["printf", "%y"], "", "!printf: %y: invalid conversion specification\n=1"),
            (&["printf", "%5"], "", "!printf: %5: invalid conversion specification\n=1"),
            (
                &["printf"],
                "",
                "!printf: missing operand\nTry 'printf --help' for more information.\n=1",
            ),
            (&["printf", "%*d|%.2s", "4", "7", "abc"], "", "   7|ab"),
            (
                &["printf", "%q ", "a b", "", "it's", "$x", "a=b"],
                "",
                "'a b' '' \"it's\" '$x' 'a=b' ",
            ),
            (
                &["printf", "a\\n", "b"],
                "",
                "a\n!printf: warning: ignoring excess arguments, starting with 'b'\n",
            ),
            (&["printf", "--", "%c|%c", "abc", ""], "", "a|\u{0}"),
            (
                &["printf", "%e|%g|%G|%.0f", "12345.678", "0.0001", "1e20", "2.5"],
                "",
                "1.234568e+04|0.0001|1E+20|2",
            ),
            (&["printf", "%d", "3.5"], "", "3!printf: '3.5': value not completely converted\n=1"),
            (&["printf", "%i|%s|%f"], "", "0||0.000000"),
        ],
    );
}

#[test]
fn what_depends_on_the_machine_is_refused() {
    for (shell, words) in [
        (Some(Dialect::Bash), &["printf", "-v", "x", "%s"][..]),
        (Some(Dialect::Bash), &["printf", "%.1f", "0.35"]),
        (None, &["printf", "%a", "1"]),
        (None, &["printf", "%5000d", "1"]),
        (Some(Dialect::Bash), &["printf", "%(%Y)T", "1"]),
        (None, &["printf", "\\u00e9"]),
        (None, &["printf", "\\xz"]),
        (None, &["printf", "--version"]),
    ] {
        let came = crate::programs::text::trial::run(&Image::new(), shell, words, "");
        assert!(came.starts_with("refused: `printf` "), "{words:?}: {came}");
    }
}
