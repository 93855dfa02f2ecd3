//! Steps on record: what is not planned again, and what is.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;

use layer::LayerIndex;
use oci::{Compression, Descriptor, DiffId, MediaType};

use super::{World, context};
use crate::{Packed, Plan, PlannedLayer, StepKey, StepRecord};

/// What several worlds remember together.
#[derive(Default, Clone)]
pub(crate) struct Records {
    steps: Rc<RefCell<HashMap<StepKey, Arc<StepRecord>>>>,
    indexes: Rc<RefCell<HashMap<DiffId, Arc<LayerIndex>>>>,
}

impl Records {
    pub(super) fn find(&self, key: &StepKey) -> Option<Arc<StepRecord>> {
        self.steps.borrow().get(key).cloned()
    }

    pub(super) fn index(&self, layer: &DiffId) -> Option<Arc<LayerIndex>> {
        self.indexes.borrow().get(layer).cloned()
    }

    /// Layers of the target exist once it is built; those of other stages do not.
    pub(super) fn remember(&self, plan: &Plan) {
        let mut built = HashMap::new();
        for layer in &plan.target().layers {
            if let PlannedLayer::New(spec) = layer {
                let (diff_id, kind) = (DiffId(spec.key.0), MediaType::OciLayer(Compression::Gzip));
                let descriptor = Descriptor::new(kind, spec.key.0, 1);
                built.insert(spec.key, Packed { descriptor, diff_id });
                self.indexes.borrow_mut().insert(diff_id, Arc::clone(&spec.entries));
            }
        }
        for step in plan.stages.iter().flat_map(|stage| &stage.steps) {
            if let Some((key, record)) = step.record(|key| built.get(key).cloned()) {
                self.steps.borrow_mut().insert(key, Arc::new(record));
            }
        }
    }
}

const BASE: &[&[&str]] = &[&[
    "app/",
    "755 bin/dash=",
    "755 bin/mkdir=",
    "bin/sh -> dash",
    "755 usr/bin/wget=",
    "etc/passwd=root:x:0:0::/root:/bin/sh",
    "etc/group=root:x:0:",
    "777 tmp/",
]];

