//! A layer that an instruction made to what changed it.

use std::collections::BTreeSet;

use super::evident::{Evidence, Left};
use super::wholes::Whole;
use super::{Explainer, place, step};
use crate::compare::{Certainty, Lack, Output, Side, Which, files_of};
use crate::evidence::is_file_of;
use crate::files::{self, Files};
use crate::inputs::{self, Change, Detail, Kind, Moved};
use crate::layers::{Fate, LayerChange, Origin, package_name};
use crate::reach::{self, COPYING, View};
use crate::record::BuildRecord;
use crate::steps::StepAt;

/// What a layer held and holds; none where that is not known.
pub(super) struct Sides {
    old: Option<Files>,
    new: Option<Files>,
}

impl Sides {
    pub(super) fn of(
        layer: &LayerChange,
        old: &Side<'_>,
        new: &Side<'_>,
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

    /// Both, if they are known.
    pub(super) fn both(&self) -> Option<(&Files, &Files)> {
        self.old.as_ref().zip(self.new.as_ref())
    }
}

/// Whether everything was recorded that what differs depends on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Recorded {
    All,
    /// Secrets, an agent, what apt's sources gave.
    NotAll,
}

impl Explainer<'_> {
    pub(super) fn moved_layer(&mut self, output: Output, layer: &LayerChange) {
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
    pub(super) fn own_layer(
        &mut self,
        output: Output,
        layer: &mut LayerChange,
        sides: Option<Sides>,
        whole: Option<&Whole>,
    ) {
        let places = (place(layer.origins.0), place(layer.origins.1));
        let own = self.took_along(layer, places);
        for input in &own {
            self.found.note(*input, output, Certainty::Certain);
        }
        if self.by_packages(output, layer) {
            return;
        }
        let mut evidence = None;
        if let Some((old, new)) = sides.as_ref().and_then(Sides::both) {
            let changes = files::differences(old, new);
            let own_changes = whole.map(|whole| whole.among(&changes));
            let is_dealt_otherwise =
                !changes.is_empty() && own_changes.as_ref().is_some_and(Vec::is_empty);
            evidence = Some(self.by_files(own_changes.as_ref().unwrap_or(&changes)));
            layer.files = Some(changes);
            if let Some(whole) = whole.filter(|_| is_dealt_otherwise && own.is_empty()) {
                return self.dealt_otherwise(output, places, whole);
            }
        }
        let Evidence { certain, possible, left } = evidence.clone().unwrap_or_default();
        for input in &certain {
            self.found.note(*input, output, Certainty::Certain);
        }
        for input in &possible {
            self.found.note(*input, output, Certainty::Possible);
        }
        let is_written_otherwise = layer.files.as_ref().is_some_and(Vec::is_empty);
        let candidates = match (&evidence, left) {
            // The same files in another tar.
            _ if is_written_otherwise => self.of_kinds(&[Kind::Plywood, Kind::FormatEpoch]),
            (Some(_), Left::Nothing) => return,
            _ if !own.is_empty() => return,
            (known, _) => {
                let mut candidates = self.of_step(places);
                if known.is_none() {
                    // Nothing is known of the files: each could be in it that is taken here.
                    candidates.extend(self.taken(places));
                } else if self.only_copies(places) {
                    candidates = candidates.difference(&certain).copied().collect();
                }
                candidates.union(&possible).copied().collect()
            }
        };
        let recorded = match left {
            Left::Hidden => Recorded::NotAll,
            _ => self.recorded(places),
        };
        self.eliminate(output, &candidates, recorded);
    }

    /// A layer whose files are what they were, and are with others: by what moved among those of the
    /// instruction, or by what says how many layers it may have.
    fn dealt_otherwise(
        &mut self,
        output: Output,
        places: (Option<StepAt>, Option<StepAt>),
        whole: &Whole,
    ) {
        let Evidence { certain, possible, .. } = self.by_files(&whole.all());
        let mut candidates: BTreeSet<usize> = certain.union(&possible).copied().collect();
        let general = [Kind::Plywood, Kind::FormatEpoch, Kind::Instruction, Kind::Package];
        candidates.extend(self.of_kinds(&general));
        candidates.extend(self.of_bases());
        self.eliminate(output, &candidates, self.recorded(places));
    }

    /// The instruction that came or went and took a layer along.
    fn took_along(
        &self,
        layer: &LayerChange,
        places: (Option<StepAt>, Option<StepAt>),
    ) -> BTreeSet<usize> {
        let (is_new, is_gone) = (layer.old.is_none(), layer.new.is_none());
        self.inputs(|one| match (&one.detail, one.change) {
            (Detail::Step { new: Some(at), .. }, Change::Added) => is_new && Some(*at) == places.1,
            (Detail::Step { old: Some(at), .. }, Change::Removed) => {
                is_gone && Some(*at) == places.0
            }
            _ => false,
        })
    }

    /// The files of contexts that these instructions, and those that they see, can take.
    fn taken(&self, places: (Option<StepAt>, Option<StepAt>)) -> BTreeSet<usize> {
        let seen = |record, place| View::of(record, place).steps(record).collect::<Vec<_>>();
        let steps = [seen(self.old, places.0), seen(self.new, places.1)].concat();
        self.inputs(|one| match &one.detail {
            Detail::File { old_path, new_path, .. } => {
                steps.iter().any(|step| step.may_take(old_path) || step.may_take(new_path))
            }
            _ => one.kind == Kind::Folder && steps.iter().any(|step| !step.takes.is_empty()),
        })
    }

    /// The inputs that can have reached a layer of an instruction.
    pub(super) fn of_step(&self, places: (Option<StepAt>, Option<StepAt>)) -> BTreeSet<usize> {
        let records = (self.old, self.new);
        let mut reached = reach::of_step(places, records, &self.moved, &self.origins);
        let by_argument = self.bases_of_arguments();
        reached.retain(|at| !by_argument.contains(at));
        reached
    }

    pub(super) fn only_copies(&self, places: (Option<StepAt>, Option<StepAt>)) -> bool {
        self.steps_at(places).all(|step| step.is(&COPYING))
    }

    fn steps_at(
        &self,
        (old, new): (Option<StepAt>, Option<StepAt>),
    ) -> impl Iterator<Item = &crate::Step> {
        let before = old.and_then(|at| self.old.step(at));
        before.into_iter().chain(new.and_then(|at| self.new.step(at)))
    }

    /// Whether the records have all that these instructions, and those that they see, can see.
    fn recorded(&self, (old, new): (Option<StepAt>, Option<StepAt>)) -> Recorded {
        let archives = self.old.archives.is_none() || self.new.archives.is_none();
        let is_open = |record: &BuildRecord, place: Option<StepAt>| {
            View::of(record, place).steps(record).any(|step| {
                let installs = step.is(&["DEBIAN"]) || step.text.contains("apt");
                step.is_open || (archives && installs)
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
}
