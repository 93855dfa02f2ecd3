//! What an input that moved can have reached.
//!
//! Too much here makes an answer less sure; too little would make it wrong. So whatever is not known
//! to be out of reach is in it.

use std::collections::{BTreeMap, BTreeSet};

use crate::inputs::{Detail, Kind, Moved};
use crate::record::{BuildRecord, Step};
use crate::steps::StepAt;

/// The keywords of instructions that copy, and do nothing else.
pub(crate) const COPYING: [&str; 2] = ["COPY", "ADD"];

/// For each variable whose value may have moved, the inputs by which it did.
pub(crate) type Variables = BTreeMap<String, BTreeSet<usize>>;

/// More rounds than that no chain of variables takes that somebody wrote.
const MOST_ROUNDS: usize = 64;

/// The variables that arguments, `ARG`s and `ENV`s moved, and those that are made of them.
pub(crate) fn variables(old: &BuildRecord, new: &BuildRecord, moved: &[Moved]) -> Variables {
    let mut origins = Variables::new();
    for (at, one) in moved.iter().enumerate() {
        match one.kind {
            Kind::BuildArgument => {
                origins.entry(one.name.clone()).or_default().insert(at);
            }
            Kind::Platform => {
                for suffix in ["PLATFORM", "OS", "OSVERSION", "ARCH", "VARIANT"] {
                    origins.entry(format!("TARGET{suffix}")).or_default().insert(at);
                }
            }
            Kind::Target => {
                origins.entry("TARGETSTAGE".to_owned()).or_default().insert(at);
            }
            Kind::Instruction => {
                for step in steps_of(one, old, new).filter(|step| step.is(&["ARG", "ENV"])) {
                    for name in &step.defines {
                        origins.entry(name.clone()).or_default().insert(at);
                    }
                }
            }
            _ => {}
        }
    }
    let defining: Vec<&Step> = old
        .steps()
        .chain(new.steps())
        .map(|(_, step)| step)
        .filter(|step| step.is(&["ARG", "ENV"]))
        .collect();
    for _ in 0..MOST_ROUNDS {
        let mut grown = origins.clone();
        for step in &defining {
            let reached = of_variables(step, &origins);
            for name in &step.defines {
                if !reached.is_empty() {
                    grown.entry(name.clone()).or_default().extend(&reached);
                }
            }
        }
        if grown == origins {
            break;
        }
        origins = grown;
    }
    origins
}

/// The inputs that reach an instruction by the variables that it uses.
pub(crate) fn of_variables(step: &Step, origins: &Variables) -> BTreeSet<usize> {
    step.uses.iter().filter_map(|name| origins.get(name)).flatten().copied().collect()
}

/// The instructions, before and after, that an input is.
pub(crate) fn steps_of<'a>(
    moved: &Moved,
    old: &'a BuildRecord,
    new: &'a BuildRecord,
) -> impl Iterator<Item = &'a Step> {
    let (a, b) = match &moved.detail {
        Detail::Step { old: a, new: b } => (*a, *b),
        _ => (None, None),
    };
    let before = a.and_then(|at| old.step(at));
    before.into_iter().chain(b.and_then(|at| new.step(at)))
}

/// The inputs that can have reached a layer of an instruction that stands at these places.
pub(crate) fn of_step(
    places: (Option<StepAt>, Option<StepAt>),
    (old, new): (&BuildRecord, &BuildRecord),
    moved: &[Moved],
    origins: &Variables,
) -> BTreeSet<usize> {
    let own: Vec<&Step> =
        [places.0.and_then(|at| old.step(at)), places.1.and_then(|at| new.step(at))]
            .into_iter()
            .flatten()
            .collect();
    let copies = own.iter().all(|step| step.is(&COPYING));
    let from_elsewhere = own.iter().any(|step| step.text.contains("--from"));
    let fetches = own.iter().any(|step| step.is(&["ADD"]));
    let mut reached: BTreeSet<usize> = own.iter().flat_map(|s| of_variables(s, origins)).collect();
    // All that came before can have left something that a command finds. What only copies finds
    // files below where it writes, and the directory that it works in.
    let sees_all = !copies || from_elsewhere;
    for (at, one) in moved.iter().enumerate() {
        let reaches = match (&one.kind, &one.detail) {
            (Kind::Instruction, Detail::Step { old: a, new: b }) => {
                let is_own = (a.is_some() && *a == places.0) || (b.is_some() && *b == places.1);
                let before = comes_before(*a, places.0) || comes_before(*b, places.1);
                let steps: Vec<&Step> = steps_of(one, old, new).collect();
                let matters = sees_all || steps.iter().any(|step| leaves_something(step));
                is_own || (before && matters)
            }
            (Kind::Base, Detail::Base { old_stages, new_stages }) => {
                let stage = |at: Option<StepAt>| at.and_then(|at| at.stage);
                let below = |stages: &[usize], own: Option<usize>| {
                    own.is_none_or(|own| stages.is_empty() || stages.iter().any(|s| *s <= own))
                };
                below(old_stages, stage(places.0)) || below(new_stages, stage(places.1))
            }
            (Kind::Timestamp | Kind::Plywood | Kind::FormatEpoch | Kind::Platform, _) => true,
            (Kind::Target, _) => true,
            (Kind::File | Kind::Folder, Detail::File { new_path, .. }) => {
                sees_all || (fetches && own.iter().any(|step| names(step, new_path)))
            }
            (Kind::File | Kind::Folder, _) => true,
            (Kind::IgnoreFile, _) => true,
            (Kind::Package | Kind::PackageArchive, _) => sees_all,
            (Kind::Download, _) => sees_all || fetches,
            (Kind::BuildArgument, _) => sees_all && is_seen_before(one, places, old, new),
            _ => false,
        };
        if reaches {
            reached.insert(at);
        }
    }
    reached
}

/// Whether an instruction changes what a `COPY` behind it finds: directories, owners, and where it
/// works.
fn leaves_something(step: &Step) -> bool {
    !step.is(&[
        "CMD",
        "ENTRYPOINT",
        "LABEL",
        "EXPOSE",
        "HEALTHCHECK",
        "STOPSIGNAL",
        "MAINTAINER",
        "ARG",
        "ENV",
        "SHELL",
        "VOLUME",
        "ONBUILD",
    ])
}

/// Whether an instruction names this file of the context: an archive that it unpacks.
fn names(step: &Step, path: &str) -> bool {
    let file = path.rsplit('/').next().unwrap_or(path);
    step.text.contains(file) || step.text.contains(['*', '?', '['])
}

/// Whether an argument is seen by an instruction before this one, whose doings this one can see.
fn is_seen_before(
    argument: &Moved,
    places: (Option<StepAt>, Option<StepAt>),
    old: &BuildRecord,
    new: &BuildRecord,
) -> bool {
    let seen = |record: &BuildRecord, place: Option<StepAt>| {
        record
            .steps()
            .any(|(at, step)| comes_before(Some(at), place) && step.uses.contains(&argument.name))
    };
    seen(old, places.0) || seen(new, places.1)
}

/// Whether the one place comes before the other, in the recipe's order.
fn comes_before(one: Option<StepAt>, other: Option<StepAt>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one < other)
}
