//! Recipes with a base, wheels and a URL, all of which can move.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use crate::scene::{Ended, Scene};
use crate::web::Web;
use crate::wheel::{Wheel, wheel};

/// Where a test happens.
pub(crate) struct Setting {
    pub(crate) scene: Scene,
    pub(crate) web: Web,
}

/// A recipe with wheels; `REGISTRY` and `WEB` are the hosts.
const TOML: &str = "\
base = \"REGISTRY/base:python\"
platforms = [\"linux/amd64\"]

[python]
index-url = \"http://WEB/simple/\"
requirements = [\"app\", \"lib\"]

[[files]]
from = \"src\"
to = \"/srv\"
";

/// As long as the real names, so that carets stay below what they point at.
const REGISTRY: &str = "127.0.0.1:00000";
const WEB: &str = "127.0.0.1:11111";

impl Setting {
    pub(crate) fn new() -> Self {
        let setting = Setting { scene: Scene::new(), web: Web::start() };
        setting.base("one");
        setting.web.offer(&first_wheels());
        setting.web.put("/data.txt", "first\n");
        setting.toml(|toml| toml.to_owned());
        setting.file("src/main.py", "print('hello')\n");
        setting.forget();
        setting
    }

    /// The base's tag means an image with this file from now on.
    pub(crate) fn base(&self, mark: &str) {
        self.base_with(mark, &[]);
    }

    /// The same with these programs.
    pub(crate) fn base_with(&self, mark: &str, programs: &[&str]) {
        let directory = self.scene.path(&format!("base-{mark}/root/bin"));
        for program in programs {
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join(program), "nothing runs\n").unwrap();
        }
        if programs.contains(&"dash") {
            symlink("dash", directory.join("sh")).unwrap();
        }
        self.base_for("linux/amd64", "python", mark);
    }

    /// Any tag means an image for these platforms with this file from now on.
    pub(crate) fn base_for(&self, platforms: &str, tag: &str, mark: &str) {
        let directory = self.scene.path(&format!("base-{mark}"));
        let status = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u10\n";
        for (path, text) in [
            ("Dockerfile", "FROM scratch\nENV PATH=/usr/local/bin:/bin\nCOPY --chmod=755 root /\n"),
            ("root/usr/local/bin/python3.11", "a program\n"),
            ("root/usr/local/include/python3.11/patchlevel.h", "#define PY_VERSION \"3.11.7\"\n"),
            ("root/usr/local/lib/python3.11/os.py", "# os\n"),
            ("root/usr/local/lib/python3.11/site-packages/README.txt", "packages\n"),
            ("root/var/lib/dpkg/status", status),
            ("root/etc/mark", mark),
        ] {
            let path = directory.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let link = directory.join("root/usr/local/bin/python3");
        if !link.exists() {
            symlink("python3.11", link).unwrap();
        }
        let store = format!("--store={}", self.scene.path("base-store").display());
        let directory = directory.display().to_string();
        self.answer(&[
            "build",
            &store,
            &format!("--platform={platforms}"),
            "--push",
            "-t",
            &format!("REGISTRY/base:{tag}"),
            &directory,
        ]);
    }

    /// Everything outside is another: the tag, the index, the URL.
    pub(crate) fn move_all(&self) {
        self.base("two");
        self.web.offer(&later_wheels());
        self.web.put("/data.txt", "second\n");
        self.forget();
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.scene.path("context").join(name)
    }

    /// Adds a file to the context.
    pub(crate) fn file(&self, path: &str, text: &str) {
        let path = self.path(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    /// Writes the recipe, changed.
    pub(crate) fn toml(&self, change: impl FnOnce(&str) -> String) {
        let toml = change(TOML).replace("REGISTRY", &self.scene.registry.name());
        self.file("plywood.toml", &toml.replace("WEB", &self.web.host));
    }

    /// Writes a Dockerfile of these lines on the base in the recipe's place; `WEB` is the host.
    pub(crate) fn dockerfile(&self, lines: &str) {
        let _ = fs::remove_file(self.path("plywood.toml"));
        let text = format!("FROM {}/base:python\n{lines}\n", self.scene.registry.name());
        self.file("Dockerfile", &text.replace("WEB", &self.web.host));
    }

    /// A command in this setting; `REGISTRY` in a word is the registry.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        self.command_telling(&[&["--progress", "quiet"], words].concat())
    }

    /// The same with all that is told on the way.
    pub(crate) fn command_telling(&self, words: &[&str]) -> Command {
        let mut command = self.scene.command(words);
        command.env("DOCKER_DEFAULT_PLATFORM", "linux/amd64");
        command
    }

    /// How a command ended, with the names of hosts as they are in every run.
    pub(crate) fn ended(&self, command: &mut Command) -> Ended {
        let Ended { code, stdout, stderr } = self.scene.ended(&command.output().unwrap());
        let plain = |text: String| text.replace("REGISTRY", REGISTRY).replace(&self.web.host, WEB);
        Ended { code, stdout: plain(stdout), stderr: plain(stderr) }
    }

    /// Runs the program, which has to succeed without a word beside its answer.
    #[track_caller]
    pub(crate) fn answer(&self, words: &[&str]) -> String {
        let ended = self.ended(&mut self.command(words));
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{words:?}");
        ended.stdout.trim_end().to_owned()
    }

    /// Builds, and gives the digest.
    #[track_caller]
    pub(crate) fn build(&self, more: &[&str]) -> String {
        self.answer(&[&["build", "context"], more].concat())
    }

    /// Builds on a machine that has never built anything.
    #[track_caller]
    pub(crate) fn build_elsewhere(&self, name: &str, more: &[&str]) -> String {
        self.build(&[&[self.elsewhere(name).as_str()], more].concat())
    }

    /// What a command needs to run on another machine.
    pub(crate) fn elsewhere(&self, name: &str) -> String {
        format!("--store={}", self.scene.path(name).display())
    }

    /// Runs a command that must fail: what is said.
    #[track_caller]
    pub(crate) fn refused(&self, words: &[&str]) -> String {
        let ended = self.ended(&mut self.command(words));
        assert_eq!(ended.stdout, "", "{words:?}");
        assert_ne!(ended.code, 0, "{words:?}");
        format!("exit {}\n{}", ended.code, ended.stderr)
    }

    /// The lock as it is.
    #[track_caller]
    pub(crate) fn lock(&self) -> String {
        fs::read_to_string(self.path("plywood.lock")).unwrap()
    }

    /// The lock without what differs between runs.
    #[track_caller]
    pub(crate) fn shown_lock(&self) -> String {
        self.shown(&self.lock())
    }

    fn shown(&self, lock: &str) -> String {
        let text = lock.replace(&self.scene.registry.name(), REGISTRY);
        let text = text.replace(&self.web.host, WEB);
        let line = |line: &str| match line.starts_with("request = ") {
            true => "request = \"…\"".to_owned(),
            false => line.to_owned(),
        };
        text.lines().map(line).collect::<Vec<_>>().join("\n")
    }

    /// Which lines of the lock differ from those of `earlier`.
    #[track_caller]
    pub(crate) fn difference(&self, earlier: &str) -> String {
        let (old, new) = (self.shown(earlier), self.shown_lock());
        let gone = old.lines().filter(|line| !new.lines().any(|other| other == *line));
        let come = new.lines().filter(|line| !old.lines().any(|other| other == *line));
        let lines = gone.map(|line| format!("-{line}")).chain(come.map(|line| format!("+{line}")));
        lines.collect::<Vec<_>>().join("\n")
    }

    /// Versions of wheels in the lock.
    #[track_caller]
    pub(crate) fn versions(&self) -> String {
        let lock = self.lock();
        let files = lock.lines().filter_map(|line| line.strip_prefix("file = "));
        files.map(|file| file.trim_matches('"').to_owned()).collect::<Vec<_>>().join(" ")
    }

    /// What was asked of anybody since the last look.
    pub(crate) fn asked(&self) -> BTreeSet<String> {
        let requests = self.scene.registry.take_requests().into_iter();
        let requests = requests.map(|request| format!("{} {}", request.method, request.path));
        let web = self.web.take_asked().into_iter().map(|path| format!("WEB {path}"));
        requests.chain(web).collect()
    }

    pub(crate) fn forget(&self) {
        drop(self.asked());
    }
}

pub(crate) fn first_wheels() -> Vec<Wheel> {
    vec![wheel("app", "1.0").requires("dep"), wheel("dep", "1.0"), wheel("lib", "1.0")]
}

/// What there is later: something newer of each, and something new.
pub(crate) fn later_wheels() -> Vec<Wheel> {
    let later = [
        wheel("app", "1.1").requires("dep"),
        wheel("dep", "1.1"),
        wheel("lib", "1.1"),
        wheel("more", "1.0").requires("dep"),
        wheel("needy", "1.0").requires("lib>1.0"),
    ];
    first_wheels().into_iter().chain(later).collect()
}
