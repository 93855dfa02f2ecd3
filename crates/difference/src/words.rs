//! An input that moved, in words.

use crate::compare::{Certainty, Comparison, RecordsKnown};
use crate::inputs::{Change, Kind, Moved};
use crate::layers::Fate;

/// So many causes are told in the first answer.
const MOST_TOLD: usize = 3;

/// The longest text in an answer, in characters.
const LONGEST: usize = 60;

impl Moved {
    /// What happened, as in "`app/main.py` changed".
    pub fn sentence(&self) -> String {
        let name = quoted(&self.name);
        let (old, new) = (self.old.as_deref(), self.new.as_deref());
        let from_to = match (old, new) {
            (Some(old), Some(new)) => format!(" from {} to {}", short(old), short(new)),
            _ => String::new(),
        };
        match (self.kind, self.change) {
            (Kind::File, Change::Mode) => {
                format!("the permissions of {name} changed{from_to}")
            }
            (Kind::Folder, _) if self.name == "." => "files of the context changed".to_owned(),
            (Kind::Folder, _) => format!("files in {name} changed"),
            (Kind::File, Change::Renamed) => {
                format!("{} was renamed to {name}", quoted(old.unwrap_or_default()))
            }
            (Kind::File | Kind::IgnoreFile, change) => {
                format!("{name} {}", verb(change))
            }
            (Kind::Instruction, Change::Changed) => {
                let old = quoted(old.unwrap_or_default());
                format!("the instruction {old} became {name}")
            }
            (Kind::Instruction, change) => format!("the instruction {name} {}", verb(change)),
            (Kind::BuildArgument, Change::Added) => format!("build argument {name} was given"),
            (Kind::BuildArgument, Change::Removed) => {
                format!("build argument {name} was not given")
            }
            (Kind::BuildArgument, _) => format!("build argument {name} changed{from_to}"),
            (Kind::Base, Change::Repointed) => {
                format!("the image {name} moved{from_to}")
            }
            (Kind::Base, _) => {
                format!("the base is {name} instead of {}", quoted(old.unwrap_or_default()))
            }
            (Kind::Package, Change::Rebuilt) => {
                format!("the package {name} has other bytes and the same version")
            }
            (Kind::Package, Change::Added) => {
                format!("the package {name} {} is new", new.unwrap_or_default())
            }
            (Kind::Package, Change::Removed) => {
                format!("the package {name} {} is gone", old.unwrap_or_default())
            }
            (Kind::Package, _) => format!("the package {name} went{from_to}"),
            (Kind::Download, Change::Changed) => format!("{name} gave other bytes"),
            (Kind::Download, Change::Removed) => format!("{name} was not fetched"),
            (Kind::Download, _) => format!("{name} was fetched"),
            (Kind::PackageArchive, _) => "the package archive moved on".to_owned(),
            (Kind::Target, _) => format!("the stage that is built changed{from_to}"),
            (Kind::Platform, _) => format!("the platform changed{from_to}"),
            (Kind::Timestamp, _) => format!("the timestamp changed{from_to}"),
            (Kind::Compression, _) => format!("the compression changed{from_to}"),
            (Kind::Label, change) => format!("the label {name} {}{from_to}", verb(change)),
            (Kind::Revision, change) => {
                format!("the context's origin, {name}, {}{from_to}", verb(change))
            }
            (Kind::Annotation, change) => {
                format!("the annotation {name} {}{from_to}", verb(change))
            }
            (Kind::Plywood, _) => format!("plywood's version changed{from_to}"),
            (Kind::FormatEpoch, _) => {
                format!("plywood writes layers otherwise: its format epoch changed{from_to}")
            }
            (Kind::Form, _) => {
                let from_to = from_to.as_str();
                format!("it is written down otherwise: {}{from_to}", self.name)
            }
        }
    }
}

fn verb(change: Change) -> &'static str {
    match change {
        Change::Added => "is new",
        Change::Removed => "is gone",
        Change::Mode => "has other permissions",
        Change::Renamed => "has another name",
        Change::Reordered => "stands elsewhere",
        Change::Changed | Change::Repointed | Change::Rebuilt => "changed",
    }
}

fn quoted(text: &str) -> String {
    format!("`{}`", cut(text))
}

