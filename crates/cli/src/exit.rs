//! Exit codes: what kind of thing went wrong, for scripts.
//!
//! The numbers are an interface: a kind may be added, none changes its number.

use std::process::ExitCode;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Exit {
    /// It did what was asked.
    Success,
    /// Something that has no kind of its own.
    Other,
    /// The command line.
    Usage,
    /// The Dockerfile or plywood.toml.
    Recipe,
    /// The context's files.
    Input,
    /// An image, tag or platform that does not exist.
    NotFound,
    /// Credentials.
    Denied,
    /// The way to a registry, or the registry itself.
    Network,
    /// The local store or the disk.
    Storage,
    /// Bytes that are not what their digest or format says.
    Corrupt,
    /// An instruction that only execution could answer.
    NeedsExecution,
    /// A command of a `RUN` that came to its end without success.
    Command,
    /// What is there is not what `plywood.lock` says.
    Drift,
    /// Somebody ended it; the number is what shells make of an interrupt.
    Interrupted,
}

impl Exit {
    /// Every kind of end, in the order of their codes.
    pub(crate) const ALL: &'static [Exit] = &[
        Exit::Success,
        Exit::Other,
        Exit::Usage,
        Exit::Recipe,
        Exit::Input,
        Exit::NotFound,
        Exit::Denied,
        Exit::Network,
        Exit::Storage,
        Exit::Corrupt,
        Exit::NeedsExecution,
        Exit::Command,
        Exit::Drift,
        Exit::Interrupted,
    ];

    /// The process's exit status.
    pub(crate) fn code(self) -> u8 {
        match self {
            Exit::Success => 0,
            Exit::Other => 1,
            Exit::Usage => 2,
            Exit::Recipe => 3,
            Exit::Input => 4,
            Exit::NotFound => 5,
            Exit::Denied => 6,
            Exit::Network => 7,
            Exit::Storage => 8,
            Exit::Corrupt => 9,
            Exit::NeedsExecution => 10,
            Exit::Command => 11,
            Exit::Drift => 12,
            Exit::Interrupted => 130,
        }
    }

    fn meaning(self) -> &'static str {
        match self {
            Exit::Success => "done",
            Exit::Other => "failed for a reason that is none of those below",
            Exit::Usage => "the command line cannot be understood",
            Exit::Recipe => "the Dockerfile or plywood.toml has an error",
            Exit::Input => {
                "a file of the context, or one with settings, is missing or cannot be read"
            }
            Exit::NotFound => "an image, tag or platform does not exist",
            Exit::Denied => "a registry wants other credentials, or does not let this be done",
            Exit::Network => "a registry cannot be reached, or failed",
            Exit::Storage => "the local store or another place on disk cannot be read or written",
            Exit::Corrupt => "an image's bytes are not what its digests or formats say",
            Exit::NeedsExecution => "an instruction would have to be executed",
            Exit::Command => "a command of a RUN fails",
            Exit::Drift => "what is there is not what plywood.lock says",
            Exit::Interrupted => "ended by SIGINT or SIGTERM",
        }
    }

    /// The table of codes, for `--help`.
    pub(crate) fn help() -> String {
        let line = |exit: &Exit| format!("\n{:>4}  {}", exit.code(), exit.meaning());
        let lines: String = Exit::ALL.iter().map(line).collect();
        format!("Exit codes:{lines}")
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        ExitCode::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_an_interface() {
        insta::assert_snapshot!(Exit::help(), @"
        Exit codes:
           0  done
           1  failed for a reason that is none of those below
           2  the command line cannot be understood
           3  the Dockerfile or plywood.toml has an error
           4  a file of the context, or one with settings, is missing or cannot be read
           5  an image, tag or platform does not exist
           6  a registry wants other credentials, or does not let this be done
           7  a registry cannot be reached, or failed
           8  the local store or another place on disk cannot be read or written
           9  an image's bytes are not what its digests or formats say
          10  an instruction would have to be executed
          11  a command of a RUN fails
          12  what is there is not what plywood.lock says
         130  ended by SIGINT or SIGTERM
        ");
    }
}
