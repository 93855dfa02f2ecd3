//! `init`: the first recipe of a project.

use std::path::PathBuf;

use clap::Args;

/// What can be typed after `init`.
#[derive(Debug, Args)]
pub(super) struct InitFlags {
    /// The project's directory
    #[arg(value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Write over a plywood.toml that is there
    #[arg(long)]
    force: bool,
    /// Write to standard output, and no file
    #[arg(long, conflicts_with = "force")]
    stdout: bool,
}

/// What `init` is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct InitArguments {
    /// The project's directory.
    pub(crate) directory: PathBuf,
    /// Where the recipe goes.
    pub(crate) target: InitTarget,
}

/// Where a first recipe goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum InitTarget {
    /// To a file that is not there yet.
    NewFile,
    /// To a file, whatever is there.
    AnyFile,
    /// To standard output.
    StandardOutput,
}

impl InitFlags {
    pub(super) fn meaning(self) -> InitArguments {
        let target = match (self.force, self.stdout) {
            (_, true) => InitTarget::StandardOutput,
            (true, false) => InitTarget::AnyFile,
            (false, false) => InitTarget::NewFile,
        };
        InitArguments { directory: self.directory, target }
    }
}
