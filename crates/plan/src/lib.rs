//! Recipe and facts to a plan: what each layer will be, before any of it is built.
//!
//! [`plan`] is a pure function. It reads no file, no clock and no environment; what it has to know
//! of the world it finds in [`Facts`], and what it misses there it returns as [`Need`]s. A caller
//! gathers those and plans again, until there is a [`Plan`]: every layer as a sorted list of
//! entries with every file named by digest, every layer's [`LayerKey`], and the image's config.
//!
//! A layer is planned on a view of what lies below it, so that directories which exist are not
//! laid again and a path below a symbolic link lands where the link points. The same view serves
//! `COPY --from`: a stage need not be built for its files to be known.

mod copy;
mod error;
mod facts;
mod grouping;
mod history;
mod key;
mod laying;
mod metadata;
mod outcome;
mod owner;
mod record;
mod request;
mod run;
mod scope;
mod stage;
mod stages;
#[cfg(test)]
mod tests;
mod tree;
mod wheels;

pub use error::{PlanError, PlanErrorKind};
pub use facts::{
    BaseImage, ContextName, Download, Facts, FetchKey, FileReference, GitSource, InstalledWheel,
    Keeping, Need, Secret, Vouched, WheelKey,
};
pub use key::{FORMAT_EPOCH, LayerKey, Packing};
pub use outcome::{
    Becomes, Execution, Holder, LayerSpec, Plan, PlannedLayer, PlannedStage, PlannedStep,
    RunCommand, RunReport, Source, Span, Stream, Unassembled, WheelMember,
};
pub use record::{
    DebianPackage, PackageFile, Packed, Read, Recall, RecalledLayer, RecordedWarning, StepKey,
    StepRecord, StepTrace,
};
pub use request::Request;
pub use run::LARGEST_TEXT;

/// What planning comes to.
#[derive(Debug)]
pub enum Outcome {
    /// Everything is known.
    Ready(Box<Plan>),
    /// These facts are missing; plan again when they are there.
    Needs(Vec<Need>),
}

/// Plans the stages that the target needs, for one platform.
///
/// # Errors
/// A [`PlanError`] names the place in the recipe, the cause, and where there is one the way out.
pub fn plan(request: &Request<'_>, facts: &Facts) -> Result<Outcome, PlanError> {
    let mut needs = facts::Needs::default();
    let planned = stages::plan_stages(request, facts, &mut needs);
    match planned {
        Ok(plan) if needs.is_empty() => Ok(Outcome::Ready(Box::new(plan))),
        Err(error::Stop::Error(error)) => Err(*error),
        Ok(_) | Err(error::Stop::Needs | error::Stop::Execution) => {
            debug_assert!(!needs.is_empty(), "who waits must wait for something");
            Ok(Outcome::Needs(needs.into_vec()))
        }
    }
}
