//! The files in which a layer differs to the inputs that they are evidence of.

use std::collections::{BTreeMap, BTreeSet};

use super::Explainer;
use crate::evidence::{content, fits, is_booked, likeness};
use crate::files::{Aspect, FileChange, FileState, Node};
use crate::inputs::Detail;

/// What the files in which a layer differs say.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    /// Inputs that changed it.
    pub(super) certain: BTreeSet<usize>,
    /// Inputs of which some changed it.
    pub(super) possible: BTreeSet<usize>,
    /// Whether there is more than that.
    pub(super) left: Left,
}

/// What no input is evidence of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Left {
    #[default]
    Nothing,
    /// Something, which an input that was recorded can have changed.
    Something,
    /// Something that may go back to what of a context is not recorded: file capabilities, and which
    /// of its files are one.
    Hidden,
}

/// An input that fits a change, and how many of the last parts of their paths are the same.
type Fit = (usize, usize);

impl Explainer<'_> {
    /// What the files in which a layer differs are evidence of.
    pub(super) fn by_files(&self, changes: &[FileChange]) -> Evidence {
        let mut evidence = Evidence::default();
        let mut left: Vec<(&FileChange, Aspect)> = Vec::new();
        let mut matched: BTreeSet<(Aspect, &str)> = BTreeSet::new();
        let all: Vec<(&FileChange, Aspect, Vec<Fit>)> = changes
            .iter()
            .flat_map(|change| change.aspects.iter().map(move |aspect| (change, *aspect)))
            .map(|(change, aspect)| (change, aspect, self.fitting(change, aspect)))
            .collect();
        let best = best_of_each(&all);
        for (change, aspect, fitting) in &all {
            let booked = self.inputs(|one| is_booked(one, &change.path));
            if !booked.is_empty() {
                evidence.certain.extend(booked);
                continue;
            }
            match the_one(fitting, &best) {
                _ if fitting.is_empty() => left.push((change, *aspect)),
                Some(input) => drop(evidence.certain.insert(input)),
                None => evidence.possible.extend(fitting.iter().map(|(_, input)| *input)),
            }
            if !fitting.is_empty() {
                matched.insert((*aspect, &change.path));
            }
        }
        left.retain(|(change, aspect)| !is_implied(change, *aspect, &matched));
        evidence.left = left.iter().fold(Left::Nothing, |known, (change, aspect)| {
            if known == Left::Hidden || is_hidden(change, *aspect) {
                Left::Hidden
            } else {
                Left::Something
            }
        });
        if evidence.left != Left::Nothing {
            self.by_contents(changes, &mut evidence);
        }
        evidence
    }

    fn fitting(&self, change: &FileChange, aspect: Aspect) -> Vec<Fit> {
        let inputs = self.moved.iter().enumerate();
        let fitting = inputs.filter_map(|(at, one)| {
            let path = fits(one, change, aspect)?;
            Some((likeness(&path, &change.path), at))
        });
        fitting.collect()
    }

    /// A file that moved and is in what went and in what came is in the layer, wherever it was copied
    /// to: surely, if it has kept its name.
    fn by_contents(&self, changes: &[FileChange], evidence: &mut Evidence) {
        let mut gone: BTreeMap<oci::Digest, Vec<&str>> = BTreeMap::new();
        let mut come: BTreeMap<oci::Digest, Vec<&str>> = BTreeMap::new();
        for change in changes {
            let sides = [(&change.old, &mut gone), (&change.new, &mut come)];
            for (state, known) in sides {
                let digest = state.as_ref().and_then(|state: &FileState| content(&state.node));
                if let Some(digest) = digest {
                    known.entry(digest).or_default().push(&change.path);
                }
            }
        }
        for (at, one) in self.moved.iter().enumerate() {
            let Detail::File { old_path, new_path, old: Some(a), new: Some(b) } = &one.detail
            else {
                continue;
            };
            let (Some(before), Some(now)) = (content(&a.node), content(&b.node)) else { continue };
            let (Some(was), Some(is)) = (gone.get(&before), come.get(&now)) else { continue };
            let keeps =
                |places: &[&str], path: &str| places.iter().any(|place| likeness(place, path) > 0);
            match keeps(was, old_path) && keeps(is, new_path) && before != now {
                true => drop(evidence.certain.insert(at)),
                false if before != now => drop(evidence.possible.insert(at)),
                false => {}
            }
        }
        let certain = &evidence.certain;
        evidence.possible.retain(|at| !certain.contains(at));
    }
}

/// For each input, how like the path is of the change that it fits best.
fn best_of_each(all: &[(&FileChange, Aspect, Vec<Fit>)]) -> BTreeMap<(usize, Aspect), usize> {
    let mut best = BTreeMap::new();
    for (_, aspect, fitting) in all {
        for (likeness, input) in fitting {
            let known = best.entry((*input, *aspect)).or_insert(*likeness);
            *known = (*known).max(*likeness);
        }
    }
    best
}

/// The one of several inputs of the same content that is meant: its path is the most like, and all
/// others have a change that they fit better.
fn the_one(fitting: &[Fit], best: &BTreeMap<(usize, Aspect), usize>) -> Option<usize> {
    if let [(_, input)] = fitting {
        return Some(*input);
    }
    let (most, input) = fitting.iter().max()?;
    let better = |likeness: usize, other: usize| {
        let of_other = best.iter().filter(|((at, _), _)| *at == other).map(|(_, best)| *best);
        of_other.max().is_some_and(|best| best > likeness)
    };
    let others = fitting.iter().filter(|(_, other)| other != input);
    let mut others = others.map(|(likeness, other)| likeness < most && better(*likeness, *other));
    others.all(|is_out| is_out).then_some(*input)
}

/// A directory comes with the first file in it, and goes with the last.
fn is_implied(change: &FileChange, aspect: Aspect, matched: &BTreeSet<(Aspect, &str)>) -> bool {
    let state = change.old.as_ref().or(change.new.as_ref());
    let is_directory = state.is_some_and(|state| state.node == Node::Directory);
    let below = format!("{}/", change.path);
    let next = matched.range((aspect, below.as_str())..).next();
    is_directory && next.is_some_and(|(other, path)| *other == aspect && path.starts_with(&below))
}

fn is_hidden(change: &FileChange, aspect: Aspect) -> bool {
    let states = change.old.iter().chain(&change.new);
    let mut states = states.map(|state| matches!(state.node, Node::Hardlink { .. }));
    aspect == Aspect::Xattrs || states.any(|is_link| is_link)
}
