//! Why there is no resolution, in words. No message holds credentials.

use std::fmt;
use std::io;
use std::path::PathBuf;

use python::{Origin, suspect_pin};

use crate::{HashProblem, IndexProblem, LockProblem};

/// Why there is no resolution.
#[derive(Debug, thiserror::Error)]
pub enum ResolutionError {
    /// A requirement is malformed.
    #[error("invalid requirement `{text}`{}: {problem}", at(.origin, *.column))]
    Invalid {
        /// The requirement, without credentials.
        text: String,
        /// Where it is written.
        origin: Origin,
        /// The character in it, from 1, if it is one.
        column: Option<usize>,
        /// What is wrong.
        problem: String,
    },
    /// A requirement asks for what cannot be had.
    #[error("`{text}`{} {what}", at(.origin, None))]
    Unsupported {
        /// The requirement, without credentials.
        text: String,
        /// Where it is written.
        origin: Origin,
        /// What it is.
        what: Unsupported,
    },
    /// No index knows a name.
    #[error(
        "there is no package `{name}`{}{}{}",
        asked(.origin), looked(.indexes), below(.explanation)
    )]
    NoSuchPackage {
        /// The name, normalized.
        name: String,
        /// The requirement that names it, as it is written.
        written: Option<String>,
        /// Where it is asked for; `None` if only another package wants it.
        origin: Option<Origin>,
        /// Who was asked.
        indexes: Vec<String>,
        /// The explanation of the resolver, if another package wants it.
        explanation: Option<String>,
    },
    /// No version is as wanted.
    #[error("no version of `{name}` is `{wanted}`{}; there {}", asked(.origin), versions(.available))]
    NoSuchVersion {
        /// The name, normalized.
        name: String,
        /// The specifier.
        wanted: String,
        /// Where it is asked for.
        origin: Option<Origin>,
        /// Which exist, the newest first.
        available: Vec<String>,
    },
    /// The requirements contradict each other.
    #[error("the requirements cannot be met together\n{explanation}")]
    Conflict {
        /// Why, in words, with lines.
        explanation: String,
    },
    /// Distributions have no wheel that fits.
    #[error("no wheel fits {target} for {}", count(.packages))]
    NoWheel {
        /// All of them, by name.
        packages: Vec<NoWheel>,
        /// What a wheel would have to fit.
        target: String,
    },
    /// A file that was asked for by its name does not fit.
    #[error("{filename}{} is not for {target}", at(.origin, None))]
    UnfitFile {
        /// Its name.
        filename: String,
        /// Where it is asked for.
        origin: Origin,
        /// What it would have to fit.
        target: String,
    },
    /// An index, a page of links or a file host does not answer as it should.
    #[error("{url} {problem}")]
    Index {
        /// Its address, without credentials.
        url: String,
        /// What is wrong.
        problem: IndexProblem,
    },
    /// An index's address is not one.
    #[error("bad index URL {url}: {cause}")]
    BadIndexUrl {
        /// As it was written, without credentials.
        url: String,
        /// What is wrong.
        cause: String,
    },
    /// The metadata of a distribution cannot be read.
    #[error("the metadata of {distribution} cannot be read: {cause}")]
    Metadata {
        /// Name and version, or file.
        distribution: String,
        /// Why.
        cause: String,
    },
    /// A dependency is a URL that nobody asked for.
    #[error("a dependency is a URL: `{name} @ {url}`")]
    UrlDependency {
        /// The distribution.
        name: String,
        /// The URL, without credentials.
        url: String,
    },
    /// Something is wrong about hashes.
    #[error("`{requirement}`{} {problem}", asked(.origin))]
    Hash {
        /// The requirement or distribution.
        requirement: String,
        /// Where it is written, if it is.
        origin: Option<Origin>,
        /// What is wrong.
        problem: HashProblem,
    },
    /// A wheel cannot be built.
    #[error("{package} cannot be built: {cause}")]
    Build {
        /// Name and version.
        package: String,
        /// Why.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A lock cannot be used.
    #[error("{file}: {problem}")]
    Lock {
        /// Its name.
        file: String,
        /// What is wrong.
        problem: LockProblem,
    },
    /// A time cannot be read.
    #[error("`{text}` is not a time: {cause}")]
    BadTime {
        /// As it was written.
        text: String,
        /// What is wrong.
        cause: String,
    },
    /// A name for binaries only, or for none, is not one.
    #[error("`{name}` is not the name of a package")]
    BadName {
        /// As it was written.
        name: String,
    },
    /// There are no tags for the platform.
    #[error("no wheels are made for {platform}")]
    UnknownPlatform {
        /// The platform.
        platform: String,
    },
    /// A given file cannot be read.
    #[error("{path} cannot be read: {cause}")]
    Given {
        /// Where it is in the context.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// The cache cannot be used.
    #[error("the cache at {} cannot be used: {cause}", path.display())]
    Cache {
        /// Where it is.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// A setting of the network is wrong.
    #[error("bad {what}: {cause}")]
    Setting {
        /// Which.
        what: &'static str,
        /// Why.
        cause: String,
    },
    /// The resolver ended for a reason of its own.
    #[error("the resolver gave up: {cause}")]
    Resolver {
        /// What it said.
        cause: String,
    },
}

/// What cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unsupported {
    /// A repository.
    Repository,
    /// A directory with a project.
    Directory,
    /// A file that is not among those that were given.
    UnknownFile,
    /// An archive that would have to be built.
    SourceArchive,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsupported::Repository => "is a repository, which would have to be built",
            Unsupported::Directory => "is a directory, which would have to be built",
            Unsupported::UnknownFile => "is not in the context",
            Unsupported::SourceArchive => "is a source archive, which would have to be built",
        })
    }
}

