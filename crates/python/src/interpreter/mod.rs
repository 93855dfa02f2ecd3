//! The Pythons of a root file system: found by its files, never run.

mod databases;
mod error;
mod executables;
mod layout;
mod libc;
mod markers;
mod patch;
mod pyenv;
mod shebang;
mod version;
mod virtual_environment;
mod wanted;

use std::collections::BTreeMap;

use oci::{ImagePath, Platform};

pub use error::InterpreterError;
pub use layout::Layout;
pub use libc::Libc;
pub use markers::Markers;
pub use version::{EndOfLife, Version};

use crate::view::{Known, both, each_once};
use crate::{Missing, View};
use databases::Databases;
use executables::Executable;
use layout::Placement;
use virtual_environment::Configuration;

/// What a wheel must be to fit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Who imports it.
    pub interpreter: Interpreter,
    /// Which C library, and how new.
    pub libc: Libc,
    /// Which processor.
    pub platform: Platform,
}

/// An interpreter and where things are for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interpreter {
    /// What the first line of a script names, such as `/usr/local/bin/python3.11`.
    pub executable: String,
    /// Its version.
    pub version: Version,
    /// Whether it is a build without the global interpreter lock (PEP 703).
    pub free_threaded: bool,
    /// Where an installer puts files.
    pub layout: Layout,
    /// The directories in which distributions count as installed, in the order of `sys.path`.
    pub search_path: Vec<ImagePath>,
    /// Those of `search_path` from which an installer removes nothing: they are the system's own,
    /// or outside of the virtual environment.
    pub foreign: Vec<ImagePath>,
    /// Whether it says that its packages are somebody else's (PEP 668).
    pub externally_managed: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Discovery {
    /// The one that a bare `python3` or `python` would be, or that was asked for.
    pub target: Target,
    /// Others that could have been meant.
    pub others: Vec<Candidate>,
}

/// An interpreter that was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// Where it is.
    pub executable: String,
    /// Its version, as far as the path tells it, such as `3.12` or `3.13t`.
    pub version: String,
}

/// Looks for the Pythons of an image.
///
/// `environment` is the image's. `wanted` is what was asked for, if anything was: a path such as
/// `/opt/venv/bin/python`, a name on the `PATH` such as `python3.12`, or a version such as `3.12`,
/// `3.12.4` or, for a free-threaded build, `3.14t`. Else the first `python3` or `python` on the
/// `PATH` is taken that is a Python 3, or if there is none on it, the only one elsewhere.
///
/// Of the variables `PYTHONPATH`, `PYTHONUSERBASE` and `PYTHONHOME` absolute directories count. A
/// virtual environment is one by its `pyvenv.cfg`; `VIRTUAL_ENV` says nothing that `PATH` does not.
///
/// # Errors
/// [`InterpreterError::Missing`] if more of the image has to be read; else why there is no target.
pub fn find_interpreters(
    view: View<'_>,
    environment: &BTreeMap<String, String>,
    platform: &Platform,
    wanted: Option<&str>,
) -> Result<Discovery, InterpreterError> {
    if platform.os != "linux" {
        return Err(InterpreterError::OtherSystem { os: platform.os.clone() });
    }
    view.whole()?;
    let executables = executables::find(view, environment);
    let surroundings = |databases| Surroundings { view, environment, databases };
    let databases = Databases::read(view).map_err(|missing| {
        // Most of what else will be read does not depend on them.
        let executables = executables.as_deref().unwrap_or_default();
        let ahead = read_ahead(&surroundings(Databases::default()), executables, wanted);
        missing.into_iter().chain(ahead).collect()
    });
    let (executables, databases) = both(executables, databases)?;
    let surroundings = surroundings(databases);
    let taken = wanted::choose(&surroundings, &executables, wanted)?;
    let taken = with_base(&surroundings, &taken)?;
    let libc = libc::find(view, platform, &surroundings.databases);
    let (interpreter, libc) = both(describe(&surroundings, &taken), libc)?;
    let libc = libc
        .ok_or_else(|| InterpreterError::NoLibc { executable: interpreter.executable.clone() })?;
    let is_other = |executable: &&Executable| executable.identity != taken.identity;
    let others = executables.iter().filter(is_other).map(Candidate::of).collect();
    let target = Target { interpreter, libc, platform: platform.clone() };
    Ok(Discovery { target, others })
}

/// What the executable that is taken needs, if that is known already.
fn read_ahead(
    surroundings: &Surroundings<'_>,
    executables: &[Executable],
    wanted: Option<&str>,
) -> Vec<Missing> {
    let Ok(taken) = wanted::choose(surroundings, executables, wanted) else { return Vec::new() };
    let view = surroundings.view;
    let root = taken.environment.as_ref();
    let configuration = root.map(|root| virtual_environment::configuration(view, root));
    let header = patch::header(view, &taken.prefix, taken.series);
    let first_line = shebang::find(view, &taken);
    let all = both(both(header, first_line), configuration.transpose());
    all.err().unwrap_or_default()
}

/// What an executable is judged by.
struct Surroundings<'a> {
    view: View<'a>,
    environment: &'a BTreeMap<String, String>,
    databases: Databases,
}

impl Candidate {
    fn of(executable: &Executable) -> Candidate {
        Candidate { executable: executable.path.clone(), version: executable.series.to_string() }
    }
}

/// An executable with its prefix put right where the executable's place does not tell it: for a
/// virtual environment that holds a copy, and under `PYTHONHOME`.
fn with_base(surroundings: &Surroundings<'_>, executable: &Executable) -> Known<Executable> {
    let mut executable = executable.clone();
    if let Some(home) = layout::home(surroundings.environment) {
        executable.prefix = home;
        executable.environment = None;
    } else if let Some(root) = &executable.environment
        && executable.real.starts_with(root)
    {
        let Configuration { home, .. } =
            virtual_environment::configuration(surroundings.view, root)?;
        let prefix = home.as_ref().and_then(ImagePath::parent);
        executable.prefix = prefix.unwrap_or(executable.prefix);
    }
    Ok(executable)
}

fn describe(surroundings: &Surroundings<'_>, executable: &Executable) -> Known<Interpreter> {
    let Surroundings { view, environment, databases } = surroundings;
    let version = patch::find(*view, executable, databases, environment);
    let placement = place(surroundings, executable);
    let first_line = shebang::find(*view, executable);
    let ((version, placement), first_line) = both(both(version, placement), first_line)?;
    let Placement { layout, search_path, foreign, externally_managed } = placement;
    Ok(Interpreter {
        executable: first_line,
        version,
        free_threaded: executable.series.free_threaded,
        layout,
        search_path,
        foreign,
        externally_managed,
    })
}

fn place(surroundings: &Surroundings<'_>, executable: &Executable) -> Known<Placement> {
    let Surroundings { view, environment, databases } = surroundings;
    let system = layout::of_system(*view, &executable.prefix, executable.series, databases);
    let mut placement = match &executable.environment {
        None => system?,
        Some(root) => {
            let configuration = virtual_environment::configuration(*view, root);
            let (configuration, system) = both(configuration, system)?;
            let seen = Some(system).filter(|_| configuration.sees_system);
            layout::of_environment(root, executable.series, seen)
        }
    };
    layout::add_environment(&mut placement, executable, environment);
    Ok(placement)
}

impl From<Vec<Missing>> for InterpreterError {
    fn from(missing: Vec<Missing>) -> Self {
        InterpreterError::Missing(each_once(missing))
    }
}

#[cfg(test)]
mod tests;
