//! Parameters and arithmetic.
//!
//! What is expected is what dash 0.5.12 and bash 5.2 of Debian 12 print.

use super::{Shells, check};

#[test]
fn parameters_are_as_the_real_ones_have_them() {
    check(CASES);
}

const CASES: &[(Shells, &str, &str)] = &[
    (Shells::Both, "i=0; while [ $i -lt 3 ]; do echo $i; i=$((i+1)); done", "0\n1\n2\n"),
    (
        Shells::Both,
        r#"echo ${u-def} ${u:-def2} ${u+set}; u=; echo "[${u-def}]" "[${u:-d}]" "[${u+set}]" "[${u:+set}]"; echo ${v:=new} $v"#,
        "def def2\n[] [d] [set] []\nnew new\n",
    ),
    (Shells::Both, r#"unset x; echo "[${x}]"; x=1; unset x; echo ${x-unset}"#, "[]\nunset\n"),
    (
        Shells::Both,
        r#"echo "${x:-"a b"}" ${x:-'a  b'} ${x:-a  b} "${x:-a  b}" "${x:-'q'}""#,
        "a b a  b a b a  b 'q'\n",
    ),
    (Shells::Dash, ":; echo ${x:?msg}; echo no", "!/bin/sh: 1: x: msg\nstatus 2\n"),
    (Shells::Bash, ":; echo ${x:?msg}; echo no", "!/bin/bash: line 1: x: msg\nstatus 127\n"),
    (
        Shells::Dash,
        r#"x=; echo ${x?no} ok; echo "${x:?}"; echo no"#,
        "ok\n!/bin/sh: 1: x: parameter not set or null\nstatus 2\n",
    ),
    (
        Shells::Bash,
        r#"x=; echo ${x?no} ok; echo "${x:?}"; echo no"#,
        "ok\n!/bin/bash: line 1: x: parameter null or not set\nstatus 127\n",
    ),
    (Shells::Bash, "x=5; echo $((x++)) ; echo $((++x)); echo $x", "5\n7\n7\n"),
    (
        Shells::Bash,
        "x=hello; echo ${x^} ${x^^} ${x:1:3} ${x: -2} ${x/l/L} ${x//l/L} ${x/#he/HE} ${x/%lo/LO} ${x:1} ${x:0:-1}; y=HELLO; echo ${y,} ${y,,}",
        "Hello HELLO ell lo heLlo heLLo HEllo helLO ello hell\nhELLO hello\n",
    ),
    (Shells::Bash, "f() { local a=1 b; local -a c=(1 2); echo $a $b ${c[1]}; }; f", "1 2\n"),
    (
        Shells::Bash,
        r#"declare -A m; m[x]=1; m["y z"]=2; echo ${m[x]} ${m[y z]} ${#m[@]}; k=x; echo ${m[$k]}"#,
        "1 2 2\n1\n",
    ),
    (
        Shells::Bash,
        "x=abc; y=x; echo ${!y}; echo ${!y^^}; set -- p q; n=2; echo ${!n}",
        "abc\nABC\nq\n",
    ),
    (
        Shells::Bash,
        "echo $RANDOM >/dev/null; echo $LINENO; echo $UID $EUID; echo ${#RANDOM} >/dev/null",
        "1\n0 0\n",
    ),
    (
        Shells::Dash,
        "echo $((x=3)) $x; y='1+1'; echo $((y))",
        "3 3\n!/bin/sh: 1: Illegal number: 1+1\nstatus 2\n",
    ),
    (Shells::Dash, "y=abc; echo $((y))", "!/bin/sh: 1: Illegal number: abc\nstatus 2\n"),
    (
        Shells::Both,
        r#"echo "${x:-a  b}" "${y-  }|"; x='a  b'; echo "${x%  b}|" "${x#a  }|""#,
        "a  b   |\na| b|\n",
    ),
    (Shells::Both, r#"x=a; echo ${x:-"$(echo '}')"}} "${x:+"{"}" '}'"#, "a} { }\n"),
    (Shells::Both, "f() { if [ $1 -gt 0 ]; then echo $1; f $(($1-1)); fi; }; f 3", "3\n2\n1\n"),
    (
        Shells::Both,
        "export A=1; B=2 sh -c 'echo $A $B'; A=3 sh -c 'echo $A'; echo $A; unset A; sh -c 'echo ${A-unset}'",
        "1 2\n3\n1\nunset\n",
    ),
    (
        Shells::Both,
        "x=5; while [ $x -gt 0 ]; do x=$((x-1)); [ $x -eq 3 ] && continue; echo $x; done",
        "4\n2\n1\n0\n",
    ),
    (Shells::Both, "echo $((010 + 0x10)) $((-7/2)) $((-7%2))", "24 -3 -1\n"),
    (
        Shells::Both,
        r#"x=10; y=x; echo $(($x+1)) $((x+1)) $(( x > 5 )); x="1 "; echo $((x))"#,
        "11 11 1\n1\n",
    ),
    (
        Shells::Both,
        r#"n=0; while true; do n=$((n + 1)); if [ "$n" -ge 3 ]; then break; fi; done; echo $n; until [ $n -eq 0 ]; do n=$((n - 1)); done; echo $n"#,
        "3\n0\n",
    ),
    (
        Shells::Bash,
        "declare -A m=([a]=1 [b]=2); echo ${m[a]}${m[b]}; declare -a l=(x y); l+=(z); echo ${#l[@]}; readonly R=5; echo $R; local_test() { local -r q=1; echo $q; }; local_test",
        "12\n3\n5\n1\n",
    ),
];