/// A distribution that has no wheel which fits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoWheel {
    /// Its name, normalized.
    pub name: String,
    /// The version that would be taken if it had one.
    pub version: String,
    /// Where it is asked for, if it is not only a dependency.
    pub origin: Option<Origin>,
    /// The file names of the wheels that there are.
    pub wheels: Vec<String>,
    /// Whether there is a source distribution.
    pub has_source: bool,
    /// Whether wheels of it are forbidden.
    pub wheels_forbidden: bool,
    /// A newer version that has a wheel which fits.
    pub newer: Option<String>,
}

impl fmt::Display for NoWheel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.version)?;
        if let Some(origin) = &self.origin {
            write!(f, " ({origin})")?;
        }
        if self.wheels_forbidden {
            return f.write_str(": wheels of it are forbidden");
        }
        if self.wheels.is_empty() {
            return f.write_str(": only a source distribution");
        }
        let tags: Vec<_> = self.wheels.iter().map(|wheel| tags(wheel)).collect();
        let source = if self.has_source { ", and a source distribution" } else { "" };
        write!(f, ": wheels for {}{source}", shortened(&tags, 6))
    }
}

impl ResolutionError {
    /// Whether the message has lines of its own: a list, or an explanation.
    pub fn is_list(&self) -> bool {
        use ResolutionError as E;
        matches!(self, E::NoSuchPackage { .. } | E::Conflict { .. } | E::NoWheel { .. })
    }

    /// The line that is to blame, if it is a single one.
    pub fn origin(&self) -> Option<&Origin> {
        use ResolutionError as E;
        match self {
            E::Invalid { origin, .. }
            | E::Unsupported { origin, .. }
            | E::UnfitFile { origin, .. } => Some(origin),
            E::NoSuchPackage { origin, .. }
            | E::NoSuchVersion { origin, .. }
            | E::Hash { origin, .. } => origin.as_ref(),
            E::NoWheel { packages, .. } => match packages.as_slice() {
                [only] => only.origin.as_ref(),
                _ => None,
            },
            _ => None,
        }
    }

