//! What is said when there is no answer.

use python::IndexUrl;

use crate::ask::{ask, compiled};
use crate::index::{Fault, Format, Index};
use crate::wheel::{source, wheel};

fn small() -> Index {
    Index::new(
        Format::Json,
        [
            wheel("app", "1.0").requires("lib<2"),
            wheel("lib", "1.0"),
            wheel("lib", "2.0"),
            wheel("needy", "1.0").requires("missing>=1"),
        ],
    )
}

#[test]
fn no_such_package() {
    let index = small();
    insta::assert_snapshot!(ask(&index).want("app").want("clik").text(), @"");
    insta::assert_snapshot!(ask(&index).want("needy").text(), @"");
    insta::assert_snapshot!(ask(&index).want("click-log-0.3.2").text(), @"");
    let alone = ask(&index).want("app").change(|r| r.indexes.no_index = true);
    insta::assert_snapshot!(alone.text(), @"");
}

#[test]
fn no_such_version() {
    insta::assert_snapshot!(ask(&small()).want("lib>=3").text(), @"");
}

#[test]
fn conflicts_are_explained() {
    insta::assert_snapshot!(ask(&small()).want("app").want("lib>=2").text(), @"");
    insta::assert_snapshot!(ask(&small()).want("app").constrain("lib>=2").text(), @"");
}

#[test]
fn all_that_would_have_to_be_built() {
    let index = Index::new(
        Format::Json,
        [
            wheel("app", "1").requires("pure").requires("fast"),
            source("pure", "1"),
            source("fast", "1"),
            compiled("fast", "1", "cp39-cp39-manylinux_2_17_x86_64"),
            compiled("fast", "1", "cp311-cp311-win_amd64"),
            source("old", "1"),
            wheel("old", "2"),
        ],
    );
    insta::assert_snapshot!(ask(&index).want("app").text(), @"");
    insta::assert_snapshot!(ask(&index).want("old<2").text(), @"");
}

#[test]
fn wheels_for_others() {
    let newer = crate::wheel::Wheel { requires_python: Some(">=3.12".into()), ..wheel("new", "1") };
    let index = Index::new(
        Format::Json,
        [compiled("lib", "1", "cp312-cp312-manylinux_2_28_x86_64"), newer],
    );
    insta::assert_snapshot!(ask(&index).want("lib").text(), @"");
    insta::assert_snapshot!(ask(&index).want("new").text(), @"");
    let other = wheel("own", "1").tags("cp39-cp39-linux_x86_64");
    let path = "own-1-cp39-cp39-linux_x86_64.whl";
    let given = ask(&index).want(path).given(path, &other, false);
    insta::assert_snapshot!(given.text(), @"");
    // What a marker leaves out is not looked at.
    let left_out = ask(&index).want(&format!("./{path} ; python_version < '3.10'"));
    assert_eq!(left_out.given(path, &other, false).text(), "");
}

#[test]
fn indexes_that_do_not_answer() {
    let with = |fault| Index::new(Format::Html, [wheel("lib", "1")]).with(fault);
    let text = |fault| ask(&with(fault)).want("lib").text();
    insta::assert_snapshot!(text(Fault::Status(500)), @"");
    insta::assert_snapshot!(text(Fault::Status(401)), @"");
    insta::assert_snapshot!(text(Fault::Status(403)), @"");
    insta::assert_snapshot!(text(Fault::Typed("text/plain", "hello")), @"");
    insta::assert_snapshot!(text(Fault::Typed("application/vnd.pypi.simple.v1+json", "{")), @"");
    insta::assert_snapshot!(text(Fault::Page("<html><body>Sign in</body></html>")), @"");
    insta::assert_snapshot!(text(Fault::Truncated), @"");
    let mut gone = ask(&small()).want("lib");
    gone.request.indexes.index_url = Some(IndexUrl::new("http://u:SECRET@127.0.0.1:1/simple/"));
    insta::assert_snapshot!(gone.text(), @"");
    gone.request.indexes.index_url = Some(IndexUrl::new("ftp://u:SECRET@host/simple"));
    insta::assert_snapshot!(gone.text(), @"");
    let mut offline = ask(&small()).want("lib");
    offline.network.offline = true;
    insta::assert_snapshot!(offline.text(), @"");
}

