//! `plywood outdated`: what has moved.

use crate::setting::Setting;

#[test]
fn nothing_has_moved() {
    let setting = Setting::new();
    insta::assert_snapshot!(setting.refused(&["outdated", "context"]), @"
    exit 12
    error: failed to keep to `context/plywood.lock`: there is none
    hint: `plywood lock`, or a build without `--locked`, adds what is missing; commit the file then (where CI is set, `--no-locked` builds without)
    ");
    setting.build(&[]);
    let lock = setting.lock();
    assert_eq!(setting.answer(&["outdated", "context"]), "");
    setting.move_all();
    let shown = |words: &[&str]| {
        let ended = setting.ended(&mut setting.command(words));
        format!("exit {}\n{}{}", ended.code, ended.stdout, ended.stderr)
    };
    insta::assert_snapshot!(shown(&["outdated", "context"]), @"
    exit 12
    KIND   NAME                         PLATFORM     LOCKED               NOW
    base   127.0.0.1:00000/base:python  linux/amd64  sha256:71297c7cb30f  sha256:48a91112d005
    wheel  app                          linux/amd64  1.0                  1.1
    wheel  dep                          linux/amd64  1.0                  1.1
    wheel  lib                          linux/amd64  1.0                  1.1
    error: 4 pins have moved since `context/plywood.lock` was written
    hint: `plywood lock --upgrade` takes what is new
    ");
    insta::assert_snapshot!(shown(&["outdated", "--json", "context"]), @r#"
    exit 12
    {
      "outdated": [
        {
          "kind": "base",
          "name": "127.0.0.1:00000/base:python",
          "platform": "linux/amd64",
          "locked": "sha256:71297c7cb30fc84d02bf3b3424f0745d956310083a2faea4b472f2b10a521492",
          "now": "sha256:48a91112d00584d9135401aec79f2954fececc209605609a0d154653be4743e9"
        },
        {
          "kind": "wheel",
          "name": "app",
          "platform": "linux/amd64",
          "locked": "1.0",
          "now": "1.1"
        },
        {
          "kind": "wheel",
          "name": "dep",
          "platform": "linux/amd64",
          "locked": "1.0",
          "now": "1.1"
        },
        {
          "kind": "wheel",
          "name": "lib",
          "platform": "linux/amd64",
          "locked": "1.0",
          "now": "1.1"
        }
      ]
    }
    error: 4 pins have moved since `context/plywood.lock` was written
    hint: `plywood lock --upgrade` takes what is new
    "#);
    assert_eq!(setting.lock(), lock);
    setting.dockerfile("ADD http://WEB/data.txt /");
    setting.build(&[]);
    setting.web.put("/data.txt", "third\n");
    insta::assert_snapshot!(shown(&["outdated", "context"]), @"
    exit 12
    KIND      NAME                             PLATFORM     LOCKED               NOW
    base      127.0.0.1:00000/base:python      linux/amd64  sha256:71297c7cb30f  sha256:48a91112d005
    download  http://127.0.0.1:11111/data.txt               sha256:480c2336b410  sha256:5eef8098ed6e
    error: 2 pins have moved since `context/plywood.lock` was written
    hint: `plywood lock --upgrade` takes what is new
    ");
}
