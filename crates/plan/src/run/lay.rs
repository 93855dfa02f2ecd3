//! From changed paths to a layer.

use std::collections::BTreeMap;
use std::sync::Arc;

use layer::{Attributes, Entry, Node};
use oci::ImagePath;
use shell::files::Below;
use shell::{Changed, ChangedNode, Data, Stored};

use super::mounts::Trees;
use super::outside;
use super::redaction::Redaction;
use crate::error::Step;
use crate::laying::is_implied;
use crate::outcome::{LayerSpec, Source};
use crate::stage::StagePlanner;

/// Notes where the bytes of all files, and of the archives that they are in, can be had.
pub(super) fn add_sources(
    planner: &mut StagePlanner<'_, '_>,
    changes: &[Changed],
    archives: &[Stored],
    trees: &Trees,
    redaction: &Redaction,
) {
    let stored = changes.iter().filter_map(|changed| match &changed.node {
        ChangedNode::File(data) => Some(data.clone()),
        _ => None,
    });
    let archives = archives.iter().cloned().map(Data::Stored);
    for data in archives.chain(stored) {
        let content = data.content();
        let source = match &data {
            Data::Inline(bytes) => Some(Source::Inline(Arc::from(&bytes[..]))),
            Data::Stored(Stored { content, origin }) => {
                outside::source(planner, trees, redaction, *content, origin)
            }
        };
        if let Some(source) = source {
            planner.shared.sources.entry(content.digest).or_insert(source);
        }
    }
}

/// Lays all changes as one layer, if there are any.
pub(super) fn lay(
    planner: &mut StagePlanner<'_, '_>,
    changes: Vec<Changed>,
    title: &str,
) -> Step<Vec<Arc<LayerSpec>>> {
    let mut entries: BTreeMap<ImagePath, Vec<Entry>> = BTreeMap::new();
    for changed in &changes {
        for above in changed.path.ancestors() {
            if let Some(entry) = repeated(planner, &above)? {
                entries.entry(above).or_insert_with(|| vec![entry]);
            }
        }
    }
    for changed in changes {
        entries.insert(changed.path.clone(), self::entries(changed));
    }
    let mut entries: Vec<Entry> = entries.into_values().flatten().collect();
    entries.sort_by(Entry::layer_order);
    Ok(planner.lay(entries, title).into_iter().collect())
}

/// A directory above a change that is not what a runtime makes of a missing one is laid again with
/// its own attributes, for those that unpack each layer by itself.
pub(super) fn repeated(
    planner: &mut StagePlanner<'_, '_>,
    path: &ImagePath,
) -> Step<Option<Entry>> {
    let Some(found) = planner.state.tree.lookup(path, planner.needs)? else { return Ok(None) };
    if is_implied(&found.entry.attributes) || found.entry.node != Node::Directory {
        return Ok(None);
    }
    let attributes = found.entry.attributes.clone();
    Ok(Some(Entry { path: path.clone(), attributes, node: Node::Directory }))
}

/// What a changed path is in a layer: an entry, and what it hides.
pub(super) fn entries(changed: Changed) -> Vec<Entry> {
    let Changed { path, attributes, node } = changed;
    let mut opaque = Vec::new();
    let node = match node {
        ChangedNode::Gone => Node::Whiteout,
        ChangedNode::File(data) => Node::File(data.content()),
        ChangedNode::Directory { below } => {
            if below == Below::Hidden {
                let attributes = Attributes::root(0, 0);
                opaque.push(Entry { path: path.clone(), attributes, node: Node::Opaque });
            }
            Node::Directory
        }
        ChangedNode::Symlink(target) => Node::Symlink(target),
        ChangedNode::Hardlink(target) => Node::Hardlink(target),
        ChangedNode::CharDevice { major, minor } => Node::CharDevice { major, minor },
        ChangedNode::BlockDevice { major, minor } => Node::BlockDevice { major, minor },
        ChangedNode::Fifo => Node::Fifo,
    };
    let mut entries = vec![Entry { path, attributes, node }];
    entries.append(&mut opaque);
    entries
}
