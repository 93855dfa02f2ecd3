//! What the caller is told was done.

use bstr::ByteSlice;

use super::{Shells, check};
use crate::fixture::Image;

#[test]
fn each_simple_command_is_an_event_with_its_line_and_changes() {
    let image = Image::new();
    let script = "f() {\n  echo a > x\n}\nf\n(false)\ny=$(echo sub)\necho b >> x";
    let outcome = image.run(&["/bin/sh", "-c", script]).expect("it is understood");
    let events: Vec<String> = outcome
        .trace
        .iter()
        .map(|event| {
            let words = bstr::join(" ", &event.words);
            let line = event.line.unwrap_or_default();
            let changes = &outcome.files.journal()[event.changes.clone()];
            let paths: Vec<String> = changes.iter().map(|change| change.path.to_string()).collect();
            let status = event.status.unwrap_or(255);
            let depth = event.depth;
            format!("{depth} {line}: {} = {status} [{}]", words.as_bstr(), paths.join(" "))
        })
        .collect();
    insta::assert_snapshot!(events.join("\n"), @r"
    0 4: f = 0 [work/x work/x]
    1 2: echo a = 0 [work/x work/x]
    1 5: false = 1 []
    1 6: echo sub = 0 []
    0 7: echo b = 0 [work/x]
    ");
}

#[test]
fn a_refusal_names_its_line() {
    let image = Image::new();
    let stop = image.run(&["/bin/sh", "-c", "true\n\nif true; then\n  kill 1\nfi"]);
    let Err(crate::Stop::Refused(refusal)) = stop else { panic!("kill is not understood") };
    assert_eq!((refusal.command.as_str(), refusal.line), ("kill", Some(4)));
}

#[test]
fn files_are_made_by_the_mask() {
    let image = Image::new();
    insta::assert_snapshot!(
        image.sh("umask 027; echo a > f; (umask 0; echo b > g); echo c >> f; : > h; exec 5>i; echo d >&5"),
        @r#"
    + /work/f 640 "a\nc\n"
    + /work/g 666 "b\n"
    + /work/h 640 ""
    + /work/i 640 "d\n"
    "#
    );
    insta::assert_snapshot!(image.bash("echo a &> both; echo {x,y}.txt > 'a b'; >/etc/passwd"), @r#"
    + /etc/passwd 644 ""
    + /work/a b 644 "x.txt y.txt\n"
    + /work/both 644 "a\n"
    "#);
}

#[test]
fn bash_shows_what_it_computes() {
    check(&[(
        Shells::Bash,
        "set -x; for (( i = 0 ; i < 1 ; i++ )); do :; done; (( 0 )) || echo n",
        "n\n!+ (( i = 0  ))\n!+ (( i < 1  ))\n!+ :\n!+ (( i++  ))\n!+ (( i < 1  ))\n!+ ((  0  ))\n!+ echo n\n",
    )]);
}
