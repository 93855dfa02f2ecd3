//! Why an evaluation ends before the command line does.

use std::sync::Arc;

use layer::{Content, NotLoaded};

use crate::data::Origin;
use crate::files::VolumeId;

/// Characters of a command or a reason that are kept.
const MOST_QUOTED: usize = 200;

/// What an evaluation ends with that does not come to its end.
///
/// None of these is an answer of the command line itself: that one is an exit status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// A fact is missing. Evaluation begins anew once it is there.
    Missing(Missing),
    /// Something is not understood. It would have to be executed, and nothing is guessed.
    Refused(Box<Refusal>),
    /// A bound was reached.
    Limit(Limit),
}

/// A fact that an evaluation lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// The entries of a layer.
    Layer {
        /// The file system that it is of.
        volume: VolumeId,
        /// The layer.
        layer: NotLoaded,
    },
    /// The bytes of a file.
    Bytes {
        /// Which bytes.
        content: Content,
        /// Where they can be had.
        origin: Arc<Origin>,
    },
    /// The entries of an archive, if the file is one.
    Archive {
        /// The archive's bytes.
        content: Content,
        /// Where they can be had.
        origin: Arc<Origin>,
    },
    /// What a URL gives.
    Download {
        /// The address.
        url: String,
    },
    /// What only the caller's own programs know; they have told the caller.
    Told,
}

/// What would have to be executed, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The command or construct, as far as it is known: `make`, `cp --sparse`, `&`.
    pub command: String,
    /// Why, as a fragment that fits behind the command.
    pub reason: Reason,
    /// The line of the script, counted from 1, where known.
    pub line: Option<usize>,
    /// What it is inside of, such as a package's script: ``postinst of `foo` ``.
    pub within: Option<String>,
}

/// Why something is not understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No program of this name is built in.
    #[error("is not built in")]
    Program,
    /// The program is known, this option is not.
    #[error("has the option `{0}`, which is not built in")]
    Option(String),
    /// The program is known, this use of it is not.
    #[error("{0}")]
    Use(String),
    /// What depends on the machine that runs it, such as `/proc`.
    #[error("depends on the machine that runs it: {0}")]
    Machine(String),
    /// The shell's grammar, or a part of its language.
    #[error("is not understood: {0}")]
    Language(String),
}

/// A bound that keeps evaluation small, whatever is written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} reached the limit of {most}")]
pub struct Limit {
    /// What there was too much of.
    pub what: &'static str,
    /// How much is allowed.
    pub most: u64,
    /// The line of the script, counted from 1, where known.
    pub line: Option<usize>,
}

impl Stop {
    /// A refusal of `command`. What is long of it is cut: a reader knows it by its beginning.
    pub fn refuse(command: impl Into<String>, reason: Reason) -> Self {
        let (command, reason) = (cut(command.into()), reason.cut());
        Stop::Refused(Box::new(Refusal { command, reason, line: None, within: None }))
    }

    /// The same at a line of the script, unless a line is known already.
    pub fn at_line(self, at: usize) -> Self {
        match self {
            Stop::Refused(refusal) => {
                let line = refusal.line.or(Some(at));
                Stop::Refused(Box::new(Refusal { line, ..*refusal }))
            }
            Stop::Limit(limit) => {
                let line = limit.line.or(Some(at));
                Stop::Limit(Limit { line, ..limit })
            }
            missing @ Stop::Missing(_) => missing,
        }
    }
}

impl Reason {
    fn cut(self) -> Self {
        match self {
            Reason::Program => Reason::Program,
            Reason::Option(option) => Reason::Option(cut(option)),
            Reason::Use(what) => Reason::Use(cut(what)),
            Reason::Machine(what) => Reason::Machine(cut(what)),
            Reason::Language(what) => Reason::Language(cut(what)),
        }
    }
}

/// The beginning of a text that is longer than [`MOST_QUOTED`].
fn cut(mut text: String) -> String {
    if text.chars().nth(MOST_QUOTED).is_some() {
        let end = text.char_indices().nth(MOST_QUOTED - 1).map_or(0, |(end, _)| end);
        text.truncate(end);
        text.push('…');
    }
    text
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(within) = &self.within {
            write!(f, "{within}: ")?;
        }
        write!(f, "`{}` {}", self.command, self.reason)
    }
}
