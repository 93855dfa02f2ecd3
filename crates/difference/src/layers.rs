//! Which layer of one image is which of another.

use std::collections::{BTreeMap, BTreeSet};

use oci::{DiffId, Digest};
use serde::Serialize;

use crate::compare::Side;
use crate::files::FileChange;
use crate::steps::{Alignment, StepAt, common};

/// A layer of one image beside that of the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerChange {
    /// What became of it.
    pub fate: Fate,
    /// The instruction that it comes from, as far as is known.
    pub title: String,
    /// Where it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<LayerPlace>,
    /// Where it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<LayerPlace>,
    /// The files in which it differs, if they are known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileChange>>,
    #[serde(skip)]
    pub(crate) origins: (Option<Origin>, Option<Origin>),
    #[serde(skip)]
    pub(crate) packages: (Vec<String>, Vec<String>),
    /// Its titles before and now, which differ where an instruction has other layers.
    #[serde(skip)]
    pub(crate) titles: (String, String),
}

impl LayerChange {
    /// Whether it is, or was, a layer of packages.
    pub(crate) fn has_packages(&self) -> bool {
        !self.packages.0.is_empty() || !self.packages.1.is_empty()
    }
}

/// What became of a layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// It is the same blob in the same order.
    Same,
    /// It holds the same and is compressed otherwise.
    Recompressed,
    /// It is the same, and lies elsewhere among the others.
    Moved,
    /// It holds something else.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

/// A layer of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct LayerPlace {
    /// Which one, from 0 for the lowest.
    pub position: usize,
    /// Its tar.
    pub diff_id: DiffId,
    /// Its blob.
    pub digest: Digest,
    /// The blob's size in bytes.
    pub size: u64,
    /// The blob's media type.
    pub media_type: String,
}

/// What a layer comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The base.
    Base,
    /// An instruction.
    Step(StepAt),
}

/// A layer with what is known of it.
struct Piece {
    place: LayerPlace,
    title: String,
    origin: Option<Origin>,
    packages: Vec<String>,
}

/// The layers of two images beside each other, in the new one's order; those that are gone follow.
pub(crate) fn changes(
    old: &Side<'_>,
    new: &Side<'_>,
    alignment: Option<&Alignment>,
) -> Vec<LayerChange> {
    let (left, right) = (pieces(old), pieces(new));
    let mut pairs = Pairs::default();
    let same = |a: &Piece, b: &Piece| a.place.diff_id == b.place.diff_id;
    let anchors = common(&left, &right, same);
    for (a, b) in &anchors {
        let is_same = left[*a].place.digest == right[*b].place.digest;
        pairs.join(*a, *b, if is_same { Fate::Same } else { Fate::Recompressed });
    }
    pairs.join_all(&left, &right, Fate::Moved, same);
    match alignment {
        Some(alignment) => join_by_steps(&left, &right, alignment, &mut pairs),
        None => join_by_gaps(&left, &right, &anchors, &mut pairs),
    }
    let mut changes: Vec<LayerChange> = Vec::new();
    for (b, piece) in right.iter().enumerate() {
        match pairs.by_new.get(&b) {
            Some((a, fate)) => changes.push(change(*fate, Some(&left[*a]), Some(piece))),
            None => changes.push(change(Fate::Added, None, Some(piece))),
        }
    }
    let gone = (0..left.len()).filter(|a| !pairs.old.contains(a));
    changes.extend(gone.map(|a| change(Fate::Removed, Some(&left[a]), None)));
    changes
}

fn change(fate: Fate, old: Option<&Piece>, new: Option<&Piece>) -> LayerChange {
    let packages = |piece: Option<&Piece>| piece.map(|it| it.packages.clone()).unwrap_or_default();
    let title = |piece: Option<&Piece>| piece.map(|it| it.title.clone()).unwrap_or_default();
    LayerChange {
        fate,
        title: title(new.or(old)),
        old: old.map(|piece| piece.place.clone()),
        new: new.map(|piece| piece.place.clone()),
        files: None,
        origins: (old.and_then(|piece| piece.origin), new.and_then(|piece| piece.origin)),
        packages: (packages(old), packages(new)),
        titles: (title(old), title(new)),
    }
}

/// Which layers belong together.
#[derive(Default)]
struct Pairs {
    by_new: BTreeMap<usize, (usize, Fate)>,
    old: BTreeSet<usize>,
}

impl Pairs {
    fn join(&mut self, old: usize, new: usize, fate: Fate) {
        self.by_new.insert(new, (old, fate));
        self.old.insert(old);
    }

    fn is_free(&self, old: usize, new: usize) -> bool {
        !self.old.contains(&old) && !self.by_new.contains_key(&new)
    }

