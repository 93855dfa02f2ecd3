//! What programs do not understand is refused by name.

use super::trial::run;
use crate::fixture::Image;

#[test]
fn what_is_not_understood_is_refused() {
    let mut image = Image::new();
    image.file("work/f", "b\na\n", 0o644);
    image.file("work/g", "a\n", 0o644);
    image.directory("work/d", 0o755);
    for words in [
        &["tail", "-f", "f"][..],
        &["tail", "+2", "f"],
        &["head", "/dev/zero"],
        &["wc"],
        &["wc", "--files0-from=f"],
        &["sort", "-R", "f"],
        &["sort", "-g", "f"],
        &["sort", "-k1g", "f"],
        &["sort", "-m", "f"],
        &["sort", "-c", "f", "g"],
        &["sort", "-k0", "f"],
        &["sort", "-t", "ab", "f"],
        &["sort", "-nd", "f"],
        &["uniq", "-D", "f"],
        &["cut", "-f0", "f"],
        &["tr", "z-a", "x"],
        &["tr", "[:digit:]", "ab"],
        &["tr", "a", "[:digit:]"],
        &["tr", "[x*]", "a"],
        &["seq", "-f", "%g", "3"],
        &["seq", "1e3"],
        &["expr", "a", ":", "\\(a\\)\\1"],
        &["expr", "--help"],
        &["nl", "-bpx", "f"],
        &["paste", "-", "-"],
        &["comm", "f", "g"],
        &["expand", "-t", "1,2", "f"],
        &["diff", "f", "g"],
        &["diff", "d", "d"],
        &["cmp", "f"],
        &["true", "--help"],
        &["md5sum", "-c", "--binary-or-so"],
    ] {
        let came = run(&image, None, words, "");
        let expected = format!("refused: `{}` ", words[0]);
        assert!(came.starts_with(&expected), "{words:?}: {came}");
    }
}

#[test]
fn bytes_that_are_elsewhere_stay_there() {
    let mut image = Image::new();
    let content = layer::Content::of(b"only named");
    image.entry("work/far", 0o644, layer::Node::File(content));
    let hex = content.digest.hex();
    assert_eq!(run(&image, None, &["sha256sum", "far"], ""), format!("{hex}  far\n"));
    assert_eq!(run(&image, None, &["cmp", "far", "far"], ""), "");
    let listed = format!("{hex}  far\n");
    assert_eq!(run(&image, None, &["sha256sum", "-c"], &listed), "far: OK\n");
}

#[test]
fn characters_beyond_ascii_are_counted_as_the_locale_says() {
    let mut image = Image::new();
    image.file("work/f", "\u{e4}b\n", 0o644);
    for (locale, words, expected) in [
        ("C", &["wc", "-m", "f"][..], "4 f"),
        ("C.UTF-8", &["wc", "-m", "f"], "3 f"),
        ("C.UTF-8", &["wc", "-c", "f"], "4 f"),
        // Not installed, so it is as none.
        ("de_DE.UTF-8", &["wc", "-m", "f"], "4 f"),
        ("C", &["wc", "-w", "f"], "1 f"),
        ("C.UTF-8", &["wc", "-w", "f"], "refused: `wc` looks at characters beyond ASCII"),
        ("C.UTF-8", &["rev", "f"], "refused: `rev` looks at characters beyond ASCII"),
        ("C.UTF-8", &["printf", "\\u00e4"], "\u{e4}"),
    ] {
        image.environment.insert("LANG".into(), locale.into());
        assert_eq!(image.show(words), expected, "{locale} {words:?}");
    }
    image.directory("usr/lib/locale/de_DE.utf8", 0o755);
    image.environment.insert("LANG".into(), "de_DE.UTF-8".into());
    let expected = "refused: `sort` depends on the locale de_DE.UTF-8";
    assert_eq!(image.show(&["sort", "f"]), expected);
}

#[test]
fn what_busybox_has_in_another_way_is_refused() {
    let mut image = Image::new();
    image.file("work/f", "b\na\n", 0o644);
    image.file("usr/bin/busybox", "\u{7f}ELF", 0o755);
    for name in ["wc", "sort", "cut", "comm", "tr", "expr"] {
        image.link(&format!("usr/bin/{name}"), "busybox");
    }
    for (words, expected) in [
        (&["wc", "-lc", "f"][..], "        2         4 f"),
        (&["sort", "f"], "a\nb"),
        (&["sort", "-V", "f"], "refused: `sort` has the option `-V`, which is not built in"),
        (&["comm", "f", "f"], "refused: `comm` is BusyBox's here, which differs from GNU's"),
        (&["expr", "1", "+", "2"], "3"),
        (&["expr", "1", "+"], "refused: `expr` is BusyBox's here, which differs from GNU's"),
    ] {
        assert_eq!(image.show(words), expected, "{words:?}");
    }
}
