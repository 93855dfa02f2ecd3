//! Builtins.
//!
//! What is expected is what dash 0.5.12 and bash 5.2 of Debian 12 print.

use super::{Shells, check};

#[test]
fn builtins_are_as_the_real_ones_have_them() {
    check(CASES);
}

const CASES: &[(Shells, &str, &str)] = &[
    (
        Shells::Dash,
        "x=5 ; readonly x; echo $x; (x=6; echo no); echo $?",
        "5\n2\n!/bin/sh: 1: x: is read only\n",
    ),
    (
        Shells::Bash,
        "x=5 ; readonly x; echo $x; (x=6; echo no); echo $?",
        "5\n1\n!/bin/bash: line 1: x: readonly variable\n",
    ),
    (
        Shells::Dash,
        "type cd; command -v cd; command -v nope; echo $?",
        "cd is a shell builtin\ncd\n127\n",
    ),
    (
        Shells::Bash,
        "type cd; command -v cd; command -v nope; echo $?",
        "cd is a shell builtin\ncd\n1\n",
    ),
    (
        Shells::Dash,
        "cd /tmp; pwd; cd -; echo $PWD $OLDPWD; cd /nope; echo $?; cd; pwd",
        "/tmp\n/work\n/work /tmp\n2\n/root\n!/bin/sh: 1: cd: can't cd to /nope\n",
    ),
    (
        Shells::Bash,
        "cd /tmp; pwd; cd -; echo $PWD $OLDPWD; cd /nope; echo $?; cd; pwd",
        "/tmp\n/work\n/work /tmp\n1\n/root\n!/bin/bash: line 1: cd: /nope: No such file or directory\n",
    ),
    (Shells::Both, "eval 'x=1; echo $x'; eval echo '$x' b; eval; echo $?", "1\n1 b\n0\n"),
    (
        Shells::Both,
        "getopts ab:c o -a -bval -c x; echo $o $OPTIND; getopts ab:c o -a -bval -c x; echo $o $OPTARG $OPTIND; getopts ab:c o -a -bval -c x; echo $o $OPTIND;getopts ab:c o -a -bval -c x; echo $? $o $OPTIND",
        "a 2\nb val 3\nc 4\n1 ? 4\n",
    ),
    (
        Shells::Dash,
        r#"while getopts ab: o -x -a -b; do echo "$o [$OPTARG]"; done; echo $OPTIND"#,
        "? []\na []\n? []\n4\n!Illegal option -x\n!No arg for -b option\n",
    ),
    (
        Shells::Bash,
        r#"while getopts ab: o -x -a -b; do echo "$o [$OPTARG]"; done; echo $OPTIND"#,
        "? []\na []\n? []\n4\n!/bin/bash: illegal option -- x\n!/bin/bash: option requires an argument -- b\n",
    ),
    (Shells::Both, "umask 027; umask; umask -S; umask g+w; umask", "0027\nu=rwx,g=rx,o=\n0007\n"),
    (
        Shells::Both,
        r#"f() { local x=1; g; echo $x; }; g() { echo "g$x"; x=2; }; x=0; f; echo $x"#,
        "g1\n2\n0\n",
    ),
    (
        Shells::Both,
        "x=a; x=b echo $x; x=c sh -c 'echo $x'; echo $x; export x; sh -c 'echo $x'",
        "a\nc\na\na\n",
    ),
    (
        Shells::Both,
        "command echo hi; command -v echo; type echo; command cd /tmp; pwd",
        "hi\necho\necho is a shell builtin\n/tmp\n",
    ),
    (
        Shells::Bash,
        "source /nope || echo no; printf -v v '%03d' 7; echo $v; type -t echo if f nope; echo $?",
        "no\n007\nbuiltin\nkeyword\n1\n!/bin/bash: line 1: /nope: No such file or directory\n",
    ),
    (
        Shells::Bash,
        "readonly x=1; x=2; echo no",
        "!/bin/bash: line 1: x: readonly variable\nstatus 1\n",
    ),
    (
        Shells::Bash,
        "readonly x=1\nx=2\necho yes $?",
        "yes 1\n!/bin/bash: line 2: x: readonly variable\n",
    ),
    (Shells::Bash, "alias ll='ls -l'; echo ok; unalias ll", "ok\n"),
    (
        Shells::Bash,
        r#"export a=1 b="x y"; sh -c 'echo $a $b'; export -n a; sh -c 'echo [$a]'; declare -x c=3; sh -c 'echo $c'"#,
        "1 x y\n[]\n3\n",
    ),
    (Shells::Dash, "local x", "!/bin/sh: 1: local: not in a function\nstatus 2\n"),
    (Shells::Dash, r#"f() { local x y=2; echo "[$x]$y"; }; x=out; f; echo $x"#, "[out]2\nout\n"),
    (
        Shells::Dash,
        "for i in 1 2; do :; done; echo $i; type local; type [ ; type :; command -v :",
        "2\nlocal is a special shell builtin\n[ is a shell builtin\n: is a special shell builtin\n:\n",
    ),
    (Shells::Dash, "let x=1", "!/bin/sh: 1: let: not found\nstatus 127\n"),
    (
        Shells::Bash,
        "f() { nope; }; f; eval nope",
        "!environment: line 1: nope: command not found\n!/bin/bash: line 1: nope: command not found\nstatus 127\n",
    ),
    (
        Shells::Dash,
        "echo 'nope' > s; . ./s; eval nope; sh s",
        "!/bin/sh: 1: ./s: nope: not found\n!/bin/sh: 1: eval: nope: not found\n!s: 1: nope: not found\nstatus 127\n",
    ),
    (
        Shells::Bash,
        "echo 'nope' > s; . ./s; eval nope; sh s",
        "!./s: line 1: nope: command not found\n!/bin/bash: line 1: nope: command not found\n!s: 1: nope: not found\nstatus 127\n",
    ),
    (
        Shells::Both,
        r#"x='$y'; y=z; echo $x; eval echo $x; eval "eval echo \$x"; z=1 eval 'echo $z'"#,
        "$y\nz\nz\n1\n",
    ),
    (
        Shells::Dash,
        "a=1 export b=2; echo $a$b; a=3 :; echo $a; f() { echo $a; }; a=4 f; echo $a",
        "12\n3\n4\n3\n",
    ),
    (
        Shells::Bash,
        r#"a=1 export b=2; echo "[$a]$b"; a=3 :; echo "[$a]"; f() { echo $a; }; a=4 f; echo "[$a]""#,
        "[]2\n[]\n4\n[]\n",
    ),
    (
        Shells::Dash,
        "cd /etc; pwd; cd ..; pwd; cd /bin; pwd; pwd -P; cd -P /bin; pwd; cd -L ..; pwd; cd ./tmp/../root; pwd",
        "/etc\n/\n/bin\n/usr/bin\n/usr/bin\n/usr\n/usr\n!/bin/sh: 1: cd: can't cd to ./tmp/../root\n",
    ),
    (
        Shells::Bash,
        "cd /etc; pwd; cd ..; pwd; cd /bin; pwd; pwd -P; cd -P /bin; pwd; cd -L ..; pwd; cd ./tmp/../root; pwd",
        "/etc\n/\n/bin\n/usr/bin\n/usr/bin\n/usr\n/usr\n!/bin/bash: line 1: cd: ./tmp/../root: No such file or directory\n",
    ),
    (Shells::Both, "f() { :; }; command -v f; x=$(command -v sh); echo $x", "f\n/usr/bin/sh\n"),
    (
        Shells::Both,
        r#"for v in 3.8 3.9; do if [ "$v" != 3.8 ]; then echo "v$v"; fi; done; export PATH="/opt/bin:$PATH"; echo $PATH"#,
        "v3.9\n/opt/bin:/usr/local/bin:/usr/bin:/bin\n",
    ),
    (Shells::Both, "(umask 000 && : > f); cd /tmp && : > g && cd - >/dev/null; pwd", "/work\n"),
    (
        Shells::Both,
        r#"echo "export A=\"b c\"" >> rc; . ./rc; echo "$A"; sh -c 'echo $A'"#,
        "b c\nb c\n",
    ),
    (
        Shells::Both,
        "if ! command -v foo >/dev/null 2>&1; then echo missing; fi; command -v sh >/dev/null && echo sh; type nope >/dev/null 2>&1 || echo nope",
        "missing\nsh\nnope\n",
    ),
];
