//! What instructions laid in several layers, as one.
//!
//! Which files share a layer follows from all of an instruction's: one that comes or grows can move
//! others from one layer to the next. Those are in another layer, and are what they were.

use std::collections::BTreeMap;

use super::layers::Sides;
use super::place;
use crate::files::{self, FileChange, Files};
use crate::layers::LayerChange;
use crate::steps::{Alignment, StepAt};

/// An instruction of which layers differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Instruction {
    /// It stands here in the new recipe.
    New(StepAt),
    /// It stood here in the old one, and is gone.
    Gone(StepAt),
}

/// The files in which an instruction's layers differ, taken together.
pub(super) struct Whole(BTreeMap<String, FileChange>);

/// The instructions of which several layers of files differ.
pub(super) struct Wholes(BTreeMap<Instruction, Whole>);

impl Wholes {
    /// `sides` are those of each of the `layers`.
    pub(super) fn of(
        layers: &[LayerChange],
        sides: &[Option<Sides>],
        alignment: &Alignment,
    ) -> Self {
        let mut parts: BTreeMap<Instruction, Vec<Option<(&Files, &Files)>>> = BTreeMap::new();
        for (layer, sides) in layers.iter().zip(sides) {
            let (Some(sides), Some(instruction)) = (sides, instruction(layer, alignment)) else {
                continue;
            };
            parts.entry(instruction).or_default().push(sides.both());
        }
        let wholes = parts.into_iter().filter(|(_, parts)| parts.len() > 1);
        let wholes = wholes.filter_map(|(instruction, parts)| {
            // With one layer of which nothing is known, nothing is known of what is together.
            let parts: Vec<(&Files, &Files)> = parts.into_iter().collect::<Option<_>>()?;
            let old = files::merged(parts.iter().map(|(old, _)| *old));
            let new = files::merged(parts.iter().map(|(_, new)| *new));
            let changes = files::differences(&old, &new).into_iter();
            Some((instruction, Whole(changes.map(|it| (it.path.clone(), it)).collect())))
        });
        Wholes(wholes.collect())
    }

    /// That of the instruction that a layer comes from, if it has several that differ.
    pub(super) fn of_layer(&self, layer: &LayerChange, alignment: &Alignment) -> Option<&Whole> {
        self.0.get(&instruction(layer, alignment)?)
    }
}

impl Whole {
    /// All files in which the layers differ.
    pub(super) fn all(&self) -> Vec<FileChange> {
        self.0.values().cloned().collect()
    }

    /// What of the files in which one of the layers differs is another than it was, and not only in
    /// another layer.
    pub(super) fn among(&self, changes: &[FileChange]) -> Vec<FileChange> {
        changes.iter().filter_map(|change| self.0.get(&change.path)).cloned().collect()
    }
}

/// The instruction that laid a layer of files.
fn instruction(layer: &LayerChange, alignment: &Alignment) -> Option<Instruction> {
    if layer.has_packages() {
        return None;
    }
    match (place(layer.origins.0), place(layer.origins.1)) {
        (_, Some(new)) => Some(Instruction::New(new)),
        (Some(old), None) => {
            Some(alignment.new_of(old).map_or(Instruction::Gone(old), Instruction::New))
        }
        (None, None) => None,
    }
}
