//! Two images of one platform to what differs, and why.

use std::collections::BTreeMap;
use std::sync::Arc;

use layer::LayerIndex;
use oci::{DiffId, ImageConfig, ImageManifest};
use serde::Serialize;

use crate::config::{self, FORM, KeyChange};
use crate::explain;
use crate::files::{self, FileChange, Files};
use crate::inputs::{Change, Kind, Moved};
use crate::layers::{self, Fate, LayerChange};
use crate::manifest;
use crate::record::BuildRecord;
use crate::steps::Alignment;

/// One of the two images, with what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// Its manifest.
    pub manifest: &'a ImageManifest,
    /// Its config.
    pub config: &'a ImageConfig,
    /// What went into it, if that was recorded.
    pub record: Option<&'a BuildRecord>,
    /// What its layers hold, as far as it is at hand.
    pub indexes: &'a BTreeMap<DiffId, Arc<LayerIndex>>,
}

/// What differs between two images of one platform, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Comparison {
    /// Of which of the two it is known what went into them.
    pub records: RecordsKnown,
    /// The inputs that moved and changed something, what weighs most first.
    pub causes: Vec<Cause>,
    /// The inputs that moved and changed nothing.
    pub without_effect: Vec<Moved>,
    /// What differs for a reason that is not known.
    pub unexplained: Vec<Output>,
    /// The layers, in the new image's order; those that are gone follow.
    pub layers: Vec<LayerChange>,
    /// The keys of the config that differ.
    pub config: Vec<KeyChange>,
    /// What differs in the manifest, beside config and layers.
    pub manifest: Vec<KeyChange>,
    /// Without records: the files in which all layers that differ, taken together, differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub files: Option<Vec<FileChange>>,
    /// The layers of which it would help to know what they hold.
    #[serde(skip)]
    pub lacks: Vec<Lack>,
}

/// Of which of two images it is known what went into them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RecordsKnown {
    /// Of both.
    Both,
    /// Of the old one.
    Old,
    /// Of the new one.
    New,
    /// Of neither.
    Neither,
}

/// An input that moved, and what that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// The input.
    #[serde(flatten)]
    pub input: Moved,
    /// Whether it is sure to have changed something.
    pub certainty: Certainty,
    /// What it changed.
    pub effects: Vec<Effect>,
}

/// Something that an input changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Effect {
    /// What.
    #[serde(flatten)]
    pub output: Output,
    /// Whether it is sure to have.
    pub certainty: Certainty,
}

/// Whether something is sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// It is.
    Certain,
    /// It is this or another of those that are possible.
    Possible,
}

/// Something that differs, by its place in the lists of a [`Comparison`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Output {
    /// A layer.
    Layer(usize),
    /// A key of the config.
    Config(usize),
    /// A key of the manifest.
    Manifest(usize),
}

/// A layer of which it would help to know what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lack {
    /// Of which image.
    pub side: Which,
    /// Which layer, from 0 for the lowest.
    pub position: usize,
    /// Its tar.
    pub diff_id: DiffId,
}

/// The one image or the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// The old one.
    Old,
    /// The new one.
    New,
}

/// Compares two images of one platform.
///
/// What is said does not get wrong by what is not at hand: more indexes only make it say more.
pub fn compare(old: &Side<'_>, new: &Side<'_>) -> Comparison {
    let records = old.record.zip(new.record);
    let alignment = records.map(|(old, new)| Alignment::of(old, new));
    let mut comparison = Comparison {
        records: match (old.record, new.record) {
            (Some(_), Some(_)) => RecordsKnown::Both,
            (Some(_), None) => RecordsKnown::Old,
            (None, Some(_)) => RecordsKnown::New,
            (None, None) => RecordsKnown::Neither,
        },
        causes: Vec::new(),
        without_effect: Vec::new(),
        unexplained: Vec::new(),
        layers: layers::changes(old, new, alignment.as_ref()),
        config: config::differences(old.config, new.config),
        manifest: manifest::differences(old.manifest, new.manifest),
        files: None,
        lacks: Vec::new(),
    };
    let same_config = old.manifest.config().digest == new.manifest.config().digest;
    if comparison.config.is_empty() && !same_config && all_diff_ids_stay(&comparison) {
        let (key, item, old, new) = (FORM.to_owned(), None, None, None);
        comparison.config.push(KeyChange { key, item, old, new });
    }
    match (records, &alignment) {
        (Some((before, after)), Some(alignment)) => {
            let sides = (old, new);
            explain::explain(sides, (before, after), alignment, &mut comparison);
        }
        _ => without_records(old, new, &mut comparison),
    }
    comparison
}

