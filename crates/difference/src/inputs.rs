//! What moved between two builds: the inputs in which two records differ.

use std::collections::BTreeMap;

use oci::Digest;
use serde::Serialize;

use crate::contexts;
use crate::record::{BuildRecord, ContextEntry, PackageFile, Step};
use crate::steps::{Alignment, Fate, StepAt};

/// An input that is not what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Moved {
    /// What kind of input it is.
    pub kind: Kind,
    /// Which one: a path, a name, a reference.
    pub name: String,
    /// What happened to it.
    pub change: Change,
    /// What it was, in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub old: Option<String>,
    /// What it is, in short.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub new: Option<String>,
    #[serde(skip)]
    pub(crate) detail: Detail,
}

/// The kinds of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A file of a context.
    File,
    /// A directory of a context of which the files are too many to be told.
    Folder,
    /// The ignore file.
    IgnoreFile,
    /// An instruction of the recipe.
    Instruction,
    /// A build argument.
    BuildArgument,
    /// The image that a stage begins with, or that is copied from.
    Base,
    /// A package in the image.
    Package,
    /// What a URL gave.
    Download,
    /// What apt's sources gave.
    PackageArchive,
    /// The stage that is built.
    Target,
    /// What the image runs on.
    Platform,
    /// The time of new files.
    Timestamp,
    /// How layers are compressed.
    Compression,
    /// A label of the command line.
    Label,
    /// A label that says where the context comes from.
    Revision,
    /// An annotation that was asked for.
    Annotation,
    /// The version of plywood.
    Plywood,
    /// The epoch of what decides layers' bytes.
    FormatEpoch,
    /// How the image is written down, and not what it is.
    Form,
}

/// What happened to an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// Its content or value is another.
    Changed,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its permissions are others.
    Mode,
    /// It has another name.
    Renamed,
    /// It stands elsewhere.
    Reordered,
    /// Its name stands for something else.
    Repointed,
    /// It has the same version, and other bytes.
    Rebuilt,
}

/// What attribution has to know beside that.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Detail {
    #[default]
    Nothing,
    File {
        old_path: String,
        new_path: String,
        old: Option<ContextEntry>,
        new: Option<ContextEntry>,
    },
    Step {
        old: Option<StepAt>,
        new: Option<StepAt>,
    },
    /// A package of Debian's, which dpkg keeps book of.
    DebianPackage,
    /// The stages, of the old and of the new recipe, that begin with it.
    Base {
        old_stages: Vec<usize>,
        new_stages: Vec<usize>,
    },
    Time {
        old: i64,
        new: i64,
    },
    Download {
        old: Option<Digest>,
        new: Option<Digest>,
    },
}

impl Moved {
    pub(crate) fn of(kind: Kind, name: &str, change: Change) -> Self {
        let (old, new, detail) = (None, None, Detail::Nothing);
        Moved { kind, name: name.to_owned(), change, old, new, detail }
    }

    pub(crate) fn with_values(self, old: Option<String>, new: Option<String>) -> Self {
        Moved { old, new, ..self }
    }
}

/// Every input that moved from the one build to the other. Packages are told by their layers.
pub(crate) fn moved(old: &BuildRecord, new: &BuildRecord, alignment: &Alignment) -> Vec<Moved> {
    let mut moved = Vec::new();
    moved.extend(contexts::files(old, new, alignment));
    moved.extend(contexts::ignore_file(old, new));
    moved.extend(instructions(old, new, alignment));
    moved.extend(arguments(old, new));
    moved.extend(bases(old, new, alignment));
    moved.extend(downloads(old, new));
    moved.extend(settings(old, new));
    moved
}

fn settings(old: &BuildRecord, new: &BuildRecord) -> Vec<Moved> {
    let mut moved = Vec::new();
    let mut single = |kind: Kind, name: &str, old: String, new: String, detail: Detail| {
        if old != new {
            let one = Moved::of(kind, name, Change::Changed).with_values(Some(old), Some(new));
            moved.push(Moved { detail, ..one });
        }
    };
    if let (Some(a), Some(b)) = (old.archives, new.archives) {
        single(Kind::PackageArchive, "apt", a.short(), b.short(), Detail::Nothing);
    }
    let stage = |target: &Option<String>| target.clone().unwrap_or_else(|| "the last".to_owned());
    single(Kind::Target, "target", stage(&old.target), stage(&new.target), Detail::Nothing);
    let platforms = (old.platform.clone(), new.platform.clone());
    single(Kind::Platform, "platform", platforms.0, platforms.1, Detail::Nothing);
    let detail = Detail::Time { old: old.timestamp, new: new.timestamp };
    let times = (old.timestamp.to_string(), new.timestamp.to_string());
    single(Kind::Timestamp, "timestamp", times.0, times.1, detail);
    let compressions = (old.compression.clone(), new.compression.clone());
    single(Kind::Compression, "compression", compressions.0, compressions.1, Detail::Nothing);
    let versions = (old.plywood.clone(), new.plywood.clone());
    single(Kind::Plywood, "plywood", versions.0, versions.1, Detail::Nothing);
    let epochs = (old.epoch.to_string(), new.epoch.to_string());
    single(Kind::FormatEpoch, "format epoch", epochs.0, epochs.1, Detail::Nothing);
    moved.extend(pairs(Kind::Label, &old.labels, &new.labels));
    moved.extend(pairs(Kind::Revision, &old.origin, &new.origin));
    moved.extend(pairs(Kind::Annotation, &old.annotations, &new.annotations));
    moved
}

