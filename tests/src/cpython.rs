//! A CPython 3.11 on this machine that is not Debian's: it makes the `/usr/local` base, downloads
//! wheels, and builds those that nobody offers.
//!
//! It is an oracle that no package brings. It is looked for in `PLYWOOD_TEST_PYTHON`, which names an
//! executable, and in `PATH`; pyenv's will do.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::{Failure, Result, program, stdout};

/// The interpreter, which has pip.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cpython {
    /// Where it is installed: `bin`, `include` and `lib` are below.
    pub prefix: PathBuf,
    /// Such as `3.11.7`.
    pub version: String,
    /// What it says of itself: version, date and compiler of its build.
    pub build: String,
}

const ASK: &str = "import json, platform, sys, pip; print(json.dumps([sys.base_prefix, \
    platform.python_version(), sys.version, platform.python_implementation()]))";

impl Cpython {
    /// The first that is found.
    pub fn found() -> Option<Self> {
        let named = std::env::var_os("PLYWOOD_TEST_PYTHON").filter(|name| !name.is_empty());
        let candidates = [named, Some("python3.11".into()), Some("python3".into())];
        candidates.into_iter().flatten().find_map(Cpython::at)
    }

    /// The first that is found, or a failure that says what is missing.
    pub fn required() -> Result<Self> {
        Cpython::found().ok_or_else(|| {
            Failure::new(
                "no CPython 3.11 with pip and a prefix of its own is on this machine: \
                 set PLYWOOD_TEST_PYTHON to one",
            )
        })
    }

    fn at(executable: OsString) -> Option<Self> {
        let answer = stdout(program(executable).args(["-c", ASK])).ok()?;
        let answer: Value = serde_json::from_str(&answer).ok()?;
        let text = |index: usize| answer[index].as_str().map(str::to_owned);
        let (prefix, version, build) = (PathBuf::from(text(0)?), text(1)?, text(2)?);
        let fits =
            prefix.as_os_str() != "/usr" && version.starts_with("3.11.") && answer[3] == "CPython";
        fits.then_some(Cpython { prefix, version, build })
    }

    /// Its pip with this subcommand, with the machine's own configuration of indexes.
    pub(crate) fn pip(&self, subcommand: &str) -> Command {
        let mut pip = self.command();
        pip.args(["-m", "pip", subcommand, "--quiet", "--disable-pip-version-check"]);
        pip
    }

    /// The interpreter itself.
    pub(crate) fn command(&self) -> Command {
        program(self.prefix.join("bin/python3.11"))
    }
}
