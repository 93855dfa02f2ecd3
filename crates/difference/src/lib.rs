//! Two images to why they differ.
//!
//! A build leaves a [`BuildRecord`]: what went into it, by digest. [`compare`] takes two images of one
//! platform with their records, finds what of them differs (layers, keys of the config, the
//! manifest's form), and for each of that which input moved.
//!
//! Nothing is guessed. A build is a pure function of its inputs, so what differs goes back to inputs
//! that moved, and two rules say to which:
//!
//! - **Evidence**: the layer's file went from the digest that the context's file had to the one that it
//!   has; all its times went from the one `--timestamp` to the other; the layer has another version of
//!   a package.
//! - **Elimination**: where evidence leaves something over, those inputs that could have reached it are
//!   counted. If one moved, it is the cause. If several did, each is only [possible](Certainty), and
//!   if none did, that is said, too.
//!
//! Without records there is no cause, and the differences stand for themselves: by layer, by file, by
//! key.

mod compare;
mod config;
mod contexts;
mod evidence;
mod explain;
mod files;
mod inputs;
mod layers;
mod manifest;
mod reach;
mod record;
mod steps;
#[cfg(test)]
mod tests;
mod words;

pub use compare::{
    Cause, Certainty, Comparison, Effect, Lack, Output, RecordsKnown, Side, Which, compare,
};
pub use config::KeyChange;
pub use files::{Aspect, FileChange, FileState, Files, Node, files_of_entries};
pub use inputs::{Change, Kind, Moved};
pub use layers::{Fate, LayerChange, LayerPlace};
pub use manifest::index_differences;
pub use record::{
    Argument, BuildRecord, ContextEntry, ContextFiles, Folder, IgnoreFile, LayerRecord, MOST_FILES,
    PackageFile, Stage, StageBase, Step, shortened,
};
pub use words::answer;