fn all_diff_ids_stay(comparison: &Comparison) -> bool {
    let stays = |layer: &LayerChange| matches!(layer.fate, Fate::Same | Fate::Recompressed);
    comparison.layers.iter().all(stays)
}

/// What differs stands for itself; what only the form of can be told.
fn without_records(old: &Side<'_>, new: &Side<'_>, comparison: &mut Comparison) {
    if old.manifest.bytes() == new.manifest.bytes() {
        return;
    }
    if all_diff_ids_stay(comparison) && comparison.config.iter().all(|key| key.key == FORM) {
        comparison.causes.extend(forms(comparison));
        return;
    }
    let differs = |fate: Fate| matches!(fate, Fate::Changed | Fate::Added | Fate::Removed);
    let mut sides: [Option<BTreeMap<usize, Files>>; 2] =
        [Some(BTreeMap::new()), Some(BTreeMap::new())];
    for change in comparison.layers.iter_mut().filter(|change| differs(change.fate)) {
        let places = [&change.old, &change.new];
        let both = [(Which::Old, old), (Which::New, new)];
        let mut found: [Option<Files>; 2] = [None, None];
        for (at, (which, side)) in both.into_iter().enumerate() {
            let Some(place) = places[at] else { continue };
            found[at] = files_of(side, &place.diff_id);
            match (&found[at], &mut sides[at]) {
                (Some(files), Some(all)) => drop(all.insert(place.position, files.clone())),
                (Some(_), None) => {}
                _ => {
                    sides[at] = None;
                    let (position, diff_id) = (place.position, place.diff_id);
                    comparison.lacks.push(Lack { side: which, position, diff_id });
                }
            }
        }
        if let [Some(a), Some(b)] = &found
            && change.fate == Fate::Changed
        {
            change.files = Some(files::differences(a, b));
        }
    }
    if let [Some(a), Some(b)] = &sides {
        let (a, b) = (files::merged(a.values()), files::merged(b.values()));
        comparison.files = Some(files::differences(&a, &b));
    }
}

/// What a layer holds, as far as it is known.
pub(crate) fn files_of(side: &Side<'_>, diff_id: &DiffId) -> Option<Files> {
    if let Some(index) = side.indexes.get(diff_id) {
        return Some(files::of_index(index));
    }
    let layers = side.record.map(|record| record.layers.as_slice()).unwrap_or_default();
    layers.iter().find(|layer| layer.diff_id == *diff_id)?.files.clone()
}

/// Why two images of the same content have two digests.
pub(crate) fn forms(comparison: &Comparison) -> Vec<Cause> {
    let mut causes = Vec::new();
    let mut note = |name: &str, outputs: Vec<Output>, from: Option<(String, String)>| {
        if outputs.is_empty() {
            return;
        }
        let (old, new) = from.unzip();
        let input = Moved { old, new, ..Moved::of(Kind::Form, name, Change::Changed) };
        let certainty = Certainty::Certain;
        let effects = outputs.into_iter().map(|output| Effect { output, certainty }).collect();
        causes.push(Cause { input, certainty, effects });
    };
    let recompressed = comparison.layers.iter().enumerate();
    let recompressed = recompressed.filter(|(_, layer)| layer.fate == Fate::Recompressed);
    note("compression", recompressed.map(|(at, _)| Output::Layer(at)).collect(), None);
    let config = (0..comparison.config.len()).map(Output::Config).collect();
    note("the config's JSON", config, None);
    let manifest = |wanted: fn(&str) -> bool| -> Vec<usize> {
        let keys = comparison.manifest.iter().enumerate();
        keys.filter(|(_, key)| wanted(&key.key)).map(|(at, _)| at).collect()
    };
    let outputs = |list: &[usize]| list.iter().map(|at| Output::Manifest(*at)).collect();
    let types = manifest(|key| key.ends_with("ediaType"));
    let first = types.first().map(|at| {
        let text = |value: &Option<serde_json::Value>| {
            value.as_ref().and_then(|value| value.as_str()).unwrap_or_default().to_owned()
        };
        let key = &comparison.manifest[*at];
        (text(&key.old), text(&key.new))
    });
    note("media types", outputs(&types), first);
    note("annotations", outputs(&manifest(|key| key == "annotations")), None);
    note("the manifest's JSON", outputs(&manifest(|key| key == FORM)), None);
    let others = manifest(|key| key == "artifactType" || key == "subject");
    note("what the manifest refers to", outputs(&others), None);
    causes
}