#[test]
fn one_index_of_two_may_refuse() {
    let second = Index::new(Format::Json, [wheel("lib", "1")]);
    let first = Index::new(Format::Json, []).with(Fault::Login("u:SECRET"));
    insta::assert_snapshot!(ask(&first).also(&second).want("lib").text(), @"");
}

#[test]
fn requirements_that_are_none() {
    let text = |want: &str| ask(&small()).want(want).text();
    insta::assert_snapshot!(text("lib 1.0"), @"");
    insta::assert_snapshot!(text("lib=1.0"), @"");
    insta::assert_snapshot!(text("lib; python_version > 'x"), @"");
    insta::assert_snapshot!(text("git+https://u:SECRET@host/a.git@main"), @"");
    insta::assert_snapshot!(text("lib @ git+https://u:SECRET@host/a.git"), @"");
    insta::assert_snapshot!(text("./src/lib"), @"");
    insta::assert_snapshot!(text("./dist/lib-1-py3-none-any.whl"), @"");
    insta::assert_snapshot!(text("lib @ file:///etc/lib-1-py3-none-any.whl"), @"");
    insta::assert_snapshot!(text("lib @ ../lib-1-py3-none-any.whl"), @"");
    insta::assert_snapshot!(text("https://u:SECRET@host/lib-1.tar.gz"), @"");
    insta::assert_snapshot!(text("https://u:SECRET@host/lib.whl"), @"");
}

#[test]
fn dependencies_that_are_urls() {
    let url = "file:///etc/lib-1-py3-none-any.whl";
    let index = Index::new(Format::Json, [wheel("app", "1").requires(&format!("lib @ {url}"))]);
    insta::assert_snapshot!(ask(&index).want("app").text(), @"");
}

#[test]
fn hashes() {
    let lib = wheel("lib", "1");
    let good = format!("sha256:{}", oci::Digest::of(&lib.bytes()).hex());
    let bad = format!("sha256:{}", "0".repeat(64));
    let index = Index::new(Format::Html, [lib, wheel("app", "1").requires("lib")]);
    let text = |wants: &[String]| {
        let asked = wants.iter().fold(ask(&index), |asked, want| asked.want(want));
        asked.text()
    };
    let app = format!(
        "app==1 --hash=sha256:{}",
        oci::Digest::of(&wheel("app", "1").requires("lib").bytes()).hex()
    );
    insta::assert_snapshot!(text(&[app.clone(), format!("lib==1 --hash={bad} --hash={good}")]), @"");
    insta::assert_snapshot!(text(&[app.clone(), "lib==1".into()]), @"");
    insta::assert_snapshot!(text(&[app.clone(), format!("lib --hash={good}")]), @"");
    insta::assert_snapshot!(text(&[app]), @"");
    insta::assert_snapshot!(text(&[format!("lib==1 --hash={bad}")]), @"");
    insta::assert_snapshot!(text(&["lib==1 --hash=md5:00".into()]), @"");
    let strict = ask(&index).want("lib==1").change(|r| r.require_hashes = true);
    insta::assert_snapshot!(strict.text(), @"");
    let other = crate::wheel::Wheel { hash: Some("md5=00".into()), ..wheel("lib", "1") };
    let other = Index::new(Format::Html, [other]);
    let strong = format!("sha512:{}", "0".repeat(128));
    let resolution = ask(&other).want(&format!("lib==1 --hash={strong}")).try_resolve().unwrap();
    assert_eq!(resolution.packages[0].wheel.hashes, [strong]);
}