    /// Joins what is left and fits, in order.
    fn join_all(
        &mut self,
        left: &[Piece],
        right: &[Piece],
        fate: Fate,
        fits: impl Fn(&Piece, &Piece) -> bool,
    ) {
        for (a, piece) in left.iter().enumerate() {
            let fits = |(b, other): &(usize, &Piece)| self.is_free(a, *b) && fits(piece, other);
            let found = right.iter().enumerate().find(fits);
            if let Some((b, _)) = found {
                self.join(a, b, fate);
            }
        }
    }
}

/// Layers of the same instruction belong together; of several, those that share packages, and those
/// of one title.
fn join_by_steps(left: &[Piece], right: &[Piece], alignment: &Alignment, pairs: &mut Pairs) {
    let same_step = |a: &Piece, b: &Piece| match (a.origin, b.origin) {
        (Some(Origin::Step(a)), Some(Origin::Step(b))) => alignment.new_of(a) == Some(b),
        _ => false,
    };
    let shares = |a: &Piece, b: &Piece| {
        let names = |piece: &Piece| -> BTreeSet<String> {
            piece.packages.iter().map(|pin| package_name(pin).to_owned()).collect()
        };
        !names(a).is_disjoint(&names(b))
    };
    let plain = |a: &Piece, b: &Piece| a.packages.is_empty() && b.packages.is_empty();
    pairs.join_all(left, right, Fate::Changed, |a, b| same_step(a, b) && shares(a, b));
    let same_title = |a: &Piece, b: &Piece| plain(a, b) && a.title == b.title;
    pairs.join_all(left, right, Fate::Changed, |a, b| same_step(a, b) && same_title(a, b));
    pairs.join_all(left, right, Fate::Changed, |a, b| same_step(a, b) && plain(a, b));
}

/// The name of a pinned package.
pub(crate) fn package_name(pin: &str) -> &str {
    pin.split('=').next().unwrap_or_default()
}

/// Between two layers that are the same, those of one title belong together, and the others if there
/// are as many on both sides.
fn join_by_gaps(left: &[Piece], right: &[Piece], anchors: &[(usize, usize)], pairs: &mut Pairs) {
    let ends = std::iter::once((left.len(), right.len()));
    let (mut a, mut b) = (0, 0);
    for (x, y) in anchors.iter().copied().chain(ends) {
        for (l, piece) in left.iter().enumerate().take(x).skip(a) {
            let same_title = |r: &usize| {
                pairs.is_free(l, *r) && !piece.title.is_empty() && piece.title == right[*r].title
            };
            if let Some(r) = (b..y).find(same_title) {
                pairs.join(l, r, Fate::Changed);
            }
        }
        let rest_old: Vec<usize> = (a..x).filter(|l| !pairs.old.contains(l)).collect();
        let rest_new: Vec<usize> = (b..y).filter(|r| !pairs.by_new.contains_key(r)).collect();
        if rest_old.len() == rest_new.len() {
            for (l, r) in rest_old.into_iter().zip(rest_new) {
                pairs.join(l, r, Fate::Changed);
            }
        }
        (a, b) = (x + 1, y + 1);
    }
}

fn pieces(side: &Side<'_>) -> Vec<Piece> {
    let history = side.config.history().into_iter().filter(|entry| !entry.empty_layer);
    let mut titles: Vec<String> =
        history.map(|entry| entry.created_by.unwrap_or_default()).collect();
    let layers = side.manifest.layers();
    let diff_ids = side.config.diff_ids();
    // A history that tells of another number of layers tells of none.
    if titles.len() != layers.len() {
        titles = vec![String::new(); layers.len()];
    }
    let pieces = layers.iter().zip(diff_ids).zip(titles).enumerate();
    pieces
        .map(|(position, ((descriptor, diff_id), title))| {
            let record = side.record.and_then(|record| {
                let layer = record.layers.iter().find(|layer| layer.diff_id == diff_id)?;
                let origin = record.steps().find(|(_, step)| step.layers.contains(&layer.key));
                Some((layer, origin.map(|(at, _)| Origin::Step(at))))
            });
            let known = side.record.is_some();
            let origin = match &record {
                Some((_, origin)) => *origin,
                None => known.then_some(Origin::Base),
            };
            let place = LayerPlace {
                position,
                diff_id,
                digest: descriptor.digest,
                size: descriptor.size,
                media_type: descriptor.media_type.as_str().to_owned(),
            };
            let title = record.as_ref().map_or(title, |(layer, _)| layer.title.clone());
            let packages = record.map(|(layer, _)| layer.packages.clone()).unwrap_or_default();
            Piece { place, title: crate::shortened(&title), origin, packages }
        })
        .collect()
}