/// Keys with values that moved.
fn pairs(kind: Kind, old: &BTreeMap<String, String>, new: &BTreeMap<String, String>) -> Vec<Moved> {
    let both = union(old, new).into_iter().filter(|(_, a, b)| a != b);
    let moved = both
        .map(|(key, a, b)| Moved::of(kind, key, change(a, b)).with_values(a.cloned(), b.cloned()));
    moved.collect()
}

/// All keys of two maps with their values in each.
pub(crate) fn union<'a, V>(
    old: &'a BTreeMap<String, V>,
    new: &'a BTreeMap<String, V>,
) -> Vec<(&'a str, Option<&'a V>, Option<&'a V>)> {
    let mut all: Vec<_> =
        old.iter().map(|(key, value)| (key.as_str(), Some(value), new.get(key))).collect();
    let added = new.iter().filter(|(key, _)| !old.contains_key(*key));
    all.extend(added.map(|(key, value)| (key.as_str(), None, Some(value))));
    all.sort_by_key(|(key, ..)| *key);
    all
}

pub(crate) fn change<T>(old: Option<&T>, new: Option<&T>) -> Change {
    match (old, new) {
        (None, _) => Change::Added,
        (_, None) => Change::Removed,
        _ => Change::Changed,
    }
}

fn arguments(old: &BuildRecord, new: &BuildRecord) -> Vec<Moved> {
    let both = union(&old.arguments, &new.arguments).into_iter();
    let both = both.filter(|(_, a, b)| a.map(|a| &a.mark) != b.map(|b| &b.mark));
    let moved = both.map(|(name, a, b)| {
        let shown = |argument: Option<&crate::Argument>| argument.and_then(|it| it.shown.clone());
        Moved::of(Kind::BuildArgument, name, change(a, b)).with_values(shown(a), shown(b))
    });
    moved.collect()
}

fn instructions(old: &BuildRecord, new: &BuildRecord, alignment: &Alignment) -> Vec<Moved> {
    let mut moved = Vec::new();
    for fate in &alignment.fates {
        let (change, a, b) = match *fate {
            Fate::Same { .. } => continue,
            Fate::Edited { old, new } => (Change::Changed, Some(old), Some(new)),
            Fate::Moved { old, new } => (Change::Reordered, Some(old), Some(new)),
            Fate::Added { new } => (Change::Added, None, Some(new)),
            Fate::Removed { old } => (Change::Removed, Some(old), None),
        };
        let text = |record: &BuildRecord, at: Option<StepAt>| {
            at.and_then(|at| record.step(at)).map(|step| step.text.clone())
        };
        let (was, is) = (text(old, a), text(new, b));
        let name = is.clone().or_else(|| was.clone()).unwrap_or_default();
        let one = Moved::of(Kind::Instruction, &name, change).with_values(was, is);
        moved.push(Moved { detail: Detail::Step { old: a, new: b }, ..one });
    }
    moved
}

impl BuildRecord {
    /// The instruction at a place.
    pub(crate) fn step(&self, at: StepAt) -> Option<&Step> {
        match at.stage {
            None => self.globals.get(at.step),
            Some(stage) => self.stages.get(stage)?.steps.get(at.step),
        }
    }

    /// All instructions in order, with their places.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (StepAt, &Step)> {
        let globals = self.globals.iter().enumerate();
        let globals = globals.map(|(step, it)| (StepAt { stage: None, step }, it));
        let stages = self.stages.iter().enumerate().flat_map(|(number, stage)| {
            let stage_steps = stage.steps.iter().enumerate();
            stage_steps.map(move |(step, it)| (StepAt { stage: Some(number), step }, it))
        });
        globals.chain(stages)
    }
}

