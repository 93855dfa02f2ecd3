//! What a run has at hand: settings, the environment, progress, and what is opened only when it is
//! needed.
//!
//! Opening costs time: a runtime's threads, a TLS library's roots. A command that does without is
//! over before they would have started.

use std::io::Write;

use crate::environment::{Colors, Environment};
use crate::error::Error;
use crate::flags::{ProgressStyle, Settings};
use crate::progress::Progress;

/// What a run has at hand.
pub(crate) struct Session {
    /// What the process was started with.
    pub(crate) environment: Environment,
    /// What holds for every command.
    pub(crate) settings: Settings,
    /// Where events are told.
    pub(crate) progress: Progress,
}

impl Session {
    /// A session in which nothing is opened yet.
    pub(crate) fn new(environment: Environment, settings: Settings) -> Self {
        let colors = environment.colors(environment.stderr);
        let progress = Progress::to_stderr(settings.progress, colors);
        Session { environment, settings, progress }
    }

    /// The colours of standard error.
    pub(crate) fn colors(&self) -> Colors {
        self.environment.colors(self.environment.stderr)
    }

    /// Writes what the command answers to standard output.
    pub(crate) fn answer(&self, data: &[u8]) -> Result<(), Error> {
        let mut stdout = std::io::stdout().lock();
        stdout.write_all(data).and_then(|()| stdout.flush()).map_err(Error::stdout)
    }

    /// Whether errors are told as events for programs.
    pub(crate) fn tells_programs(&self) -> bool {
        self.settings.progress == ProgressStyle::Json
    }
}
