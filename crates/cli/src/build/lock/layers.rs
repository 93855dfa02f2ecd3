//! Which layers of a plan follow from what is pinned.
//!
//! A lock is there for what comes from outside, and is not to change with every source file. So a
//! layer of the context's files is not in it, and neither is what a `RUN` makes after such files
//! came, since it may have read them.

use std::collections::HashMap;

use layer::Packing;
use plan::{Becomes, LayerKey, Plan, PlannedLayer, PlannedStep};

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
