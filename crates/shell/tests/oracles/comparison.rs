//! Two answers to a script as values that can be compared, and their difference in words.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use bstr::{BString, ByteSlice};
use layer::{Content, LayerIndex, Node};
use oci::ImagePath;
use shell::files::Below;
use shell::{Changed, ChangedNode, Data, Files};
use testbed::shells::{Ran, Upper, UpperKind};

/// What became of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// It came to its end.
    Ran {
        status: u8,
        stdout: Vec<u8>,
        stderr: Vec<u8>,
        /// Each path that is not as in the base.
        tree: BTreeMap<String, State>,
    },
    /// It was not evaluated, because of this.
    Refused(String),
}

/// What is at a path in the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum State {
    Gone,
    Here {
        kind: Kind,
        mode: u32,
        owner: (u32, u32),
        /// The time, if the script itself set it or left it; `None` for the time of the run.
        time: Option<i64>,
        /// The first of the file's names, if it has several.
        first_name: Option<String>,
    },
}

/// What kind of thing it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    File(Bytes),
    Directory,
    Link(String),
    Fifo,
    Special,
}

/// A file's bytes, or only their name if nobody looked.
#[derive(Debug, Clone)]
pub(crate) enum Bytes {
    Known(Vec<u8>),
    Named(Content),
}

/// Everything that the base has.
pub(crate) struct Base(BTreeMap<String, State>);

/// Files that real programs write anew each time: with the time to the second, and inode numbers.
const UNSTEADY: [&str; 2] = ["var/cache/ldconfig/aux-cache", "var/log/alternatives.log"];

/// Runs may begin within the second that files are stamped with.
const SLACK: i64 = 2;

impl Base {
    pub(crate) fn of(index: &LayerIndex) -> Self {
        let entry = |entry: &layer::Entry| {
            let node = match &entry.node {
                Node::Hardlink(target) => &index.entry(target).unwrap().node,
                node => node,
            };
            let kind = match node {
                Node::File(content) => Kind::File(Bytes::Named(*content)),
                Node::Directory => Kind::Directory,
                Node::Symlink(target) => Kind::Link(target.to_str_lossy().into()),
                Node::Fifo => Kind::Fifo,
                _ => Kind::Special,
            };
            let at = &entry.attributes;
            let state = State::here(kind, at.mode, (at.uid, at.gid), Some(at.mtime));
            (entry.path.to_string(), state)
        };
        Base(index.entries().iter().map(entry).collect())
    }

    /// What a real shell did; `began` is when.
    pub(crate) fn real_answer(&self, ran: Ran, began: i64) -> Answer {
        let mut first_names: BTreeMap<u64, String> = BTreeMap::new();
        let mut tree = Tree::over(self);
        for upper in &ran.changes {
            let Upper { path, kind, mode, uid, gid, mtime, shared } = upper;
            let kind = match kind {
                UpperKind::Gone => {
                    tree.take_away(path);
                    continue;
                }
                UpperKind::File(bytes) => Kind::File(Bytes::Known(bytes.clone())),
                UpperKind::Directory => Kind::Directory,
                UpperKind::Opaque => {
                    tree.take_away(path);
                    Kind::Directory
                }
                UpperKind::Link(target) => Kind::Link(target.clone()),
                UpperKind::Fifo => Kind::Fifo,
                UpperKind::Special => Kind::Special,
            };
            let time = (*mtime < began - SLACK || *mtime > began + 3600).then_some(*mtime);
            let mut state = State::here(kind, *mode, (*uid, *gid), time);
            if let (Some(inode), State::Here { first_name, .. }) = (shared, &mut state) {
                let first = first_names.entry(*inode).or_insert_with(|| path.clone());
                *first_name = Some(first.clone());
            }
            tree.put(path, state);
        }
        let Ran { status, stdout, stderr, .. } = ran;
        Answer::Ran { status, stdout, stderr, tree: tree.changes() }
    }

