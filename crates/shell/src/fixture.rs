//! A small image to try commands in.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use bstr::{BString, ByteSlice};
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath, Platform};

use crate::data::Stored;
use crate::files::{ChangedNode, Files, User};
use crate::outside::{Fetched, Outside};
use crate::process::Process;
use crate::stop::{Missing, Stop};
use crate::{Channel, Command, Limits, Outcome};

/// The time that everything new gets.
pub(crate) const CLOCK: i64 = 1_700_000_000;

/// An image, and what is outside of it.
pub(crate) struct Image {
    entries: Vec<Entry>,
    bytes: HashMap<Digest, Arc<[u8]>>,
    /// Tar archives by digest.
    pub(crate) archives: HashMap<Digest, Arc<LayerIndex>>,
    /// By URL.
    pub(crate) downloads: HashMap<String, Fetched>,
    /// Who runs commands.
    pub(crate) user: User,
    /// The environment.
    pub(crate) environment: BTreeMap<BString, BString>,
    /// The working directory.
    pub(crate) directory: ImagePath,
    /// Bounds.
    pub(crate) limits: Limits,
}

impl Image {
    /// A root file system with `/bin` in `/usr`, every program that is built in, dash as `sh`,
    /// bash, the usual users, and an empty directory `/work`, in which commands run.
    pub(crate) fn new() -> Self {
        let mut image = Image {
            entries: Vec::new(),
            bytes: HashMap::new(),
            archives: HashMap::new(),
            downloads: HashMap::new(),
            user: User::default(),
            environment: BTreeMap::new(),
            directory: ImagePath::lexical("work"),
            limits: Limits::default(),
        };
        image.environment.insert("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into());
        image.environment.insert("HOME".into(), "/root".into());
        for directory in ["etc", "home", "usr", "usr/bin", "usr/local", "usr/local/bin", "work"] {
            image.directory(directory, 0o755);
        }
        image.directory("root", 0o700);
        image.directory("tmp", 0o1777);
        image.link("bin", "usr/bin");
        for name in crate::programs::names().filter(|name| *name != "sh") {
            image.file(&format!("usr/bin/{name}"), "\u{7f}ELF", 0o755);
        }
        image.link("usr/bin/sh", "dash");
        image.file("etc/passwd", PASSWD, 0o644);
        image.file("etc/group", GROUP, 0o644);
        image.file("etc/shadow", SHADOW, 0o640);
        image.file("etc/gshadow", GSHADOW, 0o640);
        image
    }

    /// A directory of root's.
    pub(crate) fn directory(&mut self, path: &str, mode: u32) -> &mut Self {
        self.entry(path, mode, Node::Directory)
    }

    /// A file of root's.
    pub(crate) fn file(&mut self, path: &str, text: impl AsRef<[u8]>, mode: u32) -> &mut Self {
        let content = Content::of(text.as_ref());
        self.bytes.insert(content.digest, Arc::from(text.as_ref()));
        self.entry(path, mode, Node::File(content))
    }

    /// A symbolic link.
    pub(crate) fn link(&mut self, path: &str, target: &str) -> &mut Self {
        self.entry(path, 0o777, Node::Symlink(target.as_bytes().to_vec()))
    }

    /// Anything.
    pub(crate) fn entry(&mut self, path: &str, mode: u32, node: Node) -> &mut Self {
        let path = ImagePath::lexical(path);
        self.entries.retain(|entry| entry.path != path);
        self.entries.push(Entry { path, attributes: Attributes::root(mode, 1000), node });
        self
    }

    /// The bytes of a file that is in no layer, such as a download.
    pub(crate) fn known(&mut self, bytes: &[u8]) -> Content {
        let content = Content::of(bytes);
        self.bytes.insert(content.digest, Arc::from(bytes));
        content
    }

    /// The files, before anything runs.
    pub(crate) fn files(&self) -> Files {
        let mut entries = self.entries.clone();
        entries.sort_by(Entry::layer_order);
        let index = Arc::new(LayerIndex::from_entries(entries));
        Files::new(RootFs::new(vec![Some(index)]), self.user.clone(), CLOCK, self.limits)
    }

    /// Runs a program of the table with these words, without a shell.
    pub(crate) fn run(&self, words: &[&str]) -> Result<Outcome, Stop> {
        let command = Command {
            words: words.iter().map(|word| BString::from(*word)).collect(),
            environment: self.environment.clone(),
            directory: self.directory.clone(),
            platform: Platform::linux("amd64"),
        };
        crate::run(command, self.files(), self, self.limits)
    }

    /// What came of it, as text: output, errors with a `!` in front, status if it is not 0, and
    /// changed paths. Refusals and limits are one line.
    pub(crate) fn show(&self, words: &[&str]) -> String {
        match self.run(words) {
            Ok(outcome) => self.shown(&outcome),
            Err(Stop::Refused(refusal)) => format!("refused: {refusal}"),
            Err(Stop::Limit(limit)) => format!("limit: {limit}"),
            Err(Stop::Missing(missing)) => format!("missing: {missing:?}"),
        }
    }

    /// The same for a script of `/bin/sh`.
    pub(crate) fn sh(&self, script: &str) -> String {
        self.show(&["/bin/sh", "-c", script])
    }

    /// The same for one of bash.
    pub(crate) fn bash(&self, script: &str) -> String {
        self.show(&["/bin/bash", "-c", script])
    }

    fn shown(&self, outcome: &Outcome) -> String {
        let mut lines = Vec::new();
        for (channel, bytes) in outcome.transcript.pieces() {
            let mark = if *channel == Channel::Errors { "!" } else { "" };
            lines.extend(bytes.lines().map(|line| format!("{mark}{}", line.as_bstr())));
        }
        if outcome.status != 0 {
            lines.push(format!("status {}", outcome.status));
        }
        for changed in outcome.files.changes().expect("the layer is loaded") {
            let crate::Changed { path, attributes, node } = changed;
            let owner = match (attributes.uid, attributes.gid) {
                (0, 0) => String::new(),
                (uid, gid) => format!(" {uid}:{gid}"),
            };
            let mode = attributes.mode;
            lines.push(match node {
                ChangedNode::Gone => format!("- /{path}"),
                ChangedNode::File(data) => {
                    let bytes = match &data {
                        crate::Data::Inline(bytes) => bytes.to_vec(),
                        crate::Data::Stored(stored) => {
                            let bytes = self.bytes.get(&stored.content.digest);
                            bytes.map_or_else(|| b"(elsewhere)".to_vec(), |bytes| bytes.to_vec())
                        }
                    };
                    format!("+ /{path} {mode:o}{owner} {:?}", bytes.as_bstr())
                }
                ChangedNode::Directory { below } => match below {
                    crate::files::Below::Shown => format!("+ /{path}/ {mode:o}{owner}"),
                    crate::files::Below::Hidden => format!("+ /{path}/ {mode:o}{owner} (opaque)"),
                },
                ChangedNode::Symlink(target) => {
                    format!("+ /{path} -> {}{owner}", target.as_bstr())
                }
                ChangedNode::Hardlink(target) => format!("+ /{path} = /{target}"),
                other => format!("+ /{path} {mode:o}{owner} {other:?}"),
            });
        }
        lines.join("\n")
    }
}

impl Outside for Image {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        let Stored { content, origin } = stored;
        let missing = Missing::Bytes { content: *content, origin: Arc::clone(origin) };
        self.bytes.get(&content.digest).cloned().ok_or(Stop::Missing(missing))
    }

    fn archive(&self, stored: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        Ok(self.archives.get(&stored.content.digest).cloned())
    }

    fn download(&self, url: &str) -> Result<Fetched, Stop> {
        let missing = Missing::Download { url: url.to_owned() };
        self.downloads.get(url).cloned().ok_or(Stop::Missing(missing))
    }

    fn program(&self, _: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        None
    }
}

const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n\
    daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n\
    www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin\n\
    nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n";
const GROUP: &str = "root:x:0:\ndaemon:x:1:\nstaff:x:50:\nwww-data:x:33:\nnogroup:x:65534:\n";
const SHADOW: &str = "root:*:19600:0:99999:7:::\ndaemon:*:19600:0:99999:7:::\n\
    www-data:*:19600:0:99999:7:::\nnobody:*:19600:0:99999:7:::\n";
const GSHADOW: &str = "root:*::\ndaemon:*::\nstaff:*::\nwww-data:*::\nnogroup:*::\n";
