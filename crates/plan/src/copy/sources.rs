//! What a `COPY` can copy from: a context's listing, or the tree of a stage or an image.

use std::collections::BTreeMap;
use std::sync::Arc;

use context::{Kind, LastComponent, LinkGroup, Listed, Listing, Special};
use layer::{Found, Node};
use oci::ImagePath;

use crate::ContextName;
use crate::error::Step;
use crate::facts::Needs;
use crate::owner::{self, Ids};
use crate::tree::Tree;

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
pub(crate) enum SourceEntry<'a> {
    /// The source's root, which needs no entry.
    Root(ImagePath),
    /// Of a context.
    Listed(&'a Listed),
    /// Of a stage or an image, at this path.
    Found(ImagePath, Found<'a>),
}

/// What a source's path is.
#[derive(Debug, Clone, Copy)]
pub(crate) enum SourceKind<'a> {
    File,
    Directory,
    Symlink(&'a [u8]),
    /// What a context may hold and an image not take.
    Special(Special),
    /// Devices and pipes of a layer.
    Other(&'a Node),
}

/// Which file of its source a file is one of the names of, where it may have several.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum LinkKey {
    /// A file of a context, by its number there.
    Context(LinkGroup),
    /// A file of a layer, by the name that holds its content.
    Layer(usize, ImagePath),
}

impl SourceTree {
    /// What `path` leads to with links followed, none of them out of the source.
    pub(crate) fn find(
        &self,
        path: &ImagePath,
        last: LastComponent,
        needs: &mut Needs,
    ) -> Step<Option<SourceEntry<'_>>> {
        if path.is_root() {
            return Ok(Some(SourceEntry::Root(ImagePath::root())));
        }
        match self {
            SourceTree::Listing(_, listing) => Ok(match listing.resolve(path, last) {
                Ok(real) if real.is_root() => Some(SourceEntry::Root(real)),
                Ok(real) => listing.get(&real).map(SourceEntry::Listed),
                Err(_) => None,
            }),
            SourceTree::Tree(tree) => {
                let found = match last {
                    LastComponent::Follow => tree.follow(path, needs)?,
                    LastComponent::Keep => tree.follow_parent(path, needs)?,
                };
                Ok(found.map(|(path, found)| SourceEntry::Found(path, found)))
            }
        }
    }

    /// Everything below the directory `path`, each directory before what it holds.
    pub(crate) fn below(&self, path: &ImagePath, needs: &mut Needs) -> Step<Vec<SourceEntry<'_>>> {
        match self {
            SourceTree::Listing(_, listing) => {
                Ok(listing.below(path).iter().map(SourceEntry::Listed).collect())
            }
            SourceTree::Tree(tree) => {
                let below = tree.below(path, needs)?.into_iter();
                Ok(below.map(|(path, found)| SourceEntry::Found(path, found)).collect())
            }
        }
    }
}

impl<'a> SourceEntry<'a> {
    pub(crate) fn path(&self) -> &ImagePath {
        match self {
            SourceEntry::Root(path) | SourceEntry::Found(path, _) => path,
            SourceEntry::Listed(listed) => &listed.path,
        }
    }

    pub(crate) fn kind(&self) -> SourceKind<'a> {
        match self {
            SourceEntry::Root(_) => SourceKind::Directory,
            SourceEntry::Listed(listed) => match &listed.kind {
                Kind::File { .. } => SourceKind::File,
                Kind::Directory => SourceKind::Directory,
                Kind::Symlink(target) => SourceKind::Symlink(target),
                Kind::Special(what) => SourceKind::Special(*what),
            },
            SourceEntry::Found(_, found) => match &found.entry.node {
                Node::File(_) | Node::Hardlink(_) => SourceKind::File,
                Node::Directory => SourceKind::Directory,
                Node::Symlink(target) => SourceKind::Symlink(target),
                other => SourceKind::Other(other),
            },
        }
    }

    pub(crate) fn is_directory(&self) -> bool {
        matches!(self.kind(), SourceKind::Directory)
    }

    /// Permission bits.
    pub(crate) fn mode(&self) -> u32 {
        match self {
            SourceEntry::Root(_) => 0o755,
            SourceEntry::Listed(listed) => listed.mode,
            SourceEntry::Found(_, found) => found.entry.attributes.mode,
        }
    }

    /// The owner: whoever owns a file of this machine is not asked.
    pub(crate) fn owner(&self) -> Ids {
        match self {
            SourceEntry::Root(_) | SourceEntry::Listed(_) => owner::ROOT,
            SourceEntry::Found(_, found) => {
                Ids { uid: found.entry.attributes.uid, gid: found.entry.attributes.gid }
            }
        }
    }

    /// The time to keep. Files of a context have none of their own; those of a layer keep theirs,
    /// because Python's bytecode names the time of its source.
    pub(crate) fn mtime(&self) -> Option<i64> {
        match self {
            SourceEntry::Root(_) | SourceEntry::Listed(_) => None,
            SourceEntry::Found(_, found) => Some(found.entry.attributes.mtime),
        }
    }

    pub(crate) fn xattrs(&self) -> BTreeMap<Vec<u8>, Vec<u8>> {
        match self {
            SourceEntry::Root(_) => BTreeMap::new(),
            SourceEntry::Listed(listed) => listed.xattrs(),
            SourceEntry::Found(_, found) => found.entry.attributes.xattrs.clone(),
        }
    }

    /// Which file this is one of the names of.
    pub(crate) fn link(&self) -> Option<LinkKey> {
        match self {
            SourceEntry::Root(_) => None,
            SourceEntry::Listed(listed) => match &listed.kind {
                Kind::File { link, .. } => link.map(LinkKey::Context),
                _ => None,
            },
            SourceEntry::Found(path, found) => match &found.entry.node {
                Node::File(_) => Some(LinkKey::Layer(found.layer, path.clone())),
                Node::Hardlink(target) => Some(LinkKey::Layer(found.layer, target.clone())),
                _ => None,
            },
        }
    }
}
