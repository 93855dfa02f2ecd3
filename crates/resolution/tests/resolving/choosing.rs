//! What is chosen.

use oci::Platform;
use python::{Dependencies, IndexUrl, Libc, Prereleases, Upgrade};

use crate::ask::{ask, compiled};
use crate::index::{Fault, Format, Index};
use crate::wheel::{source, wheel};

fn small() -> Vec<crate::wheel::Wheel> {
    vec![
        wheel("app", "1.0").requires("lib>=1").requires("old; python_version < '3.9'"),
        wheel("lib", "1.0"),
        wheel("lib", "1.2"),
    ]
}

const SMALL: &str = "* app 1.0 app-1.0-py3-none-any.whl\n  lib 1.2 lib-1.2-py3-none-any.whl";

#[test]
fn both_formats_and_all_ways_to_metadata_give_the_same() {
    for format in [Format::Html, Format::Json] {
        for has_metadata_file in [true, false] {
            let mut wheels = small();
            wheels.iter_mut().for_each(|wheel| wheel.has_metadata_file = has_metadata_file);
            let index = Index::new(format, wheels.clone());
            assert_eq!(ask(&index).want("App").text(), SMALL);
            let read_files = index.log().iter().any(|line| line.contains(".whl bytes="));
            assert_eq!(read_files, !has_metadata_file, "{:?}", index.log());
            let without = Index::new(format, wheels).with(Fault::NoRanges);
            assert_eq!(ask(&without).want("app").text(), SMALL);
        }
    }
}

#[test]
fn what_is_preferred_stays_while_it_satisfies() {
    let index = Index::new(Format::Json, small());
    let asked = || ask(&index).want("app");
    assert_eq!(asked().text(), SMALL);
    let earlier = "* app 1.0 app-1.0-py3-none-any.whl\n  lib 1.0 lib-1.0-py3-none-any.whl";
    assert_eq!(asked().prefer("lib", "1.0").text(), earlier);
    assert_eq!(asked().prefer("lib", "1.0").prefer("app", "0.9").text(), earlier);
    let newer = asked().prefer("lib", "1.0").change(|request| {
        request.constraints.push(crate::ask::requirement("lib>1.0", 1));
    });
    assert_eq!(newer.text(), SMALL);
    let gone = asked().prefer("lib", "1.1").prefer("never", "1.0").prefer("lib", "no version");
    assert_eq!(gone.text(), SMALL);
}

#[test]
fn answers_can_be_kept() {
    let index = Index::new(Format::Json, small());
    let resolution = ask(&index).want("app").try_resolve().unwrap();
    let text = serde_json::to_string(&resolution).unwrap();
    assert_eq!(serde_json::from_str::<resolution::Resolution>(&text).unwrap(), resolution);
    let wheel = &resolution.packages[0].wheel;
    assert!(wheel.sha256.is_some() && wheel.size.is_some());
}

#[test]
fn the_cache_serves_when_nothing_else_does() {
    let index = Index::new(Format::Json, small());
    let mut asked = ask(&index).want("app");
    assert_eq!(asked.text(), SMALL);
    let requests = index.log().len();
    asked.network.offline = true;
    assert_eq!(asked.text(), SMALL);
    assert_eq!(index.log().len(), requests);
}

#[test]
fn credentials_go_along_and_redirects_are_followed() {
    let login = "user:SECRET";
    let index = Index::new(Format::Html, small()).with(Fault::Login(login));
    let url = format!("http://{login}@{}/simple/", index.host);
    let with_url = |request: &mut python::ResolutionRequest| {
        request.indexes.index_url = Some(IndexUrl::new(url.clone()));
    };
    let resolution = ask(&index).want("app").change(with_url).try_resolve().unwrap();
    assert!(!format!("{resolution:?}").contains("SECRET"));
    let mut by_netrc = ask(&index).want("app");
    let netrc = "machine 127.0.0.1 login user password SECRET\n";
    by_netrc.network.netrc = Some(resolution::Secret::new(netrc));
    assert_eq!(by_netrc.text(), SMALL);
    let front = Index::new(Format::Html, []).with(Fault::Elsewhere(index.host.clone()));
    let mut through = ask(&front).want("app");
    through.network.credentials = vec![IndexUrl::new(url)];
    assert_eq!(through.text(), SMALL);
}

