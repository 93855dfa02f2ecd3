//! The program under test, run as a user runs it, in a home of its own.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::{Failure, Result, stdout};

/// The `plywood` binary with an empty home and an empty store.
pub struct Plywood {
    binary: PathBuf,
    home: TempDir,
}

impl Plywood {
    /// The binary at this path: in a test of the crate that makes it,
    /// `env!("CARGO_BIN_EXE_plywood")`.
    pub fn new(binary: impl Into<PathBuf>) -> Result<Self> {
        let home = tempfile::Builder::new()
            .prefix("testbed-home-")
            .tempdir()
            .map_err(Failure::doing("make a home"))?;
        Ok(Plywood { binary: binary.into(), home })
    }

    /// The home directory.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Where the local store is.
    pub fn store(&self) -> PathBuf {
        self.home.path().join("store")
    }

    /// A command with these arguments. Of the environment only `PATH` is left, so that nothing of
    /// the machine's user (credentials, locale, `SOURCE_DATE_EPOCH`) reaches a test.
    pub fn command<I>(&self, arguments: I) -> Command
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        let mut command = Command::new(&self.binary);
        command.env_clear();
        command.envs(std::env::vars_os().filter(|(name, _)| name == "PATH"));
        command.env("HOME", self.home()).env("PLYWOOD_STORE", self.store());
        command.args(arguments);
        command
    }

    /// Builds `context`, pushes it as `reference` and gives the digest that `build` printed.
    pub fn build_and_push(
        &self,
        context: &Path,
        reference: &str,
        arguments: &[&str],
    ) -> Result<String> {
        let mut command = self.command(["build", "--push", "-t", reference]);
        command.args(arguments).arg(context);
        printed_digest(&mut command)
    }
}

/// Runs a build and gives the one line that it printed.
pub fn printed_digest(build: &mut Command) -> Result<String> {
    let printed = stdout(build)?;
    let line = printed.trim_end();
    if line.starts_with("sha256:") && !line.contains('\n') {
        return Ok(line.to_owned());
    }
    Err(Failure::new(format!("build printed {printed:?} where one digest belongs")))
}
