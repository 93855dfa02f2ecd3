//! What a root directory holds, and what a script has changed in it, on either side.

use std::collections::{BTreeMap, BTreeSet};

use bstr::ByteSlice;
use layer::{LayerIndex, Node};
use oci::ImagePath;
use shell::files::Below;
use shell::{Changed, ChangedNode, Data, Files};
use testbed::shells::{Ran, Upper, UpperKind};

use crate::{Answer, Bytes, Kind, State};

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