#[test]
fn extras_and_markers() {
    let index = Index::new(
        Format::Json,
        [
            wheel("app", "1.0")
                .extra("more")
                .requires("lib; extra == 'more'")
                .requires("win; sys_platform == 'win32'")
                .requires("any; platform_release == '' and python_full_version == '3.11.7'"),
            wheel("lib", "1.0"),
            wheel("any", "1.0"),
        ],
    );
    insta::assert_snapshot!(ask(&index).want("app[more]").want("win; os_name == 'nt'").text(), @r"
      any 1.0 any-1.0-py3-none-any.whl
    * app 1.0 app-1.0-py3-none-any.whl
      lib 1.0 lib-1.0-py3-none-any.whl
    ");
    insta::assert_snapshot!(ask(&index).want("app[less]").text(), @r"
      any 1.0 any-1.0-py3-none-any.whl
    * app 1.0 app-1.0-py3-none-any.whl
    ! app 1.0 has no extra `less`
    ");
}

#[test]
fn constraints_and_overrides() {
    let index = Index::new(Format::Json, small());
    insta::assert_snapshot!(ask(&index).want("app").constrain("lib<1.1").constrain("none<1").text(), @r"
    * app 1.0 app-1.0-py3-none-any.whl
      lib 1.0 lib-1.0-py3-none-any.whl
    ");
    insta::assert_snapshot!(ask(&index).want("app").override_with("lib==1.0").text(), @r"
    * app 1.0 app-1.0-py3-none-any.whl
      lib 1.0 lib-1.0-py3-none-any.whl
    ");
    let ignoring = ask(&index).want("app").change(|r| r.dependencies = Dependencies::Ignore);
    insta::assert_snapshot!(ignoring.text(), @"* app 1.0 app-1.0-py3-none-any.whl");
}

#[test]
fn prereleases_and_yanked() {
    let yanked = |version| crate::wheel::Wheel {
        yanked: Some("it is broken".into()),
        ..wheel("lib", version)
    };
    let index = Index::new(
        Format::Html,
        [wheel("lib", "1.0"), wheel("lib", "2.0rc1"), yanked("3.0"), wheel("new", "1a1")],
    );
    let text = |want: &str| ask(&index).want(want).text();
    insta::assert_snapshot!(text("lib"), @"* lib 1.0 lib-1.0-py3-none-any.whl");
    insta::assert_snapshot!(text("lib>=2rc1,<3"), @"* lib 2.0rc1 lib-2.0rc1-py3-none-any.whl");
    insta::assert_snapshot!(text("new"), @"* new 1a1 new-1a1-py3-none-any.whl");
    insta::assert_snapshot!(text("lib==3.0"), @r"
    * lib 3.0 lib-3.0-py3-none-any.whl
    ! lib 3.0 was yanked: it is broken
    ");
    let with = |policy| ask(&index).want("lib").change(|r| r.prereleases = policy).text();
    insta::assert_snapshot!(with(Prereleases::Allow), @"* lib 2.0rc1 lib-2.0rc1-py3-none-any.whl");
}

#[test]
fn nothing_newer() {
    let at = |version, time: &str| crate::wheel::Wheel {
        uploaded: Some(time.into()),
        ..wheel("lib", version)
    };
    let index = Index::new(
        Format::Json,
        [at("1", "2024-01-01T00:00:00Z"), at("2", "2024-02-01T12:00:00Z"), wheel("lib", "3")],
    );
    let until = |time: &str| {
        let set = |r: &mut python::ResolutionRequest| r.exclude_newer = Some(time.into());
        ask(&index).want("lib").change(set).text()
    };
    assert_eq!(until("2024-01-31"), "* lib 1 lib-1-py3-none-any.whl");
    assert_eq!(until("2024-02-01"), "* lib 2 lib-2-py3-none-any.whl");
    assert_eq!(until("2024-02-01T11:59:59Z"), "* lib 1 lib-1-py3-none-any.whl");
    assert!(until("tomorrow").starts_with("error: `tomorrow` is not a time"));
}

#[test]
fn the_best_wheel_for_each_target() {
    let tags = [
        "py3-none-any",
        "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64",
        "cp311-cp311-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux_2_39_x86_64",
        "cp311-cp311-manylinux_2_28_aarch64",
        "cp311-cp311-musllinux_1_2_x86_64",
        "cp311-abi3-manylinux_2_17_x86_64",
        "cp313-cp313-manylinux_2_28_x86_64",
        "cp313-cp313t-manylinux_2_28_x86_64",
        "cp311-cp311-manylinux_2_17_i686",
    ];
    let index = Index::new(Format::Json, tags.map(|tags| compiled("lib", "1", tags)));
    let best = |change: fn(&mut python::Target)| {
        let text = ask(&index).want("lib").change(|r| change(&mut r.target)).text();
        text.trim_start_matches("* lib 1 lib-1-").trim_end_matches(".whl").to_owned()
    };
    let free = |target: &mut python::Target| {
        target.interpreter.version.minor = 13;
        target.interpreter.free_threaded = true;
    };
    let chosen = [
        best(|_| {}),
        best(|t| t.libc = Libc::Glibc { major: 2, minor: 17 }),
        best(|t| t.libc = Libc::Musl { major: 1, minor: 2 }),
        best(|t| t.libc = Libc::Musl { major: 1, minor: 1 }),
        best(|t| t.platform = Platform::linux("arm64")),
        best(|t| t.platform = Platform::linux("386")),
        best(|t| t.platform = Platform::linux("s390x")),
        best(|t| t.interpreter.version.minor = 12),
        best(free),
    ];
    insta::assert_snapshot!(chosen.join("\n"), @r"
    cp311-cp311-manylinux_2_28_x86_64
    cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64
    cp311-cp311-musllinux_1_2_x86_64
    py3-none-any
    cp311-cp311-manylinux_2_28_aarch64
    cp311-cp311-manylinux_2_17_i686
    py3-none-any
    cp311-abi3-manylinux_2_17_x86_64
    cp313-cp313t-manylinux_2_28_x86_64
    ");
}

#[test]
fn all_indexes_are_equal_and_links_count() {
    let first = Index::new(Format::Json, [wheel("lib", "1")]);
    let second = Index::new(Format::Html, [wheel("lib", "2")]);
    assert_eq!(ask(&first).also(&second).want("lib").text(), "* lib 2 lib-2-py3-none-any.whl");
    let third = Index::new(Format::Html, [wheel("lib", "3"), wheel("other", "1")]);
    let linked = |request: &mut python::ResolutionRequest| {
        request.indexes.find_links = vec![IndexUrl::new(third.links())];
    };
    let asked = || ask(&first).want("lib").change(linked);
    assert_eq!(asked().text(), "* lib 3 lib-3-py3-none-any.whl");
    let alone = asked().change(|r| r.indexes.no_index = true);
    assert_eq!(alone.text(), "* lib 3 lib-3-py3-none-any.whl");
    assert!(first.log().len() == 2, "{:?}", first.log());
    let given =
        ask(&first).want("lib").given("dist/lib-4-py3-none-any.whl", &wheel("lib", "4"), true);
    assert_eq!(given.text(), "* lib 4 lib-4-py3-none-any.whl (given)");
}

#[test]
fn files_by_their_place() {
    let index = Index::new(Format::Json, small());
    let own = wheel("own", "0.1").requires("lib").extra("x").requires("app; extra == 'x'");
    let asked = ask(&index)
        .want("./wheels/own-0.1-py3-none-any.whl[x] ; python_version > '3'")
        .given("wheels/own-0.1-py3-none-any.whl", &own, false);
    insta::assert_snapshot!(asked.text(), @r"
      app 1.0 app-1.0-py3-none-any.whl
      lib 1.2 lib-1.2-py3-none-any.whl
    * own 0.1 own-0.1-py3-none-any.whl (given)
    ");
    let own = &asked.try_resolve().unwrap().packages[2];
    let text = own.direct_url.clone().unwrap();
    assert!(text.contains(r#""url": "file:///wheels/own-0.1-py3-none-any.whl"}"#), "{text}");
    assert!(text.contains(&own.wheel.sha256.as_ref().unwrap().hex()), "{text}");
}

#[test]
fn urls_keep_nothing_secret() {
    let lib = wheel("lib", "1.2");
    let index = Index::new(Format::Json, small()).with(Fault::Login("u:SECRET"));
    let url = index.file_url(&lib).replace("http://", "http://u:SECRET@");
    for text in
        [format!("lib @ {url}"), url.clone(), format!("lib@{url}#sha256={}", "0".repeat(64))]
    {
        let resolution = ask(&index).want(&text).try_resolve().unwrap();
        assert_eq!(resolution.packages.len(), 1);
        assert!(!format!("{resolution:?}").contains("SECRET"));
        let direct = resolution.packages[0].direct_url.as_deref().unwrap();
        let hashed = text.contains('#');
        assert_eq!(resolution.packages[0].wheel.sha256.is_some(), hashed);
        assert_eq!(direct.contains(r#""hash": "sha256=0000"#), hashed, "{direct}");
        assert!(direct.ends_with(&format!(r#""url": "{}"}}"#, index.file_url(&lib))), "{direct}");
    }
}

#[test]
fn what_is_installed_stays_if_it_satisfies() {
    let index = Index::new(Format::Json, small());
    let with = |version: &str| ask(&index).installed(&wheel("lib", version)).want("app");
    insta::assert_snapshot!(with("1.1").text(), @r"
    * app 1.0 app-1.0-py3-none-any.whl
    = lib 1.1
    ");
    insta::assert_snapshot!(with("0.9").text(), @r"
    * app 1.0 app-1.0-py3-none-any.whl
      lib 1.2 lib-1.2-py3-none-any.whl
    ");
    let requested = |ask: crate::ask::Ask| ask.change(|r| r.upgrade = Upgrade::Requested).text();
    insta::assert_snapshot!(requested(with("1.1")), @r"
    * app 1.0 app-1.0-py3-none-any.whl
    = lib 1.1
    ");
    insta::assert_snapshot!(requested(with("1.1").want("lib")), @r"
    * app 1.0 app-1.0-py3-none-any.whl
    * lib 1.2 lib-1.2-py3-none-any.whl
    ");
    insta::assert_snapshot!(requested(with("1.2").want("lib")), @r"
    * app 1.0 app-1.0-py3-none-any.whl
    = lib 1.2
    ");
    let eager = with("1.1").change(|r| r.upgrade = Upgrade::Everything);
    insta::assert_snapshot!(eager.text(), @r"
    * app 1.0 app-1.0-py3-none-any.whl
      lib 1.2 lib-1.2-py3-none-any.whl
    ");
    // Its own dependencies count, and broken metadata does not hurt.
    let kept = ask(&index).installed(&wheel("app", "0.1").requires("lib<1.1")).want("app");
    insta::assert_snapshot!(kept.text(), @r"
      lib 1.0 lib-1.0-py3-none-any.whl
    = app 0.1
    ");
    let broken = kept.change(|r| r.installed[0].text = "nonsense".into());
    assert_eq!(broken.text(), "= app 0.1");
    let local = ask(&index).installed(&wheel("gone", "7")).want("gone>3");
    assert_eq!(local.text(), "= gone 7");
}

#[test]
fn binaries_and_sources_as_asked() {
    let index = Index::new(Format::Json, [source("lib", "2"), wheel("lib", "1")]);
    assert_eq!(ask(&index).want("lib").text(), "* lib 1 lib-1-py3-none-any.whl");
    let only = ask(&index).want("lib").change(|r| r.only_binary = vec![":all:".into()]);
    assert_eq!(only.text(), "* lib 1 lib-1-py3-none-any.whl");
    let none = ask(&index).want("lib").change(|r| r.no_binary = vec!["lib".into()]);
    insta::assert_snapshot!(none.text(), @r#"
    error: no wheel fits CPython 3.11 on x86_64 with glibc 2.36 for lib 2 (requirements.txt:1): only a source distribution
    hint: `build = "host"` builds with a Python of this machine
    "#);
}

#[test]
fn wheels_in_a_directory_that_do_not_fit() {
    let index = Index::new(Format::Json, [wheel("lib", "1.0"), wheel("app", "1.0")]);
    let other = |tags: &str| compiled("lib", "1.0", tags);
    let (windows, old) = (other("cp311-cp311-win_amd64"), other("cp39-cp39-linux_x86_64"));
    let asked = || {
        let asked = ask(&index).want("lib").want("app");
        let asked = asked.given(&format!("dist/{}", windows.filename()), &windows, true);
        asked.given(&format!("dist/{}", old.filename()), &old, true)
    };
    insta::assert_snapshot!(asked().text(), @"
    * app 1.0 app-1.0-py3-none-any.whl
    * lib 1.0 lib-1.0-py3-none-any.whl
    ! no wheel of lib in the given directories is for CPython 3.11 on x86_64 with glibc 2.36: dist/lib-1.0-cp311-cp311-win_amd64.whl, dist/lib-1.0-cp39-cp39-linux_x86_64.whl
    ");
    // One for another platform lies beside one that fits.
    let fits = wheel("lib", "0.9");
    let both = asked().given(&format!("dist/{}", fits.filename()), &fits, true);
    insta::assert_snapshot!(both.text(), @"
    * app 1.0 app-1.0-py3-none-any.whl
    * lib 1.0 lib-1.0-py3-none-any.whl
    ");
}
