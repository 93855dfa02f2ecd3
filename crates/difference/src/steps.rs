//! Which instruction of one recipe is which of another.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::record::{BuildRecord, Stage, Step};

/// Where an instruction is: a stage by number, or before the first; and which of its instructions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct StepAt {
    pub(crate) stage: Option<usize>,
    pub(crate) step: usize,
}

/// What became of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It stands as it did.
    Same { old: StepAt, new: StepAt },
    /// It reads otherwise.
    Edited { old: StepAt, new: StepAt },
    /// It reads as it did, and stands elsewhere.
    Moved { old: StepAt, new: StepAt },
    /// It is new.
    Added { new: StepAt },
    /// It is gone.
    Removed { old: StepAt },
}

/// More pairs of instructions than that are not looked at one by one.
const MOST_PAIRS: usize = 4_000_000;

/// The instructions of two recipes beside each other.
#[derive(Debug, Default)]
pub(crate) struct Alignment {
    pub(crate) fates: Vec<Fate>,
    /// The numbers of the stages that are the same, the old one's first.
    pub(crate) stages: Vec<(usize, usize)>,
    to_new: BTreeMap<StepAt, StepAt>,
}

impl Alignment {
    pub(crate) fn of(old: &BuildRecord, new: &BuildRecord) -> Self {
        let stages = stages(&old.stages, &new.stages);
        let mut alignment = Alignment { stages, ..Alignment::default() };
        alignment.align((None, &old.globals), (None, &new.globals));
        for (a, b) in alignment.stages.clone() {
            let (left, right) = (&old.stages[a].steps, &new.stages[b].steps);
            alignment.align((Some(a), left), (Some(b), right));
        }
        let in_old = |number: usize| alignment.stages.iter().any(|(a, _)| *a == number);
        let in_new = |number: usize| alignment.stages.iter().any(|(_, b)| *b == number);
        let gone: Vec<usize> = (0..old.stages.len()).filter(|number| !in_old(*number)).collect();
        let come: Vec<usize> = (0..new.stages.len()).filter(|number| !in_new(*number)).collect();
        for number in gone {
            alignment.align((Some(number), &old.stages[number].steps), (None, &[]));
        }
        for number in come {
            alignment.align((None, &[]), (Some(number), &new.stages[number].steps));
        }
        alignment
    }

    /// The new place of an old instruction.
    pub(crate) fn new_of(&self, old: StepAt) -> Option<StepAt> {
        self.to_new.get(&old).copied()
    }

    fn align(&mut self, old: (Option<usize>, &[Step]), new: (Option<usize>, &[Step])) {
        let ((old_stage, old), (new_stage, new)) = (old, new);
        let at_old = |step| StepAt { stage: old_stage, step };
        let at_new = |step| StepAt { stage: new_stage, step };
        let anchors = common(old, new, Step::is_like);
        let mut fates: Vec<Fate> = Vec::new();
        let (mut a, mut b) = (0, 0);
        let ends = std::iter::once((old.len(), new.len()));
        for (x, y) in anchors.into_iter().chain(ends) {
            gap((old, a..x), (new, b..y), |left, right| {
                fates.push(match (left, right) {
                    (Some(l), Some(r)) => Fate::Edited { old: at_old(l), new: at_new(r) },
                    (Some(l), None) => Fate::Removed { old: at_old(l) },
                    (None, Some(r)) => Fate::Added { new: at_new(r) },
                    (None, None) => return,
                });
            });
            if x < old.len() && y < new.len() {
                fates.push(Fate::Same { old: at_old(x), new: at_new(y) });
            }
            (a, b) = (x + 1, y + 1);
        }
        join_moved(&mut fates, old, new);
        for fate in &fates {
            if let Fate::Same { old, new } | Fate::Edited { old, new } | Fate::Moved { old, new } =
                fate
            {
                self.to_new.insert(*old, *new);
            }
        }
        self.fates.extend(fates);
    }
}

