//! What differs to the inputs by which it does: first by evidence, then by elimination.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::compare::{Cause, Certainty, Comparison, Effect, Lack, Output, Side, Which, files_of};
use crate::config::{self, FORM, HISTORY, HISTORY_TIMES, KeyChange};
use crate::evidence::{content, contents, fits, is_file_of, likeness, verbs_of};
use crate::files::{self, Aspect, FileChange, Files, Node};
use crate::inputs::{self, Change, Detail, Kind, Moved};
use crate::layers::{Fate, LayerChange, Origin, package_name};
use crate::reach::{self, COPYING, Variables};
use crate::record::BuildRecord;
use crate::steps::{Alignment, StepAt};

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
    for (at, layer) in layers.iter_mut().enumerate() {
        let files = Sides::of(layer, old_side, new_side, at, &mut comparison.lacks);
        explainer.layer(Output::Layer(at), layer, files);
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

/// What a layer held and holds; none where that is not known.
struct Sides {
    old: Option<Files>,
    new: Option<Files>,
}

impl Sides {
    fn of(
        layer: &LayerChange,
        old: &Side<'_>,
        new: &Side<'_>,
        _at: usize,
        lacks: &mut Vec<Lack>,
    ) -> Option<Sides> {
        let differs = matches!(layer.fate, Fate::Changed | Fate::Added | Fate::Removed);
        let is_base = |origin: Option<Origin>| origin == Some(Origin::Base);
        if !differs || is_base(layer.origins.0) || is_base(layer.origins.1) {
            return None;
        }
        let mut side = |which: Which, side: &Side<'_>, place: &Option<crate::LayerPlace>| {
            let Some(place) = place else { return Some(Files::new()) };
            let files = files_of(side, &place.diff_id);
            if files.is_none() {
                let (position, diff_id) = (place.position, place.diff_id);
                lacks.push(Lack { side: which, position, diff_id });
            }
            files
        };
        let old = side(Which::Old, old, &layer.old);
        let new = side(Which::New, new, &layer.new);
        Some(Sides { old, new })
    }
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
}

struct Explainer<'a> {
    old: &'a BuildRecord,
    new: &'a BuildRecord,
    alignment: &'a Alignment,
    moved: Vec<Moved>,
    origins: Variables,
    found: Found,
}

/// Whether everything was recorded that what differs depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Recorded {
    All,
    /// Secrets, an agent, what apt's sources gave.
    NotAll,
}

