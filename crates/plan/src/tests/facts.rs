//! What is asked for: all that can be known to be needed, and nothing else.

use super::context;

#[test]
fn everything_at_once() {
    let world = context(&["a=1", "b=2"]).base(&[&["x/"], &["y/"]]).image("other", &[], "{}");
    let report = world
        .plan("FROM other AS s\nCOPY a /a\nFROM base\nCOPY a /x/a\nCOPY --from=s /a /s\nCOPY b /b");
    insta::assert_snapshot!(report.asked, @r"
    image other:latest for linux/arm64, image base:latest for linux/arm64
    list the build context
    digest a b, index a layer of base:latest
    index a layer of base:latest
    ");
    insta::assert_snapshot!(report.files, @r"
    COPY a /x/a: files
    0644 0:0 x/a=1
    COPY --from=s /a /s: from s
    0644 0:0 s=1
    COPY b /b: files
    0644 0:0 b=2
    ");
}

#[test]
fn an_earlier_layer_may_answer() {
    // The base is not read for a user that the recipe itself brings.
    let world = context(&["passwd=app:x:1:2\n", "a=1"]).base(&[&["etc/"]]);
    let report =
        world.plan("FROM base\nCOPY --link passwd /etc/passwd\nCOPY --link --chown=app a /a");
    insta::assert_snapshot!(report.asked, @r"
    image base:latest for linux/arm64
    list the build context
    digest a passwd
    read a file
    ");
    insta::assert_snapshot!(report.files, @r"
    COPY --link passwd /etc/passwd: files
    0755 0:0 etc/
    0644 0:0 etc/passwd=app:x:1:2\n
    COPY --link --chown=app a /a: files
    0644 1:2 a=1
    ");
}

#[test]
fn an_error_comes_before_what_it_would_take() {
    let world = context(&["a=1"]).base(&[]);
    let report = world.plan("FROM base\nCOPY a /a\nEXPOSE x");
    insta::assert_snapshot!(report.asked, @"image base:latest for linux/arm64");
    insta::assert_snapshot!(report.messages, @"error: «x»: `x` is not a port (ports are written 80, 80/udp or 8000-8010/tcp)");
}

#[test]
fn a_question_that_only_lower_layers_answer() {
    let world = context(&["a=1"]).base(&[&["low/"], &["mid/"], &["high/"]]);
    insta::assert_snapshot!(world.plan("FROM base\nCOPY a /high/").asked, @r"
    image base:latest for linux/arm64
    list the build context
    index a layer of base:latest
    digest a
    index a layer of base:latest
    index a layer of base:latest
    ");
    insta::assert_snapshot!(world.plan("FROM base\nCOPY a /new/").asked, @r"
    image base:latest for linux/arm64
    list the build context
    index a layer of base:latest
    index a layer of base:latest
    index a layer of base:latest
    digest a
    ");
}