/// A value, or the beginning of its digest.
fn short(text: &str) -> String {
    match text.parse::<oci::Digest>() {
        Ok(digest) => digest.short(),
        Err(_) => cut(text),
    }
}

fn cut(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if text.chars().count() <= LONGEST {
        return text;
    }
    let kept: String = text.chars().take(LONGEST - 1).collect();
    format!("{kept}…")
}

/// The answer in one sentence, as in "the digest changed because `app/main.py` changed", for the images
/// of all platforms.
pub fn answer(comparisons: &[&Comparison]) -> String {
    let of = |certainty: Certainty| {
        let causes = comparisons.iter().flat_map(|comparison| &comparison.causes);
        reasons(causes.filter(|cause| cause.certainty == certainty).map(|cause| &cause.input))
    };
    let (mut told, possible) = (of(Certainty::Certain), of(Certainty::Possible).len());
    let more = told.len().saturating_sub(MOST_TOLD);
    told.truncate(MOST_TOLD);
    if told.is_empty() {
        return match possible {
            0 => without_causes(comparisons),
            _ => "the digest changed for one or more of these reasons".to_owned(),
        };
    }
    let mut answer = format!("the digest changed because {}", enumerated(&told));
    if more > 0 {
        answer.push_str(&format!(", and for {more} more {}", plural(more, "reason")));
    }
    if possible > 0 {
        let reasons = plural(possible, "reason");
        answer.push_str(&format!(", and maybe for {possible} more {reasons}"));
    }
    if comparisons.iter().any(|comparison| !comparison.unexplained.is_empty()) {
        answer.push_str(", and for what is not recorded");
    }
    answer
}

/// What happened to these inputs, each once; files of which the same is to be said are counted.
fn reasons<'a>(inputs: impl Iterator<Item = &'a Moved>) -> Vec<String> {
    let mut distinct: Vec<&Moved> = Vec::new();
    for input in inputs {
        if !distinct.contains(&input) {
            distinct.push(input);
        }
    }
    let alike = |input: &Moved| -> usize {
        let same = |other: &&&Moved| (other.kind, other.change) == (input.kind, input.change);
        if input.kind == Kind::File { distinct.iter().filter(same).count() } else { 1 }
    };
    let mut reasons: Vec<String> = Vec::new();
    for input in &distinct {
        let reason = match alike(input) {
            number if number > MOST_TOLD => {
                let happened = match input.change {
                    Change::Added => "are new",
                    Change::Removed => "are gone",
                    Change::Mode => "have other permissions",
                    Change::Renamed => "were renamed",
                    _ => "changed",
                };
                format!("{number} files {happened}")
            }
            _ => input.sentence(),
        };
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    reasons
}

/// Nothing is known to have moved: what differs is counted.
fn without_causes(comparisons: &[&Comparison]) -> String {
    let records = comparisons.first().map(|comparison| comparison.records);
    let why = match records {
        Some(RecordsKnown::Both) => {
            return "the digest changed, and nothing that was recorded says why".to_owned();
        }
        Some(RecordsKnown::Old) => "what went into the new one is not known",
        Some(RecordsKnown::New) => "what went into the old one is not known",
        Some(RecordsKnown::Neither) | None => "what went into them is not known",
    };
    let sum = |count: fn(&Comparison) -> usize| comparisons.iter().map(|it| count(it)).sum();
    let counted = |number: usize, what: &str, of: &str| {
        (number > 0).then(|| format!("{number} {}{of}", plural(number, what)))
    };
    let layers = |comparison: &Comparison| {
        let differ = comparison.layers.iter().filter(|layer| layer.fate != Fate::Same);
        differ.count()
    };
    let parts = [
        counted(sum(layers), "layer", ""),
        counted(sum(|comparison| comparison.config.len()), "key", " of the config"),
        counted(sum(|comparison| comparison.manifest.len()), "key", " of the manifest"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    format!("the images differ in {}; {why}", enumerated(&parts))
}

/// `reason`, `reasons`.
fn plural(number: usize, word: &str) -> String {
    if number == 1 { word.to_owned() } else { format!("{word}s") }
}

/// `a`, `a and b`, `a, b and c`.
fn enumerated(texts: &[String]) -> String {
    match texts {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}
