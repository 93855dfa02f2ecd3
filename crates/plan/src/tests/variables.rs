//! `ARG` and `ENV`: who knows which variable, and what it is.

use super::context;

#[test]
fn arguments() {
    let world = context(&[])
        .image("base", &[], r#"{"Env":["E=base"]}"#)
        .arg("GIVEN", "given")
        .arg("http_proxy", "p");
    let label = |text: &str| {
        let report = world.plan(&format!("ARG G=global\nARG H=$G-h\nFROM base\n{text}"));
        format!("{}{}", report.config, report.messages)
    };
    insta::assert_snapshot!(label("LABEL a=$G"), @r#"
    {"Env":["E=base"],"Labels":{"a":""}}UndefinedVar: «$G»: variable `$G` is used and never defined (a stage knows it after `ARG G` in the stage)
    warning: «»: build argument `GIVEN` is given and no `ARG` takes it
    "#);
    insta::assert_snapshot!(label("ARG G\nARG H\nLABEL a=$G-$H"), @r#"{"Env":["E=base"],"Labels":{"a":"global-global-h"}}warning: «»: build argument `GIVEN` is given and no `ARG` takes it"#);
    insta::assert_snapshot!(label("ARG G=own\nLABEL a=$G"), @r#"{"Env":["E=base"],"Labels":{"a":"own"}}warning: «»: build argument `GIVEN` is given and no `ARG` takes it"#);
    insta::assert_snapshot!(label("ARG GIVEN=default\nLABEL a=$GIVEN b=$http_proxy"), @r#"{"Env":["E=base"],"Labels":{"a":"given","b":"p"}}"#);
    insta::assert_snapshot!(label("ARG A=1 B=$A\nARG A\nLABEL a=$A-$B"), @r#"{"Env":["E=base"],"Labels":{"a":"1-1"}}warning: «»: build argument `GIVEN` is given and no `ARG` takes it"#);
    insta::assert_snapshot!(label("ARG E=arg\nARG N=1\nENV N=env\nLABEL a=$E-$N"), @r#"{"Env":["E=base","N=env"],"Labels":{"a":"base-env"}}warning: «»: build argument `GIVEN` is given and no `ARG` takes it"#);
    insta::assert_snapshot!(label("ENV A=1\nENV A=2 B=$A\nLABEL a=$A-$B"), @r#"{"Env":["E=base","A=2","B=1"],"Labels":{"a":"2-1"}}warning: «»: build argument `GIVEN` is given and no `ARG` takes it"#);
    insta::assert_snapshot!(label("ARG N\nLABEL a=$N-${N:-none}-${M:-none}"), @r#"{"Env":["E=base"],"Labels":{"a":"-none-none"}}warning: «»: build argument `GIVEN` is given and no `ARG` takes it"#);
    insta::assert_snapshot!(label("ARG VERSION=1\nLABEL a=x-$VERSOIN b=$version"), @r#"
    {"Env":["E=base"],"Labels":{"a":"x-","b":""}}UndefinedVar: «$VERSOIN»: variable `$VERSOIN` is used and never defined (did you mean `$VERSION`?)
    UndefinedVar: «$version»: variable `$version` is used and never defined (did you mean `$VERSION`?)
    warning: «»: build argument `GIVEN` is given and no `ARG` takes it
    "#);
}

#[test]
fn platforms() {
    let world = context(&[]).base(&[]);
    let text = "FROM base AS last\nARG TARGETPLATFORM TARGETARCH BUILDPLATFORM TARGETSTAGE TARGETVARIANT\nLABEL a=$TARGETPLATFORM:$TARGETARCH:$BUILDPLATFORM:$TARGETSTAGE:$TARGETVARIANT";
    insta::assert_snapshot!(world.plan(text).config, @r#"{"Env":[],"Labels":{"a":"linux/arm64:arm64:linux/amd64:last:"}}"#);
    insta::assert_snapshot!(world.plan(&text.replace(" AS last", "")).config, @r#"{"Env":[],"Labels":{"a":"linux/arm64:arm64:linux/amd64:default:"}}"#);
    insta::assert_snapshot!(world.target("0").plan(&text.replace(" AS last", "")).config, @r#"{"Env":[],"Labels":{"a":"linux/arm64:arm64:linux/amd64:0:"}}"#);
    let report = context(&[])
        .base(&[])
        .arg("TARGETARCH", "x")
        .plan("FROM --platform=linux/$TARGETARCH base");
    insta::assert_snapshot!(report.asked, @"image base:latest for linux/x");
}

#[test]
fn global_arguments_in_from() {
    let world = context(&[]).base(&[]).image("other:2", &[], "{}");
    insta::assert_snapshot!(world.plan("ARG NAME=other\nARG TAG=2\nFROM $NAME:$TAG").asked, @"image other:2 for linux/arm64");
    insta::assert_snapshot!(world.plan("FROM --platform=$BUILDPLATFORM base").asked, @"image base:latest for linux/amd64");
    insta::assert_snapshot!(world.plan("ARG NAME\nFROM $NAME").messages, @"error: «$NAME»: the base image's name is empty (give the variable a default: `ARG NAME=value` before the first FROM)");
    insta::assert_snapshot!(world.plan("FROM --platform=a/b/c/d base").messages, @"error: «a/b/c/d»: `a/b/c/d` is not a platform: it is written os/architecture[/variant], and has more parts");
    insta::assert_snapshot!(world.plan("FROM a::b").messages, @"error: «a::b»: `a::b` is not an image reference: `:b` is not a tag (a tag has up to 128 letters, digits, `_`, `.` and `-`, and starts with a letter, a digit or `_`)");
}

#[test]
fn arguments_that_nobody_takes() {
    let world = context(&[]).base(&[]).arg("VERSOIN", "1").arg("BUILDKIT_INLINE_CACHE", "1");
    insta::assert_snapshot!(world.plan("FROM base\nARG VERSION").messages, @"warning: «»: build argument `VERSOIN` is given and no `ARG` takes it (did you mean `VERSION`?)");
}
