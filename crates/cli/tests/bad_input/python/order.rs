//! A build that installs packages from an index of its own, on a base of a few files.

use std::process::Command;

use oci::{DiffId, Digest, Platform};
use testbed::{House, HouseFile, Index, IndexRules};

use super::wheel::Wheel;
use crate::attempt::{Attempt, shown};
use crate::base::{Blob, config};
use crate::layers::{Member, file, program, symlink, tar};

/// An attempt with an index.
pub(super) struct Order {
    pub(super) attempt: Attempt,
    pub(super) index: Index,
}

/// As long as the index's real name.
const INDEX: &str = "127.0.0.1:11111";

/// Where the index of a `[python]` table is.
const INDEX_URL: &str = "index-url = \"http://INDEX/simple/\"\n";

/// What the interpreter is found by: as in the official images.
pub(super) fn python(series: &str, patch: &str) -> Vec<Member> {
    let header = format!("#define PY_VERSION \"{series}.{patch}\"\n");
    vec![
        program(&format!("usr/local/bin/python{series}"), b"a program"),
        symlink("usr/local/bin/python3", &format!("python{series}")),
        file(&format!("usr/local/include/python{series}/patchlevel.h"), header.as_bytes()),
        file(&format!("usr/local/lib/python{series}/os.py"), b"# os\n"),
        file(&format!("usr/local/lib/python{series}/site-packages/README.txt"), b"packages\n"),
    ]
}

/// Debian's C library, as its package manager knows of it.
pub(super) fn glibc() -> Member {
    let status = "Package: libc6\nStatus: install ok installed\nVersion: 2.36-9+deb12u10\n";
    file("var/lib/dpkg/status", status.as_bytes())
}

/// Python 3.11.7 in `/usr/local`.
pub(super) fn base() -> Vec<Member> {
    let mut members = python("3.11", "7");
    members.push(glibc());
    members
}

impl Order {
    /// With a `plywood.toml` of this `[python]` table and an index of these wheels.
    pub(super) fn of(python: &str, wheels: &[Wheel]) -> Self {
        let files: Vec<HouseFile> = wheels.iter().map(Wheel::served).collect();
        Order::on(&base(), &format!("{INDEX_URL}{python}"), &files)
    }

    /// The same with files of any kind on any base; `INDEX` in the table is the index.
    pub(super) fn on(base: &[Member], python: &str, files: &[HouseFile]) -> Self {
        Order::with_rules(base, python, files, IndexRules::default())
    }

    /// The same with another kind of index.
    pub(super) fn with_rules(
        base: &[Member],
        python: &str,
        files: &[HouseFile],
        rules: IndexRules,
    ) -> Self {
        let house = House::of_files(files).unwrap();
        let index = Index::with_rules(&[&house], rules).unwrap();
        let mut attempt = Attempt::new();
        attempt.served = files.iter().map(|file| file.bytes.clone()).collect();
        publish(&attempt, base);
        Order { attempt, index }.table(python)
    }

    /// Sets the `[python]` table.
    pub(super) fn table(self, python: &str) -> Self {
        let toml = format!(
            "base = \"{}/base:python\"\nplatforms = [\"linux/amd64\"]\n\n[python]\n{python}",
            self.attempt.scene.registry.name()
        );
        self.file("plywood.toml", &toml)
    }

    /// Adds a file to the context; `INDEX` in it is the index.
    pub(super) fn file(self, path: &str, text: &str) -> Self {
        let text = self.here(text);
        Order { attempt: self.attempt.file(path, text), ..self }
    }

    /// Adds a file of any bytes to the context.
    pub(super) fn bytes(self, path: &str, bytes: &[u8]) -> Self {
        Order { attempt: self.attempt.file(path, bytes), ..self }
    }

    pub(super) fn here(&self, text: &str) -> String {
        text.replace("INDEX", &self.index.host())
    }

    /// What is said; nothing is left behind.
    #[track_caller]
    pub(super) fn refused(&self) -> String {
        self.refusal_of(&mut self.attempt.command(&[]))
    }

    #[track_caller]
    pub(super) fn refusal_of(&self, command: &mut Command) -> String {
        self.plain(&self.attempt.refusal_of(command))
    }

    /// Builds, which must succeed: what is said, without the index's real name.
    #[track_caller]
    pub(super) fn built(&self) -> String {
        let words = ["--progress=quiet", "build", "--tag=REGISTRY/app:1", "context"];
        self.success_of(&mut self.attempt.scene.command(&words))
    }

    #[track_caller]
    pub(super) fn success_of(&self, command: &mut Command) -> String {
        let ended = self.attempt.scene.ended(&command.output().unwrap());
        let text = self.plain(&shown(&ended));
        assert_eq!(ended.code, 0, "{text}");
        text
    }

    fn plain(&self, text: &str) -> String {
        text.replace(&self.index.host(), INDEX)
    }
}

/// Puts an image of these files into the registry, for the platform that is built.
fn publish(attempt: &Attempt, members: &[Member]) {
    let layer = Blob::plain(tar(members));
    let diff_ids = [DiffId(Digest::of(&layer.bytes))];
    let mut config = config(&Platform::linux("amd64"), &diff_ids);
    config.set_env("PATH", "/usr/local/bin:/usr/bin:/bin");
    attempt.publish_with(Some("python"), &config.to_bytes(), &[layer]);
}

/// What is said of a `[python]` table beside an index of these wheels.
#[track_caller]
pub(super) fn refused(python: &str, wheels: &[Wheel]) -> String {
    Order::of(python, wheels).refused()
}
