//! `COPY`: what is copied, where to, and with what attributes.

use super::context;

#[test]
fn a_file_becomes_a_file_or_goes_into_a_directory() {
    let world = context(&["a=1", "755 b=2"]).base(&[&["srv/"]]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /srv/x/y"), @r"
    0755 0:0 srv/x/
    0644 0:0 srv/x/y=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /srv/"), @"0644 0:0 srv/a=1");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /srv"), @"0644 0:0 srv/a=1");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a b /new/"), @r"
    0755 0:0 new/
    0644 0:0 new/a=1
    0755 0:0 new/b=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /srv\nCOPY a ."), @"0644 0:0 srv/a=1");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /srv\nCOPY a b ./"), @r"
    0644 0:0 srv/a=1
    0755 0:0 srv/b=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /srv\nCOPY b sub/c"), @r"
    0755 0:0 srv/sub/
    0755 0:0 srv/sub/c=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /srv\nCOPY a $UNSET"), @r"
    0644 0:0 srv/a=1
    UndefinedVar: «$UNSET»: variable `$UNSET` is used and never defined
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a b /srv"), @"error: «/srv»: several sources go to `/srv`, which is not a directory's name (write a slash at its end: `/srv/`)");
}

#[test]
fn a_directory_gives_what_is_in_it() {
    let world = context(&["app/", "700 app/deep/", "app/deep/x=1", "600 app/y=2"])
        .base(&[&["srv/", "750 srv/deep/ @5:6"]]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY app /srv"), @r"
    0750 5:6 srv/deep/ at 7
    0644 0:0 srv/deep/x=1
    0600 0:0 srv/y=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY app/ /new"), @r"
    0755 0:0 new/
    0700 0:0 new/deep/
    0644 0:0 new/deep/x=1
    0600 0:0 new/y=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --chown=1:2 app /srv"), @r"
    0700 1:2 srv/deep/
    0644 1:2 srv/deep/x=1
    0600 1:2 srv/y=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY . /"), @r"
    0755 0:0 app/
    0700 0:0 app/deep/
    0644 0:0 app/deep/x=1
    0600 0:0 app/y=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY app/y app/deep /new/"), @r"
    0755 0:0 new/
    0644 0:0 new/x=1
    0600 0:0 new/y=2
    ");
}

#[test]
fn patterns() {
    let world =
        context(&["a.txt=1", "b.txt=2", "c.md=3", "d/", "d/x.txt=4", "[x]=5"]).base(&[&["srv/"]]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY *.txt /srv/"), @r"
    0644 0:0 srv/a.txt=1
    0644 0:0 srv/b.txt=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY *.txt /srv"), @r"
    0644 0:0 srv/a.txt=1
    0644 0:0 srv/b.txt=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY *.txt /new"), @"error: «/new»: `*.txt` means 2 paths, and the destination is no directory (write a slash at the destination's end)");
    insta::assert_snapshot!(world.files("FROM base\nCOPY */*.txt /new"), @"0644 0:0 new=4");
    insta::assert_snapshot!(world.files("FROM base\nCOPY d* /new"), @r"
    0755 0:0 new/
    0644 0:0 new/x.txt=4
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY [[]x] /new/"), @r"
    0755 0:0 new/
    0644 0:0 new/[x]=5
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY *.rs /srv/"), @"warning: «*.rs»: `*.rs` matches nothing in the build context");
    insta::assert_snapshot!(world.files("FROM base\nCOPY [a-b].txt /new/"), @r"
    0755 0:0 new/
    0644 0:0 new/a.txt=1
    0644 0:0 new/b.txt=2
    ");
}

#[test]
fn names_with_spaces() {
    let world = context(&["my file=1"]).base(&[]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY [\"my file\", \"/your file\"]"), @"0644 0:0 your file=1");
}

#[test]
fn owners() {
    let passwd: &[&str] =
        &["etc/", "etc/passwd=root:x:0:0\napp:x:10:20\n", "etc/group=web:x:33:\n"];
    let world = context(&["a=1"]).base(&[passwd]);
    let chown = |owner: &str| world.files(&format!("FROM base\nCOPY --chown={owner} a /x/y"));
    insta::assert_snapshot!(chown("app"), @r"
    0755 10:20 x/
    0644 10:20 x/y=1
    ");
    insta::assert_snapshot!(chown("app:web"), @r"
    0755 10:33 x/
    0644 10:33 x/y=1
    ");
    insta::assert_snapshot!(chown("7"), @r"
    0755 7:7 x/
    0644 7:7 x/y=1
    ");
    insta::assert_snapshot!(chown("7:web"), @r"
    0755 7:33 x/
    0644 7:33 x/y=1
    ");
    insta::assert_snapshot!(chown("nobody"), @"error: «nobody»: the image has no user `nobody` in /etc/passwd (use the number instead, as in --chown=1000:1000)");
    insta::assert_snapshot!(chown("7:nobody"), @"error: «7:nobody»: the image has no group `nobody` in /etc/group (use the number instead, as in --chown=1000:1000)");
    insta::assert_snapshot!(world.files("FROM scratch\nCOPY --chown=app a /x"), @"error: «app»: `app` cannot be looked up: the image has no /etc/passwd (use the number instead, as in --chown=1000:1000)");
    insta::assert_snapshot!(world.files("FROM base\nARG OWNER=:\nCOPY --chown=$OWNER a /x/y"), @"error: «$OWNER»: `:` does not name an owner (an owner is written USER or USER:GROUP, each a name or a number)");
}

#[test]
fn modes() {
    // An octal mode is that of the directories on the way, too; a symbolic one is not.
    let world = context(&["a/", "a/x=1", "755 a/y=2", "a/l -> x"]).base(&[]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY --chmod=750 a /n/m"), @r"
    0750 0:0 n/
    0750 0:0 n/m/
    0777 0:0 n/m/l -> x
    0750 0:0 n/m/x=1
    0750 0:0 n/m/y=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --chmod=u=rwX,go=rX a /n/m"), @r"
    0755 0:0 n/
    0755 0:0 n/m/
    0777 0:0 n/m/l -> x
    0644 0:0 n/m/x=1
    0755 0:0 n/m/y=2
    ");
    insta::assert_snapshot!(world.files("FROM base\nARG MODE=rw\nCOPY --chmod=$MODE a /n"), @"error: «$MODE»: `rw` is not a file mode (write an octal number up to 7777, such as 0755, or a change such as `u=rwX,go=rX`)");
    insta::assert_snapshot!(world.files("FROM base\nARG MODE=4755\nCOPY --chmod=$MODE a/x /n/"), @r"
    4755 0:0 n/
    4755 0:0 n/x=1
    ");
}

#[test]
fn link_does_not_look_at_the_base() {
    let world = context(&["a=1"]).base(&[&["bin -> usr/bin", "usr/", "usr/bin/"]]);
    let report = world.plan("FROM base\nCOPY --link a /bin/a");
    insta::assert_snapshot!(report.files, @r"
    0755 0:0 bin/
    0644 0:0 bin/a=1
    ");
    insta::assert_snapshot!(report.asked, @r"
    image base:latest for linux/arm64
    list the build context
    digest a
    ");
}

#[test]
fn parents() {
    let world = context(&[
        "700 x/",
        "x/a/",
        "x/a/1.txt=1",
        "x/a/2.md=2",
        "x/b/",
        "x/b/3.txt=3",
        "l -> x/a/1.txt",
    ])
    .base(&[]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY --parents x/a/1.txt x/b/3.txt /to/"), @r"
    0755 0:0 to/
    0700 0:0 to/x/
    0755 0:0 to/x/a/
    0644 0:0 to/x/a/1.txt=1
    0755 0:0 to/x/b/
    0644 0:0 to/x/b/3.txt=3
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --parents x/./a/1.txt /to/"), @r"
    0755 0:0 to/
    0755 0:0 to/a/
    0644 0:0 to/a/1.txt=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --parents ./x/**/*.txt /to"), @r"
    0755 0:0 to/
    0700 0:0 to/x/
    0755 0:0 to/x/a/
    0644 0:0 to/x/a/1.txt=1
    0755 0:0 to/x/b/
    0644 0:0 to/x/b/3.txt=3
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --parents --exclude=x/a/*.md x/a /to"), @r"
    0755 0:0 to/
    0700 0:0 to/x/
    0755 0:0 to/x/a/
    0644 0:0 to/x/a/1.txt=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --parents l /to/"), @r"
    0755 0:0 to/
    0777 0:0 to/l -> x/a/1.txt
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --parents x /to/"), @r"
    0755 0:0 to/
    0700 0:0 to/x/
    0755 0:0 to/x/a/
    0644 0:0 to/x/a/1.txt=1
    0644 0:0 to/x/a/2.md=2
    0755 0:0 to/x/b/
    0644 0:0 to/x/b/3.txt=3
    ");
}

#[test]
fn exclude() {
    // A path that is written out is meant; what a wildcard finds is excluded by its name.
    let world = context(&[
        "d/",
        "d/a.txt=1",
        "d/b.md=2",
        "700 d/sub/",
        "d/sub/c.txt=3",
        "d/sub/k.txt=4",
        "home.txt=5",
        "home.rs=6",
    ])
    .base(&[]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY --exclude=*.txt d /n"), @r"
    0755 0:0 n/
    0644 0:0 n/b.md=2
    0700 0:0 n/sub/
    0644 0:0 n/sub/c.txt=3
    0644 0:0 n/sub/k.txt=4
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --exclude=**/*.txt d /n"), @r"
    0755 0:0 n/
    0644 0:0 n/b.md=2
    0700 0:0 n/sub/
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --exclude=sub --exclude=!sub/k.txt d /n"), @r"
    0755 0:0 n/
    0644 0:0 n/a.txt=1
    0644 0:0 n/b.md=2
    0700 0:0 n/sub/
    0644 0:0 n/sub/k.txt=4
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --exclude=*.txt home* /n/"), @r"
    0755 0:0 n/
    0644 0:0 n/home.rs=6
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --exclude=*.txt home.txt /n/"), @r"
    0755 0:0 n/
    0644 0:0 n/home.txt=5
    ");
}

#[test]
fn here_documents() {
    let world = context(&["a=1"]).base(&[]);
    let report = world.plan("FROM base\nENV A=b\nCOPY <<x <<'y' /etc/\n$A \"q\"\nx\n$A\ny\n");
    insta::assert_snapshot!(report.files, @r#"
    0755 0:0 etc/
    0644 0:0 etc/x=b "q"\n
    0644 0:0 etc/y=$A\n
    "#);
    insta::assert_snapshot!(report.asked, @"image base:latest for linux/arm64");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --chmod=755 <<EOF a /x/\nhi\nEOF\n"), @r"
    0755 0:0 x/
    0755 0:0 x/EOF=hi\n
    0755 0:0 x/a=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY <<EOF /x\nhi $THERE\nEOF\n"), @r"
    0644 0:0 x=hi \n
    UndefinedVar: «$THERE»: variable `$THERE` is used and never defined
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY <<EOF /x\nhi ${A:^b}\nEOF\n"), @"error: «:^»: `:^` after `A` is not a known kind of substitution (there are :- - :+ + :? ? # ## % %% / and //, such as ${name:-default})");
}

#[test]
fn what_is_missing() {
    let world = context(&["requirements.txt=1", "src/", "src/main.py=2", "App/"]).base(&[]);
    let copy = |source: &str| world.files(&format!("FROM base\nCOPY {source} /x/"));
    insta::assert_snapshot!(copy("requirments.txt"), @"error: «requirments.txt»: `requirments.txt` is not in the build context (did you mean `requirements.txt`?)");
    insta::assert_snapshot!(copy("app"), @"error: «app»: `app` is not in the build context (did you mean `App`?)");
    insta::assert_snapshot!(copy("main.py"), @"error: «main.py»: `main.py` is not in the build context (there is `src/main.py`)");
    insta::assert_snapshot!(copy("nothing"), @"error: «nothing»: `nothing` is not in the build context");
    insta::assert_snapshot!(copy("../etc"), @"error: «../etc»: `../etc` is outside of the build context (build from a directory further up, or name the other directory with --build-context NAME=DIR and COPY --from=NAME)");
    insta::assert_snapshot!(copy("src/../../etc"), @"error: «src/../../etc»: `src/../../etc` is outside of the build context (build from a directory further up, or name the other directory with --build-context NAME=DIR and COPY --from=NAME)");
    insta::assert_snapshot!(copy("src/main.py/x"), @"error: «src/main.py/x»: `src/main.py/x` is not in the build context (did you mean `src/main.py`?)");
    insta::assert_snapshot!(copy("\"\""), @r#"error: «""»: the source is empty"#);
}

#[test]
fn what_is_ignored() {
    let world =
        context(&["a=1", "secret=2", "d/", "d/x=3", "d/y=4"]).base(&[]).ignore("secret\nd\n!d/x\n");
    insta::assert_snapshot!(world.files("FROM base\nCOPY secret /x"), @"error CopyIgnoredFile: «secret»: `secret` is not in the build context (.dockerignore excludes it; an exception is `!secret`)");
    insta::assert_snapshot!(world.files("FROM base\nCOPY d /x"), @r"
    0755 0:0 x/
    0644 0:0 x/x=3
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY . /x"), @r"
    0755 0:0 x/
    0644 0:0 x/a=1
    0755 0:0 x/d/
    0644 0:0 x/d/x=3
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY sec* /x/"), @"warning: «sec*»: `sec*` matches nothing in the build context (does .dockerignore exclude it?)");
}

#[test]
fn what_cannot_be_copied() {
    let world = context(&["d/", "d/pipe |", "d/x=1"]).base(&[]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY d /x"), @"error: «d»: `d/pipe` is a named pipe, which an image cannot take (exclude it, in .dockerignore or with --exclude)");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --exclude=pipe d /x"), @r"
    0755 0:0 x/
    0644 0:0 x/x=1
    ");
}

#[test]
fn files_and_directories_do_not_take_each_others_place() {
    let world = context(&["a=1", "d/", "d/n/", "d/n/x=2", "d/f=3"])
        .base(&[&["n=file", "f/", "e/", "e/f/", "e/n=file", "g=old"]]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /g"), @"0644 0:0 g=1");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /n/x"), @"error: «/n/x»: `/n` of the image is not a directory");
    insta::assert_snapshot!(world.files("FROM base\nCOPY d /n"), @"error: «/n»: `/n` of the image is not a directory");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --exclude=n d /e"), @"error: «/e»: `/e/f` is a directory, and a file cannot take its place");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --exclude=f d /e"), @"error: «/e»: `/e/n` of the image is not a directory");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a a /m/"), @r"
    0755 0:0 m/
    0644 0:0 m/a=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a a/ /m/"), @r"
    0755 0:0 m/
    0644 0:0 m/a=1
    ");
}
