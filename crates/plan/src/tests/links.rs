//! Symbolic and hard links, in what is copied and where it goes.

use super::context;

#[test]
fn links_of_the_context() {
    let world = context(&[
        "a=1",
        "l -> a",
        "d/",
        "d/x=2",
        "d/k -> ../a",
        "dl -> d",
        "gone -> nowhere",
        "out -> ../../etc/passwd",
        "abs -> /a",
    ])
    .base(&[]);
    let copy = |source: &str| world.files(&format!("FROM base\nCOPY {source} /t/"));
    insta::assert_snapshot!(copy("l"), @r"
    0755 0:0 t/
    0644 0:0 t/l=1
    ");
    insta::assert_snapshot!(copy("d"), @r"
    0755 0:0 t/
    0777 0:0 t/k -> ../a
    0644 0:0 t/x=2
    ");
    insta::assert_snapshot!(copy("dl"), @r"
    0755 0:0 t/
    0777 0:0 t/k -> ../a
    0644 0:0 t/x=2
    ");
    insta::assert_snapshot!(copy("dl/x"), @r"
    0755 0:0 t/
    0644 0:0 t/x=2
    ");
    insta::assert_snapshot!(copy("abs"), @r"
    0755 0:0 t/
    0644 0:0 t/abs=1
    ");
    insta::assert_snapshot!(copy("gone"), @"error: «gone»: `gone` is a link to `nowhere`, which is not there");
    insta::assert_snapshot!(copy("out"), @"error: «out»: `out` is a link to `../../etc/passwd`, which is outside of the build context (links are followed inside of the context only: copy what this one leads to into the context)");
    insta::assert_snapshot!(copy("l*"), @r"
    0755 0:0 t/
    0644 0:0 t/l=1
    ");
}

#[test]
fn hard_links() {
    // Names of one file stay names of one file, unless something else takes a place.
    let world = context(&["d/", "d/a=1", "d/b == d/a", "d/c=1", "other=2"]).base(&[]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY d /t"), @r"
    0755 0:0 t/
    0644 0:0 t/a=1
    0644 0:0 t/b == t/a
    0644 0:0 t/c=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY d/b /t"), @"0644 0:0 t=1");
    insta::assert_snapshot!(world.files("FROM scratch AS s\nCOPY d /t\nFROM base\nCOPY --from=s /t /u"), @r"
    0755 0:0 u/
    0644 0:0 u/a=1
    0644 0:0 u/b == u/a
    0644 0:0 u/c=1
    ");
    insta::assert_snapshot!(world.files("FROM scratch AS s\nCOPY d /t\nFROM base\nCOPY --from=s /t/b /u"), @"0644 0:0 u=1");
}

#[test]
fn below_a_link_of_the_base() {
    let base: &[&str] = &[
        "bin -> usr/bin",
        "usr/",
        "usr/bin/",
        "lib -> /usr/lib",
        "usr/lib/",
        "opt/",
        "opt/x -> ../bin",
        "var/",
        "var/run -> ../run",
        "one -> two",
        "two -> one",
    ];
    let world = context(&["a=1", "d/", "d/bin/", "d/bin/x=2"]).base(&[base]);
    let copy = |to: &str| world.files(&format!("FROM base\nCOPY a {to}"));
    insta::assert_snapshot!(copy("/bin/a"), @"0644 0:0 usr/bin/a=1");
    insta::assert_snapshot!(copy("/lib/deep/"), @r"
    0755 0:0 usr/lib/deep/
    0644 0:0 usr/lib/deep/a=1
    ");
    insta::assert_snapshot!(copy("/opt/x/a"), @"0644 0:0 usr/bin/a=1");
    insta::assert_snapshot!(copy("/var/run/a"), @r"
    0755 0:0 run/
    0644 0:0 run/a=1
    ");
    insta::assert_snapshot!(copy("/bin"), @"0644 0:0 usr/bin/a=1");
    insta::assert_snapshot!(copy("/one/a"), @"error: «/one/a»: `/one` of the image is a link that leads to itself");
    insta::assert_snapshot!(copy("/one"), @"error: «/one»: `/one` of the image is a link that leads to itself");
    insta::assert_snapshot!(world.files("FROM base\nCOPY d /"), @"0644 0:0 usr/bin/x=2");
}

#[test]
fn a_file_named_as_destination_follows_a_link_and_one_in_a_directory_replaces_it() {
    let base: &[&str] = &[
        "etc/",
        "etc/zone -> ../usr/zones/utc",
        "usr/",
        "usr/zones/",
        "usr/zones/utc=old",
        "etc/gone -> /new/place",
    ];
    let world = context(&["zone=1"]).base(&[base]);
    let copy = |to: &str| world.files(&format!("FROM base\nCOPY zone {to}"));
    insta::assert_snapshot!(copy("/etc/zone"), @"0644 0:0 usr/zones/utc=1");
    insta::assert_snapshot!(copy("/etc/"), @"0644 0:0 etc/zone=1");
    insta::assert_snapshot!(copy("/etc/gone"), @r"
    0755 0:0 new/
    0644 0:0 new/place=1
    ");
}

#[test]
fn special_directories_repeat_their_own_attributes() {
    let base: &[&str] =
        &["1777 tmp/", "700 root/", "srv/", "750 srv/app/ @5:6", "srv/app/sub/", "old/ @0:7"];
    let world = context(&["a=1", "d/", "d/tmp/", "d/tmp/x=2"]).base(&[base]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /tmp/"), @r"
    1777 0:0 tmp/ at 7
    0644 0:0 tmp/a=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /srv/app/sub/a"), @r"
    0750 5:6 srv/app/ at 7
    0644 0:0 srv/app/sub/a=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY d /"), @r"
    1777 0:0 tmp/ at 7
    0644 0:0 tmp/x=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --chmod=755 d /"), @r"
    0755 0:0 tmp/
    0755 0:0 tmp/x=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /srv/app/new"), @r"
    0750 5:6 srv/app/ at 7
    0755 0:0 srv/app/new/
    ");
}

#[test]
fn whiteouts_of_the_base() {
    let world = context(&["a=1"]).base(&[&["x -> y", "y/"], &["x !"]]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /x/a"), @r"
    0755 0:0 x/
    0644 0:0 x/a=1
    ");
}