/// Images whose names stand for something else, and stages that begin with another image.
fn bases(old: &BuildRecord, new: &BuildRecord, alignment: &Alignment) -> Vec<Moved> {
    let stages = |record: &BuildRecord, reference: &str| -> Vec<usize> {
        let begins = |number: &usize| {
            let base = record.stages[*number].base.as_ref();
            base.is_some_and(|base| base.reference == reference)
        };
        (0..record.stages.len()).filter(begins).collect()
    };
    let mut moved = Vec::new();
    for (reference, a, b) in union(&old.images, &new.images) {
        if let (Some(a), Some(b)) = (a, b)
            && a != b
        {
            let detail = Detail::Base {
                old_stages: stages(old, reference),
                new_stages: stages(new, reference),
            };
            let one = Moved::of(Kind::Base, reference, Change::Repointed)
                .with_values(Some(a.to_string()), Some(b.to_string()));
            moved.push(Moved { detail, ..one });
        }
    }
    moved.extend(other_bases(old, new, alignment));
    moved
}

/// Stages that begin with an image of another name, by both names.
fn other_bases(old: &BuildRecord, new: &BuildRecord, alignment: &Alignment) -> Vec<Moved> {
    let mut pairs: BTreeMap<(String, String), (Vec<usize>, Vec<usize>)> = BTreeMap::new();
    for (a, b) in &alignment.stages {
        let (left, right) = (&old.stages[*a], &new.stages[*b]);
        let name = |stage: &crate::Stage| match &stage.base {
            Some(base) => Some(base.reference.clone()),
            // What was not built has no image; what begins with nothing has none, either.
            None => (stage.from == "scratch").then(|| stage.from.clone()),
        };
        let names = match (name(left), name(right)) {
            (Some(was), Some(is)) if was != is => (was, is),
            _ if left.from != right.from => (left.from.clone(), right.from.clone()),
            _ => continue,
        };
        let stages = pairs.entry(names).or_default();
        stages.0.push(*a);
        stages.1.push(*b);
    }
    let moved = pairs.into_iter().map(|((was, is), (old_stages, new_stages))| {
        let one = Moved::of(Kind::Base, &is.clone(), Change::Changed);
        let detail = Detail::Base { old_stages, new_stages };
        Moved { detail, ..one.with_values(Some(was), Some(is)) }
    });
    moved.collect()
}

fn downloads(old: &BuildRecord, new: &BuildRecord) -> Vec<Moved> {
    let both = union(&old.downloads, &new.downloads).into_iter().filter(|(_, a, b)| a != b);
    let moved = both.map(|(url, a, b)| {
        let short = |digest: Option<&Digest>| digest.map(Digest::to_string);
        let one = Moved::of(Kind::Download, url, change(a, b)).with_values(short(a), short(b));
        Moved { detail: Detail::Download { old: a.copied(), new: b.copied() }, ..one }
    });
    moved.collect()
}

/// Packages that came, went or changed between lists such as `six==1.16`, and those of the same
/// version whose file is another.
pub(crate) fn packages(old: &[String], new: &[String]) -> Vec<Moved> {
    let versions = |list: &[String], splits: fn(&str) -> Option<(&str, &str)>| {
        let split = |pin: &String| splits(pin).map(|(name, it)| (name.to_owned(), it.to_owned()));
        list.iter().filter_map(split).collect::<BTreeMap<String, String>>()
    };
    fn python(pin: &str) -> Option<(&str, &str)> {
        pin.split_once("==")
    }
    fn debian(pin: &str) -> Option<(&str, &str)> {
        if pin.contains("==") { None } else { pin.split_once('=') }
    }
    let mut moved = pairs(Kind::Package, &versions(old, python), &versions(new, python));
    let others = pairs(Kind::Package, &versions(old, debian), &versions(new, debian));
    moved.extend(others.into_iter().map(|one| Moved { detail: Detail::DebianPackage, ..one }));
    moved
}

/// Packages' files of one name whose bytes are others.
pub(crate) fn rebuilt(old: &[PackageFile], new: &[PackageFile]) -> Vec<Moved> {
    let known: BTreeMap<&str, Digest> =
        old.iter().map(|package| (package.file.as_str(), package.digest)).collect();
    let moved = new.iter().filter_map(|package| {
        let before =
            known.get(package.file.as_str()).filter(|digest| **digest != package.digest)?;
        let mut one = Moved::of(Kind::Package, &package.file, Change::Rebuilt);
        if package.file.ends_with(".deb") {
            one.detail = Detail::DebianPackage;
        }
        Some(one.with_values(Some(before.to_string()), Some(package.digest.to_string())))
    });
    moved.collect()
}
