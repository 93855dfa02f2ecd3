//! What bash adds: regular expressions, `PIPESTATUS`, process substitution, the directory stack.
//!
//! What is expected is what bash 5.2 of Debian 12 prints.

use super::{Shells, check};

#[test]
fn regular_expressions_match_and_set_their_groups() {
    check(EXPRESSIONS);
}

#[test]
fn what_was_quoted_in_a_regular_expression_stands_for_itself() {
    check(QUOTED);
}

#[test]
fn the_statuses_of_a_pipeline_are_those_of_its_commands() {
    check(STATUSES);
}

#[test]
fn a_command_may_read_what_others_write() {
    check(SUBSTITUTIONS);
}

#[test]
fn divisions_by_zero_fail_where_they_are() {
    check(DIVISIONS);
}

#[test]
fn names_of_names_have_to_be_names() {
    check(INDIRECT);
}

#[test]
fn directories_are_stacked() {
    check(DIRECTORIES);
}

#[test]
fn elements_and_programs_are_found_by_name() {
    check(NAMES);
}

#[test]
fn tests_are_shown_as_they_come() {
    check(TRACES);
}

const EXPRESSIONS: &[(Shells, &str, &str)] = &[
    (
        Shells::Bash,
        r#"[[ abc =~ ^a(b)(x)?c$ ]]; echo $? ${#BASH_REMATCH[@]} "${BASH_REMATCH[@]}" "<${BASH_REMATCH[2]}>""#,
        "0 3 abc b  <>\n",
    ),
    (
        Shells::Bash,
        r#"[[ a =~ a ]]; [[ x =~ y ]]; echo $? ${#BASH_REMATCH[@]} "<${BASH_REMATCH[0]-unset}>""#,
        "1 0 <unset>\n",
    ),
    (
        Shells::Bash,
        r#"v=3.12.1; r='^([0-9]+)\.([0-9]+)'; [[ $v =~ $r ]] && echo "${BASH_REMATCH[1]} ${BASH_REMATCH[2]}""#,
        "3 12\n",
    ),
    (
        Shells::Bash,
        r#"[[ x86_64 =~ ^(x86_64|aarch64)$ ]] && echo known; [[ "a/b c" =~ ^([^/]+)/(.*)$ ]] && echo "${BASH_REMATCH[2]}""#,
        "known\nb c\n",
    ),
    (Shells::Bash, "shopt -s nocasematch; [[ ABC =~ b ]] && echo yes", "yes\n"),
    (
        Shells::Bash,
        "[[ a =~ a ]]; r='('; [[ a =~ $r ]]; echo $? ${#BASH_REMATCH[@]}; [[ a =~ $r || 1 ]]; echo $?; [[ ! a =~ $r ]]; echo $?",
        "2 1\n0\n0\n",
    ),
    (Shells::Bash, "[[ (a =~ b) || (c =~ c) ]]; echo $?", "0\n"),
    (
        Shells::Bash,
        "set -e; f() { [[ x =~ y ]]; echo in; }; f || echo or; f; echo no",
        "in\nstatus 1\n",
    ),
];

const QUOTED: &[(Shells, &str, &str)] = &[
    (
        Shells::Bash,
        r#"[[ 3x12 =~ "." ]]; echo $?; [[ a.b =~ a"."b ]]; echo $?; r='a.b'; [[ axb =~ "$r" ]]; echo $?"#,
        "1\n0\n1\n",
    ),
    (
        Shells::Bash,
        r#"[[ "[a]" =~ ^\[a\]$ ]]; echo $?; [[ "a{2}" =~ "{2}" ]]; echo $?; [[ "a b" =~ a\ b ]]; echo $?"#,
        "0\n0\n0\n",
    ),
    (
        Shells::Bash,
        r#"[[ a+b =~ ["+"] ]]; echo $?; [[ a =~ [^"b"] ]]; echo $?; [[ a] =~ a[]] ]]; echo $?; [[ 'a\' =~ [\\] ]]; echo $?"#,
        "0\n0\n0\n0\n",
    ),
    (
        Shells::Bash,
        r#"[[ "a x" =~ [[:space:]]"x" ]]; echo $?; [[ a^ =~ [[:alpha:]^]"^" ]]; echo $?"#,
        "0\n0\n",
    ),
];

