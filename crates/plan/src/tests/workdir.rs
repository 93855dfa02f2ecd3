//! `WORKDIR`: where it leads, and what it makes.

use super::context;

#[test]
fn it_makes_what_is_missing() {
    let passwd: &[&str] =
        &["etc/", "etc/passwd=app:x:10:20\n", "srv/", "home/ @9:9", "l -> srv", "f=1"];
    let world = context(&[]).base(&[passwd]);
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /srv"), @"");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /srv/a/"), @"0755 0:0 srv/a/");
    insta::assert_snapshot!(world.files("FROM base\nUSER app\nWORKDIR /srv/a/b"), @r"
    0755 10:20 srv/a/
    0755 10:20 srv/a/b/
    ");
    insta::assert_snapshot!(world.files("FROM base\nUSER 7:8\nWORKDIR /home/x"), @r"
    0755 9:9 home/ at 7
    0755 7:8 home/x/
    ");
    insta::assert_snapshot!(world.files("FROM base\nUSER ghost\nWORKDIR /x"), @r"
    0755 0:0 x/
    warning: «/x»: the image has no user `ghost` in /etc/passwd, and so root owns the directory (use the number instead, as in `USER 1000:1000`)
    ");
    insta::assert_snapshot!(world.files("FROM base\nUSER ghost\nWORKDIR /srv"), @"");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /l/x"), @"0755 0:0 srv/x/");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR /f"), @"error: «/f»: `/f` of the image is not a directory");
    insta::assert_snapshot!(world.files("FROM base\nWORKDIR ''"), @"error: «''»: WORKDIR is empty");
}

#[test]
fn relative_ones_add_up() {
    let world = context(&[]).image("base", &[], r#"{"WorkingDir":"/of/base"}"#);
    let config = |text: &str| world.plan(&format!("FROM base\nENV D=env\n{text}")).config;
    insta::assert_snapshot!(config("WORKDIR a"), @r#"{"WorkingDir":"/of/base/a","Env":["D=env"]}"#);
    insta::assert_snapshot!(config("WORKDIR /a/\nWORKDIR b\nWORKDIR ../c"), @r#"{"WorkingDir":"/a/c","Env":["D=env"]}"#);
    insta::assert_snapshot!(config("WORKDIR $D/x"), @r#"{"WorkingDir":"/of/base/env/x","Env":["D=env"]}"#);
    insta::assert_snapshot!(config("WORKDIR /../.."), @r#"{"WorkingDir":"/","Env":["D=env"]}"#);
}
