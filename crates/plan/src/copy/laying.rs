//! The entries of a layer while they are gathered, each put where it belongs on what lies below.
//!
//! Directories that exist below are not laid again, and a path below a symbolic link lands where
//! the link points. One exception: an existing directory that is not what a runtime makes of a
//! missing one (0755, root) is laid again with *its own* attributes once something goes into it.
//! Overlay-based runtimes unpack each layer by itself, so an implied `/tmp` would come out as 0755
//! and hide the 1777 of the base.

use std::collections::{BTreeMap, HashMap};

use layer::{Attributes, Content, Entry, Node};
use oci::ImagePath;
use recipe::Span;

use super::sources::LinkKey;
use crate::error::{PlanError, Step};
use crate::facts::Needs;
use crate::owner::Ids;
use crate::tree::Tree;

/// How many links are followed before a path is taken to lead nowhere (Linux's ELOOP).
const MAX_LINKS: usize = 40;
/// What a runtime gives a directory that a layer implies.
const IMPLIED_MODE: u32 = 0o755;

/// A layer's entries to be, over what lies below.
#[derive(Debug)]
pub(crate) struct Laying {
    below: Option<Tree>,
    entries: BTreeMap<ImagePath, (Entry, Option<LinkKey>)>,
    /// Directories of the tree below that need their attributes repeated if they are written into.
    special: BTreeMap<ImagePath, Attributes>,
    /// Directories as they were named, and where they really are.
    real: HashMap<ImagePath, ImagePath>,
    /// Who owns the directories that have to be made on the way.
    owner: Ids,
    mtime: i64,
}

/// What placing an entry means where something stands already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Placing {
    /// An existing directory stays as it is.
    Plain,
    /// An existing directory takes the entry's attributes.
    Attributes,
    /// The entry is one name of a file that may have others.
    LinkOf(LinkKey),
}

impl Laying {
    /// A layer over `below`, or over nothing that is known; directories that have to be made are
    /// `owner`'s.
    pub(crate) fn new(below: Option<Tree>, owner: Ids, mtime: i64) -> Self {
        let (entries, special, real) = Default::default();
        Laying { below, entries, special, real, owner, mtime }
    }

    /// Sees to it that `path` is a directory, making what is missing; returns where it really is.
    pub(crate) fn directory(
        &mut self,
        path: &ImagePath,
        span: &Span,
        needs: &mut Needs,
    ) -> Step<ImagePath> {
        self.directory_within(path, MAX_LINKS, span, needs)
    }

