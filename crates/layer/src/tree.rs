//! The entries of an index by directory: who stands where, and what is gone there.

use crate::{Entry, LayerIndex, Node};

/// Directories and what they hold, as positions in an index's entries.
#[derive(Debug)]
pub(crate) struct Tree {
    slots: Vec<Slot>,
}

/// One path that an index knows, by an entry or because an entry is below it.
#[derive(Debug)]
struct Slot {
    /// The entry whose path this one's name can be taken from, and where it stands in it.
    named_by: u32,
    start: u32,
    end: u32,
    entry: Option<u32>,
    /// Slots, by name.
    children: Vec<u32>,
    /// Entries, by the name that is gone.
    whiteouts: Vec<u32>,
    opaque: bool,
}

impl Tree {
    /// The slot of the root directory.
    pub(crate) const ROOT: u32 = 0;

    /// `entries` are in layer order: each directory's children and whiteouts come by name.
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut tree = Tree { slots: vec![Slot::new(0, 0, 0)] };
        // The slots from the root down to where the entry before stands.
        let mut open = vec![Self::ROOT];
        for (position, entry) in (0u32..).zip(entries) {
            let whiteout = entry.node == Node::Whiteout;
            let depth = entry.path.components().count() - usize::from(whiteout);
            let mut start = 0;
            for (level, name) in (1..).zip(entry.path.components().take(depth)) {
                let end = start + name.len();
                if open.get(level).is_none_or(|slot| tree.name(entries, *slot) != name) {
                    open.truncate(level);
                    let slot = tree.slots.len() as u32;
                    tree.slots.push(Slot::new(position, start as u32, end as u32));
                    let parent = open[level - 1] as usize;
                    tree.slots[parent].children.push(slot);
                    open.push(slot);
                }
                start = end + 1;
            }
            open.truncate(depth + 1);
            let slot = &mut tree.slots[open[depth] as usize];
            match entry.node {
                Node::Whiteout => slot.whiteouts.push(position),
                Node::Opaque => slot.opaque = true,
                _ => slot.entry = Some(position),
            }
        }
        tree
    }

    /// The slot of `name` in a directory's slot.
    pub(crate) fn child(&self, index: &LayerIndex, slot: u32, name: &[u8]) -> Option<u32> {
        let children = &self.slots[slot as usize].children;
        let found = children.binary_search_by(|child| self.name(index.entries(), *child).cmp(name));
        found.ok().map(|at| children[at])
    }

    /// All slots in a directory's slot, with their names, by name.
    pub(crate) fn children<'a>(
        &'a self,
        index: &'a LayerIndex,
        slot: u32,
    ) -> impl Iterator<Item = (&'a [u8], u32)> {
        let children = self.slots[slot as usize].children.iter();
        children.map(|child| (self.name(index.entries(), *child), *child))
    }

    pub(crate) fn entry<'a>(&self, index: &'a LayerIndex, slot: u32) -> Option<&'a Entry> {
        self.slots[slot as usize].entry.map(|position| &index.entries()[position as usize])
    }

    /// Whether lower layers' `name` in this directory is gone.
    pub(crate) fn hides(&self, index: &LayerIndex, slot: u32, name: &[u8]) -> bool {
        let slot = &self.slots[slot as usize];
        let search = |position: &u32| gone(index, *position).cmp(name);
        slot.opaque || slot.whiteouts.binary_search_by(search).is_ok()
    }

    /// Whether everything is gone that lower layers have in this directory.
    pub(crate) fn is_opaque(&self, slot: u32) -> bool {
        self.slots[slot as usize].opaque
    }

    /// The names of lower layers that are gone in this directory.
    pub(crate) fn whiteouts<'a>(
        &'a self,
        index: &'a LayerIndex,
        slot: u32,
    ) -> impl Iterator<Item = &'a [u8]> {
        self.slots[slot as usize].whiteouts.iter().map(|position| gone(index, *position))
    }

    fn name<'a>(&self, entries: &'a [Entry], slot: u32) -> &'a [u8] {
        let slot = &self.slots[slot as usize];
        let path = entries[slot.named_by as usize].path.as_bytes();
        &path[slot.start as usize..slot.end as usize]
    }
}

/// The name that a whiteout takes away.
fn gone(index: &LayerIndex, position: u32) -> &[u8] {
    index.entries()[position as usize].path.file_name().unwrap_or_default()
}

impl Slot {
    fn new(named_by: u32, start: u32, end: u32) -> Self {
        Slot {
            named_by,
            start,
            end,
            entry: None,
            children: Vec::new(),
            whiteouts: Vec::new(),
            opaque: false,
        }
    }
}