/// Instructions between two that are the same: those of one keyword were edited, in their order.
fn gap(
    (old, lefts): (&[Step], Range<usize>),
    (new, rights): (&[Step], Range<usize>),
    mut tell: impl FnMut(Option<usize>, Option<usize>),
) {
    // One that stands in the other recipe as it is was not edited.
    let stays = |step: &Step, others: &[Step]| others.iter().any(|other| other.is_like(step));
    let mut taken = vec![false; new.len()];
    for l in lefts {
        let mut found = None;
        if !stays(&old[l], new) {
            found = rights
                .clone()
                .find(|r| !taken[*r] && new[*r].is(&[old[l].verb()]) && !stays(&new[*r], old));
        }
        if let Some(r) = found {
            taken[r] = true;
        }
        tell(Some(l), found);
    }
    for r in rights.filter(|r| !taken[*r]) {
        tell(None, Some(r));
    }
}

/// What is gone here and new there, and reads the same, was moved.
fn join_moved(fates: &mut Vec<Fate>, old: &[Step], new: &[Step]) {
    let mut position = 0;
    while position < fates.len() {
        if let Fate::Removed { old: gone } = fates[position] {
            let come = fates.iter().position(|fate| {
                matches!(fate, Fate::Added { new: come } if new[come.step].is_like(&old[gone.step]))
            });
            if let Some(found) = come
                && let Fate::Added { new: come } = fates[found]
            {
                fates[position] = Fate::Moved { old: gone, new: come };
                fates.remove(found);
                if found < position {
                    continue;
                }
            }
        }
        position += 1;
    }
}

/// Which stages are the same: those of one name, and of the others those of one number.
fn stages(old: &[Stage], new: &[Stage]) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let free = |pairs: &[(usize, usize)], b: usize| pairs.iter().all(|(_, known)| *known != b);
    for (a, stage) in old.iter().enumerate() {
        let named = |b: &usize| stage.name.is_some() && new[*b].name == stage.name;
        pairs.extend((0..new.len()).find(|b| named(b) && free(&pairs, *b)).map(|b| (a, b)));
    }
    // The last stage is the image itself in most recipes, however many come before it.
    let last = (old.len().wrapping_sub(1), new.len().wrapping_sub(1));
    let numbers = (0..old.len().min(new.len())).map(|number| (number, number));
    for (a, b) in std::iter::once(last).chain(numbers) {
        let (Some(left), Some(right)) = (old.get(a), new.get(b)) else { continue };
        let is_new = pairs.iter().all(|(known, _)| *known != a) && free(&pairs, b);
        if is_new && left.name.is_none() == right.name.is_none() {
            pairs.push((a, b));
        }
    }
    pairs.sort_unstable();
    pairs
}

/// The longest common subsequence of two lists, as pairs of positions.
pub(crate) fn common<T>(
    old: &[T],
    new: &[T],
    is_same: impl Fn(&T, &T) -> bool,
) -> Vec<(usize, usize)> {
    let start = old.iter().zip(new).take_while(|(a, b)| is_same(a, b)).count();
    let rest = old[start..].iter().rev().zip(new[start..].iter().rev());
    let end = rest.take_while(|(a, b)| is_same(a, b)).count();
    let (left, right) = (&old[start..old.len() - end], &new[start..new.len() - end]);
    let mut pairs: Vec<(usize, usize)> = (0..start).map(|at| (at, at)).collect();
    if left.len().saturating_mul(right.len()) <= MOST_PAIRS {
        let middle = longest(left, right, &is_same);
        pairs.extend(middle.into_iter().map(|(a, b)| (a + start, b + start)));
    }
    pairs.extend((0..end).rev().map(|at| (old.len() - 1 - at, new.len() - 1 - at)));
    pairs
}

fn longest<T>(left: &[T], right: &[T], is_same: &impl Fn(&T, &T) -> bool) -> Vec<(usize, usize)> {
    let width = right.len() + 1;
    // How many are common from here on.
    let mut lengths = vec![0u32; (left.len() + 1) * width];
    for a in (0..left.len()).rev() {
        for b in (0..right.len()).rev() {
            lengths[a * width + b] = match is_same(&left[a], &right[b]) {
                true => lengths[(a + 1) * width + b + 1] + 1,
                false => lengths[(a + 1) * width + b].max(lengths[a * width + b + 1]),
            };
        }
    }
    let (mut a, mut b) = (0, 0);
    let mut pairs = Vec::new();
    while a < left.len() && b < right.len() {
        if is_same(&left[a], &right[b]) {
            pairs.push((a, b));
            (a, b) = (a + 1, b + 1);
        } else if lengths[(a + 1) * width + b] >= lengths[a * width + b + 1] {
            a += 1;
        } else {
            b += 1;
        }
    }
    pairs
}
