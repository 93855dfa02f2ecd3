//! `plywood lock`: pins without building, and pins anew.

use crate::setting::Setting;

#[test]
fn a_lock_without_a_build_is_enough_for_one() {
    let setting = Setting::new();
    assert_eq!(setting.answer(&["lock", "context"]), "");
    let lock = setting.lock();
    assert!(!lock.contains("[[layer]]"));
    let digest = setting.build(&["--locked"]);
    assert_eq!(setting.lock(), lock, "what is kept to is not written");
    assert_eq!(setting.build(&[]), digest);
    let built = setting.lock();
    assert!(built.contains("[[layer]]"));
    setting.answer(&["lock", "context"]);
    assert_eq!(setting.lock(), built, "layers stay while they are the same");
    setting.move_all();
    setting.answer(&["lock", "context"]);
    assert_eq!(setting.lock(), built, "nothing moves that nobody wants to move");
}

#[test]
fn one_package_moves() {
    let setting = Setting::new();
    setting.build(&[]);
    let earlier = setting.lock();
    setting.move_all();
    setting.answer(&["lock", "--upgrade-package", "Lib", "context"]);
    insta::assert_snapshot!(setting.versions(), @"app-1.0-py3-none-any.whl dep-1.0-py3-none-any.whl lib-1.1-py3-none-any.whl");
    setting.build(&[]);
    insta::assert_snapshot!(setting.difference(&earlier), @r#"
    -file = "lib-1.0-py3-none-any.whl"
    -url = "http://127.0.0.1:11111/files/lib-1.0-py3-none-any.whl"
    -digest = "sha256:f5909cd2bf48e8f3ab0511421f80568faf096895a0bf4b72ab0783b95001c32a"
    -title = "PYTHON app==1.0 dep==1.0 lib==1.0"
    -key = "sha256:e1e859a913ca6c932ee8884668fabbd1fde6445354c805b181d5bf5f8040f7b0"
    -digest = "sha256:d1aee20992de654e9a5b35620d87723a4c579afde243d906541379c5a0c59ea2"
    -size = 1139
    -diff-id = "sha256:9c632bb5f799b438d8788a01641442d562496f0eda096e03d29b58b6bd9c6456"
    +version = "1.1"
    +file = "lib-1.1-py3-none-any.whl"
    +url = "http://127.0.0.1:11111/files/lib-1.1-py3-none-any.whl"
    +digest = "sha256:9ca4791444517e19e650fca4bb9945d7d052069076c91614b062d95c14a9c086"
    +title = "PYTHON app==1.0 dep==1.0 lib==1.1"
    +key = "sha256:06ba9fdbea3ba077543464dc501427a83488adafbf72c72b713c25d86308b6c7"
    +digest = "sha256:1c2acf3c03ba3a7e54ccf091250e0afcaf0cdc3c1583ff3c8f9e85fe4237532d"
    +size = 1149
    +diff-id = "sha256:319647a2a8c7af3bc9f893f9fd09989f47d52d5a3e87cf21915c439c0706483e"
    "#);
    insta::assert_snapshot!(setting.refused(&["lock", "--upgrade-package=libs", "context"]), @"
    exit 2
    error: failed to upgrade `libs`: `context/plywood.lock` does not pin it
    hint: did you mean `lib`?
    ");
}

#[test]
fn the_base_moves() {
    let setting = Setting::new();
    setting.build(&[]);
    let earlier = setting.lock();
    setting.move_all();
    setting.answer(&["lock", "--upgrade-base", "context"]);
    insta::assert_snapshot!(setting.difference(&earlier), @r#"
    -digest = "sha256:71297c7cb30fc84d02bf3b3424f0745d956310083a2faea4b472f2b10a521492"
    -manifest = "sha256:71297c7cb30fc84d02bf3b3424f0745d956310083a2faea4b472f2b10a521492"
    +digest = "sha256:48a91112d00584d9135401aec79f2954fececc209605609a0d154653be4743e9"
    +manifest = "sha256:48a91112d00584d9135401aec79f2954fececc209605609a0d154653be4743e9"
    "#);
}

#[test]
fn everything_moves() {
    let setting = Setting::new();
    let digest = setting.build(&[]);
    setting.move_all();
    setting.answer(&["lock", "--upgrade", "context"]);
    insta::assert_snapshot!(setting.versions(), @"app-1.1-py3-none-any.whl dep-1.1-py3-none-any.whl lib-1.1-py3-none-any.whl");
    assert_ne!(setting.build(&["--locked"]), digest);
}

#[test]
fn pull_and_no_cache_mean_what_they_say() {
    let setting = Setting::new();
    setting.build(&[]);
    let earlier = setting.lock();
    setting.move_all();
    setting.build(&["--pull"]);
    insta::assert_snapshot!(setting.difference(&earlier), @r#"
    -digest = "sha256:71297c7cb30fc84d02bf3b3424f0745d956310083a2faea4b472f2b10a521492"
    -manifest = "sha256:71297c7cb30fc84d02bf3b3424f0745d956310083a2faea4b472f2b10a521492"
    +digest = "sha256:48a91112d00584d9135401aec79f2954fececc209605609a0d154653be4743e9"
    +manifest = "sha256:48a91112d00584d9135401aec79f2954fececc209605609a0d154653be4743e9"
    "#);
    setting.build(&["--no-cache"]);
    insta::assert_snapshot!(setting.versions(), @"app-1.1-py3-none-any.whl dep-1.1-py3-none-any.whl lib-1.1-py3-none-any.whl");
}
