//! What is said when there is no answer.

use python::IndexUrl;

use crate::ask::{ask, compiled};
use crate::index::{Fault, Format, Index};
use crate::wheel::{Wheel, source, wheel};

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
    insta::assert_snapshot!(ask(&index).want("app").want("clik").text(), @"error: there is no package `clik` (requirements.txt:2) at http://HOST/simple/");
    insta::assert_snapshot!(ask(&index).want("needy").text(), @r"
    error: there is no package `missing` at http://HOST/simple/
    Because missing was not found in the package registry and all versions of needy depend on missing>=1, we can conclude that all versions of needy cannot be used.
    And because you require needy, we can conclude that your requirements are unsatisfiable.
    ");
    insta::assert_snapshot!(ask(&index).want("click-log-0.3.2").text(), @r"
    error: there is no package `click-log-0-3-2` (requirements.txt:1) at http://HOST/simple/
    hint: `click-log==0.3.2` may be meant
    ");
    let alone = ask(&index).want("app").change(|r| r.indexes.no_index = true);
    insta::assert_snapshot!(alone.text(), @"error: there is no package `app` (requirements.txt:1) among the links and files that were given");
}

#[test]
fn no_such_version() {
    insta::assert_snapshot!(ask(&small()).want("lib>=3").text(), @"error: no version of `lib` is `>=3` (requirements.txt:1); there are 2.0, 1.0");
}

#[test]
fn conflicts_are_explained() {
    insta::assert_snapshot!(ask(&small()).want("app").want("lib>=2").text(), @r"
    error: the requirements cannot be met together
    Because all versions of app depend on lib<2 and you require app, we can conclude that you require lib<2.
    And because you require lib>=2, we can conclude that your requirements are unsatisfiable.
    ");
    insta::assert_snapshot!(ask(&small()).want("app").constrain("lib>=2").text(), @r"
    error: the requirements cannot be met together
    Because all versions of app depend on lib<2 and lib>=2, we can conclude that all versions of app cannot be used.
    And because you require app, we can conclude that your requirements are unsatisfiable.
    ");
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
    insta::assert_snapshot!(ask(&index).want("app").text(), @r#"
    error: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for 2 packages:
      fast 1: wheels for cp311-cp311-win_amd64, cp39-cp39-manylinux_2_17_x86_64, and a source distribution
      pure 1: only a source distribution
    hint: `build = "host"` builds with a Python of this machine
    "#);
    insta::assert_snapshot!(ask(&index).want("old<2").text(), @r#"
    error: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for old 1 (requirements.txt:1): only a source distribution
    hint: `old==2` has a wheel; `build = "host"` builds with a Python of this machine
    "#);
}

#[test]
fn wheels_for_others() {
    let newer = Wheel { requires_python: Some(">=3.12".into()), ..wheel("new", "1") };
    let index = Index::new(
        Format::Json,
        [compiled("lib", "1", "cp312-cp312-manylinux_2_28_x86_64"), newer],
    );
    insta::assert_snapshot!(ask(&index).want("lib").text(), @r"
    error: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for lib 1 (requirements.txt:1): wheels for cp312-cp312-manylinux_2_28_x86_64
    hint: another Python or base image may have what fits
    ");
    insta::assert_snapshot!(ask(&index).want("new").text(), @r"
    error: the requirements cannot be met together
    Because the current Python version (3.11.7) does not satisfy Python>=3.12 and new==1 depends on Python>=3.12, we can conclude that new==1 cannot be used.
    And because only new==1 is available and you require new, we can conclude that your requirements are unsatisfiable.
    ");
    let other = wheel("own", "1").tags("cp39-cp39-linux_x86_64");
    let path = "own-1-cp39-cp39-linux_x86_64.whl";
    let given = ask(&index).want(path).given(path, &other, false);
    insta::assert_snapshot!(given.text(), @"error: own-1-cp39-cp39-linux_x86_64.whl (requirements.txt:1) is not for CPython 3.11 on x86_64 with glibc 2.36");
    let broken = Wheel { is_source: true, ..wheel("own", "1") };
    let path = "dist/own-1-py3-none-any.whl";
    let given = ask(&index).want(&format!("./{path}")).given(path, &broken, false);
    insta::assert_snapshot!(given.text(), @"
    error: the metadata of `dist/own-1-py3-none-any.whl` (requirements.txt:1) cannot be read: it is not a whole zip archive (no end of central directory)
    hint: the file is incomplete or damaged: fetch or build it again
    ");
    let path = "own-1-cp39-cp39-linux_x86_64.whl";
    // What a marker leaves out is not looked at.
    let left_out = ask(&index).want(&format!("./{path} ; python_version < '3.10'"));
    assert_eq!(left_out.given(path, &other, false).text(), "");
}

#[test]
fn indexes_that_do_not_answer() {
    let with = |fault| Index::new(Format::Html, [wheel("lib", "1")]).with(fault);
    let text = |fault| ask(&with(fault)).want("lib").text();
    insta::assert_snapshot!(text(Fault::Status(500)), @"error: http://HOST/simple/lib/ answers with an error (500)");
    insta::assert_snapshot!(text(Fault::Status(401)), @"
    error: http://HOST/simple/ refuses access (401)
    hint: put credentials that it accepts into the index's URL, a netrc file or PIP_INDEX_URL
    ");
    insta::assert_snapshot!(text(Fault::Status(403)), @"
    error: http://HOST/simple/ refuses access (403)
    hint: put credentials that it accepts into the index's URL, a netrc file or PIP_INDEX_URL
    ");
    insta::assert_snapshot!(text(Fault::Typed("text/plain", "hello")), @r"
    error: http://HOST/simple/lib/ does not answer as an index does: the content type is text/plain
    hint: the URL of an index often ends in `/simple/`
    ");
    insta::assert_snapshot!(text(Fault::Typed("application/vnd.pypi.simple.v1+json", "{")), @"error: http://HOST/simple/lib/ answers with what cannot be read: EOF while parsing an object at line 1 column 1");
    insta::assert_snapshot!(text(Fault::Page("<html><body>Sign in</body></html>")), @r"
    error: http://HOST/simple/lib/ does not answer as an index does: it lists no files
    hint: the URL of an index often ends in `/simple/`
    ");
    insta::assert_snapshot!(text(Fault::Truncated), @"error: http://HOST/simple/lib/ answers with what cannot be read: end of file before message length reached");
    let mut gone = ask(&small()).want("lib");
    gone.request.indexes.index_url = Some(IndexUrl::new("http://u:SECRET@127.0.0.1:1/simple/"));
    insta::assert_snapshot!(gone.text(), @"error: http://127.0.0.1:1/simple/lib/ cannot be reached: Connection refused (os error 111)");
    gone.request.indexes.index_url = Some(IndexUrl::new("ftp://u:SECRET@host/simple"));
    insta::assert_snapshot!(gone.text(), @"error: bad index URL ftp://host/simple: ftp: is not http or https");
    let mut offline = ask(&small()).want("lib");
    offline.network.offline = true;
    insta::assert_snapshot!(offline.text(), @"error: http://HOST/simple/lib/ is not in the cache, and this is offline");
}

#[test]
fn one_index_of_two_may_refuse() {
    let second = Index::new(Format::Json, [wheel("lib", "1")]);
    let first = Index::new(Format::Json, []).with(Fault::Login("u:SECRET"));
    insta::assert_snapshot!(ask(&first).also(&second).want("lib").text(), @r"
    * lib 1 lib-1-py3-none-any.whl
    ! http://HOST/simple/ refuses access, so it was passed over
    ");
}

#[test]
fn requirements_that_are_none() {
    let text = |want: &str| ask(&small()).want(want).text();
    insta::assert_snapshot!(text("lib 1.0"), @"error: invalid requirement `lib 1.0` (requirements.txt:1:5): expected one of `@`, `(`, `<`, `=`, `>`, `~`, `!`, `;`, found `1`");
    insta::assert_snapshot!(text("lib=1.0"), @r#"error: invalid requirement `lib=1.0` (requirements.txt:1:4): no such comparison operator "=", must be one of ~= == != <= >= < > ==="#);
    insta::assert_snapshot!(text("lib; python_version > 'x"), @"error: invalid requirement `lib; python_version > 'x` (requirements.txt:1:23): expected ''', found end of dependency specification");
    insta::assert_snapshot!(text("git+https://u:SECRET@host/a.git@main"), @r"
    error: `git+https://host/a.git@main` (requirements.txt:1) is a repository, which would have to be built
    hint: build a wheel of it (`pip wheel --no-deps`) and name that
    ");
    insta::assert_snapshot!(text("lib @ git+https://u:SECRET@host/a.git"), @r"
    error: `lib @ git+https://host/a.git` (requirements.txt:1) is a repository, which would have to be built
    hint: build a wheel of it (`pip wheel --no-deps`) and name that
    ");
    insta::assert_snapshot!(text("./src/lib"), @r"
    error: `./src/lib` (requirements.txt:1) is a directory, which would have to be built
    hint: build a wheel of it (`pip wheel --no-deps`) and name that
    ");
    insta::assert_snapshot!(text("./dist/lib-1-py3-none-any.whl"), @r"
    error: `./dist/lib-1-py3-none-any.whl` (requirements.txt:1) is not in the context
    hint: paths are from the context's root, and ignore rules hold
    ");
    insta::assert_snapshot!(text("lib @ file:///etc/lib-1-py3-none-any.whl"), @r"
    error: `lib @ file:///etc/lib-1-py3-none-any.whl` (requirements.txt:1) is not in the context
    hint: paths are from the context's root, and ignore rules hold
    ");
    insta::assert_snapshot!(text("lib @ ../lib-1-py3-none-any.whl"), @r"
    error: `lib @ ../lib-1-py3-none-any.whl` (requirements.txt:1) is not in the context
    hint: paths are from the context's root, and ignore rules hold
    ");
    insta::assert_snapshot!(text("https://u:SECRET@host/lib-1.tar.gz"), @r"
    error: `https://host/lib-1.tar.gz` (requirements.txt:1) is a source archive, which would have to be built
    hint: build a wheel of it (`pip wheel --no-deps`) and name that
    ");
    insta::assert_snapshot!(text("https://u:SECRET@host/lib.whl"), @"error: invalid requirement `https://host/lib.whl` (requirements.txt:1): `lib.whl` is not the name of a wheel");
}

#[test]
fn dependencies_that_are_urls() {
    let url = "file:///etc/lib-1-py3-none-any.whl";
    let index = Index::new(Format::Json, [wheel("app", "1").requires(&format!("lib @ {url}"))]);
    insta::assert_snapshot!(ask(&index).want("app").text(), @r"
    error: a dependency is a URL: `lib @ file:///etc/lib-1-py3-none-any.whl`
    hint: ask for it in the requirements: `lib @ file:///etc/lib-1-py3-none-any.whl`
    ");
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
    insta::assert_snapshot!(text(&[app.clone(), format!("lib==1 --hash={bad} --hash={good}")]), @r"
    * app 1 app-1-py3-none-any.whl
    * lib 1 lib-1-py3-none-any.whl
    ");
    insta::assert_snapshot!(text(&[app.clone(), "lib==1".into()]), @r"
    error: `lib==1` (requirements.txt:2) has no hash, and all must have one
    hint: `pip-compile --generate-hashes` or `uv pip compile --generate-hashes` lists all
    ");
    insta::assert_snapshot!(text(&[app.clone(), format!("lib --hash={good}")]), @"
    error: `lib` (requirements.txt:2) is not pinned with `==`, and all must be, for their hashes
    hint: a hash is of one file, so write which version that is
    ");
    insta::assert_snapshot!(text(&[app]), @r"
    error: `lib` is needed by another package and not listed with a hash
    hint: `pip-compile --generate-hashes` or `uv pip compile --generate-hashes` lists all
    ");
    insta::assert_snapshot!(text(&[format!("lib==1 --hash={bad}")]), @"
    error: `lib==1` (requirements.txt:1) has other hashes than lib-1-py3-none-any.whl, which has sha256:11d1ebee77ddb24eb0773fc4561c948a1fa3bc25e913355697b150b6b9924124
    hint: somebody replaced the file, or the hash is of another version or wheel: list the hashes anew
    ");
    insta::assert_snapshot!(text(&["lib==1 --hash=md5:00".into()]), @"error: `lib==1` (requirements.txt:1) has a hash that is none: `md5:00`");
    let strict = ask(&index).want("lib==1").change(|r| r.require_hashes = true);
    insta::assert_snapshot!(strict.text(), @r"
    error: `lib==1` (requirements.txt:1) has no hash, and all must have one
    hint: `pip-compile --generate-hashes` or `uv pip compile --generate-hashes` lists all
    ");
    let other = crate::wheel::Wheel { hash: Some("md5=00".into()), ..wheel("lib", "1") };
    let other = Index::new(Format::Html, [other]);
    let strong = format!("sha512:{}", "0".repeat(128));
    let resolution = ask(&other).want(&format!("lib==1 --hash={strong}")).try_resolve().unwrap();
    assert_eq!(resolution.packages[0].wheel.hashes, [strong]);
}
