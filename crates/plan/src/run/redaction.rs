//! Secrets stay where they are: out of what is said, and out of layers.

use std::sync::Arc;

use recipe::{Run, Span};
use shell::{Changed, ChangedNode, Data, Refusal};

use super::mounts;
use crate::error::{PlanError, Step};
use crate::stage::StagePlanner;

/// What stands in the place of a secret.
const PLACEHOLDER: &str = "***";
/// Shorter texts are in every other file by chance: a secret of one letter is none.
const SHORTEST: usize = 4;

/// The secrets that a `RUN` can see.
pub(super) struct Redaction {
    secrets: Vec<(String, Arc<[u8]>)>,
}

impl Redaction {
    pub(super) fn of(planner: &StagePlanner<'_, '_>, run: &Run) -> Self {
        let known = &planner.shared.facts.secrets;
        let ids = mounts::secret_ids(run).into_iter();
        let secrets = ids.filter_map(|id| {
            let secret = Arc::clone(&known.get(&id)?.0);
            Some((id, secret))
        });
        Redaction { secrets: secrets.collect() }
    }

    /// There are no secrets to see.
    pub(super) fn of_nothing() -> Self {
        Redaction { secrets: Vec::new() }
    }

    /// A text in which no secret stands, nor a line of one.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (_, secret) in &self.secrets {
            let secret = String::from_utf8_lossy(secret);
            for part in std::iter::once(secret.trim()).chain(secret.lines().map(str::trim)) {
                if part.len() >= SHORTEST {
                    text = text.replace(part, PLACEHOLDER);
                }
            }
        }
        text
    }

    /// The same for bytes.
    pub(super) fn bytes(&self, bytes: &[u8]) -> String {
        self.text(&String::from_utf8_lossy(bytes))
    }

    pub(super) fn refusal(&self, refusal: Refusal) -> Refusal {
        let Refusal { command, reason, line, within } = refusal;
        let reason = match reason {
            shell::Reason::Option(option) => shell::Reason::Option(self.text(&option)),
            shell::Reason::Use(text) => shell::Reason::Use(self.text(&text)),
            shell::Reason::Machine(text) => shell::Reason::Machine(self.text(&text)),
            shell::Reason::Language(text) => shell::Reason::Language(self.text(&text)),
            shell::Reason::Program => shell::Reason::Program,
        };
        let within = within.map(|within| self.text(&within));
        Refusal { command: self.text(&command), reason, line, within }
    }

    /// Refuses a layer that would hold a secret: in a file, a path or a link.
    pub(super) fn refuse_leaks(&self, changes: &[Changed], span: &Span) -> Step<()> {
        for changed in changes {
            for (id, secret) in &self.secrets {
                let secret = secret.trim_ascii();
                let is_leak = secret.len() >= SHORTEST && holds(changed, secret);
                if is_leak {
                    let path = self.text(&changed.path.to_string());
                    let message = format!("the secret `{id}` would be in the layer, in `/{path}`");
                    let error = PlanError::command(span.clone(), message);
                    return Err(error
                        .with_hint("a layer can be read by whoever can pull the image")
                        .into());
                }
            }
        }
        Ok(())
    }
}

fn holds(changed: &Changed, secret: &[u8]) -> bool {
    let has = |bytes: &[u8]| bytes.windows(secret.len()).any(|window| window == secret);
    has(changed.path.as_bytes())
        || match &changed.node {
            ChangedNode::File(Data::Inline(bytes)) => has(bytes),
            ChangedNode::Symlink(target) => has(target),
            _ => false,
        }
}
