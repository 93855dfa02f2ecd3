//! What happens in a run, as values.

use std::time::Duration;

use recipe::Severity;

/// Tells steps of a run apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct StepId(pub(super) u64);

impl StepId {
    /// The number, counted from 1.
    pub(crate) fn number(self) -> u64 {
        self.0
    }
}

/// Something that happened.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Event<'a> {
    /// A step began.
    Started {
        /// Which.
        step: StepId,
        /// What is done to what.
        name: &'a str,
        /// How many bytes it will count, if that is known.
        total: Option<u64>,
    },
    /// A step counted bytes; told now and then.
    Advanced {
        /// Which.
        step: StepId,
        /// What is done to what.
        name: &'a str,
        /// How many so far.
        bytes: u64,
        /// Of how many, if that is known.
        total: Option<u64>,
    },
    /// A step ended.
    Finished {
        /// Which.
        step: StepId,
        /// What was done to what.
        name: &'a str,
        /// How.
        outcome: Outcome,
        /// How many bytes it counted.
        bytes: u64,
        /// How long it took.
        elapsed: Duration,
    },
    /// Something worth a line.
    Note {
        /// The line.
        text: &'a str,
    },
    /// A request to a registry and its answer, told where that was asked for.
    Request {
        /// The line.
        text: &'a str,
    },
    /// Something that is wrong, with a recipe or else.
    Finding {
        /// Whether it stops the command.
        severity: Severity,
        /// What.
        message: &'a str,
        /// The same for people.
        rendered: &'a str,
        /// The way out.
        hint: Option<&'a str>,
        /// The check's name.
        rule: Option<&'a str>,
        /// File, line and column.
        place: Option<&'a str>,
    },
    /// The command failed.
    Failed {
        /// Why.
        message: &'a str,
        /// The same for people; nothing where findings have said it all.
        rendered: Option<&'a str>,
        /// The way out.
        hint: Option<&'a str>,
        /// The exit code.
        exit: u8,
    },
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The work was done.
    Done,
    /// The result was at hand.
    Cached,
    /// What was to be made or sent was there.
    Exists,
    /// The registry took it from another of its repositories.
    Mounted,
    /// It did not succeed.
    Failed,
}

impl Outcome {
    /// The word for it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Outcome::Done => "done",
            Outcome::Cached => "cached",
            Outcome::Exists => "exists",
            Outcome::Mounted => "mounted",
            Outcome::Failed => "failed",
        }
    }
}
