//! Stages, and what is copied from them, from images and from named contexts.

use super::context;

#[test]
fn by_name_and_number() {
    let world = context(&["a=1"]).base(&[]);
    insta::assert_snapshot!(world.files("FROM scratch AS Build\nCOPY a /out/a\nFROM base\nCOPY --from=BUILD /out /in"), @r"
    0755 0:0 in/
    0644 0:0 in/a=1
    ");
    insta::assert_snapshot!(world.files("FROM scratch\nCOPY a /out/a\nFROM base\nCOPY --from=0 /out/a /in"), @"0644 0:0 in=1");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --from=0 /out/a /in"), @"error: «0»: there is no stage 0 before this one (stages are numbered from 0)");
    insta::assert_snapshot!(world.files("FROM base\nCOPY a /in\nFROM scratch AS later\nCOPY --from=later /a /b"), @"error: «later»: stage `later` comes later, or is this one (copy from a stage above this one)");
}

#[test]
fn an_image_gives_its_files_as_they_are() {
    let world = context(&[]).base(&[]).image(
        "tools:1",
        &[&["bin/", "bin/old=1"], &["4755 bin/tool=2 @3:4", "700 bin/d/ @3:4"]],
        "{}",
    );
    let report = world.plan(
        "FROM base\nCOPY --from=tools:1 /bin/tool /t\nCOPY --from=tools:1 --chown=0 /bin /b/",
    );
    insta::assert_snapshot!(report.files, @r"
    COPY --from=tools:1 /bin/tool /t: from tools:1
    4755 3:4 t=2 at 7
    COPY --from=tools:1 --chown=0 /bin /b/: from tools:1
    0755 0:0 b/
    0700 0:0 b/d/ at 7
    0644 0:0 b/old=1 at 7
    4755 0:0 b/tool=2 at 7
    ");
    insta::assert_snapshot!(report.asked, @r"
    image base:latest for linux/arm64
    image tools:1 for linux/arm64
    index a layer of tools:1
    index a layer of tools:1
    ");
    insta::assert_snapshot!(world.files("FROM base\nCOPY --from=tools:1 /bin/tol /t"), @"error: «/bin/tol»: `/bin/tol` is not in `tools:1` (did you mean `/bin/tool`?)");
}

#[test]
fn named_contexts() {
    // A named context takes the place of a stage or an image of its name.
    let world = context(&["a=1"]).base(&[]).named("lib", &["x=2"]).named("stage", &["x=3"]);
    insta::assert_snapshot!(world.files("FROM base\nCOPY --from=lib x /x"), @"0644 0:0 x=2");
    insta::assert_snapshot!(world.files("FROM scratch AS stage\nCOPY a /x\nFROM base\nCOPY --from=stage x /x"), @"0644 0:0 x=3");
    insta::assert_snapshot!(world.files("FROM lib\nCOPY a /x"), @"error: «lib»: the build context `lib` is no image, and cannot be a base (start from scratch and COPY --from it)");
}

#[test]
fn what_is_not_needed_is_not_asked_for() {
    let world = context(&["a=1"]).base(&[]);
    let report = world.plan("FROM nowhere AS unused\nCOPY gone /x\nFROM base\nENV A=b");
    insta::assert_snapshot!(report.asked, @"image base:latest for linux/arm64");
    let report = world.target("0").plan("FROM base\nENV A=b\nFROM nowhere");
    insta::assert_snapshot!(report.config, @r#"{"Env":["A=b"]}"#);
}

#[test]
fn targets() {
    let world = context(&[]).base(&[]);
    insta::assert_snapshot!(world.target("biuld").files("FROM base AS build\nFROM base"), @"error: «FROM base»: there is no stage `biuld` to build (did you mean `build`?)");
}

#[test]
fn a_stage_goes_on_where_another_ended() {
    let world = context(&["a=1", "b=2"]).base(&[]);
    let report = world.plan("FROM base AS one\nARG V=1\nENV E=2\nCMD [\"one\"]\nCOPY a /d/a\nFROM one\nCOPY b /d/b\nLABEL v=$V e=$E\nENTRYPOINT [\"x\"]");
    insta::assert_snapshot!(report.files, @r"
    COPY b /d/b: files
    0644 0:0 d/b=2
    ");
    insta::assert_snapshot!(report.config, @r#"{"Env":["E=2"],"Labels":{"e":"2","v":"1"},"Entrypoint":["x"]}"#);
    insta::assert_snapshot!(report.messages, @"");
}

#[test]
fn triggers() {
    let config = r#"{"OnBuild":["COPY --from=0 /out /in","ENV T=1"]}"#;
    let world = context(&["a=1"]).image("on", &[], config);
    let report = world.plan("FROM scratch AS s\nCOPY a /out\nFROM on\nENV U=$T\nONBUILD USER 7");
    insta::assert_snapshot!(report.files, @"0644 0:0 in=1");
    insta::assert_snapshot!(report.config, @r#"{"Env":["T=1","U=1"],"OnBuild":["USER 7"]}"#);
    insta::assert_snapshot!(report.asked, @r"
    image on:latest for linux/arm64
    list the build context
    digest a
    ");
    let of_stage = world.plan("FROM scratch AS s\nONBUILD ENV A=b\nFROM s");
    insta::assert_snapshot!(of_stage.config, @r#"{"Env":["A=b"]}"#);
    let wrong = context(&[]).image("on", &[], r#"{"OnBuild":["FORM x"]}"#);
    insta::assert_snapshot!(wrong.files("FROM on"), @"error: «on»: the base image's trigger `FORM x` is not valid: there is no instruction `FORM`");
}

#[test]
fn what_a_run_may_have_changed_is_not_known() {
    let base: &[&str] = &[
        "etc/",
        "etc/passwd=root:x:0:0\n",
        "755 bin/sh -> dash",
        "755 bin/dash=",
        "755 bin/make=",
        "755 bin/ruby=",
    ];
    let world = context(&["a=1"]).image("base", &[base], "{}");
    insta::assert_snapshot!(world.files("FROM base AS b\nRUN make\nFROM base\nCOPY --from=b /out /in\nCOPY a /in/a"), @r"
    COPY --from=b /out /in: needs execution: an instruction before it needs execution
    0755 0:0 in/
    0644 0:0 in/a=1
    ");
    insta::assert_snapshot!(world.files("FROM base\nRUN ruby app\nCOPY --chown=app a /a\nUSER app\nWORKDIR /w"), @r"
    RUN ruby app: needs execution: `ruby` is not built in
    COPY --chown=app a /a: needs execution: an instruction before it needs execution
    WORKDIR /w: needs execution: an instruction before it needs execution
    ");
    insta::assert_snapshot!(world.files("FROM base\nRUN make\nCOPY gone /a"), @"error: «gone»: `gone` is not in the build context");
}
