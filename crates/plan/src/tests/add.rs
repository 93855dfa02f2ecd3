//! `ADD`: archives, URLs and git repositories.

use super::context;

#[test]
fn archives_are_unpacked_as_they_are() {
    let members: &[&str] = &["700 d/ @1:2", "4755 d/x=x @1:2", "d/l -> x", "d/h == z", "z=zz @3:4"];
    let world =
        context(&["a.tar=tar", "b.txt=2"]).base(&[&["old/", "old/d/"]]).archive("tar", members);
    let report = world.plan("FROM base\nADD a.tar /new/place");
    insta::assert_snapshot!(report.files, @r"
    0755 0:0 new/
    0755 0:0 new/place/
    0700 1:2 new/place/d/ at 7
    0644 3:4 new/place/d/h=zz at 7
    0777 0:0 new/place/d/l -> x at 7
    4755 1:2 new/place/d/x=x at 7
    0644 3:4 new/place/z == new/place/d/h at 7
    ");
    insta::assert_snapshot!(report.asked, @r"
    image base:latest for linux/arm64
    list the build context
    digest a.tar
    look into an archive
    index a layer of base:latest
    ");
    insta::assert_snapshot!(world.files("FROM base\nADD a.tar b.txt /old/"), @r"
    0644 0:0 old/b.txt=2
    0700 1:2 old/d/ at 7
    0644 3:4 old/d/h=zz at 7
    0777 0:0 old/d/l -> x at 7
    4755 1:2 old/d/x=x at 7
    0644 3:4 old/z == old/d/h at 7
    ");
    insta::assert_snapshot!(world.files("FROM base\nADD --chown=5:6 --chmod=600 a.tar /old/"), @r"
    0700 5:6 old/d/ at 7
    0644 5:6 old/d/h=zz at 7
    0777 5:6 old/d/l -> x at 7
    4755 5:6 old/d/x=x at 7
    0644 5:6 old/z == old/d/h at 7
    ");
    insta::assert_snapshot!(world.files("FROM base\nADD --unpack=false a.tar /old/"), @"0644 0:0 old/a.tar=tar");
    insta::assert_snapshot!(world.files("FROM base\nADD a.tar /old/\nADD b.txt /old/d/x"), @r"
    ADD a.tar /old/: files
    0700 1:2 old/d/ at 7
    0644 3:4 old/d/h=zz at 7
    0777 0:0 old/d/l -> x at 7
    4755 1:2 old/d/x=x at 7
    0644 3:4 old/z == old/d/h at 7
    ADD b.txt /old/d/x: files
    0700 1:2 old/d/ at 7
    0644 0:0 old/d/x=2
    ");
    let broken = context(&["a.tar=tar"]).base(&[]).archive("tar", &["h == gone"]);
    insta::assert_snapshot!(broken.files("FROM base\nADD a.tar /x"), @"error: «a.tar»: `h` of the archive is a hard link to nothing in it");
}

#[test]
fn urls() {
    let world = context(&[])
        .base(&[&["srv/"]])
        .url("https://example.test/d/a%20b?x", "hello")
        .url("https://example.test", "root")
        .archive("hello", &["m=1"]);
    insta::assert_snapshot!(world.files("FROM base\nADD https://example.test/d/a%20b?x /srv/"), @"0600 0:0 srv/a b=hello");
    insta::assert_snapshot!(world.files("FROM base\nADD https://example.test/d/a%20b?x /srv"), @"0600 0:0 srv/a b=hello");
    insta::assert_snapshot!(world.files("FROM base\nADD --chmod=644 --chown=1 https://example.test/d/a%20b?x /f"), @"0644 1:1 f=hello");
    insta::assert_snapshot!(world.files("FROM base\nADD --unpack=true https://example.test/d/a%20b?x /f"), @r"
    0755 0:0 f/
    0644 0:0 f/m=1 at 7
    ");
    insta::assert_snapshot!(world.files("FROM base\nADD https://example.test /f"), @"0600 0:0 f=root");
    insta::assert_snapshot!(world.files("FROM base\nADD https://example.test /srv"), @"error: «https://example.test»: the address names no file, and the destination is a directory (give the file a name in the destination)");
}

#[test]
fn checksums() {
    let world = context(&["a=1", "b=2"]).base(&[]);
    insta::assert_snapshot!(world.files("FROM base\nADD --checksum=sha256:12 https://example.test/a /x"), @"error: «sha256:12»: `sha256:12` is not a sha256 digest: it wants 64 lower-case hex digits");
    insta::assert_snapshot!(world.files("FROM base\nADD --checksum=sha256:12 a /x"), @"error: «sha256:12»: --checksum is for URLs and git repositories, and this source is neither");
    insta::assert_snapshot!(world.files("FROM base\nADD --checksum=sha256:12 a b /x/"), @"error: «sha256:12»: --checksum is for one source, and there are several (write an ADD for each)");
    insta::assert_snapshot!(world.files("FROM base\nADD --checksum=main https://example.test/a.git /x"), @"error: «main»: `main` is no commit's id (the checksum of a git repository is the id of a commit, in hexadecimal)");
}

#[test]
fn git() {
    let world = context(&[]).base(&[]).named("https://example.test/a.git", &["r/", "700 r/x=1"]);
    let report = world.plan("FROM base\nADD https://example.test/a.git#main:r /x");
    insta::assert_snapshot!(report.files, @r"
    0755 0:0 x/
    0755 0:0 x/r/
    0700 0:0 x/r/x=1
    ");
    insta::assert_snapshot!(report.asked, @r"
    image base:latest for linux/arm64
    list https://example.test/a.git
    digest r/x
    ");
    insta::assert_snapshot!(world.files("FROM base\nADD https://example.test/a.git?branch=main#dev /x"), @"error: «https://example.test/a.git?branch=main#dev»: `https://example.test/a.git?branch=main#dev`: it names two different references");
}