const STATUSES: &[(Shells, &str, &str)] = &[
    (
        Shells::Bash,
        r#"false | true | (exit 3); echo "${PIPESTATUS[@]}"; echo "${PIPESTATUS[@]}"; ! false; echo $PIPESTATUS"#,
        "1 0 3\n0\n1\n",
    ),
    (
        Shells::Bash,
        r#"false | true; rc=("${PIPESTATUS[@]}"); echo "${rc[@]} ${#rc[@]}"; false | true; a=${PIPESTATUS[0]} b=${PIPESTATUS[1]}; echo $a$b"#,
        "1 0 2\n10\n",
    ),
    (
        Shells::Bash,
        r#"{ true | false; }; echo ${PIPESTATUS[@]}; if false | true; then echo ${PIPESTATUS[@]}; fi; f() { false | true; return 5; }; f; echo ${PIPESTATUS[@]}"#,
        "0 1\n1 0\n5\n",
    ),
    (
        Shells::Bash,
        r#"true | { false | exit 3; }; echo ${PIPESTATUS[@]}; eval 'true | false'; echo ${PIPESTATUS[@]}; x=$(exit 4); echo ${PIPESTATUS[@]}"#,
        "0 3\n1\n4\n",
    ),
    (Shells::Bash, "false | true; (( PIPESTATUS[0] == 1 )) && echo first", "first\n"),
];

const SUBSTITUTIONS: &[(Shells, &str, &str)] = &[
    (
        Shells::Bash,
        r#"n=0; while read -r l; do n=$((n+1)); echo "<$l>"; done < <(printf 'a\nb\n'; exit 3); echo $n $?"#,
        "<a>\n<b>\n2 0\n",
    ),
    (
        Shells::Bash,
        r#"mapfile -t x < <(echo 1; echo 2); echo "${x[1]}"; read a b < <(echo q w e); echo "$a-$b"; cat < <(cat < <(echo deep))"#,
        "2\nq-w e\ndeep\n",
    ),
    (Shells::Bash, "x=1; cat < <(x=2; echo $x); echo $x", "2\n1\n"),
    (
        Shells::Bash,
        "cat <(echo a) <(echo b; exit 3); echo $? <(:); cat <(echo c) > f; cat f; comm -12 <(printf 'a\\nb\\n') <(printf 'b\\nc\\n')",
        "a\nb\n0 /dev/fd/63\nc\nb\n",
    ),
    (
        Shells::Bash,
        "f() { cat $1; cat < $2; }; f <(echo 1) <(echo 2); . <(echo x=5); echo $x; bash <(echo 'echo \"in $1\"') arg; sort 0<&- <(echo z; echo y)",
        "1\n2\n5\nin arg\ny\nz\n",
    ),
    (
        Shells::Bash,
        "{ echo a; echo b >&2; } |& cat | wc -l; { echo c; echo d >&2; } >/dev/null |& wc -l",
        "2\n0\n",
    ),
];

