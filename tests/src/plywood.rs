//! The program under test, run as a user runs it, in a home of its own.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use tempfile::TempDir;

use crate::{Failure, Login, Registry, Result, output, output_on, stdout};

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

    /// Runs the program, which has to succeed, and gives its answer.
    pub fn answer<I>(&self, arguments: I) -> Result<String>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        stdout(&mut self.command(arguments))
    }

    /// Runs the program, which has to fail, and gives its exit code and what it said.
    pub fn refusal<I>(&self, arguments: I) -> Result<(i32, String)>
    where
        I: IntoIterator<Item: AsRef<OsStr>>,
    {
        refused(output(&mut self.command(arguments))?)
    }

    /// `plywood login`, which has to succeed.
    pub fn login(&self, registry: &Registry, login: Login) -> Result {
        let output = self.try_login(registry, login)?;
        if output.status.success() {
            return Ok(());
        }
        let said = String::from_utf8_lossy(&output.stderr);
        Err(Failure::new(format!("login answered {}\n{said}", output.status)))
    }

    /// `plywood login`, which has to fail: its exit code and what it said.
    pub fn refused_login(&self, registry: &Registry, login: Login) -> Result<(i32, String)> {
        refused(self.try_login(registry, login)?)
    }

    fn try_login(&self, registry: &Registry, login: Login) -> Result<Output> {
        let host = registry.host();
        let words = ["login", "--username", login.user, "--password-stdin", &host];
        output_on(login.password.as_bytes(), &mut self.command(words))
    }

    /// The file that `login` writes to.
    pub fn credentials(&self) -> PathBuf {
        self.home().join(".docker/config.json")
    }

    /// Makes a registry's certificates known to the user, as `containers-certs.d(5)` says.
    pub fn trust(&self, registry: &Registry) -> Result {
        let Some(certificates) = registry.certificates() else { return Ok(()) };
        let directory = self.home().join(".config/containers/certs.d").join(registry.host());
        let doing = "copy certificates";
        fs::create_dir_all(&directory).map_err(Failure::doing(doing))?;
        for entry in fs::read_dir(certificates).map_err(Failure::doing(doing))?.flatten() {
            fs::copy(entry.path(), directory.join(entry.file_name()))
                .map_err(Failure::doing(doing))?;
        }
        Ok(())
    }

    /// Builds `context`, pushes it as `reference` and gives the digest that `build` printed. The
    /// image is all that goes to the registry, and nothing else is asked there.
    pub fn build_and_push(
        &self,
        context: &Path,
        reference: &str,
        arguments: &[&str],
    ) -> Result<String> {
        let mut command = self.command(["build", "--push", "-t", reference]);
        command.args(["--cache-from=none", "--cache-to=none"]).args(arguments).arg(context);
        printed_digest(&mut command)
    }
}

/// The exit code of a program that failed, and what it said.
fn refused(output: Output) -> Result<(i32, String)> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) | None => Err(Failure::new(format!("plywood answered {}\n{said}", output.status))),
        Some(code) => Ok((code, said)),
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
