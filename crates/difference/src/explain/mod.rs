//! What differs to the inputs by which it does: first by evidence, then by elimination.

mod evident;
mod keys;
mod layers;
mod wholes;

use std::collections::{BTreeMap, BTreeSet};

use crate::compare::{Cause, Certainty, Comparison, Effect, Output, Side};
use crate::inputs::{self, Change, Detail, Kind, Moved};
use crate::layers::{Fate, LayerChange, Origin};
use crate::reach::{self, Variables};
use crate::record::BuildRecord;
use crate::steps::{Alignment, StepAt};
use layers::{Recorded, Sides};
use wholes::{Whole, Wholes};

/// Fills in why the two images differ.
pub(crate) fn explain(
    (old_side, new_side): (&Side<'_>, &Side<'_>),
    (old, new): (&BuildRecord, &BuildRecord),
    alignment: &Alignment,
    comparison: &mut Comparison,
) {
    let mut moved = inputs::moved(old, new, alignment);
    let pins = |record: &BuildRecord| -> Vec<String> {
        record.layers.iter().flat_map(|layer| layer.packages.clone()).collect()
    };
    moved.extend(inputs::packages(&pins(old), &pins(new)));
    moved.extend(inputs::rebuilt(&old.packages, &new.packages));
    let origins = reach::variables(old, new, &moved);
    let mut explainer = Explainer { old, new, alignment, moved, origins, found: Found::default() };
    let mut layers = std::mem::take(&mut comparison.layers);
    let lacks = &mut comparison.lacks;
    let sides: Vec<Option<Sides>> =
        layers.iter().map(|layer| Sides::of(layer, old_side, new_side, lacks)).collect();
    let wholes = Wholes::of(&layers, &sides, alignment);
    for (at, (layer, sides)) in layers.iter_mut().zip(sides).enumerate() {
        let whole = wholes.of_layer(layer, alignment);
        explainer.layer(Output::Layer(at), layer, sides, whole);
    }
    comparison.layers = layers;
    for (at, key) in comparison.config.iter().enumerate() {
        explainer.config_key(Output::Config(at), key, comparison);
    }
    for (at, key) in comparison.manifest.iter().enumerate() {
        explainer.manifest_key(Output::Manifest(at), key, comparison);
    }
    explainer.conclude(comparison);
}

/// What was found out so far: by input, what it changed.
#[derive(Default)]
struct Found {
    effects: BTreeMap<usize, BTreeMap<Output, Certainty>>,
    unexplained: BTreeSet<Output>,
}

impl Found {
    fn note(&mut self, input: usize, output: Output, certainty: Certainty) {
        let known = self.effects.entry(input).or_default().entry(output).or_insert(certainty);
        *known = (*known).min(certainty);
    }

    /// Whether nothing goes back to an input for sure.
    fn is_without_effect(&self, input: usize) -> bool {
        let effects = self.effects.get(&input);
        effects.is_none_or(|effects| effects.values().all(|it| *it == Certainty::Possible))
    }
}

struct Explainer<'a> {
    old: &'a BuildRecord,
    new: &'a BuildRecord,
    alignment: &'a Alignment,
    moved: Vec<Moved>,
    origins: Variables,
    found: Found,
}

