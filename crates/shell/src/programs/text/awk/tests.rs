//! Programs and what they print, as mawk 1.3.4-20200120 does.

use crate::fixture::Image;

fn image() -> Image {
    let mut image = Image::new();
    image.file("work/a", "foo 1 x\nbar 22 y\nfoo bar 3.5\n", 0o644);
    image.file("work/b", "one:two:three\n:x::\nlast", 0o644);
    image.file("work/p", "a b\nc\n\n\nd e\n", 0o644);
    image.file("work/f.awk", "# numbers\nBEGIN { n = 5 }\n{ print n++, $1 }\n", 0o644);
    image
}

/// Each has the program, a space-separated rest of the command line, and what comes of it.
fn check(cases: &[(&str, &str, &str)]) {
    let image = image();
    for (program, rest, expected) in cases {
        let rest = rest.split(' ').filter(|word| !word.is_empty());
        let words: Vec<&str> = ["awk", program].into_iter().chain(rest).collect();
        assert_eq!(image.show(&words).replace('\n', " / "), *expected, "{words:?}");
    }
}

#[test]
fn records_are_selected_and_split() {
    check(&[
        ("{print $1, $NF, NF}", "a", "foo x 3 / bar y 3 / foo 3.5 3"),
        ("NR==2", "a", "bar 22 y"),
        ("/foo/{n++} END{print n+0, NR}", "a", "2 3"),
        ("/bar/,/3/", "a", "bar 22 y / foo bar 3.5"),
        ("-F:", "{print$2} b", "two / x / "),
        ("BEGIN{FS=\":\";OFS=\"-\"} {$1=$1} 1", "b", "one-two-three / -x-- / last"),
        ("BEGIN{RS=\"\"} {print NR \":\" $1 \":\" NF}", "p", "1:a:3 / 2:d:2"),
        ("BEGIN{RS=\"[0-9]+\"} {printf \"%s|\", $0}", "a", "foo | x / bar | y / foo bar |.| / |"),
        (
            "{$5=\"z\"; print; print NF; NF=2; print}",
            "a",
            "foo 1 x  z / 5 / foo 1 / bar 22 y  z / 5 / bar 22 / foo bar 3.5  z / 5 / foo bar",
        ),
        ("FNR==NR{a[$1];next} $1 in a", "a a", "foo 1 x / bar 22 y / foo bar 3.5"),
        ("!seen[$1]++ {print NR, v}", "v=7 a", "1 7 / 2 7"),
        ("-f", "f.awk a", "5 foo / 6 bar / 7 foo"),
        ("-v", "n=a\\tb BEGIN{print(n)}", "a\tb"),
    ]);
}

#[test]
fn values_are_numbers_or_strings() {
    check(&[
        (
            "BEGIN{print 1/3, 1e6, 2^31-1, 2^31, 0.1+0.2, 1e300*1e300}",
            "",
            "0.333333 1000000 2147483647 2.14748e+09 0.3 inf",
        ),
        ("BEGIN{print 10<9, \"10\"<\"9\", \"a\"<1, x==0, x==\"\"}", "", "0 1 0 1 1"),
        ("{print ($2<5), ($2<\"5\"), $2+0}", "a", "1 1 1 / 0 1 22 / 0 0 0"),
        ("BEGIN{print -2^2, 2^3^2, -7%3, 1 \" \" -1, 3 -4}", "", "-4 512 -1 1-1 -1"),
        ("BEGIN{i=5; print i++ + ++i, i--, --i, !i, !x}", "", "12 7 5 0 1"),
        ("BEGIN{CONVFMT=\"%.2g\"; OFMT=\"%.3f\"; a=3.14159; print a, a \"\"}", "", "3.142 3.1"),
        (
            "BEGIN{printf \"%5.1f|%-4s|%04d|%c%c|%x|%e|%g|%.2s|%*d\\n\",2.25,\"ab\",7,65,\"xy\",255,1234.5,1e-5,\"abc\",3,4}",
            "",
            "  2.2|ab  |0007|Ax|ff|1.234500e+03|1e-05|ab|  4",
        ),
    ]);
}

#[test]
fn functions_do_what_mawk_does() {
    check(&[
        (
            "BEGIN{print length(\"é\"), index(\"abc\",\"c\"), toupper(\"aé\"), substr(\"hello\",0,2), substr(\"hello\",-1,3)}",
            "",
            "2 3 Aé he hell",
        ),
        (
            "BEGIN{n=split(\"a.b.c\",q,\".\"); print n, q[3], split(\"\",q), length(q)}",
            "",
            "3 c 0 0",
        ),
        (
            "{print gsub(/o/,\"[&]\"), sub(\"b\",\"\\\\&\"), $0}",
            "a",
            "2 0 f[o][o] 1 x / 0 1 &ar 22 y / 2 1 f[o][o] &ar 3.5",
        ),
        ("BEGIN{s=\"abc\"; print gsub(/b*/,\"X\",s), s}", "", "3 XaXcX"),
        ("match($0,/[0-9]+/){print RSTART, RLENGTH}", "a", "5 1 / 5 2 / 9 1"),
        ("function f(n){return n<2?1:n*f(n-1)} BEGIN{print f(10)}", "", "3628800"),
        ("function g(a,i){for(;i<3;i++)a[i]=i} BEGIN{g(z); print length(z), z[2]}", "", "3 2"),
        ("BEGIN{while((getline l < \"a\")>0) n++; print n, (getline l < \"no\")}", "", "3 -1"),
        (
            "{print > $1; print NR >> \"n\"} END{close(\"n\"); getline x < \"n\"; print x}",
            "a",
            "1 / + /work/bar 644 \"bar 22 y\\n\" / + /work/foo 644 \"foo 1 x\\nfoo bar 3.5\\n\" / + /work/n 644 \"1\\n2\\n3\\n\"",
        ),
        (
            "{a[$1]=1} END{for(k in a)n++; print n; for(k in a) delete a[k]; print length(a)}",
            "a",
            "2 / 0",
        ),
        (
            "BEGIN{print \"e\" > \"/dev/stderr\"; exit 3} END{print \"end\"}",
            "",
            "!e / end / status 3",
        ),
    ]);
}

#[test]
fn what_is_wrong_is_said_or_refused() {
    check(&[
        ("1", "no", "!mawk: cannot open no (No such file or directory) / status 2"),
        ("{print x", "a", "refused: `awk` has a program that is not understood"),
        ("BEGIN{f()}", "", "refused: `awk` calls a function that is not defined"),
        ("BEGIN{system(\"id\")}", "", "refused: `awk` runs other programs"),
        ("BEGIN{\"date\" | getline}", "", "refused: `awk` runs other programs"),
        ("{print | \"sort\"}", "a", "refused: `awk` runs other programs"),
        ("BEGIN{print rand()}", "", "refused: `awk` takes random numbers"),
        (
            "{a[$1]} END{for(k in a)print k}",
            "a",
            "refused: `awk` depends on the order of an array's elements",
        ),
        (
            "BEGIN{print \"0x1A\"+0}",
            "",
            "refused: `awk` takes a hexadecimal number, or an infinite one, from a string",
        ),
        ("BEGIN{for(;;);}", "", "limit: the number of commands reached the limit of 2000000"),
        (
            "function f(){return f()} BEGIN{f()}",
            "",
            "limit: the depth of expressions reached the limit of 100",
        ),
    ]);
}
