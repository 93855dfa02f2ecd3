//! In CI, a lock is kept to.

use crate::setting::{Setting, later_wheels};

#[test]
fn ci_keeps_to_the_lock_where_there_is_one() {
    let setting = Setting::new();
    let digest = setting.build(&[]);
    setting.move_all();
    let in_ci = |words: &[&str]| {
        let mut command = setting.command(words);
        setting.ended(command.env("CI", "true"))
    };
    assert_eq!(in_ci(&["build", "context"]).stdout.trim_end(), digest);
    setting.toml(|toml| toml.replace("\"lib\"]", "\"lib\", \"more\"]"));
    let ended = in_ci(&["build", "context"]);
    assert_eq!(ended.code, 12, "{}", ended.stderr);
    let lock = setting.lock();
    let ended = in_ci(&["build", "--no-locked", "context"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert_ne!(setting.lock(), lock);
}

#[test]
fn ci_without_a_lock_is_warned() {
    let setting = Setting::new();
    setting.web.offer(&later_wheels());
    let mut command = setting.command(&["build", "context"]);
    let ended = setting.ended(command.env("CI", "true"));
    assert_eq!(ended.code, 0);
    insta::assert_snapshot!(ended.stderr, @"warning: nothing was pinned here: commit `context/plywood.lock`, so that CI builds what was tried");
}
