//! What is pinned stays.

use std::fs;

use crate::setting::{Setting, later_wheels};

#[test]
fn the_first_build_pins_what_it_took() {
    let setting = Setting::new();
    setting.build(&[]);
    insta::assert_snapshot!(setting.shown_lock(), @r#"
    # What this image was made of when somebody last looked. Written by plywood: commit it, do not edit
    # it. `plywood outdated` says what has moved since, `plywood lock --upgrade` takes it.
    version = 1
    epoch = 2
    compression = "gzip:4"

    [[base]]
    reference = "127.0.0.1:00000/base:python"
    platform = "linux/amd64"
    digest = "sha256:71297c7cb30fc84d02bf3b3424f0745d956310083a2faea4b472f2b10a521492"
    manifest = "sha256:71297c7cb30fc84d02bf3b3424f0745d956310083a2faea4b472f2b10a521492"

    [[resolution]]
    platform = "linux/amd64"
    request = "…"

    [[resolution.wheel]]
    name = "app"
    version = "1.0"
    file = "app-1.0-py3-none-any.whl"
    url = "http://127.0.0.1:11111/files/app-1.0-py3-none-any.whl"
    digest = "sha256:4e5d53c8a460efb5899031b0f60bee8debfa348439d10e53e0f6655dde074dfc"
    requested = true

    [[resolution.wheel]]
    name = "dep"
    version = "1.0"
    file = "dep-1.0-py3-none-any.whl"
    url = "http://127.0.0.1:11111/files/dep-1.0-py3-none-any.whl"
    digest = "sha256:b9243f8a7efa22f4e6f2b48b7785a28d99336a5079a87b0895da1cfec9391f34"

    [[resolution.wheel]]
    name = "lib"
    version = "1.0"
    file = "lib-1.0-py3-none-any.whl"
    url = "http://127.0.0.1:11111/files/lib-1.0-py3-none-any.whl"
    digest = "sha256:f5909cd2bf48e8f3ab0511421f80568faf096895a0bf4b72ab0783b95001c32a"
    requested = true

    [[layer]]
    platform = "linux/amd64"
    title = "PYTHON app==1.0 dep==1.0 lib==1.0"
    key = "sha256:e1e859a913ca6c932ee8884668fabbd1fde6445354c805b181d5bf5f8040f7b0"
    media-type = "application/vnd.oci.image.layer.v1.tar+gzip"
    digest = "sha256:d1aee20992de654e9a5b35620d87723a4c579afde243d906541379c5a0c59ea2"
    size = 1139
    diff-id = "sha256:9c632bb5f799b438d8788a01641442d562496f0eda096e03d29b58b6bd9c6456"
    "#);
}

#[test]
fn a_second_build_asks_nobody() {
    let setting = Setting::new();
    let digest = setting.build(&[]);
    let lock = setting.lock();
    setting.move_all();
    assert_eq!(setting.build(&[]), digest);
    assert_eq!(setting.asked(), [].into());
    assert_eq!(setting.build(&["--locked"]), digest);
    assert_eq!(setting.build(&["--offline"]), digest);
    assert_eq!(setting.asked(), [].into());
    assert_eq!(setting.lock(), lock);
}

#[test]
fn another_machine_builds_the_same_when_all_has_moved() {
    let setting = Setting::new();
    let digest = setting.build(&[]);
    setting.base("two");
    setting.web.offer(&later_wheels());
    setting.forget();
    assert_eq!(setting.build_elsewhere("there", &["--locked"]), digest);
    // The tag is not asked for, and no page of the index is.
    let asked = setting.asked();
    let is_question = |line: &&String| line.contains(":python") || line.contains("/simple/");
    assert_eq!(asked.iter().find(is_question), None, "{asked:?}");
    assert!(asked.contains("WEB /files/lib-1.0-py3-none-any.whl"), "{asked:?}");
    fs::remove_file(setting.path("plywood.lock")).unwrap();
    assert_ne!(setting.build_elsewhere("without", &[]), digest);
}

#[test]
fn a_changed_question_moves_what_it_must() {
    let setting = Setting::new();
    setting.build(&[]);
    let earlier = setting.lock();
    setting.move_all();
    setting.toml(|toml| toml.replace("\"lib\"]", "\"lib\", \"more\"]"));
    setting.build(&[]);
    insta::assert_snapshot!(setting.difference(&earlier), @r#"
    -title = "PYTHON app==1.0 dep==1.0 lib==1.0"
    -key = "sha256:e1e859a913ca6c932ee8884668fabbd1fde6445354c805b181d5bf5f8040f7b0"
    -digest = "sha256:d1aee20992de654e9a5b35620d87723a4c579afde243d906541379c5a0c59ea2"
    -size = 1139
    -diff-id = "sha256:9c632bb5f799b438d8788a01641442d562496f0eda096e03d29b58b6bd9c6456"
    +name = "more"
    +file = "more-1.0-py3-none-any.whl"
    +url = "http://127.0.0.1:11111/files/more-1.0-py3-none-any.whl"
    +digest = "sha256:42a6b45a1347cf56d6c7a1a082270340f1a93028e8c94cc750aea31c97ccda21"
    +title = "PYTHON app==1.0 dep==1.0 lib==1.0 and 1 more"
    +key = "sha256:dc6906f66b90f6a9f9605c42a2139ff24c64a5c39b535c6211e7d54d2f41a05a"
    +digest = "sha256:e53e597918ad68a20459a19dadca5c31f2b12df1ec32512d26a782b9f7e5f97e"
    +size = 1423
    +diff-id = "sha256:1d012a111dc074ccbb7b91dbf8a55705ef1962485fd4bd7f2ad527226db76cd3"
    "#);
    let digest = setting.build_elsewhere("there", &[]);
    assert_eq!(setting.build(&[]), digest);
    setting.toml(|toml| toml.replace("\"lib\"]", "\"lib\", \"needy\"]"));
    setting.build(&[]);
    insta::assert_snapshot!(setting.versions(), @"app-1.0-py3-none-any.whl dep-1.0-py3-none-any.whl lib-1.1-py3-none-any.whl needy-1.0-py3-none-any.whl");
}

#[test]
fn a_lost_lock_is_written_again_by_what_is_on_record() {
    let setting = Setting::new();
    let digest = setting.build(&[]);
    let lock = setting.lock();
    fs::remove_file(setting.path("plywood.lock")).unwrap();
    assert_eq!(setting.build(&[]), digest);
    assert_eq!(setting.lock(), lock);
    setting.dockerfile("ADD http://WEB/data.txt /");
    setting.build(&[]);
    let lock = setting.lock();
    fs::remove_file(setting.path("plywood.lock")).unwrap();
    setting.build(&[]);
    assert_eq!(setting.lock(), lock);
}

#[test]
fn source_files_leave_the_lock_alone() {
    let setting = Setting::new();
    let digest = setting.build(&[]);
    let lock = setting.lock();
    setting.file("src/main.py", "print('changed')\n");
    assert_ne!(setting.build(&["--locked"]), digest);
    setting.build(&[]);
    assert_eq!(setting.lock(), lock);
}

#[test]
fn how_lines_end_makes_no_difference() {
    let setting = Setting::new();
    let digest = setting.build(&[]);
    let lock = setting.lock();
    let windows = lock.replace('\n', "\r\n");
    setting.file("plywood.lock", &windows);
    assert_eq!(setting.build(&["--locked"]), digest);
    assert_eq!(setting.build(&[]), digest);
    assert_eq!(setting.lock(), windows, "nothing else has changed");
    setting.toml(|toml| toml.replace("\"app\", \"lib\"", "\"app\""));
    setting.build(&[]);
    assert!(!setting.lock().contains('\r'));
}

#[test]
fn what_a_build_asks_for_no_more_is_dropped() {
    let setting = Setting::new();
    setting.build(&[]);
    let all = "app-1.0-py3-none-any.whl dep-1.0-py3-none-any.whl lib-1.0-py3-none-any.whl";
    assert_eq!(setting.versions(), all);
    setting.toml(|toml| toml.replace("\"app\", \"lib\"", "\"lib\""));
    setting.build(&[]);
    assert_eq!(setting.versions(), "lib-1.0-py3-none-any.whl");
    setting.dockerfile("ADD http://WEB/data.txt /");
    setting.build(&[]);
    assert_eq!(setting.versions(), "");
    assert!(setting.lock().contains("data.txt"));
    setting.dockerfile("");
    setting.build(&[]);
    assert!(!setting.lock().contains("data.txt"));
}

#[test]
fn a_withdrawn_wheel_is_named() {
    let setting = Setting::new();
    setting.build(&[]);
    setting.web.remove("/files/dep-1.0-py3-none-any.whl");
    let elsewhere = setting.elsewhere("there");
    insta::assert_snapshot!(setting.refused(&["build", "context", &elsewhere]), @"
    exit 7
    error: failed to fetch the Python packages: http://127.0.0.1:11111/files/dep-1.0-py3-none-any.whl answers with an error (404)
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
      |
      = hint: the host does not have it any more: another index may, or, where plywood.lock pins it, `plywood lock --upgrade-package NAME` takes another version
    ");
}

#[test]
fn a_url_that_has_moved_is_told() {
    let setting = Setting::new();
    setting.dockerfile("ADD http://WEB/data.txt /");
    let digest = setting.build(&[]);
    setting.web.put("/data.txt", "second\n");
    assert_eq!(setting.build(&[]), digest, "the store has it");
    let elsewhere = setting.elsewhere("there");
    insta::assert_snapshot!(setting.refused(&["build", "context", "--locked", &elsewhere]), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: http://127.0.0.1:11111/data.txt is sha256:480c2336b410f1ad5f8bf1b28944490255804b65350c527787e74ebdd511e3a4 by now, and pinned is sha256:b640e840b19d378660b32fb51ae18d67dccb4a8596a29e7bd72c1b2ae5928f41
     --> context/Dockerfile:2:5
      |
    2 | ADD http://127.0.0.1:11111/data.txt /
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: have a source that keeps what it had, such as a mirror or a snapshot; or take what is there now: `plywood lock --upgrade`, for bases only `--upgrade-base`
    ");
    let words = ["build", "context", &elsewhere];
    let ended = setting.ended(&mut setting.command_telling(&words));
    let note = "http://127.0.0.1:11111/data.txt has moved on since `context/plywood.lock` was \
                written: what is there now is taken and pinned";
    assert!(ended.stderr.contains(note), "{}", ended.stderr);
    assert_ne!(ended.stdout.trim_end(), digest);
    setting.build(&["--locked"]);
}