    /// What an evaluation left; `clock` is its time.
    pub(crate) fn evaluated_tree(
        &self,
        files: &Files,
        clock: i64,
        bytes: impl Fn(&Data) -> Vec<u8>,
    ) -> BTreeMap<String, State> {
        let changes = files.changes().unwrap();
        let mut tree = Tree::over(self);
        let linked: BTreeSet<&ImagePath> = changes
            .iter()
            .filter_map(|changed| match &changed.node {
                ChangedNode::Hardlink(first) => Some(first),
                _ => None,
            })
            .collect();
        for Changed { path, attributes, node } in &changes {
            let name = path.to_string();
            let kind = match node {
                ChangedNode::Gone => {
                    tree.take_away(&name);
                    continue;
                }
                ChangedNode::File(data) => Kind::File(Bytes::Known(bytes(data))),
                ChangedNode::Directory { below: Below::Shown } => Kind::Directory,
                ChangedNode::Directory { below: Below::Hidden } => {
                    tree.take_away(&name);
                    Kind::Directory
                }
                ChangedNode::Symlink(target) => Kind::Link(target.to_str_lossy().into()),
                ChangedNode::Hardlink(first) => match tree.0.get(&first.to_string()) {
                    Some(State::Here { kind, .. }) => kind.clone(),
                    other => unreachable!("{name} is another name of {first}, which is {other:?}"),
                },
                ChangedNode::Fifo => Kind::Fifo,
                ChangedNode::CharDevice { .. } | ChangedNode::BlockDevice { .. } => Kind::Special,
            };
            let first = match node {
                ChangedNode::Hardlink(first) => Some(first.to_string()),
                _ => linked.contains(path).then(|| name.clone()),
            };
            let time = (attributes.mtime != clock).then_some(attributes.mtime);
            let owner = (attributes.uid, attributes.gid);
            let mut state = State::here(kind, attributes.mode, owner, time);
            if let State::Here { first_name, .. } = &mut state {
                *first_name = first;
            }
            tree.put(&name, state);
        }
        tree.changes()
    }
}

/// What has changed, over a base.
struct Tree<'a>(BTreeMap<String, State>, &'a Base);

impl<'a> Tree<'a> {
    fn over(base: &'a Base) -> Self {
        Tree(BTreeMap::new(), base)
    }

    /// Nothing of the base is at or below `path`.
    fn take_away(&mut self, path: &str) {
        let inner = format!("{path}/");
        let base = self.1.0.range(path.to_owned()..);
        let gone = base
            .take_while(|(at, _)| at.starts_with(path))
            .filter(|(at, _)| *at == path || at.starts_with(&inner));
        self.0.extend(gone.map(|(at, _)| (at.clone(), State::Gone)));
    }

    fn put(&mut self, path: &str, state: State) {
        if !matches!(state, State::Here { kind: Kind::Directory, .. }) {
            self.take_away(path);
        }
        self.0.insert(path.to_owned(), state);
    }

    /// Without what came out as it was. A directory's time changes with what is in it, so it does
    /// not count unless it was set.
    fn changes(self) -> BTreeMap<String, State> {
        let Tree(mut changes, base) = self;
        for (path, state) in &mut changes {
            let below = base.0.get(path);
            if let State::Here { kind: Kind::Directory, time, .. } = state
                && let Some(State::Here { time: before, .. }) = below
                && (time.is_none() || time == before)
            {
                *time = *before;
            }
        }
        changes.retain(|path, state| base.0.get(path) != Some(state));
        changes.retain(|path, _| !UNSTEADY.contains(&&path[..]));
        changes
    }
}

impl State {
    fn here(kind: Kind, mode: u32, owner: (u32, u32), time: Option<i64>) -> Self {
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

impl Answer {
    /// In words, as much of it as one wants to read.
    pub(crate) fn shown(&self) -> String {
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
    pub(crate) fn shown(&self) -> String {
        let State::Here { kind, mode, owner: (uid, gid), time, first_name } = self else {
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
        let time = time.map(|time| format!(" time {time}")).unwrap_or_default();
        let name = first_name.as_ref().map(|name| format!(" = /{name}")).unwrap_or_default();
        format!("{kind} {mode:04o} {uid}:{gid}{time}{name}")
    }
}