    /// The way out, if there is one.
    pub fn hint(&self) -> Option<String> {
        use ResolutionError as E;
        match self {
            E::Invalid { text, .. } => suspect_pin(text).map(meant),
            E::NoSuchPackage { written: Some(written), .. } => suspect_pin(written).map(meant),
            E::Unsupported { what, .. } => Some(way_around(*what).to_owned()),
            E::NoWheel { packages, .. } => Some(instead_of_building(packages)),
            E::Index { problem: IndexProblem::Refused { .. }, .. } => {
                Some(CREDENTIALS_HINT.to_owned())
            }
            E::Index { problem: IndexProblem::NotAnIndex { .. }, .. } => {
                Some("the URL of an index often ends in `/simple/`".to_owned())
            }
            E::UrlDependency { name, url } => {
                Some(format!("ask for it in the requirements: `{name} @ {url}`"))
            }
            E::Hash { problem: HashProblem::NotListed | HashProblem::Missing, .. } => Some(
                "`pip-compile --generate-hashes` or `uv pip compile --generate-hashes` lists all"
                    .to_owned(),
            ),
            E::Hash { problem: HashProblem::Mismatch { .. }, .. } => Some(
                "somebody replaced the file, or the hash is of another version or wheel: list the \
                 hashes anew"
                    .to_owned(),
            ),
            E::Hash { problem: HashProblem::Unpinned, .. } => {
                Some("a hash is of one file, so write which version that is".to_owned())
            }
            E::Metadata { .. } => {
                Some("the file is incomplete or damaged: fetch or build it again".to_owned())
            }
            E::Setting { what: "netrc", .. } => Some(
                "it is what NETRC names, or ~/.netrc, and is written `machine HOST login USER \
                 password PASSWORD`"
                    .to_owned(),
            ),
            E::Lock { problem, .. } => problem.hint(),
            _ => None,
        }
    }
}

/// Where credentials can come from; those that came may be wrong.
pub(crate) const CREDENTIALS_HINT: &str =
    "put credentials that it accepts into the index's URL, a netrc file or PIP_INDEX_URL";

fn way_around(what: Unsupported) -> &'static str {
    match what {
        Unsupported::UnknownFile => "paths are from the context's root, and ignore rules hold",
        _ => "build a wheel of it (`pip wheel --no-deps`) and name that",
    }
}

fn instead_of_building(packages: &[NoWheel]) -> String {
    let newer = packages.iter().filter_map(|package| {
        let pin = format!("`{}=={}`", package.name, package.newer.as_ref()?);
        // What only others want in this version is theirs to decide.
        let by_override = if package.origin.is_none() { ", and can be an override" } else { "" };
        Some(format!("{pin} has a wheel{by_override}"))
    });
    let mut ways: Vec<_> = newer.collect();
    if packages.iter().all(|package| package.has_source) {
        ways.push("`build = \"host\"` builds with a Python of this machine".to_owned());
    }
    if ways.is_empty() {
        ways.push("another Python or base image may have what fits".to_owned());
    }
    ways.join("; ")
}

fn meant(requirement: String) -> String {
    format!("`{requirement}` may be meant")
}

/// The tags of a wheel's name: what comes behind the version.
fn tags(wheel: &str) -> String {
    let stem = wheel.strip_suffix(".whl").unwrap_or(wheel);
    let mut parts: Vec<_> = stem.rsplitn(4, '-').take(3).collect();
    parts.reverse();
    parts.join("-").escape_debug().to_string()
}

fn at(origin: &Origin, column: Option<usize>) -> String {
    match column {
        Some(column) => format!(" ({origin}:{column})"),
        None => format!(" ({origin})"),
    }
}

fn asked(origin: &Option<Origin>) -> String {
    origin.as_ref().map(|origin| format!(" ({origin})")).unwrap_or_default()
}

fn below(explanation: &Option<String>) -> String {
    explanation.as_ref().map(|text| format!("\n{text}")).unwrap_or_default()
}

fn looked(indexes: &[String]) -> String {
    match indexes {
        [] => " among the links and files that were given".to_owned(),
        some => format!(" at {}", some.join(", ")),
    }
}

fn count(packages: &[NoWheel]) -> String {
    match packages {
        [only] => only.to_string(),
        several => {
            let lines = several.iter().map(|package| format!("\n  {package}"));
            format!("{} packages:{}", several.len(), lines.collect::<String>())
        }
    }
}

fn versions(available: &[String]) -> String {
    match available {
        [] => "are none".to_owned(),
        some => format!("are {}", shortened(some, 8)),
    }
}

fn shortened(texts: &[String], most: usize) -> String {
    let shown = texts.iter().take(most).cloned().collect::<Vec<_>>().join(", ");
    match texts.len().saturating_sub(most) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