fn world(records: &Records, files: &[&'static str]) -> World {
    context(files).base(BASE).records(records)
}

const APP: &str =
    "FROM base\nRUN echo 1 > /one\nWORKDIR /new/dir\nCOPY a b ./\nRUN echo 2 > /two\n";

#[test]
fn the_same_is_not_planned_again_and_nothing_below_is_looked_into() {
    let records = Records::default();
    let first = world(&records, &["a=1", "b=2"]).plan(APP);
    let again = world(&records, &["a=1", "b=2"]).plan(APP);
    assert_eq!(again.planned, [""; 0], "{}{}", again.files, again.messages);
    assert_eq!((again.keys, again.history), (first.keys, first.history));
    assert!(first.asked.contains("index"), "{}", first.asked);
    assert!(!again.asked.contains("index"), "{}", again.asked);
    insta::assert_snapshot!(again.asked, @"
    image base:latest for linux/arm64
    look for a step, list the build context
    look for a step, digest a b
    look for a step
    look for a step
    ");
}

#[test]
fn what_changed_is_planned_and_so_is_what_lies_above_it() {
    let records = Records::default();
    let first = world(&records, &["a=1", "b=2"]).plan(APP);
    let other = world(&records, &["a=1", "b=3"]).plan(APP);
    let anew = context(&["a=1", "b=3"]).base(BASE).plan(APP);
    assert_eq!(other.planned, ["COPY a b ./", "RUN echo 2 > /two"]);
    assert_eq!(other.keys, anew.keys, "as if nothing were on record");
    assert_eq!(other.keys[..2], first.keys[..2]);
    assert_eq!(other.keys[3], first.keys[3], "a layer is the same, whatever is below it");
    let again = world(&records, &["a=1", "b=3"]).plan(APP);
    assert_eq!(again.planned, [""; 0]);
}

#[test]
fn a_miss_early_in_a_stage_is_none_of_later_steps_whose_ground_is_the_same() {
    let records = Records::default();
    let first = world(&records, &[]).plan("FROM base\nRUN echo 1 > /x\nRUN echo 2 > /y\n");
    let other = world(&records, &[]).plan("FROM base\nRUN echo 1  >  /x\nRUN echo 2 > /y\n");
    assert_eq!(other.planned, ["RUN echo 1  >  /x"]);
    assert_eq!(other.keys, first.keys);
}

#[test]
fn a_step_is_what_it_does_and_to_what() {
    let plan =
        |records: &Records, files: &[&'static str], text: &str, adjust: fn(World) -> World| {
            adjust(world(records, files)).plan(&format!("FROM base\n{text}"))
        };
    let same: fn(World) -> World = |world| world;
    type Change = (&'static [&'static str], &'static str, fn(World) -> World);
    let (files, copy): (&[&str], _) = (&["a=1", "b=2", "d/", "d/c=3"], "COPY a b /to/\n");
    let directory = "COPY d /to/\n";
    let run = "ARG X\nRUN echo $X > /x\n";
    let changes: &[(&str, Change)] = &[
        (copy, (&["a=2", "b=1"], copy, same)),
        (copy, (&["a=12", "b="], copy, same)),
        (copy, (files, "COPY --chmod=600 a b /to/\n", same)),
        (copy, (files, "COPY --chown=1 a b /to/\n", same)),
        (copy, (files, "COPY b a /to2/\n", same)),
        (copy, (&["755 a=1", "b=2"], copy, same)),
        (copy, (files, copy, |world| world.timestamp(1))),
        (copy, (files, copy, |world| world.packing(layer::Packing::None))),
        (directory, (&["d/", "d/e=3"], directory, same)),
        (directory, (&["d/", "d/c/", "d/c/e=3"], directory, same)),
        (directory, (&["d/", "d/c -> 3"], directory, same)),
        (run, (files, run, |world| world.arg("X", "1"))),
        (run, (files, "ARG X\nRUN echo $X > /y\n", same)),
        (run, (files, "ENV Y=1\nARG X\nRUN echo $X > /x\n", same)),
        (run, (files, "WORKDIR /app\nARG X\nRUN echo $X > /x\n", same)),
        (run, (files, "USER 1\nARG X\nRUN mkdir /tmp/x\n", same)),
    ];
    for (text, (files, other, adjust)) in changes {
        let records = Records::default();
        plan(&records, &["a=1", "b=2", "d/", "d/c=3"], text, same);
        let changed = plan(&records, files, other, *adjust);
        assert!(!changed.planned.is_empty(), "{other} after {text}: {}", changed.files);
    }
}

#[test]
fn arguments_count_where_they_are_used() {
    let records = Records::default();
    let text = "FROM base\nRUN echo 1 > /one\nARG X\nCOPY a /\nRUN echo 2 > /two\n";
    world(&records, &["a=1"]).plan(text);
    let other = world(&records, &["a=1"]).arg("X", "1").plan(text);
    // A command may look at its environment, and a copy does not.
    assert_eq!(other.planned, ["RUN echo 2 > /two"]);
}

#[test]
fn what_an_address_gives_is_on_record_with_the_step() {
    let records = Records::default();
    let text = "FROM base\nRUN wget -q http://h/f -O /f\n";
    world(&records, &[]).url("http://h/f", "1").plan(text);
    let reads: Vec<_> =
        records.steps.borrow().values().map(|record| record.reads.clone()).collect();
    let url = "http://h/f".to_owned();
    assert_eq!(reads, [[crate::Read::Download { url, content: layer::Content::of(b"1") }]]);
    let said = world(&records, &[]).url("http://h/f", "1").plan(text).messages;
    assert!(said.contains("nothing says which bytes"), "warnings are told again: {said}");
}

#[test]
fn an_address_with_a_password_is_on_no_record() {
    let records = Records::default();
    let text = "FROM base\nRUN wget -q http://me:SECRET@h/f -O /f\n";
    world(&records, &[]).url("http://me:SECRET@h/f", "1").plan(text);
    assert!(records.steps.borrow().is_empty());
}

#[test]
fn a_stage_that_others_copy_from_is_looked_into_only_where_they_changed() {
    let records = Records::default();
    let text = |last: &str| {
        format!("FROM base AS one\nRUN mkdir /out && echo 1 > /out/f\nFROM base\n{last}")
    };
    let first = world(&records, &[]).plan(&text("COPY --from=one /out /app\n"));
    let again = world(&records, &[]).plan(&text("COPY --from=one /out /app\n"));
    assert_eq!(again.keys, first.keys);
    assert!(!again.asked.contains("index"), "{}", again.asked);
    // Its layers were never packed, and so it is planned anew once somebody looks into it.
    let other = world(&records, &[]).plan(&text("COPY --from=one /out /other\n"));
    assert!(other.asked.contains("plan a step anew"), "{}", other.asked);
    assert!(other.files.contains("other/f=1"), "{}", other.files);
    // Or once it is the target.
    let target = world(&records, &[]).target("one").plan(&text("COPY --from=one /out /app\n"));
    assert!(target.asked.contains("plan a step anew"), "{}", target.asked);
    assert!(target.files.contains("out/f=1"), "{}", target.files);
}
