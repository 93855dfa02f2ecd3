//! A layer that an instruction made to what changed it.

use std::collections::BTreeSet;

use super::{Explainer, step};
use crate::compare::{Certainty, Lack, Output, Side, Which, files_of};
use crate::evidence::{content, contents, fits, is_booked, is_file_of, likeness};
use crate::files::{self, Aspect, FileChange, Files, Node};
use crate::inputs::{self, Change, Detail, Kind, Moved};
use crate::layers::{Fate, LayerChange, Origin, package_name};
use crate::reach::{self, COPYING};
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
            let booked = self.inputs(|one| is_booked(one, &change.path));
            if !booked.is_empty() {
                evident.extend(booked);
                continue;
            }
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
}