impl Explainer<'_> {
    /// What is left when all that cannot be the cause is taken away.
    pub(super) fn eliminate(
        &mut self,
        output: Output,
        candidates: &BTreeSet<usize>,
        recorded: Recorded,
    ) {
        let certainty = match (candidates.len(), recorded) {
            (0, _) => {
                self.found.unexplained.insert(output);
                return;
            }
            (1, Recorded::All) => Certainty::Certain,
            _ => Certainty::Possible,
        };
        for input in candidates {
            self.found.note(*input, output, certainty);
        }
    }

    /// The inputs of which something holds.
    pub(super) fn inputs(&self, wanted: impl Fn(&Moved) -> bool) -> BTreeSet<usize> {
        let inputs = self.moved.iter().enumerate().filter(|(_, one)| wanted(one));
        inputs.map(|(at, _)| at).collect()
    }

    pub(super) fn of_kinds(&self, kinds: &[Kind]) -> BTreeSet<usize> {
        self.inputs(|one| kinds.contains(&one.kind))
    }

    fn layer(
        &mut self,
        output: Output,
        layer: &mut LayerChange,
        sides: Option<Sides>,
        whole: Option<&Whole>,
    ) {
        let general = [Kind::Plywood, Kind::FormatEpoch];
        match layer.fate {
            Fate::Same => {}
            Fate::Recompressed => {
                let kinds = [general.as_slice(), &[Kind::Compression]].concat();
                self.eliminate(output, &self.of_kinds(&kinds), Recorded::All);
            }
            Fate::Moved => self.moved_layer(output, layer),
            Fate::Changed | Fate::Added | Fate::Removed => match layer.origins {
                (Some(Origin::Base), _) | (_, Some(Origin::Base)) => {
                    self.eliminate(output, &self.of_bases(), Recorded::All);
                }
                _ => self.own_layer(output, layer, sides, whole),
            },
        }
    }

    /// What can have changed with which image the image itself begins.
    pub(super) fn of_bases(&self) -> BTreeSet<usize> {
        let (was, is) = (self.old.built(), self.new.built());
        let mut inputs = self.inputs(|one| match (&one.kind, &one.detail) {
            (Kind::Target | Kind::Platform, _) => true,
            (Kind::Base, Detail::Base { old_stages, new_stages }) => {
                let is_own = |stages: &[usize], own: Option<usize>| {
                    own.is_none_or(|own| stages.contains(&own))
                };
                is_own(old_stages, was) || is_own(new_stages, is)
            }
            _ => false,
        });
        let base = |record: &BuildRecord, stage: usize| record.stages.get(stage)?.base.clone();
        for (a, b, uses) in self.changed_froms() {
            // Of the stages that begin with what the image begins with.
            let is_own = was.is_none_or(|was| base(self.old, was) == base(self.old, a))
                && is.is_none_or(|is| base(self.new, is) == base(self.new, b));
            if !is_own {
                continue;
            }
            inputs.extend(uses.iter().filter_map(|name| self.origins.get(name)).flatten());
        }
        // A name that is put together from an argument is the argument's doing.
        let by_argument = self.bases_of_arguments();
        inputs.retain(|at| !by_argument.contains(at));
        inputs
    }

    /// Stages that begin with another image though the line reads as before.
    fn changed_froms(&self) -> Vec<(usize, usize, &[String])> {
        let mut changed = Vec::new();
        for (a, b) in &self.alignment.stages {
            let (old, new) = (&self.old.stages[*a], &self.new.stages[*b]);
            let name = |stage: &crate::Stage| stage.base.as_ref().map(|it| it.reference.clone());
            if old.from == new.from && name(old) != name(new) {
                changed.push((*a, *b, new.uses.as_slice()));
            }
        }
        changed
    }

    /// The bases that have another name by variables that moved, and by nothing else.
    pub(super) fn bases_of_arguments(&self) -> BTreeSet<usize> {
        let changed = self.changed_froms();
        let by_variable = |uses: &[String]| uses.iter().any(|it| self.origins.contains_key(it));
        self.inputs(|one| {
            let Detail::Base { old_stages, new_stages } = &one.detail else { return false };
            let mut pairs = old_stages.iter().zip(new_stages);
            let all_read_the_same = pairs.all(|(a, b)| {
                let (old, new) = (self.old.stages.get(*a), self.new.stages.get(*b));
                old.zip(new).is_some_and(|(old, new)| old.from == new.from)
            });
            let own =
                changed.iter().filter(|(a, b, _)| old_stages.contains(a) && new_stages.contains(b));
            let mut own = own.map(|(_, _, uses)| by_variable(uses));
            one.change == Change::Changed && all_read_the_same && own.any(|is_so| is_so)
        })
    }

    /// What moved and has no effect yet, and may have had one on layers of commands all the same.
    fn maybe_read(&mut self, comparison: &Comparison) -> BTreeSet<usize> {
        let mut reached = self.bases_of_arguments();
        for (at, layer) in comparison.layers.iter().enumerate() {
            let places = (place(layer.origins.0), place(layer.origins.1));
            let is_same = matches!(layer.fate, Fate::Same | Fate::Moved | Fate::Recompressed);
            if is_same || self.only_copies(places) {
                continue;
            }
            let inputs = self.of_step(places);
            for input in &inputs {
                let kind = self.moved[*input].kind;
                let is_file = matches!(kind, Kind::File | Kind::Folder | Kind::IgnoreFile);
                // A file that is in no layer was read all the same, by something that is none.
                if is_file && self.found.is_without_effect(*input) {
                    self.found.note(*input, Output::Layer(at), Certainty::Possible);
                }
            }
            reached.extend(inputs);
        }
        reached
    }

    fn conclude(mut self, comparison: &mut Comparison) {
        let undecided = self.maybe_read(comparison);
        let Explainer { moved, found, .. } = self;
        let Found { effects, unexplained } = found;
        for (at, input) in moved.into_iter().enumerate() {
            match effects.get(&at) {
                None if undecided.contains(&at) => {}
                None => comparison.without_effect.push(input),
                Some(outputs) => {
                    let effects: Vec<Effect> = outputs
                        .iter()
                        .map(|(output, certainty)| Effect {
                            output: *output,
                            certainty: *certainty,
                        })
                        .collect();
                    let certainty = effects.iter().map(|effect| effect.certainty).min();
                    let certainty = certainty.unwrap_or(Certainty::Possible);
                    comparison.causes.push(Cause { input, certainty, effects });
                }
            }
        }
        let weight = |cause: &Cause| (cause.certainty, cause.input.kind, cause.input.change);
        comparison.causes.sort_by_key(weight);
        comparison.unexplained = unexplained.into_iter().collect();
    }
}

fn place(origin: Option<Origin>) -> Option<StepAt> {
    origin.and_then(step)
}

fn step(origin: Origin) -> Option<StepAt> {
    match origin {
        Origin::Step(at) => Some(at),
        Origin::Base => None,
    }
}
