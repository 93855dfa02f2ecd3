//! Packages put into an image without a command line: what `[debian]` asks for.

use std::collections::BTreeSet;

use shell::process::Run;
use shell::{Process, Reason};

use crate::outside::Outside;

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assembly {
    /// Packages, as `apt-get install` takes them.
    pub packages: Vec<String>,
    /// What an image that begins with nothing has beside them.
    pub variant: Variant,
    /// Whether what they recommend is installed, too.
    pub recommends: Recommends,
    /// Packages whose maintainer scripts are not evaluated.
    pub skipped_scripts: BTreeSet<String>,
}

/// What an image that begins with nothing has beside the packages that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Variant {
    /// What they need.
    Custom,
    /// What is essential, and what that needs.
    Essential,
    /// The same, and apt.
    Minbase,
}

/// Whether packages that others recommend are installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recommends {
    /// As apt does by default.
    Installed,
    /// `--no-install-recommends`.
    LeftOut,
}

/// Installs what is asked for.
pub fn assemble(process: &mut Process<'_, '_>, _: &dyn Outside, _: &Assembly) -> Run {
    Err(process.refuse(Reason::Program))
}
