//! A small image to try programs in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bstr::{BString, ByteSlice};
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath, Platform};
use shell::{
    Changed, ChangedNode, Channel, Command, Data, Fetched, Files, Limits, Outcome, Process, Stop,
    Stored, User,
};

use crate::deb::Deb;
use crate::index::PackageIndex;
use crate::native::elf::Elf;
use crate::outside::{DebSource, Fetch, Installed};

/// The time that everything new gets.
pub(crate) const CLOCK: i64 = 1_700_000_000;

/// An image, and what is outside of it.
pub(crate) struct Image {
    entries: Vec<Entry>,
    bytes: HashMap<Digest, Arc<[u8]>>,
}

impl Image {
    /// A root file system with merged `/usr` and nothing in it but dash.
    pub(crate) fn new() -> Self {
        let mut image = Image { entries: Vec::new(), bytes: HashMap::new() };
        for directory in ["etc", "tmp", "usr", "usr/bin", "usr/lib", "usr/sbin"] {
            image.directory(directory);
        }
        for directory in ["bin", "lib", "sbin"] {
            image.link(directory, &format!("usr/{directory}"));
        }
        image.file("usr/bin/dash", "\x7fELF");
        image.link("usr/bin/sh", "dash");
        image
    }

    /// A directory of root's.
    pub(crate) fn directory(&mut self, path: &str) -> &mut Self {
        self.entry(path, 0o755, Node::Directory)
    }

    /// A file of root's, executable.
    pub(crate) fn file(&mut self, path: &str, text: impl AsRef<[u8]>) -> &mut Self {
        let content = Content::of(text.as_ref());
        self.bytes.insert(content.digest, Arc::from(text.as_ref()));
        self.entry(path, 0o755, Node::File(content))
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.entry(path, 0o777, Node::Symlink(target.as_bytes().to_vec()))
    }

    fn entry(&mut self, path: &str, mode: u32, node: Node) -> &mut Self {
        let path = ImagePath::lexical(path);
        self.entries.retain(|entry| entry.path != path);
        self.entries.push(Entry { path, attributes: Attributes::root(mode, 1000), node });
        self
    }

    /// Runs a command as root in `/`.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Outcome, Stop> {
        let mut entries = self.entries.clone();
        entries.sort_by(Entry::layer_order);
        let root = RootFs::new(vec![Some(Arc::new(LayerIndex::from_entries(entries)))]);
        let limits = Limits::default();
        let command = Command {
            words: words.iter().map(|word| BString::from(*word)).collect(),
            environment: BTreeMap::from([("PATH".into(), "/usr/bin:/usr/sbin".into())]),
            directory: ImagePath::root(),
            platform: Platform::linux("amd64"),
        };
        shell::run(command, Files::new(root, User::default(), CLOCK, limits), self, limits)
    }

    /// What came of it, as text: output, errors with a `!` in front, status if it is not 0, and
    /// changed paths with the sizes of files.
    pub(crate) fn show(&self, words: &[&str]) -> String {
        let outcome = match self.run(words) {
            Ok(outcome) => outcome,
            Err(Stop::Refused(refusal)) => return format!("refused: {refusal}"),
            Err(stop) => return format!("{stop:?}"),
        };
        let mut lines = Vec::new();
        for (channel, bytes) in outcome.transcript.pieces() {
            let mark = if *channel == Channel::Errors { "!" } else { "" };
            lines.extend(bytes.lines().map(|line| format!("{mark}{}", line.as_bstr())));
        }
        if outcome.status != 0 {
            lines.push(format!("status {}", outcome.status));
        }
        for Changed { path, attributes, node } in outcome.files.changes().expect("it is loaded") {
            let mode = attributes.mode;
            lines.push(match node {
                ChangedNode::Gone => format!("- /{path}"),
                ChangedNode::File(data) => format!("+ /{path} {mode:o} {} bytes", data.size()),
                ChangedNode::Directory { .. } => format!("+ /{path}/ {mode:o}"),
                ChangedNode::Symlink(target) => format!("+ /{path} -> {}", target.as_bstr()),
                other => format!("+ /{path} {mode:o} {other:?}"),
            });
        }
        lines.join("\n")
    }

    /// The bytes of a file that a command has written.
    pub(crate) fn written(&self, words: &[&str], path: &str) -> Vec<u8> {
        let outcome = self.run(words).expect("it is evaluated");
        match outcome.files.data(&ImagePath::lexical(path)).expect("it is there") {
            Data::Inline(bytes) => bytes.to_vec(),
            Data::Stored(stored) => self.bytes[&stored.content.digest].to_vec(),
        }
    }
}

impl shell::Outside for Image {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        Ok(Arc::clone(&self.bytes[&stored.content.digest]))
    }

    fn archive(&self, _: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        Ok(None)
    }

    fn download(&self, url: &str) -> Result<Fetched, Stop> {
        panic!("nothing is downloaded: {url}")
    }

    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        crate::program(process, self)
    }
}

impl crate::Outside for Image {
    fn fetch(&self, _: &[Fetch]) -> Result<Vec<Option<Stored>>, Stop> {
        panic!("nothing is fetched")
    }

    fn indexes(&self, _: &[Stored]) -> Result<Vec<Arc<PackageIndex>>, Stop> {
        panic!("there are no archives")
    }

    fn debs(&self, _: &[DebSource]) -> Result<Vec<Arc<Deb>>, Stop> {
        panic!("there are no packages")
    }

    fn elf(&self, files: &[Stored]) -> Result<Vec<Option<Elf>>, Stop> {
        Ok(files.iter().map(|file| Elf::of(&self.bytes[&file.content.digest])).collect())
    }

    fn now(&self) -> i64 {
        CLOCK
    }

    fn note_installed(&self, _: Installed) {
        panic!("nothing is installed")
    }
}
