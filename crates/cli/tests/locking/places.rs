//! Where locks are, and that they are no part of images.

use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use crate::setting::Setting;

/// A recipe that takes all of the context.
fn recipe(setting: &Setting, name: &str) {
    let registry = setting.scene.registry.name();
    setting.file(name, &format!("FROM {registry}/base:python\nCOPY . /srv\n"));
}

#[test]
fn each_recipe_has_its_own() {
    let setting = Setting::new();
    let names = ["Dockerfile", "web.Dockerfile", "docker/Dockerfile"];
    names.iter().for_each(|name| recipe(&setting, name));
    for name in names.iter().chain(&["plywood.toml"]) {
        let file = setting.path(name).display().to_string();
        setting.build(&["-f", &file]);
    }
    let locks = ["Dockerfile.lock", "web.Dockerfile.lock", "docker/plywood.lock", "plywood.lock"];
    for lock in locks {
        let text = fs::read_to_string(setting.path(lock)).unwrap();
        assert_eq!(text.contains("[[resolution]]"), lock == "plywood.lock", "{lock}");
    }
}

#[test]
fn a_lock_is_no_part_of_the_image() {
    let setting = Setting::new();
    fs::remove_file(setting.path("plywood.toml")).unwrap();
    recipe(&setting, "Dockerfile");
    recipe(&setting, "web.Dockerfile");
    let file = setting.path("web.Dockerfile").display().to_string();
    let web = ["-f", file.as_str()];
    let (first, other) = (setting.build(&[]), setting.build(&web));
    assert!(setting.path("plywood.lock").exists());
    assert_eq!(first, other);
    fs::remove_file(setting.path("web.Dockerfile.lock")).unwrap();
    assert_eq!(setting.build(&[]), first);
    assert_eq!(setting.build(&web), first);
}

#[test]
fn what_takes_nothing_from_outside_has_none() {
    let setting = Setting::new();
    fs::remove_file(setting.path("plywood.toml")).unwrap();
    setting.file("Dockerfile", "FROM scratch\nCOPY src /\n");
    setting.build(&[]);
    assert!(!setting.path("plywood.lock").exists());
    setting.answer(&["lock", "context"]);
    setting.build(&["--locked"]);
}

#[test]
fn where_nothing_can_be_written_a_build_goes_on() {
    let setting = Setting::new();
    let home = setting.scene.directory.path();
    let mode = |path: &std::path::Path, mode: u32| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(home, 0o777);
    mode(&setting.scene.path("context"), 0o555);
    let mut command = setting.command(&["build", "--platform=linux/amd64", "context"]);
    if rustix::process::geteuid().is_root() {
        // Nothing is closed to root.
        let binary = setting.scene.path("plywood");
        fs::copy(env!("CARGO_BIN_EXE_plywood"), &binary).unwrap();
        chown(home, Some(65534), Some(65534)).unwrap();
        let words: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
        command = std::process::Command::new(binary);
        command.args(words).env_clear().env("HOME", home).current_dir(home);
        command.env("PLYWOOD_STORE", setting.scene.path("other-store"));
        command.uid(65534).gid(65534);
    }
    let ended = setting.ended(&mut command);
    mode(&setting.scene.path("context"), 0o755);
    assert_eq!(ended.code, 0, "{}", ended.stderr);
    insta::assert_snapshot!(ended.stderr, @"warning: what was found is not pinned: failed to write `context/plywood.lock`: Permission denied (os error 13)");
    assert!(!setting.path("plywood.lock").exists());
}

/// The references and platforms of the bases in the lock, and whether they are those of `earlier`.
fn bases(setting: &Setting, earlier: &str) -> String {
    let lock = setting.lock();
    let tables = lock.split("\n\n").filter(|table| table.starts_with("[[base]]"));
    let each = tables.map(|table| {
        let platform = table.lines().find_map(|line| line.strip_prefix("platform = ")).unwrap();
        let age = if earlier.contains(table) { "earlier" } else { "new" };
        format!("{} {age}", platform.trim_matches('"'))
    });
    each.collect::<Vec<_>>().join(", ")
}

#[test]
fn platforms_have_pins_of_their_own() {
    let setting = Setting::new();
    setting.base_for("linux/amd64,linux/arm64", "both", "one");
    setting.dockerfile("");
    let registry = setting.scene.registry.name();
    setting.file("Dockerfile", &format!("FROM {registry}/base:both\nCOPY src /srv\n"));
    let (amd64, arm64) = ("--platform=linux/amd64", "--platform=linux/arm64");
    setting.build(&[amd64]);
    assert_eq!(bases(&setting, ""), "linux/amd64 new");
    let one = setting.lock();
    setting.base_for("linux/amd64,linux/arm64", "both", "two");
    let digest = setting.build(&[arm64]);
    assert_eq!(bases(&setting, &one), "linux/amd64 earlier, linux/arm64 new");
    let both = setting.lock();
    setting.build(&[amd64]);
    assert_eq!(setting.lock(), both);
    assert_eq!(setting.build_elsewhere("there", &["--locked", arm64]), digest);
    setting.base_for("linux/amd64,linux/arm64", "both", "three");
    setting.build(&["--platform=linux/amd64,linux/arm64", "--pull"]);
    assert_eq!(bases(&setting, &both), "linux/amd64 new, linux/arm64 new");
}

#[test]
fn two_builds_at_once_leave_a_whole_lock() {
    let setting = Setting::new();
    let children: Vec<_> = ["one", "two", "three"]
        .iter()
        .map(|name| {
            let words = ["build", "context", &setting.elsewhere(name)];
            setting.command(&words).stdout(Stdio::null()).spawn().unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    setting.build(&["--locked"]);
}

#[test]
fn another_stage_drops_nothing() {
    let setting = Setting::new();
    fs::remove_file(setting.path("plywood.toml")).unwrap();
    let (registry, web) = (setting.scene.registry.name(), &setting.web.host);
    let data = format!("FROM scratch AS data\nADD http://{web}/data.txt /\n");
    let last = format!("FROM {registry}/base:python\nADD http://{web}/more.txt /\n");
    setting.web.put("/more.txt", "more\n");
    setting.file("Dockerfile", &format!("{data}{last}"));
    setting.build(&[]);
    let last = setting.lock();
    assert!(last.contains("more.txt") && !last.contains("data.txt"), "{last}");
    setting.build(&["--target=data"]);
    let both = setting.lock();
    assert!(both.contains("more.txt") && both.contains("data.txt"), "{both}");
    assert!(both.contains("[[base]]"), "{both}");
}
