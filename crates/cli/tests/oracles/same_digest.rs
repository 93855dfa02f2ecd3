//! The same inputs give the same bytes, whatever else is different.

mod variations;

use std::path::{Path, PathBuf};
use std::process::Command;

use testbed::{Context, Failure, Plywood, Registry, Result, base, plywood::printed_digest};

use crate::support::{plywood, push_base};

/// What every variation starts from.
struct Setting {
    /// Runs as long as this lives.
    _registry: Registry,
    /// The reference that all builds push to.
    reference: String,
    base: String,
}

/// One way of building the same thing.
struct Variation {
    name: &'static str,
    /// Prepares a context and gives the digest that a build of it printed.
    build: fn(&Setting) -> Result<String>,
}

#[test]
fn one_digest_for_all_variations() -> Result {
    let setting = Setting::new()?;
    let expected = setting.context()?.build(&setting, &[])?;

    assert!(variations::ALL.len() >= 30, "{} variations", variations::ALL.len());
    let mut complaints = Vec::new();
    for Variation { name, build } in variations::ALL {
        match build(&setting) {
            Ok(digest) if digest == expected => {}
            Ok(digest) => complaints.push(format!("{name}: {digest} instead of {expected}")),
            Err(failure) => complaints.push(format!("{name}: {failure}")),
        }
    }
    if complaints.is_empty() { Ok(()) } else { Err(Failure::new(complaints.join("\n"))) }
}

/// That the digest does change when content does: a test of the test above.
#[test]
fn another_digest_for_other_content() -> Result {
    let setting = Setting::new()?;
    let expected = setting.context()?.build(&setting, &[])?;
    let changes: [fn(Context) -> Result<Context>; 4] = [
        |context| context.file("src/main.py", "print('other')\n"),
        |context| context.file_with_mode("src/main.py", MAIN, 0o755),
        |context| context.file_with_mode("src/main.py", MAIN, 0o600),
        |context| context.directory("src/another", 0o755),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let context = change(setting.context()?.0)?;
        let digest = Directory(context).build(&setting, &[])?;
        assert_ne!(digest, expected, "change {number}");
    }
    Ok(())
}

const MAIN: &str = "print('main')\n";

/// The files of the context: path, whether they may be executed, content.
const FILES: &[(&str, bool, &str)] = &[
    (".dockerignore", false, ".git\n*.log\n"),
    ("README.md", false, "# readme\n"),
    ("bin/start", true, "#!/bin/sh\nexec python3 /srv/src/main.py\n"),
    ("src/main.py", false, MAIN),
    ("src/package/__init__.py", false, ""),
    ("src/package/Größe.py", false, "size = 1\n"),
    ("src/package/b.py", false, "b = 1\n"),
    ("src/package/B.py", false, "B = 1\n"),
    ("src/package/a-b.py", false, "a = 1\n"),
    ("src/package/a/b.py", false, "b = 2\n"),
    (LONG, false, "a path that ustar can only hold in two parts\n"),
    ("ignored.log", false, "ignored\n"),
];

const LONG: &str = "data/a-directory-with-a-name-that-is-rather-long-so-that-it-takes-a-while/\
    and-another-directory-below-it/and-a-file";

/// Symbolic links: path and target.
const LINKS: &[(&str, &str)] = &[("current", "src/package"), ("src/dangling", "../nowhere")];

/// A file with a hole, and how long it is; read as data it is zeros.
const SPARSE: (&str, usize) = ("data/sparse", 300_000);

impl Setting {
    fn new() -> Result<Self> {
        let registry = Registry::start()?;
        let base = push_base(&registry, base::tiny()?, "base/tiny:1")?;
        let reference = registry.reference("team/app:1");
        Ok(Setting { _registry: registry, reference, base })
    }

    fn dockerfile(&self) -> String {
        format!(
            "FROM {} AS files\nCOPY . /files\n\
             FROM {}\nENV A=1\nWORKDIR /srv\nCOPY . .\nCOPY --chown=app src /home/app/\n\
             COPY --from=files /files/data /data\nADD README.md /srv/docs/\nUSER app\nCMD [\"bin/start\"]\n",
            self.base, self.base
        )
    }

    /// The context as it is written down here.
    fn context(&self) -> Result<Directory> {
        let mut context = Context::with_dockerfile(&self.dockerfile())?;
        for (path, executable, content) in FILES {
            let mode = if *executable { 0o755 } else { 0o644 };
            context = context.file_with_mode(path, content, mode)?;
        }
        for (path, target) in LINKS {
            context = context.link(path, target)?;
        }
        Ok(Directory(context.file(SPARSE.0, vec![0; SPARSE.1])?))
    }

    /// `plywood build` with a push to the one reference, by a program with a home of its own.
    fn command(&self, plywood: &Plywood, arguments: &[&str]) -> Command {
        let mut command = plywood.command(["build", "--push", "-t", &self.reference]);
        command.args(arguments);
        command
    }
}

/// A context in a directory.
struct Directory(Context);

impl Directory {
    fn path(&self) -> &Path {
        self.0.path()
    }

    /// A context of the same files in another place, that `make` fills from this one.
    fn remade(&self, make: impl FnOnce(&Path, &Path) -> Result) -> Result<Directory> {
        let copy = Context::new()?;
        make(self.path(), copy.path())?;
        Ok(Directory(copy))
    }

    /// Builds with a fresh store.
    fn build(&self, setting: &Setting, arguments: &[&str]) -> Result<String> {
        printed_digest(setting.command(&plywood()?, arguments).arg(self.path()))
    }

    /// Builds with a fresh store and a changed environment.
    fn build_with(
        &self,
        setting: &Setting,
        change: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Result<String> {
        let plywood = plywood()?;
        let mut command = setting.command(&plywood, &[]);
        command.arg(self.path());
        change(&mut command);
        printed_digest(&mut command)
    }

    /// Every path below it, parents first.
    fn paths(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut waiting = vec![self.path().to_owned()];
        while let Some(directory) = waiting.pop() {
            for entry in std::fs::read_dir(directory).unwrap().flatten() {
                if entry.file_type().unwrap().is_dir() {
                    waiting.push(entry.path());
                }
                found.push(entry.path());
            }
        }
        found
    }
}
