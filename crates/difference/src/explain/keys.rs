//! Keys of the config and of the manifest to what changed them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Explainer;
use super::layers::Recorded;
use crate::compare::{Certainty, Comparison, Output, Which};
use crate::config::{self, FORM, HISTORY, HISTORY_TIMES, KeyChange};
use crate::evidence::verbs_of;
use crate::inputs::{Detail, Kind};
use crate::layers::{Fate, LayerChange};
use crate::reach;
use crate::steps::StepAt;

impl Explainer<'_> {
    pub(super) fn config_key(&mut self, output: Output, key: &KeyChange, comparison: &Comparison) {
        if key.key == FORM {
            return self.eliminate(output, &self.of_kinds(&[Kind::Plywood]), Recorded::All);
        }
        if key.key == HISTORY {
            return self.history(output, key, comparison);
        }
        let times = self.of_kinds(&[Kind::Timestamp]);
        if (key.key == "created" || key.key == HISTORY_TIMES) && !times.is_empty() {
            return self.eliminate(output, &times, Recorded::All);
        }
        if key.key == "config.Labels"
            && let Some(at) = self.asked(&[Kind::Label, Kind::Revision], key)
        {
            return self.found.note(at, output, Certainty::Certain);
        }
        let candidates = self.of_key(key);
        self.eliminate(output, &candidates, Recorded::All);
    }

    /// The input of the command line that has just this key and value.
    fn asked(&self, kinds: &[Kind], key: &KeyChange) -> Option<usize> {
        let item = key.item.as_deref()?;
        let value = key.new.as_ref().and_then(Value::as_str);
        self.moved.iter().position(|one| {
            kinds.contains(&one.kind) && one.name == item && one.new.as_deref() == value
        })
    }

    /// The inputs that can have changed a key of the config.
    fn of_key(&self, key: &KeyChange) -> BTreeSet<usize> {
        let verbs = verbs_of(&key.key);
        let writes = |step: &crate::Step| verbs.is_empty() || step.is(verbs);
        let exactly = |step: &crate::Step| {
            writes(step) && key.item.as_ref().is_none_or(|item| step.defines.contains(item))
        };
        let moved_steps = |wanted: &dyn Fn(&crate::Step) -> bool| {
            self.inputs(|one| {
                one.kind == Kind::Instruction
                    && reach::steps_of(one, self.old, self.new).any(wanted)
            })
        };
        let all_steps = || self.old.steps().chain(self.new.steps()).map(|(_, step)| step);
        let of_variables = |wanted: &dyn Fn(&crate::Step) -> bool| -> BTreeSet<usize> {
            let steps = all_steps().filter(|step| wanted(step));
            steps.flat_map(|step| reach::of_variables(step, &self.origins)).collect()
        };
        let mut candidates = moved_steps(&exactly);
        candidates.extend(of_variables(&exactly));
        if candidates.is_empty() {
            candidates = moved_steps(&writes);
            candidates.extend(of_variables(&writes));
        }
        candidates.extend(self.of_bases());
        candidates.extend(self.of_kinds(&[Kind::Plywood]));
        // What the command line says no more, the recipe may say again.
        candidates.extend(self.inputs(|one| {
            let is_label = matches!(one.kind, Kind::Label | Kind::Revision);
            is_label && key.key == "config.Labels" && key.item.as_ref() == Some(&one.name)
        }));
        candidates
    }

    fn history(&mut self, output: Output, key: &KeyChange, comparison: &Comparison) {
        let mut left = false;
        let sides = [(self.old, &key.old), (self.new, &key.new)];
        for (which, (record, value)) in [Which::Old, Which::New].into_iter().zip(sides) {
            for (digest, text) in config::lines(value.as_ref()) {
                let is_line = |place: Option<StepAt>| {
                    place.and_then(|at| record.step(at)).is_some_and(|step| step.line == digest)
                };
                let instructions = self.inputs(|one| match one.detail {
                    Detail::Step { old, new } => {
                        is_line(if which == Which::Old { old } else { new })
                    }
                    _ => false,
                });
                if !instructions.is_empty() {
                    for at in instructions {
                        self.found.note(at, output, Certainty::Certain);
                    }
                    continue;
                }
                left |= !self.history_of_layer(output, (which, &text), comparison);
            }
        }
        if left {
            let mut candidates = self.of_bases();
            candidates.extend(self.of_kinds(&[Kind::Plywood, Kind::Package]));
            candidates.extend(self.inputs(|one| one.kind == Kind::Instruction));
            self.eliminate(output, &candidates, Recorded::All);
        } else if self.found.effects.values().all(|outputs| !outputs.contains_key(&output)) {
            // The same lines in another order.
            let candidates = self.of_kinds(&[Kind::Instruction, Kind::Package]);
            self.eliminate(output, &candidates, Recorded::All);
        }
    }

    /// A line that is a layer's title has the layer's causes.
    fn history_of_layer(
        &mut self,
        output: Output,
        (which, text): (Which, &str),
        comparison: &Comparison,
    ) -> bool {
        let title = Some(crate::shortened(text));
        let own = |layer: &LayerChange| match which {
            Which::Old => layer.old.as_ref().map(|_| layer.titles.0.clone()),
            Which::New => layer.new.as_ref().map(|_| layer.titles.1.clone()),
        };
        let layers = comparison.layers.iter().enumerate();
        let layers = layers.filter(|(_, layer)| own(layer) == title && layer.fate != Fate::Same);
        let outputs: Vec<Output> = layers.map(|(at, _)| Output::Layer(at)).collect();
        let causes: Vec<(usize, Certainty)> = self
            .found
            .effects
            .iter()
            .flat_map(|(at, effects)| {
                let certainties = outputs.iter().filter_map(|output| effects.get(output));
                certainties.map(|certainty| (*at, *certainty)).collect::<Vec<_>>()
            })
            .collect();
        let of_packages = |output: &Output| match output {
            Output::Layer(at) => comparison.layers[*at].has_packages(),
            _ => false,
        };
        // A title of packages names each. That there is a layer of files, any of them can have done.
        let is_shared = causes.len() > 1 && !outputs.iter().any(of_packages);
        for (at, certainty) in &causes {
            let certainty = if is_shared { Certainty::Possible } else { *certainty };
            self.found.note(*at, output, certainty);
        }
        !causes.is_empty()
    }

    pub(super) fn manifest_key(
        &mut self,
        output: Output,
        key: &KeyChange,
        comparison: &Comparison,
    ) {
        match (key.key.as_str(), key.item.as_deref()) {
            (
                "annotations",
                Some("org.opencontainers.image.base.name" | "org.opencontainers.image.base.digest"),
            ) => match self.asked(&[Kind::Annotation], key) {
                Some(at) => self.found.note(at, output, Certainty::Certain),
                None => self.eliminate(output, &self.of_bases(), Recorded::All),
            },
            ("annotations", _) => match self.asked(&[Kind::Annotation], key) {
                Some(at) => self.found.note(at, output, Certainty::Certain),
                None => self.eliminate(output, &self.of_kinds(&[Kind::Plywood]), Recorded::All),
            },
            ("layers.mediaType", Some(position)) => {
                let position = position.parse().unwrap_or(usize::MAX);
                let is_there = |layer: &LayerChange| {
                    layer.new.as_ref().is_some_and(|place| place.position == position)
                };
                let layer = comparison.layers.iter().position(is_there);
                let own = layer.map(Output::Layer);
                let compression = self.of_kinds(&[Kind::Compression]);
                match own.filter(|own| self.is_explained(*own)) {
                    _ if !compression.is_empty() => {
                        self.eliminate(output, &compression, Recorded::All);
                    }
                    // The layers' own causes are told with them.
                    Some(_) => {}
                    None => self.eliminate(output, &self.of_bases(), Recorded::All),
                }
            }
            _ => self.eliminate(output, &self.of_kinds(&[Kind::Plywood]), Recorded::All),
        }
    }

    fn is_explained(&self, output: Output) -> bool {
        self.found.effects.values().any(|effects| effects.contains_key(&output))
    }
}