const DIVISIONS: &[(Shells, &str, &str)] = &[
    (
        Shells::Bash,
        "echo $(( 6 / 0 )); echo no\necho $?",
        "1\n!/bin/bash: line 1: 6 / 0 : division by 0 (error token is \"0 \")\n",
    ),
    (
        Shells::Bash,
        "x=6; y=0; z='4/y'; ((x % y + 2)); echo $?; let z+1; echo $?; [[ 1/0 -eq 2 ]]; echo $?",
        "1\n1\n1\n!/bin/bash: line 1: ((: x % y + 2: division by 0 (error token is \"y + 2\")\n!/bin/bash: line 1: let: 4/y: division by 0 (error token is \"y\")\n!/bin/bash: line 1: [[: 1/0: division by 0 (error token is \"0\")\n",
    ),
    (
        Shells::Bash,
        "for ((i = 0; 1/0; i++)); do echo no; done; echo $?; (echo $((1/0)); echo no); echo $?",
        "1\n1\n!/bin/bash: line 1: ((: 1/0: division by 0 (error token is \"0\")\n!/bin/bash: line 1: 1/0: division by 0 (error token is \"0\")\n",
    ),
    (
        Shells::Bash,
        "a=(1); echo ${a[1/0]}",
        "refused: `1/0` is not understood: a division by zero\n",
    ),
];

const INDIRECT: &[(Shells, &str, &str)] = &[
    (
        Shells::Bash,
        "echo \"[${!a-}]\"; echo no\necho $?; b=; echo \"${!b}\"\nb='x y'; echo ${!b}",
        "1\n!/bin/bash: line 1: a: invalid indirect expansion\n!/bin/bash: line 2: : invalid variable name\n!/bin/bash: line 3: x y: invalid variable name\nstatus 1\n",
    ),
    (Shells::Bash, r#"b=c; echo "[${!b}]${!b-d}"; c=5; echo ${!b}"#, "[]d\n5\n"),
];

const DIRECTORIES: &[(Shells, &str, &str)] = &[
    (
        Shells::Bash,
        "pushd /tmp; pushd /; dirs; popd; popd; popd; echo $?; pushd /nope; pushd; echo $?",
        "/tmp /work\n/ /tmp /work\n/ /tmp /work\n/tmp /work\n/work\n1\n1\n!/bin/bash: line 1: popd: directory stack empty\n!/bin/bash: line 1: pushd: /nope: No such file or directory\n!/bin/bash: line 1: pushd: no other directory\n",
    ),
    (
        Shells::Bash,
        "pushd ~ >/dev/null; dirs; pushd; popd >/dev/null; echo $PWD $OLDPWD; pushd +1",
        "refused: `pushd` is not understood: the option `+1`\n",
    ),
    (
        Shells::Bash,
        "pushd ~ >/dev/null; dirs; pushd; popd >/dev/null; echo $PWD $OLDPWD; dirs -c; dirs",
        "~ /work\n/work ~\n/root /work\n~\n",
    ),
];

const NAMES: &[(Shells, &str, &str)] = &[
    (
        Shells::Bash,
        "declare -A m=([a]=1); [[ -v m[a] ]]; echo $?; [[ -v m[b] ]]; echo $?; a=(1); [[ -v a[0] ]]; echo $?; [[ -v a[1] ]]; echo $?; [[ -v nope[0] ]]; echo $?",
        "0\n1\n0\n1\n1\n",
    ),
    (
        Shells::Bash,
        "type -P sed; type -P nope; echo $?; type -P cd; echo $?; f() { :; }; type -P f; echo $?",
        "/usr/bin/sed\n1\n1\n1\n",
    ),
];

const TRACES: &[(Shells, &str, &str)] = &[(
    Shells::Bash,
    r#"set -x; a='b c'; [[ -n $a && $a == "b c" ]]; [[ ! -z "$a" ]]; [[ $a ]]; [[ $a != "" ]]; [[ $a = "b*"* ]]; [[ ! ( -z $a ) ]]; [[ $a =~ x."y."z ]]"#,
    r"!+ a='b c'
!+ [[ -n b c ]]
!+ [[ b c == \b\ \c ]]
!+ [[ ! -z b c ]]
!+ [[ -n b c ]]
!+ [[ b c != '' ]]
!+ [[ b c = \b\** ]]
!+ [[ -z b c ]]
!+ [[ b c =~ x.y\.z ]]
status 1
",
)];
