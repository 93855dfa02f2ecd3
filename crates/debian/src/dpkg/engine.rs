//! What apt-get and the program `dpkg` do with packages: one method for one run of dpkg.

use std::collections::BTreeSet;
use std::sync::Arc;

use shell::Process;
use shell::process::Run;

use super::status::PackageId;
use crate::deb::Deb;
use crate::outside::Outside;

/// dpkg over a process: its files, its output, its environment.
pub struct Engine<'p, 'm, 'o: 'm> {
    pub(super) process: &'p mut Process<'m, 'o>,
    pub(super) outside: &'p dyn Outside,
    pub(super) options: Options,
    /// What was left out.
    pub skipped: Vec<SkippedScript>,
}

/// How dpkg is run.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Packages whose scripts are not run.
    pub skipped_scripts: BTreeSet<String>,
    /// `--force-…`, beside what dpkg.cfg says.
    pub forced: BTreeSet<Force>,
    /// Whether triggers are run in the end.
    pub triggers: Triggers,
    /// Whether packages may be deconfigured that stand in the way (`--auto-deconfigure`).
    pub deconfigure: Deconfigure,
}

/// Whether triggers are run in the end of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Triggers {
    /// As dpkg does by itself.
    #[default]
    Run,
    /// `--no-triggers`: a later run does.
    Deferred,
}

/// Whether packages may be deconfigured that stand in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Deconfigure {
    /// It is an error.
    #[default]
    Never,
    /// They are.
    Automatically,
}

/// What is done although dpkg would not (dpkg(1), "--force-things").
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs, reason = "they are dpkg's names")]
pub enum Force {
    Architecture,
    BadPath,
    BadVerify,
    BadVersion,
    Breaks,
    ConfigureAny,
    ConffileAsk,
    ConffileDefault,
    ConffileMissing,
    ConffileNew,
    ConffileOld,
    Conflicts,
    Depends,
    DependsVersion,
    Downgrade,
    Hold,
    NotRoot,
    Overwrite,
    OverwriteDirectory,
    OverwriteDiverted,
    RemoveEssential,
    RemoveProtected,
    RemoveReinstallRequired,
    UnsafeIo,
}

/// A script that was not run because the caller said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedScript {
    /// The package.
    pub package: String,
    /// Its script: `postinst`.
    pub script: &'static str,
    /// What it would have been given.
    pub arguments: Vec<String>,
}

/// What becomes of configuration files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// They stay (`--remove`).
    Remove,
    /// They go, too (`--purge`).
    Purge,
}

impl<'p, 'm, 'o: 'm> Engine<'p, 'm, 'o> {
    /// dpkg, with this process's input, output and environment.
    pub fn new(
        process: &'p mut Process<'m, 'o>,
        outside: &'p dyn Outside,
        options: Options,
    ) -> Self {
        Engine { process, outside, options, skipped: Vec::new() }
    }

    /// `dpkg --unpack`. The exit status is 1 if a package could not be; dpkg has said why.
    pub fn unpack(&mut self, debs: &[Arc<Deb>]) -> Run {
        let _ = debs;
        todo()
    }

    /// `dpkg --install`.
    pub fn install(&mut self, debs: &[Arc<Deb>]) -> Run {
        let _ = debs;
        todo()
    }

    /// `dpkg --configure PACKAGE…`.
    pub fn configure(&mut self, packages: &[PackageId]) -> Run {
        let _ = packages;
        todo()
    }

    /// `dpkg --configure --pending`.
    pub fn configure_pending(&mut self) -> Run {
        todo()
    }

    /// `dpkg --triggers-only --pending`.
    pub fn run_triggers(&mut self) -> Run {
        todo()
    }

    /// `dpkg --remove PACKAGE…` or `dpkg --purge PACKAGE…`.
    pub fn remove(&mut self, packages: &[PackageId], removal: Removal) -> Run {
        let _ = (packages, removal);
        todo()
    }

    /// `dpkg --remove --pending` or `dpkg --purge --pending`.
    pub fn remove_pending(&mut self, removal: Removal) -> Run {
        let _ = removal;
        todo()
    }
}

fn todo() -> Run {
    Err(shell::Stop::refuse("dpkg", shell::Reason::Program))
}
