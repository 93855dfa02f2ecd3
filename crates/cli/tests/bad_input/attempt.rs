//! A build that must not succeed, and the proof that it left nothing behind.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use oci::Digest;
use testbed::files;

use crate::scene::{Ended, Scene};

/// A scene with a build context and a directory for outputs.
pub(crate) struct Attempt {
    pub(crate) scene: Scene,
    /// What else than the registry's blobs can be downloaded.
    pub(crate) served: Vec<Vec<u8>>,
}

/// As long as the registry's real name, so that carets stay below what they point at.
const REGISTRY: &str = "127.0.0.1:00000";

/// Every output that a build can have at once, each under a name that is looked for afterwards.
const OUTPUTS: &[&str] = &[
    "--tag=REGISTRY/app:1",
    "--push",
    "--output=type=oci,dest=out/oci.tar",
    "--output=type=docker,dest=out/docker.tar",
    "--output=type=tar,dest=out/files.tar",
    "--output=type=local,dest=out/files",
    "--iidfile=out/iid",
    "--metadata-file=out/metadata.json",
];

impl Attempt {
    /// With an empty context.
    pub(crate) fn new() -> Self {
        let scene = Scene::new();
        for name in ["context", "out", "tmp"] {
            fs::create_dir(scene.path(name)).unwrap();
        }
        Attempt { scene, served: Vec::new() }
    }

    /// With a context of this Dockerfile and a file `app.txt`; `REGISTRY` in the Dockerfile is the
    /// scene's registry.
    pub(crate) fn of(dockerfile: &str) -> Self {
        let attempt = Attempt::new();
        let dockerfile = dockerfile.replace("REGISTRY", &attempt.scene.registry.name());
        attempt.file("Dockerfile", dockerfile).file("app.txt", "hello\n")
    }

    /// Adds a file to the context, and the directories above it.
    pub(crate) fn file(self, path: &str, content: impl AsRef<[u8]>) -> Self {
        let full = self.context(path);
        fs::create_dir_all(full.parent().unwrap()).unwrap();
        fs::write(full, content).unwrap();
        self
    }

    /// Adds a symbolic link to the context.
    pub(crate) fn link(self, path: &str, target: &str) -> Self {
        symlink(target, self.context(path)).unwrap();
        self
    }

    /// A path in the context.
    pub(crate) fn context(&self, path: &str) -> PathBuf {
        self.scene.path("context").join(path)
    }

    /// The build with every output, and with more arguments.
    pub(crate) fn command(&self, more: &[&str]) -> Command {
        let words = [&["--progress=quiet", "build"], OUTPUTS, more, &["context"]].concat();
        let mut command = self.scene.command(&words);
        command.env("TMPDIR", self.scene.path("tmp"));
        command
    }

    /// Builds, which must fail: the exit code and all that was said. Nothing is left behind.
    #[track_caller]
    pub(crate) fn refused(&self, more: &[&str]) -> String {
        self.refusal_of(&mut self.command(more))
    }

    /// The same for a command that differs from [`Attempt::command`].
    #[track_caller]
    pub(crate) fn refusal_of(&self, command: &mut Command) -> String {
        let ended = self.scene.ended(&command.output().unwrap());
        let text = shown(&ended);
        assert_ne!(ended.code, 0, "{text}");
        assert_eq!(ended.stdout, "", "{text}");
        self.assert_nothing_left();
        text
    }

    /// Builds without an output that could fail for other reasons, which must succeed.
    #[track_caller]
    pub(crate) fn built(&self, more: &[&str]) -> String {
        let words = [&["build", "--tag=REGISTRY/app:1"], more, &["context"]].concat();
        self.scene.answer(&words)
    }

    /// That no output, no name, no half-written file and no request that changes anything is
    /// there.
    #[track_caller]
    pub(crate) fn assert_nothing_left(&self) {
        assert_eq!(files(&self.scene.path("out")), [""; 0], "outputs are left");
        assert!(!self.scene.path("out/files").exists(), "an output directory is left");
        assert_eq!(files(&self.scene.path("tmp")), [""; 0], "temporary files are left");
        let requests = self.scene.registry.requests();
        let changes = requests.iter().filter(|r| !matches!(r.method.as_str(), "GET" | "HEAD"));
        assert_eq!(changes.count(), 0, "something was sent: {requests:?}");
        self.assert_store_is_sound();
        let app = format!("{}/app:1", self.scene.registry.name());
        assert!(!self.names().contains(&app), "the image has a name");
    }

    /// That the store holds whole blobs only, and nothing on its way but what a download that broke
    /// off has of the right bytes, to go on from.
    #[track_caller]
    pub(crate) fn assert_store_is_sound(&self) {
        let root = self.scene.path("store");
        let left = files(&root.join("plywood/scratch"));
        assert_eq!(left, [""; 0], "half-written files are left");
        for name in files(&root.join("plywood/partial")) {
            let digest: Digest = name.replace('-', ":").parse().unwrap();
            let served = self.served.iter().find(|bytes| Digest::of(bytes) == digest);
            let served = served.map(|bytes| bytes.clone().into());
            let whole = served.or_else(|| self.scene.registry.blob("base", digest)).unwrap();
            let kept = fs::read(root.join("plywood/partial").join(&name)).unwrap();
            assert!(whole.starts_with(&kept), "{name} is wrong");
        }
        for name in files(&root.join("blobs/sha256")) {
            let found = Digest::of(&fs::read(root.join("blobs/sha256").join(&name)).unwrap());
            assert_eq!(found.hex(), name, "a blob is not what its name says");
        }
    }

    /// The names in the store.
    pub(crate) fn names(&self) -> Vec<String> {
        if !self.scene.path("store/index.json").exists() {
            return Vec::new();
        }
        let images = self.scene.store().images().unwrap();
        images.iter().filter_map(|image| Some(image.reference()?.to_string())).collect()
    }

    /// How many requests the registry got.
    pub(crate) fn requests(&self) -> usize {
        self.scene.registry.requests().len()
    }
}

/// An end as a snapshot has it.
pub(crate) fn shown(ended: &Ended) -> String {
    format!("exit {}\n{}", ended.code, ended.stderr.replace("REGISTRY", REGISTRY))
}

/// What is said of a Dockerfile beside `app.txt`.
#[track_caller]
pub(crate) fn refused(dockerfile: &str) -> String {
    Attempt::of(dockerfile).refused(&[])
}
