//! What is told about a choice, in apt's words.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Something that is said before the lists.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum Note {
    /// A glob named a package.
    ByGlob { package: String, pattern: String },
    /// A regular expression did.
    ByExpression { package: String, pattern: String },
    /// The only provider is taken.
    Instead { package: String, of: String },
    /// A virtual package cannot be removed.
    Virtual { name: String },
    /// A package is not there; another one may be meant.
    NotInstalled { name: String, meant: Option<String> },
    /// A version that was not the candidate.
    Selected { version: String, origin: String, package: String, because_of: Option<String> },
    /// `--no-upgrade`.
    NoUpgrade { name: String },
    /// `--only-upgrade`.
    OnlyUpgrade { name: String },
    /// It cannot be downloaded, and so not be installed again.
    NoReinstall { name: String },
    /// Nothing is to be done.
    Newest { name: String, version: String },
    /// It was installed automatically, and now is wanted.
    Manual { name: String },
}

/// Why a word names nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum Unselected {
    Unknown {
        name: String,
        closest: Vec<String>,
    },
    NoGlob {
        pattern: String,
    },
    NoExpression {
        pattern: String,
    },
    NoVersion {
        name: String,
        version: String,
    },
    NoRelease {
        name: String,
        release: String,
    },
    NoCandidate {
        name: String,
        provided_by: Vec<Provider>,
        replaced_by: Vec<String>,
    },
    /// A task or a search pattern.
    Unsupported {
        word: String,
    },
}

/// A package that provides another.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Provider {
    pub name: String,
    pub version: String,
    pub provided: Option<String>,
    pub is_candidate: bool,
    pub is_installed: bool,
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::ByGlob { package, pattern } => {
                write!(f, "Note, selecting '{package}' for glob '{pattern}'")
            }
            Note::ByExpression { package, pattern } => {
                write!(f, "Note, selecting '{package}' for regex '{pattern}'")
            }
            Note::Instead { package, of } => {
                write!(f, "Note, selecting '{package}' instead of '{of}'")
            }
            Note::Virtual { name } => write!(f, "Virtual packages like '{name}' can't be removed"),
            Note::NotInstalled { name, meant } => {
                write!(f, "Package '{name}' is not installed, so not removed")?;
                meant.iter().try_for_each(|meant| write!(f, ". Did you mean '{meant}'?"))
            }
            Note::Selected { version, origin, package, because_of } => {
                write!(f, "Selected version '{version}' ({origin}) for '{package}'")?;
                because_of.iter().try_for_each(|cause| write!(f, " because of '{cause}'"))
            }
            Note::NoUpgrade { name } => {
                write!(f, "Skipping {name}, it is already installed and upgrade is not set.")
            }
            Note::OnlyUpgrade { name } => {
                write!(f, "Skipping {name}, it is not installed and only upgrades are requested.")
            }
            Note::NoReinstall { name } => {
                write!(f, "Reinstallation of {name} is not possible, it cannot be downloaded.")
            }
            Note::Newest { name, version } => {
                write!(f, "{name} is already the newest version ({version}).")
            }
            Note::Manual { name } => write!(f, "{name} set to manually installed."),
        }
    }
}

/// The error, as apt says it behind `E: `.
impl fmt::Display for Unselected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unselected::Unknown { name, .. } => write!(f, "Unable to locate package {name}"),
            Unselected::NoGlob { pattern } => {
                write!(f, "Couldn't find any package by glob '{pattern}'")
            }
            Unselected::NoExpression { pattern } => {
                write!(f, "Couldn't find any package by regex '{pattern}'")
            }
            Unselected::NoVersion { name, version } => {
                write!(f, "Version '{version}' for '{name}' was not found")
            }
            Unselected::NoRelease { name, release } => {
                write!(f, "Release '{release}' for '{name}' was not found")
            }
            Unselected::NoCandidate { name, .. } => {
                write!(f, "Package '{name}' has no installation candidate")
            }
            Unselected::Unsupported { word } => {
                write!(f, "`{word}` is a task or a search pattern, which are not built in")
            }
        }
    }
}

impl Unselected {
    /// What apt tells of a virtual package before its errors; empty if nothing.
    pub fn explanation(&self) -> String {
        let Unselected::NoCandidate { name, provided_by, replaced_by } = self else {
            return String::new();
        };
        let mut text = String::new();
        if provided_by.is_empty() {
            text += &format!(
                "Package {name} is not available, but is referred to by another package.\n\
                 This may mean that the package is missing, has been obsoleted, or\n\
                 is only available from another source\n"
            );
            if !replaced_by.is_empty() {
                text += "However the following packages replace it:\n";
                text += &format!("  {}\n", replaced_by.join(" "));
            }
            return text + "\n";
        }
        text += &format!("Package {name} is a virtual package provided by:\n");
        let has_candidates = provided_by.iter().any(|provider| provider.is_candidate);
        for provider in provided_by {
            if provider.is_candidate || !has_candidates {
                let Provider { name, version, provided, is_installed, .. } = provider;
                text += &format!("  {name} {version}");
                text += &provided.as_ref().map(|text| format!(" (= {text})")).unwrap_or_default();
                text += match (has_candidates, is_installed) {
                    (true, true) => " [Installed]\n",
                    (true, false) => "\n",
                    (false, _) => " [Not candidate version]\n",
                };
            }
        }
        if has_candidates {
            text += "You should explicitly select one to install.\n";
        }
        text + "\n"
    }
}
