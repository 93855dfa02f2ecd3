//! `--offline`: what would be fetched is named, and is not.

use crate::setting::Setting;

#[test]
fn what_would_be_fetched_is_named() {
    let setting = Setting::new();
    let offline = ["build", "--offline", "context"];
    insta::assert_snapshot!(setting.refused(&offline), @r#"
    exit 7
    error: failed to read the image `127.0.0.1:00000/base:python`: fetch it from its registry: the store does not have it, and `--offline` asks nobody else
     --> context/plywood.toml:1:8
      |
    1 | base = "127.0.0.1:00000/base:python"
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: run it once without `--offline`, so that the store has it
    "#);
    setting.build(&[]);
    setting.forget();
    setting.toml(|toml| toml.replace("\"lib\"]", "\"lib\", \"more\"]"));
    insta::assert_snapshot!(setting.refused(&offline), @"
    exit 7
    error: failed to resolve the Python packages: http://127.0.0.1:11111/simple/app/ is not in the cache, and this is offline
     --> context/plywood.toml:4:1
      |
    4 | [python]
      | ^^^^^^^^
    ");
    setting.toml(|toml| toml.to_owned());
    let elsewhere = setting.elsewhere("there");
    insta::assert_snapshot!(setting.refused(&["build", "--offline", "context", &elsewhere]), @r#"
    exit 7
    error: failed to read the image `127.0.0.1:00000/base:python@sha256:71297c7cb30fc84d02bf3b3424f0745d956310083a2faea4b472f2b10a521492`: fetch it from its registry: the store does not have it, and `--offline` asks nobody else
     --> context/plywood.toml:1:8
      |
    1 | base = "127.0.0.1:00000/base:python"
      |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: run it once without `--offline`, so that the store has it
    "#);
    setting.dockerfile("ADD http://WEB/data.txt /");
    insta::assert_snapshot!(setting.refused(&offline), @"
    exit 7
    error: failed to fetch http://127.0.0.1:11111/data.txt: the store does not have it, and `--offline` asks nobody else
     --> context/Dockerfile:2:5
      |
    2 | ADD http://127.0.0.1:11111/data.txt /
      |     ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = hint: run it once without `--offline`, so that the store has it
    ");
    assert_eq!(setting.asked(), [].into());
}

#[test]
fn what_the_store_has_is_enough() {
    let setting = Setting::new();
    let digest = setting.build(&[]);
    std::fs::remove_file(setting.path("plywood.lock")).unwrap();
    setting.forget();
    assert_eq!(setting.build(&["--offline"]), digest, "the store remembers without a lock, too");
    assert_eq!(setting.build(&["--offline", "-o", "type=oci,dest=image.tar"]), digest);
    assert_eq!(setting.asked(), [].into());
}
