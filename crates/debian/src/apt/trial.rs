//! An image to try apt in, and archives outside of it.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use bstr::{BString, ByteSlice};
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath, Platform};
use shell::data::Origin;
use shell::{
    ChangedNode, Channel, Command, Fetched, Files, Limits, Missing, Outcome, Process, Stop, Stored,
    User,
};

use super::configuration::{Configuration, Given};
use crate::Deb;
use crate::index::PackageIndex;
use crate::native::elf::Elf;
use crate::outside::{DebSource, Fetch, Installed, ListFile};

/// 2026-01-01.
pub(super) const NOW: i64 = 1_767_225_600;

/// What runs as `apt-get`.
pub(super) type Body = fn(&mut Process<'_, '_>, &Trial) -> Result<u8, Stop>;

/// An image and what is outside.
pub(super) struct Trial {
    entries: Vec<Entry>,
    bytes: Mutex<HashMap<Digest, Arc<[u8]>>>,
    urls: HashMap<String, Stored>,
    /// What was asked for, round by round.
    pub asked: Mutex<Vec<Vec<Fetch>>>,
    /// The time.
    pub now: i64,
    /// What somebody vouches for.
    pub vouched: HashMap<Digest, Arc<[u8]>>,
    body: Body,
}

impl Trial {
    /// An image with the usual directories, in which `apt-get` is this.
    pub(super) fn new(body: Body) -> Self {
        let mut trial = Trial {
            entries: Vec::new(),
            bytes: Mutex::default(),
            urls: HashMap::new(),
            asked: Mutex::default(),
            now: NOW,
            vouched: HashMap::new(),
            body,
        };
        for path in ["etc", "etc/apt", "root", "usr", "usr/bin", "var", "var/lib", "var/lib/apt"] {
            trial.entry(path, 0o755, Node::Directory);
        }
        trial.file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\n_apt:x:42:65534::/:/bin/false\n");
        for name in ["apt-get", "apt-key", "gpg"] {
            trial.file(&format!("usr/bin/{name}"), "\u{7f}ELF");
        }
        trial
    }

    /// A file, and the directories above it.
    pub(super) fn file(&mut self, path: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        let above = ImagePath::lexical(path);
        for above in above.ancestors().filter(|above| !above.is_root()) {
            if !self.entries.iter().any(|entry| entry.path == above) {
                self.entry(above.to_str().unwrap(), 0o755, Node::Directory);
            }
        }
        let content = self.know(bytes.as_ref());
        self.entry(path, 0o755, Node::File(content))
    }

    fn entry(&mut self, path: &str, mode: u32, node: Node) -> &mut Self {
        let path = ImagePath::lexical(path);
        self.entries.retain(|entry| entry.path != path);
        self.entries.push(Entry { path, attributes: Attributes::root(mode, 1000), node });
        self
    }

    fn know(&self, bytes: &[u8]) -> Content {
        let content = Content::of(bytes);
        self.bytes.lock().unwrap().insert(content.digest, Arc::from(bytes));
        content
    }

    /// What a URL gives.
    pub(super) fn url(&mut self, url: &str, bytes: impl AsRef<[u8]>) -> &mut Self {
        let content = self.know(bytes.as_ref());
        let origin = Arc::new(Origin::Download { url: url.to_owned() });
        self.urls.insert(url.to_owned(), Stored { content, origin });
        self
    }

    /// A URL that gives nothing.
    pub(super) fn forget(&mut self, url: &str) {
        self.urls.remove(url);
    }

    /// Nobody has these bytes any more.
    pub(super) fn forget_bytes(&mut self, bytes: &[u8]) {
        self.bytes.lock().unwrap().remove(&Content::of(bytes).digest);
    }

    /// Runs a program of the image.
    pub(super) fn run(&self, words: &[&str]) -> Result<Outcome, Stop> {
        let path = (BString::from("PATH"), BString::from("/usr/bin"));
        let command = Command {
            words: words.iter().map(|word| BString::from(*word)).collect(),
            environment: BTreeMap::from([path]),
            directory: ImagePath::lexical("root"),
            platform: Platform::linux("amd64"),
        };
        let mut entries = self.entries.clone();
        entries.sort_by(Entry::layer_order);
        let index = Arc::new(LayerIndex::from_entries(entries));
        let limits = Limits::default();
        let root = RootFs::new(vec![Some(index)]);
        let files = Files::new(root, User::default(), 1_700_000_000, limits);
        shell::run(command, files, self, limits)
    }

    /// What came of it: output, errors with a `!` in front, status if it is not 0, and changes.
    pub(super) fn show(&self, words: &[&str]) -> String {
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
        for changed in outcome.files.changes().unwrap() {
            let attributes = &changed.attributes;
            let owner = (attributes.uid, attributes.gid, attributes.mode);
            let what = match &changed.node {
                ChangedNode::Gone => "gone".to_owned(),
                ChangedNode::File(data) => format!("{:o} {} bytes", owner.2, data.size()),
                ChangedNode::Directory { .. } => format!("{:o} directory of {}", owner.2, owner.0),
                other => format!("{other:?}"),
            };
            lines.push(format!("/{}: {what}", changed.path));
        }
        lines.join("\n")
    }
}

/// The configuration of the image, with options of the command line.
pub(super) fn configured(process: &mut Process<'_, '_>) -> Configuration {
    let options = process.arguments().iter().filter(|word| word.contains(&b'='));
    let given: Vec<Given> = options.cloned().map(Given::Option).collect();
    Configuration::load(process, "apt-get", &["amd64"], &given).unwrap()
}

impl shell::Outside for Trial {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        Ok(Arc::clone(&self.bytes.lock().unwrap()[&stored.content.digest]))
    }

    fn archive(&self, _: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        Ok(None)
    }

    fn download(&self, url: &str) -> Result<Fetched, Stop> {
        Err(Stop::Missing(Missing::Download { url: url.to_owned() }))
    }

    fn program(&self, process: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        if process.name() == "apt-get" {
            return Some((self.body)(process, self));
        }
        crate::program(process, self)
    }
}

impl crate::Outside for Trial {
    fn fetch(&self, fetches: &[Fetch]) -> Result<Vec<Option<Stored>>, Stop> {
        self.asked.lock().unwrap().push(fetches.to_vec());
        Ok(fetches.iter().map(|fetch| self.urls.get(&fetch.url).cloned()).collect())
    }

    fn indexes(&self, _: &Digest, files: &[ListFile]) -> Result<Vec<Arc<PackageIndex>>, Stop> {
        Ok(files.iter().map(|_| Arc::new(PackageIndex::read(&b""[..]).unwrap())).collect())
    }

    fn vouched(&self, file: &Stored) -> Option<Arc<[u8]>> {
        self.vouched.get(&file.content.digest).cloned()
    }

    fn debs(&self, _: &[DebSource]) -> Result<Vec<Arc<Deb>>, Stop> {
        Err(Stop::Missing(Missing::Told))
    }

    fn elf(&self, _: &[Stored]) -> Result<Vec<Option<Elf>>, Stop> {
        Err(Stop::Missing(Missing::Told))
    }

    fn now(&self) -> i64 {
        self.now
    }

    fn note_installed(&self, _: Installed) {}
}