    fn directory_within(
        &mut self,
        path: &ImagePath,
        links: usize,
        span: &Span,
        needs: &mut Needs,
    ) -> Step<ImagePath> {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
            return Ok(ImagePath::root());
        };
        if let Some(real) = self.real.get(path) {
            return Ok(real.clone());
        }
        let parent = self.directory_within(&parent, links, span, needs)?;
        let candidate = parent.join(name);
        let real = match self.at(&candidate, needs)? {
            None => {
                let mut attributes = Attributes::root(IMPLIED_MODE, self.mtime);
                (attributes.uid, attributes.gid) = (self.owner.uid, self.owner.gid);
                let entry = Entry { path: candidate.clone(), attributes, node: Node::Directory };
                self.entries.insert(candidate.clone(), (entry, None));
                candidate
            }
            Some(entry) => match entry.node {
                Node::Directory => {
                    self.note_special(&candidate, &entry.attributes);
                    candidate
                }
                Node::Symlink(target) if links > 0 => {
                    let target = link_target(&parent, &target);
                    self.directory_within(&target, links - 1, span, needs)?
                }
                Node::Symlink(_) => return Err(link_loop(&candidate, span).into()),
                _ => return Err(not_a_directory(&candidate, span).into()),
            },
        };
        self.real.insert(path.clone(), real.clone());
        Ok(real)
    }

    /// Whether `path` is a directory already.
    pub(crate) fn is_directory(&self, path: &ImagePath, needs: &mut Needs) -> Step<bool> {
        let mut path = path.clone();
        for _ in 0..MAX_LINKS {
            if path.is_root() || self.real.contains_key(&path) {
                return Ok(true);
            }
            match self.at(&path, needs)?.map(|entry| entry.node) {
                Some(Node::Directory) => return Ok(true),
                Some(Node::Symlink(target)) => {
                    let parent = path.parent().unwrap_or_else(ImagePath::root);
                    path = link_target(&parent, &target);
                }
                Some(_) => return Ok(false),
                // The path may go through a link further up.
                None => {
                    let Some(tree) = &self.below else { return Ok(false) };
                    let found = tree.find(&path, needs)?;
                    return Ok(found.is_some_and(|found| found.entry.node == Node::Directory));
                }
            }
        }
        Ok(false)
    }

    /// Puts `entry` at its path, making the directories above it.
    pub(crate) fn place(
        &mut self,
        mut entry: Entry,
        placing: Placing,
        span: &Span,
        needs: &mut Needs,
    ) -> Step<()> {
        let named = entry.path.clone();
        let (Some(parent), Some(name)) = (named.parent(), named.file_name()) else {
            return Ok(());
        };
        let path = self.directory(&parent, span, needs)?.join(name);
        entry.path = path.clone();
        let there = self.at(&path, needs)?;
        if entry.node == Node::Directory {
            return self.place_directory(named, entry, there, &placing, span, needs);
        }
        if there.is_some_and(|there| there.node == Node::Directory) {
            let message = format!("`/{path}` is a directory, and a file cannot take its place");
            return Err(PlanError::files(span.clone(), message).into());
        }
        let link = match placing {
            Placing::LinkOf(key) => Some(key),
            Placing::Plain | Placing::Attributes => None,
        };
        self.entries.insert(path, (entry, link));
        Ok(())
    }

    fn place_directory(
        &mut self,
        named: ImagePath,
        mut entry: Entry,
        there: Option<Entry>,
        placing: &Placing,
        span: &Span,
        needs: &mut Needs,
    ) -> Step<()> {
        let take_attributes = *placing == Placing::Attributes;
        match there.map(|there| (there.node, there.attributes)) {
            None => {}
            Some((Node::Directory, _)) if take_attributes => {}
            Some((Node::Directory, attributes)) => {
                self.note_special(&entry.path, &attributes);
                self.real.insert(named, entry.path);
                return Ok(());
            }
            Some((Node::Symlink(_), _)) => {
                let real = self.directory(&named, span, needs)?;
                if !take_attributes {
                    return Ok(());
                }
                entry.path = real;
            }
            Some(_) => return Err(not_a_directory(&entry.path, span).into()),
        }
        self.real.insert(named, entry.path.clone());
        self.entries.insert(entry.path.clone(), (entry, None));
        Ok(())
    }

    /// What stands at `path`: in this layer, else below it.
    fn at(&self, path: &ImagePath, needs: &mut Needs) -> Step<Option<Entry>> {
        if let Some((entry, _)) = self.entries.get(path) {
            return Ok(Some(entry.clone()));
        }
        let Some(tree) = &self.below else { return Ok(None) };
        // What lies below a directory that this layer makes is not there.
        if path.ancestors().any(|above| {
            self.entries.get(&above).is_some_and(|(entry, _)| entry.node != Node::Directory)
        }) {
            return Ok(None);
        }
        Ok(tree.lookup(path, needs)?.map(|found| found.entry))
    }

    fn note_special(&mut self, path: &ImagePath, attributes: &Attributes) {
        let implied = attributes.mode == IMPLIED_MODE && attributes.uid == 0 && attributes.gid == 0;
        if !implied && !self.entries.contains_key(path) {
            self.special.insert(path.clone(), attributes.clone());
        }
    }

    /// The layer's entries, sorted, the names of one file tied together.
    pub(crate) fn finish(mut self) -> Vec<Entry> {
        let special = std::mem::take(&mut self.special);
        for (path, attributes) in special {
            let mut after = self.entries.range(path.clone()..);
            let written_into = after.any(|(next, _)| *next != path && next.starts_with(&path));
            if written_into && !self.entries.contains_key(&path) {
                let entry = Entry { path: path.clone(), attributes, node: Node::Directory };
                self.entries.insert(path, (entry, None));
            }
        }
        let mut first: HashMap<LinkKey, (ImagePath, Content, Attributes)> = HashMap::new();
        let mut entries = Vec::with_capacity(self.entries.len());
        for (mut entry, link) in self.entries.into_values() {
            if let (Some(key), Node::File(content)) = (link, &entry.node) {
                match first.get(&key) {
                    Some((path, known, attributes))
                        if known == content && *attributes == entry.attributes =>
                    {
                        entry.node = Node::Hardlink(path.clone());
                    }
                    Some(_) => {}
                    None => {
                        let name = (entry.path.clone(), *content, entry.attributes.clone());
                        first.insert(key, name);
                    }
                }
            }
            entries.push(entry);
        }
        entries
    }
}

/// Where a link in `directory` points, inside of the image.
fn link_target(directory: &ImagePath, target: &[u8]) -> ImagePath {
    if target.starts_with(b"/") { ImagePath::lexical(target) } else { directory.join(target) }
}

fn not_a_directory(path: &ImagePath, span: &Span) -> PlanError {
    PlanError::files(span.clone(), format!("`/{path}` of the image is a file, and no directory"))
}

fn link_loop(path: &ImagePath, span: &Span) -> PlanError {
    PlanError::base(span.clone(), format!("`/{path}` of the image is a link that leads to itself"))
}
