//! What a `COPY` can copy from: a context's listing, or the tree of a stage or an image.

use std::collections::BTreeMap;
use std::sync::Arc;

use context::{Kind, LastComponent, LinkGroup, Listed, Listing};
use layer::{Content, Node};
use oci::ImagePath;

use crate::ContextName;
use crate::error::Step;
use crate::facts::Needs;
use crate::outcome::Source;
use crate::owner::{self, Ids};
use crate::stage::StagePlanner;
use crate::tree::{Found, Tree};

/// Where sources are looked for.
#[derive(Debug, Clone)]
pub(crate) enum SourceTree {
    /// A context.
    Listing(ContextName, Arc<Listing>),
    /// An earlier stage or an image.
    Tree(Tree),
}

/// One path of a source.
#[derive(Debug, Clone)]
pub(crate) struct SourceEntry {
    pub(crate) path: ImagePath,
    pub(crate) mode: u32,
    pub(crate) owner: Ids,
    pub(crate) xattrs: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The time to keep. Files of a context have none of their own; those of a layer keep theirs,
    /// because Python's bytecode names the time of its source.
    pub(crate) mtime: Option<i64>,
    pub(crate) node: SourceNode,
}

/// What a source's path is.
#[derive(Debug, Clone)]
pub(crate) enum SourceNode {
    /// A regular file; `found` is set for a file of a tree.
    File {
        /// Which file this is one of the names of, where it may have several.
        link: Option<LinkKey>,
        /// The file in its tree.
        found: Option<Box<Found>>,
    },
    Directory,
    Symlink(Vec<u8>),
    /// What a context may hold and an image not take.
    Special(context::Special),
    /// Devices and pipes of a layer.
    Other(Node),
}

/// A file that may have several names: hard links of each other.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum LinkKey {
    /// A file of a context, by its number there.
    Context(LinkGroup),
    /// A file of a layer, by the name that holds its content.
    Layer(usize, ImagePath),
}

impl SourceTree {
    /// What stands at `path` itself.
    pub(crate) fn find(&self, path: &ImagePath, needs: &mut Needs) -> Step<Option<SourceEntry>> {
        if path.is_root() {
            return Ok(Some(root()));
        }
        match self {
            SourceTree::Listing(_, listing) => Ok(listing.get(path).map(of_listed)),
            SourceTree::Tree(tree) => Ok(tree.lookup(path, needs)?.map(of_found)),
        }
    }

    /// What `path` leads to with every link followed, none of them out of the source.
    pub(crate) fn resolve(&self, path: &ImagePath, needs: &mut Needs) -> Step<Option<SourceEntry>> {
        match self {
            SourceTree::Listing(_, listing) => match listing.resolve(path, LastComponent::Follow) {
                Ok(real) => self.find(&real, needs),
                Err(_) => Ok(None),
            },
            SourceTree::Tree(_) if path.is_root() => Ok(Some(root())),
            SourceTree::Tree(tree) => Ok(tree.find(path, needs)?.map(of_found)),
        }
    }

    /// Everything below `path`, sorted.
    pub(crate) fn below(&self, path: &ImagePath, needs: &mut Needs) -> Step<Vec<SourceEntry>> {
        match self {
            SourceTree::Listing(_, listing) => {
                Ok(listing.below(path).iter().map(of_listed).collect())
            }
            SourceTree::Tree(tree) => {
                Ok(tree.below(path, needs)?.into_iter().map(of_found).collect())
            }
        }
    }

    /// A file's content, with its source noted; or its path noted as missing.
    pub(crate) fn content(
        &self,
        entry: &SourceEntry,
        planner: &mut StagePlanner<'_, '_>,
        missing: &mut Vec<ImagePath>,
    ) -> Step<Option<Content>> {
        let (content, source) = match (self, &entry.node) {
            (SourceTree::Listing(name, _), _) => {
                let known = planner.shared.facts.contents.get(name);
                let Some(content) = known.and_then(|known| known.get(&entry.path)) else {
                    missing.push(entry.path.clone());
                    return Ok(None);
                };
                let (context, path) = (name.clone(), entry.path.clone());
                (*content, Source::Context { context, path })
            }
            (SourceTree::Tree(tree), SourceNode::File { found: Some(found), .. }) => {
                match tree.content(found, planner.shared, planner.needs)? {
                    Some(content) => content,
                    None => return Ok(None),
                }
            }
            (SourceTree::Tree(_), _) => return Ok(None),
        };
        planner.shared.sources.entry(content.digest).or_insert(source);
        Ok(Some(content))
    }
}

fn root() -> SourceEntry {
    SourceEntry {
        path: ImagePath::root(),
        mode: 0o755,
        owner: owner::ROOT,
        xattrs: BTreeMap::new(),
        mtime: None,
        node: SourceNode::Directory,
    }
}

fn of_listed(listed: &Listed) -> SourceEntry {
    let node = match &listed.kind {
        Kind::File { link, .. } => {
            SourceNode::File { link: link.map(LinkKey::Context), found: None }
        }
        Kind::Directory => SourceNode::Directory,
        Kind::Symlink(target) => SourceNode::Symlink(target.clone()),
        Kind::Special(what) => SourceNode::Special(*what),
    };
    SourceEntry {
        path: listed.path.clone(),
        mode: listed.mode,
        owner: owner::ROOT,
        xattrs: listed.xattrs(),
        mtime: None,
        node,
    }
}

fn of_found(found: Found) -> SourceEntry {
    let attributes = &found.entry.attributes;
    let (mode, mtime, xattrs) = (attributes.mode, attributes.mtime, attributes.xattrs.clone());
    let owner = Ids { uid: attributes.uid, gid: attributes.gid };
    let path = found.path.clone();
    let node = match &found.entry.node {
        Node::File(_) => {
            let link = Some(LinkKey::Layer(found.layer, path.clone()));
            SourceNode::File { link, found: Some(Box::new(found)) }
        }
        Node::Hardlink(target) => {
            let link = Some(LinkKey::Layer(found.layer, target.clone()));
            SourceNode::File { link, found: Some(Box::new(found)) }
        }
        Node::Directory => SourceNode::Directory,
        Node::Symlink(target) => SourceNode::Symlink(target.clone()),
        other => SourceNode::Other(other.clone()),
    };
    SourceEntry { path, mode, owner, xattrs, mtime: Some(mtime), node }
}
