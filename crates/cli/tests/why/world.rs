//! A project that is built, changed and built again.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use serde_json::Value;

use crate::scene::Scene;

/// A project in a scene of its own: a Dockerfile and some files, on a base with a shell.
pub(crate) struct World {
    pub(crate) scene: Scene,
}

/// What is executable in the base for whoever looks; nothing of it is ever executed.
pub(crate) const PROGRAMS: [&str; 4] = ["cat", "cp", "dash", "sed"];

/// The project's Dockerfile, a line for everything that a pair may move.
pub(crate) const DOCKERFILE: &str = "\
FROM REGISTRY/base:1
ARG VERSION=1
ARG UNUSED=1
WORKDIR /srv
COPY requirements.txt ./
COPY app /srv/app
RUN sed 's/x/y/' /srv/app/main.py > /srv/copy.py
COPY --chmod=755 tools /srv/tools
ENV RELEASE=$VERSION
LABEL kind=web
ENTRYPOINT [\"python\", \"-m\", \"app\"]
";

impl World {
    /// The project as it is before anything moves.
    pub(crate) fn new() -> Self {
        let world = World { scene: Scene::new() };
        world.base("1", "one");
        world.file("Dockerfile", DOCKERFILE);
        world.file("requirements.txt", "six\n");
        world.file("app/main.py", "x = 1\n");
        world.file("app/views.py", "views\n");
        world.file("tools/run", "run\n");
        world.file("tools/stop", "stop\n");
        world
    }

    /// Publishes a base under this tag.
    pub(crate) fn base(&self, tag: &str, text: &str) {
        let directory = self.scene.path("base");
        let _ = fs::remove_dir_all(&directory);
        let write = |path: &str, text: &str| {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        for name in PROGRAMS {
            write(&format!("files/usr/bin/{name}"), "nothing runs\n");
        }
        write("files/etc/passwd", "root:x:0:0:root:/root:/bin/sh\napp:x:7:7::/:/bin/sh\n");
        write("files/etc/group", "root:x:0:\napp:x:7:\n");
        write("files/etc/release", text);
        symlink("usr/bin", directory.join("files/bin")).unwrap();
        symlink("dash", directory.join("files/usr/bin/sh")).unwrap();
        write("Dockerfile", "FROM scratch\nCOPY --chmod=755 files /\n");
        let name = format!("REGISTRY/base:{tag}");
        self.scene.answer(&["build", "--push", "-t", &name, "base"]);
        self.forget_pins();
    }

    /// What is outside may move on.
    pub(crate) fn forget_pins(&self) {
        let _ = fs::remove_file(self.path("plywood.lock"));
    }

    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.scene.path("context").join(path)
    }

    /// Writes a file of the context; `REGISTRY` in it is the scene's registry.
    pub(crate) fn file(&self, path: &str, text: &str) {
        let full = self.path(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, text.replace("REGISTRY", &self.scene.registry.name())).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        fs::remove_file(self.path(path)).unwrap();
    }

    pub(crate) fn rename(&self, old: &str, new: &str) {
        fs::rename(self.path(old), self.path(new)).unwrap();
    }

    pub(crate) fn mode(&self, path: &str, mode: u32) {
        fs::set_permissions(self.path(path), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Changes the Dockerfile.
    pub(crate) fn edit(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.path("Dockerfile")).unwrap();
        assert!(text.contains(old), "{old} is not in {text}");
        self.file("Dockerfile", &text.replace(old, new));
    }

    /// Builds, and returns the digest.
    #[track_caller]
    pub(crate) fn build(&self, more: &[&str]) -> String {
        let words = [&["build", "-t", "REGISTRY/app:1"], more, &["context"]].concat();
        let ended = self.scene.run(&words);
        assert_eq!(ended.code, 0, "{}", ended.stderr);
        ended.stdout.trim().to_owned()
    }

    /// What is said of two images, as JSON.
    #[track_caller]
    pub(crate) fn why(&self, words: &[&str]) -> Value {
        serde_json::from_str(&self.scene.answer(&[&["why", "--json"], words].concat())).unwrap()
    }
}

/// Builds a project, changes it, and builds it again, with these flags before and after: what is said.
#[track_caller]
pub(crate) fn said(
    world: &World,
    before: &[&str],
    change: impl FnOnce(&World),
    after: &[&str],
) -> Vec<String> {
    let old = world.build(before);
    change(world);
    let new = world.build(after);
    told(&world.why(&[&old, &new]))
}

/// As [`said`], of a new world.
#[track_caller]
pub(crate) fn check(
    before: &[&str],
    change: impl FnOnce(&World),
    after: &[&str],
    expected: &[&str],
) {
    assert_eq!(said(&World::new(), before, change, after), expected);
}

/// A text with `DIGEST` where a digest, or the beginning of one, was: they hold the registry's port.
pub(crate) fn without_digests(text: &str) -> String {
    let is_digest = |word: &str| {
        matches!(word.len(), 12 | 64) && word.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    let mut plain = String::new();
    for word in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
        let end = word.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(word.len());
        let (word, rest) = word.split_at(end);
        plain.push_str(if is_digest(word) { "DIGEST" } else { word });
        plain.push_str(rest);
    }
    plain
}

/// An answer in lines: each cause, what it changed, and what has no reason.
pub(crate) fn told(answer: &Value) -> Vec<String> {
    if answer["equal"] == true {
        return vec!["equal".to_owned()];
    }
    let mut lines = Vec::new();
    for platform in answer["platforms"].as_array().unwrap() {
        for cause in list(&platform["causes"]) {
            let effects = list(&cause["effects"]).iter().map(|effect| {
                let sure = effect["certainty"] == "certain";
                format!("{}{}", shown(effect, platform), if sure { "" } else { "?" })
            });
            let effects: Vec<String> = effects.collect();
            lines.push(format!(
                "{} {} {} {}: {}",
                text(&cause["certainty"]),
                text(&cause["kind"]),
                text(&cause["change"]),
                text(&cause["name"]),
                effects.join(", ")
            ));
        }
        for output in list(&platform["unexplained"]) {
            lines.push(format!("unexplained: {}", shown(output, platform)));
        }
    }
    for (key, verb) in [("addedPlatforms", "new"), ("removedPlatforms", "gone")] {
        for platform in list(&answer[key]) {
            lines.push(format!("platform {} is {verb}", text(platform)));
        }
    }
    for key in list(&answer["index"]) {
        lines.push(format!("index {} {}", text(&key["key"]), text(&key["item"])));
    }
    lines
}

/// The inputs that moved and changed nothing.
pub(crate) fn without_effect(answer: &Value) -> Vec<String> {
    let platforms = list(&answer["platforms"]).iter();
    let inputs = platforms.flat_map(|platform| list(&platform["withoutEffect"]));
    inputs.map(|one| format!("{} {}", text(&one["kind"]), text(&one["name"]))).collect()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// A layer by the first words of its instruction, a key by its name.
fn shown(output: &Value, platform: &Value) -> String {
    let at = |kind: &str| output[kind].as_u64().map(|at| at as usize);
    if let Some(at) = at("layer") {
        let layer = &platform["layers"][at];
        let title = text(&layer["title"]);
        let title: String = title.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
        return format!("[{title}] {}", text(&layer["fate"]));
    }
    let (kind, at) = match (at("config"), at("manifest")) {
        (Some(at), _) => ("config", at),
        (_, Some(at)) => ("manifest", at),
        _ => return output.to_string(),
    };
    let key = &platform[kind][at];
    let item = text(&key["item"]).rsplit('.').next().unwrap_or_default();
    format!("{} {item}", text(&key["key"])).trim_end().to_owned()
}
