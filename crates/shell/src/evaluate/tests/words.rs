//! Fields, patterns, tildes, braces.
//!
//! What is expected is what dash 0.5.12 and bash 5.2 of Debian 12 print.

use super::{Shells, check};

#[test]
fn words_are_as_the_real_ones_have_them() {
    check(CASES);
}

const CASES: &[(Shells, &str, &str)] = &[
    (Shells::Both, "case foo in f*) echo yes;; *) echo no;; esac", "yes\n"),
    (
        Shells::Both,
        r#"set -- a "b c" d; for i; do echo "[$i]"; done; echo $#; shift; echo "$1"; printf '<%s>' "$@"; printf '<%s>' $*; printf '<%s>' "$*"; echo"#,
        "[a]\n[b c]\n[d]\n3\nb c\n<b c><d><b><c><d><b c d>\n",
    ),
    (
        Shells::Both,
        "echo $((1+2*3)) $(( (1+2)*3 )) $((7/2)) $((7%3)) $((1<<4)) $((5>3)) $((!1)) $((~0)) $((1?2:3)) $((x=5)) $x $((x+=2)) $((0x1f)) $((010))",
        "7 9 3 1 16 1 0 -1 2 5 5 7 31 8\n",
    ),
    (
        Shells::Both,
        "x=/usr/local/lib.tar.gz; echo ${x##*/} ${x%/*} ${x%%.*} ${x#*/} ${#x} ${x%.gz}",
        "lib.tar.gz /usr/local /usr/local/lib usr/local/lib.tar.gz 21 /usr/local/lib.tar\n",
    ),
    (
        Shells::Both,
        r#"echo a | while read x; do echo "got $x"; done; echo "after [$x]""#,
        "got a\nafter []\n",
    ),
    (
        Shells::Both,
        r#"echo one > f; echo two >> f; while read l; do echo "$l"; done < f; echo *"#,
        "one\ntwo\nf\n",
    ),
    (
        Shells::Both,
        "cat() { while IFS= read -r l; do echo \"$l\"; done; }\ncat <<EOF\na $x b\n  c\nEOF\ncat <<'EOF'\na $x\nEOF\ncat <<-EOF\n\ttab\n\t\ttwo\n\tEOF\necho done",
        "a  b\n  c\na $x\ntab\ntwo\ndone\n",
    ),
    (
        Shells::Both,
        r#"IFS=:; x=a:b::c; for i in $x; do echo "[$i]"; done; set -- $x; echo $#; echo "$*""#,
        "[a]\n[b]\n[]\n[c]\n4\na:b::c\n",
    ),
    (Shells::Both, r#"echo "a b" c | { read x y; echo "$y;$x"; }"#, "b c;a\n"),
    (
        Shells::Both,
        r#"echo ~ ~root ~nobody ~/x "~" a~; x=~/y; echo $x; PATHX=~/a:~/b; echo $PATHX"#,
        "/root /root /nonexistent /root/x ~ a~\n/root/y\n/root/a:/root/b\n",
    ),
    (
        Shells::Both,
        r#":> a.txt; :> b.txt; :> .hid; echo *.txt [ab].txt ? .h* *.none "*" \*; set -f; echo *"#,
        "a.txt b.txt a.txt b.txt ? .hid *.none * *\n*\n",
    ),
    (Shells::Dash, "echo {a,b} {1..3}", "{a,b} {1..3}\n"),
    (Shells::Bash, "echo {a,b} {1..3}", "a b 1 2 3\n"),
    (
        Shells::Dash,
        "exec 3>out; echo to3 >&3; exec 3>&-; read l <out; echo $l; echo x >&3; echo $?",
        "to3\n2\n!/bin/sh: 1: 3: Bad file descriptor\n",
    ),
    (
        Shells::Bash,
        "exec 3>out; echo to3 >&3; exec 3>&-; read l <out; echo $l; echo x >&3; echo $?",
        "to3\n1\n!/bin/bash: line 1: 3: Bad file descriptor\n",
    ),
    (
        Shells::Both,
        r#"x='a*'; case 'a*' in $x) echo y;; esac; case abc in $x) echo y2;; esac; case abc in "$x") echo no;; *) echo q;; esac"#,
        "y\ny2\nq\n",
    ),
    (
        Shells::Both,
        r#"x=abcabc; echo ${x#a*} ${x##a*b} ${x%c*} ${x%%b*} ${x#"a"} "${x%"c"}""#,
        "bcabc c abcab a bcabc abcab\n",
    ),
    (Shells::Both, r#"echo abc | read x; echo "[$x]""#, "[]\n"),
    (
        Shells::Both,
        r#"echo "$@" "${@}" "$*"; set -- ; echo "[$@]" "[$*]" "[${1-none}]" "x$@y"; for i in "$@"; do echo no; done; for i in "a$@"; do echo "[$i]"; done"#,
        "\n[] [] [none] xy\n[a]\n",
    ),
    (
        Shells::Both,
        r#"set -- 'a b' c; for i in x"$@"y; do echo "[$i]"; done; for i in $@; do echo "[$i]"; done; IFS=,; echo "$*"; echo $*"#,
        "[xa b]\n[cy]\n[a]\n[b]\n[c]\na b,c\na b c\n",
    ),
    (
        Shells::Bash,
        "echo ${#} ${#@} ; set -- 1 2 3 4 5 6 7 8 9 ten eleven; echo $10 ${10} ${11} $#",
        "0 0\n10 ten eleven 11\n",
    ),
    (
        Shells::Bash,
        r#"x=(a "b c" d); echo ${x[0]} "${x[@]}" ${#x[@]} ${x[1]} ${!x[@]}; for i in "${x[@]}"; do echo "[$i]"; done; x+=(e f); echo ${#x[@]} ${x[-1]}; x[10]=z; echo "${!x[@]}"; unset 'x[1]'; echo "${x[*]}""#,
        "a a b c d 3 b c 0 1 2\n[a]\n[b c]\n[d]\n5 f\n0 1 2 3 4 10\na d e f z\n",
    ),
    (
        Shells::Bash,
        r#"[[ a == a* && -n b ]] && echo y; [[ abc == "a*" ]] || echo n; [[ 3 -lt 10 ]] && echo lt; [[ a < b ]] && echo l; [[ ! -e /nope ]] && echo ne; [[ ( a == b || c == c ) && d == d ]] && echo p"#,
        "y\nn\nlt\nl\nne\np\n",
    ),
    (
        Shells::Bash,
        "((x=5, y=x*2)); echo $x $y; ((x>3)) && echo gt; ((0)); echo $?; for ((i=0;i<3;i++)); do echo $i; done; echo $((2**10)) $((x++)) $((++x)) $((x--)) $x $((16#ff)) $((2#101))",
        "5 10\ngt\n1\n0\n1\n2\n1024 5 7 7 6 255 5\n",
    ),
    (
        Shells::Bash,
        r#"echo {a,b}{1,2} {1..5} {a..e} {01..03} {5..1} {1..10..3} x{a,b}y {a,{b,c}} {a} {} a{b,c}{d,e}f "{a,b}" {a,b}"c d""#,
        "a1 a2 b1 b2 1 2 3 4 5 a b c d e 01 02 03 5 4 3 2 1 1 4 7 10 xay xby a b c {a} {} abdf abef acdf acef {a,b} ac d bc d\n",
    ),
    (
        Shells::Bash,
        r#"cat() { while IFS= read -r l; do echo "$l"; done; }; cat <<< "a b"; cat <<< $x; x='p  q'; cat <<< $x"#,
        "a b\n\np  q\n",
    ),
    (
        Shells::Bash,
        "f() { local a=1 b; declare -i n=3+4; echo $a $b $n; }; f; declare -i k=2*3; echo $k; k+=1; echo $k",
        "1 7\n6\n7\n",
    ),
    (
        Shells::Bash,
        "echo hi &> o; read l < o; echo $l; echo e1 >&2 2>&1; x=1; x+=2; echo $x",
        "hi\n12\n!e1\n",
    ),
    (
        Shells::Bash,
        "shopt -s nullglob; echo *.none; shopt -u nullglob; echo *.none; :>.h; shopt -s dotglob; echo *",
        "\n*.none\n.h\n",
    ),
    (
        Shells::Bash,
        "shopt -s extglob\ncase abc in @(abc|d)) echo y;; esac\nx=foo.tar.gz; echo ${x%%.@(tar|gz)*}\n:>a1; :>b2; echo !(a*) +([a-z])[0-9]",
        "y\nfoo\nb2 a1 b2\n",
    ),
    (
        Shells::Bash,
        "case a in a) echo 1;& b) echo 2;; c) echo 3;; esac; case a in a) echo 1;;& b) echo 2;; a*) echo 3;; esac",
        "1\n2\n1\n3\n",
    ),
    (
        Shells::Bash,
        r#"printf '%s\n' a b > f; mapfile -t l < f; echo ${#l[@]} ${l[1]}; while read -r a || [[ -n $a ]]; do echo "<$a>"; done < f"#,
        "2 b\n<a>\n<b>\n",
    ),
    (
        Shells::Bash,
        r#"read -a w <<< "a b c"; echo ${w[2]}; IFS=, read -r a b <<< "1,2,3"; echo $a $b; read x y <<< 'a\ b c'; echo "$x|$y"; read -r x y <<< 'a\ b c'; echo "$x|$y"; read -d , q <<< "a,b"; echo $q"#,
        "c\n1 2,3\na b|c\na\\|b c\na\n",
    ),
    (
        Shells::Bash,
        "x=1; let x+=2; echo $x; let 'y=x*2' z=3; echo $y $z; let 0; echo $?",
        "3\n6 3\n1\n",
    ),
    (
        Shells::Bash,
        r#"unset x; x[2]=c; echo ${#x[@]} "${x[@]}" ${x[0]-unset}; x=(); echo ${#x[@]}; echo "${x[@]}" | { read l; echo "[$l]"; }"#,
        "1 c unset\n0\n[]\n",
    ),
    (
        Shells::Bash,
        "a=(1 2 3 4); echo ${a[@]:1:2} ${a[@]: -1}; set -- a b c d; echo ${@:2} ${@:2:2} ${*: -1}; echo ${a[@]/2/x} ${a[*]#1}",
        "2 3 4\nb c d b c d\n1 x 3 4 2 3 4\n",
    ),
    (
        Shells::Bash,
        r#"echo a | { read x; echo "$x"; exit 3; }; echo $?; x=$(exit 7); echo $?; echo "$(exit 3)$?""#,
        "a\n3\n7\n3\n",
    ),
    (
        Shells::Bash,
        r#"x="a b"; [ $x = y ]; echo $?; [[ $x = "a b" ]]; echo $?; y=*; [[ abc = $y ]]; echo $?; [[ abc = "$y" ]]; echo $?"#,
        "2\n0\n0\n1\n!/bin/bash: line 1: [: too many arguments\n",
    ),
    (
        Shells::Bash,
        r#"echo "${x[@]}" "${#x[@]}" "${x[*]}" x; x=s; echo ${x[0]} ${#x[@]} ${x[@]}"#,
        "0  x\ns 1 s\n",
    ),
    (
        Shells::Bash,
        "for i in {1..3}; do for j in a b; do echo $i$j; done; done; for x in; do echo no; done; echo end",
        "1a\n1b\n2a\n2b\n3a\n3b\nend\n",
    ),
    (
        Shells::Dash,
        "[[ a == a ]] && echo y; echo {a,b}; source /nope; echo $?; echo $?",
        "{a,b}\n127\n0\n!/bin/sh: 1: [[: not found\n!/bin/sh: 1: source: not found\n",
    ),
    (
        Shells::Dash,
        r#"printf 'a\0b' | { read x; echo "$x"; }; x=$(printf 'a\0b'); echo ${#x}"#,
        "ab\n2\n",
    ),
    (
        Shells::Both,
        "x=1; while [ $x -lt 100 ]; do x=$((x*2)); if [ $x -gt 20 ]; then break; fi; done; echo $x",
        "32\n",
    ),
    (
        Shells::Both,
        r#"printf '%s\n' 'a b' 'c' > f; while read -r a b; do echo "$a|$b"; done < f; IFS= read -r l < f; echo "$l"; read nolast < /dev/null; echo $?"#,
        "a|b\nc|\na b\n1\n",
    ),
    (
        Shells::Both,
        r#"printf 'nolf' > f; read x < f; echo "$? $x"; printf 'a\\\nb\n' > f; read x < f; echo "$x"; read -r x < f; echo "$x""#,
        "1 nolf\nab\na\\\n",
    ),
    (
        Shells::Both,
        r#"IFS=a; c='a:b*'; set -- p 'q r'; set -- $c$@; printf '<%s>' "$#" "$@""#,
        "<3><><:b*p><q r>\n",
    ),
    (
        Shells::Both,
        r#"IFS=a; c='xa'; set -- p 'q r'; set -- $@$c $c; printf '<%s>' "$#" "$@""#,
        "<3><p><q rx><x>\n",
    ),
    (
        Shells::Both,
        r#"IFS=a; set -- 'aq' 'ra'; set -- x$@y $@; printf '<%s>' "$#" "$@""#,
        "<7><x><q><r><y><><q><r>\n",
    ),
    (Shells::Dash, r#"IFS=a; set -- 'xa' 'y'; set -- $@; printf '<%s>' "$#" "$@""#, "<2><x><y>\n"),
    (
        Shells::Bash,
        r#"IFS=a; set -- 'xa' 'y'; set -- $@; printf '<%s>' "$#" "$@""#,
        "<3><x><><y>\n",
    ),
    (
        Shells::Dash,
        r#"IFS=a; b='a b'; set -- '' 'aa' ''; for i in $@ $b; do echo "<$i>"; done"#,
        "<>\n<>\n<>\n< b>\n",
    ),
    (
        Shells::Bash,
        r#"IFS=a; b='a b'; set -- '' 'aa' ''; for i in $@ $b; do echo "<$i>"; done"#,
        "<>\n<>\n<>\n<>\n<>\n< b>\n",
    ),
    (
        Shells::Both,
        r#"IFS=a; set -- p ''; for i in x$@y "$@" $@; do echo "<$i>"; done; c=aa; echo $c | { read l; echo "[$l]"; }; set -- $c; echo $#"#,
        "<xp>\n<y>\n<p>\n<>\n<p>\n[ ]\n2\n",
    ),
    (
        Shells::Both,
        r#"IFS=a; c=a; set -- $c""; echo $#; set -- ""$c; echo $#; set -- $c$c; echo $#; set -- x$c; echo $#; set -- $c"x"; echo $#"#,
        "2\n1\n2\n1\n2\n",
    ),
    (
        Shells::Both,
        r#"IFS='a '; c=' a '; set -- $c$c; echo $#; set -- "x"$c"y"; echo $#; set -- $c"y"; echo $#"#,
        "2\n2\n2\n",
    ),
    (
        Shells::Dash,
        "cat() { while IFS= read -r l; do echo \"$l\"; done; }\nx=1\ncat <<EOF\na $x b `echo q` $(echo r) \"q\" 'q' \\\\\\\\ \\\\a\nc\\\\\nd\nEOF\ncat <<'EOF'\na $x\nEOF\ncat <<-EOF\n\ttab $x\n\t\ttwo\n\tEOF\ncat <<A; cat <<B\nina\nA\ninb\nB\necho done",
        "a 1 b q r \"q\" 'q' \\ \nc\\\nd\na $x\ntab 1\ntwo\nina\ninb\ndone\n",
    ),
    (
        Shells::Bash,
        "cat() { while IFS= read -r l; do echo \"$l\"; done; }\nx=1\ncat <<EOF\na $x b `echo q` $(echo r) \"q\" 'q' \\\\\\\\ \\\\a\nc\\\\\nd\nEOF\ncat <<'EOF'\na $x\nEOF\ncat <<-EOF\n\ttab $x\n\t\ttwo\n\tEOF\ncat <<A; cat <<B\nina\nA\ninb\nB\necho done",
        "a 1 b q r \"q\" 'q' \\\\ \\a\nc\\\nd\na $x\ntab 1\ntwo\nina\ninb\ndone\n",
    ),
    (
        Shells::Both,
        r#"echo a>f; echo b>>f; echo c 1>>f; while read x; do echo "$x"; done <f; >g; [ -f g ] && echo g; echo x > "a b"; echo *"#,
        "a\nb\nc\ng\na b f g\n",
    ),
    (
        Shells::Dash,
        "set -C; echo a > f; echo b > f; echo $?; echo c >| f; read x < f; echo $x",
        "2\nc\n!/bin/sh: 1: cannot create f: File exists\n",
    ),
    (
        Shells::Bash,
        "set -C; echo a > f; echo b > f; echo $?; echo c >| f; read x < f; echo $x",
        "1\nc\n!/bin/bash: line 1: f: cannot overwrite existing file\n",
    ),
    (
        Shells::Dash,
        r#"echo "$#" "$?" "$0"; sh -c 'echo "$#" "$@"' n a 'b c'; sh -c 'echo $0'"#,
        "0 0 /bin/sh\n2 a b c\nsh\n",
    ),
    (
        Shells::Bash,
        r#"echo "$#" "$?" "$0"; sh -c 'echo "$#" "$@"' n a 'b c'; sh -c 'echo $0'"#,
        "0 0 /bin/bash\n2 a b c\nsh\n",
    ),
    (
        Shells::Both,
        "echo $((3>2?10:20)) $((0||0)) $((1&&0)) $((5&3)) $((5|3)) $((5^3)) $((1<<3>>1)) $((2*(3+4))) $(( -(-3) )) $((x)) $((x=7)) $((x*=2)) $x",
        "10 0 0 1 7 6 4 14 3 0 7 14 14\n",
    ),
    (
        Shells::Both,
        "set -- a b\nfor i\ndo echo $i; done; for i in \"$@\"; do shift; done; echo $#",
        "a\nb\n0\n",
    ),
    (
        Shells::Both,
        r#"echo [a-c] [!a] > '[a-c]'; :> b; echo [a-c] "[a-c]" \[a-c] [[:alpha:]] ?*; for f in *; do echo "$f"; done"#,
        "b [a-c] [a-c] b [a-c] b\n[a-c]\nb\n",
    ),
    (
        Shells::Both,
        r#"IFS=' ,'; x='a, b,,c'; set -- $x; echo $#; printf '<%s>' "$@"; unset IFS; x=' p  q '; set -- $x; echo $#"#,
        "4\n<a><b><><c>2\n",
    ),
    (
        Shells::Both,
        "x='a b'; case $x in 'a b') echo y;; esac; case $x in a*b) echo y;; esac; case x in $y) echo n;; x) echo x;; esac; case '' in '') echo e;; esac",
        "y\ny\nx\ne\n",
    ),
    (
        Shells::Both,
        r#"printf 'ID=debian\nVERSION_CODENAME=bookworm\n' > rel; . ./rel && echo "deb http://x $VERSION_CODENAME main" > list; read l < list; echo "$l""#,
        "deb http://x bookworm main\n",
    ),
    (
        Shells::Both,
        r#"arch="$(echo x86_64)"; case "${arch##*-}" in amd64|x86_64) url='u'; sha='s';; *) echo >&2 "unsupported $arch"; exit 1;; esac; echo "$url $sha *f""#,
        "u s *f\n",
    ),
    (
        Shells::Bash,
        r#"set -o errexit -o nounset -o pipefail; IFS=$'\n\t'; a=("x y" z); for i in "${a[@]}"; do echo "$i"; done"#,
        "x y\nz\n",
    ),
    (
        Shells::Both,
        r#"ver=3.11.4; maj=${ver%%.*}; min=${ver#*.}; min=${min%%.*}; echo "python$maj.$min"; [ "${ver%[a-z]*}" = "$ver" ] && echo final"#,
        "python3.11\nfinal\n",
    ),
    (
        Shells::Both,
        r#"{ echo '[global]'; echo 'no-cache-dir = true'; } | while read -r l; do echo "$l"; done > pip.conf; while read -r l; do echo "<$l>"; done < pip.conf"#,
        "<[global]>\n<no-cache-dir = true>\n",
    ),
    (
        Shells::Both,
        r#"x="a:b:c"; oldifs=$IFS; IFS=:; set -- $x; IFS=$oldifs; echo "$2"; echo "$@""#,
        "b\na b c\n",
    ),
    (
        Shells::Bash,
        r#"f=foo.tar.gz; [[ $f == *.tar.gz && ! -f $f ]] && echo "${f%.tar.gz}"; [[ -z ${X:-} ]] && echo nox; if [[ "a" != "b" || 1 -gt 2 ]]; then echo t; fi"#,
        "foo\nnox\nt\n",
    ),
    (
        Shells::Dash,
        r#"set -x; a='b c'; for i in $a "x y" 'q' $(echo r); do :; done; case "$a" in b*) :;; esac; case $a in x) ;; esac"#,
        "!+ a=b c\n!+ echo r\n!+ :\n!+ :\n!+ :\n!+ :\n!+ :\n!+ :\n",
    ),
    (
        Shells::Bash,
        r#"set -x; a='b c'; for i in $a "x y" 'q' $(echo r); do :; done; case "$a" in b*) :;; esac; case $a in x) ;; esac"#,
        "!+ a='b c'\n!++ echo r\n!+ for i in $a \"x y\" 'q' $(echo r)\n!+ :\n!+ for i in $a \"x y\" 'q' $(echo r)\n!+ :\n!+ for i in $a \"x y\" 'q' $(echo r)\n!+ :\n!+ for i in $a \"x y\" 'q' $(echo r)\n!+ :\n!+ for i in $a \"x y\" 'q' $(echo r)\n!+ :\n!+ case \"$a\" in\n!+ :\n!+ case $a in\n",
    ),
    (
        Shells::Dash,
        r#"set -x; if [ a = a ]; then echo "it's" 'a"b' '' '*' '~' '$x' a^b a=b '!' '#x' x#y '{}' '[a]' '%' '@' 'a\b' ; fi"#,
        "it's a\"b  * ~ $x a^b a=b ! #x x#y {} [a] % @ a\n!+ [ a = a ]\n!+ echo it's a\"b  * ~ $x a^b a=b ! #x x#y {} [a] % @ a\\b\n",
    ),
    (
        Shells::Bash,
        r#"set -x; if [ a = a ]; then echo "it's" 'a"b' '' '*' '~' '$x' a^b a=b '!' '#x' x#y '{}' '[a]' '%' '@' 'a\b' ; fi"#,
        "it's a\"b  * ~ $x a^b a=b ! #x x#y {} [a] % @ a\\b\n!+ '[' a = a ']'\n!+ echo 'it'\\''s' 'a\"b' '' '*' '~' '$x' 'a^b' a=b '!' '#x' x#y '{}' '[a]' % @ 'a\\b'\n",
    ),
    (
        Shells::Bash,
        r#"set -x; x='*' y= z="'"; echo "$x$y" | { read l; echo "$l"; }; w=$(echo "$z"; echo b); (echo sub); { echo grp; } >/dev/null"#,
        "*\nsub\n!+ x='*'\n!+ y=\n!+ z=\\'\n!+ echo '*'\n!+ read l\n!+ echo '*'\n!++ echo \\'\n!++ echo b\n!+ w=''\\''\n!b'\n!+ echo sub\n!+ echo grp\n",
    ),
];
