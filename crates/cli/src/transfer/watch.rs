//! What the registry engine tells, as steps.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use oci::{Descriptor, Digest};
use registry::{MirrorProblem, Observer, TransferEvent};

use super::label;
use crate::progress::{Outcome, Progress, Step};

/// An observer that tells `progress` of the blobs that are `described`; `verb` says what is done to
/// them.
pub(super) fn observer<'a>(
    progress: &Progress,
    verb: &'static str,
    described: impl IntoIterator<Item = &'a Descriptor>,
) -> Observer {
    let labels = described.into_iter().map(|blob| (blob.digest, label(blob))).collect();
    let watch = Watch { progress: progress.clone(), verb, labels, running: Mutex::default() };
    Observer::new(move |event| watch.receive(event))
}

/// An observer that tells only of what is tried again.
pub(crate) fn retries(progress: &Progress) -> Observer {
    observer(progress, "", [])
}

struct Watch {
    progress: Progress,
    verb: &'static str,
    labels: HashMap<Digest, String>,
    running: Mutex<HashMap<Digest, Step>>,
}

impl Watch {
    fn receive(&self, event: TransferEvent) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            TransferEvent::Started { digest, size, .. } => {
                let step = self.progress.step(self.name(&digest), Some(size));
                running.insert(digest, step);
            }
            TransferEvent::Moved { digest, position } => {
                if let Some(step) = running.get(&digest) {
                    step.reach(position);
                }
            }
            TransferEvent::Finished { digest, outcome } => {
                let outcome = match outcome {
                    registry::Outcome::Existed => Outcome::Exists,
                    registry::Outcome::Mounted { .. } => Outcome::Mounted,
                    registry::Outcome::Uploaded { .. } | registry::Outcome::Downloaded => {
                        Outcome::Done
                    }
                };
                match running.remove(&digest) {
                    Some(step) => step.finish(outcome),
                    None => self.progress.at_once(self.name(&digest), outcome),
                }
            }
            TransferEvent::QuotaLow { registry, quota } => {
                let window = quota.window.map(|window| format!(" in {} s", window.as_secs()));
                self.progress.warning(&format!(
                    "{registry} lets {} more of {} requests through{}",
                    quota.remaining,
                    quota.limit,
                    window.unwrap_or_default()
                ));
            }
            TransferEvent::Warned { registry, text } => {
                self.progress.warning(&format!("{registry}: {text}"));
            }
            TransferEvent::Retrying { request, cause, wait } => {
                let wait = wait.as_secs_f32();
                self.progress.note(&format!("{request}: {cause}; trying again in {wait:.1}s"));
            }
            TransferEvent::MirrorLeft { mirror, problem, cause } => match problem {
                // That is what mirrors do.
                MirrorProblem::Missing => {}
                MirrorProblem::Failed => {
                    self.progress.note(&format!("mirror {mirror} is passed over: {cause}"));
                }
                MirrorProblem::Damaged => {
                    self.progress.warning(&format!("mirror {mirror} is damaged: {cause}"));
                }
            },
        }
    }

    fn name(&self, digest: &Digest) -> String {
        match self.labels.get(digest) {
            Some(label) => format!("{} {label}", self.verb),
            None => format!("{} {}", self.verb, digest.short()),
        }
    }
}
