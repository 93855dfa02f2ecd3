//! `set -e`, `set -u`, traps, and how a shell ends.
//!
//! What is expected is what dash 0.5.12 and bash 5.2 of Debian 12 print.

use super::{Shells, check};

#[test]
fn failures_are_as_the_real_ones_have_them() {
    check(CASES);
}

const CASES: &[(Shells, &str, &str)] = &[
    (
        Shells::Both,
        "set -e; false || true; if false; then :; fi; ! true; echo here; false; echo no",
        "here\nstatus 1\n",
    ),
    (Shells::Both, "set -e; f() { false; echo in; }; f || echo or; f; echo no", "in\nstatus 1\n"),
    (
        Shells::Both,
        "set -e; (false; echo a) || echo b; echo c; (false); echo no",
        "a\nc\nstatus 1\n",
    ),
    (Shells::Both, "set -e; x=$(false); echo no", "status 1\n"),
    (
        Shells::Both,
        "set -e; while false; do :; done; false && true; echo ok; true && false; echo no",
        "ok\nstatus 1\n",
    ),
    (
        Shells::Both,
        "set -e; { false && true; }; echo ok; f() { false && true; }; f; echo no",
        "ok\nstatus 1\n",
    ),
    (Shells::Both, "trap 'echo bye $?' EXIT; echo hi; exit 3", "hi\nbye 3\nstatus 3\n"),
    (
        Shells::Both,
        "trap 'echo bye' EXIT; (echo sub); (trap 'echo subbye' EXIT); echo end",
        "sub\nsubbye\nend\nbye\n",
    ),
    (
        Shells::Dash,
        "set -u; echo ${x-ok}; echo $x; echo no",
        "ok\n!/bin/sh: 1: x: parameter not set\nstatus 2\n",
    ),
    (
        Shells::Bash,
        "set -u; echo ${x-ok}; echo $x; echo no",
        "ok\n!/bin/bash: line 1: x: unbound variable\nstatus 127\n",
    ),
    (
        Shells::Bash,
        "set -o pipefail; false | true; echo $?; true | true; echo $?; set +o pipefail; false | true; echo $?",
        "1\n0\n0\n",
    ),
    (
        Shells::Bash,
        r#"set -euo pipefail; x=${1:-def}; echo $x; [[ -z "${y:-}" ]] && echo empty; echo $y"#,
        "def\nempty\n!/bin/bash: line 1: y: unbound variable\nstatus 1\n",
    ),
    (
        Shells::Bash,
        "set -e; ((0)) || true; [[ a == b ]] || echo no; [[ a == b ]]; echo never",
        "no\nstatus 1\n",
    ),
    (
        Shells::Bash,
        r#"set -e; x=$(false; echo still); echo "[$x]"; echo $(false)ok"#,
        "[still]\nok\n",
    ),
    (
        Shells::Bash,
        "set -e\nreadonly x=1\nx=2\necho yes $?",
        "!/bin/bash: line 3: x: readonly variable\nstatus 1\n",
    ),
    (
        Shells::Bash,
        "set -u\necho $x\necho no",
        "!/bin/bash: line 2: x: unbound variable\nstatus 127\n",
    ),
    (
        Shells::Dash,
        "set -o pipefail; echo no",
        "!/bin/sh: 1: set: Illegal option -o pipefail\nstatus 2\n",
    ),
    (Shells::Both, "trap - EXIT; trap 'echo a' 0; trap; exit 0", "trap -- 'echo a' EXIT\na\n"),
    (Shells::Both, r#"trap 'echo "x $?"' EXIT; set -e; false"#, "x 1\nstatus 1\n"),
    (Shells::Both, "trap 'exit 7' EXIT; exit 3", "status 7\n"),
    (Shells::Both, "f() { trap 'echo fexit' EXIT; }; f; echo after", "after\nfexit\n"),
    (
        Shells::Both,
        r#"(trap 'echo in' EXIT; exit 3); echo $?; x=$(trap 'echo sub' EXIT; echo b); echo "$x""#,
        "in\n3\nb\nsub\n",
    ),
    (Shells::Both, "trap 'echo bye' EXIT; exec echo replaced", "replaced\n"),
    (Shells::Dash, "exec nope; echo no", "!/bin/sh: 1: exec: nope: not found\nstatus 127\n"),
    (Shells::Bash, "exec nope; echo no", "!/bin/bash: line 1: exec: nope: not found\nstatus 127\n"),
    (Shells::Both, "exec sh -c 'exit 4'", "status 4\n"),
    (
        Shells::Both,
        "{ echo out; echo err >&2; } 2>&1 >/dev/null; { echo a; echo b >&2; } 2>/dev/null; exec 4>&1; echo four >&4",
        "err\na\nfour\n",
    ),
    (Shells::Dash, r#"set -e; if x=$(false; echo a); then echo "[$x]"; fi; echo no"#, "no\n"),
    (
        Shells::Bash,
        r#"set -e; if x=$(false; echo a); then echo "[$x]"; fi; echo yes"#,
        "[a]\nyes\n",
    ),
    (
        Shells::Both,
        "set -e; f() { false; echo in; }; if f; then echo t; fi; f; echo no",
        "in\nt\nstatus 1\n",
    ),
    (Shells::Both, "set -e; false || false; echo no", "status 1\n"),
    (
        Shells::Both,
        "set -e; ! true; ! false; (! true); echo ok; true | false; echo no",
        "status 1\n",
    ),
    (
        Shells::Dash,
        "set -e; cd /nope || echo c; cd /nope; echo no",
        "c\n!/bin/sh: 1: cd: can't cd to /nope\n!/bin/sh: 1: cd: can't cd to /nope\nstatus 2\n",
    ),
    (
        Shells::Bash,
        "set -e; cd /nope || echo c; cd /nope; echo no",
        "c\n!/bin/bash: line 1: cd: /nope: No such file or directory\n!/bin/bash: line 1: cd: /nope: No such file or directory\nstatus 1\n",
    ),
    (Shells::Both, "set -e; for i in 1; do false; done; echo no", "status 1\n"),
    (Shells::Both, "set -e; case a in a) false;; esac; echo no", "status 1\n"),
    (
        Shells::Both,
        "set -e; echo $(false) ok; x=$(echo a; false) || echo or; local_x=1; eval false; echo no",
        "ok\nor\nstatus 1\n",
    ),
    (
        Shells::Dash,
        "set -e; . /nope; echo no",
        "!/bin/sh: 1: .: cannot open /nope: No such file\nstatus 2\n",
    ),
    (
        Shells::Bash,
        "set -e; . /nope; echo no",
        "!/bin/bash: line 1: /nope: No such file or directory\nstatus 1\n",
    ),
    (
        Shells::Dash,
        r#"set -eu; x=; echo "${x:-d}"; echo ${y?gone}; echo no"#,
        "d\n!/bin/sh: 1: y: gone\nstatus 2\n",
    ),
    (
        Shells::Bash,
        r#"set -eu; x=; echo "${x:-d}"; echo ${y?gone}; echo no"#,
        "d\n!/bin/bash: line 1: y: gone\nstatus 1\n",
    ),
    (
        Shells::Dash,
        r#"set -eux; x=1; [ "$x" = 1 ]; echo ok"#,
        "ok\n!+ x=1\n!+ [ 1 = 1 ]\n!+ echo ok\n",
    ),
    (
        Shells::Bash,
        r#"set -eux; x=1; [ "$x" = 1 ]; echo ok"#,
        "ok\n!+ x=1\n!+ '[' 1 = 1 ']'\n!+ echo ok\n",
    ),
    (
        Shells::Dash,
        r#"set -eux; savedAptMark="$(echo a b)"; for p in $savedAptMark; do echo "$p"; done; [ -z "$savedAptMark" ] || echo keep"#,
        "a\nb\nkeep\n!+ echo a b\n!+ savedAptMark=a b\n!+ echo a\n!+ echo b\n!+ [ -z a b ]\n!+ echo keep\n",
    ),
    (
        Shells::Bash,
        r#"set -eux; savedAptMark="$(echo a b)"; for p in $savedAptMark; do echo "$p"; done; [ -z "$savedAptMark" ] || echo keep"#,
        "a\nb\nkeep\n!++ echo a b\n!+ savedAptMark='a b'\n!+ for p in $savedAptMark\n!+ echo a\n!+ for p in $savedAptMark\n!+ echo b\n!+ '[' -z 'a b' ']'\n!+ echo keep\n",
    ),
];
