//! What would not end, or not fit, is cut off; what is not understood is refused by name.

use super::{Shells, check, show};
use crate::fixture::Image;
use crate::limits::Limits;

#[test]
fn nesting_is_bounded() {
    let image = Image::new();
    let expected = "limit: the nesting of commands and expansions reached the limit of 48\n";
    for opening in [
        "(",
        "{ ",
        "if ",
        "while ",
        "case a in a) ",
        "f() { ",
        "echo $(",
        "echo \"$(",
        "echo ${a%${a%",
        "echo \"${a:-\"",
        "x=$(echo $(",
    ] {
        let script = opening.repeat(10_000);
        for shell in ["/bin/sh", "/bin/bash"] {
            assert_eq!(show(image.run(&[shell, "-c", &script])), expected, "{shell}: {opening}");
        }
    }
    let script = format!("[[ {}", "( ".repeat(10_000));
    assert_eq!(show(image.run(&["/bin/bash", "-c", &script])), expected);
}

#[test]
fn loops_and_growth_are_cut_off() {
    let limits = Limits { steps: 20_000, bytes: 1 << 20, ..Limits::default() };
    let mut image = Image::new();
    image.limits = limits;
    for (script, expected) in [
        ("while :; do :; done", "limit: the number of commands reached the limit of 20000\n"),
        ("until false; do :; done", "limit: the number of commands reached the limit of 20000\n"),
        ("f() { f; }; f", "limit: the depth of calls reached the limit of 200\n"),
        ("x='eval \"$x\"'; eval \"$x\"", "limit: the depth of calls reached the limit of 200\n"),
        ("echo 'sh $0' > s; sh s", "limit: the depth of calls reached the limit of 200\n"),
        (
            "x=a; while :; do x=$x$x; done",
            "limit: the number of bytes read and written reached the limit of 1048576\n",
        ),
        (
            "echo {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
            "limit: the number of bytes read and written reached the limit of 1048576\n",
        ),
        (
            "echo {1..1000000000}",
            "limit: the number of bytes read and written reached the limit of 1048576\n",
        ),
    ] {
        assert_eq!(show(image.run(&["/bin/bash", "-c", script])), expected, "{script}");
    }
    let braces = format!("echo {}", "{a,".repeat(10_000));
    let patterns = format!("x={}; echo ${{x//*b/}}", "a".repeat(10_000));
    for script in [braces, patterns] {
        let shown = show(image.run(&["/bin/bash", "-c", &script]));
        assert_eq!(shown, "limit: the number of commands reached the limit of 20000\n");
    }
}

#[test]
fn what_is_not_understood_is_refused_by_name() {
    check(&[
        (
            Shells::Bash,
            ":(){ :|:& };:",
            "refused: `&` is not understood: commands in the background\n",
        ),
        (Shells::Both, "sleep 1 &", "refused: `&` is not understood: commands in the background\n"),
        (
            Shells::Both,
            "kill 1",
            "refused: `kill` is not understood: a builtin about processes or the machine\n",
        ),
        (
            Shells::Bash,
            "time true",
            "refused: `the script` is not understood: `time`, which measures the machine\n",
        ),
        (
            Shells::Bash,
            "echo a > >(cat)",
            "refused: `the script` is not understood: a process substitution that is written to\n",
        ),
        (
            Shells::Bash,
            r#"[[ a- =~ [a"-"z] ]]"#,
            "refused: `[[ =~` is not understood: quotes in brackets\n",
        ),
        (
            Shells::Bash,
            r"[[ aa =~ (a)\1 ]]; [[ aa =~ ^(a*)*$ ]]",
            "refused: `[[ =~` is not understood: a regular expression that uses repeated groups of what may be empty\n",
        ),
        (
            Shells::Bash,
            "[ -f <(true) ]",
            "refused: `/dev/fd` depends on the machine that runs it: the container's runtime makes it\n",
        ),
        (Shells::Bash, "coproc true", "refused: `the script` is not understood: `coproc`\n"),
        (
            Shells::Both,
            "fi",
            "refused: `the script` is not understood: syntax error: `fi` is not expected here\n",
        ),
        (
            Shells::Both,
            "echo 'a",
            "refused: `the script` is not understood: syntax error: a single quote has no end\n",
        ),
        (Shells::Both, "echo a; exit 0\nfi ((", "a\n"),
        (Shells::Both, "exec 3<>f", "refused: `the script` is not understood: `<>`\n"),
        (
            Shells::Bash,
            "echo $PPID",
            "refused: `$PPID` is not understood: it depends on the machine\n",
        ),
        (Shells::Dash, "set -o vi", "refused: `set -o` is not understood: the option `vi`\n"),
        (
            Shells::Both,
            "cat /proc/self/status </proc/1/maps",
            "refused: `/proc/1` depends on the machine that runs it: the container's runtime makes it\n",
        ),
    ]);
}

#[test]
fn bytes_that_are_no_text_survive() {
    check(&[(
        Shells::Bash,
        r"x=$'\xff\x80'; echo a > $x; for f in *; do [ $f = $x ] && echo same; done; y=${x%?}; [ $y = $'\xff' ] && echo cut",
        "same\ncut\n",
    )]);
}

#[test]
fn what_is_quoted_in_a_refusal_is_cut() {
    let script = format!("echo $(({}", "(".repeat(20_000));
    let shown = show(Image::new().run(&["/bin/bash", "-c", &script]));
    assert!(shown.starts_with("limit: ") || shown.len() < 600, "{shown}");
    let script = format!("echo $(({}))", "1 ".repeat(20_000));
    for shell in ["/bin/sh", "/bin/bash"] {
        let shown = show(Image::new().run(&[shell, "-c", &script]));
        let quoted = "1 ".repeat(100);
        let quoted = &quoted[..199];
        let expected =
            format!("refused: `{quoted}…` is not understood: not an arithmetic expression\n");
        assert_eq!(shown, expected, "{shell}");
    }
}

#[test]
fn commands_that_run_commands_are_as_deep_as_calls() {
    let expected = "limit: the depth of calls reached the limit of 200\n";
    for script in [
        format!("{}:", "command ".repeat(10_000)),
        "export S='sh -c \"$S\"'; sh -c \"$S\"".to_owned(),
        "printf '#!/bin/sh\\n/s' > /s; chmod +x /s; /s".to_owned(),
        "echo '. /s' > /s; . /s".to_owned(),
    ] {
        check(&[(Shells::Both, &script, expected)]);
    }
}
