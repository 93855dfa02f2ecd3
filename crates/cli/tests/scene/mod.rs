//! A home, a store and a registry of a test's own, and the program that is run among them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use oci::{
    Compression, Descriptor, DiffId, Digest, History, ImageConfig, ImageIndex, ImageManifest,
    MediaType, Platform, Reference,
};
use serve::testing::{Behaviour, Recorded, TestRegistry};
use store::Store;
use tempfile::TempDir;

/// Where a test happens.
pub(crate) struct Scene {
    pub(crate) directory: TempDir,
    pub(crate) registry: TestRegistry,
}

/// How a run ended and what it wrote, with the scene's own names replaced: `REGISTRY`, `HOME`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Scene {
            directory: tempfile::tempdir().unwrap(),
            registry: TestRegistry::start(Behaviour::default()).unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.path("store")).unwrap()
    }

    /// A name in the scene's registry.
    pub(crate) fn name(&self, rest: &str) -> Reference {
        format!("{}/{rest}", self.registry.name()).parse().unwrap()
    }

    /// The program, with nothing of the test's own environment.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plywood"));
        command
            .args(words.iter().map(|word| self.here(word)))
            .env_clear()
            .env("HOME", self.directory.path())
            .env("PLYWOOD_STORE", self.path("store"))
            .current_dir(self.directory.path())
            .stdin(Stdio::null());
        command
    }

    /// Runs the program without progress; `REGISTRY` in a word is the scene's registry.
    pub(crate) fn run(&self, words: &[&str]) -> Ended {
        self.run_with(&[&["--progress", "quiet"], words].concat(), b"")
    }

    pub(crate) fn run_with(&self, words: &[&str], input: &[u8]) -> Ended {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A program that reads no input may be gone before it is written.
        let _ = stdin.write_all(input);
        drop(stdin);
        self.ended(&child.wait_with_output().unwrap())
    }

    /// What a run came to, in the words of a snapshot.
    pub(crate) fn ended(&self, output: &Output) -> Ended {
        testbed::record::record("plywood", &[&output.stdout[..], b"\n", &output.stderr].concat());
        let text = |bytes: &[u8]| {
            let text = String::from_utf8(bytes.to_vec()).unwrap();
            let home = self.directory.path().display().to_string();
            text.replace(&self.registry.name(), "REGISTRY").replace(&home, "HOME")
        };
        Ended {
            code: output.status.code().unwrap(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Runs the program, which has to succeed, and returns what it answered.
    #[track_caller]
    pub(crate) fn answer(&self, words: &[&str]) -> String {
        let ended = self.run(words);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{words:?}");
        ended.stdout
    }

    /// Runs the program, which has to fail without an answer: its exit code and what it said.
    #[track_caller]
    pub(crate) fn refusal(&self, words: &[&str]) -> String {
        let ended = self.run(words);
        assert_eq!(ended.stdout, "", "{words:?}");
        format!("exit {}\n{}", ended.code, ended.stderr)
    }

    fn here(&self, word: &str) -> String {
        word.replace("REGISTRY", &self.registry.name())
    }

    /// The requests since the last look, without those that only ask; sorted, since several are
    /// under way at a time.
    pub(crate) fn changes(&self) -> Vec<String> {
        let requests = self.registry.take_requests().into_iter();
        let changes = requests.filter(|request| request.method != "HEAD");
        let mut changes: Vec<String> = changes.map(|request| without_number(&request)).collect();
        changes.sort();
        changes
    }

    /// How many blobs were downloaded since the last look.
    pub(crate) fn downloads(&self) -> usize {
        let requests = self.registry.take_requests().into_iter();
        requests.filter(|r| r.method == "GET" && r.path.contains("/blobs/")).count()
    }
}

/// A request without the number of its upload session.
fn without_number(request: &Recorded) -> String {
    let text = request.to_string();
    match text.split_once("session-") {
        Some((before, after)) => {
            format!("{before}session{}", after.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        None => text,
    }
}

fn put(store: &Store, media_type: MediaType, bytes: &[u8]) -> Descriptor {
    store.put(bytes).unwrap();
    Descriptor::of(media_type, bytes)
}

/// An image of two uncompressed layers, `shared` and one that holds `text`.
pub(crate) fn image(store: &Store, text: &str, platform: &str) -> Descriptor {
    let layers = ["shared".to_owned(), format!("{text} for {platform}")];
    let mut config = ImageConfig::new(&platform.parse().unwrap());
    config.set_diff_ids(&layers.each_ref().map(|layer| DiffId(Digest::of(layer.as_bytes()))));
    let history = |created_by: &str, empty_layer| History {
        created: None,
        created_by: Some(created_by.to_owned()),
        author: None,
        comment: None,
        empty_layer,
    };
    config.set_history(&[
        history("COPY shared /", false),
        history("ENV A=b", true),
        history(&format!("COPY {text} /app # and a comment that goes on and on"), false),
    ]);
    config.set_env("A", "b");
    config.set_label("org.example.text", text);
    let config = put(store, MediaType::OciConfig, &config.to_bytes());
    let plain = MediaType::OciLayer(Compression::None);
    let layers = layers.iter().map(|layer| put(store, plain.clone(), layer.as_bytes())).collect();
    let manifest = ImageManifest::new(config, layers, BTreeMap::new());
    put(store, MediaType::OciManifest, manifest.bytes())
}

/// An index of one image for amd64 and one for arm64.
pub(crate) fn index(store: &Store, text: &str) -> Descriptor {
    let platforms = ["linux/amd64", "linux/arm64"];
    let entries = platforms.map(|platform| Descriptor {
        platform: Some(platform.parse::<Platform>().unwrap()),
        ..image(store, text, platform)
    });
    let index = ImageIndex::new(entries.to_vec(), BTreeMap::new());
    put(store, MediaType::OciIndex, index.bytes())
}
