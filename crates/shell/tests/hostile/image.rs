//! An image to be hostile to, all of it in memory.

use std::collections::HashMap;
use std::fmt::Write;
use std::io::Write as _;
use std::sync::{Arc, LazyLock};

use bstr::BString;
use layer::{Attributes, Content, Entry, LayerIndex, Node, RootFs};
use oci::{Digest, ImagePath, Platform};
use shell::{
    Channel, Command, Fetched, Files, Limits, Missing, Origin, Outcome, Outside, Process, Stop,
    Stored, User,
};

/// Bounds so tight that a test is quick.
pub(crate) const LIMITS: Limits =
    Limits { steps: 20_000, bytes: 8 << 20, depth: 200, files: 250_000 };
/// So many files are in `/many`.
const MANY: usize = 100_000;

/// The image, and the bytes of its files.
pub(crate) struct Image {
    index: Arc<LayerIndex>,
    bytes: HashMap<Digest, Arc<[u8]>>,
}

/// The one that all lines are evaluated in.
pub(crate) static IMAGE: LazyLock<Image> = LazyLock::new(Image::new);

impl Image {
    fn new() -> Self {
        let mut draft = Draft { entries: Vec::new(), bytes: HashMap::new() };
        for directory in ["etc", "home", "many", "root", "tmp", "usr", "usr/bin", "work"] {
            draft.put(directory, Node::Directory);
        }
        draft.put("bin", Node::Symlink(b"usr/bin".to_vec()));
        draft.put("usr/bin/sh", Node::Symlink(b"dash".to_vec()));
        for name in shell::programs::names().filter(|name| *name != "sh") {
            draft.file(&format!("usr/bin/{name}"), b"\x7fELF");
        }
        draft.file("etc/passwd", b"root:x:0:0:root:/root:/bin/bash\n");
        draft.file("etc/group", b"root:x:0:\n");
        draft.file("tmp/zeros.gz", &zeros());
        draft.file("tmp/up.tar", &tar(&[("../../etc/escaped", b'0', "", b"x")]));
        draft.file("tmp/absolute.tar", &tar(&[("/etc/escaped", b'0', "", b"x")]));
        let members: [Member<'_>; 2] =
            [("link", b'2', "../../../../etc", b""), ("link/escaped", b'0', "", b"x")];
        draft.file("tmp/link.tar", &tar(&members));
        draft.file("tmp/hard.tar", &tar(&[("hard", b'1', "../../../etc/passwd", b"")]));
        let same = draft.content(b"x\n");
        for number in 0..MANY {
            draft.put(&format!("many/file-{number:06}"), Node::File(same));
        }
        draft.entries.sort_by(Entry::layer_order);
        Image { index: Arc::new(LayerIndex::from_entries(draft.entries)), bytes: draft.bytes }
    }

    /// Evaluates a script.
    pub(crate) fn run(&self, shell: &str, script: &str, limits: Limits) -> Result<Outcome, Stop> {
        let path = format!("/bin/{shell}");
        let environment = [("PATH", "/usr/bin:/bin"), ("HOME", "/root")];
        let command = Command {
            words: [&path, "-c", script].map(BString::from).into(),
            environment: environment.map(|(name, value)| (name.into(), value.into())).into(),
            directory: ImagePath::lexical("work"),
            platform: Platform::linux("amd64"),
        };
        let root = RootFs::new(vec![Some(Arc::clone(&self.index))]);
        let files = Files::new(root, User::default(), 1_700_000_000, limits);
        shell::run(command, files, self, limits)
    }

    /// What came of a script, in a line.
    pub(crate) fn outcome(&self, shell: &str, script: &str, limits: Limits) -> String {
        match self.run(shell, script, limits) {
            Ok(outcome) => {
                let mut shown = format!("status {}", outcome.status);
                for (mark, channel) in [("", Channel::Output), ("!", Channel::Errors)] {
                    let said = outcome.transcript.of(channel);
                    if let Some(line) = said.split(|byte| *byte == b'\n').next()
                        && !line.is_empty()
                    {
                        let line = String::from_utf8_lossy(&line[..line.len().min(60)]);
                        write!(shown, ", {mark}{}", line.trim_end()).expect("it fits");
                    }
                }
                outcome.files.changes().map_or_else(|_| "changes are not known".into(), |_| shown)
            }
            Err(Stop::Refused(refusal)) => {
                let refusal = refusal.to_string();
                format!("refused: {}", refusal.chars().take(70).collect::<String>().trim_end())
            }
            Err(Stop::Limit(limit)) => format!("limit: {limit}"),
            Err(Stop::Missing(missing)) => format!("missing: {missing:?}"),
        }
    }
}

/// An image that is being made.
struct Draft {
    entries: Vec<Entry>,
    bytes: HashMap<Digest, Arc<[u8]>>,
}

impl Draft {
    fn put(&mut self, path: &str, node: Node) {
        let attributes = Attributes::root(0o755, 1000);
        self.entries.push(Entry { path: ImagePath::lexical(path), attributes, node });
    }

    fn content(&mut self, bytes: &[u8]) -> Content {
        let content = Content::of(bytes);
        self.bytes.insert(content.digest, Arc::from(bytes));
        content
    }

    fn file(&mut self, path: &str, bytes: &[u8]) {
        let content = self.content(bytes);
        self.put(path, Node::File(content));
    }
}

impl Outside for Image {
    fn bytes(&self, stored: &Stored) -> Result<Arc<[u8]>, Stop> {
        let Stored { content, origin } = stored;
        let missing = Missing::Bytes { content: *content, origin: Arc::clone(origin) };
        if let Origin::Member { .. } = **origin {
            return Ok(Arc::from(&b"x"[..]));
        }
        self.bytes.get(&content.digest).cloned().ok_or(Stop::Missing(missing))
    }

    fn archive(&self, stored: &Stored) -> Result<Option<Arc<LayerIndex>>, Stop> {
        let bytes = self.bytes(stored)?;
        let index = LayerIndex::read(&bytes[..], &layer::Limits::default());
        Ok(index.ok().map(|(index, _)| Arc::new(index)))
    }

    fn download(&self, _: &str) -> Result<Fetched, Stop> {
        Ok(Fetched::Status(404))
    }

    fn program(&self, _: &mut Process<'_, '_>) -> Option<Result<u8, Stop>> {
        None
    }
}

/// A gigabyte of zeros, as a megabyte of gzip.
fn zeros() -> Vec<u8> {
    let mut member = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    for _ in 0..64 {
        member.write_all(&[0; 1 << 20]).expect("memory is written to");
    }
    member.finish().expect("memory is written to").repeat(16)
}

/// A name, a type, what it links to, and bytes.
type Member<'a> = (&'a str, u8, &'a str, &'a [u8]);

/// A tar that nothing has looked at (POSIX `pax`, "ustar Interchange Format").
fn tar(members: &[Member<'_>]) -> Vec<u8> {
    let mut tar = Vec::new();
    for (name, kind, link, bytes) in members {
        let mut header = [0; 512];
        let mut put = |at: usize, text: &[u8]| header[at..at + text.len()].copy_from_slice(text);
        put(0, name.as_bytes());
        put(100, b"0000644\x000000000\x000000000\x00");
        put(124, format!("{:011o}\0{:011o}\0", bytes.len(), 1000).as_bytes());
        put(148, b"        ");
        put(156, &[*kind]);
        put(157, link.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        tar.extend_from_slice(&header);
        tar.extend_from_slice(bytes);
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    tar
}
