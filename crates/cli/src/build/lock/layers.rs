//! Which layers of a plan follow from what is pinned.
//!
//! A lock is there for what comes from outside, and is not to change with every source file. So a
//! layer of the context's files is not in it, and neither is what a `RUN` makes after such files
//! came, since it may have read them.

use std::collections::HashMap;

use image::Layer;
use layer::Packing;
use lock::Moved;
use oci::Digest;
use plan::{Becomes, LayerKey, Plan, PlannedLayer, PlannedStep};

use super::{Drift, Manner, Pins};
use crate::error::Error;

impl Pins {
    /// That layers are planned as they are pinned, if they must be.
    pub(in crate::build) fn check_plans(&self, plans: &[Plan]) -> Result<(), Error> {
        if self.manner == Manner::Renew {
            return Ok(());
        }
        match self.moved_plans(plans) {
            moved if moved.is_empty() => Ok(()),
            moved => Err(self.drift(Drift::Layers(moved))),
        }
    }

    /// The first layers that are not planned as they are pinned: those of one platform.
    pub(super) fn moved_plans(&self, plans: &[Plan]) -> Vec<Moved> {
        let is_same = |packing| packing_name(packing) == self.locked.compression;
        if !self.packing.is_some_and(is_same) {
            return Vec::new();
        }
        let moved = plans.iter().map(|plan| {
            let pinned = pinned(plan);
            let named = plan.target().layers.iter().filter_map(named);
            let planned: Vec<(String, Digest)> = named
                .filter(|(key, _)| pinned.get(key) == Some(&Title::SaysAll))
                .map(|(key, title)| (title, key.0))
                .collect();
            self.locked.moved_keys(&plan.platform, &planned)
        });
        moved.into_iter().find(|moved| !moved.is_empty()).unwrap_or_default()
    }

    /// Notes the layers of an image; an error if one differs from the pinned one and must not.
    pub(in crate::build) fn found_layers(&self, plan: &Plan, laid: &[Layer]) -> Result<(), Error> {
        if self.packing.is_none() {
            return Ok(());
        }
        let pinned = pinned(plan);
        let laid = plan.target().layers.iter().zip(laid).filter_map(|(planned, laid)| {
            let (key, title) = named(planned)?;
            pinned.contains_key(&key).then(|| lock::Layer {
                title,
                key: key.0,
                descriptor: laid.descriptor.clone(),
                diff_id: laid.diff_id,
            })
        });
        let laid: Vec<lock::Layer> = laid.collect();
        let moved = self.locked.moved_bytes(&laid);
        if self.manner == Manner::Keep && !moved.is_empty() {
            return Err(self.drift(Drift::Layers(moved)));
        }
        self.found().lock.layers.insert(plan.platform.clone(), laid);
        Ok(())
    }

    /// Notes which of the pinned layers a plan still has, where none is laid.
    pub(in crate::build) fn found_plan(&self, plan: &Plan) {
        if self.packing.is_none() {
            return;
        }
        let pinned = pinned(plan);
        let specs = plan.target().new_layers().filter(|spec| pinned.contains_key(&spec.key));
        let stay = specs.filter_map(|spec| self.locked.layer(&spec.key.0).cloned()).collect();
        self.found().lock.layers.insert(plan.platform.clone(), stay);
    }
}

/// How much is known of a layer by its title.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Title {
    /// The pins and the title decide what it is.
    SaysAll,
    /// Arguments and the recipe around it do, too.
    SaysSome,
}

/// The layers of all stages that follow from what is pinned.
pub(super) fn pinned(plan: &Plan) -> HashMap<LayerKey, Title> {
    let mut walk = Walk { is_local: false, pinned: HashMap::new() };
    for stage in &plan.stages {
        stage.steps.iter().for_each(|step| walk.step(step));
    }
    walk.pinned
}

/// The key of a layer that is not the base's, and the first line of what it comes from.
pub(super) fn named(layer: &PlannedLayer) -> Option<(LayerKey, String)> {
    let (key, title) = match layer {
        PlannedLayer::Base { .. } => return None,
        PlannedLayer::New(spec) => (spec.key, &spec.title),
        PlannedLayer::Recalled(layer, _) => (layer.key, &layer.title),
    };
    Some((key, title.lines().next().unwrap_or_default().to_owned()))
}

/// A packing by its name, as `--compression` takes it.
pub(super) fn packing_name(packing: Packing) -> String {
    match packing {
        Packing::Gzip(level) => format!("gzip:{}", level.number()),
        Packing::Zstd(level) => format!("zstd:{}", level.number()),
        Packing::None => "none".to_owned(),
    }
}

struct Walk {
    /// Whether files of this machine have come into some stage.
    is_local: bool,
    pinned: HashMap<LayerKey, Title>,
}

impl Walk {
    fn step(&mut self, step: &PlannedStep) {
        match &step.becomes {
            Becomes::Recalled(_, record) => {
                let layers = record.layers.iter();
                self.step_layers(step, layers.map(|layer| (layer.key, &layer.packages[..])));
            }
            becomes => {
                let layers = becomes.layers().iter();
                self.step_layers(step, layers.map(|spec| (spec.key, &spec.packages[..])));
            }
        }
    }

    /// Layers of packages are the same whatever is beside them.
    fn step_layers<'l>(
        &mut self,
        step: &PlannedStep,
        layers: impl Iterator<Item = (LayerKey, &'l [String])>,
    ) {
        let is_copied = ["COPY", "ADD"].iter().any(|verb| is_verb(&step.text, verb));
        if is_copied && step.is_local {
            self.is_local = true;
            return;
        }
        // What is copied from a stage is of its files, and what is mounted is read.
        let looks = (is_copied && step.text.contains("--from"))
            || is_verb(&step.text, "RUN")
            || is_verb(&step.text, "PYTHON")
            || is_verb(&step.text, "DEBIAN");
        let is_local = looks && (self.is_local || step.text.contains("--mount"));
        for (key, packages) in layers {
            match packages.is_empty() {
                false => drop(self.pinned.insert(key, Title::SaysAll)),
                true if !is_local => drop(self.pinned.insert(key, Title::SaysSome)),
                true => {}
            }
        }
    }
}

/// Whether an instruction begins with this word.
fn is_verb(text: &str, verb: &str) -> bool {
    text.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case(verb))
}
