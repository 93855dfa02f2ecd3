//! Lists, pipelines, compound commands, functions.
//!
//! What is expected is what dash 0.5.12 and bash 5.2 of Debian 12 print.

use super::{Shells, check};

#[test]
fn commands_are_as_the_real_ones_have_them() {
    check(CASES);
}

const CASES: &[(Shells, &str, &str)] = &[
    (Shells::Both, "echo hello world", "hello world\n"),
    (Shells::Both, r#"x=1; echo $x "$x" '$x' \$x"#, "1 1 $x $x\n"),
    (Shells::Both, r#"echo a  b   c; echo "a  b""#, "a b c\na  b\n"),
    (Shells::Both, "for i in a b c; do echo $i; done", "a\nb\nc\n"),
    (
        Shells::Both,
        "if true; then echo y; else echo n; fi; if false; then echo y; elif true; then echo e; fi",
        "y\ne\n",
    ),
    (Shells::Both, r#"until [ "$x" = aaa ]; do x=a$x; done; echo $x"#, "aaa\n"),
    (
        Shells::Both,
        r#"case "a b" in "a b") echo yes;; esac; case x in y|x) echo or;; esac; case abc in [a-c]??) echo br;; esac"#,
        "yes\nor\nbr\n",
    ),
    (Shells::Both, r#"f() { echo "$1-$2-$#"; return 3; }; f a "b c"; echo $?"#, "a-b c-2\n3\n"),
    (
        Shells::Both,
        r#"x=$(echo a; echo b; echo); echo "$x"; y=`echo \`echo deep\``; echo $y"#,
        "a\nb\ndeep\n",
    ),
    (
        Shells::Both,
        r#"(exit 3); echo $?; { echo g; }; (x=5; echo $x); echo "[$x]""#,
        "3\ng\n5\n[]\n",
    ),
    (
        Shells::Both,
        "true && echo a || echo b; false && echo a || echo b; ! true; echo $?; ! false && echo neg",
        "a\nb\n1\nneg\n",
    ),
    (
        Shells::Both,
        r#"x="  a  b  "; for i in $x; do echo "[$i]"; done; echo "[$x]"; echo [$x]"#,
        "[a]\n[b]\n[  a  b  ]\n[ a b ]\n",
    ),
    (
        Shells::Dash,
        r#"echo "a\nb" 'c\td'; printf '%s\n' a b; printf '%d-%s|' 1 x 2 y; echo"#,
        "a\nb c\td\na\nb\n1-x|2-y|\n",
    ),
    (
        Shells::Bash,
        r#"echo "a\nb" 'c\td'; printf '%s\n' a b; printf '%d-%s|' 1 x 2 y; echo"#,
        "a\\nb c\\td\na\nb\n1-x|2-y|\n",
    ),
    (
        Shells::Dash,
        "foo; echo $?; /nope/foo; echo $?; ./x; echo $?",
        "127\n127\n127\n!/bin/sh: 1: foo: not found\n!/bin/sh: 1: /nope/foo: not found\n!/bin/sh: 1: ./x: not found\n",
    ),
    (
        Shells::Bash,
        "foo; echo $?; /nope/foo; echo $?; ./x; echo $?",
        "127\n127\n127\n!/bin/bash: line 1: foo: command not found\n!/bin/bash: line 1: /nope/foo: No such file or directory\n!/bin/bash: line 1: ./x: No such file or directory\n",
    ),
    (Shells::Dash, "echo $0 $# $@; sh -c 'echo $0 $1' name arg", "/bin/sh 0\nname arg\n"),
    (Shells::Bash, "echo $0 $# $@; sh -c 'echo $0 $1' name arg", "/bin/bash 0\nname arg\n"),
    (Shells::Both, "f() { x=1; return; }; f; echo $? $x; f() (exit 4); f; echo $?", "0 1\n4\n"),
    (
        Shells::Both,
        "for i in 1 2 3; do for j in a b; do [ $j = b ] && continue 2; [ $i = 3 ] && break 2; echo $i$j; done; done; echo end",
        "1a\n2a\nend\n",
    ),
    (Shells::Both, "echo a; exit; echo b", "a\n"),
    (
        Shells::Both,
        r#"[ -f /etc/passwd ] && echo file; [ -d /etc ] && echo dir; test -z "" && echo z; [ a = a -a b = b ]; echo $?"#,
        "file\ndir\nz\n0\n",
    ),
    (
        Shells::Both,
        r#"echo $(echo "a   b") "$(echo "a   b")"; echo "$(echo "nested $(echo "deep  x")")""#,
        "a b a   b\nnested deep  x\n",
    ),
    (Shells::Both, "x=1; { x=2; }; echo $x; x=3 | x=4; echo $x; (x=5); echo $x", "2\n2\n2\n"),
    (
        Shells::Both,
        "echo $?; false; echo $?; true | false; echo $?; false | true; echo $?",
        "0\n1\n1\n0\n",
    ),
    (
        Shells::Dash,
        ". /nope; echo no",
        "!/bin/sh: 1: .: cannot open /nope: No such file\nstatus 2\n",
    ),
    (
        Shells::Bash,
        ". /nope; echo no",
        "no\n!/bin/bash: line 1: /nope: No such file or directory\n",
    ),
    (Shells::Dash, r#"x=$'a\tb\n'; echo "[$x]""#, "[$a\tb\n]\n"),
    (Shells::Bash, r#"x=$'a\tb\n'; echo "[$x]""#, "[a\tb\n]\n"),
    (Shells::Both, r#"echo a\"#, "a\\\n"),
    (Shells::Both, "# comment", ""),
    (Shells::Both, "echo a # comment", "a\n"),
    (Shells::Both, "echo a#b '#c' \"#d\" \\#e", "a#b #c #d #e\n"),
    (
        Shells::Both,
        r#"[ "$(echo a)" = a ] && echo eq; [ -n "" ] || echo empty; test 1 -eq 1 -o 1 -eq 2; echo $?"#,
        "eq\nempty\n0\n",
    ),
    (
        Shells::Both,
        r#"x='a b'; y=$x; echo "$y"; z=$x$y; echo "$z"; w="$x"c; echo $w"#,
        "a b\na ba b\na bc\n",
    ),
    (Shells::Bash, "function foo { echo f; }; foo; function bar() { echo b; }; bar", "f\nb\n"),
    (
        Shells::Bash,
        r#"echo $'a\nb' $'\x41\101\u0041' "$'x'" $"loc"; x=$'it\'s'; echo "$x""#,
        "a\nb AAA $'x' loc\nit's\n",
    ),
    (
        Shells::Bash,
        r#"f() { return 5; }; if ! f; then echo "st $?"; fi; f || echo $?; until f; do echo once; f() { return 0; }; done"#,
        "st 0\n5\nonce\n",
    ),
    (
        Shells::Bash,
        "x=5; [[ $x -eq 5 ]] && echo five; [[ x -eq 5 ]] && echo name; [[ -v x ]] && echo set; [[ -v nope ]] || echo unset",
        "five\nname\nset\nunset\n",
    ),
    (Shells::Dash, r#"echo $'a\tb'; echo "a\tb\c"; echo no"#, "$a\tb\na\tbno\n"),
    (Shells::Dash, "a+=b; echo $a", "\n!/bin/sh: 1: a+=b: not found\n"),
    (
        Shells::Dash,
        r#"test a == a; echo $?; echo -n x; echo -e 'a'; echo "-n""#,
        "2\nx-e a\n!/bin/sh: 1: test: a: unexpected operator\n",
    ),
    (
        Shells::Both,
        "sh -c 'exit 3'; echo $?; sh -e -c 'false; echo no'; echo $?; sh -ec 'echo a; false; echo b'; echo $?; sh -x -c 'echo t'",
        "3\n1\na\n1\nt\n!+ echo t\n",
    ),
    (
        Shells::Both,
        "sh nofile; echo $?; sh -c; echo $?",
        "2\n2\n!sh: 0: cannot open nofile: No such file\n!sh: 0: -c requires an argument\n",
    ),
    (
        Shells::Dash,
        r#"set -x; x=1; echo "a b" $x; y=$(echo sub); : "$y"; f() { echo in; }; f; if true; then echo t; fi; set +x; echo off"#,
        "a b 1\nin\nt\noff\n!+ x=1\n!+ echo a b 1\n!+ echo sub\n!+ y=sub\n!+ : sub\n!+ f\n!+ echo in\n!+ true\n!+ echo t\n!+ set +x\n",
    ),
    (
        Shells::Bash,
        r#"set -x; x=1; echo "a b" $x; y=$(echo sub); : "$y"; f() { echo in; }; f; if true; then echo t; fi; set +x; echo off"#,
        "a b 1\nin\nt\noff\n!+ x=1\n!+ echo 'a b' 1\n!++ echo sub\n!+ y=sub\n!+ : sub\n!+ f\n!+ echo in\n!+ true\n!+ echo t\n!+ set +x\n",
    ),
    (
        Shells::Both,
        "x=$(case a in a) echo hi;; esac); echo $x; echo $(# it's a comment\necho b); echo \"$(echo \")\" '(')\"",
        "hi\nb\n) (\n",
    ),
    (
        Shells::Dash,
        "f() {\n  echo $LINENO\n  nope\n}\nf\necho $LINENO",
        "\n\n!/bin/sh: 3: nope: not found\n",
    ),
    (
        Shells::Bash,
        "f() {\n  echo $LINENO\n  nope\n}\nf\necho $LINENO",
        "2\n6\n!environment: line 3: nope: command not found\n",
    ),
    (
        Shells::Both,
        "for i in 1 2\ndo\n  echo $i\ndone\ncase x in\n  (a|b) echo no;;\n  x)\n    echo yes\nesac\nif true\nthen echo t\nfi",
        "1\n2\nyes\nt\n",
    ),
    (
        Shells::Both,
        "while true; do echo a; break; echo b; done; while :; do while :; do break 2; done; done; for i in a b; do continue; done; echo $?",
        "a\n0\n",
    ),
    (
        Shells::Both,
        "f() { for i in 1 2; do return 3; done; }; f; echo $?; f() { while :; do return; done; }; f; echo $?",
        "3\n0\n",
    ),
    (
        Shells::Dash,
        "unset f; f() { echo f; }; f; unset -f f; f; echo $?",
        "f\n127\n!/bin/sh: 1: f: not found\n",
    ),
    (
        Shells::Bash,
        "unset f; f() { echo f; }; f; unset -f f; f; echo $?",
        "f\n127\n!/bin/bash: line 1: f: command not found\n",
    ),
    (
        Shells::Both,
        r#"test -n "$UNSET" || echo unset; [ ! -d /nope ] && echo nodir; [ -d /tmp -a -d /etc ] && echo both"#,
        "unset\nnodir\nboth\n",
    ),
];
