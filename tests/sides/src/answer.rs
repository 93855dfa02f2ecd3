//! What came of a script as a value that can be compared, and a difference in words.

use std::collections::BTreeMap;
use std::fmt::Write;

use bstr::{BString, ByteSlice};
use layer::Content;

/// What became of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It came to its end.
    Ran {
        /// The exit status.
        status: u8,
        /// Its output.
        stdout: Vec<u8>,
        /// Its errors.
        stderr: Vec<u8>,
        /// Each path that is not as in the base.
        tree: BTreeMap<String, State>,
    },
    /// It was not evaluated, because of this.
    Refused(String),
}

/// What is at a path in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// Nothing is.
    Gone,
    /// Something is.
    Here {
        /// What it is.
        kind: Kind,
        /// Permission bits with set-id and sticky bits.
        mode: u32,
        /// User and group.
        owner: (u32, u32),
        /// The time, if the script itself set it or left it; `None` for the time of the run.
        time: Option<i64>,
        /// The first of the file's names, if it has several.
        first_name: Option<String>,
    },
}

/// What kind of thing it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// A file.
    File(Bytes),
    /// A directory.
    Directory,
    /// A symbolic link, and where it leads to.
    Link(String),
    /// A named pipe.
    Fifo,
    /// A device or socket.
    Special,
}

/// A file's bytes, or only their name if nobody looked.
#[derive(Debug, Clone)]
pub enum Bytes {
    /// They are these.
    Known(Vec<u8>),
    /// They have this digest.
    Named(Content),
}

impl State {
    pub(crate) fn here(kind: Kind, mode: u32, owner: (u32, u32), time: Option<i64>) -> Self {
        let mode = if matches!(kind, Kind::Link(_)) { 0o777 } else { mode };
        State::Here { kind, mode, owner, time, first_name: None }
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Bytes::Known(one), Bytes::Known(other)) => one == other,
            _ => self.content() == other.content(),
        }
    }
}

impl Eq for Bytes {}

impl Bytes {
    fn content(&self) -> Content {
        match self {
            Bytes::Known(bytes) => Content::of(bytes),
            Bytes::Named(content) => *content,
        }
    }
}

/// More lines of one side are not told.
const MOST_LINES: usize = 40;

/// The lines that only one of two answers has, and the first that is not the other's.
pub fn difference(real: &Answer, evaluated: &Answer) -> String {
    let (real, evaluated) = (real.lines(), evaluated.lines());
    let only = |mark: &str, of: &[String], other: &[String]| -> Vec<String> {
        let lines = of.iter().filter(|line| !other.contains(line));
        lines.take(MOST_LINES).map(|line| format!("{mark} {line:.300}")).collect()
    };
    let mut lines = only("real     ", &real, &evaluated);
    lines.extend(only("evaluated", &evaluated, &real));
    let first = real.iter().zip(&evaluated).find(|(one, other)| one != other);
    lines.extend(first.map(|(one, other)| format!("first: {one:.300}\n   not {other:.300}")));
    lines.join("\n")
}

impl Answer {
    /// All of it, each line of each file a line of its own.
    pub fn lines(&self) -> Vec<String> {
        let Answer::Ran { status, stdout, stderr, tree } = self else { return vec![self.shown()] };
        let text = |mark: &str, bytes: &[u8]| -> Vec<String> {
            let text = String::from_utf8_lossy(bytes);
            text.lines().map(|line| format!("{mark} {line}")).collect()
        };
        let mut lines = vec![format!("status {status}")];
        lines.extend(text("1>", stdout));
        lines.extend(text("2>", stderr));
        for (path, state) in tree {
            let State::Here { kind: Kind::File(Bytes::Known(bytes)), .. } = state else {
                lines.push(format!("/{path} {}", state.shown()));
                continue;
            };
            lines.push(format!("/{path} file{}", state.attributes()));
            lines.extend(text(&format!("/{path}:"), bytes));
        }
        lines
    }

    /// In words, as much of it as one wants to read.
    pub fn shown(&self) -> String {
        let mut shown = String::new();
        match self {
            Answer::Refused(why) => writeln!(shown, "  refused: {why}").unwrap(),
            Answer::Ran { status, stdout, stderr, tree } => {
                writeln!(shown, "  status {status}").unwrap();
                for (mark, bytes) in [("1>", stdout), ("2>", stderr)] {
                    for line in bytes.split_inclusive(|byte| *byte == b'\n').take(40) {
                        writeln!(shown, "  {mark} {}", BString::from(line).escaped()).unwrap();
                    }
                }
                for (path, state) in tree.iter().take(40) {
                    writeln!(shown, "  /{path} {}", state.shown()).unwrap();
                }
            }
        }
        shown
    }
}

/// Bytes in one line.
trait Escaped {
    fn escaped(&self) -> String;
}

impl Escaped for BString {
    fn escaped(&self) -> String {
        let shown = format!("{:?}", self.as_bstr());
        match shown.strip_suffix("\\n\"") {
            Some(line) => line[1..].to_owned(),
            None => format!("{shown} without newline"),
        }
    }
}

impl State {
    /// In words, in one line.
    pub fn shown(&self) -> String {
        let State::Here { kind, .. } = self else {
            return "gone".into();
        };
        let kind = match kind {
            Kind::File(Bytes::Known(bytes)) => {
                let start = &bytes[..bytes.len().min(400)];
                format!("file {:?}", start.as_bstr())
            }
            Kind::File(Bytes::Named(content)) => format!("file {}", content.digest),
            Kind::Directory => "directory".into(),
            Kind::Link(target) => format!("-> {target}"),
            Kind::Fifo => "pipe".into(),
            Kind::Special => "special".into(),
        };
        format!("{kind}{}", self.attributes())
    }

    /// Everything but what it is.
    fn attributes(&self) -> String {
        let State::Here { mode, owner: (uid, gid), time, first_name, .. } = self else {
            return String::new();
        };
        let time = time.map(|time| format!(" time {time}")).unwrap_or_default();
        let name = first_name.as_ref().map(|name| format!(" = /{name}")).unwrap_or_default();
        format!(" {mode:04o} {uid}:{gid}{time}{name}")
    }
}