impl Explainer<'_> {
    /// What is left when all that cannot be the cause is taken away.
    fn eliminate(&mut self, output: Output, candidates: &BTreeSet<usize>, recorded: Recorded) {
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
    fn inputs(&self, wanted: impl Fn(&Moved) -> bool) -> BTreeSet<usize> {
        let inputs = self.moved.iter().enumerate().filter(|(_, one)| wanted(one));
        inputs.map(|(at, _)| at).collect()
    }

    fn of_kinds(&self, kinds: &[Kind]) -> BTreeSet<usize> {
        self.inputs(|one| kinds.contains(&one.kind))
    }

    fn layer(&mut self, output: Output, layer: &mut LayerChange, files: Option<Sides>) {
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
                (old, new) => self.own_layer(output, layer, (place(old), place(new)), files),
            },
        }
    }

    /// What can have changed which layers come from a base.
    fn of_bases(&self) -> BTreeSet<usize> {
        let mut inputs = self.of_kinds(&[Kind::Base, Kind::Target, Kind::Platform]);
        for (_, _, uses) in self.changed_froms() {
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

    /// The bases that have another name by variables that moved.
    fn bases_of_arguments(&self) -> BTreeSet<usize> {
        let changed = self.changed_froms();
        let by_variable = |a: usize, b: usize| {
            changed.iter().any(|(x, y, uses)| {
                (*x, *y) == (a, b) && uses.iter().any(|name| self.origins.contains_key(name))
            })
        };
        self.inputs(|one| match (&one.detail, one.change) {
            (Detail::Base { old_stages, new_stages }, Change::Changed) => {
                match (old_stages.as_slice(), new_stages.as_slice()) {
                    ([a], [b]) => by_variable(*a, *b),
                    _ => false,
                }
            }
            _ => false,
        })
    }

    fn moved_layer(&mut self, output: Output, layer: &LayerChange) {
        let (old, new) = (layer.origins.0.and_then(step), layer.origins.1.and_then(step));
        let is_own = |one: &Moved| match one.detail {
            Detail::Step { old: a, new: b } => {
                one.change == Change::Reordered && (a == old || b == new)
            }
            _ => false,
        };
        let own = self.inputs(is_own);
        if !own.is_empty() {
            return own.iter().for_each(|at| self.found.note(*at, output, Certainty::Certain));
        }
        let mut candidates = self.of_kinds(&[Kind::Instruction, Kind::Package, Kind::Target]);
        candidates.extend(self.of_bases());
        self.eliminate(output, &candidates, Recorded::All);
    }

    /// A layer of an instruction.
    fn own_layer(
        &mut self,
        output: Output,
        layer: &mut LayerChange,
        places: (Option<StepAt>, Option<StepAt>),
        files: Option<Sides>,
    ) {
        if self.by_packages(output, layer) {
            return;
        }
        let mut evident = BTreeSet::new();
        if let Some(Sides { old: Some(old), new: Some(new) }) = files {
            let changes = files::differences(&old, &new);
            let left = self.by_files(&changes, (&old, &new), &mut evident);
            for input in &evident {
                self.found.note(*input, output, Certainty::Certain);
            }
            layer.files = Some(changes);
            if !left && !evident.is_empty() {
                return;
            }
        }
        // An instruction that came or went took its layers along.
        let own = self.inputs(|one| match (&one.detail, one.change) {
            (Detail::Step { new: Some(at), .. }, Change::Added) => Some(*at) == places.1,
            (Detail::Step { old: Some(at), .. }, Change::Removed) => Some(*at) == places.0,
            _ => false,
        });
        let alone = layer.old.is_none() || layer.new.is_none();
        if alone && own.len() == 1 {
            return own.iter().for_each(|at| self.found.note(*at, output, Certainty::Certain));
        }
        let records = (self.old, self.new);
        let mut candidates = reach::of_step(places, records, &self.moved, &self.origins);
        if evident.is_empty() && layer.files.is_none() {
            // Nothing is known of the files: each could be in it.
            candidates.extend(self.of_kinds(&[Kind::File, Kind::Folder]));
        }
        if self.only_copies(places) {
            candidates = candidates.difference(&evident).copied().collect();
        }
        let by_argument = self.bases_of_arguments();
        candidates.retain(|at| !by_argument.contains(at));
        let recorded = self.recorded(places);
        match (candidates.is_empty(), evident.is_empty()) {
            (true, false) if !self.only_copies(places) => {}
            _ => self.eliminate(output, &candidates, recorded),
        }
    }

    fn only_copies(&self, places: (Option<StepAt>, Option<StepAt>)) -> bool {
        self.steps_at(places).all(|step| step.is(&COPYING))
    }

    fn steps_at(
        &self,
        (old, new): (Option<StepAt>, Option<StepAt>),
    ) -> impl Iterator<Item = &crate::Step> {
        let before = old.and_then(|at| self.old.step(at));
        before.into_iter().chain(new.and_then(|at| self.new.step(at)))
    }

    /// Whether the records have all that these instructions, and those before them, can see.
    fn recorded(&self, (old, new): (Option<StepAt>, Option<StepAt>)) -> Recorded {
        if self.only_copies((old, new)) && !self.steps_at((old, new)).any(|s| s.is_open) {
            return Recorded::All;
        }
        let archives = self.old.archives.is_none() || self.new.archives.is_none();
        let is_open = |record: &BuildRecord, place: Option<StepAt>| {
            let up_to = |at: StepAt| place.is_some_and(|place| at <= place);
            record.steps().any(|(at, step)| {
                let installs = archives && (step.is(&["DEBIAN"]) || step.text.contains("apt"));
                up_to(at) && (step.is_open || installs)
            })
        };
        match is_open(self.old, old) || is_open(self.new, new) {
            true => Recorded::NotAll,
            false => Recorded::All,
        }
    }

    /// Whether a layer differs by the packages in it.
    fn by_packages(&mut self, output: Output, layer: &LayerChange) -> bool {
        let (old, new) = &layer.packages;
        if old.is_empty() && new.is_empty() {
            return false;
        }
        let own: BTreeSet<&str> = old.iter().chain(new).map(|pin| package_name(pin)).collect();
        let differ = inputs::packages(old, new);
        let found = self.inputs(|one| {
            let is_rebuilt = one.change == Change::Rebuilt;
            one.kind == Kind::Package
                && match is_rebuilt {
                    true => own.iter().any(|name| is_file_of(&one.name, name)),
                    false => differ.iter().any(|other| other.name == one.name),
                }
        });
        for input in &found {
            self.found.note(*input, output, Certainty::Certain);
        }
        !found.is_empty()
    }

    /// Notes the inputs that the changes of files are evidence of; whether something is left over.
    fn by_files(
        &self,
        changes: &[FileChange],
        (old, new): (&Files, &Files),
        evident: &mut BTreeSet<usize>,
    ) -> bool {
        let mut left: Vec<(&FileChange, Aspect)> = Vec::new();
        let mut matched: BTreeSet<(&str, Aspect)> = BTreeSet::new();
        for change in changes {
            for aspect in &change.aspects {
                match self.evidence(change, *aspect) {
                    Some(input) => {
                        evident.insert(input);
                        matched.insert((&change.path, *aspect));
                    }
                    None => left.push((change, *aspect)),
                }
            }
        }
        // A directory comes with the first file in it, and goes with the last.
        left.retain(|(change, aspect)| {
            let state = change.old.as_ref().or(change.new.as_ref());
            let is_directory = state.is_some_and(|state| state.node == Node::Directory);
            let below = format!("{}/", change.path);
            let explained = matched
                .iter()
                .any(|(path, other)| other == aspect && path.starts_with(below.as_str()));
            !(is_directory && explained)
        });
        let (held, holds) = (contents(old), contents(new));
        evident.extend(self.inputs(|one| match &one.detail {
            Detail::File { old: Some(a), new: Some(b), .. } => {
                let had = content(&a.node).is_some_and(|digest| held.contains(&digest));
                let has = content(&b.node).is_some_and(|digest| holds.contains(&digest));
                a.node != b.node && had && has
            }
            _ => false,
        }));
        !left.is_empty()
    }

    /// The input that a change of a file is evidence of: of several that fit, the one whose path is
    /// most like the file's.
    fn evidence(&self, change: &FileChange, aspect: Aspect) -> Option<usize> {
        let fitting = self.moved.iter().enumerate().filter_map(|(at, one)| {
            let path = fits(one, change, aspect)?;
            Some((likeness(&path, &change.path), std::cmp::Reverse(at)))
        });
        let (_, std::cmp::Reverse(at)) = fitting.max()?;
        Some(at)
    }

    fn config_key(&mut self, output: Output, key: &KeyChange, comparison: &Comparison) {
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
        candidates
    }

    fn history(&mut self, output: Output, key: &KeyChange, comparison: &Comparison) {
        let mut left = false;
        let sides = [(self.old, &key.old), (self.new, &key.new)];
        for (which, (record, value)) in sides.into_iter().enumerate() {
            for (digest, text) in config::lines(value.as_ref()) {
                let is_line = |place: Option<StepAt>| {
                    place.and_then(|at| record.step(at)).is_some_and(|step| step.line == digest)
                };
                let instructions = self.inputs(|one| match one.detail {
                    Detail::Step { old, new } => is_line(if which == 0 { old } else { new }),
                    _ => false,
                });
                if !instructions.is_empty() {
                    for at in instructions {
                        self.found.note(at, output, Certainty::Certain);
                    }
                    continue;
                }
                left |= !self.history_of_layer(output, &text, comparison);
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
    fn history_of_layer(&mut self, output: Output, text: &str, comparison: &Comparison) -> bool {
        let title = crate::shortened(text);
        let layers = comparison.layers.iter().enumerate();
        let layers = layers.filter(|(_, layer)| layer.title == title && layer.fate != Fate::Same);
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
        for (at, certainty) in &causes {
            self.found.note(*at, output, *certainty);
        }
        !causes.is_empty()
    }

    fn manifest_key(&mut self, output: Output, key: &KeyChange, comparison: &Comparison) {
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

    fn conclude(self, comparison: &mut Comparison) {
        let Explainer { moved, found, .. } = self;
        let Found { effects, unexplained } = found;
        for (at, input) in moved.into_iter().enumerate() {
            match effects.get(&at) {
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
        comparison.causes.sort_by_key(|cause| cause.certainty);
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
