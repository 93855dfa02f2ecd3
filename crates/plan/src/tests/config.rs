//! Instructions that change the config alone.

use super::context;

#[test]
fn labels_ports_volumes() {
    let world = context(&[]).image(
        "base",
        &[],
        r#"{"Labels":{"a":"0","z":"1"},"ExposedPorts":{"1/tcp":{}},"Other":[1]}"#,
    );
    let config = |text: &str| {
        let report = world.plan(&format!("FROM base\n{text}"));
        format!("{}{}", report.config, report.messages)
    };
    insta::assert_snapshot!(config("ENV V=v\nLABEL a=1 b=\"two words\" c=$V '$V'='$V'"), @r#"{"Labels":{"$V":"$V","a":"1","b":"two words","c":"v","z":"1"},"ExposedPorts":{"1/tcp":{}},"Other":[1],"Env":["V=v"]}"#);
    insta::assert_snapshot!(config("ENV P='80 81-82/udp'\nEXPOSE $P 443/TCP"), @r#"{"Labels":{"a":"0","z":"1"},"ExposedPorts":{"1/tcp":{},"443/tcp":{},"80/tcp":{},"81/udp":{},"82/udp":{}},"Other":[1],"Env":["P=80 81-82/udp"]}"#);
    insta::assert_snapshot!(config("EXPOSE 70000"), @"error: «70000»: `70000` is not a port (ports are written 80, 80/udp or 8000-8010/tcp)");
    insta::assert_snapshot!(config("ENV V=/v\nVOLUME [\"/a b\", \"$V\"]\nVOLUME /c /d"), @r#"{"Labels":{"a":"0","z":"1"},"ExposedPorts":{"1/tcp":{}},"Other":[1],"Env":["V=/v"],"Volumes":{"/a b":{},"/c":{},"/d":{},"/v":{}}}"#);
    insta::assert_snapshot!(config("VOLUME $UNSET"), @"error: «$UNSET»: a volume's path is empty");
}

#[test]
fn users_and_signals() {
    let world = context(&[]).base(&[]);
    let config = |text: &str| {
        let report = world.plan(&format!("FROM base\nARG U=me\n{text}"));
        format!("{}{}", report.config, report.messages)
    };
    insta::assert_snapshot!(config("USER $U:grp"), @r#"{"Env":[],"User":"me:grp"}"#);
    insta::assert_snapshot!(config("USER $NOBODY"), @"error: «$NOBODY»: USER is empty");
    insta::assert_snapshot!(config("STOPSIGNAL SIGRTMIN+3"), @r#"{"Env":[],"StopSignal":"SIGRTMIN+3"}"#);
    insta::assert_snapshot!(config("STOPSIGNAL SIGFOO"), @"error: «SIGFOO»: `SIGFOO` is not a signal (name one as SIGTERM, TERM or 15)");
    insta::assert_snapshot!(config("MAINTAINER Me <me@example.test>"), @r#"{"Env":[]}"#);
}

#[test]
fn commands() {
    // A base's CMD is made for the base's entry point; a stage's own stays.
    let world = context(&[]).image("base", &[], r#"{"Cmd":["of","base"],"Entrypoint":["e"]}"#);
    let config = |text: &str| world.plan(&format!("FROM base\n{text}")).config;
    insta::assert_snapshot!(config("CMD echo $A \"b\""), @r#"{"Cmd":["/bin/sh","-c","echo $A \"b\""],"Entrypoint":["e"],"Env":[]}"#);
    insta::assert_snapshot!(config("SHELL [\"/bin/bash\", \"-c\"]\nCMD x\nENTRYPOINT y z"), @r#"{"Cmd":["/bin/bash","-c","x"],"Entrypoint":["/bin/bash","-c","y z"],"Env":[],"Shell":["/bin/bash","-c"]}"#);
    insta::assert_snapshot!(config("ENTRYPOINT [\"y\"]"), @r#"{"Entrypoint":["y"],"Env":[]}"#);
    insta::assert_snapshot!(config("CMD [\"x\"]\nENTRYPOINT [\"y\"]"), @r#"{"Cmd":["x"],"Entrypoint":["y"],"Env":[]}"#);
    insta::assert_snapshot!(config("ENTRYPOINT []"), @r#"{"Entrypoint":[],"Env":[]}"#);
}

#[test]
fn health() {
    let world = context(&[]).base(&[]);
    let config = |text: &str| world.plan(&format!("FROM base\n{text}")).config;
    insta::assert_snapshot!(config("HEALTHCHECK NONE"), @r#"{"Env":[],"Healthcheck":{"Test":["NONE"]}}"#);
    insta::assert_snapshot!(config("HEALTHCHECK --interval=1m --retries=3 CMD curl x"), @r#"{"Env":[],"Healthcheck":{"Test":["CMD-SHELL","curl x"],"Interval":60000000000,"Retries":3}}"#);
    insta::assert_snapshot!(config("HEALTHCHECK CMD [\"curl\", \"x\"]"), @r#"{"Env":[],"Healthcheck":{"Test":["CMD","curl","x"]}}"#);
}

#[test]
fn a_path_to_programs() {
    // Runtimes differ in what they take for a `PATH` that an image does not have.
    let report = |config| context(&[]).image("base", &[], config).plan("FROM base\nENV P=/x:$PATH");
    insta::assert_snapshot!(report("{}").config, @r#"{"Env":[]}"#);
    insta::assert_snapshot!(report(r#"{"Env":["PATH=/own"]}"#).config, @r#"{"Env":["PATH=/own","P=/x:/own"]}"#);
}
