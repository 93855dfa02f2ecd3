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
    let views = (View::of(old, places.0), View::of(new, places.1));
    let seen: Vec<&Step> = views.0.steps(old).chain(views.1.steps(new)).collect();
    let below = views.0.steps_below(old).chain(views.1.steps_below(new));
    let using: Vec<&Step> = seen.iter().copied().chain(below).collect();
    let mut reached: BTreeSet<usize> =
        using.iter().flat_map(|step| of_variables(step, origins)).collect();
    let any = |verbs: &[&str]| seen.iter().any(|step| step.is(verbs));
    let installs = any(&["RUN", "PYTHON", "DEBIAN"]);
    let fetches = any(&["RUN", "ADD"]);
    // What only copies shows what it takes file by file; there is evidence of that, or it is not so.
    let unpacks = !seen.iter().all(|step| step.is(&["COPY"]));
    for (at, one) in moved.iter().enumerate() {
        let reaches = match (&one.kind, &one.detail) {
            (Kind::Instruction, Detail::Step { old: a, new: b }) => {
                views.0.has(*a, steps_of(one, old, new)) || views.1.has(*b, steps_of(one, old, new))
            }
            (Kind::Base, Detail::Base { old_stages, new_stages }) => {
                views.0.begins_with(old_stages) || views.1.begins_with(new_stages)
            }
            (Kind::Timestamp | Kind::Plywood | Kind::FormatEpoch | Kind::Platform, _) => true,
            (Kind::Target, _) => true,
            (Kind::File, Detail::File { old_path, new_path, .. }) => {
                let taken = |step: &&Step| step.may_take(old_path) || step.may_take(new_path);
                unpacks && seen.iter().any(taken)
            }
            (Kind::File | Kind::Folder | Kind::IgnoreFile, _) => {
                seen.iter().any(|step| !step.takes.is_empty())
            }
            (Kind::Package, _) => installs,
            (Kind::PackageArchive, _) => any(&["RUN", "DEBIAN"]),
            (Kind::Download, _) => fetches,
            (Kind::BuildArgument, _) => using.iter().any(|step| step.uses.contains(&one.name)),
            _ => false,
        };
        if reaches {
            reached.insert(at);
        }
    }
    reached
}

/// What an instruction can see of the others.
#[derive(Default)]
pub(crate) struct View {
    /// Those whose doings it can find, itself among them.
    seen: BTreeSet<StepAt>,
    /// Those before it of which it finds directories, owners, and where it works.
    below: BTreeSet<StepAt>,
    /// The stages that all of these are in.
    stages: BTreeSet<usize>,
    /// Whether it takes files from an image that is no stage's.
    takes_from_image: bool,
}

impl View {
    /// What the instruction at this place sees.
    pub(crate) fn of(record: &BuildRecord, place: Option<StepAt>) -> Self {
        let mut view = View::default();
        let Some((place, step)) = place.and_then(|at| Some((at, record.step(at)?))) else {
            return view;
        };
        if let Some(stage) = place.stage {
            // All that came before can have left something that a command finds.
            view.look_at(record, stage, place.step);
            if step.is(&COPYING) {
                view.below = std::mem::take(&mut view.seen);
            }
        }
        view.seen.insert(place);
        view.look_from(record, place, step);
        view
    }

    /// The instructions that are seen.
    pub(crate) fn steps<'a>(&self, record: &'a BuildRecord) -> impl Iterator<Item = &'a Step> {
        self.seen.iter().filter_map(|at| record.step(*at))
    }

    /// The instructions of which directories, owners, and where they work are found.
    fn steps_below<'a>(&self, record: &'a BuildRecord) -> impl Iterator<Item = &'a Step> {
        let below = self.below.iter().filter_map(|at| record.step(*at));
        below.filter(|step| leaves_something(step))
    }

    /// Looks at the first instructions of a stage, and at what they see.
    fn look_at(&mut self, record: &BuildRecord, number: usize, end: usize) {
        let Some(stage) = record.stages.get(number) else { return };
        self.stages.insert(number);
        for (step, instruction) in stage.steps.iter().enumerate().take(end) {
            let at = StepAt { stage: Some(number), step };
            if self.seen.insert(at) {
                self.look_from(record, at, instruction);
            }
        }
        if let Some(parent) = earlier(record, &stage.from, number) {
            self.look_at(record, parent, usize::MAX);
        }
    }

    /// Looks at the stages that an instruction takes files from.
    fn look_from(&mut self, record: &BuildRecord, place: StepAt, step: &Step) {
        let number = place.stage.unwrap_or(0);
        for name in &step.from {
            match earlier(record, name, number) {
                Some(stage) => self.look_at(record, stage, usize::MAX),
                // A name with a variable in it can be any.
                None if name.contains('$') => {
                    (0..number).for_each(|stage| self.look_at(record, stage, usize::MAX));
                    self.takes_from_image = true;
                }
                None => self.takes_from_image = true,
            }
        }
    }

    /// Whether an instruction that moved is one of those.
    fn has<'a>(&self, at: Option<StepAt>, mut steps: impl Iterator<Item = &'a Step>) -> bool {
        let Some(at) = at else { return false };
        self.seen.contains(&at) || (self.below.contains(&at) && steps.any(leaves_something))
    }

    /// Whether an image is seen with which these stages begin, or none.
    fn begins_with(&self, stages: &[usize]) -> bool {
        let is_seen = stages.iter().any(|stage| self.stages.contains(stage));
        is_seen || (stages.is_empty() && self.takes_from_image)
    }
}

/// The stage before this one that a name or a number means.
fn earlier(record: &BuildRecord, name: &str, number: usize) -> Option<usize> {
    let lower = Some(name.to_lowercase());
    let named = record.stages.iter().take(number).rposition(|stage| stage.name == lower);
    named.or_else(|| name.parse().ok().filter(|found| *found < number))
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
